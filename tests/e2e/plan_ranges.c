/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_ranges PLAN [u|g]:INSIDE:OUTSIDE:COUNT... - give a plan ranges of ids, as services and builds will ask for.
 *
 * Nothing in a configuration asks yet; the launcher knows how to run such a plan, and ids.bats lets it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "plan/plan.h"

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct buf all = BUF_INIT;
	struct plan p;
	int i, r = 0;

	plan_init(&p);
	if (argc < 2 || plan_load(&p, argv[1], &e) < 0) {
		fprintf(stderr, "plan_ranges: %s\n", argc < 2 ? "no plan named" : e.msg);
		return 1;
	}
	for (i = 2; i < argc && r == 0; i++) {
		struct plan_range range;
		char kind;

		if (sscanf(argv[i], "%c:%u:%u:%u", &kind, &range.inside, &range.outside, &range.count) != 4)
			r = 1;
		else if (kind == 'u')
			plan_add_uid_range(&p, range);
		else
			plan_add_gid_range(&p, range);
	}
	if (p.root)
		p.root_filter_size = 0; /* as planning does: the kernel changes owners then */
	/* It would be made again, without the ranges. */
	for (size_t n = 0; n < p.watch_count; n++)
		p.watches[n].young = false;
	plan_encode(&p, NULL, &all);
	if (r == 0)
		r = file_replace(AT_FDCWD, argv[1], all.data, all.len, 0600, FILE_FAST, &e);
	buf_release(&all);
	plan_release(&p);
	return r != 0;
}
