/* SPDX-License-Identifier: Apache-2.0 */
/* holder.h - finding or making the holder of an environment. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_HOLDER_H
#define DEVENV_SANDBOX_HOLDER_H

#include <stdbool.h>

#include "base/dirs.h"
#include "base/err.h"
#include "plan/plan.h"

struct holder {
	int lock_fd; /* keeps this session counted; the session lasts as long as it is open */
	int pidfd;   /* of pid 1 inside */
	bool created; /* by this call: the door is still closed, see holder_open_door */
};

/* Join the running holder of this plan, or make one. Fills *h; on failure nothing is left behind. process_argv: see
 * struct session. */
int holder_acquire(const struct plan *p, const struct dirs *d, char **process_argv, struct holder *h, struct err *e);
/* Let other sessions in. To be called once after holder_acquire, when what must come first (the start hook) is done. */
void holder_open_door(const struct holder *h);
void holder_release(struct holder *h);

#endif
