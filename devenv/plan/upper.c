/* SPDX-License-Identifier: Apache-2.0 */
/* upper.c - what was written in an environment. */
#include "plan/upper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

#define DEEPEST 256 /* each level keeps a descriptor open */

int upper_find(pid_t pid)
{
	cleanup_free char *fds = mem_printf("/proc/%d/fd", (int)pid);
	DIR *dir = opendir(fds);
	struct dirent *entry;
	int found = -1;

	if (!dir)
		return -1;
	/* openat and not access(2), which forgets capabilities. */
	while (found < 0 && (entry = readdir(dir))) {
		cleanup_free char *upper = mem_printf("%s/%s/upper", fds, entry->d_name);
		cleanup_free char *scratch = mem_printf("%s/%s", fds, entry->d_name);
		cleanup_close int fd = entry->d_name[0] == '.' ? -1 : openat(AT_FDCWD, upper, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			found = openat(AT_FDCWD, scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	closedir(dir);
	if (found < 0)
		errno = ENOENT;
	return found;
}

static void walk(struct upper_walk *w, int dirfd, const char *name, const char *path, unsigned int depth)
{
	int fd = depth < DEEPEST ? openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		w->incomplete = w->incomplete || depth >= DEEPEST || errno != ENOENT;
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		cleanup_free char *below = *path ? path_join(path, entry->d_name) : mem_strdup(entry->d_name);
		struct stat st;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (w->visit(w, fd, below, &st) && S_ISDIR(st.st_mode))
			walk(w, fd, entry->d_name, below, depth + 1);
	}
	closedir(dir);
}

void upper_walk(struct upper_walk *w, int dirfd, const char *name)
{
	walk(w, dirfd, name, "", 0);
}

bool upper_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

bool upper_is_passing(const char *path)
{
	static const char *const places[] = { "var/cache/", "var/log/", "var/lib/apt/", "run/", "root/.", "etc/ld.so.cache",
					      "etc/.pwd.lock", "var/lib/dpkg/", "lib/apk/db/", "usr/lib/apk/db/" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (text_starts(path, places[i]))
			return true;
	return strstr(path, "__pycache__") != NULL;
}

/* NAME.list or NAME:ARCHITECTURE.list */
const char *upper_package(const char *path, const struct stat *st, size_t *len)
{
	static const char info[] = "var/lib/dpkg/info/";
	const char *name = path + strlen(info);

	if (!text_starts(path, info) || !S_ISREG(st->st_mode) || !text_ends(name, ".list"))
		return NULL;
	*len = strcspn(name, ":");
	if (!name[*len])
		*len = strlen(name) - strlen(".list");
	return name;
}
