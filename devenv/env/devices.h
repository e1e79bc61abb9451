/* SPDX-License-Identifier: Apache-2.0 */
/* devices.h - [sandbox] devices, perf and ssh-agent: what a plan says of them. */
#ifndef DEVENV_ENV_DEVICES_H
#define DEVENV_ENV_DEVICES_H

#include "base/buf.h"
#include "env/draft.h"

/* Nodes and what belongs to them into the plan. What this machine lacks is a warning of the environment, no error: the
 * plan is made anew when it appears. */
int devices_plan(struct draft *d, struct err *e);

/* ---- for those who only want to know ---- */
enum devices_state { DEVICES_READY, DEVICES_REFUSED, DEVICES_ABSENT };
/* Is the node there (a character device with this major number) and may this user open it? */
enum devices_state devices_look(const char *path, unsigned int major_number);
/* What lets this user open the node: `group` is the one that it usually belongs to. The caller frees it. */
char *devices_remedy(const char *path, const char *group);
/* Graphics processors: names of /dev/dri, with the directory before them. */
void devices_graphics(struct strlist *nodes);

#define DEVICES_MAJOR_MISC 10	 /* kvm, fuse */
#define DEVICES_MAJOR_DRM 226
#define DEVICES_MAJOR_NVIDIA 195

#endif
