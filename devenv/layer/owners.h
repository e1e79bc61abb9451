/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owners.h - the record beside a layer's tree of what one uid's files can't say: owners, special bits, device nodes. It says what the
 * layer's archive says; for layers that dpkg wrote here see env/packages_owners.h. A layer of [build] has none: all is root's.
 *
 * Text. The first line is "devenv-owners 1". Then a line per fact, fields separated by one space, the path last:
 *
 *   e MODE UID GID PATH            an entry that is not 0:0, or has setuid, setgid or sticky bits; MODE is the full mode
 *   i PATH                         not in the archive: a parent made on the way. Owner and mode are the lower layer's
 *   c|b MODE UID GID MAJ:MIN PATH  a device node, left out of the tree
 *   p|s MODE UID GID PATH          a fifo, a socket, left out of the tree
 *   h PATH TAB TARGET              a hard link to something left out
 *   x HEX PATH                     the file's security.capability, left out of its attributes
 *   - PATH                         a later entry of the archive took the place of PATH: what was said so far about it
 *                                  and about what is below it is void
 *
 * MODE is octal without the file type, UID and GID decimal. A path is relative to the tree, "." is the tree itself;
 * bytes below 0x21, 0x7f and the backslash are written \ooo. What has no line is owned by 0:0 with the mode it has on
 * disk. When two lines of a kind name one path, the later holds.
 */
#ifndef DEVENV_LAYER_OWNERS_H
#define DEVENV_LAYER_OWNERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct owners_record {
	char kind; /* 'e' 'i' 'c' 'b' 'p' 's' 'h'; 0: only a capability is known */
	unsigned int mode;
	uint64_t uid, gid;
	uint32_t major, minor;
	char *path;       /* relative; "." is the root */
	char *target;     /* of 'h'; NULL otherwise */
	char *capability; /* hex digits, or NULL */
};

/* Writing. Errors show at owners_writer_end. */
struct owners_writer {
	int fd;
	struct buf buf;
	struct err failure;
};
void owners_writer_begin(struct owners_writer *w, int fd);
void owners_write(struct owners_writer *w, const struct owners_record *r); /* kind set; capability ignored */
void owners_write_capability(struct owners_writer *w, const char *path, const void *value, size_t len);
void owners_write_forget(struct owners_writer *w, const char *path);
/* Write out what is buffered and free it; with `e` NULL only the latter. */
int owners_writer_end(struct owners_writer *w, struct err *e);

/* Reading: the facts that hold, one record per path, sorted by path (a directory before what is in it). */
struct owners {
	struct owners_record *records;
	size_t count;
};
/* ERR_INTEGRITY: not such a file. */
int owners_load(struct owners *o, int fd, struct err *e);
/* NULL: nothing is recorded about that path. */
const struct owners_record *owners_find(const struct owners *o, const char *path);
void owners_release(struct owners *o);

#endif
