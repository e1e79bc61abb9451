/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - the plan in memory: building it. */
#include "plan/plan.h"

#include <string.h>

#include "base/mem.h"
#include "plan/format.h"

#define NS_PER_SEC 1000000000LL
/* A file changed so recently could change again without its time stamp showing it (coarse clocks before Linux 6.13). */
#define YOUNG_NS (2 * NS_PER_SEC)

const struct plan_string_field plan_string_fields[] = {
	{ PLAN_TAG_NAME, offsetof(struct plan, name) },
	{ PLAN_TAG_PROJECT, offsetof(struct plan, project) },
	{ PLAN_TAG_IMAGE, offsetof(struct plan, image) },
	{ PLAN_TAG_STATE, offsetof(struct plan, state) },
	{ PLAN_TAG_STORE, offsetof(struct plan, store) },
	{ PLAN_TAG_HOSTNAME, offsetof(struct plan, hostname) },
	{ PLAN_TAG_HOME, offsetof(struct plan, home) },
	{ PLAN_TAG_SHELL, offsetof(struct plan, shell) },
	{ PLAN_TAG_ROOT_HOME, offsetof(struct plan, root_home) },
	{ PLAN_TAG_ROOT_SHELL, offsetof(struct plan, root_shell) },
	{ PLAN_TAG_WORKDIR, offsetof(struct plan, workdir) },
	{ PLAN_TAG_PROJECT_TARGET, offsetof(struct plan, project_target) },
	{ PLAN_TAG_HOOK_START, offsetof(struct plan, hook_start) },
	{ PLAN_TAG_HOOK_ENTER, offsetof(struct plan, hook_enter) },
	{ PLAN_TAG_GUARD, offsetof(struct plan, guard) },
};
const size_t plan_string_field_count = ARRAY_SIZE(plan_string_fields);

#define LIST(tag, field, number) { tag, offsetof(struct plan, field), offsetof(struct plan, number) }
const struct plan_list_field plan_list_fields[] = {
	LIST(PLAN_TAG_LAYER, layers, layer_count),
	LIST(PLAN_TAG_ENV, env, env_count),
	LIST(PLAN_TAG_PASS, pass, pass_count),
	LIST(PLAN_TAG_LOCALE, locales, locale_count),
	LIST(PLAN_TAG_COMMAND, command, command_count),
	LIST(PLAN_TAG_ENTRYPOINT, entrypoint, entrypoint_count),
};
const size_t plan_list_field_count = ARRAY_SIZE(plan_list_fields);

void plan_init(struct plan *p)
{
	size_t i;

	memset(p, 0, sizeof(*p));
	p->id = p->setup = p->setup_key = "";
	p->raw = BUF_INIT;
	for (i = 0; i < plan_string_field_count; i++)
		*(const char **)((char *)p + plan_string_fields[i].offset) = "";
}

void plan_release(struct plan *p)
{
	free(p->layers);
	free(p->env);
	free(p->pass);
	free(p->locales);
	free(p->command);
	free(p->entrypoint);
	free(p->mounts);
	free(p->uid_ranges);
	free(p->gid_ranges);
	free(p->watches);
	buf_release(&p->raw);
	plan_init(p);
}

/* The arrays keep no capacity: one is at its limit at 0, 16, 32... */
static void *room_for_one(void *array, size_t count, size_t size)
{
	if (count == 0)
		return mem_array(16, size);
	return count < 16 || count & (count - 1) ? array : mem_resize(array, 2 * count, size);
}

static void add_string(const char ***items, size_t *count, const char *s)
{
	*items = room_for_one(*items, *count, sizeof(**items));
	(*items)[(*count)++] = s;
}

void plan_add_layer(struct plan *p, const char *host_dir)
{
	add_string(&p->layers, &p->layer_count, host_dir);
}

void plan_add_env(struct plan *p, const char *assignment)
{
	add_string(&p->env, &p->env_count, assignment);
}

void plan_add_pass(struct plan *p, const char *name)
{
	add_string(&p->pass, &p->pass_count, name);
}

void plan_add_locale(struct plan *p, const char *locale)
{
	add_string(&p->locales, &p->locale_count, locale);
}

void plan_add_command(struct plan *p, const char *word)
{
	add_string(&p->command, &p->command_count, word);
}

void plan_add_entrypoint(struct plan *p, const char *word)
{
	add_string(&p->entrypoint, &p->entrypoint_count, word);
}

void plan_add_mount(struct plan *p, struct plan_mount m)
{
	p->mounts = room_for_one(p->mounts, p->mount_count, sizeof(*p->mounts));
	p->mounts[p->mount_count++] = m;
}

static void add_range(struct plan_range **ranges, size_t *count, struct plan_range r)
{
	*ranges = room_for_one(*ranges, *count, sizeof(**ranges));
	(*ranges)[(*count)++] = r;
}

void plan_add_uid_range(struct plan *p, struct plan_range r)
{
	add_range(&p->uid_ranges, &p->uid_range_count, r);
}

void plan_add_gid_range(struct plan *p, struct plan_range r)
{
	add_range(&p->gid_ranges, &p->gid_range_count, r);
}

void plan_add_watch(struct plan *p, struct plan_watch w)
{
	p->watches = room_for_one(p->watches, p->watch_count, sizeof(*p->watches));
	p->watches[p->watch_count++] = w;
}

static int64_t to_ns(struct timespec t)
{
	return (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

void plan_watch_from_stat(struct plan_watch *w, const char *path, const struct stat *st, int64_t now_ns)
{
	memset(w, 0, sizeof(*w));
	w->path = path;
	w->content = "";
	if (!st) {
		w->absent = true;
		return;
	}
	w->dev = st->st_dev;
	w->ino = st->st_ino;
	w->size = (uint64_t)st->st_size;
	w->mtime_ns = to_ns(st->st_mtim);
	w->ctime_ns = to_ns(st->st_ctim);
	w->young = w->ctime_ns > now_ns - YOUNG_NS;
}
