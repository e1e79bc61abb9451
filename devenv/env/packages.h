/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages.h - [base] debian and [packages] against the lock: what is missing, filling it in, moving it; and the archive that
 * packages come from. The same rules as for everything in the lock: an entry answers a request, and one without a gap stays.
 *
 * The packages of devenv.local.ini, one person's own, have a lock of their own (env->local_lock) and a stage of their own, the
 * last. They are resolved on what devenv.lock makes of base and [packages], which can be told from it: not on what [build]
 * makes of that, or each change of an input of the build would ask for other packages, and for a network. What the build
 * itself installed counts when the stage is made (env/packages_own_stage.c).
 */
#ifndef DEVENV_ENV_PACKAGES_H
#define DEVENV_ENV_PACKAGES_H

#include "env/env.h"
#include "env/root.h"
#include "fetch/http.h"
#include "source/debian_archive.h"

#define PACKAGES_BASE "debian"	/* how `devenv update` calls the packages of the base */
#define PACKAGES_ALL "packages" /* and those of [packages], together */
#define PACKAGES_OWN "personal" /* and those of [packages] of devenv.local.ini */

/* Does the configuration have anything made of packages? */
bool packages_are_asked_for(const struct environment *env);
/* "debian:bookworm minimal main", as the lock writes it. malloc'ed. */
char *packages_base_request(const struct config *c);

void packages_gaps(const struct environment *env, struct env_gaps *out);
/* Of devenv.local.lock, for this machine alone. */
void packages_own_gaps(const struct environment *env, struct env_gaps *out);
/* What can be named to `devenv update`. */
void packages_names(const struct environment *env, struct strlist *names);

struct packages_update {
	bool again;			/* resolve even what has no gap: what `names` says, or all */
	const struct strlist *names;	/* of packages, PACKAGES_BASE, PACKAGES_ALL, PACKAGES_OWN; NULL or empty: everything */
	bool mend;			/* the lock was put together from two: resolve, but move nothing */
};
/* After the base of an image is locked. Entries that nothing asks for are dropped. */
int packages_lock(struct environment *env, const struct env_options *o, const struct packages_update *update,
		  struct env_changes *changes, struct err *e);

/* After everything of devenv.lock: the same with env->local_lock. Nothing of env->lock changes. */
int packages_lock_own(struct environment *env, const struct env_options *o, const struct packages_update *update,
		      struct env_changes *changes, struct err *e);

/* ---- where packages come from (env/packages_source.c) ---- */
struct packages_source {
	struct debian_context context;
	struct debian_archive archive;
	bool opened;
	struct debian_network *network;
	struct http *http;
	struct buf status;    /* of an image: dpkg's */
	char *directory;      /* of an image: its keyrings, while this is open */
	int directory_lock;
	const struct env_options *options;
};
/* The context only, for what is asked of no archive. */
void packages_source_start(struct packages_source *p, const struct environment *env, const struct env_options *o);
/* And the archive. `manifest`: of the image that packages are added to, which must be in the store; NULL: a base of packages. */
int packages_source_open(struct packages_source *p, const struct environment *env, struct store *s, const char *manifest,
			 const struct env_options *o, struct err *e);
void packages_source_close(struct packages_source *p);
/* Have these in the store; `below`: the image they are added to, or NULL. */
int packages_fetch(struct environment *env, struct store *s, const struct lock_package *const *packages, size_t count, const char *below,
		   const struct env_options *o, struct err *e);
/* dpkg's status in an image of the store. ERR_NOT_FOUND: it has none. */
int packages_read_status(const struct store *s, const char *manifest, struct buf *status, struct err *e);

/* Tell apt inside a base of packages where they come from (env/packages_inside.c). */
struct draft;
int packages_put_sources(struct draft *d, struct err *e);

#endif
