/* SPDX-License-Identifier: Apache-2.0 */
/* init.h - pid 1 of the sandbox: from clone to its quiet end. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_INIT_H
#define DEVENV_SANDBOX_INIT_H

#include "plan/plan.h"

struct init_request {
	const struct plan *plan;
	char **process_argv;	    /* blanked here */
	int session_fd;		    /* the launcher's, closed here: it counts sessions */
	int lock_fd;		    /* the door's: closed until this process is ready or gone; its own locks go there too */
	int report_fd;		    /* one byte when ready, a struct err when not */
	int gate[2];		    /* of a plan with ranges of ids: a byte comes when they are mapped */
	uint32_t outer_uid, outer_gid; /* the caller's, asked before the clone: inside they can't be seen any more */
};
/* What pid 1 does, in the order of calls. */
_Noreturn void init_main(const struct init_request *r);

/* The two locks of pid 1 (holder.c has the scheme); the second with F_OFD_SETLK or F_OFD_SETLKW. -1 and errno. */
int holder_lock_pid1(int fd);
int holder_lock_sessions(int fd, int command, short type);

#endif
