/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gc.c - what gc takes besides the images and layers of the store: plans that serve nothing, generated layers, scratch, what
 * builds that failed had made and the caches of builds.
 *
 * A plan is a record that the next session makes again, so it may go where a home may not. Plans go before the generated
 * layers are looked at, and nobody makes a plan meanwhile: whoever does has the store open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/building_caches.h"
#include "env/building_failed.h"
#include "env/env.h"
#include "env/ids.h"
#include "env/limit.h"
#include "env/live.h"
#include "env/skeleton.h"
#include "env/skeleton_shared.h"
#include "fetch/gitrepo.h"

static void tell(struct env_gc *gc, const char *kind, const char *name, uint64_t bytes)
{
	gc->bytes += bytes;
	if (gc->removed)
		gc->removed(gc->data, kind, name, bytes);
}

static int remove_record(const char *state, const char *name, struct err *e)
{
	cleanup_free char *path = path_join(state, name);

	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(e, "can't remove %s", text_safe(path));
	return 0;
}

/* The plan before the record of what it uses. What is left of a directory with nothing else in it goes too. */
static int remove_plans(const struct store *s, const struct strlist *dead, struct env_gc *gc, struct err *e)
{
	for (size_t i = 0; i < dead->count; i++) {
		const char *state = dead->items[i];
		cleanup_free char *plan = path_join(state, "plan"), *used = path_join(state, "used");
		cleanup_free char *scratch = path_join(state, "scratch");
		uint64_t bytes = file_tree_bytes(AT_FDCWD, plan) + file_tree_bytes(AT_FDCWD, used);

		if (!gc->dry_run) {
			if (remove_record(state, "plan", e) < 0 || remove_record(state, "used", e) < 0)
				return -1;
			if (live_is_worthless(s, state) && remove_record(state, "project", e) < 0)
				return -1;
			rmdir(scratch);
			rmdir(state);
		}
		gc->plans++;
		tell(gc, "plan", path_base(state), bytes);
	}
	return 0;
}

/* Names that begin with a dot are no layers. */
static int list_dead(const struct strlist *live, int dirfd, struct strlist *names, struct err *e)
{
	cleanup_strlist struct strlist all = STRLIST_INIT;

	if (file_names(dirfd, ".", false, &all, e) < 0)
		return err_wrap(e, "can't list the generated layers");
	for (size_t i = 0; i < all.count; i++)
		if (!strlist_has(live, all.items[i]))
			strlist_add(names, all.items[i]);
	return 0;
}

/* All are measured before the first goes: what they share counts where its last link is. */
static int remove_generated(const struct strlist *live, int dirfd, struct env_gc *gc, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct skeleton_shared shared = { 0 };
	int r = list_dead(live, dirfd, &names, e);
	uint64_t *bytes = mem_array(names.count + 1, sizeof(*bytes));

	for (size_t i = 0; i < names.count; i++)
		bytes[i] = skeleton_shared_measure(&shared, dirfd, names.items[i]);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (!gc->dry_run && file_remove_tree(dirfd, names.items[i], e) < 0) {
			r = -1;
			break;
		}
		gc->generated++;
		tell(gc, "generated", names.items[i], bytes[i]);
	}
	if (r == 0)
		r = skeleton_shared_sweep(&shared, dirfd, gc->dry_run, &gc->bytes, e);
	skeleton_shared_release(&shared);
	free(bytes);
	return r;
}

static int remove_unused(const struct environment *env, const struct store *s, struct env_gc *gc, struct err *e)
{
	cleanup_strlist struct strlist live = STRLIST_INIT, dead = STRLIST_INIT;
	cleanup_close int dirfd = openat(s->fd, SKELETON_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (dirfd < 0 && errno != ENOENT)
		return err_sys(e, "can't open the generated layers of the store");
	/* After a real store_gc the store itself tells; and an image may have been pulled again since. */
	if (live_survey(env, s, gc->dry_run ? &gc->images_gone : NULL, &live, &dead, e) < 0)
		return -1;
	strlist_sort(&dead);
	if (remove_plans(s, &dead, gc, e) < 0)
		return -1;
	return dirfd < 0 ? 0 : remove_generated(&live, dirfd, gc, e);
}

struct sweep {
	int fd;
};

static void sweep_mapped(void *data)
{
	const struct sweep *s = data;

	file_sweep(s->fd, false, NULL, NULL);
}

/* What stays has files of other ids, which sessions of an environment with ranges left there when they were killed. */
static void sweep(int fd, bool dry_run, size_t *count, uint64_t *bytes)
{
	struct err ignored = ERR_INIT;
	struct sweep s = { fd };
	size_t left = 0;

	file_sweep(fd, dry_run, count, bytes);
	if (!dry_run && *count)
		file_sweep(fd, true, &left, NULL);
	if (left)
		ids_run_mapped(sweep_mapped, &s, &ignored);
}

static void sweep_scratch(const struct environment *env, const char *kind, struct env_gc *gc)
{
	cleanup_free char *path = path_join(env->dirs.state, kind);
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	file_names(AT_FDCWD, path, false, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *scratch = mem_printf("%s/%s/scratch", path, names.items[i]);
		cleanup_close int fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		uint64_t bytes = 0;
		size_t count = 0;

		if (fd >= 0)
			sweep(fd, gc->dry_run, &count, &bytes);
		gc->scratches += count;
		if (count)
			tell(gc, "scratch", names.items[i], bytes);
	}
}

static void tell_clone(void *data, const char *name, uint64_t bytes)
{
	struct env_gc *gc = data;

	gc->clones++;
	tell(gc, "clone", name, bytes);
}

static int sweep_clones(const struct environment *env, struct env_gc *gc, struct err *e)
{
	cleanup_free char *cache = path_join(env->dirs.cache, "git");
	cleanup_strlist struct strlist keep = STRLIST_INIT;

	if (live_clones(env, &keep, e) < 0)
		return -1;
	return gitrepo_sweep(&(struct gitrepo_sweep){ cache, &keep, gc->oldest_clone, gc->dry_run, tell_clone, gc }, e);
}

static void tell_failed_build(void *data, const char *project, uint64_t bytes)
{
	struct env_gc *gc = data;

	gc->failed_builds++;
	tell(gc, "failed build", project, bytes);
}

static void tell_build_cache(void *data, const char *project, uint64_t bytes)
{
	struct env_gc *gc = data;

	gc->build_caches++;
	tell(gc, "build cache", project, bytes);
}

int env_gc(const struct environment *env, struct store *s, struct env_gc *gc, struct err *e)
{
	struct err relock = ERR_INIT;
	int r;

	sweep_scratch(env, "checkouts", gc);
	sweep_scratch(env, "images", gc);
	if (!gc->dry_run)
		limit_sweep(&env->dirs);
	if (sweep_clones(env, gc, e) < 0)
		return -1;
	/* Alone, because a plan that is being made refers to its layer only once it is written. */
	if (!gc->dry_run && file_lock(s->lock_fd, true, true, e) < 0)
		return -1;
	r = remove_unused(env, s, gc, e);
	if (r == 0)
		r = building_failed_gc(s, gc->dry_run, tell_failed_build, gc, e);
	if (r == 0)
		r = building_caches_gc(&env->dirs, gc->dry_run, tell_build_cache, gc, e);
	if (!gc->dry_run && file_lock(s->lock_fd, false, true, &relock) < 0 && r == 0) {
		*e = relock;
		r = -1;
	}
	return r;
}
