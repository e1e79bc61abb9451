/* SPDX-License-Identifier: Apache-2.0 */
/* variables.h - an environment block under construction: one value per name, the last one set wins. */
#ifndef DEVENV_ENV_VARIABLES_H
#define DEVENV_ENV_VARIABLES_H

#include "base/buf.h"

struct variables {
	struct strlist items; /* NAME=value, in the order the names first came */
};

void variables_set(struct variables *v, const char *name, const char *value);
void variables_put(struct variables *v, const char *assignment); /* "NAME=value"; without '=' it is ignored */
const char *variables_get(const struct variables *v, const char *name); /* NULL: not set */
void variables_release(struct variables *v);

#endif
