/* SPDX-License-Identifier: Apache-2.0 */
/* limits_shown.c - limits and devices in words, for status, config --plan, info and doctor. */
#include "cli/limits_shown.h"

#include <string.h>

#include "base/mem.h"
#include "env/devices.h"
#include "env/limit.h"
#include "plan/running.h"

void limits_shown_plan(const struct plan *p, const struct dirs *d, struct strlist *lines)
{
	const struct limit l = { .id = p->id, .memory = p->memory, .cpus = p->cpus, .pids = p->pids };
	unsigned int wanted = limit_wanted(&l), enforced;
	pid_t pid = wanted ? running_pid(d, p->id) : 0;
	const char *how;

	enforced = pid > 0 ? limit_enforced(&l, pid, NULL) : limit_available(&how) & wanted;
	limit_describe(&l, enforced, lines);
}

char *limits_shown_machine(bool *all)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} kinds[] = { { LIMIT_MEMORY, "memory" }, { LIMIT_CPUS, "cpus" }, { LIMIT_PIDS, "pids" } };
	cleanup_buf struct buf can = BUF_INIT, cannot = BUF_INIT;
	const char *how;
	unsigned int available = limit_available(&how);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct buf *b = available & kinds[i].bit ? &can : &cannot;

		buf_addf(b, "%s%s", b->len ? ", " : "", kinds[i].name);
	}
	*all = available == LIMIT_ALL;
	if (!cannot.len)
		return mem_printf("%s by %s", can.data, how);
	if (!can.len)
		return mem_printf("no cgroup is to be had: memory is not limited, cpus by affinity, pids %s",
				  limit_counts_processes() ? "by a resource limit" : "not");
	return mem_printf("%s by %s; no cgroup for %s", can.data, how, cannot.data);
}

char *limits_shown_devices(void)
{
	static const char *const states[] = {
		[DEVICES_READY] = "yes", [DEVICES_REFUSED] = "may not be opened", [DEVICES_ABSENT] = "no",
	};
	cleanup_strlist struct strlist graphics = STRLIST_INIT;

	devices_graphics(&graphics);
	return mem_printf("kvm %s, fuse %s, gpu %s", states[devices_look("/dev/kvm", DEVICES_MAJOR_MISC)],
			  states[devices_look("/dev/fuse", DEVICES_MAJOR_MISC)], graphics.count ? "yes" : "no");
}
