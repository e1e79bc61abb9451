/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skeleton.h - the generated top of a root: every mount target as a real directory or file, and the few files that
 * devenv writes itself. Being topmost it beats whatever an image planted at those places (security rule 1).
 *
 * It is two layers of the store: what every checkout with the same image and settings has, and below it what is this
 * checkout's own, its name and its places. So a second checkout costs the few kilobytes of the second.
 */
#ifndef DEVENV_ENV_SKELETON_H
#define DEVENV_ENV_SKELETON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "env/root.h"
#include "store/store.h"

#define SKELETON_DIR "skeletons" /* below the store */

enum skeleton_kind { SKELETON_DIRECTORY, SKELETON_FILE, SKELETON_LINK };
struct skeleton_item {
	enum skeleton_kind kind;
	char *path; /* absolute, clean */
	mode_t mode;
	bool covered; /* a directory that is always mounted over: what the image has there need not be looked up */
	bool own;     /* says something of the checkout */
	bool implied; /* a directory that is there because something lies in it */
	char *data; /* content of a file, target of a link */
	size_t len;
};
struct skeleton {
	const struct root *below; /* where modes of directories come from */
	struct skeleton_item *items; /* parents before children */
	size_t count, cap;
};

#define SKELETON_MODE_BELOW ((mode_t)-1) /* a directory's mode: the image's where it has one, else 0755 */

/*
 * Add one thing; missing parents are added as directories with SKELETON_MODE_BELOW. What is there already stays, except that
 * ERR_CONFIG is said when a path is wanted both as a directory and as something else.
 */
int skeleton_add_directory(struct skeleton *k, const char *path, mode_t mode, struct err *e);
/* Something will always be mounted on this directory, which is there. */
void skeleton_cover(struct skeleton *k, const char *path);
/* What is there at this path says something of the checkout: its name, or where it lies. */
void skeleton_own(struct skeleton *k, const char *path);
int skeleton_add_file(struct skeleton *k, const char *path, const char *text, struct err *e); /* mode 0644 */
/* The same from bytes, with a mode. */
int skeleton_add_data(struct skeleton *k, const char *path, const void *data, size_t len, mode_t mode, struct err *e);
int skeleton_add_link(struct skeleton *k, const char *path, const char *target, struct err *e);

/* One of the two layers of it, to be released: what is own, or what is not. */
void skeleton_part(const struct skeleton *k, bool own, struct skeleton *part);

/* Hex sha256 over all of it; the same things in another order give the same name. malloc'ed. */
char *skeleton_name(struct skeleton *k);
/* Make it in the store, at <store>/skeletons/<name>/fs, unless it is there. *path: absolute, malloc'ed. */
int skeleton_make(struct skeleton *k, struct store *s, char **path, struct err *e);
/* The same at `dirfd`/SKELETON_STAGED, for one use: nothing of it is shared or made durable. */
#define SKELETON_STAGED "skeleton/fs"
int skeleton_make_in(struct skeleton *k, const struct store *s, int dirfd, struct err *e);
void skeleton_release(struct skeleton *k);

#endif
