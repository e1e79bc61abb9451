/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moved.h - recognising a checkout that was moved, so that its home, volumes and grants come along.
 *
 * What is kept for a checkout is found by its path. Beside it lies a record of which directory that was: device, inode
 * and the time the inode was made. A directory with all three is the same one, whatever it is called now; an inode that
 * was freed and given to another project has another time, so that nobody inherits a stranger's home or grants. Where a
 * file system does not tell that time, nothing is recognised.
 */
#ifndef DEVENV_ENV_MOVED_H
#define DEVENV_ENV_MOVED_H

#include "env/env.h"

/* Write the record of this project. Failing is no error: a later move is then not recognised. */
void moved_record(const struct environment *env);
/* Nothing is kept for this path yet, and what is kept for a path that is gone is this directory's: take it over, and
 * say so in one line. */
void moved_take_over(const struct environment *env, const struct env_ui *ui);

#endif
