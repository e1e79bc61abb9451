/* SPDX-License-Identifier: Apache-2.0 */
/* debian_unpacked.c - reading what debian_unpack.c made of a package: see debian_unpacked.h. */
#include "source/debian_unpacked.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { STATUS_MAX = 4 << 20, DEPTH_MAX = 200 };

static int failure(const struct unpacked *u, const char *what, struct err *e)
{
	return err_sys(e, "can't read %s of the unpacked package %s", text_safe(what), text_safe(u->package->name));
}

static int add_entry(struct unpacked *u, int dir, const char *name, size_t parent, struct err *e)
{
	struct unpacked_entry *entry;
	char target[PATH_MAX];
	struct stat st;
	ssize_t n = 0;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failure(u, name, e);
	if (S_ISLNK(st.st_mode) && (n = readlinkat(dir, name, target, sizeof(target) - 1)) < 0)
		return failure(u, name, e);
	target[n] = '\0';
	u->entries = mem_grow(u->entries, u->count, &u->cap, sizeof(*u->entries));
	entry = &u->entries[u->count++];
	*entry = (struct unpacked_entry){ .name = mem_strdup(name), .parent = parent, .mode = st.st_mode, .mtime = st.st_mtim };
	if (S_ISLNK(st.st_mode))
		entry->link = mem_strdup(target);
	return 0;
}

static int walk(struct unpacked *u, int above, const char *name, size_t self, int depth, struct err *e)
{
	cleanup_close int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_strlist struct strlist names = STRLIST_INIT;

	if (fd < 0)
		return failure(u, name, e);
	if (depth > DEPTH_MAX)
		return err_set(e, ERR_INTEGRITY, "the package %s has too many directories in each other", text_safe(u->package->name));
	if (file_names(fd, ".", true, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		size_t entry = u->count;

		if (add_entry(u, fd, names.items[i], self, e) < 0 ||
		    (S_ISDIR(u->entries[entry].mode) && walk(u, fd, names.items[i], entry, depth + 1, e) < 0))
			return -1;
	}
	return 0;
}

static int load_owners(struct unpacked *u, struct err *e)
{
	cleanup_close int fd = openat(u->fd, "owners", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return failure(u, "owners", e);
	return owners_load(&u->owners, fd, e);
}

static int load_status(struct unpacked *u, struct err *e)
{
	struct debian_text value;
	struct stat st;

	if (file_read(u->fd, "status", STATUS_MAX, O_NOFOLLOW, &u->status, &st, e) < 0)
		return -1;
	u->time = st.st_mtim.tv_sec;
	u->multi_arch_same = unpacked_field(u, "Multi-Arch", &value) && debian_text_is(value, "same");
	return file_names(u->fd, "info", true, &u->info, e);
}

int unpacked_load(struct store *s, struct unpacked *u, struct err *e)
{
	struct stat st;

	u->fs_fd = store_layer_open(s, u->id, e);
	if (u->fs_fd < 0)
		return -1;
	u->fd = openat(u->fs_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (u->fd < 0 || fstat(u->fs_fd, &st) < 0)
		return failure(u, "fs", e);
	u->root_mode = st.st_mode;
	u->root_mtime = st.st_mtim;
	if (load_owners(u, e) < 0 || load_status(u, e) < 0)
		return -1;
	return walk(u, u->fd, "fs", UNPACKED_ROOT, 0, e);
}

void unpacked_release(struct unpacked *u)
{
	for (size_t i = 0; i < u->count; i++) {
		free(u->entries[i].name);
		free(u->entries[i].link);
	}
	free(u->entries);
	owners_release(&u->owners);
	buf_release(&u->status);
	strlist_release(&u->info);
	strlist_release(&u->lost);
	if (u->fd >= 0)
		close(u->fd);
	if (u->fs_fd >= 0)
		close(u->fs_fd);
	*u = (struct unpacked){ .fd = -1, .fs_fd = -1, .status = BUF_INIT };
}

void unpacked_path(const struct unpacked *u, size_t entry, struct buf *out)
{
	if (u->entries[entry].parent != UNPACKED_ROOT) {
		unpacked_path(u, u->entries[entry].parent, out);
		buf_addch(out, '/');
	}
	buf_adds(out, u->entries[entry].name);
}

bool unpacked_field(const struct unpacked *u, const char *field, struct debian_text *value)
{
	return debian_control_field((struct debian_text){ u->status.data, u->status.len }, field, value);
}

void unpacked_dpkg_name(const struct unpacked *u, struct buf *out)
{
	buf_adds(out, u->package->name);
	if (u->multi_arch_same)
		buf_addf(out, ":%s", u->package->arch);
}
