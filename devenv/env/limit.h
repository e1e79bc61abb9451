/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit.h - the limits of an environment: memory, processors, processes. limit.c has the theory.
 */
#ifndef DEVENV_ENV_LIMIT_H
#define DEVENV_ENV_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/dirs.h"

enum { LIMIT_MEMORY = 1, LIMIT_CPUS = 2, LIMIT_PIDS = 4, LIMIT_ALL = 7 };

struct limit {
	const char *id;	 /* of the plan */
	uint64_t memory; /* bytes; as the next two: 0 is no limit */
	uint32_t cpus;	 /* thousandths of a processor */
	uint32_t pids;
};
/* Which of them are set. */
unsigned int limit_wanted(const struct limit *l);

struct limit_places {
	unsigned int enforced; /* by cgroups: LIMIT_* */
	char *events;	       /* file that counts what the kernel killed for want of memory; NULL: none */
	struct strlist leave;  /* "DIRECTORY\tDIRECTORY": cgroups that nobody else removes, and where their last process may go */
};
/*
 * Put a process of the caller's, and so the children it will have, under the limits. What no cgroup is to be had for is not in
 * out->enforced: processors are then limited by affinity, which this sees to.
 */
void limit_apply(const struct dirs *d, const struct limit *l, pid_t pid, struct limit_places *out);
void limit_places_release(struct limit_places *p);
/* Remove the cgroups of environments that run no more. */
void limit_sweep(const struct dirs *d);

/* Which are in force for a process? */
unsigned int limit_enforced(const struct limit *l, pid_t pid, char **events /* may be NULL */);
/* Which could be had by cgroups here? Makes nothing. *how: "cgroup" or "systemd", or why not. */
unsigned int limit_available(const char **how);

/* A sentence on each limit that is set: how it is enforced when cgroups see to those of `enforced`. */
void limit_describe(const struct limit *l, unsigned int enforced, struct strlist *lines);
/* Does RLIMIT_NPROC count the processes of one environment here? Not those of real root. */
bool limit_counts_processes(void);
/* "4G", "1.5": as a config has it. malloc'ed. */
char *limit_size(uint64_t bytes);
char *limit_cpus(uint32_t thousandths);

/* ---- limit_cgroup.c: directories below /sys/fs/cgroup ---- */
enum limit_controller { LIMIT_CONTROLLER_MEMORY, LIMIT_CONTROLLER_CPU, LIMIT_CONTROLLER_PIDS, LIMIT_CONTROLLERS };
/* Make cgroups of this process's own for all controllers that can be had, and move the process into them. */
void limit_cgroup_make(const struct limit *l, pid_t pid, struct strlist *leave);
/* The directory of a process's cgroup that has this controller; *v2: of the unified hierarchy. malloc'ed; NULL: none. */
char *limit_cgroup_of(pid_t pid, enum limit_controller controller, bool *v2);
/* Could one be made there? */
bool limit_cgroup_is_possible(enum limit_controller controller);
/* Is the limit that this file of a cgroup's directory holds at least as strict? */
bool limit_cgroup_has(const char *directory, bool v2, enum limit_controller controller, const struct limit *l);

/* ---- limit_systemd.c: a scope of a service manager ---- */
/* Put the process into the scope of this environment, made when there is none. -1: no manager, or it refused. */
int limit_systemd_scope(const struct limit *l, pid_t pid);
/* Is there a manager to be asked? */
bool limit_systemd_is_there(void);

#endif
