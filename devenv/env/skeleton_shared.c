/* SPDX-License-Identifier: Apache-2.0 */
/* skeleton_shared.c - see skeleton_shared.h. */
#include "env/skeleton_shared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define SHARED ".shared"

bool skeleton_shared_is_fit(const struct skeleton_item *item)
{
	return item->kind == SKELETON_FILE && item->len > 0;
}

static char *shared_path(const struct skeleton_item *item)
{
	char digest[DIGEST_MAX];

	digest_bytes(item->data, item->len, digest);
	return mem_printf(SKELETON_DIR "/" SHARED "/%s-%04o", digest_hex(digest), (unsigned int)item->mode);
}

bool skeleton_shared_take(const struct store *s, const struct skeleton_item *item, int fd, const char *path)
{
	cleanup_free char *shared = shared_path(item);
	struct stat st;

	if (linkat(s->fd, shared, fd, path, 0) < 0)
		return false;
	/* Somebody's hand in the store could have left anything there. */
	if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mode == (S_IFREG | item->mode) &&
	    st.st_size == (off_t)item->len)
		return true;
	unlinkat(fd, path, 0);
	return false;
}

void skeleton_shared_give(const struct store *s, const struct skeleton_item *item, int fd, const char *path)
{
	cleanup_free char *shared = shared_path(item);

	/* Not to be had is fine: then every layer has its own. */
	if (mkdirat(s->fd, SKELETON_DIR "/" SHARED, 0700) == 0 || errno == EEXIST)
		(void)!linkat(fd, path, s->fd, shared, 0);
}

/* ---- gc ---- */

struct skeleton_shared_file {
	ino_t inode;
	nlink_t links;
};

static struct skeleton_shared_file *find(const struct skeleton_shared *m, ino_t inode)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->files[i].inode == inode)
			return &m->files[i];
	return NULL;
}

/* Returns how many links of it were seen. */
static nlink_t note(struct skeleton_shared *m, ino_t inode)
{
	struct skeleton_shared_file *f = find(m, inode);

	if (f)
		return ++f->links;
	m->files = mem_grow(m->files, m->count, &m->cap, sizeof(*m->files));
	m->files[m->count++] = (struct skeleton_shared_file){ inode, 1 };
	return 1;
}

static DIR *open_directory(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

/* Deep as the paths of mounts are, not as trees of images can be. */
uint64_t skeleton_shared_measure(struct skeleton_shared *m, int parent, const char *layer)
{
	const struct dirent *d;
	struct stat st;
	uint64_t bytes;
	DIR *dir;

	if (fstatat(parent, layer, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && note(m, st.st_ino) < st.st_nlink)
		return 0;
	bytes = (uint64_t)st.st_blocks * 512;
	dir = S_ISDIR(st.st_mode) ? open_directory(parent, layer) : NULL;
	while (dir && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			bytes += skeleton_shared_measure(m, dirfd(dir), d->d_name);
	if (dir)
		closedir(dir);
	return bytes;
}

int skeleton_shared_sweep(const struct skeleton_shared *m, int layers, bool dry_run, uint64_t *bytes,
                          struct err *e)
{
	DIR *dir = open_directory(layers, SHARED);
	const struct dirent *d;
	struct stat st;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, "can't list the shared files of generated layers");
	while (r == 0 && (d = readdir(dir))) {
		const struct skeleton_shared_file *f;

		if (d->d_name[0] == '.' || fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		f = dry_run ? find(m, st.st_ino) : NULL;
		if (st.st_nlink != 1 + (f ? f->links : 0))
			continue;
		*bytes += (uint64_t)st.st_blocks * 512;
		if (!dry_run && unlinkat(dirfd(dir), d->d_name, 0) < 0 && errno != ENOENT)
			r = err_sys(e, "can't remove the shared file %s of generated layers",
			            text_safe(d->d_name));
	}
	closedir(dir);
	return r;
}

void skeleton_shared_release(struct skeleton_shared *m)
{
	free(m->files);
	*m = (struct skeleton_shared){ 0 };
}
