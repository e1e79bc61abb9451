/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate.h - decompression of a layer's bytes, piece by piece: gzip (any number of members, RFC 1952), zstd (any number
 * of frames, RFC 8878), xz (any number of streams, without padding) or nothing. ISA-L does gzip where it exists (HAVE_ISAL), zlib otherwise.
 */
#ifndef DEVENV_LAYER_INFLATE_H
#define DEVENV_LAYER_INFLATE_H

#include <stddef.h>

#include "base/err.h"
#include "layer/layer.h"

struct inflate;

/* What these first bytes (at least 6, unless the whole stream is shorter) are: gzip, zstd or, when nothing is
 * recognised, plain. xz, bzip2 and lz4 are ERR_UNSUPPORTED by name. */
int inflate_detect(const unsigned char *data, size_t len, enum layer_compression *out, struct err *e);

/* Not LAYER_DETECT. */
struct inflate *inflate_new(enum layer_compression c);
/* The same with zlib even where ISA-L is there: for tests. */
struct inflate *inflate_new_portable(void);
void inflate_free(struct inflate *z);

/*
 * Decode from *in (both advance) into `out`; *written receives the bytes made. Returns when the input is used up or the
 * output is full: call again while input is left or the output came back full. ERR_INTEGRITY: damaged, or bytes that
 * don't begin another member follow the end.
 */
int inflate_run(struct inflate *z, const unsigned char **in, size_t *in_len, unsigned char *out, size_t room,
                size_t *written, struct err *e);
/* At the end of the input: ERR_INTEGRITY when the stream is cut short. */
int inflate_end(const struct inflate *z, struct err *e);

#endif
