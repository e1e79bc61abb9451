/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_debian_preferences.c - an image's preferences of apt: what is read can be matched against, and all else is told. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/debian_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct debian_origin origin = { .archive = (char *)"stable", .component = (char *)"main", .priority = 500 };
	struct debian_preferences p = { 0 };
	struct debian_policy policy = { &p, &origin, 1 };
	struct strlist warnings = STRLIST_INIT;

	debian_preferences_parse("x", (struct debian_text){ (const char *)data, size }, &p, &warnings);
	for (size_t i = 0; i < p.count; i++) {
		const struct debian_preference *x = &p.items[i];

		if (x->priority == 0 || x->priority > 32767 || x->priority < -32767 || !x->value || (x->package && !x->package[0]))
			abort();
	}
	for (size_t i = 0; i < warnings.count; i++)
		if (strpbrk(warnings.items[i], "\n\033"))
			abort();
	if (debian_policy_of_source(&policy, 0) == 0 || debian_policy_find(&policy, DEBIAN_TEXT("libc6"), DEBIAN_TEXT("2.36-9"), 0) > p.count)
		abort();
	debian_preferences_release(&p);
	strlist_release(&warnings);
	return 0;
}
