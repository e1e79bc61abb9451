/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_running.c - environments that run although no project stands behind them any more: the project is gone, or its
 * plan was replaced and old sessions go on. They hold memory and what gc would free.
 */
#include "cli/doctor.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/plan.h"
#include "plan/running.h"

/* Plans that somebody can still enter: of projects that are there, and of images. */
static void add_plans(const struct dirs *d, const char *kind, struct strlist *ids)
{
	cleanup_free char *parent = mem_printf("%s/%s", d->state, kind);
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	file_names(AT_FDCWD, parent, false, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = mem_printf("%s/%s/plan", parent, names.items[i]);
		struct plan plan;

		if (plan_load(&plan, path, &ignored) < 0)
			continue;
		if (!plan.project[0] || access(plan.project, F_OK) == 0)
			strlist_add(ids, plan.id);
		plan_release(&plan);
	}
}

void doctor_running_stale(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_strlist struct strlist current = STRLIST_INIT, names = STRLIST_INIT;
	cleanup_buf struct buf pids = BUF_INIT;
	struct err ignored = ERR_INIT;
	size_t running = 0, stale = 0;

	add_plans(m->dirs, "checkouts", &current);
	add_plans(m->dirs, "images", &current);
	file_names(AT_FDCWD, m->dirs->runtime, false, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		cleanup_free char *id = NULL;
		pid_t pid;

		if (!text_ends(name, RUNNING_SUFFIX))
			continue;
		id = mem_strndup(name, strlen(name) - strlen(RUNNING_SUFFIX));
		pid = running_pid(m->dirs, id);
		running += pid > 0;
		if (pid <= 0 || strlist_has(&current, id))
			continue;
		stale++;
		buf_addf(&pids, " %ld", (long)pid);
	}
	if (!stale) {
		doctor_say(r, running ? DOCTOR_OK : DOCTOR_SKIP, "%zu running, each of a project that is there",
		           running);
		return;
	}
	doctor_say(r, DOCTOR_WARN, "%zu of %zu running environments %s of a project that is gone or was prepared anew",
	           stale, running, stale == 1 ? "is" : "are");
	doctor_remedy(r, "leave their shells, or end them: kill -9%.300s", pids.data);
}
