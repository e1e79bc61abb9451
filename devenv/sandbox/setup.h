/* SPDX-License-Identifier: Apache-2.0 */
/* setup.h - the setup of a checkout: once, before the first command that needs it. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_SETUP_H
#define DEVENV_SANDBOX_SETUP_H

#include "base/err.h"
#include "plan/plan.h"
#include "sandbox/sandbox.h"
#include "sandbox/spawn.h"

struct setup {
	int state_fd; /* <state>, kept because its path is out of reach inside; -1: nothing to be done */
	int lock_fd;  /* <state>/setup.lock, flocked while the script runs */
};
#define SETUP_INIT ((struct setup){ .state_fd = -1, .lock_fd = -1 })

/* Outside: has it to run? If so this waits for another session that is at it, and looks again. */
int setup_begin(struct setup *t, const struct plan *p, const struct session *s, struct err *e);
/* Inside: run it if it has to, in the project, and remember that it succeeded. -1: it failed. */
int setup_run(const struct setup *t, const struct plan *p, const struct session *s, const struct spawn *model,
	      struct err *e);
void setup_end(struct setup *t);

#endif
