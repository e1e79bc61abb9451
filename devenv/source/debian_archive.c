/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_archive.c - the suites of a Debian release, on the mirror that the user or apt's configuration names. A mirror serves
 * all supported releases below one address, so what apt says about this machine's own release serves every other.
 */
#include "source/debian_archive_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/debian_fetch.h"

struct debian_suite *debian_archive_add(struct debian_archive *a, const char *uri, const char *suite, const char *keyring,
					const struct strlist *components)
{
	struct debian_suite *s = NULL;

	for (size_t i = 0; i < a->count && !s; i++)
		if (strcmp(a->suites[i].uri, uri) == 0 && strcmp(a->suites[i].suite, suite) == 0)
			s = &a->suites[i];
	if (!s) {
		a->suites = mem_grow(a->suites, a->count, &a->cap, sizeof(*a->suites));
		s = &a->suites[a->count++];
		*s = (struct debian_suite){ .uri = mem_strdup(uri), .suite = mem_strdup(suite), .keyring = mem_strdup(keyring),
					    .directory = mem_printf("dists/%s", suite) };
	}
	for (size_t i = 0; i < components->count; i++)
		if (!strlist_has(&s->components, components->items[i]))
			strlist_add(&s->components, components->items[i]);
	return s;
}

struct debian_suite *debian_archive_add_flat(struct debian_archive *a, const char *uri, const char *directory, const char *keyring)
{
	const char *name = strcmp(directory, ".") == 0 ? "flat" : directory;
	struct debian_suite *s = debian_archive_add(a, uri, name, keyring, &(struct strlist){ 0 });

	free(s->directory);
	s->directory = mem_strdup(directory);
	s->flat = true;
	return s;
}

char *debian_archive_path(const struct debian_suite *s, const char *file)
{
	return strcmp(s->directory, ".") == 0 ? mem_strdup(file) : mem_printf("%s/%s", s->directory, file);
}

void debian_archive_release(struct debian_archive *a)
{
	for (size_t i = 0; i < a->count; i++) {
		struct debian_suite *s = &a->suites[i];

		free(s->uri);
		free(s->suite);
		free(s->directory);
		free(s->keyring);
		strlist_release(&s->fingerprints);
		free(s->site);
		strlist_release(&s->components);
		strlist_release(&s->architectures);
	}
	free(a->suites);
	debian_preferences_release(&a->preferences);
	strlist_release(&a->warnings);
	*a = (struct debian_archive){ 0 };
}

/* The best source for the release itself, or for its security; the first of equals. */
static const struct debian_source *best_of(const struct debian_sources *all, const char *codename, bool security)
{
	const struct debian_source *best = NULL;
	int best_rank = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct debian_source *s = &all->items[i];
		int rank = debian_mirror_rank(s, codename);

		if (debian_mirror_is_security(s->suite) == security && debian_fetch_knows(s->uri) && rank > best_rank) {
			best = s;
			best_rank = rank;
		}
	}
	return best;
}

/* ---- keys ---- */

static void add_keyring(struct buf *list, const char *path)
{
	if (access(path, R_OK) < 0)
		return;
	buf_addf(list, "%s%s", list->len ? "\n" : "", path);
}

/* What apt trusts for this mirror may be the keys of one release only; the distribution's keyring has those of all. */
static int find_keyring(const struct user_config *user, const struct debian_source *source, char **out, struct err *e)
{
	cleanup_buf struct buf list = BUF_INIT;

	if (user->debian.keyring) {
		*out = mem_strdup(user->debian.keyring);
		return 0;
	}
	add_keyring(&list, DEBIAN_KEYRING);
	if (!list.len)
		add_keyring(&list, "/usr/share/keyrings/debian-archive-keyring.pgp");
	for (size_t i = 0; source && i < source->signed_by.count; i++)
		if (source->signed_by.items[i][0] == '/' && !strstr(list.data, source->signed_by.items[i]))
			add_keyring(&list, source->signed_by.items[i]);
	if (list.len) {
		*out = buf_steal(&list);
		return 0;
	}
	err_set(e, ERR_NOT_FOUND, "there are no keys of the Debian archive on this machine: %s is missing", DEBIAN_KEYRING);
	return err_hint(e, "install the package debian-archive-keyring, or name a file of keys as keyring in [debian] of %s",
			dirs_shown_config());
}

/* ---- suites ---- */

static int no_mirror(struct err *e)
{
	err_set(e, ERR_NOT_FOUND, "apt on this machine names no mirror of Debian");
	return err_hint(e, "say which one is yours in %s, in two lines: [debian] and mirror = http://HOST/debian",
			dirs_shown_config());
}

static char *security_address(const struct user_config *user, const struct debian_sources *all, const char *codename,
			      const char *mirror)
{
	const struct debian_source *source = best_of(all, codename, true);

	if (user->debian.security)
		return mem_strdup(user->debian.security);
	/* A mirror that the user chose is asked for everything. */
	if (source && !user->debian.mirror)
		return mem_strdup(source->uri);
	return mem_printf("%s-security", mirror);
}

