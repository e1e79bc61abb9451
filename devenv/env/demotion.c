/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demotion.c - who real root becomes.
 *
 * The last id of root's own range in /etc/subuid, which containers of root's use least, or else a number above what anybody
 * hands out. Some things that are granted by name only root may use: then it stays root, and that is said.
 */
#include "env/demotion.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "env/ids.h"
#include "plan/demote.h"

static bool is_free(uint32_t id)
{
	return !getpwuid(id) && !getgrgid(id);
}

static uint32_t choose(const char *file)
{
	struct ids_ranges own = { 0 };
	uint32_t id = DEMOTION_ID;

	ids_read(AT_FDCWD, file, "root", 0, &own);
	if (own.count)
		id = own.items[own.count - 1].first + own.items[own.count - 1].count - 1;
	ids_release(&own);
	while (!is_free(id))
		id--;
	return id;
}

/* The agent answers nobody but its owner, and root; a device whose mode lets only root in has no owner to be mapped. */
static const char *what_needs_root(const struct plan *p)
{
	for (size_t i = 0; i < p->mount_count; i++) {
		const struct plan_mount *m = &p->mounts[i];
		struct stat st;

		if (m->flags & PLAN_MOUNT_AGENT)
			return "the ssh agent, which is granted, answers nobody else";
		if ((m->flags & PLAN_MOUNT_DEVICE) && stat(m->host, &st) == 0 && (st.st_mode & 06) != 06)
			return "a device that is granted can be opened by nobody else";
	}
	return p->uid_range_count ? "it has ranges of ids" : NULL;
}

void demotion_plan(struct plan *p)
{
	if (geteuid() != 0 || what_needs_root(p))
		return;
	p->become_uid = choose("/etc/subuid");
	p->become_gid = choose("/etc/subgid");
}

char *demotion_describe(const struct plan *p, const struct dirs *d, bool *safe)
{
	const char *needs = what_needs_root(p);
	struct err why = ERR_INIT;

	*safe = false;
	if (geteuid() != 0)
		return NULL;
	if (!p->become_uid || needs)
		return mem_printf("root of this machine: %s", needs ? needs : "the plan says so");
	*safe = demote_probe(p, d, &why) == DEMOTE_DONE;
	if (*safe)
		return mem_printf("uid %u of this machine, who owns nothing", p->become_uid);
	if (why.code)
		return mem_printf("root of this machine: %s", why.msg);
	return mem_strdup("root of the container this machine is");
}

char *demotion_describe_machine(const struct dirs *d, bool *safe)
{
	struct plan p;
	char *text;

	plan_init(&p);
	p.id = "none";
	p.project = d->home;
	p.state = d->state;
	p.store = d->store;
	demotion_plan(&p);
	text = demotion_describe(&p, d, safe);
	plan_release(&p);
	return text;
}
