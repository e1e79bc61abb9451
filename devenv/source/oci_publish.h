/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_publish.h - gives unpacked layers their names while the next ones are unpacked: to bring a layer to the disk takes
 * longer than to unpack it, and is another part's work.
 */
#ifndef DEVENV_SOURCE_OCI_PUBLISH_H
#define DEVENV_SOURCE_OCI_PUBLISH_H

#include "base/err.h"
#include "store/store.h"

struct oci_publish;

/* NULL: no thread can be had. */
struct oci_publish *oci_publish_start(struct store *s, struct err *e);
/* The next layer, complete in its stage. Takes stage and lock, whatever becomes of it. -1: one before it could not be
 * published, and neither will this one. */
int oci_publish_give(struct oci_publish *p, struct store_stage *stage, int lock_fd, const char *chain_id, struct err *e);
/* Wait until all that were given have their names, and free it. -1: some have not, and none that was given after them. */
int oci_publish_end(struct oci_publish *p, struct err *e);

#endif
