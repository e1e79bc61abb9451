/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repository.c - git inside.
 *
 * A checkout has its .git in the project. A linked worktree has a .git file that names a directory of its clone, and that
 * clone's git directory is bound at its own path, but only when it answers the link (clone.c; security rule 20).
 *
 * protect = hooks: .git is mounted on itself, so that it can't be renamed away (EBUSY) and another one put in its place,
 * and the hooks of the repository and its submodules are read-only. Nothing that is tracked is mounted over: git would
 * do half of a checkout. Everything is compared by device and inode with what was seen here, so that a link put in its
 * place later is another plan and not another directory.
 *
 * `git worktree prune` forgets worktrees whose .git file it can't see. Those of other worktrees are not visible inside,
 * so a file that says why stands in each of their places.
 */
#include "env/repository.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/clone.h"
#include "env/inputs.h"

#define MODULES_DEEPEST 8
#define MODULES_MOST 64
#define PLACEHOLDER "This worktree is not part of this environment; the file keeps `git worktree prune` from forgetting it.\n"

struct repository {
	struct draft *d;
	const char *host;    /* the git directory on the host; owned by the draft */
	const char *inside; /* and inside */
	bool read_only;
	size_t modules;
};

/* A mount of what is there now; nothing when it is not, or is a link. */
static void bind(struct draft *d, const char *host, const char *inside, unsigned int flags)
{
	struct plan_mount m = { .kind = PLAN_BIND, .flags = flags, .host = host, .target = inside };
	struct stat st;

	if (lstat(host, &st) < 0 || (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)))
		return;
	if (S_ISREG(st.st_mode))
		m.flags |= PLAN_MOUNT_FILE;
	m.dev = st.st_dev;
	m.ino = st.st_ino;
	plan_add_mount(&d->plan, m);
}

static const char *keep_below(struct draft *d, const char *dir, const char *name)
{
	return draft_keep(d, path_join(dir, name));
}

static void bind_hooks(struct repository *r, const char *below)
{
	const char *host = keep_below(r->d, r->host, below), *inside = keep_below(r->d, r->inside, below);

	bind(r->d, host, inside, PLAN_MOUNT_READ_ONLY);
}

