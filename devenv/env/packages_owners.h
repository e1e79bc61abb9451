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

/* What is known about a layer that was written in `stage` (its fs/) on the image `below`; packages: those that dpkg unpacked, in its
 * order, which the store has. NULL: *e says why. */
struct packages_owners *packages_owners_new(struct store *s, const struct store_stage *stage, const char *below,
					    const struct lock_package *const *packages, size_t count, struct err *e);
void packages_owners_free(struct packages_owners *o);

/* Of a path of the layer, in sorted order (a step_kept). */
void packages_owners_add(void *o, const char *path, const struct stat *st);
/* Write the record: `owners` in the stage. */
int packages_owners_end(struct packages_owners *o, struct err *e);

#endif
