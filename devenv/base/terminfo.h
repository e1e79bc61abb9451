/* SPDX-License-Identifier: Apache-2.0 */
/* terminfo.h - compiled descriptions of terminals on this machine. */
#ifndef DEVENV_BASE_TERMINFO_H
#define DEVENV_BASE_TERMINFO_H

#include <stdbool.h>

#include "base/buf.h"

/* What people use and images may lack: goes into every environment, as far as this machine has it. Ends in a NULL. */
extern const char *const terminfo_usual[];

/* Is it a name that a file of descriptions can have? */
bool terminfo_is_name(const char *name);
/* One of terminfo_usual, or of those that every system with ncurses has. */
bool terminfo_is_usual(const char *name);
/* Append the description from the directory that $TERMINFO names. False: there is none. */
bool terminfo_read_own(const char *name, struct buf *out);
/* Append the description: from $TERMINFO, <home>/.terminfo, the system's directories. False: there is none. */
bool terminfo_read(const char *name, const char *home, struct buf *out);

#endif
