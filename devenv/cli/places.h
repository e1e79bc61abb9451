/* SPDX-License-Identifier: Apache-2.0 */
/* places.h - every environment of this machine, as `ls` shows them and other commands name them. Private to cli/. */
#ifndef DEVENV_CLI_PLACES_H
#define DEVENV_CLI_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/dirs.h"
#include "base/err.h"

struct place {
	char *name, *project, *image, *state;
	char *plan_id; /* NULL without a plan */
	bool gone; /* the checkout is not there any more */
	bool lingers;
	pid_t pid;
	int64_t used; /* when a session of it last began or ended, as far as that is known */
};

struct places {
	struct place *items; /* by name */
	size_t count, cap;
};

void places_find(const struct dirs *d, struct places *out);
void places_release(struct places *p);
/* What lies in one state directory. */
void place_read(const struct dirs *d, const char *state, struct place *out);
void place_release(struct place *p);
/* The one that is called so: a path of a project, of a state directory, or a name. ERR_NOT_FOUND; ERR_FAILED for several. */
const struct place *places_named(const struct places *p, const char *word, struct err *e);

#endif
