/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h - which packages answer a configuration on one platform: from the archive's indexes, the lock and, for packages on
 * an image, what that image has. Changes nothing but what it returns; env/packages.c puts it into the lock.
 */
#ifndef DEVENV_ENV_RESOLVE_H
#define DEVENV_ENV_RESOLVE_H

#include "env/env.h"
#include "source/debian_archive.h"

struct resolved { /* packages of one architecture, as the lock has them */
	struct lock_package *items;
	size_t count, cap;
};
void resolved_release(struct resolved *r);
struct lock_package *resolved_find(const struct resolved *r, const char *name);
/* Takes the contents; an entry of that name is replaced. */
void resolved_put(struct resolved *r, struct lock_package *entry);
/* Copies of what a lock has for an architecture. `base_only`: of the base, and without the requests that they answer. */
void resolved_add_locked(struct resolved *r, const struct lock *l, const char *arch, bool base_only);

struct resolve {
	struct environment *env;
	const struct env_options *options;
	const struct strlist *apt;	 /* the words that resolve_packages answers, and where they are written */
	const char *apt_file;
	unsigned int apt_line;
	const char *arch;		 /* Debian's name */
	const struct debian_archive *archive;
	const struct debian_indexes *indexes;
	const struct debian_text *installed; /* dpkg's status of the image below; NULL: the base is of packages itself */
	const struct store *store;	 /* where control data of packages that left the archive is looked for; NULL: nowhere */
	const struct resolved *locked;	 /* what the lock has: kept where it can be */
	const struct resolved *below;	 /* packages that another lock has below these: there already. NULL: none */
	const struct strlist *moving;	 /* names of packages that may move: no pins for these, and only what the archive has of them now */
	bool all_moving;
	const struct resolved *forced;	 /* versions that the base has to have for what stands on it, whatever may move. NULL: none */
	struct strlist *unknown;	 /* receives the words that resolve_packages finds to be no packages; may be NULL */
};

/* May a package be another version than the locked one? */
bool resolve_may_move(const struct resolve *r, const char *name);

/* The packages of [base] debian. Entries have in_base. */
int resolve_base(const struct resolve *r, struct resolved *base, struct err *e);
/*
 * The packages of [packages] apt on top of `base` (or of the installed ones and those `below`), with `request` set; *present
 * receives what of them was there. Of what lies below a package may be in the result in a later version, which goes over it.
 * A package of the base that has to be another version for them is told in `again`, and nothing else is of use
 * then: the base has to be made with that version first.
 */
int resolve_packages(const struct resolve *r, struct resolved *base, struct resolved *packages, struct strlist *present,
		     struct resolved *again, struct err *e);

#endif
