/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_pool.h - locked packages, from wherever they still are into the store, checked against the lock alone.
 *
 * Superseded versions vanish from mirrors, so a package is looked for in turn: the store (debs/<sha256>), vendor
 * directories, the mirrors of the archive, the dated snapshot service of the user's configuration.
 */
#ifndef DEVENV_SOURCE_DEBIAN_POOL_H
#define DEVENV_SOURCE_DEBIAN_POOL_H

#include "config/lock.h"
#include "source/debian_archive.h"
#include "store/store.h"

struct debian_pool {
	struct debian_context *context;
	struct store *store;
	const struct debian_archive *archive; /* NULL when it can't be known: then only the rest is asked */
	const struct strlist *vendors; /* directories with .deb files named by pool name or sha256; may be NULL */
};

/*
 * Make sure that the store has all of these, with 8 transfers at once; whole files only, published by rename. The error of one
 * that is nowhere names the package, every place that was asked and `devenv update NAME`.
 * progress(what = "packages") counts bytes of all together.
 */
int debian_pool_fetch(struct debian_pool *p, const struct lock_package *const *packages, size_t count, struct err *e);

/* Open one that is there. */
int debian_pool_open(const struct store *s, const char *sha256, struct err *e);
/* The hash says which file; that it is what the entry calls it, which is what a reader of the lock sees, its control data has to say.
 * ERR_INTEGRITY. */
int debian_pool_check(const struct lock_package *p, struct debian_text control, struct err *e);
/* Append the control data of one that is there, and an empty line: a paragraph of an index. */
int debian_pool_stanza(const struct store *s, const struct lock_package *p, struct buf *out, struct err *e);

#endif
