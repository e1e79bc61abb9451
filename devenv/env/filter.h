/* SPDX-License-Identifier: Apache-2.0 */
/* filter.h - the seccomp program of security.md rule 2, compiled once into the plan. Only file pair that knows <seccomp.h>. */
#ifndef DEVENV_ENV_FILTER_H
#define DEVENV_ENV_FILTER_H

#include <stdbool.h>

#include "base/buf.h"

struct filter_options {
	bool nested; /* namespaces may be made and filled: what is mounted in ours stays locked for those in another one */
	bool perf;   /* perf_event_open reaches the kernel, which has kernel.perf_event_paranoid */
	/*
	 * For sessions of uid 0 where that is the only id there is: whoever gives a file to another owner is told that it
	 * is done, because the kernel could only refuse and package managers take no refusal. Calls by which a process
	 * changes its own ids are not answered so: gosu and su would believe that they had stepped down.
	 */
	bool root;
	/* For maintainer scripts, which step down to users that have no id here: they are told that they did. With `root`. */
	bool set_ids;
	/* For steps, whose result is made durable as a whole when it gets its name: until then a power failure leaves nothing of it,
	 * and dpkg alone would wait for the disk several times a package. */
	bool unsynced;
};

/* Append the program as an array of struct sock_filter for this machine's architecture. Deterministic. */
void filter_compile(const struct filter_options *options, struct buf *out);

#endif
