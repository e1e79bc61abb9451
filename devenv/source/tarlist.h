/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tarlist.h - where the regular files and links of an uncompressed tar lie, found by reading its headers and
 * seeking over the contents. ustar, GNU (long names, base-256 sizes) and pax (path, linkpath, size). For
 * finding blobs in archives of images; whatever is unpacked into a tree goes through layer/ instead.
 */
#ifndef DEVENV_SOURCE_TARLIST_H
#define DEVENV_SOURCE_TARLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tarlist_entry {
	char *name;      /* clean, relative: "blobs/sha256/..." */
	char *link;      /* of a link: the clean name it leads to; NULL: a regular file */
	uint64_t offset; /* of the content in the file */
	uint64_t size;
};

struct tarlist {
	struct tarlist_entry *entries;
	size_t count, cap;
	bool partial; /* left at 64 Ki entries or at something no archive of an image has (sparse files) */
};

/* ERR_INTEGRITY: no tar, or cut short. `name` is for messages. */
int tarlist_read(int fd, const char *name, struct tarlist *out, struct err *e);
/* The regular file of that name, links followed; NULL: none. With two of one name the later one counts. */
const struct tarlist_entry *tarlist_find(const struct tarlist *l, const char *name);
void tarlist_release(struct tarlist *l);

#endif
