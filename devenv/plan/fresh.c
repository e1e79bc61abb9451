/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fresh.c - is what a plan was made from still what it was?
 *
 * Theory of operation: nothing but a stat of each file tells that, and most plans watch a dozen. A [build] with a directory of
 * sources among its inputs has tens of thousands, and then a start is these calls and little else. So that many cost
 * as little as they can, files of one directory, which follow each other, are looked up from it and not from the root,
 * and the list is divided among as many processes as there are processors, up to four. Processes and not threads: the kernel lets
 * nobody into a user namespace who has threads, one that has ended but a moment ago included. What a process can't say,
 * or when there is none to be had, its part is looked at here.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "plan/plan.h"

#define NS_PER_SEC 1000000000LL

enum {
	SHARED_FROM = 2048, /* watches: a process costs as much as a few hundred of them */
	PARTS_MAX = 4,
	RUN_MIN = 16, /* files of a directory that it pays to open it for */
};

static int64_t to_ns(struct timespec t)
{
	return (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

/* ---- one directory's files ---- */

/* The directory that is open, "" at first: the part of a path of watches before the last slash. */
struct directory {
	const char *path;
	size_t len;
	int fd; /* -1: each is looked up from the root */
};

static size_t parent_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

static bool lies_in(const char *path, const char *directory, size_t len)
{
	return parent_len(path) == len && memcmp(path, directory, len) == 0;
}

static void close_directory(struct directory *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

/* Be in the directory of watch i of `end`. */
static void change_directory(struct directory *d, const struct plan *p, size_t i, size_t end)
{
	const char *path = p->watches[i].path;
	size_t len = parent_len(path), last = i + RUN_MIN - 1;
	char text[4096];

	if (d->path && len == d->len && memcmp(path, d->path, len) == 0)
		return;
	close_directory(d);
	*d = (struct directory){ path, len, -1 };
	if (last >= end || len == 0 || len >= sizeof(text))
		return;
	while (last > i && lies_in(p->watches[last].path, path, len))
		last--;
	if (last > i)
		return;
	memcpy(text, path, len);
	text[len] = '\0';
	d->fd = open(text, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool watch_holds(const struct directory *d, const struct plan_watch *w)
{
	const char *name = d->fd >= 0 ? w->path + d->len + 1 : w->path;
	struct stat st;

	if (w->young)
		return false;
	if (fstatat(d->fd >= 0 ? d->fd : AT_FDCWD, name, &st, 0) < 0)
		return w->absent && (errno == ENOENT || errno == ENOTDIR);
	return !w->absent && w->dev == st.st_dev && w->ino == st.st_ino && w->size == (uint64_t)st.st_size &&
	       w->mtime_ns == to_ns(st.st_mtim) && w->ctime_ns == to_ns(st.st_ctim);
}

/* The first of these that does not hold, or `end`. */
static size_t find_stale(const struct plan *p, size_t first, size_t end)
{
	struct directory d = { .fd = -1 };
	size_t i;

	for (i = first; i < end; i++) {
		change_directory(&d, p, i, end);
		if (!watch_holds(&d, &p->watches[i]))
			break;
	}
	close_directory(&d);
	return i;
}

/* ---- many ---- */

static size_t count_parts(const struct plan *p)
{
	cpu_set_t cpus;
	int count;

	if (p->watch_count < SHARED_FROM || sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return 1;
	count = CPU_COUNT(&cpus);
	return count < 1 ? 1 : count > PARTS_MAX ? PARTS_MAX : (size_t)count;
}

static bool has_ended_well(pid_t pid)
{
	int status = 0;
	pid_t got;

	if (pid < 0) /* there was none to be had: nobody has looked */
		return false;
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	return got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static size_t find_stale_shared(const struct plan *p, size_t parts)
{
	size_t bounds[PARTS_MAX + 1], found, part;
	pid_t pids[PARTS_MAX] = { 0 };

	for (part = 0; part <= parts; part++)
		bounds[part] = p->watch_count * part / parts;
	for (part = 1; part < parts; part++) {
		pids[part] = fork();
		if (pids[part] == 0)
			_exit(find_stale(p, bounds[part], bounds[part + 1]) != bounds[part + 1]);
	}
	found = find_stale(p, 0, bounds[1]);
	if (found == bounds[1])
		found = p->watch_count;
	for (part = 1; part < parts; part++) {
		size_t first = bounds[part], end = bounds[part + 1];

		if (has_ended_well(pids[part]) || found < p->watch_count)
			continue;
		first = find_stale(p, first, end);
		if (first < end)
			found = first;
	}
	return found;
}

/* ---- all ---- */

/* Directories are mounted, not read: what is in them may change. */
static bool mount_holds(const struct plan_mount *m)
{
	struct stat st;

	return stat(m->host, &st) == 0 && m->dev == st.st_dev && m->ino == st.st_ino;
}

const char *plan_stale(const struct plan *p)
{
	size_t parts = count_parts(p), i = parts > 1 ? find_stale_shared(p, parts) : find_stale(p, 0, p->watch_count);

	if (i < p->watch_count)
		return p->watches[i].path;
	for (i = 0; i < p->mount_count; i++)
		if (p->mounts[i].ino && !mount_holds(&p->mounts[i]))
			return p->mounts[i].host;
	return NULL;
}
