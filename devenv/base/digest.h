/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - cryptographic digests as OCI writes them ("sha256:<64 hex>", "sha512:<128 hex>"). Core only (OpenSSL). */
#ifndef DEVENV_BASE_DIGEST_H
#define DEVENV_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define DIGEST_MAX 136	   /* "sha512:" + 128 hex + NUL */
#define DIGEST_SHA256_LEN 71 /* "sha256:" + 64 hex */

/* OCI image-spec digest grammar restricted to the two registered algorithms, lower-case hex. Security rule 11. */
bool digest_is_valid(const char *s);
/* The hex part; points into s. */
const char *digest_hex(const char *s);

struct digest; /* a running computation; one thread at a time */

/* `like`: a valid digest whose algorithm is wanted, or NULL for sha256. Never NULL. */
struct digest *digest_new(const char *like);
void digest_add(struct digest *d, const void *data, size_t len);
/* Finish: writes "algorithm:hex" and frees d. */
void digest_end(struct digest *d /* takes */, char out[DIGEST_MAX]);
void digest_free(struct digest *d);

/* In one go, sha256. */
void digest_bytes(const void *data, size_t len, char out[DIGEST_MAX]);
/* 32 hex digits of MD5, which dpkg has for conffiles: to tell change from no change, a defence against nobody. false: this libcrypto
 * has no MD5. */
#define DIGEST_MD5_LEN 32
bool digest_md5(const void *data, size_t len, char out[DIGEST_MD5_LEN + 1]);
/* SHA-1, which old formats end in: as bytes. */
#define DIGEST_SHA1_LEN 20
bool digest_sha1(const void *data, size_t len, unsigned char out[DIGEST_SHA1_LEN]);

/* A whole file from its current offset; *size (may be NULL) receives the byte count. */
int digest_fd(int fd, char out[DIGEST_MAX], unsigned long long *size, struct err *e);

#endif
