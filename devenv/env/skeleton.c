/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skeleton.c - the generated top layers of a root.
 *
 * Each is content-addressed and immutable like every layer: staged, made durable, renamed. Time stamps are a constant, so
 * that equal descriptions are equal trees. A directory of it is merged with the image's of the same name and lends the
 * merged one its mode: so modes are taken from the image.
 */
#include "env/skeleton.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/skeleton_shared.h"

#define STAGED "skeleton"
#define TREE "fs" /* not the renamed directory itself: an image's 0555 root could not be renamed by its owner */
#define STAMP 946684800 /* 2000-01-01: not 1970, which some archivers can't write */

static struct skeleton_item *find(const struct skeleton *k, const char *path)
{
	for (size_t i = 0; i < k->count; i++)
		if (strcmp(k->items[i].path, path) == 0)
			return &k->items[i];
	return NULL;
}

static struct skeleton_item *append(struct skeleton *k, struct skeleton_item item, const void *data)
{
	item.path = mem_strdup(item.path);
	item.data = mem_alloc(item.len + 1);
	memcpy(item.data, data, item.len);
	k->items = mem_grow(k->items, k->count, &k->cap, sizeof(*k->items));
	k->items[k->count] = item;
	return &k->items[k->count++];
}

static int mode_below(const struct skeleton *k, const char *path, mode_t *mode, struct err *e)
{
	struct root_entry entry;

	*mode = 0755;
	if (!k->below)
		return 0;
	if (root_resolve(k->below, path, ROOT_NOFOLLOW, &entry, e) < 0)
		return -1;
	if (entry.kind == ROOT_DIRECTORY && strcmp(entry.path, path) == 0)
		*mode = entry.st.st_mode & 01777;
	root_entry_release(&entry);
	return 0;
}

static int add_directory(struct skeleton *k, const char *path, mode_t mode, bool implied, struct err *e);

static int add(struct skeleton *k, struct skeleton_item item, const void *data, size_t len, struct err *e)
{
	struct skeleton_item *there = find(k, item.path);

	if (there && there->kind == item.kind) {
		there->implied &= item.implied;
		return 0;
	}
	if (there)
		return err_set(e, ERR_CONFIG, "%s is needed inside both as a %s and as a %s", text_safe(item.path),
			       there->kind == SKELETON_DIRECTORY ? "directory" : "file",
			       item.kind == SKELETON_DIRECTORY ? "directory" : "file");
	if (strcmp(item.path, "/") != 0) {
		cleanup_free char *parent = path_parent(item.path);

		if (add_directory(k, parent, SKELETON_MODE_BELOW, true, e) < 0)
			return -1;
	}
	item.len = len;
	append(k, item, data);
	return 0;
}

static int add_directory(struct skeleton *k, const char *path, mode_t mode, bool implied, struct err *e)
{
	struct skeleton_item item = { .kind = SKELETON_DIRECTORY, .path = (char *)path, .implied = implied };

	if (mode == SKELETON_MODE_BELOW && !find(k, path) && mode_below(k, path, &mode, e) < 0)
		return -1;
	item.mode = mode;
	return add(k, item, "", 0, e);
}

int skeleton_add_directory(struct skeleton *k, const char *path, mode_t mode, struct err *e)
{
	return add_directory(k, path, mode, false, e);
}

int skeleton_add_file(struct skeleton *k, const char *path, const char *text, struct err *e)
{
	return add(k, (struct skeleton_item){ .kind = SKELETON_FILE, .path = (char *)path, .mode = 0644 }, text, strlen(text), e);
}

int skeleton_add_data(struct skeleton *k, const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	return add(k, (struct skeleton_item){ .kind = SKELETON_FILE, .path = (char *)path, .mode = mode }, data, len, e);
}

int skeleton_add_link(struct skeleton *k, const char *path, const char *target, struct err *e)
{
	return add(k, (struct skeleton_item){ .kind = SKELETON_LINK, .path = (char *)path, .mode = 0777 }, target, strlen(target), e);
}

void skeleton_cover(struct skeleton *k, const char *path)
{
	struct skeleton_item *item = find(k, path);

	if (item && item->kind == SKELETON_DIRECTORY)
		item->covered = true;
}

void skeleton_own(struct skeleton *k, const char *path)
{
	struct skeleton_item *item = find(k, path);

	if (item)
		item->own = true;
}

/* Parents come before children in k, and so they do in its parts. */
void skeleton_part(const struct skeleton *k, bool own, struct skeleton *part)
{
	bool *wanted = mem_array(k->count + 1, sizeof(*wanted));

	*part = (struct skeleton){ .below = k->below };
	for (size_t i = k->count; i-- > 0;) {
		const struct skeleton_item *item = &k->items[i];

		wanted[i] = !item->implied && item->own == own;
		for (size_t j = i + 1; !wanted[i] && item->kind == SKELETON_DIRECTORY && j < k->count; j++)
			wanted[i] = wanted[j] && path_is_below(k->items[j].path, item->path);
	}
	for (size_t i = 0; i < k->count; i++)
		if (wanted[i])
			append(part, k->items[i], k->items[i].data);
	free(wanted);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct skeleton_item *)a)->path, ((const struct skeleton_item *)b)->path);
}

