/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_archive_root.c - the archive that an image is set up for: what its own apt would use, signed by the keys that its
 * makers chose. Those may be of other distributions of the family, and of people who have packages for them.
 *
 * gpgv reads files, so the keys of an image are written out beside each other, armour taken away: one file for each set of keys.
 */
#include "source/debian_archive_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "source/debian_fetch.h"
#include "source/debian_signature.h"

enum { SETS_MAX = 100 }; /* each is a file of some megabytes at most */

/* ---- of the family? ---- */

static char *name_of_system(const struct debian_root *root)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct debian_text rest, line;

	if (debian_root_read(root, "etc/os-release", &text, &ignored) < 0 &&
	    debian_root_read(root, "usr/lib/os-release", &text, &ignored) < 0)
		return mem_strdup("this image");
	rest = (struct debian_text){ text.data, text.len };
	while (debian_control_line(&rest, &line)) {
		static const char key[] = "PRETTY_NAME=";
		size_t n = sizeof(key) - 1;

		if (line.len <= n + 2 || memcmp(line.at, key, n) != 0)
			continue;
		line = (struct debian_text){ line.at + n, line.len - n };
		if (*line.at == '"' && line.at[line.len - 1] == '"')
			line = (struct debian_text){ line.at + 1, line.len - 2 };
		return mem_strndup(line.at, line.len > 60 ? 60 : line.len);
	}
	return mem_strdup("this image");
}

static int check_family(const struct debian_root *root, struct err *e)
{
	static const struct {
		const char *path, *manager;
	} others[] = {
		{ "lib/apk/db/installed", "apk" },	     { "usr/lib/apk/db/installed", "apk" },
		{ "etc/dnf/dnf.conf", "dnf" },		     { "usr/lib/sysimage/rpm/rpmdb.sqlite", "rpm" },
		{ "var/lib/rpm/rpmdb.sqlite", "rpm" },	     { "var/lib/rpm/Packages", "rpm" },
		{ "etc/yum.conf", "yum" },		     { "etc/pacman.conf", "pacman" },
	};
	cleanup_free char *image = NULL;

	if (debian_root_has(root, "var/lib/dpkg/status"))
		return 0;
	image = name_of_system(root);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (!debian_root_has(root, others[i].path))
			continue;
		err_set(e, ERR_UNSUPPORTED, "%s has its packages from %s, which is not supported yet", text_safe(image), others[i].manager);
		return err_hint(e, "[packages] apt works on Debian, Ubuntu and what is made of them; [build] run can call %s", others[i].manager);
	}
	err_set(e, ERR_UNSUPPORTED, "%s has no dpkg, so no packages can be added to it", text_safe(image));
	return err_hint(e, "take an image of Debian, Ubuntu or what is made of them, and not a minimal one without a package manager");
}

/* ---- keys ---- */

struct image { /* while it is read */
	const struct debian_root *root;
	const struct user_config *user;
	const char *directory;
	struct debian_archive *out;
	struct strlist sets, files; /* what a set of keys is made of, and the file that has it */
};

static void add_keys(const struct image *m, const char *path, struct buf *keys)
{
	cleanup_buf struct buf file = BUF_INIT;
	struct err why = ERR_INIT;

	if (keys->len > DEBIAN_SIGNED_MAX) /* more than will be read */
		return;
	/* A key that can't be read signs nothing; that is an error when it is the one that is missing. */
	if (debian_root_read(m->root, path, &file, &why) == 0)
		debian_signature_keys(path, &file, keys, &why);
}

/* All that apt trusts where a source names no keys. */
static void add_trusted(const struct image *m, struct buf *keys)
{
	static const char directory[] = "etc/apt/trusted.gpg.d";
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	add_keys(m, "etc/apt/trusted.gpg", keys);
	debian_root_list(m->root, directory, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = path_join(directory, names.items[i]);

		if (text_ends(path, ".gpg") || text_ends(path, ".asc"))
			add_keys(m, path, keys);
	}
}

