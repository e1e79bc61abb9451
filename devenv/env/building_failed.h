/* SPDX-License-Identifier: Apache-2.0 */
/*
 * building_failed.h - what a build that failed had made: kept as <store>/failed/<name of the checkout's state>, where `devenv
 * build --shell` finds it, until the next build of that checkout, reset, or gc. Whoever is in there has it locked.
 */
#ifndef DEVENV_ENV_BUILDING_FAILED_H
#define DEVENV_ENV_BUILDING_FAILED_H

#include "env/env.h"

/* Keep the stage of a build of the image `below` and of inputs with this digest. It is nobody's then, and e, the failure, is
 * told where to look. */
void building_failed_keep(const struct environment *env, struct store *s, struct store_stage *stage, const char *below,
			  const char *inputs, struct err *e);
/* Is there one of this checkout? */
bool building_failed_exists(const struct environment *env, const struct store *s);
/* Where it would be, of the checkout with this state directory; malloc'ed. To be locked with file_lock before it is removed. */
char *building_failed_path(const char *store, const char *state);
/* Of an earlier build of this checkout. ERR_BUSY: a shell is open in it. */
int building_failed_forget(const struct environment *env, struct store *s, struct err *e);

/*
 * A shell there, with what is allowed now, which is asked for where it is not yet, and with no more than the present
 * configuration asks for. Says when that is another one. ERR_NOT_FOUND: no build of this checkout has stopped.
 */
int building_failed_shell(struct environment *env, struct store *s, const struct env_options *o, int *status, struct err *e);

/* All of them, but for where a shell is open: removed, or (dry) told. */
int building_failed_gc(const struct store *s, bool dry_run, void (*gone)(void *data, const char *project, uint64_t bytes),
		       void *data, struct err *e);

#endif
