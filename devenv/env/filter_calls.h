/* SPDX-License-Identifier: Apache-2.0 */
/* filter_calls.h - which system calls are allowed and which are refused. What is on neither list answers ENOSYS. */
#ifndef DEVENV_ENV_FILTER_CALLS_H
#define DEVENV_ENV_FILTER_CALLS_H

struct filter_call {
	const char *name;
	int number; /* for calls newer than libseccomp knows (the same on every architecture since Linux 5.1); else -1 */
};

/* Each ends in a NULL name. clone, unshare, socket, socketpair, ioctl, prlimit64 and personality are on neither: filter.c compares
 * their arguments. */
extern const struct filter_call filter_calls_allowed[];
extern const struct filter_call filter_calls_denied[]; /* EPERM */
/* EPERM, or allowed with `nested = yes` and `perf = yes`. With the first, clone and unshare are not compared. */
extern const struct filter_call filter_calls_namespaces[], filter_calls_perf[];
extern const struct filter_call filter_calls_owner[];  /* allowed; of root in a one-uid map: success without the kernel */
extern const struct filter_call filter_calls_ids[];    /* allowed; of maintainer scripts: success without the kernel */
extern const struct filter_call filter_calls_sync[];   /* allowed; of steps: success without the kernel */

#endif