static void collect_keys(const struct image *m, const struct debian_source *s, struct buf *keys)
{
	bool any = false;

	if (s->key) {
		const struct buf key = { .data = s->key, .len = strlen(s->key) };
		struct err ignored = ERR_INIT;

		debian_signature_keys(s->uri, &key, keys, &ignored);
		return;
	}
	for (size_t i = 0; i < s->signed_by.count; i++)
		if (s->signed_by.items[i][0] == '/') {
			add_keys(m, s->signed_by.items[i], keys);
			any = true;
		}
	/* A fingerprint is of one of the keys that are trusted anyway. */
	if (!any)
		add_trusted(m, keys);
}

/* What makes two sources have the same keys. */
static char *set_of(const struct debian_source *s)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, s->key ? s->key : "");
	for (size_t i = 0; i < s->signed_by.count; i++)
		buf_addf(&b, "%s\n", s->signed_by.items[i]);
	return buf_steal(&b);
}

static int no_keys(const struct debian_source *s, struct err *e)
{
	cleanup_free char *place = debian_fetch_place(s->uri);
	struct buf names = BUF_INIT;

	for (size_t i = 0; i < s->signed_by.count; i++)
		buf_addf(&names, "%s%s", i ? " " : "", text_safe(s->signed_by.items[i]));
	err_set(e, ERR_NOT_FOUND, "the image has no keys for %s from %s%s%s%s", text_safe(s->suite), text_safe(place),
		names.len ? " (" : "", names.data, names.len ? ")" : "");
	buf_release(&names);
	return err_hint(e, "an image has them in the file that signed-by names, or in /etc/apt/trusted.gpg.d");
}

/* The file with the keys of a source, made when it is the first that has these. Points into m. */
static const char *keyring_of(struct image *m, const struct debian_source *s, struct err *e)
{
	cleanup_free char *set = set_of(s), *path = NULL;
	cleanup_buf struct buf keys = BUF_INIT;

	for (size_t i = 0; i < m->sets.count; i++)
		if (strcmp(m->sets.items[i], set) == 0)
			return m->files.items[i];
	if (m->sets.count == SETS_MAX) {
		err_set(e, ERR_UNSUPPORTED, "the image's sources have more than %d sets of keys", SETS_MAX);
		return NULL;
	}
	collect_keys(m, s, &keys);
	if (keys.len == 0) {
		no_keys(s, e);
		return NULL;
	}
	path = mem_printf("%s/keys-%zu.gpg", m->directory, m->sets.count);
	if (file_replace(AT_FDCWD, path, keys.data, keys.len, 0600, FILE_FAST, e) < 0)
		return NULL;
	strlist_add(&m->sets, set);
	strlist_add(&m->files, path);
	return m->files.items[m->files.count - 1];
}

/* ---- suites ---- */

static void leave_out(struct image *m, const struct debian_source *s, const char *why)
{
	const char *login = strchr(s->uri, '@'); /* which is not repeated */

	strlist_addf(&m->out->warnings, "the image's source %s %s%s is left out: %s", text_safe(login ? login + 1 : s->uri),
		     text_safe(s->suite), s->flat ? "/" : "", why);
}

/* Debian's own may come from elsewhere. malloc'ed. */
static char *address_of(const struct image *m, const struct debian_source *s)
{
	const struct user_debian *d = &m->user->debian;

	if (debian_mirror_rank(s, NULL) == 0)
		return mem_strdup(s->uri);
	if (debian_mirror_is_security(s->suite))
		return d->security ? mem_strdup(d->security) : d->mirror ? mem_printf("%s-security", d->mirror) : mem_strdup(s->uri);
	return mem_strdup(d->mirror ? d->mirror : s->uri);
}

