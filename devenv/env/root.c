/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root.c - looking into a stack of layers.
 *
 * A walk keeps the list of layers that take part in the directory it stands in. One step looks the name up in each of
 * them from the top: the first hit says what it is; directories go on collecting layers until a whiteout, an opaque
 * directory or something that is no directory. Layers are opened with RESOLVE_NO_SYMLINKS and RESOLVE_BENEATH on paths
 * that the walk has made link-free, so a planted link can't lead anywhere.
 */
#include "env/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/text.h"

#define LINKS_MAX 40
#define BENEATH (SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS)

void root_add_layer(struct root *r, int fd)
{
	r->fds = mem_resize(r->fds, r->count + 1, sizeof(*r->fds));
	r->fds[r->count++] = fd;
}

void root_release(struct root *r)
{
	for (size_t i = 0; i < r->count; i++)
		close(r->fds[i]);
	free(r->fds);
	*r = (struct root){ 0 };
}

void root_entry_release(struct root_entry *entry)
{
	free(entry->path);
	*entry = (struct root_entry){ 0 };
}

/* ---- one layer ---- */

/* An extended attribute of what an O_PATH descriptor names: fgetxattr refuses such descriptors. */
static ssize_t attribute(int fd, const char *name, char *value, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return getxattr(path, name, value, size);
}

static bool is_whiteout(int fd, const struct stat *st)
{
	if (S_ISCHR(st->st_mode))
		return major(st->st_rdev) == 0 && minor(st->st_rdev) == 0;
	return S_ISREG(st->st_mode) && st->st_size == 0 && attribute(fd, "user.overlay.whiteout", NULL, 0) >= 0;
}

static bool is_opaque(int fd)
{
	char value[2];

	return attribute(fd, "user.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y';
}

/* ---- the stack ---- */

struct walk { /* a directory that the walk stands in */
	size_t *layers; /* those that take part, topmost first */
	size_t count;
};

static enum root_kind kind_of(mode_t mode)
{
	return S_ISDIR(mode) ? ROOT_DIRECTORY : S_ISREG(mode) ? ROOT_FILE : S_ISLNK(mode) ? ROOT_LINK : ROOT_OTHER;
}

static void walk_at_root(const struct root *r, struct walk *w)
{
	w->count = r->count;
	for (size_t i = 0; i < r->count; i++)
		w->layers[i] = i;
}

/* Look up a link-free path whose parent is `from`. Fills *out but its path, and for a directory *to (from is fine). */
static int step(const struct root *r, const struct walk *from, const char *path, struct walk *to,
		struct root_entry *out, struct err *e)
{
	const char *relative = path[1] ? path + 1 : ".";
	size_t count = 0, n = from->count;

	out->kind = ROOT_MISSING;
	for (size_t i = 0; i < n; i++) {
		size_t layer = from->layers[i];
		cleanup_close int fd = sys_openat2(r->fds[layer], relative, O_PATH | O_NOFOLLOW, 0, BENEATH);
		struct stat st;

		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG))
			continue;
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_sys(e, "can't look at %s in the image", text_safe(path));
		if (is_whiteout(fd, &st) || (count && !S_ISDIR(st.st_mode)))
			break;
		if (out->kind == ROOT_MISSING) {
			out->kind = kind_of(st.st_mode);
			out->st = st;
			out->layer = layer;
		}
		if (!S_ISDIR(st.st_mode))
			break;
		to->layers[count++] = layer;
		if (is_opaque(fd))
			break;
	}
	if (count)
		to->count = count;
	return 0;
}

static int read_link(const struct root *r, const struct root_entry *entry, const char *path, char target[PATH_MAX],
		     struct err *e)
{
	cleanup_close int fd = sys_openat2(r->fds[entry->layer], path + 1, O_PATH | O_NOFOLLOW, 0, BENEATH);
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, PATH_MAX - 1);

	if (n < 0)
		return err_sys(e, "can't read the link %s in the image", text_safe(path));
	target[n] = '\0';
	return 0;
}

