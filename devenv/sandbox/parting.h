/* SPDX-License-Identifier: Apache-2.0 */
/* parting.h - what a session says when it is over. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_PARTING_H
#define DEVENV_SANDBOX_PARTING_H

#include "plan/guard.h"
#include "sandbox/holder.h"
#include "sandbox/sandbox.h"

/* Of an interactive session: what is discarded when it was the last one, and whether the next will be in another environment.
 * scratch_fd: the scratch layer, or -1; project_fd: of an untrusted session, the project as it is outside. */
void parting_words(const struct plan *p, const struct session *s, const struct holder *h, int scratch_fd, int project_fd);

/* What sessions left that acts on this machine, outside the sandbox: it matters to whoever types the next command here. */
void parting_report(const struct plan *p, const struct session *s, const struct holder *h, struct guard *g);

#endif
