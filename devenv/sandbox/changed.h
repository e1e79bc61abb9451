/* SPDX-License-Identifier: Apache-2.0 */
/* changed.h - has what the plan was made from changed while a session ran? Private to sandbox/. */
#ifndef DEVENV_SANDBOX_CHANGED_H
#define DEVENV_SANDBOX_CHANGED_H

#include "plan/plan.h"

/* Inside, after a session. The name, below the project, of a file of the project that was written meanwhile; malloc'ed,
 * NULL: none. It is not told whether its content is another one. */
char *changed_find(const struct plan *p);

#endif
