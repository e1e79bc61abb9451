/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_inside.c - apt inside an environment that was made of packages: nothing of the base says where they came from, so
 * the generated layer does. With it `devenv run --root -- apt-get install NAME` works by hand; it belongs to this machine
 * and is no part of what the environment is called by.
 */
#include "env/packages.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/draft.h"

#define SOURCES "/etc/apt/sources.list.d/devenv.sources"
#define KEYRING_MAX (1u << 20)

struct keys { /* keyrings that are there already, by their place on this machine */
	struct strlist paths;
};

/* Put the keyrings of a suite; what names them inside is added to `names`. -1: a file of this machine can't be read. */
static int put_keyrings(struct draft *d, struct keys *keys, const char *list, struct buf *names, struct err *e)
{
	cleanup_strlist struct strlist paths = STRLIST_INIT;

	strlist_split(&paths, list, "\n");
	for (size_t i = 0; i < paths.count; i++) {
		cleanup_buf struct buf data = BUF_INIT;
		cleanup_free char *target = NULL;
		size_t at = 0;

		while (at < keys->paths.count && strcmp(keys->paths.items[at], paths.items[i]) != 0)
			at++;
		target = mem_printf("/etc/apt/keyrings/devenv-%zu.%s", at, text_ends(paths.items[i], ".asc") ? "asc" : "gpg");
		buf_addf(names, " %s", target);
		if (at < keys->paths.count)
			continue;
		strlist_add(&keys->paths, paths.items[i]);
		if (file_read(AT_FDCWD, paths.items[i], KEYRING_MAX, 0, &data, NULL, e) < 0 ||
		    draft_put_file(d, target, data.data, data.len, 0644, e) < 0)
			return -1;
	}
	return 0;
}

static int add_suite(struct draft *d, struct keys *keys, const struct debian_suite *s, struct buf *text, struct err *e)
{
	cleanup_buf struct buf names = BUF_INIT;

	/* A directory of this machine is not inside. */
	if (text_starts(s->uri, "file:"))
		return 0;
	if (put_keyrings(d, keys, s->keyring, &names, e) < 0)
		return -1;
	buf_addf(text, "%sTypes: deb\nURIs: %s\nSuites: %s\nComponents:", text->len ? "\n" : "", s->uri, s->suite);
	for (size_t i = 0; i < s->components.count; i++)
		buf_addf(text, " %s", s->components.items[i]);
	buf_addf(text, "\nSigned-By:%s\n", names.data);
	/* What was let through outside is no matter inside either. */
	if (d->env->user.debian.ignore_expiry || s->any_age)
		buf_adds(text, "Check-Valid-Until: no\n");
	return 0;
}

int packages_put_sources(struct draft *d, struct err *e)
{
	const struct config *c = &d->env->config;
	cleanup_buf struct buf text = BUF_INIT;
	struct debian_archive archive;
	struct keys keys = { .paths = STRLIST_INIT };
	struct err unknown = ERR_INIT;
	int result = 0;

	if (c->base != CONFIG_BASE_DEBIAN)
		return 0;
	/* Everything may be in the store, and no mirror known: then apt knows none either. */
	if (debian_archive_of_release(&d->env->user, c->base_value, &c->components, &archive, &unknown) < 0)
		return 0;
	for (size_t i = 0; result == 0 && i < archive.count; i++)
		result = add_suite(d, &keys, &archive.suites[i], &text, e);
	debian_archive_release(&archive);
	strlist_release(&keys.paths);
	if (result < 0)
		return err_wrap(e, "the sources of apt inside");
	return text.len ? draft_put_file(d, SOURCES, text.data, text.len, 0644, e) : 0;
}
