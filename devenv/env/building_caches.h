/* SPDX-License-Identifier: Apache-2.0 */
/*
 * building_caches.h - [build] cache: directories that are kept between the builds of a clone, and are no part of a layer.
 *
 *   <cache>/build/<clone>/projects            the projects that used it: a path and a zero byte each
 *   <cache>/build/<clone>/<hash>/{lock,data}  one for each directory inside
 *
 * What no project that is still there has used is nobody's any more: gc takes it.
 */
#ifndef DEVENV_ENV_BUILDING_CACHES_H
#define DEVENV_ENV_BUILDING_CACHES_H

#include "env/env.h"
#include "plan/plan.h"

struct building_caches {
	struct strlist inside; /* as it is written, sorted, each once */
	struct strlist paths, targets;
	int *locks;
	size_t count;
};

/* All of the environment's, each locked: waits, and says so, while another build has one. To be closed after a failure too. */
int building_caches_open(const struct environment *env, const struct env_ui *ui, struct building_caches *c, struct err *e);
/* mounts[0 .. count - 1]; they point into c. */
void building_caches_mount(const struct building_caches *c, struct plan_mount *mounts);
void building_caches_close(struct building_caches *c);

/* Those of projects that are gone, unless a build has them: removed, or (dry) told. */
int building_caches_gc(const struct dirs *d, bool dry_run, void (*gone)(void *data, const char *project, uint64_t bytes),
		       void *data, struct err *e);

#endif
