/* SPDX-License-Identifier: Apache-2.0 */
/* dirs.h - where things are kept, from the environment; the same answer in both programs. XDG Base Directory spec. */
#ifndef DEVENV_BASE_DIRS_H
#define DEVENV_BASE_DIRS_H

#include "base/err.h"

struct dirs {
	char *home;    /* the caller's home: $HOME, else the passwd entry */
	char *store;   /* $DEVENV_STORE, else the user config's [store] path, else $XDG_DATA_HOME/devenv */
	char *state;   /* $XDG_STATE_HOME/devenv */
	char *runtime; /* $XDG_RUNTIME_DIR/devenv, else /run/user/<uid>/devenv if that is ours and private, else state/run */
	char *cache;   /* $XDG_CACHE_HOME/devenv */
	char *config;  /* $XDG_CONFIG_HOME/devenv */
};

/* Fill all fields (absolute, clean); creates nothing. Relative XDG values are ignored, as the spec asks. Fails when
 * there is no home; ERR_CONFIG when DEVENV_STORE is relative. Does not know the user config: the core overrides `store` when that names one. */
int dirs_find(struct dirs *d, struct err *e);
void dirs_release(struct dirs *d);

/*
 * Names of what is kept per checkout and per image used without a project:
 *   <state>/checkouts/<base name, cut to DIRS_BASE_MAX bytes>-<16 hex of text_hash(project path)>   and   <state>/images/<16 hex of text_hash(ref)>
 * malloc'ed absolute path. Below it: plan, home/, hooks and logs. A plan repeats the project path, so that a collision
 * shows.
 */
#define DIRS_BASE_MAX 60
char *dirs_checkout(const struct dirs *d, const char *project);
char *dirs_image(const struct dirs *d, const char *reference);

/* For messages, as they can be typed: the user's configuration, and a place in the cache; ~ is the home. In static buffers of
 * each thread, one for each of the two. */
const char *dirs_shown_config(void);
const char *dirs_shown_cache(const char *below);

/* Make sure `path` exists as a directory of ours with mode 0700 (parents too). ERR_STORE when it is someone else's. */
int dirs_private(const char *path, struct err *e);

#endif