/* Stand at the root again and walk down to `path`, known to be a directory without links. */
static int walk_to(const struct root *r, const char *path, struct walk *w, struct err *e)
{
	struct root_entry ignored = { 0 };

	walk_at_root(r, w);
	for (const char *end = path; *end;) {
		cleanup_free char *part = NULL;

		end += strcspn(end + 1, "/") + 1;
		part = mem_strndup(path, (size_t)(end - path));
		if (strcmp(part, "/") != 0 && step(r, w, part, w, &ignored, e) < 0)
			return -1;
	}
	return 0;
}

/* The state of one resolution: `done` is link-free and absolute ("" is the root), `todo` is what is left. */
struct resolution {
	struct buf done, todo;
	struct walk walk;
	unsigned int links;
};

static void put_todo(struct resolution *s, const char *first, const char *rest)
{
	cleanup_free char *joined = mem_printf("%s/%s", first, rest);

	buf_clear(&s->todo);
	buf_adds(&s->todo, joined);
}

static int go_up(const struct root *r, struct resolution *s, struct err *e)
{
	char *slash = strrchr(s->done.data, '/');

	if (!slash)
		return 0;
	s->done.len = (size_t)(slash - s->done.data);
	*slash = '\0';
	return walk_to(r, s->done.len ? s->done.data : "/", &s->walk, e);
}

static int follow_link(const struct root *r, struct resolution *s, size_t parent_len, const char *rest,
		       struct root_entry *entry, struct err *e)
{
	char target[PATH_MAX];

	if (++s->links > LINKS_MAX)
		return err_set(e, ERR_INTEGRITY, "too many symbolic links at %s in the image", text_safe(s->done.data));
	if (read_link(r, entry, s->done.data, target, e) < 0)
		return -1;
	s->done.len = target[0] == '/' ? 0 : parent_len;
	if (s->done.cap)
		s->done.data[s->done.len] = '\0';
	if (target[0] == '/')
		walk_at_root(r, &s->walk);
	/* The walk stands in a directory again, and stays there if the link said no more than "/" or ".". */
	entry->kind = ROOT_DIRECTORY;
	put_todo(s, target, rest);
	return 0;
}

/* What is missing has no links: the rest is taken as text. */
static void finish_missing(struct resolution *s, const char *rest)
{
	cleanup_free char *whole = mem_printf("%s/%s", s->done.data, rest);
	cleanup_free char *clean = path_clean(whole);

	buf_clear(&s->done);
	buf_adds(&s->done, clean);
}

/* One component. 1: go on; 0: *out says what was found; -1: failed. */
static int advance(const struct root *r, struct resolution *s, enum root_follow follow, struct root_entry *out,
		   struct err *e)
{
	cleanup_free char *all = mem_strdup(s->todo.data);
	const char *name = all + strspn(all, "/");
	size_t len = strcspn(name, "/"), parent_len = s->done.len;
	const char *rest = name + len + strspn(name + len, "/");

	if (len == 0)
		return 0;
	buf_clear(&s->todo);
	buf_adds(&s->todo, rest);
	if (len == 1 && name[0] == '.')
		return 1;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		out->kind = ROOT_DIRECTORY;
		return go_up(r, s, e) < 0 ? -1 : 1;
	}
	buf_addf(&s->done, "/%.*s", (int)len, name);
	if (step(r, &s->walk, s->done.data, &s->walk, out, e) < 0)
		return -1;
	if (out->kind == ROOT_LINK && (*rest || follow == ROOT_FOLLOW))
		return follow_link(r, s, parent_len, rest, out, e) < 0 ? -1 : 1;
	if (out->kind == ROOT_DIRECTORY)
		return 1;
	if (!*rest)
		return 0;
	out->kind = ROOT_MISSING;
	finish_missing(s, rest);
	return 0;
}

