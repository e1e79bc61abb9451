/* SPDX-License-Identifier: Apache-2.0 */
/*
 * members.h - regular files by name, in a directory or inside an uncompressed tar, read in place.
 *
 * A tar is listed once by reading its headers and seeking over the contents (ustar, GNU and pax names and
 * sizes); links to members are followed within the list, as `docker save` uses them for repeated layers.
 */
#ifndef DEVENV_SOURCE_MEMBERS_H
#define DEVENV_SOURCE_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/stream.h"

struct members;

int members_open_directory(const char *path, struct members **out, struct err *e);
struct members *members_of_directory(int fd /* takes */, const char *name);
/* ERR_INTEGRITY when it is no tar or is cut short. `name` is for messages. */
int members_open_tar(int fd /* takes */, const char *name, struct members **out, struct err *e);
void members_free(struct members *m);

bool members_has(struct members *m, const char *name);
/* ERR_NOT_FOUND: no such regular file. Names that lead out of the directory are not found. */
int members_size(struct members *m, const char *name, uint64_t *size, struct err *e);
/* Append all of it to `out`; more than `max` is ERR_INTEGRITY. */
int members_read(struct members *m, const char *name, size_t max, struct buf *out, struct err *e);
int members_stream(struct members *m, const char *name, struct stream **out, struct err *e);

#endif
