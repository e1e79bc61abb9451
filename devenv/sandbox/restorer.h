/* SPDX-License-Identifier: Apache-2.0 */
/* restorer.h - who sets the caller's terminal right when this process is killed. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_RESTORER_H
#define DEVENV_SANDBOX_RESTORER_H

#include <sys/types.h>
#include <termios.h>

struct restorer {
	int fd; /* -1: there is none */
	pid_t pid;
};
#define RESTORER_NONE ((struct restorer){ .fd = -1, .pid = -1 })

/* For the terminal of descriptor 0. Before any namespace is joined: what is forked later lives inside. */
void restorer_start(struct restorer *t);
/* The terminal was `original` and is `now`; NULL, NULL: it is as it was. */
void restorer_note(const struct restorer *t, const struct termios *original, const struct termios *now);
/* Sends a signal to the whole process group that we were started in, with the rights that we had then. */
void restorer_signal_job(const struct restorer *t, int number);
void restorer_end(struct restorer *t);

#endif