char *skeleton_name(struct skeleton *k)
{
	struct digest *d = digest_new(NULL);
	char digest[DIGEST_MAX];

	if (k->count)
		qsort(k->items, k->count, sizeof(*k->items), by_path);
	digest_add(d, "skeleton 2", sizeof("skeleton 2"));
	for (size_t i = 0; i < k->count; i++) {
		const struct skeleton_item *item = &k->items[i];
		cleanup_free char *head = mem_printf("%d %04o %d %zu", (int)item->kind, (unsigned int)item->mode,
						      item->covered, item->len);

		digest_add(d, head, strlen(head) + 1);
		digest_add(d, item->path, strlen(item->path) + 1);
		digest_add(d, item->data, item->len);
	}
	digest_end(d, digest);
	return mem_strdup(digest_hex(digest));
}

/* ---- making ---- */

static int make_file(int fd, const char *path, const struct skeleton_item *item, struct err *e)
{
	cleanup_close int file = openat(fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (file < 0)
		return -1;
	if (file_write_all(file, item->data, item->len, e) < 0)
		return -1;
	return fchmod(file, item->mode);
}

static int make_item(const struct store *s, int fd, const struct skeleton_item *item, struct err *e)
{
	const char *path = item->path + 1;
	int r;

	if (!*path)
		return 0;
	errno = 0;
	if (item->kind == SKELETON_DIRECTORY)
		r = mkdirat(fd, path, 0700);
	else if (item->kind == SKELETON_LINK)
		r = symlinkat(item->data, fd, path);
	else if (skeleton_shared_is_fit(item) && skeleton_shared_take(s, item, fd, path))
		r = 0;
	else
		r = make_file(fd, path, item, e);
	if (r < 0 && !e->code)
		err_sys(e, "can't make %s in the generated layer", text_safe(item->path));
	return r;
}

/*
 * The overlay then looks no further down for it, which it would in every layer at every start. Where the store has no
 * extended attributes it does, and finds the same.
 */
static void make_opaque(int fd, const char *path)
{
	cleanup_close int dir = openat(fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir >= 0)
		(void)!fsetxattr(dir, "user.overlay.opaque", "y", 1, 0);
}

/* Modes and time stamps from the leaves up, because making a child changes its parent and needs it writable. */
static int settle(int fd, const struct skeleton *k, struct err *e)
{
	static const struct timespec stamp[2] = { { STAMP, 0 }, { STAMP, 0 } };

	for (size_t i = k->count; i-- > 0;) {
		const struct skeleton_item *item = &k->items[i];
		const char *path = item->path[1] ? item->path + 1 : ".";

		if (item->covered)
			make_opaque(fd, path);
		if ((item->kind == SKELETON_DIRECTORY && fchmodat(fd, path, item->mode, 0) < 0) ||
		    utimensat(fd, path, stamp, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "can't set the mode of %s in the generated layer", text_safe(item->path));
	}
	return 0;
}

/* Only what is on disk: a link to a file that a power loss cut short would spoil every layer to come. */
static void share(const struct store *s, const struct skeleton *k, int fd)
{
	for (size_t i = 0; i < k->count; i++)
		if (skeleton_shared_is_fit(&k->items[i]))
			skeleton_shared_give(s, &k->items[i], fd, k->items[i].path + 1);
}

/* Returns the tree's descriptor. */
static int stage_tree(const struct store *s, const struct skeleton *k, int stage_fd, struct err *e)
{
	cleanup_close int fd = -1;

	if (mkdirat(stage_fd, STAGED, 0700) < 0 || mkdirat(stage_fd, STAGED "/" TREE, 0755) < 0)
		return err_sys(e, "can't stage the generated layer");
	fd = openat(stage_fd, STAGED "/" TREE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "can't stage the generated layer");
	for (size_t i = 0; i < k->count; i++)
		if (make_item(s, fd, &k->items[i], e) < 0)
			return -1;
	return settle(fd, k, e) < 0 ? -1 : mem_steal_fd(fd);
}

static int make_tree(const struct store *s, const struct skeleton *k, int stage_fd, struct err *e)
{
	cleanup_close int fd = stage_tree(s, k, stage_fd, e);

	if (fd < 0)
		return -1;
	if (syncfs(fd) < 0)
		return err_sys(e, "can't write the generated layer to disk");
	share(s, k, fd);
	return 0;
}

static int publish(struct skeleton *k, struct store *s, const char *name, struct err *e)
{
	cleanup_free char *final = path_join(SKELETON_DIR, name);
	struct store_stage stage;
	int r;

	if (file_mkdirs(s->fd, SKELETON_DIR, 0700, e) < 0 || store_stage_new(s, &stage, e) < 0)
		return -1;
	r = make_tree(s, k, stage.fd, e);
	/* Somebody else's being there already is as good as ours. */
	if (r == 0 && renameat(stage.fd, STAGED, s->fd, final) < 0 && errno != EEXIST && errno != ENOTEMPTY)
		r = err_sys(e, "can't publish the generated layer");
	store_stage_drop(s, &stage);
	return r;
}

int skeleton_make(struct skeleton *k, struct store *s, char **path, struct err *e)
{
	cleanup_free char *name = skeleton_name(k);
	cleanup_free char *final = mem_printf("%s/" SKELETON_DIR "/%s/" TREE, s->path, name);

	if (!file_exists(AT_FDCWD, final) && publish(k, s, name, e) < 0)
		return -1;
	*path = mem_steal(final);
	return 0;
}

int skeleton_make_in(struct skeleton *k, const struct store *s, int dirfd, struct err *e)
{
	cleanup_free char *name = skeleton_name(k); /* puts parents before children, too */
	cleanup_close int fd = stage_tree(s, k, dirfd, e);

	return fd < 0 ? -1 : 0;
}

void skeleton_release(struct skeleton *k)
{
	for (size_t i = 0; i < k->count; i++) {
		free(k->items[i].path);
		free(k->items[i].data);
	}
	free(k->items);
	*k = (struct skeleton){ 0 };
}
