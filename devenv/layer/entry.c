/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.c - one entry of the archive becomes a file, directory or link of the tree.
 *
 * A regular file costs open (with its final mode), write, futimens, close; fchmod only where the umask, a special bit or
 * an attribute gets in the way. A name that is taken is noticed by O_EXCL, and the later entry wins. Directories get
 * their modes and times at the end (finish.c), or they would refuse or forget them.
 */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "layer/unpack.h"

enum { SPECIAL_BITS = 07000, LARGE = 64 << 10 };

/* ---- the owners record ---- */

void entry_record(struct unpack *u, const struct node *dir, const char *name, struct archive_entry *entry,
                  char kind)
{
	cleanup_buf struct buf path = BUF_INIT;
	struct owners_record r = {
		.kind = kind,
		.mode = (unsigned int)archive_entry_mode(entry) & 07777,
		.uid = (uint64_t)archive_entry_uid(entry),
		.gid = (uint64_t)archive_entry_gid(entry),
	};

	if (kind == 'c' || kind == 'b') {
		r.major = (uint32_t)archive_entry_rdevmajor(entry);
		r.minor = (uint32_t)archive_entry_rdevminor(entry);
	}
	if (name)
		tree_path_of(dir, name, &path);
	else
		tree_path(dir, &path);
	r.path = path.len ? path.data : (char[]){ "." };
	owners_write(&u->owners, &r);
}

static void record_owner(struct unpack *u, const struct node *dir, const char *name,
                         struct archive_entry *entry)
{
	if (archive_entry_uid(entry) || archive_entry_gid(entry) ||
	    (archive_entry_mode(entry) & SPECIAL_BITS))
		entry_record(u, dir, name, entry, 'e');
}

int entry_make_room(struct unpack *u, struct node *dir, const char *name, struct err *e)
{
	cleanup_buf struct buf path = BUF_INIT;
	int had = tree_clear(&u->tree, dir, name, e);

	if (had <= 0)
		return had;
	tree_path_of(dir, name, &path);
	owners_write_forget(&u->owners, path.data);
	return 0;
}

/* The mark of something left out earlier doesn't make a later entry fail with EEXIST: ask before. */
static int replace_skipped(struct unpack *u, struct node *dir, const char *name, struct err *e)
{
	const struct node *n = tree_find(&u->tree, dir, name);

	return n && (n->flags & NODE_SKIPPED) ? entry_make_room(u, dir, name, e) : 0;
}

/* ---- extended attributes ---- */

static bool is_kept(const char *name)
{
	return text_starts(name, "user.") && !text_starts(name, "user.overlay.");
}

/* Set what may be set on fd (-1: nothing can be); the rest is counted. */
static int apply_xattrs(struct unpack *u, const struct node *dir, const char *base,
                        struct archive_entry *entry, int fd, struct err *e)
{
	cleanup_buf struct buf path = BUF_INIT;
	const char *name;
	const void *value;
	size_t len;

	if (archive_entry_xattr_reset(entry) == 0)
		return 0;
	while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK) {
		if (fd >= 0 && is_kept(name)) {
			if (fsetxattr(fd, name, value, len, 0) == 0)
				continue;
			if (errno != EOPNOTSUPP)
				return err_sys(e, "can't set the attribute %s of %s", text_safe(name),
				               text_safe(base));
		}
		u->out->xattrs_dropped++;
		if (strcmp(name, "security.capability") == 0 && len > 0) {
			buf_clear(&path);
			tree_path_of(dir, *base ? base : ".", &path);
			owners_write_capability(&u->owners, path.data, value, len);
		}
	}
	return 0;
}

/* ---- regular files ---- */

int entry_count_bytes(struct unpack *u, uint64_t size, struct err *e)
{
	if (size > u->max_bytes || u->file_bytes > u->max_bytes - size) {
		err_set(e, ERR_INTEGRITY, "the layer unpacks to more than %s", text_bytes(u->max_bytes));
		return err_hint(
			e, "if that is right, raise max-image-size in section [store] of the user config");
	}
	u->file_bytes += size;
	u->out->bytes += (size + 4095) & ~(uint64_t)4095;
	return 0;
}

