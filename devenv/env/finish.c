/* SPDX-License-Identifier: Apache-2.0 */
/* finish.c - from a filled-in draft to a plan on disk: order of mounts, generated layer, freshness list, identity. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/checkout.h"
#include "env/draft.h"
#include "env/inputs.h"
#include "env/live.h"
#include "plan/guard.h"

static int by_target(const void *a, const void *b)
{
	return strcmp(((const struct plan_mount *)a)->target, ((const struct plan_mount *)b)->target);
}

static bool is_file(const struct plan_mount *m)
{
	struct stat st;

	return m->host[0] && stat(m->host, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* Lies it in something that is mounted before it? The launcher's /tmp comes first of all. */
static bool is_covered(const struct plan *p, size_t n)
{
	const char *target = p->mounts[n].target;

	if (path_is_below(target, "/tmp") && strcmp(target, "/tmp") != 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (path_is_below(target, p->mounts[i].target))
			return true;
	return false;
}

static int add_mount_point(struct draft *d, const struct plan_mount *m, struct err *e)
{
	bool file = m->flags & PLAN_MOUNT_FILE;

	if (file && skeleton_add_file(&d->skeleton, m->target, "", e) < 0)
		return -1;
	if (!file && skeleton_add_directory(&d->skeleton, m->target, SKELETON_MODE_BELOW, e) < 0)
		return -1;
	if (!file && !(m->flags & PLAN_MOUNT_OPTIONAL))
		skeleton_cover(&d->skeleton, m->target);
	/* /dev has to be whole, to be bound. */
	if (!(m->flags & PLAN_MOUNT_DEVICE))
		skeleton_own(&d->skeleton, m->target);
	return 0;
}

/* Sorted by target, parents come before children. What lies in an earlier mount is made there, the rest in our layer. */
static int order_mounts(struct draft *d, struct err *e)
{
	struct plan *p = &d->plan;
	size_t kept = 0;

	if (p->mount_count)
		qsort(p->mounts, p->mount_count, sizeof(*p->mounts), by_target);
	for (size_t i = 0; i < p->mount_count; i++) {
		struct plan_mount m = p->mounts[i];
		bool covered;

		p->mounts[kept] = m;
		if (kept && strcmp(p->mounts[kept - 1].target, m.target) == 0)
			return err_set(e, ERR_CONFIG, "two things can't be mounted at %s inside: %s and %s",
				       text_safe(m.target), text_safe(p->mounts[kept - 1].host), text_safe(m.host));
		/* It is bound when /dev is made, which belongs to the launcher. */
		if (m.flags & PLAN_MOUNT_DEVICE) {
			if (add_mount_point(d, &m, e) < 0)
				return -1;
			kept++;
			continue;
		}
		covered = is_covered(p, kept);
		if (!(m.flags & PLAN_MOUNT_FILE) && is_file(&m)) {
			/* resolv.conf below somebody's volume at /etc: the volume wins. */
			kept += !covered;
			continue;
		}
		if (covered)
			p->mounts[kept].flags |= PLAN_MOUNT_CREATE;
		else if (add_mount_point(d, &m, e) < 0)
			return -1;
		kept++;
	}
	p->mount_count = kept;
	return 0;
}

/* Part of the store: immutable from its first name on, so that being made a moment ago does not make it doubtful. */
static void watch_stored(struct draft *d, const char *path)
{
	struct plan_watch w;
	struct stat st;

	if (stat(path, &st) < 0)
		return; /* mounting it will say so */
	plan_watch_from_stat(&w, path, &st, 0);
	w.young = false;
	plan_add_watch(&d->plan, w);
}

static int add_generated(struct draft *d, bool own, struct err *e)
{
	struct skeleton part;
	char *path;
	int r;

	skeleton_part(&d->skeleton, own, &part);
	r = skeleton_make(&part, d->store, &path, e);
	skeleton_release(&part);
	if (r == 0)
		plan_add_layer(&d->plan, draft_keep(d, path));
	return r;
}

static int add_layers(struct draft *d, struct err *e)
{
	if (add_generated(d, false, e) < 0 || add_generated(d, true, e) < 0)
		return -1;
	/* gc removes both of a checkout or none, and who has taken the first has taken the directory. */
	watch_stored(d, d->plan.layers[1]);
	for (size_t i = d->image.chain_ids.count; i-- > 0;)
		plan_add_layer(&d->plan, draft_keep(d, store_layer_path(d->store, d->image.chain_ids.items[i])));
	/* One look for all layers: gc removes the record of an image before any layer of it. */
	watch_stored(d, draft_keep(d, mem_printf("%s/images/%s", d->store->path, digest_hex(d->image.digest))));
	return 0;
}

/* As above, but for one use, so nothing watches what the store's lock keeps meanwhile. */
static int add_layers_once(struct draft *d, int state_fd, struct err *e)
{
	if (skeleton_make_in(&d->skeleton, d->store, state_fd, e) < 0)
		return -1;
	plan_add_layer(&d->plan, draft_keep(d, path_join(d->plan.state, SKELETON_STAGED)));
	for (const char *const *over = d->over; over && *over; over++)
		plan_add_layer(&d->plan, *over);
	for (size_t i = d->image.chain_ids.count; i-- > 0;)
		plan_add_layer(&d->plan, draft_keep(d, store_layer_path(d->store, d->image.chain_ids.items[i])));
	return 0;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The program that makes plans is an input too: another version may make another plan of the same files. */
static void watch_self(struct draft *d, int64_t now)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	struct plan_watch w;
	struct stat st;

	if (n <= 0)
		return;
	path[n] = '\0';
	if (stat(path, &st) < 0)
		return;
	plan_watch_from_stat(&w, draft_copy(d, path), &st, now);
	plan_add_watch(&d->plan, w);
}

static void add_watches(struct draft *d)
{
	const struct environment *env = d->env;
	int64_t now = now_ns();

	for (size_t i = 0; i < env->file_count; i++) {
		const struct env_file *f = &env->files[i];
		struct plan_watch w;
		struct stat st;

		inputs_stat(f, &st);
		plan_watch_from_stat(&w, f->path, f->absent ? NULL : &st, now);
		w.content = f->content;
		plan_add_watch(&d->plan, w);
	}
	watch_self(d, now);
}

static void number(struct draft *d)
{
	cleanup_buf struct buf identity = BUF_INIT;
	char digest[DIGEST_MAX];

	plan_encode(&d->plan, &identity, NULL);
	digest_bytes(identity.data, identity.len, digest);
	d->plan.id = draft_copy(d, digest_hex(digest));
}

int draft_write(struct draft *d, struct err *e)
{
	struct environment *env = d->env;
	cleanup_free char *path = env_plan_path(env);
	cleanup_free char *shared = NULL, *own = NULL, *generated = NULL;
	cleanup_buf struct buf all = BUF_INIT;

	if (order_mounts(d, e) < 0 || add_layers(d, e) < 0)
		return -1;
	add_watches(d);
	number(d);
	plan_encode(&d->plan, NULL, &all);
	if (all.len > PLAN_MAX)
		return err_set(e, ERR_CONFIG, "the plan would watch %zu files: that is more than a start can look at", d->plan.watch_count);
	shared = path_parent(d->plan.layers[0]);
	own = path_parent(d->plan.layers[1]);
	generated = mem_printf("%s %s", path_base(shared), path_base(own));
	if (dirs_private(env->state, e) < 0)
		return -1;
	if (live_record(env, d->plan.id, d->image.digest, generated, e) < 0)
		return -1;
	/* There is one such layer, and whoever has it keeps it: nobody is in those that linger. */
	if (d->plan.scratch == PLAN_SCRATCH_PERSIST)
		live_end_lingering(&env->dirs, env->state, d->plan.id);
	/* Answers and downloads take their time; and what is there now is what a session would mount. */
	if (env->project && checkout_is_there(env, NULL, e) < 0)
		return -1;
	guard_record(&d->plan);
	if (file_replace(AT_FDCWD, path, all.data, all.len, 0600, FILE_FAST, e) < 0)
		return err_wrap(e, "the plan");
	return 0;
}

int draft_write_once(struct draft *d, int state_fd, struct err *e)
{
	cleanup_buf struct buf all = BUF_INIT;

	if (order_mounts(d, e) < 0 || add_layers_once(d, state_fd, e) < 0)
		return -1;
	number(d);
	plan_encode(&d->plan, NULL, &all);
	if (file_replace(state_fd, "plan", all.data, all.len, 0600, FILE_FAST, e) < 0)
		return err_wrap(e, "the plan of a step");
	return 0;
}
