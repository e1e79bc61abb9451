/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_debian_sources.c - apt's lists of archives, keys in armour: whatever is read has the form its users count on. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "source/debian_signature.h"
#include "source/debian_sources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *name, const char *text, size_t size)
{
	struct debian_sources s = { 0 };

	debian_sources_parse(name, text, size, &s);
	for (size_t i = 0; i < s.count; i++) {
		const struct debian_source *x = &s.items[i];
		size_t n = strlen(x->suite);

		if (!x->uri[0] || !strchr(x->uri, ':') || n == 0 || x->flat == (x->components.count > 0))
			abort();
		if (strpbrk(x->uri, " \t\n") || strpbrk(x->suite, " \t\n") || (n > 1 && x->suite[n - 1] == '/'))
			abort();
	}
	debian_sources_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct buf file = { .data = (char *)(uintptr_t)data, .len = size };
	struct buf keys = BUF_INIT;
	struct err e = ERR_INIT;

	check("x.list", (const char *)data, size);
	check("x.sources", (const char *)data, size);
	if (debian_signature_keys("x", &file, &keys, &e) < 0 ? e.code != ERR_CONFIG : keys.len == 0 || keys.len > size)
		abort();
	buf_release(&keys);
	return 0;
}
