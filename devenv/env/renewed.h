/* SPDX-License-Identifier: Apache-2.0 */
/* renewed.h - is what runs in an environment still what ran in it last time? (security rule 20) */
#ifndef DEVENV_ENV_RENEWED_H
#define DEVENV_ENV_RENEWED_H

#include "env/env.h"

struct renewed {
	bool known; /* there was a plan */
	char *image, *hooks, *setup;
};

/* Before a plan is replaced: what it says. */
void renewed_look(const struct environment *env, struct renewed *c);
/* After: one line when image, hooks or setup are others now. Nothing is asked: powers are another matter. */
void renewed_say(const struct environment *env, const struct renewed *before, const struct env_ui *ui);
void renewed_release(struct renewed *c);

#endif
