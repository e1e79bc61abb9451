/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_debian_release.c - Release files: what is found has the form that names in the cache and URLs are made of. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "source/debian_release.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { "main/binary-amd64/Packages.xz", "main/binary-amd64/Packages.gz", "main/binary-amd64/Packages", "" };
	struct debian_release r;
	struct err e = ERR_INIT;

	if (debian_release_parse((struct debian_text){ (const char *)data, size }, &r, &e) < 0) {
		if (e.code != ERR_INTEGRITY || !e.msg[0])
			abort();
		return 0;
	}
	if (r.date <= 0 || r.valid_until < 0)
		abort();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct debian_index_file f;

		if (debian_release_find(&r, paths[i], &f) && (!text_is_hex(f.sha256, 64) || f.size > INT64_MAX))
			abort();
	}
	debian_release_is_of(&r, "bookworm");
	debian_release_is_of(&r, "buster/updates");
	debian_release_release(&r);
	return 0;
}
