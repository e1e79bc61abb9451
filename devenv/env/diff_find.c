/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff_find.c - where a project's scratch layers are.
 *
 * That of a running environment is often a tmpfs in its own mount namespace, out of reach by any path; but its pid 1 keeps it
 * open, and what a process has open can be reached through /proc by whoever may join it. Nothing is entered for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/diff.h"
#include "env/live.h"
#include "plan/plan.h"
#include "plan/running.h"
#include "plan/upper.h"

static struct diff_place *add(struct diff_places *out, int scratch_fd)
{
	out->items = mem_grow(out->items, out->count, &out->cap, sizeof(*out->items));
	out->items[out->count] = (struct diff_place){ .scratch_fd = scratch_fd, .layers = STRLIST_INIT };
	return &out->items[out->count++];
}

/* Where the view of the project is: in the plan of such sessions, unless that was replaced meanwhile. */
static char *view_target(const struct environment *env)
{
	cleanup_free char *path = path_join(env->state, "plan-untrusted");
	struct err ignored = ERR_INIT;
	struct plan plan;
	char *target = NULL;

	plan_init(&plan);
	if (plan_load(&plan, path, &ignored) == 0 && *plan.project_target)
		target = mem_strdup(plan.project_target);
	plan_release(&plan);
	return target ? target : mem_strdup(env->project);
}

static int add_running(const struct environment *env, const char *id, const char *present, struct diff_places *out,
		       struct err *e)
{
	pid_t pid = running_pid(&env->dirs, id);
	int fd = pid ? upper_find(pid) : -1;
	struct diff_place *p;

	/* Starting, or just gone. */
	if (fd < 0 && (!pid || running_pid(&env->dirs, id) != pid))
		return 0;
	if (fd < 0) {
		err_sys(e, "can't look into the running environment (process %d)", (int)pid);
		return err_hint(e, "leave its sessions; what `persist = yes` keeps can be looked at then");
	}
	p = add(out, fd);
	p->pid = pid;
	p->untrusted = file_exists(fd, "project/upper");
	p->earlier = !p->untrusted && strcmp(id, present) != 0;
	if (p->untrusted)
		p->project = view_target(env);
	return live_layers(env, id, &p->layers, e);
}

static void add_kept(const struct environment *env, const struct plan *plan, struct diff_places *out)
{
	cleanup_free char *path = path_join(env->state, "persist");
	cleanup_close int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct diff_place *p;

	if (fd < 0 || !file_exists(fd, "upper"))
		return;
	p = add(out, mem_steal_fd(fd));
	for (size_t i = 0; i < plan->layer_count; i++)
		strlist_add(&p->layers, plan->layers[i]);
}

static int rank(const struct diff_place *p)
{
	return p->untrusted * 2 + p->earlier;
}

static int by_rank(const void *a, const void *b)
{
	return rank(a) - rank(b);
}

static int find(const struct environment *env, const struct plan *plan, struct diff_places *out, struct err *e)
{
	cleanup_strlist struct strlist ids = STRLIST_INIT;
	bool own = false;

	live_running(&env->dirs, env->state, &ids);
	for (size_t i = 0; i < ids.count; i++)
		if (add_running(env, ids.items[i], plan->id ? plan->id : "", out, e) < 0)
			return -1;
	for (size_t i = 0; i < out->count; i++)
		own = own || !out->items[i].untrusted;
	if (!own)
		add_kept(env, plan, out);
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), by_rank);
	return 0;
}

int diff_find(const struct environment *env, struct diff_places *out, struct err *e)
{
	cleanup_free char *path = path_join(env->state, "plan");
	struct plan plan;
	int r;

	plan_init(&plan);
	r = plan_load(&plan, path, e);
	if (r < 0 && e->code == ERR_NOT_FOUND)
		r = 0; /* denied, or never entered but untrusted */
	*e = r == 0 ? ERR_INIT : *e;
	if (r == 0)
		r = find(env, &plan, out, e);
	plan_release(&plan);
	return r;
}

void diff_places_release(struct diff_places *p)
{
	for (size_t i = 0; i < p->count; i++) {
		close(p->items[i].scratch_fd);
		strlist_release(&p->items[i].layers);
		free(p->items[i].project);
	}
	free(p->items);
	*p = (struct diff_places){ 0 };
}
