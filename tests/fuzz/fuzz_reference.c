/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_reference.c - image references: what is accepted is safe in a path and a URL, and parses to itself. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "config/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void check(const struct reference *r)
{
	char *text = reference_format(r);
	struct err e = ERR_INIT;
	struct reference again;

	if (strpbrk(text, " \t\r\n\\?#%\"'<>") || strstr(r->host, "..") || strstr(r->path, "..") ||
	    strstr(text, "//"))
		abort();
	if ((!r->tag && !r->digest) || (r->digest && !digest_is_valid(r->digest)))
		abort();
	if (reference_parse(text, &again, &e))
		abort();
	if (!is_same(r->host, again.host) || !is_same(r->path, again.path) || !is_same(r->tag, again.tag) ||
	    !is_same(r->digest, again.digest))
		abort();
	(void)reference_is_loopback(r);
	reference_release(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	struct err e = ERR_INIT;
	struct reference r;

	if (!reference_parse(text, &r, &e)) {
		check(&r);
		reference_release(&r);
	}
	(void)reference_host_is_valid(text);
	free(text);
	return 0;
}
