/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cdi.h - the files by which a driver says what a container needs for its devices (Container Device Interface).
 *
 * They lie in /etc/cdi and /var/run/cdi and belong to the machine, not to a project. JSON is read; of YAML it is said
 * how to get JSON. Hooks, programs that would run on the host, are never run.
 */
#ifndef DEVENV_ENV_CDI_H
#define DEVENV_ENV_CDI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct cdi {
	struct cdi_node {
		char *host, *target;
	} *nodes;
	size_t node_count, node_cap;
	struct cdi_mount {
		char *host, *target;
		bool writable;
	} *mounts;
	size_t mount_count, mount_cap;
	struct strlist env;	 /* NAME=value */
	struct strlist files;	 /* that were read, and the directories, there or not: what the answer depends on */
	struct strlist warnings; /* lines for people */
};

/* All devices of the class ("gpu" of "vendor.com/gpu"): those that every file calls "all", or each of it. */
void cdi_read(struct cdi *c, const char *class);
/* The same from one text. `path` is what warnings call it. */
void cdi_parse(struct cdi *c, const char *path, const char *text, size_t len, const char *class);
void cdi_release(struct cdi *c);

#endif
