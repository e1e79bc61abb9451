/* SPDX-License-Identifier: Apache-2.0 */
/* changed.h - is what runs in an environment still what ran in it last time? (security rule 20) */
#ifndef DEVENV_ENV_CHANGED_H
#define DEVENV_ENV_CHANGED_H

#include "env/env.h"

struct changed {
	bool known; /* there was a plan */
	char *image, *hooks, *setup;
};

/* Before a plan is replaced: what it says. */
void changed_look(const struct environment *env, struct changed *c);
/* After: one line when image, hooks or setup are others now. Nothing is asked: powers are another matter. */
void changed_say(const struct environment *env, const struct changed *before, const struct env_ui *ui);
void changed_release(struct changed *c);

#endif
