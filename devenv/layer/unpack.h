/* SPDX-License-Identifier: Apache-2.0 */
/* unpack.h - what the parts of unpacking one layer share: entry.c, link.c and finish.c. */
#ifndef DEVENV_LAYER_UNPACK_H
#define DEVENV_LAYER_UNPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "layer/layer.h"
#include "layer/name.h"
#include "layer/owners.h"
#include "layer/tarstream.h"
#include "layer/tree.h"

struct archive_entry;

struct unpack {
	struct tree tree;
	struct owners_writer owners;
	struct tarstream *stream;
	const char *shown; /* the current entry's name as the archive has it, for messages */
	struct layer_result *out;
	uint64_t max_bytes, file_bytes; /* of all files together */
	struct name name, target;       /* scratch: too large for the stack */
};

/* Apply one entry of the archive. */
int entry_apply(struct unpack *u, struct archive_entry *entry, struct err *e);
/* Count `size` more bytes of files against the limit. */
int entry_count_bytes(struct unpack *u, uint64_t size, struct err *e);
/* Take away what this layer put at `name` before, in the tree and in the record. */
int entry_make_room(struct unpack *u, struct node *dir, const char *name, struct err *e);
/* Record an entry's owner and mode, if they are worth a line. `kind` as in owners.h. */
void entry_record(struct unpack *u, const struct node *dir, const char *name, struct archive_entry *entry,
                  char kind);

/* A hard link at `dir`/`name` to `target`, which is this layer's or a lower layer's. */
int link_apply(struct unpack *u, struct node *dir, const char *name, const char *target,
               struct archive_entry *entry, struct err *e);

/* After the last entry: whiteouts, opaque directories, and the modes and times of directories. */
int finish_tree(struct unpack *u, struct err *e);

#endif
