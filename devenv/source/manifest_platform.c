/* SPDX-License-Identifier: Apache-2.0 */
/* manifest_platform.c - platform names in one spelling; see manifest.h. */
#include "source/manifest.h"

#include <string.h>

#include "base/mem.h"

#define WORD_MAX 32

static const struct {
	const char *name, *architecture, *variant; /* variant NULL: keep */
} aliases[] = {
	{ "x86_64", "amd64", NULL }, { "x86-64", "amd64", NULL },  { "i386", "386", "" },
	{ "i686", "386", "" },       { "aarch64", "arm64", NULL }, { "armhf", "arm", "v7" },
	{ "armel", "arm", "v6" },
};

static const struct {
	const char *architecture, *variant, *canonical;
} variants[] = {
	{ "amd64", "v1", "" }, { "arm64", "v8", "" }, { "arm64", "8", "" }, { "arm", "", "v7" },
	{ "arm", "5", "v5" },  { "arm", "6", "v6" },  { "arm", "7", "v7" }, { "arm", "8", "v8" },
};

/* These words end up in the lock file and on terminals. */
static bool is_word(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len <= WORD_MAX && strcmp(s, "unknown") != 0 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

char *manifest_platform(const char *os, const char *architecture, const char *variant)
{
	if (!variant)
		variant = "";
	if (!os || !architecture || !is_word(os) || !is_word(architecture) ||
	    (variant[0] && !is_word(variant)))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (strcmp(architecture, aliases[i].name) == 0) {
			architecture = aliases[i].architecture;
			if (aliases[i].variant)
				variant = aliases[i].variant;
			break;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		if (strcmp(architecture, variants[i].architecture) == 0 &&
		    strcmp(variant, variants[i].variant) == 0) {
			variant = variants[i].canonical;
			break;
		}
	}
	return mem_printf("%s/%s%s%s", os, architecture, variant[0] ? "/" : "", variant);
}