/* Why a source can't be used, or NULL. apt would take what some of these have without a good signature; nothing here does. */
static const char *reason_against(const struct debian_source *s, const char *address)
{
	if (!debian_fetch_knows(address) && strchr(address, '@'))
		return "its address has a login in it, which belongs into /etc/apt/auth.conf.d of this machine";
	if (!debian_fetch_knows(address))
		return "addresses of that kind are not supported";
	if (text_starts(s->uri, "file:") && strcmp(address, s->uri) == 0)
		return "it is a directory of the image";
	if (s->trust == DEBIAN_SOURCE_NEVER)
		return "it says trusted=no";
	/* Where it names keys too, they decide. */
	if (s->trust == DEBIAN_SOURCE_UNSIGNED && !s->key && s->signed_by.count == 0)
		return "it says trusted=yes or allow-insecure=yes, and without a signature nothing is taken (signed-by= names the keys)";
	return NULL;
}

/* ".", "./" and "/" are the address itself. */
static const char *flat_directory(const char *suite)
{
	if (text_starts(suite, "./"))
		suite += 2;
	while (*suite == '/')
		suite++;
	return *suite ? suite : ".";
}

static void take_over(const struct debian_source *s, struct debian_suite *suite)
{
	suite->foreign = debian_mirror_rank(s, NULL) == 0;
	suite->any_age = s->any_age;
	if (!suite->site && strcmp(suite->uri, s->uri) != 0)
		suite->site = debian_fetch_site(s->uri);
	for (size_t i = 0; i < s->signed_by.count; i++)
		if (s->signed_by.items[i][0] != '/' && !strlist_has(&suite->fingerprints, s->signed_by.items[i]))
			strlist_add(&suite->fingerprints, s->signed_by.items[i]);
	if (suite->architectures.count == 0)
		for (size_t i = 0; i < s->architectures.count; i++)
			strlist_add(&suite->architectures, s->architectures.items[i]);
}

static int add_source(struct image *m, const struct debian_source *s, struct err *e)
{
	cleanup_free char *address = address_of(m, s);
	const char *keyring = debian_mirror_rank(s, NULL) > 0 ? m->user->debian.keyring : NULL;
	const char *reason = reason_against(s, address);

	if (reason) {
		leave_out(m, s, reason);
		return 0;
	}
	if (!keyring)
		keyring = keyring_of(m, s, e);
	if (!keyring)
		return -1;
	take_over(s, s->flat ? debian_archive_add_flat(m->out, address, flat_directory(s->suite), keyring) :
			       debian_archive_add(m->out, address, s->suite, keyring, &s->components));
	return 0;
}

static int add_all(struct image *m, const struct debian_sources *all, struct err *e)
{
	for (size_t i = 0; i < all->count; i++)
		if (add_source(m, &all->items[i], e) < 0)
			return -1;
	if (m->out->count > 0)
		return 0;
	err_set(e, ERR_NOT_FOUND, "the image's apt has no sources that packages could come from");
	return err_hint(e, "it has them in /etc/apt/sources.list or /etc/apt/sources.list.d; take an image that has, or [base] debian");
}

int debian_archive_of_root(const struct user_config *user, const struct debian_root *root, const char *directory,
			   struct debian_archive *out, struct err *e)
{
	struct debian_archive a = { 0 };
	struct image m = { .root = root, .user = user, .directory = directory, .out = &a };
	struct debian_sources all = { 0 };
	int result = check_family(root, e);

	if (result == 0)
		result = file_mkdirs(AT_FDCWD, directory, 0700, e);
	if (result == 0)
		result = debian_root_sources(root, &all, e);
	if (result == 0)
		result = add_all(&m, &all, e);
	if (result == 0)
		result = debian_root_preferences(root, &a.preferences, &a.warnings, e);
	debian_sources_release(&all);
	strlist_release(&m.sets);
	strlist_release(&m.files);
	if (result == 0)
		*out = a;
	else
		debian_archive_release(&a);
	return result;
}
