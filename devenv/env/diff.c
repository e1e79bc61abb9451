/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff.c - what a scratch layer changed.
 *
 * An upper layer holds what was written, and 0:0 devices where something was deleted; a directory that took the place of a
 * deleted one is marked opaque, and hides the names below it without a mark for each. Directories are there for the
 * sake of what is in them, so of those that were there before only a changed mode or owner is a change. What was copied up and written
 * with the same bytes is a change all the same: nobody can tell from outside, and reading everything would take its time.
 *
 * The layers below are asked by root.c. Where a directory replaced a file or a link, nothing below it was there before, and
 * it is not asked: it would follow that link.
 */
#include "env/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/installed.h"
#include "plan/upper.h"

struct tree {
	struct diff *diff;
	const struct root *below;
	const char *prefix;    /* where the tree is inside: "" for the root */
	char *fresh, *replaced; /* directories: nothing was there before; opaque. "" for none; paths as root.h takes them */
	struct stat maker;     /* whose the directory is that the scratch lies in */
	struct err error;
};

static void add_change(struct tree *t, enum diff_kind kind, const char *path, bool directory)
{
	struct diff *d = t->diff;

	d->changes = mem_grow(d->changes, d->change_count, &d->change_cap, sizeof(*d->changes));
	d->changes[d->change_count++] = (struct diff_change){ .kind = kind, .directory = directory,
							      .path = mem_printf("%s%s", t->prefix, path),
							      .passing = !*t->prefix && upper_is_passing(path + 1) };
}

static void set_path(char **to, const char *path)
{
	free(*to);
	*to = mem_strdup(path);
}

static bool is_in(const char *path, const char *dir)
{
	return *dir && path_is_below(path, dir);
}

static bool is_opaque(int dirfd, const char *name)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char value[2];

	return fd >= 0 && fgetxattr(fd, "user.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y';
}

/* Names that an opaque directory hides, and has none of its own for. */
static int add_hidden(struct tree *t, int dirfd, const char *name, const char *path, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || root_list(t->below, path, &names, e) < 0)
		return fd < 0 ? 0 : -1;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *below = path_join(path, names.items[i]);
		struct root_entry was;
		struct stat st;

		if (fstatat(fd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (root_resolve(t->below, below, ROOT_NOFOLLOW, &was, e) < 0)
			return -1;
		add_change(t, DIFF_DELETED, below, was.kind == ROOT_DIRECTORY);
		root_entry_release(&was);
	}
	return 0;
}

/* `a` is of the scratch: what is its maker's there is ours elsewhere, whoever root has become for that (plan/demote.h). */
static bool has_other_mode(const struct tree *t, const struct stat *a, const struct stat *b)
{
	uid_t uid = a->st_uid;
	gid_t gid = a->st_gid;

	if (t->maker.st_uid != geteuid()) {
		uid = uid == t->maker.st_uid ? geteuid() : uid;
		gid = gid == t->maker.st_gid ? getegid() : gid;
	}
	return (a->st_mode & 07777) != (b->st_mode & 07777) || uid != b->st_uid || gid != b->st_gid;
}

static int compare_directory(struct tree *t, int dirfd, const char *path, const struct stat *st,
			     const struct root_entry *was, struct err *e)
{
	const char *name = path_base(path);

	if (was->kind != ROOT_DIRECTORY) {
		add_change(t, was->kind == ROOT_MISSING ? DIFF_ADDED : DIFF_MODIFIED, path, true);
		set_path(&t->fresh, path);
		return 0;
	}
	if (has_other_mode(t, st, &was->st))
		add_change(t, DIFF_MODIFIED, path, true);
	if (!is_in(path, t->replaced) && !is_opaque(dirfd, name))
		return 0;
	if (!is_in(path, t->replaced))
		set_path(&t->replaced, path);
	return add_hidden(t, dirfd, name, path, e);
}

