/* SPDX-License-Identifier: Apache-2.0 */
/* filter.h - the seccomp program of security.md rule 2, compiled once into the plan. Only file pair that knows <seccomp.h>. */
#ifndef DEVENV_ENV_FILTER_H
#define DEVENV_ENV_FILTER_H

#include "base/buf.h"

/* Append the program as an array of struct sock_filter for this machine's architecture. Deterministic. */
void filter_compile(struct buf *out);

#endif
