/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.c - what sessions left in a project that programs of this machine act on.
 *
 * Theory of operation
 *
 *   A look at the project gives a list of items: one for each setting of its repository that makes git run something
 *   (gitkeys.h), with the value in it, and one for each file of .envrc, .vscode and .idea, with what stat says of it. The
 *   record, <state>/guard, holds the items of the last look. What is not in it is new, and what is new is told once, because
 *   the look that finds it writes the next record.
 *
 *   Your own editing between sessions is no news. The session that makes an environment notes the time, and of the new
 *   items only those count whose file changed since. A later session takes them all: somebody was there all the time. So
 *   does one that finds the mark, a record that nobody may write, which says that the last session of an earlier environment
 *   did not look: its launcher was killed. (A mode, because making a file and removing it takes six times as long.) A change time can't be set by programs, and a file that is moved somewhere, or whose
 *   directory is, gets a new one there or is judged by its directory's.
 *
 *   On the way in that costs one system call, and two more when the environment is made. Everything else happens after the
 *   session, from the root of the host that was opened before: paths inside are the session's to change.
 *   Names and texts are a stranger's. No link is followed, sizes and numbers are bounded, all that is shown is escaped.
 */
#include "plan/guard.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/text.h"
#include "plan/gitkeys.h"

#define RECORD "guard"
#define RECORD_MAX (4u << 20)
#define MODE 0600
#define MODE_BUSY 0400
#define CONFIG_MAX (1u << 20)
#define ITEMS_MOST 2000
#define DIRECTORIES_MOST 300
#define DEEPEST 8
#define SHOWN_MOST 8

static const char *const files[] = { ".envrc", ".vscode", ".idea" };

struct item {
	char *text;  /* for the record */
	char *file;  /* for people: where */
	char *key;   /* which setting; NULL: the file itself */
	int64_t changed_ns;
};

struct look {
	struct item *items;
	size_t count, cap, directories;
	/* of the configuration file that is being read */
	const char *file;
	int64_t changed_ns;
};

static int64_t changed(const struct stat *st, int64_t floor)
{
	int64_t ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;

	return ns > floor ? ns : floor;
}

static void add(struct look *l, char *text /* takes */, const char *file, const char *key, int64_t changed_ns)
{
	if (l->count >= ITEMS_MOST) {
		free(text);
		return;
	}
	l->items = mem_grow(l->items, l->count, &l->cap, sizeof(*l->items));
	l->items[l->count++] = (struct item){ text, mem_strdup(file), key ? mem_strdup(key) : NULL, changed_ns };
}

static void look_release(struct look *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->items[i].text);
		free(l->items[i].file);
		free(l->items[i].key);
	}
	free(l->items);
}

/* ---- looking ---- */

static void add_file(struct look *l, const char *file, const struct stat *st, int64_t floor)
{
	add(l, mem_printf("%s\n%llx:%llx %o %lld %lld.%09ld %lld.%09ld", file, (unsigned long long)st->st_dev,
			  (unsigned long long)st->st_ino, (unsigned int)st->st_mode, (long long)st->st_size,
			  (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec,
			  st->st_ctim.tv_nsec),
	    file, NULL, changed(st, floor));
}

/* A file, or all files of a directory. */
static void look_at_files(struct look *l, int dirfd, const char *name, const char *shown, int64_t floor, int depth)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir;
	int fd;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (!S_ISDIR(st.st_mode)) {
		add_file(l, shown, &st, floor);
		return;
	}
	if (depth >= DEEPEST || l->directories++ >= DIRECTORIES_MOST)
		return;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir)) && l->count < ITEMS_MOST) {
		cleanup_free char *below = mem_printf("%s/%s", shown, entry->d_name);

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			look_at_files(l, fd, entry->d_name, below, changed(&st, floor), depth + 1);
	}
	if (dir)
		closedir(dir);
}

static void take_key(void *data, const char *name, const char *value)
{
	struct look *l = data;

	add(l, mem_printf("%s\n%s\n%s", l->file, name, value), l->file, name, l->changed_ns);
}