static int compare(struct tree *t, int dirfd, const char *path, const struct stat *st, struct err *e)
{
	struct root_entry was = { .kind = ROOT_MISSING };
	int r = 0;

	if (!is_in(path, t->fresh) && root_resolve(t->below, path, ROOT_NOFOLLOW, &was, e) < 0)
		return -1;
	if (upper_is_whiteout(st)) {
		if (was.kind != ROOT_MISSING)
			add_change(t, DIFF_DELETED, path, was.kind == ROOT_DIRECTORY);
	} else if (!S_ISDIR(st->st_mode)) {
		add_change(t, was.kind == ROOT_MISSING ? DIFF_ADDED : DIFF_MODIFIED, path, false);
	} else if (is_in(path, t->fresh)) {
		add_change(t, DIFF_ADDED, path, true);
	} else {
		r = compare_directory(t, dirfd, path, st, &was, e);
	}
	root_entry_release(&was);
	return r;
}

static bool visit(struct upper_walk *w, int dirfd, const char *relative, const struct stat *st)
{
	cleanup_free char *path = mem_printf("/%s", relative);
	struct tree *t = w->data;

	return !t->error.code && compare(t, dirfd, path, st, &t->error) == 0;
}

static int compare_tree(struct diff *d, int dirfd, const char *name, const struct root *below, const char *prefix,
			struct err *e)
{
	struct tree t = { .diff = d, .below = below, .prefix = prefix, .error = ERR_INIT,
			  .fresh = mem_strdup(""), .replaced = mem_strdup("") };
	struct upper_walk w = { .visit = visit, .data = &t };
	int r = fstat(dirfd, &t.maker);

	if (r < 0)
		err_sys(&t.error, "can't look at the scratch layer");
	else
		upper_walk(&w, dirfd, name);
	d->incomplete = d->incomplete || w.incomplete;
	free(t.fresh);
	free(t.replaced);
	if (!t.error.code)
		return 0;
	*e = t.error;
	return -1;
}

/* ---- packages ---- */

struct owner { /* of a path */
	char *path;
	size_t package; /* index + 1 */
};
struct owners {
	struct owner *items;
	size_t count, cap;
};

static int by_owned_path(const void *a, const void *b)
{
	return strcmp(((const struct owner *)a)->path, ((const struct owner *)b)->path);
}

static int note_owner(struct owners *o, const struct root *r, const struct installed_package *p, size_t package,
		      struct err *e)
{
	cleanup_strlist struct strlist paths = STRLIST_INIT;

	if (installed_files(r, p, &paths, e) < 0)
		return -1;
	for (size_t i = 0; i < paths.count; i++) {
		o->items = mem_grow(o->items, o->count, &o->cap, sizeof(*o->items));
		o->items[o->count++] = (struct owner){ paths.items[i], package };
		paths.items[i] = NULL; /* theirs now */
	}
	paths.count = 0;
	return 0;
}

static size_t owner_of(const struct owners *o, const char *path)
{
	static const char *const merged[] = { "/usr/bin/", "/usr/sbin/", "/usr/lib" };
	const struct owner key = { (char *)path, 0 };
	const struct owner *found = o->count ? bsearch(&key, o->items, o->count, sizeof(*o->items), by_owned_path) : NULL;

	/* Packages made before /bin and /lib became links still name those. */
	for (size_t i = 0; !found && i < ARRAY_SIZE(merged); i++)
		if (text_starts(path, merged[i]))
			return owner_of(o, path + strlen("/usr"));
	return found ? found->package : 0;
}

struct two { /* a root without and with the upper layer, and what each has */
	const struct root *roots[2];
	struct installed packages[2];
};

static int add_package(struct diff *d, const struct two *t, const struct installed_package *was,
		       const struct installed_package *is, struct owners *o, struct err *e)
{
	const struct installed_package *both[2] = { was, is }, *named = is ? is : was;

	if (!named || (was && is && strcmp(was->version, is->version) == 0))
		return 0;
	d->packages = mem_grow(d->packages, d->package_count, &d->package_cap, sizeof(*d->packages));
	d->packages[d->package_count++] = (struct diff_package){
		.kind = !was ? DIFF_ADDED : !is ? DIFF_DELETED : DIFF_MODIFIED,
		.name = mem_strdup(named->name),
		.from = was ? mem_strdup(was->version) : NULL,
		.to = is ? mem_strdup(is->version) : NULL,
	};
	for (size_t i = 0; i < 2; i++)
		if (both[i] && note_owner(o, t->roots[i], both[i], d->package_count, e) < 0)
			return -1;
	return 0;
}

