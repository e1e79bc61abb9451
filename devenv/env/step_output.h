/* SPDX-License-Identifier: Apache-2.0 */
/* step_output.h - what a step says, line by line: handed on, and the last lines kept for the message of a failure. */
#ifndef DEVENV_ENV_STEP_OUTPUT_H
#define DEVENV_ENV_STEP_OUTPUT_H

#include "base/buf.h"
#include "env/step.h"

#define STEP_SCRIPT "/.devenv-step" /* the script, in the generated layer: gone with it */

struct step_output {
	const struct step *step;
	struct buf line;
	struct strlist last; /* a ring, escaped */
	size_t next;
	bool no_space, no_quota; /* a program said that its disk is full, or its share of it */
};

/* Bytes as they come, and the end of them. */
void step_output_take(struct step_output *o, const char *data, size_t len);
void step_output_end(struct step_output *o);
/* Append as many of the last lines as the message holds. Who was shown all of them has them just above. */
void step_output_explain(const struct step_output *o, struct err *e);
void step_output_release(struct step_output *o);

#endif
