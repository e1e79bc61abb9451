/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - the regular files of a small tar archive in memory, such as a package's control.tar: nothing is unpacked. */
#ifndef DEVENV_LAYER_FILES_H
#define DEVENV_LAYER_FILES_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "layer/layer.h"

/* `name` is clean and relative (layer/name.h); the content is only there during the call. -1: fills *e and ends the reading. */
typedef int layer_file(void *data, const char *name, mode_t mode, const char *content, size_t len, struct err *e);

/* Not LAYER_DETECT. More than `max` bytes of tar, or anything wrong with it: ERR_INTEGRITY. Whatever is no regular file is passed over. */
int layer_each_file(enum layer_compression c, const void *bytes, size_t len, size_t max, layer_file *file, void *data, struct err *e);

#endif
