/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expand.h - one compressed file (xz, gzip, zstd or neither) to what is in it, by libarchive: for indexes, which are no
 * archives. Layers have a decoder of their own (inflate.h).
 */
#ifndef DEVENV_LAYER_EXPAND_H
#define DEVENV_LAYER_EXPAND_H

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

/*
 * From the current offset of `in` to `out`; the digest (sha256) and size of what was written are computed on the way. More than
 * `max` bytes, or data that is damaged: ERR_INTEGRITY. `what` names the file in messages.
 */
int expand_file(int in, int out, uint64_t max, const char *what, char digest[DIGEST_MAX], uint64_t *size, struct err *e);

#endif
