/* SPDX-License-Identifier: Apache-2.0 */
/* extending.h - the files that a configuration is made of: found, read, fetched, locked, and put together. */
#ifndef DEVENV_ENV_EXTENDING_H
#define DEVENV_ENV_EXTENDING_H

#include "env/env.h"

#define EXTENDING_DEPTH_MAX 8
#define EXTENDING_FILES_MAX 64

/*
 * Read devenv.ini, whatever it extends and devenv.local.ini, and make env->config, name and places of them. Fetches
 * nothing: of git repositories only what the lock names and the cache has is read; the rest makes env->incomplete. May be
 * called again; files of the project are not read again then.
 */
int extending_read(struct environment *env, struct err *e);
void extending_release(struct environment *env);

/*
 * Fetch what is missing, after asking (env_require_allowed), until nothing is. What the lock lacks is resolved and put into
 * env->lock when `may_lock`, else left. `update`: the names of entries to resolve again (an empty list: all); NULL: none.
 * Changes are added to *changes, when not NULL. Writes no file.
 */
int extending_complete(struct environment *env, const struct env_options *o, bool may_lock,
                       const struct strlist *update, struct env_changes *changes, struct err *e);

/* Drop entries of the lock that nothing extends any more. Only when the configuration is complete. */
void extending_prune(struct environment *env, struct env_changes *changes);

#endif
