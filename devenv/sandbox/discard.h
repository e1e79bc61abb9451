/* SPDX-License-Identifier: Apache-2.0 */
/* discard.h - what goes away with the last session, said in a line. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_DISCARD_H
#define DEVENV_SANDBOX_DISCARD_H

#include "base/buf.h"

/* In the namespaces of a holder, with its capabilities: its scratch directory, found among pid 1's descriptors. -1: not. */
int discard_open_scratch(void);

/*
 * What was written to the root of an environment: one line, or nothing where nothing worth a line was. The scratch
 * directory is that of discard_open_scratch.
 */
void discard_describe_root(int scratch_fd, struct buf *out);
/* What an untrusted session would have changed in the project (open at `project_fd`): a line, and one for each change. */
void discard_describe_project(int scratch_fd, int project_fd, struct buf *out);

#endif
