/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.h - what the environments of this machine use, for gc. Beside each plan lie two small files:
 *
 *   project   the project's path, a newline (absent for `run --image`)
 *   used      one line "PLAN-ID MANIFEST-DIGEST SKELETON" for the plan, and one for each older plan whose holder runs
 */
#ifndef DEVENV_ENV_LIVE_H
#define DEVENV_ENV_LIVE_H

#include "env/env.h"

/* Write both files for the plan that is about to be written. */
int live_record(const struct environment *env, const char *plan_id, const char *digest, const char *skeleton,
		struct err *e);

#endif
