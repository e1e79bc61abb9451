/* SPDX-License-Identifier: Apache-2.0 */
/*
 * building_caches.c - see building_caches.h.
 *
 * They are locked because package managers trust nobody else to be in there; each once, and always in one order, or two
 * builds could wait for each other. gc may take a directory away between its making and its locking: then it is made again.
 */
#include "env/building_caches.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/text.h"
#include "env/clone.h"

#define PROJECTS "projects"
#define PROJECTS_MAX (1u << 20)
#define TRIES 5

static char *directory_of(const struct dirs *d, const char *clone)
{
	return mem_printf("%s/build/%s", d->cache, clone);
}

/* ---- who uses them ---- */

static void read_projects(const char *dir, struct strlist *projects)
{
	cleanup_free char *path = path_join(dir, PROJECTS);
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (file_read(AT_FDCWD, path, PROJECTS_MAX, O_NOFOLLOW, &text, NULL, &ignored) < 0)
		return;
	for (size_t at = 0; at < text.len; at += strlen(text.data + at) + 1)
		strlist_add(projects, text.data + at);
}

static bool uses(const char *project, const char *clone)
{
	cleanup_free char *config = path_join(project, PROJECT_CONFIG);
	cleanup_free char *name = access(config, F_OK) == 0 ? clone_name(project) : NULL;

	return name && strcmp(name, clone) == 0;
}

/* Those that are gone make room. */
static int record_project(const struct environment *env, const char *dir, struct err *e)
{
	cleanup_free char *path = path_join(dir, PROJECTS);
	cleanup_strlist struct strlist projects = STRLIST_INIT;
	cleanup_buf struct buf text = BUF_INIT;

	read_projects(dir, &projects);
	if (strlist_has(&projects, env->project))
		return 0;
	strlist_add(&projects, env->project);
	for (size_t i = 0; i < projects.count; i++)
		if (uses(projects.items[i], env->clone))
			buf_add(&text, projects.items[i], strlen(projects.items[i]) + 1);
	return file_replace(AT_FDCWD, path, text.data, text.len, 0600, FILE_FAST, e);
}

/* ---- for a build ---- */

static int lock_cache(const struct env_ui *ui, int fd, const char *inside, struct err *e)
{
	cleanup_free char *line = mem_printf("waiting for another build that uses the cache %s", text_safe(inside));

	if (file_lock(fd, true, false, e) == 0)
		return 0;
	if (e->code != ERR_BUSY)
		return -1;
	*e = ERR_INIT;
	if (ui->notice)
		ui->notice(ui->data, line);
	return file_lock(fd, true, true, e);
}

static bool is_there(int fd, const char *path)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

static int open_cache(const struct environment *env, const struct env_ui *ui, const char *inside, struct building_caches *c,
		      struct err *e)
{
	cleanup_free char *all = directory_of(&env->dirs, env->clone);
	cleanup_free char *dir = mem_printf("%s/%016llx", all, (unsigned long long)text_hash(inside, strlen(inside)));
	cleanup_free char *data = path_join(dir, "data"), *lock = path_join(dir, "lock");

	for (int i = 0; i < TRIES; i++) {
		int fd;

		if (file_mkdirs(AT_FDCWD, data, 0700, e) < 0)
			return err_wrap(e, "the cache of %s", text_safe(inside));
		fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return err_sys(e, "can't open the lock of the cache %s", text_safe(dir));
		if (lock_cache(ui, fd, inside, e) < 0) {
			close(fd);
			return -1;
		}
		if (is_there(fd, lock)) {
			c->locks[c->count++] = fd;
			strlist_add(&c->paths, data);
			return record_project(env, all, e);
		}
		close(fd);
	}
	return err_set(e, ERR_BUSY, "the cache %s vanishes", text_safe(dir));
}