static int write_at(int fd, const char *data, size_t len, int64_t offset)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		offset += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Begin to write it to disk: whoever gives the layer its name waits for that, and the disk has nothing else to do. */
static void write_back(int fd, int64_t size)
{
	if (size >= LARGE)
		(void)!sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static int write_content(struct unpack *u, int fd, int64_t size, struct err *e)
{
	int64_t end = 0, offset;
	const void *data;
	size_t len;
	int more;

	while ((more = tarstream_data(u->stream, &data, &len, &offset, e)) > 0) {
		if (offset < end || offset > size || (int64_t)len > size - offset)
			return err_set(e, ERR_INTEGRITY, "the layer's file %s has data outside of it",
			               text_safe(u->shown));
		if (write_at(fd, data, len, offset) < 0)
			return err_sys(e, "can't write %s", text_safe(u->shown));
		end = offset + (int64_t)len;
	}
	if (more == 0 && end < size && ftruncate(fd, size) < 0) /* it ends in a hole */
		return err_sys(e, "can't write %s", text_safe(u->shown));
	write_back(fd, end);
	return more;
}

static struct timespec mtime_of(struct archive_entry *entry)
{
	struct timespec ts = { .tv_sec = archive_entry_mtime(entry),
		               .tv_nsec = archive_entry_mtime_nsec(entry) };

	if (ts.tv_nsec < 0 || ts.tv_nsec > 999999999) /* other values mean things to the kernel */
		ts.tv_nsec = 0;
	return ts;
}

static int open_new(struct unpack *u, struct node *dir, const char *name, mode_t mode, struct err *e)
{
	for (int tries = 0;; tries++) {
		int parent = tree_fd(&u->tree, dir, e), fd;

		if (parent < 0)
			return -1;
		fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST || tries)
			return err_sys(e, "can't make the file %s", text_safe(u->shown));
		if (entry_make_room(u, dir, name, e) < 0)
			return -1;
	}
}

static int put_file(struct unpack *u, struct node *dir, const char *name, struct archive_entry *entry,
                    struct err *e)
{
	mode_t mode = archive_entry_mode(entry) & 07777, now = mode & 0777;
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, mtime_of(entry) };
	int64_t size = archive_entry_size(entry);
	cleanup_close int fd = -1;

	if (size < 0)
		return err_set(e, ERR_INTEGRITY, "the layer's file %s has a negative size",
		               text_safe(u->shown));
	if (entry_count_bytes(u, (uint64_t)size, e) < 0 || replace_skipped(u, dir, name, e) < 0)
		return -1;
	if (archive_entry_xattr_count(entry) > 0)
		now |= 0200; /* user.* attributes can't be set on what can't be written */
	fd = open_new(u, dir, name, now, e);
	if (fd < 0 || write_content(u, fd, size, e) < 0 || apply_xattrs(u, dir, name, entry, fd, e) < 0)
		return -1;
	if (mode != (now & ~u->tree.umask) && fchmod(fd, mode) < 0)
		return err_sys(e, "can't set the mode of %s", text_safe(u->shown));
	if (futimens(fd, times) < 0)
		return err_sys(e, "can't set the time of %s", text_safe(u->shown));
	record_owner(u, dir, name, entry);
	return 0;
}

/* ---- directories, symbolic links, and what is left out ---- */

static void set_directory(struct node *n, struct archive_entry *entry)
{
	struct timespec mtime = mtime_of(entry);

	n->mtime = mtime.tv_sec;
	n->nsec = (uint32_t)mtime.tv_nsec;
	n->flags |= NODE_TIMED | NODE_LISTED;
}

static int directory_xattrs(struct unpack *u, struct node *n, struct archive_entry *entry, struct err *e)
{
	cleanup_close int fd = -1;
	int path_fd;

	if (archive_entry_xattr_count(entry) == 0)
		return 0;
	path_fd = tree_fd(&u->tree, n, e);
	if (path_fd < 0)
		return -1;
	fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "can't open the directory %s", text_safe(u->shown));
	return apply_xattrs(u, n->parent ? n->parent : n, n->name, entry, fd, e);
}

/* A directory that is there already takes the new entry's attributes and keeps its content. */
static int update_directory(struct unpack *u, struct node *n, struct archive_entry *entry, struct err *e)
{
	n->mode = (uint16_t)(archive_entry_mode(entry) & 07777);
	n->flags = (uint8_t)((n->flags & ~NODE_HOLLOW) | NODE_CHMOD);
	set_directory(n, entry);
	entry_record(u, n, NULL, entry, 'e'); /* even of 0:0: it may take the place of other words */
	return directory_xattrs(u, n, entry, e);
}

static int put_directory(struct unpack *u, struct node *dir, const char *name, struct archive_entry *entry,
                         struct err *e)
{
	struct node *n = tree_find(&u->tree, dir, name);
	mode_t mode = archive_entry_mode(entry) & 07777;
	struct err first = ERR_INIT;

	if (n && (n->flags & NODE_DIR))
		return update_directory(u, n, entry, e);
	if (replace_skipped(u, dir, name, e) < 0)
		return -1;
	n = tree_mkdir(&u->tree, dir, name, mode, &first);
	if (!n && first.sys == EEXIST) {
		if (entry_make_room(u, dir, name, e) < 0)
			return -1;
		n = tree_mkdir(&u->tree, dir, name, mode, &first);
	}
	if (!n) {
		*e = first;
		return -1;
	}
	set_directory(n, entry);
	u->out->bytes += 4096;
	record_owner(u, n, NULL, entry);
	return directory_xattrs(u, n, entry, e);
}

