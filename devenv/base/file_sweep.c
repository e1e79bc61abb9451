/* SPDX-License-Identifier: Apache-2.0 */
/* file_sweep.c - removing what owners that were killed left behind: a lock tells who lives. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

static void sweep_one(int dirfd, const char *name, bool dry_run, size_t *count, uint64_t *bytes)
{
	struct err ignored = ERR_INIT;
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		if (bytes)
			*bytes += file_tree_bytes(dirfd, name);
		if (count)
			++*count;
		if (!dry_run)
			file_remove_tree(dirfd, name, &ignored);
	}
	close(fd);
}

void file_sweep(int dirfd, bool dry_run, size_t *count, uint64_t *bytes)
{
	const struct dirent *entry;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			sweep_one(dirfd, entry->d_name, dry_run, count, bytes);
	closedir(dir);
}