/* Submodules: modules/NAME is a git directory, and NAME may have slashes. Each may have modules of its own. */
static void bind_module_hooks(struct repository *r, const char *below, unsigned int depth)
{
	cleanup_free char *path = path_join(r->host, below);
	struct dirent *entry;
	DIR *dir = depth < MODULES_DEEPEST ? opendir(path) : NULL;

	while (dir && (entry = readdir(dir))) {
		cleanup_free char *name = path_join(below, entry->d_name);
		cleanup_free char *head = mem_printf("%s/%s/HEAD", r->host, name);
		cleanup_free char *hooks = path_join(name, "hooks");
		cleanup_free char *nested = path_join(name, "modules");

		if (entry->d_name[0] == '.' || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		if (!file_exists(AT_FDCWD, head)) {
			bind_module_hooks(r, name, depth + 1);
			continue;
		}
		if (r->modules++ < MODULES_MOST)
			bind_hooks(r, hooks);
		bind_module_hooks(r, nested, depth + 1);
	}
	if (dir)
		closedir(dir);
}

/* git makes this directory itself where its template has it; without it there would be nothing to make read-only. */
static void make_hooks(const struct repository *r)
{
	cleanup_free char *head = path_join(r->host, "HEAD"), *hooks = path_join(r->host, "hooks");

	if (file_exists(AT_FDCWD, head))
		mkdir(hooks, 0777);
}

/* ---- other worktrees ---- */

static void watch(struct draft *d, const char *path)
{
	struct timespec now;
	struct plan_watch w;
	struct stat st;
	bool there = stat(path, &st) == 0;

	clock_gettime(CLOCK_REALTIME, &now);
	plan_watch_from_stat(&w, path, there ? &st : NULL, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
	plan_add_watch(&d->plan, w);
}

/* The environment's home is kept on disk and covers the generated layer, so what is below it is put there. */
static void put_below_home(struct draft *d, const char *below)
{
	cleanup_free char *home = path_join(d->env->state, "home");
	cleanup_free char *parent = path_parent(below);
	struct err ignored = ERR_INIT;
	cleanup_close int home_fd = -1, fd = -1, file = -1;

	if (dirs_private(d->env->state, &ignored) < 0 || file_mkdirs(AT_FDCWD, home, 0700, &ignored) < 0)
		return;
	home_fd = file_open_dir(AT_FDCWD, home, &ignored);
	fd = home_fd < 0 ? -1 : file_open_dirs_beneath(home_fd, parent, 0755, &ignored);
	if (fd < 0)
		return;
	file = openat(fd, path_base(below), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (file >= 0)
		file_write_all(file, PLACEHOLDER, strlen(PLACEHOLDER), &ignored);
}

/* `dotgit`: the .git file of a worktree, as its clone calls it. */
static void put_placeholder(struct draft *d, const char *dotgit)
{
	const struct plan *p = &d->plan;
	bool same = strcmp(p->project_target, d->env->project) == 0;
	const char *below;
	struct err ignored = ERR_INIT;

	if (dotgit[0] != '/' || strcmp(path_base(dotgit), ".git") != 0 || (same && path_is_below(dotgit, p->project_target)))
		return;
	below = path_below(dotgit, p->home);
	if (below && *below)
		put_below_home(d, below);
	else if (!path_is_below(dotgit, p->project_target))
		draft_put_file(d, dotgit, PLACEHOLDER, strlen(PLACEHOLDER), 0644, &ignored);
}

static void keep_worktrees(struct repository *r)
{
	const char *worktrees = keep_below(r->d, r->host, "worktrees");
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	watch(r->d, worktrees);
	file_names(AT_FDCWD, worktrees, false, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = mem_printf("%s/%s/gitdir", worktrees, names.items[i]);
		cleanup_free char *line = file_line(path);
		cleanup_free char *clean = line ? path_clean(line) : NULL;

		if (clean)
			put_placeholder(r->d, clean);
	}
}

/* ---- all of it ---- */

static void protect(struct repository *r)
{
	if (r->d->env->config.protect != CONFIG_PROTECT_HOOKS)
		return;
	make_hooks(r);
	bind_hooks(r, "hooks");
	watch(r->d, keep_below(r->d, r->host, "modules"));
	bind_module_hooks(r, "modules", 0);
}

static unsigned int flags_of(const struct draft *d)
{
	return d->env->config.protect == CONFIG_PROTECT_GIT ? PLAN_MOUNT_READ_ONLY : 0;
}

static void plan_checkout(struct draft *d, const char *host, const char *inside)
{
	struct repository r = { .d = d, .host = host, .inside = inside };

	if (d->env->config.protect != CONFIG_PROTECT_OFF)
		bind(d, host, inside, flags_of(d));
	protect(&r);
	keep_worktrees(&r);
}

static int plan_worktree(struct draft *d, const char *dotgit, const char *inside, struct err *e)
{
	struct input in = { .path = dotgit, .dirfd = AT_FDCWD, .name = dotgit };
	struct repository r = { .d = d };
	char *common;

	/* Another .git file is another clone. */
	if (inputs_read(d->env, &in, ERR_FAILED, NULL, e) < 0)
		return -1;
	if (d->env->config.protect != CONFIG_PROTECT_OFF)
		bind(d, dotgit, inside, PLAN_MOUNT_READ_ONLY);
	common = clone_worktree_common(d->env->project);
	if (!common)
		return 0;
	r.host = draft_keep(d, common);
	r.inside = path_is_below(r.host, d->plan.home) ? r.host : draft_target(d, r.host, "the clone's git directory", e);
	if (!r.inside)
		return -1;
	bind(d, r.host, r.inside, flags_of(d));
	if (*d->plan.guard)
		d->plan.guard = r.host;
	protect(&r);
	keep_worktrees(&r);
	return 0;
}

int repository_plan(struct draft *d, struct err *e)
{
	const char *host = keep_below(d, d->env->project, ".git");
	const char *inside = keep_below(d, d->plan.project_target, ".git");
	struct stat st;

	if (d->env->config.protect != CONFIG_PROTECT_OFF)
		d->plan.guard = host;
	if (lstat(host, &st) < 0) {
		watch(d, host);
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		plan_checkout(d, host, inside);
	return S_ISREG(st.st_mode) ? plan_worktree(d, host, inside, e) : 0;
}
