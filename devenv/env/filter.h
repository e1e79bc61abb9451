/* SPDX-License-Identifier: Apache-2.0 */
/* filter.h - the seccomp program of security.md rule 2, compiled once into the plan. Only file pair that knows <seccomp.h>. */
#ifndef DEVENV_ENV_FILTER_H
#define DEVENV_ENV_FILTER_H

#include <stdbool.h>

#include "base/buf.h"

struct filter_options {
	bool nested; /* namespaces may be made and filled: what is mounted in ours stays locked for those in another one */
	bool perf;   /* perf_event_open reaches the kernel, which has kernel.perf_event_paranoid */
};

/* Append the program as an array of struct sock_filter for this machine's architecture. Deterministic. */
void filter_compile(const struct filter_options *options, struct buf *out);

#endif