int root_resolve(const struct root *r, const char *path, enum root_follow follow, struct root_entry *out, struct err *e)
{
	struct resolution s = { .done = BUF_INIT, .todo = BUF_INIT };
	int more = 1;

	*out = (struct root_entry){ .kind = ROOT_DIRECTORY };
	s.walk.layers = mem_array(r->count ? r->count : 1, sizeof(size_t));
	walk_at_root(r, &s.walk);
	if (step(r, &s.walk, "/", &s.walk, out, e) < 0)
		more = -1;
	buf_adds(&s.todo, path);
	while (more > 0)
		more = advance(r, &s, follow, out, e);
	/* After ".." or a link to "/" the stat is of something else: look once more. */
	if (more == 0 && out->kind == ROOT_DIRECTORY && s.done.len == 0) {
		walk_at_root(r, &s.walk);
		more = step(r, &s.walk, "/", &s.walk, out, e);
	} else if (more == 0 && out->kind == ROOT_DIRECTORY) {
		cleanup_free char *parent = path_parent(s.done.data);

		more = walk_to(r, parent, &s.walk, e);
		if (more == 0)
			more = step(r, &s.walk, s.done.data, &s.walk, out, e);
	}
	if (more == 0)
		out->path = mem_strdup(s.done.len ? s.done.data : "/");
	free(s.walk.layers);
	buf_release(&s.done);
	buf_release(&s.todo);
	return more;
}

int root_open(const struct root *r, const char *path, struct err *e)
{
	struct root_entry entry;
	int fd;

	if (root_resolve(r, path, ROOT_FOLLOW, &entry, e) < 0)
		return -1;
	if (entry.kind != ROOT_FILE) {
		root_entry_release(&entry);
		return err_set(e, ERR_NOT_FOUND, "the image has no file %s", text_safe(path));
	}
	fd = sys_openat2(r->fds[entry.layer], entry.path + 1, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0, BENEATH);
	root_entry_release(&entry);
	return fd < 0 ? err_sys(e, "can't open %s in the image", text_safe(path)) : fd;
}

int root_read(const struct root *r, const char *path, size_t max, struct buf *out, struct err *e)
{
	cleanup_close int fd = root_open(r, path, e);

	if (fd < 0 && e->code == ERR_NOT_FOUND) {
		*e = ERR_INIT;
		return 0;
	}
	if (fd < 0)
		return -1;
	if (file_read_fd(fd, max, out, e) < 0)
		return err_wrap(e, "can't read %s in the image", text_safe(path));
	return 1;
}

static int list_layer(int layer_fd, const char *path, struct strlist *names, struct err *e)
{
	int fd = sys_openat2(layer_fd, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, BENEATH);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return err_sys(e, "can't list %s in the image", text_safe(path));
	}
	while ((d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			strlist_add(names, d->d_name);
	closedir(dir);
	return 0;
}

int root_list(const struct root *r, const char *path, struct strlist *names, struct err *e)
{
	cleanup_strlist struct strlist found = STRLIST_INIT;
	struct root_entry entry, child;
	struct walk w;
	int result;

	if (root_resolve(r, path, ROOT_FOLLOW, &entry, e) < 0)
		return -1;
	w.layers = mem_array(r->count ? r->count : 1, sizeof(size_t));
	result = entry.kind == ROOT_DIRECTORY ? walk_to(r, entry.path, &w, e) : 0;
	for (size_t i = 0; entry.kind == ROOT_DIRECTORY && result == 0 && i < w.count; i++)
		result = list_layer(r->fds[w.layers[i]], entry.path, &found, e);
	strlist_sort(&found); /* then what several layers have is side by side */
	/* A name of a lower layer may be hidden by a whiteout: ask for each as anybody else would. */
	for (size_t i = 0; result == 0 && i < found.count; i++) {
		cleanup_free char *full = path_join(entry.path, found.items[i]);

		if (i && strcmp(found.items[i], found.items[i - 1]) == 0)
			continue;
		result = root_resolve(r, full, ROOT_NOFOLLOW, &child, e);
		if (result == 0 && child.kind != ROOT_MISSING)
			strlist_add(names, found.items[i]);
		if (result == 0)
			root_entry_release(&child);
	}
	strlist_sort(names);
	free(w.layers);
	root_entry_release(&entry);
	return result;
}
