/* SPDX-License-Identifier: Apache-2.0 */
/* scratch.h - where a running environment writes: overlay upper layer and /tmp. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_SCRATCH_H
#define DEVENV_SANDBOX_SCRATCH_H

#include <stdbool.h>

#include "base/err.h"
#include "plan/plan.h"

struct scratch {
	char *path;    /* of the slot: <state>/scratch/<N> */
	int lock_fd;   /* the slot of this holder, flocked: says that it is alive */
	int dir_fd;    /* its tmp/ */
	int layer_fd;  /* what holds upper and work, where that is a tmpfs over the slot; else -1 */
	int tmp_fd;    /* a detached mount of tmp/, to become /tmp */
	int persist_fd; /* <state>/persist, flocked; -1 without `persist = yes` */
	bool on_disk;  /* upper, work and root are in it too */
};
#define SCRATCH_INIT ((struct scratch){ .lock_fd = -1, .dir_fd = -1, .layer_fd = -1, .tmp_fd = -1, .persist_fd = -1 })

/*
 * Make the scratch of a new holder and change into the directory that holds `upper`, `work` and `root`, empty
 * directories for the overlay and its mount point. In a mount namespace of our own.
 */
int scratch_make(struct scratch *s, const struct plan *p, struct err *e);
/* When the sandbox could not be made: take the tmpfs off again, so that the directory can go. */
void scratch_unmount(struct scratch *s);
/* No process of the sandbox is left: the next holder may have the persistent layer. */
void scratch_let_go(struct scratch *s);
/* Leave it empty. Needs no capability. */
void scratch_drop(struct scratch *s);

#endif
