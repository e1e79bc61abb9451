/* SPDX-License-Identifier: Apache-2.0 */
/*
 * building_inputs.h - what [build] declares of the project: found, hashed, copied.
 *
 * Names are those in /workspace, so that the same content in another checkout is the same. Of modes only the x bit counts,
 * of links their text; times, owners and the order of the list do not. A directory is all that lies in it, but for .git.
 */
#ifndef DEVENV_ENV_BUILDING_INPUTS_H
#define DEVENV_ENV_BUILDING_INPUTS_H

#include "base/digest.h"
#include "env/env.h"

/*
 * One digest over all of them; each becomes a watch of the plan. `copy_fd`: a directory that receives a copy of what was hashed,
 * byte for byte; -1: none. ERR_CONFIG with the line of the config: it does not exist, or is no file, directory or link.
 */
int building_inputs_read(struct environment *env, int copy_fd, char digest[DIGEST_MAX], struct err *e);

/* Is it a pattern (*, ?, [...])? */
bool building_inputs_is_pattern(const char *written);

#endif
