/* SPDX-License-Identifier: Apache-2.0 */
/* trust.h - where the trust record of a project is. The rest of trust.c is in env.h. */
#ifndef DEVENV_ENV_TRUST_H
#define DEVENV_ENV_TRUST_H

#include "env/env.h"

/* malloc'ed absolute path. */
char *trust_path(const struct environment *env);
/* Where it was before the project became part of a git repository; often the same. malloc'ed. */
char *trust_path_of_project(const struct environment *env);
/* Is everything the config asks for granted at this moment? ERR_NOT_ALLOWED if not; asks nobody. */
int trust_check(const struct environment *env, struct err *e);

#endif