static int put_symlink(struct unpack *u, struct node *dir, const char *name, struct archive_entry *entry,
                       struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, mtime_of(entry) };
	const char *target = archive_entry_symlink(entry);
	int parent;

	if (!target || !*target)
		return err_set(e, ERR_INTEGRITY, "the layer's symbolic link %s has no target",
		               text_safe(name));
	if (replace_skipped(u, dir, name, e) < 0)
		return -1;
	for (int tries = 0;; tries++) {
		parent = tree_fd(&u->tree, dir, e);
		if (parent < 0)
			return -1;
		if (symlinkat(target, parent, name) == 0)
			break;
		if (errno != EEXIST || tries)
			return err_sys(e, "can't make the symbolic link %s", text_safe(u->shown));
		if (entry_make_room(u, dir, name, e) < 0)
			return -1;
	}
	if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "can't set the time of %s", text_safe(u->shown));
	record_owner(u, dir, name, entry);
	return apply_xattrs(u, dir, name, entry, -1, e);
}

/* Device nodes, fifos and sockets: recorded and left out. What they replace must not show in their place. */
static int skip(struct unpack *u, struct node *dir, const char *name, struct archive_entry *entry, char kind,
                struct err *e)
{
	cleanup_buf struct buf path = BUF_INIT;
	cleanup_free struct below_hit *hit = mem_alloc(sizeof(*hit));
	struct node *n;

	if (entry_make_room(u, dir, name, e) < 0)
		return -1;
	n = tree_mark(&u->tree, dir, name, e);
	if (!n)
		return -1;
	n->flags |= NODE_SKIPPED;
	if (!tree_hides_below(dir)) {
		tree_path(dir, &path);
		if (below_find(&u->tree.below, path.data, name, hit, e) < 0)
			return -1;
		if (hit->kind != BELOW_NONE)
			n->flags |= NODE_WHITEOUT;
	}
	u->out->skipped++;
	entry_record(u, dir, name, entry, kind);
	return apply_xattrs(u, dir, name, entry, -1, e);
}

static int put_entry(struct unpack *u, struct node *dir, const char *name, struct archive_entry *entry,
                     struct err *e)
{
	const char *target = archive_entry_hardlink(entry);

	if (target)
		return link_apply(u, dir, name, target, entry, e);
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return put_file(u, dir, name, entry, e);
	case AE_IFDIR:
		return put_directory(u, dir, name, entry, e);
	case AE_IFLNK:
		return put_symlink(u, dir, name, entry, e);
	case AE_IFCHR:
		return skip(u, dir, name, entry, 'c', e);
	case AE_IFBLK:
		return skip(u, dir, name, entry, 'b', e);
	case AE_IFIFO:
		return skip(u, dir, name, entry, 'p', e);
	case AE_IFSOCK:
		return skip(u, dir, name, entry, 's', e);
	default:
		return err_set(e, ERR_INTEGRITY, "the layer's entry %s is of an unknown type",
		               text_safe(name));
	}
}

static int put_root(struct unpack *u, struct archive_entry *entry, struct err *e)
{
	if (archive_entry_hardlink(entry) || archive_entry_filetype(entry) != AE_IFDIR)
		return err_set(e, ERR_INTEGRITY, "the layer has an entry for / that is not a directory");
	return update_directory(u, u->tree.root, entry, e);
}

/* Below a file of this layer there is nothing to hide any more. */
static int hide(struct unpack *u, struct err *e)
{
	struct err why = ERR_INIT;
	struct node *dir = tree_parent(&u->tree, u->name.dir, true, &why), *n;

	if (!dir && why.code == ERR_NOT_FOUND)
		return 0;
	if (!dir) {
		*e = why;
		return -1;
	}
	if (u->name.kind == NAME_OPAQUE) {
		dir->flags |= NODE_OPAQUE;
		return 0;
	}
	n = tree_mark(&u->tree, dir, u->name.base, e);
	if (n)
		n->flags |= NODE_WHITEOUT;
	return n ? 0 : -1;
}

int entry_apply(struct unpack *u, struct archive_entry *entry, struct err *e)
{
	const char *raw = archive_entry_pathname(entry);
	struct node *dir;

	if (!raw)
		return err_set(e, ERR_INTEGRITY, "the layer has an entry without a name");
	u->shown = raw;
	if (name_parse(&u->name, raw, e) < 0)
		return -1;
	switch (u->name.kind) {
	case NAME_IGNORED:
		return 0;
	case NAME_ROOT:
		return put_root(u, entry, e);
	case NAME_OPAQUE:
	case NAME_WHITEOUT:
		return hide(u, e);
	default:
		dir = tree_parent(&u->tree, u->name.dir, false, e);
		return dir ? put_entry(u, dir, u->name.base, entry, e) : -1;
	}
}
