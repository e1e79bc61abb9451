/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - starting other programs, without a shell. */
#ifndef DEVENV_BASE_PROCESS_H
#define DEVENV_BASE_PROCESS_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Run argv (argv[0] found on PATH unless it has a slash) with our stdio and wait for it. Returns the exit status as a
 * shell would say it (128+N for a signal); -1 only when it could not be started (ERR_NOT_FOUND: no such program). */
int process_run(const char *const argv[], struct err *e);
/* The same for a program that has to clear up, the core: of a signal that would end us (INT, QUIT, TERM, HUP) it is told unless
 * the terminal sent it to both, and it ends us when the program has ended. It is told by another signal than that (TERM,
 * or HUP for a TERM), because one that is sent to our process group reaches it twice, and twice the same means "at once". */
int process_run_to_end(const char *const argv[], struct err *e);
/* process_run with `input` (may be NULL: /dev/null) on its stdin and its stdout appended to `output`, at most `max`
 * bytes (more: ERR_FAILED). stderr is ours. */
int process_capture(const char *const argv[], const char *input, size_t max, struct buf *output, struct err *e);

#endif