int building_caches_open(const struct environment *env, const struct env_ui *ui, struct building_caches *c, struct err *e)
{
	const struct strlist *wanted = &env->config.build_cache;

	for (size_t i = 0; i < wanted->count; i++)
		if (!strlist_has(&c->inside, wanted->items[i]))
			strlist_add(&c->inside, wanted->items[i]);
	strlist_sort(&c->inside);
	c->locks = mem_array(c->inside.count + 1, sizeof(*c->locks));
	for (size_t i = 0; i < c->inside.count; i++) {
		const char *inside = c->inside.items[i];
		bool home = text_starts(inside, "~/");

		strlist_addf(&c->targets, "%s%s", home ? "/root" : "", home ? inside + 1 : inside);
		if (open_cache(env, ui, inside, c, e) < 0)
			return -1;
	}
	return 0;
}

void building_caches_mount(const struct building_caches *c, struct plan_mount *mounts)
{
	for (size_t i = 0; i < c->count; i++)
		mounts[i] = (struct plan_mount){ .kind = PLAN_BIND, .host = c->paths.items[i], .target = c->targets.items[i] };
}

void building_caches_close(struct building_caches *c)
{
	for (size_t i = 0; i < c->count; i++)
		close(c->locks[i]);
	free(c->locks);
	strlist_release(&c->inside);
	strlist_release(&c->paths);
	strlist_release(&c->targets);
	*c = (struct building_caches){ 0 };
}

/* ---- gc ---- */

static bool is_used(const char *clone, const struct strlist *projects)
{
	for (size_t i = 0; i < projects->count; i++)
		if (uses(projects->items[i], clone))
			return true;
	return false;
}

/* All of the clone's; a build that begins finds one of them locked, and makes it anew. */
static bool take_all(const char *dir, struct strlist *names, int *locks)
{
	struct err busy = ERR_INIT;

	for (size_t i = 0; i < names->count; i++) {
		cleanup_free char *lock = mem_printf("%s/%s/lock", dir, names->items[i]);

		locks[i] = open(lock, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
		if (locks[i] >= 0 && file_lock(locks[i], true, false, &busy) < 0)
			return false;
	}
	return true;
}

static int remove_unused(const char *dir, bool dry_run, bool *removed, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	cleanup_free int *locks = NULL;
	int r = file_names(AT_FDCWD, dir, false, &names, e);

	if (r < 0)
		return -1;
	locks = mem_array(names.count + 1, sizeof(*locks));
	for (size_t i = 0; i < names.count; i++)
		locks[i] = -1;
	*removed = take_all(dir, &names, locks);
	if (*removed && !dry_run)
		r = file_remove_tree(AT_FDCWD, dir, e);
	for (size_t i = 0; i < names.count; i++)
		if (locks[i] >= 0)
			close(locks[i]);
	return r;
}

int building_caches_gc(const struct dirs *d, bool dry_run, void (*gone)(void *data, const char *project, uint64_t bytes),
		       void *data, struct err *e)
{
	cleanup_free char *all = path_join(d->cache, "build");
	cleanup_strlist struct strlist clones = STRLIST_INIT;
	struct err none = ERR_INIT;

	if (file_names(AT_FDCWD, all, false, &clones, &none) < 0) {
		if (none.sys == ENOENT)
			return 0;
		*e = none;
		return -1;
	}
	for (size_t i = 0; i < clones.count; i++) {
		cleanup_free char *dir = directory_of(d, clones.items[i]);
		cleanup_strlist struct strlist projects = STRLIST_INIT;
		bool removed = false;
		uint64_t bytes;

		read_projects(dir, &projects);
		if (is_used(clones.items[i], &projects))
			continue;
		bytes = file_tree_bytes(AT_FDCWD, dir);
		if (remove_unused(dir, dry_run, &removed, e) < 0)
			return -1;
		if (removed)
			gone(data, projects.count ? projects.items[projects.count - 1] : clones.items[i], bytes);
	}
	return 0;
}
