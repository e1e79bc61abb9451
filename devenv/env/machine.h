/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine.h - what this machine can do, tried once and remembered in <state>/machine.
 *
 * Only what worked is believed from then on, and only under the same kernel and devenv: what failed is tried again whenever
 * somebody asks, because a sysctl or a module may have mended it since. `devenv doctor` tries everything again.
 */
#ifndef DEVENV_ENV_MACHINE_H
#define DEVENV_ENV_MACHINE_H

#include <stdbool.h>

#include "base/dirs.h"
#include "env/probe.h"

enum machine_feature {
	MACHINE_USER_NAMESPACES,
	MACHINE_OVERLAY,
	MACHINE_TMPFS_XATTR,
	MACHINE_PROC,
	MACHINE_DEVPTS,
	MACHINE_SYSTEM_CALLS,
	MACHINE_SECCOMP,
	MACHINE_FEATURES
};
struct machine {
	struct machine_answer {
		enum probe_result result;
		struct probe why; /* of PROBE_NO */
	} features[MACHINE_FEATURES];
};

/* Try everything, and record it. That it can't be recorded is no error: it is tried again next time. */
void machine_look(struct machine *m, const struct dirs *d);
/* What is recorded, or else tried now. What can't be found out counts as there. */
bool machine_has(const struct dirs *d, enum machine_feature f);
/* Where it is recorded. malloc'ed. */
char *machine_path(const struct dirs *d);
const char *machine_feature_name(enum machine_feature f);

#endif