/* Before bullseye the security suite of a release had another form of name. */
static char *security_suite(const char *codename)
{
	static const char *const old[] = { "wheezy", "jessie", "stretch", "buster" };

	for (size_t i = 0; i < ARRAY_SIZE(old); i++)
		if (strcmp(codename, old[i]) == 0)
			return mem_printf("%s/updates", codename);
	return mem_printf("%s-security", codename);
}

static void add_suites(struct debian_archive *a, const char *mirror, const char *security, const char *codename,
		       const char *keyring, const struct strlist *components)
{
	cleanup_free char *updates_suite = mem_printf("%s-updates", codename), *secure_suite = security_suite(codename);

	debian_archive_add(a, mirror, codename, keyring, components);
	if (strcmp(codename, "sid") == 0 || debian_mirror_is_alias(codename))
		return;
	debian_archive_add(a, mirror, updates_suite, keyring, components);
	debian_archive_add(a, security, secure_suite, keyring, components);
}

static int find(const struct debian_sources *all, const struct user_config *user, const char *codename,
		const struct strlist *components, struct debian_archive *out, struct err *e)
{
	const struct debian_source *source = best_of(all, codename, false);
	const char *mirror = user->debian.mirror ? user->debian.mirror : source ? source->uri : NULL;
	cleanup_free char *security = NULL, *keyring = NULL;
	struct debian_archive a = { 0 };

	if (!mirror)
		return no_mirror(e);
	if (find_keyring(user, user->debian.mirror ? NULL : source, &keyring, e) < 0)
		return -1;
	security = security_address(user, all, codename, mirror);
	add_suites(&a, mirror, security, codename, keyring, components);
	*out = a;
	return 0;
}

int debian_archive_find(const struct debian_root *host, const struct user_config *user, const char *codename,
			const struct strlist *components, struct debian_archive *out, struct err *e)
{
	struct debian_sources all = { 0 };
	int result = debian_root_sources(host, &all, e);

	if (result == 0)
		result = find(&all, user, codename, components, out, e);
	debian_sources_release(&all);
	return result;
}

/* ---- names ---- */

static int refuse_alias(const char *name, struct err *e)
{
	if (strcmp(name, "experimental") == 0) {
		err_set(e, ERR_CONFIG, "experimental is no release that an environment can be made of: it has only some packages");
		return err_hint(e, "write debian = sid");
	}
	err_set(e, ERR_CONFIG, "'%s' is the name of another Debian release every few years, so it can't be locked", text_safe(name));
	return err_hint(e, "%s", strcmp(name, "unstable") == 0 ? "write debian = sid, which is its codename" :
			"write the codename of the release you mean, such as debian = bookworm");
}

static int check_codename(const char *codename, struct err *e)
{
	size_t len = strspn(codename, "abcdefghijklmnopqrstuvwxyz0123456789");

	if (debian_mirror_is_alias(codename))
		return refuse_alias(codename, e);
	if (len > 0 && len < 32 && codename[len] == '\0')
		return 0;
	err_set(e, ERR_CONFIG, "'%s' is not the codename of a Debian release", text_safe(codename));
	return err_hint(e, "a codename is one word in small letters, such as bookworm; its updates and security suites are included");
}

int debian_archive_of_release(const struct user_config *user, const char *codename, const struct strlist *components,
			      struct debian_archive *out, struct err *e)
{
	cleanup_close int fd = -1;

	if (check_codename(codename, e) < 0)
		return -1;
	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "can't open /");
	return debian_archive_find(&(struct debian_root){ .fd = fd }, user, codename, components, out, e);
}

void debian_archive_name_alias(struct debian_context *c, const char *alias, struct err *e)
{
	cleanup_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_strlist struct strlist components = STRLIST_INIT;
	struct debian_inrelease r = { .text = BUF_INIT };
	struct debian_archive a = { 0 };
	struct err why = ERR_INIT;

	if (c->offline || root < 0 || !debian_mirror_is_alias(alias) || strchr(alias, '-') || strcmp(alias, "experimental") == 0)
		return;
	strlist_add(&components, "main");
	if (debian_archive_find(&(struct debian_root){ .fd = root }, c->user, alias, &components, &a, &why) == 0 &&
	    debian_inrelease_get(c, &a.suites[0], -1, true, NULL, &r, &why) == 0 && r.release.codename.len > 0 &&
	    r.release.codename.len < 32) {
		cleanup_free char *codename = debian_text_dup(r.release.codename);

		if (check_codename(codename, &why) == 0)
			(void)err_hint(e, "write debian = %s, which is the codename of %s today", codename, alias);
	}
	debian_inrelease_release(&r);
	debian_archive_release(&a);
}

const char *debian_arch(const char *platform)
{
	static const struct {
		const char *platform, *arch;
	} known[] = {
		{ "linux/amd64", "amd64" },	{ "linux/arm64", "arm64" },	{ "linux/arm64/v8", "arm64" },
		{ "linux/arm/v7", "armhf" },	{ "linux/arm/v5", "armel" },	{ "linux/386", "i386" },
		{ "linux/ppc64le", "ppc64el" }, { "linux/s390x", "s390x" },	{ "linux/riscv64", "riscv64" },
		{ "linux/mips64le", "mips64el" }, { "linux/loong64", "loong64" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(platform, known[i].platform) == 0)
			return known[i].arch;
	return NULL;
}