static int compare_packages(struct diff *d, const struct two *t, struct owners *o, struct err *e)
{
	const struct installed *was = &t->packages[0], *is = &t->packages[1];
	size_t i = 0, j = 0;

	while (i < was->count || j < is->count) {
		int order = i == was->count ? 1 : j == is->count ? -1 : installed_compare(&was->items[i], &is->items[j]);

		if (add_package(d, t, order <= 0 ? &was->items[i] : NULL, order >= 0 ? &is->items[j] : NULL, o, e) < 0)
			return -1;
		i += order <= 0;
		j += order >= 0;
	}
	return 0;
}

static void assign_owners(struct diff *d, struct owners *o)
{
	if (o->count)
		qsort(o->items, o->count, sizeof(*o->items), by_owned_path);
	for (size_t i = 0; i < d->change_count; i++) {
		d->changes[i].package = owner_of(o, d->changes[i].path);
		if (d->changes[i].package)
			d->packages[d->changes[i].package - 1].files++;
	}
}

static int sum_up_packages(struct diff *d, const struct root *below, const struct root *with, struct err *e)
{
	struct two t = { .roots = { below, with } };
	struct owners o = { 0 };
	int r = -1;

	if (!installed_is_on_top(with))
		return 0;
	if (installed_read(below, &t.packages[0], e) == 0 && installed_read(with, &t.packages[1], e) == 0 &&
	    compare_packages(d, &t, &o, e) == 0) {
		assign_owners(d, &o);
		r = 0;
	}
	for (size_t i = 0; i < o.count; i++)
		free(o.items[i].path);
	free(o.items);
	installed_release(&t.packages[0]);
	installed_release(&t.packages[1]);
	return r;
}

/* ---- all of it ---- */

static int add_layer(struct root *r, int dirfd, const char *path, struct err *e)
{
	int fd = openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "can't open %s", text_safe(path));
	root_add_layer(r, fd);
	return 0;
}

static int compare_root(const struct diff_place *p, struct diff *out, struct err *e)
{
	struct root below = { 0 }, with = { 0 };
	int r = add_layer(&with, p->scratch_fd, "upper", e);

	for (size_t i = 0; r == 0 && i < p->layers.count; i++) {
		r = add_layer(&below, AT_FDCWD, p->layers.items[i], e);
		if (r == 0)
			r = add_layer(&with, AT_FDCWD, p->layers.items[i], e);
	}
	if (r == 0)
		r = compare_tree(out, p->scratch_fd, "upper", &below, "", e);
	if (r == 0)
		r = sum_up_packages(out, &below, &with, e);
	root_release(&below);
	root_release(&with);
	return r;
}

static int compare_project(const struct environment *env, const struct diff_place *p, struct diff *out, struct err *e)
{
	struct root below = { 0 };
	int r = add_layer(&below, AT_FDCWD, env->project, e);

	if (r == 0)
		r = compare_tree(out, p->scratch_fd, "project/upper", &below, p->project, e);
	root_release(&below);
	return r;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct diff_change *)a)->path, ((const struct diff_change *)b)->path);
}

int diff_compare(const struct environment *env, const struct diff_place *p, struct diff *out, struct err *e)
{
	if (compare_root(p, out, e) < 0 || (p->untrusted && compare_project(env, p, out, e) < 0))
		return -1;
	if (out->change_count)
		qsort(out->changes, out->change_count, sizeof(*out->changes), by_path);
	return 0;
}

void diff_release(struct diff *d)
{
	for (size_t i = 0; i < d->change_count; i++)
		free(d->changes[i].path);
	for (size_t i = 0; i < d->package_count; i++) {
		free(d->packages[i].name);
		free(d->packages[i].from);
		free(d->packages[i].to);
	}
	free(d->changes);
	free(d->packages);
	*d = (struct diff){ 0 };
}
