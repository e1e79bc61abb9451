/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - how long a piece of work with files takes where this runs; prints microseconds.
 *
 * usage: files project DIR     make, write, read, rename and remove 1,000 small files in a new directory in DIR
 *        files read DIR        open, read and close every regular file below DIR, after a first pass that warms the cache
 *        files look DIR        stat every file below DIR, from its own directory, after the same
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 1000, SIZE = 4096 };

static char block[65536];

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void read_all(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return; /* not for us to read: the same everywhere */
	while ((n = read(fd, block, sizeof(block))) > 0)
		continue;
	must(n == 0, name);
	close(fd);
}

static void write_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	must(fd >= 0 && write(fd, block, SIZE) == SIZE, name);
	close(fd);
}

static void project(const char *path)
{
	char name[32], moved[32];
	int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir;

	must(at >= 0 && mkdirat(at, "files-bench", 0755) == 0, path);
	dir = openat(at, "files-bench", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		snprintf(moved, sizeof(moved), "moved-%d", i);
		write_file(dir, name);
		read_all(dir, name);
		must(renameat(dir, name, dir, moved) == 0, name);
		must(unlinkat(dir, moved, 0) == 0, moved);
	}
	must(unlinkat(at, "files-bench", AT_REMOVEDIR) == 0, "files-bench");
}

static void look(int dir, const char *name)
{
	struct stat st;

	must(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0, name);
}

static void (*visit)(int dir, const char *name);

static void walk(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_type == DT_REG)
			visit(dirfd(dir), d->d_name);
		else if (d->d_type == DT_DIR && strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			walk(dirfd(dir), d->d_name);
	if (dir)
		closedir(dir);
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 ? argv[1] : "";
	double begin;

	visit = strcmp(what, "read") == 0 ? read_all : strcmp(what, "look") == 0 ? look : NULL;
	must(visit || strcmp(what, "project") == 0, "usage: files project|read|look DIR");
	if (visit)
		walk(AT_FDCWD, argv[2]);
	begin = now_us();
	if (visit)
		walk(AT_FDCWD, argv[2]);
	else
		project(argv[2]);
	printf("%.1f\n", now_us() - begin);
	return 0;
}
