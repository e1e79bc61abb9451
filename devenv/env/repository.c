/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repository.c - git inside.
 *
 * A checkout has its .git in the project. A linked worktree has a .git file that names a directory of its clone, and that
 * clone's git directory is bound at its own path, but only when it answers the link (clone.c; security rule 20).
 *
 * A submodule's .git file names a directory of its superproject's, which is bound when its core.worktree is this project.
 * Of a project that is a subdirectory of its work tree nothing more is visible, unless [sandbox] repository asks for it all.
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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/around.h"
#include "env/clone.h"
#include "env/inputs.h"
#include "env/place.h"

#define MODULES_DEEPEST 8
#define MODULES_MOST 64
#define PLACEHOLDER "This worktree is not part of this environment; the file keeps `git worktree prune` from forgetting it.\n"

struct repository {
	struct draft *d;
	const char *top, *top_inside; /* of the work tree that is visible; the project, or what it lies in */
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

/* /tmp is of the session; a file is mounted there. */
static void put_in_tmp(struct draft *d, const char *dotgit)
{
	const char *file = keep_below(d, d->env->state, "worktree");
	struct err ignored = ERR_INIT;

	/* Two records of one worktree: git forgets one of them some day. */
	for (size_t i = 0; i < d->plan.mount_count; i++)
		if (strcmp(d->plan.mounts[i].target, dotgit) == 0)
			return;
	if (dirs_private(d->env->state, &ignored) < 0 ||
	    (!file_exists(AT_FDCWD, file) && file_replace(AT_FDCWD, file, PLACEHOLDER, strlen(PLACEHOLDER), 0444, FILE_FAST, &ignored) < 0))
		return;
	bind(d, file, draft_copy(d, dotgit), PLAN_MOUNT_READ_ONLY);
}

/* `dotgit`: the .git file of a worktree, as its clone calls it. */
static void put_placeholder(const struct repository *r, const char *dotgit)
{
	struct draft *d = r->d;
	const struct plan *p = &d->plan;
	bool same = strcmp(r->top_inside, r->top) == 0;
	const char *below;
	struct err ignored = ERR_INIT;

	if (dotgit[0] != '/' || strcmp(path_base(dotgit), ".git") != 0 || (same && path_is_below(dotgit, r->top_inside)))
		return;
	below = path_below(dotgit, p->home);
	if (below && *below)
		put_below_home(d, below);
	else if (path_is_below(dotgit, "/tmp") && !path_is_below(dotgit, r->top_inside))
		put_in_tmp(d, dotgit);
	else if (!path_is_below(dotgit, r->top_inside))
		draft_put_file(d, dotgit, PLACEHOLDER, strlen(PLACEHOLDER), 0644, &ignored);
	skeleton_own(&d->skeleton, dotgit);
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
			put_placeholder(r, clean);
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

static void plan_checkout(struct repository *r)
{
	struct draft *d = r->d;

	if (d->env->config.protect != CONFIG_PROTECT_OFF)
		bind(d, r->host, r->inside, flags_of(d));
	protect(r);
	keep_worktrees(r);
}

/* A .git file: of a linked worktree, or of a submodule. Its git directory is bound when it answers. */
static int plan_linked(struct repository *r, struct err *e)
{
	struct draft *d = r->d;
	const char *dotgit = r->host;
	struct input in = { .path = dotgit, .dirfd = AT_FDCWD, .name = dotgit };
	char *answers;

	/* Another .git file is another clone. */
	if (inputs_read(d->env, &in, ERR_FAILED, NULL, e) < 0)
		return -1;
	if (d->env->config.protect != CONFIG_PROTECT_OFF)
		bind(d, dotgit, r->inside, PLAN_MOUNT_READ_ONLY);
	answers = clone_worktree_common(r->top);
	if (!answers)
		answers = clone_submodule_git(r->top);
	if (!answers)
		return 0;
	r->host = draft_keep(d, answers);
	r->inside = path_is_below(r->host, d->plan.home) ? r->host : draft_target(d, r->host, "the clone's git directory", e);
	if (!r->inside)
		return -1;
	bind(d, r->host, r->inside, flags_of(d));
	if (*d->plan.guard)
		d->plan.guard = r->host;
	protect(r);
	keep_worktrees(r);
	return 0;
}

/* The project as a part of a larger work tree, all of which is mounted: git would take what it doesn't see for deleted. */
static int find_top(struct repository *r, const struct env_place *around, struct err *e)
{
	struct draft *d = r->d;
	cleanup_free char *top = around_find(d->env->project);
	cleanup_free char *real = top ? realpath(top, NULL) : NULL;
	const char *target = d->plan.project_target;
	const char *rest = top ? path_below(d->env->project, top) : NULL;
	size_t len = rest ? strlen(rest) : 0, all = strlen(target);

	if (!rest || !real || strcmp(real, around->path) != 0)
		return err_set(e, ERR_FAILED, "the repository around %s was exchanged while it was looked at",
			       text_safe(d->env->project));
	if (all <= len + 1 || strcmp(target + all - len, rest) != 0 || target[all - len - 1] != '/') {
		err_set(e, ERR_CONFIG, "[sandbox] repository = yes: the project can't be at %s inside, because in its repository "
			"it is at %s", text_safe(target), text_safe(rest));
		return err_hint(e, "leave out [workspace] target, or let it end in /%s", text_safe(rest));
	}
	r->top = draft_keep(d, mem_steal(top));
	r->top_inside = draft_keep(d, mem_strndup(target, all - len - 1));
	bind(d, r->top, r->top_inside, 0);
	return 0;
}

static void say_around(struct draft *d)
{
	cleanup_free char *top = around_find(d->env->project);

	if (top && d->env->config.repository == CONFIG_REPOSITORY_UNSET)
		strlist_addf(&d->env->warnings, "git does not work inside: the repository %s around this project is not visible there; "
			     "`repository = yes` in [sandbox] asks for all of it, `no` for none and for this line to go",
			     text_safe(top));
}

int repository_plan(struct draft *d, struct err *e)
{
	const struct env_place *around = place_repository(d->env);
	struct repository r = { .d = d, .top = d->env->project, .top_inside = d->plan.project_target };
	struct stat st;

	if (around && find_top(&r, around, e) < 0)
		return -1;
	r.host = keep_below(d, r.top, ".git");
	r.inside = keep_below(d, r.top_inside, ".git");
	if (d->env->config.protect != CONFIG_PROTECT_OFF)
		d->plan.guard = r.host;
	if (lstat(r.host, &st) < 0) {
		watch(d, r.host);
		say_around(d);
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		plan_checkout(&r);
	return S_ISREG(st.st_mode) ? plan_linked(&r, e) : 0;
}
