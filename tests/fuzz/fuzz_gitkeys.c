/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_gitkeys.c - git's configuration as a session may have left it; what is found is a name with a dot, and a string. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan/gitkeys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *data, const char *name, const char *value)
{
	(void)data;
	if (!strchr(name, '.') || strlen(value) > (1u << 20))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	gitkeys_scan((const char *)data, size, take, NULL);
	return 0;
}
