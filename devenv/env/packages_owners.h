/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_owners.h - whom the files of a layer belong to that dpkg and maintainer scripts wrote: the layer's owners record.
 *
 * In the store everything is the caller's, and while the step runs calls of chown are answered without effect. So whose a file is meant
 * to be is taken from what says it: the first of these that knows the path.
 *
 *   1. dpkg-statoverride, by the names of etc/passwd and etc/group as the step leaves them
 *   2. the archives of the packages that dpkg unpacked in the step, the later before the earlier; for a directory that was there
 *      before only the layers below speak, as dpkg leaves those alone
 *   3. the records of the layers below: a file that is written again stays its owner's
 *
 * What nothing names belongs to root. Modes, setuid and its like are on the files themselves, as dpkg and the scripts set them.
 * Lost are the calls of chown that scripts make on what they made themselves (/var/lib/NAME of an account they added), and the
 * owner of a file that is diverted to another name.
 */
#ifndef DEVENV_ENV_PACKAGES_OWNERS_H
#define DEVENV_ENV_PACKAGES_OWNERS_H

#include <sys/stat.h>

#include "config/lock.h"
#include "store/store.h"

struct packages_owners;

/* Before the step: begin to read whom the archives of `packages` make owners, in a thread, for that takes a while and dpkg has one processor
 * only. packages: those that dpkg will unpack on the image `below`, in its order; they must stay, and the store has them. NULL: *e says why. */
struct packages_owners *packages_owners_begin(struct store *s, const char *below, const struct lock_package *const *packages, size_t count,
					      struct err *e);
void packages_owners_free(struct packages_owners *o); /* at any time; NULL is fine */

/* After the step, whose layer is fs/ in the stage: wait for the thread. Then the record can be written. */
int packages_owners_open(struct packages_owners *o, const struct store_stage *stage, struct err *e);
/* Of a path of the layer, in sorted order (a step_kept). */
void packages_owners_add(void *o, const char *path, const struct stat *st);
/* Write the record: `owners` in the stage. */
int packages_owners_end(struct packages_owners *o, struct err *e);

#endif
