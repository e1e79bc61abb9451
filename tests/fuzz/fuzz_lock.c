/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_lock.c - devenv.lock: whatever is accepted is written to the same bytes again and again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/lock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct lock *l)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct err e = ERR_INIT;
	struct lock back;

	lock_format(l, &once);
	if (lock_parse("devenv.lock", once.data, once.len, &back, &e))
		abort();
	lock_format(&back, &twice);
	if (once.len != twice.len || memcmp(once.data, twice.data, once.len))
		abort();
	for (size_t i = 0; i < l->image_count; i++) {
		const struct lock_image *there = lock_find(&back, l->images[i].name);

		if (!there || strcmp(there->request, l->images[i].request) ||
		    there->manifest_count != l->images[i].manifest_count)
			abort();
	}
	lock_release(&back);
	buf_release(&once);
	buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct lock l;

	if (!lock_parse("devenv.lock", (const char *)data, size, &l, &e)) {
		round_trip(&l);
		lock_release(&l);
	} else if (e.code != ERR_LOCK || !e.hint[0]) {
		abort();
	}
	if (!lock_parse_both_sides("devenv.lock", (const char *)data, size, &l, &e)) {
		round_trip(&l);
		lock_release(&l);
	} else if (e.code != ERR_LOCK || !e.hint[0]) {
		abort();
	}
	return 0;
}
