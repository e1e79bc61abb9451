/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c - digests by OpenSSL's libcrypto. */
#include "base/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/text.h"

struct digest {
	EVP_MD_CTX *context;
	const char *name;
};

bool digest_is_valid(const char *s)
{
	if (!s)
		return false;
	if (text_starts(s, "sha256:"))
		return text_is_hex(s + 7, 64);
	return text_starts(s, "sha512:") && text_is_hex(s + 7, 128);
}

const char *digest_hex(const char *s)
{
	const char *colon = strchr(s, ':');

	return colon ? colon + 1 : s;
}

/* libcrypto fails here only when memory is out or its build lacks SHA-2: nothing a caller could handle. */
static void must(int ok)
{
	if (!ok)
		abort();
}

struct digest *digest_new(const char *like)
{
	struct digest *d = mem_alloc(sizeof(*d));

	d->name = like && text_starts(like, "sha512:") ? "sha512" : "sha256";
	d->context = EVP_MD_CTX_new();
	must(d->context != NULL);
	must(EVP_DigestInit_ex(d->context, d->name[3] == '5' ? EVP_sha512() : EVP_sha256(), NULL));
	return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	must(EVP_DigestUpdate(d->context, data, len));
}

static void write_hex(const unsigned char *raw, size_t len, char *out)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = hex[raw[i] >> 4];
		*out++ = hex[raw[i] & 15];
	}
	*out = '\0';
}

void digest_end(struct digest *d, char out[DIGEST_MAX])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	size_t n;

	must(EVP_DigestFinal_ex(d->context, raw, &len));
	n = strlen(d->name);
	memcpy(out, d->name, n);
	out[n++] = ':';
	write_hex(raw, len, out + n);
	digest_free(d);
}

bool digest_md5(const void *data, size_t len, char out[DIGEST_MD5_LEN + 1])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (!EVP_Digest(data, len, raw, &n, EVP_md5(), NULL) || n * 2 != DIGEST_MD5_LEN)
		return false;
	write_hex(raw, n, out);
	return true;
}

bool digest_sha1(const void *data, size_t len, unsigned char out[DIGEST_SHA1_LEN])
{
	return EVP_Digest(data, len, out, NULL, EVP_sha1(), NULL) == 1;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->context);
	free(d);
}

void digest_bytes(const void *data, size_t len, char out[DIGEST_MAX])
{
	struct digest *d = digest_new(NULL);

	digest_add(d, data, len);
	digest_end(d, out);
}

int digest_fd(int fd, char out[DIGEST_MAX], unsigned long long *size, struct err *e)
{
	enum { CHUNK = 128 * 1024 };
	struct digest *d = digest_new(NULL);
	char *chunk = mem_array(CHUNK, 1);
	unsigned long long total = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, chunk, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		digest_add(d, chunk, (size_t)n);
		total += (unsigned long long)n;
	}
	if (n < 0) {
		err_sys(e, "can't read a file to check its digest");
		digest_free(d);
		free(chunk);
		return -1;
	}
	free(chunk);
	digest_end(d, out);
	if (size)
		*size = total;
	return 0;
}
