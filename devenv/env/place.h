/* SPDX-License-Identifier: Apache-2.0 */
/* place.h - paths of the host that a config names: inside the project, or outside and so a power. */
#ifndef DEVENV_ENV_PLACE_H
#define DEVENV_ENV_PLACE_H

#include "env/env.h"

/* Resolve every path of env->config into env->places. ERR_CONFIG: one that no repository can ask for. */
int place_find_all(struct environment *env, struct err *e);
void place_release_all(struct environment *env);
/* The base's place, or NULL when the base is an image of a registry. */
const struct env_place *place_base(const struct environment *env);
/* The work tree that the project is a subdirectory of, where the config asks for it; or NULL. */
const struct env_place *place_repository(const struct environment *env);
/* Open it as it was resolved: no link swapped in since then is followed. O_PATH; -1 and errno. */
int place_open(const struct environment *env, const struct env_place *place);

#endif
