/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_mirror.c - which of apt's sources are Debian's own, and not somebody's packages for Debian.
 *
 * A mirror can have any address, and others name their suites after Debian's releases too ("bookworm main"). What decides in
 * the end is the signature; here it is about whom to ask.
 */
#include "source/debian_archive_internal.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

static const char *const codenames[] = { "wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "duke", "sid",
					 NULL };
static const char *const aliases[] = { "stable", "oldstable", "oldoldstable", "testing", "unstable", "experimental", NULL };

static bool is_one_of(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

char *debian_mirror_codename(const char *suite)
{
	return mem_strndup(suite, strcspn(suite, "-/"));
}

bool debian_mirror_is_alias(const char *suite)
{
	cleanup_free char *name = debian_mirror_codename(suite);

	return is_one_of(aliases, name);
}

bool debian_mirror_is_security(const char *suite)
{
	return text_ends(suite, "-security") || text_ends(suite, "/updates");
}

static bool is_signed_by_debian(const struct strlist *signed_by)
{
	for (size_t i = 0; i < signed_by->count; i++)
		if (text_starts(path_base(signed_by->items[i]), "debian-archive"))
			return true;
	return false;
}

int debian_mirror_rank(const struct debian_source *s, const char *codename)
{
	cleanup_free char *name = debian_mirror_codename(s->suite);
	bool wanted = codename && strcmp(name, codename) == 0;
	bool known = wanted || is_one_of(codenames, name) || is_one_of(aliases, name);
	bool has_keyring = s->signed_by.count > 0 && s->signed_by.items[0][0] == '/';
	int rank = 1;

	if (!known || s->flat || s->key || !strlist_has(&s->components, "main"))
		return 0;
	if (has_keyring && !is_signed_by_debian(&s->signed_by))
		return 0;
	if (has_keyring)
		rank += 4;
	if (text_starts(path_base(s->uri), "debian"))
		rank += 2;
	return rank + wanted;
}

const char *debian_mirror_nearest(const char *codename)
{
	return text_nearest(codename, codenames);
}
