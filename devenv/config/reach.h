/* SPDX-License-Identifier: Apache-2.0 */
/* reach.h - [sandbox]: how much of the machine an environment may use, and what of it reaches in. Internal to config/. */
#ifndef DEVENV_CONFIG_REACH_H
#define DEVENV_CONFIG_REACH_H

#include "config/config.h"
#include "config/ini.h"

#define REACH_MEMORY_MIN (16ULL << 20) /* bytes; below, not even a shell and its launcher fit */
#define REACH_CPUS_MIN 10	       /* thousandths: the least that the kernel takes for a period of 100 ms */
#define REACH_CPUS_MAX (8192 * 1000)
#define REACH_PIDS_MIN 8
#define REACH_PIDS_MAX (1U << 22) /* PID_MAX_LIMIT of the kernel */

int reach_set_memory(struct config *c, const struct ini_entry *entry, struct err *e);
int reach_set_cpus(struct config *c, const struct ini_entry *entry, struct err *e);
int reach_set_pids(struct config *c, const struct ini_entry *entry, struct err *e);
int reach_set_devices(struct config *c, const struct ini_entry *entry, struct err *e);
/* nested, perf and ssh-agent */
int reach_set_power(struct config *c, const struct ini_entry *entry, struct err *e);

#endif