static void look_at_config(struct look *l, int git, const char *name, const char *shown, int64_t floor)
{
	cleanup_free char *file = mem_printf("%s/%s", shown, name);
	cleanup_close int fd = openat(git, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || file_read_fd(fd, CONFIG_MAX, &text, &ignored) < 0) {
		/* Not there; or a link, a pipe, too long: nothing that git would have made. */
		if (fstatat(git, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			add_file(l, file, &st, floor);
		return;
	}
	l->file = file;
	l->changed_ns = changed(&st, floor);
	gitkeys_scan(text.data, text.len, take_key, l);
}

static void look_at_git(struct look *l, int git, const char *shown, int64_t floor, bool hooks, int depth);

/* Git directories below modules/ and worktrees/: modules/NAME, where NAME may have slashes. */
static void look_below(struct look *l, int parent, const char *name, const char *shown, int64_t floor, bool hooks, int depth)
{
	int fd = depth < DEEPEST && l->directories++ < DIRECTORIES_MOST
		? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		cleanup_free char *below = mem_printf("%s/%s", shown, entry->d_name);
		cleanup_close int sub = -1;

		if (entry->d_name[0] == '.' || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		sub = openat(fd, entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0 || fstat(sub, &st) < 0)
			continue;
		if (file_exists(sub, "HEAD"))
			look_at_git(l, sub, below, changed(&st, floor), hooks, depth + 1);
		else
			look_below(l, fd, entry->d_name, below, changed(&st, floor), hooks, depth + 1);
	}
	if (dir)
		closedir(dir);
}

static void look_at_git(struct look *l, int git, const char *shown, int64_t floor, bool hooks, int depth)
{
	cleanup_free char *modules = mem_printf("%s/modules", shown), *worktrees = mem_printf("%s/worktrees", shown);
	cleanup_free char *common = mem_printf("%s/commondir", shown), *own_hooks = mem_printf("%s/hooks", shown);

	look_at_config(l, git, "config", shown, floor);
	look_at_config(l, git, "config.worktree", shown, floor);
	/* It names the directory that configuration and hooks are read from. */
	look_at_files(l, git, "commondir", common, floor, DEEPEST);
	if (hooks)
		look_at_files(l, git, "hooks", own_hooks, floor, DEEPEST - 1);
	look_below(l, git, "modules", modules, floor, hooks, depth + 1);
	look_below(l, git, "worktrees", worktrees, floor, hooks, depth + 1);
}

static void look(struct look *l, int project, int git, const char *shown, bool pinned)
{
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		look_at_files(l, project, files[i], files[i], 0, 0);
	/* One that is mounted on itself is the one that it was, and so are its hooks. */
	if (git >= 0 && fstat(git, &st) == 0)
		look_at_git(l, git, shown, pinned ? 0 : changed(&st, 0), !pinned, 0);
	else
		look_at_files(l, project, ".git", ".git", 0, DEEPEST);
}

/* ---- the record ---- */

/* Every item with the NUL at its end. */
static void format(const struct look *l, struct buf *out)
{
	for (size_t i = 0; i < l->count; i++)
		buf_add(out, l->items[i].text, strlen(l->items[i].text) + 1);
}

static bool has(const struct buf *record, const char *text)
{
	for (size_t at = 0; at < record->len; at += strlen(record->data + at) + 1)
		if (strcmp(record->data + at, text) == 0)
			return true;
	return false;
}

/* Of the host, wherever this process is now. */
static int open_directory(int host, const char *path)
{
	return sys_openat2(host, path, O_PATH | O_DIRECTORY, 0, SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
}

/* The whole work tree is visible: editors and direnv are often started at its top. */
static void look_at_top(struct look *l, int host, const struct plan *p)
{
	cleanup_free char *top = path_parent(p->guard);
	cleanup_close int fd = -1;
	bool mounted = false;

	for (size_t i = 0; i < p->mount_count && !mounted; i++)
		mounted = strcmp(p->mounts[i].host, top) == 0;
	if (!mounted || strcmp(top, p->project) == 0)
		return;
	fd = open_directory(host, top);
	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(files); i++) {
		cleanup_free char *shown = path_join(top, files[i]);

		look_at_files(l, fd, files[i], shown, 0, 0);
	}
}

static int look_at_project(struct look *l, int host, const struct plan *p)
{
	cleanup_free char *dotgit = path_join(p->project, ".git");
	cleanup_close int project = open_directory(host, p->project), git = -1;
	bool own = strcmp(p->guard, dotgit) == 0, pinned = false;

	for (size_t i = 0; i < p->mount_count && !pinned; i++)
		pinned = strcmp(p->mounts[i].host, p->guard) == 0;
	if (project < 0)
		return -1;
	git = own ? openat(project, ".git", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : open_directory(host, p->guard);
	look(l, project, git, own ? ".git" : p->guard, pinned);
	look_at_top(l, host, p);
	return 0;
}

void guard_record(const struct plan *p)
{
	cleanup_free char *path = path_join(p->state, RECORD);
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_close int host = -1;
	struct err ignored = ERR_INIT;
	struct look l = { 0 };

	if (!*p->guard || file_exists(AT_FDCWD, path))
		return;
	host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (host >= 0 && look_at_project(&l, host, p) == 0) {
		format(&l, &text);
		file_replace(AT_FDCWD, path, text.data, text.len, MODE, FILE_FAST, &ignored);
	}
	look_release(&l);
}

/* ---- a session ---- */

void guard_begin(struct guard *g, const struct plan *p, bool created)
{
	cleanup_free char *record = NULL;
	struct timespec now;
	struct stat st;

	*g = (struct guard){ .host = -1 };
	if (!*p->guard)
		return;
	g->host = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (g->host < 0 || !created)
		return;
	/* The clock that files are stamped by. */
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	record = path_join(p->state, RECORD);
	if (lstat(record, &st) == 0 && (st.st_mode & 0777) == MODE && chmod(record, MODE_BUSY) == 0)
		g->since_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool same_place(const struct item *a, const struct item *b)
{
	return strcmp(a->file, b->file) == 0 && !a->key == !b->key && (!a->key || strcmp(a->key, b->key) == 0);
}

/* The places that something new is at, each once. */
static void tell(const struct look *l, const bool *is_new, bool keys, const char *what, struct buf *out)
{
	const char *file = NULL;
	size_t shown = 0, more = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct item *item = &l->items[i];
		bool told = !is_new[i] || !item->key == keys;

		for (size_t j = 0; j < i && !told; j++)
			told = is_new[j] && same_place(&l->items[j], item);
		if (told)
			continue;
		if (shown >= SHOWN_MOST) {
			more++;
			continue;
		}
		if (!shown)
			buf_addf(out, "%s%s", out->len ? "\n" : "", what);
		buf_adds(out, shown++ ? ", " : " ");
		text_escape(out, keys ? item->key : item->file);
		if (keys && (!file || strcmp(file, item->file) != 0))
			buf_addf(out, " (in %s)", text_safe(item->file));
		file = item->file;
	}
	if (more)
		buf_addf(out, " and %zu more", more);
}

static void take_mark_off(int state)
{
	if (fchmodat(state, RECORD, MODE, 0) < 0)
		return; /* the next session takes all that is new for news: more than need be */
}

void guard_end(struct guard *g, const struct plan *p, bool last, struct buf *out)
{
	cleanup_buf struct buf before = BUF_INIT, after = BUF_INIT;
	cleanup_free bool *is_new = NULL;
	cleanup_close int host = mem_steal_fd(g->host), state = -1;
	struct err ignored = ERR_INIT;
	struct look l = { 0 };

	if (host < 0)
		return;
	state = open_directory(host, p->state);
	if (state < 0 || file_read(state, RECORD, RECORD_MAX, O_NOFOLLOW, &before, NULL, &ignored) < 0 ||
	    look_at_project(&l, host, p) < 0)
		return;
	is_new = mem_array(l.count + 1, sizeof(*is_new));
	for (size_t i = 0; i < l.count; i++)
		is_new[i] = l.items[i].changed_ns >= g->since_ns && !has(&before, l.items[i].text);
	tell(&l, is_new, true, "settings that make git of this machine run programs, or use other servers, appeared:", out);
	tell(&l, is_new, false, "files that programs of this machine act on were changed:", out);
	format(&l, &after);
	if (before.len != after.len || memcmp(before.data, after.data, after.len) != 0)
		file_replace(state, RECORD, after.data, after.len, last ? MODE : MODE_BUSY, FILE_FAST, &ignored);
	else if (last)
		take_mark_off(state);
	look_release(&l);
}
