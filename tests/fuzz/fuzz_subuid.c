/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_subuid.c - /etc/subuid of any content: no range overlaps another or holds id 0, and no id inside is mapped twice. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "env/ids.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ranges(const struct ids_ranges *r)
{
	for (size_t i = 0; i < r->count; i++) {
		uint64_t first = r->items[i].first, end = first + r->items[i].count;

		if (!first || end <= first || end > UINT32_MAX)
			abort();
		for (size_t j = 0; j < i; j++)
			if (r->items[j].first < end && first < (uint64_t)r->items[j].first + r->items[j].count)
				abort();
	}
}

static void check_map(const struct ids_ranges *r, uint32_t own)
{
	uint32_t next = 0;
	struct plan p;

	plan_init(&p);
	ids_lay_out(r, own, &p, plan_add_uid_range);
	for (size_t i = 0; i < p.uid_range_count; i++) {
		const struct plan_range *m = &p.uid_ranges[i];

		if (m->inside < next || !m->count || (m->inside <= own && own - m->inside < m->count))
			abort();
		next = m->inside + m->count;
		if (next > IDS_INSIDE)
			abort();
	}
	plan_release(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = mem_strndup((const char *)data, size);
	struct ids_ranges r = { 0 };

	ids_parse(text, "jo", 1000, &r);
	check_ranges(&r);
	check_map(&r, 0);
	check_map(&r, 1000);
	check_map(&r, UINT32_MAX);
	ids_release(&r);
	return 0;
}
