/* SPDX-License-Identifier: Apache-2.0 */
/* holder.h - finding or making the holder of an environment. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_HOLDER_H
#define DEVENV_SANDBOX_HOLDER_H

#include <stdbool.h>

#include "base/dirs.h"
#include "base/err.h"
#include "plan/plan.h"

struct holder {
	int session_fd; /* keeps this session counted; the session lasts as long as it is open */
	int door_fd;	/* locked while `created` and the door is not opened yet */
	int pidfd;	/* of pid 1 inside */
	bool created;	/* by this call: the door is still closed, see holder_open_door */
};

struct holder_request {
	const struct plan *plan;
	const struct dirs *dirs;
	char **process_argv; /* see struct session */
	int lock_fd; /* the lock file, where its name leads nowhere (plan/demote.h); -1: by its name */
};
/* Join the running holder of the plan, or make one. Fills *h; on failure nothing is left behind. */
int holder_acquire(const struct holder_request *q, struct holder *h, struct err *e);
/* Let other sessions in. To be called once after holder_acquire, when what must come first (the start hook) is done. */
void holder_open_door(const struct holder *h);
/* Does no other session live in it? */
bool holder_is_last(const struct holder *h);
void holder_release(struct holder *h);

#endif
