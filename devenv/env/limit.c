/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit.c - the limits of an environment: memory, processors, processes.
 *
 * Theory of operation
 *
 * Limits hold for an environment as a whole: all processes of all its sessions. Only a cgroup can do that, and whoever is
 * in one has its children there. So before a launcher makes or joins an environment it asks the core, which is run for that
 * alone (`devenv-core limit`), to move it into the cgroup of the environment:
 *
 *   1. A service manager of the user (systemd) is asked over its socket for a scope. It is the only one that may move a
 *      process out of a login session's cgroup; the scope goes when its last process does.
 *   2. Else directories are made below /sys/fs/cgroup, where that is permitted: for root, and where a subtree was delegated.
 *      <runtime>/<plan id>.cgroup lists them, so that later sessions find them and the next start sweeps those whose
 *      environment was killed. In the ordinary course the last launcher removes them.
 *   3. Else processors are limited by affinity and processes by the launcher's RLIMIT_NPROC, which in a user
 *      namespace counts the environment's only. Memory has no such thing: it is said not to be limited.
 *
 * What is in force is not believed but read: from the files of the cgroup that the process is in afterwards.
 */
#include "env/limit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "plan/running.h"

#define RECORD_SUFFIX ".cgroup"
#define RECORD_MAX 65536
#define TRIES 3

unsigned int limit_wanted(const struct limit *l)
{
	return (l->memory ? LIMIT_MEMORY : 0) | (l->cpus ? LIMIT_CPUS : 0) | (l->pids ? LIMIT_PIDS : 0);
}

static const struct {
	unsigned int bit;
	enum limit_controller controller;
} kinds[] = {
	{ LIMIT_MEMORY, LIMIT_CONTROLLER_MEMORY },
	{ LIMIT_CPUS, LIMIT_CONTROLLER_CPU },
	{ LIMIT_PIDS, LIMIT_CONTROLLER_PIDS },
};

unsigned int limit_enforced(const struct limit *l, pid_t pid, char **events)
{
	unsigned int enforced = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool v2 = false;
		cleanup_free char *directory = limit_wanted(l) & kinds[i].bit ? limit_cgroup_of(pid, kinds[i].controller, &v2) : NULL;

		if (!directory || !limit_cgroup_has(directory, v2, kinds[i].controller, l))
			continue;
		enforced |= kinds[i].bit;
		if (kinds[i].bit == LIMIT_MEMORY && events)
			*events = path_join(directory, v2 ? "memory.events" : "memory.oom_control");
	}
	return enforced;
}

unsigned int limit_available(const char **how)
{
	unsigned int available = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (limit_cgroup_is_possible(kinds[i].controller))
			available |= kinds[i].bit;
	*how = !available ? "no cgroup is to be had" : limit_systemd_is_there() ? "systemd" : "cgroup";
	return available;
}

/* ---- the record of directories ---- */

static char *record_path(const struct dirs *d, const char *id)
{
	return mem_printf("%s/%s%s", d->runtime, id, RECORD_SUFFIX);
}

/* Open and locked: who had it before us may have removed it. -1: not to be had. */
static int open_record(const char *path, int flags, int lock)
{
	struct stat st;
	int fd;

	for (;;) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
		if (fd < 0)
			return -1;
		if (flock(fd, lock) < 0) {
			close(fd);
			return -1;
		}
		if (fstat(fd, &st) == 0 && st.st_nlink)
			return fd;
		close(fd);
	}
}

static void read_record(int fd, struct strlist *lines)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (lseek(fd, 0, SEEK_SET) == 0 && file_read_fd(fd, RECORD_MAX, &text, &ignored) == 0 && text.len)
		strlist_split(lines, text.data, "\n");
}

static void write_record(int fd, const struct strlist *lines)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < lines->count; i++)
		buf_addf(&text, "%s\n", lines->items[i]);
	if (ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		file_write_all(fd, text.data, text.len, &ignored);
}

static char *directory_of(const char *line)
{
	return mem_strndup(line, strcspn(line, "\t"));
}

/* All gone? One with a process in it stays. */
static bool remove_all(const struct strlist *lines)
{
	bool gone = true;

	for (size_t i = 0; i < lines->count; i++) {
		cleanup_free char *directory = directory_of(lines->items[i]);

		if (rmdir(directory) < 0 && errno != ENOENT)
			gone = false;
	}
	return gone;
}

void limit_sweep(const struct dirs *d)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	file_names(AT_FDCWD, d->runtime, false, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_strlist struct strlist lines = STRLIST_INIT;
		cleanup_free char *path = path_join(d->runtime, names.items[i]), *id = NULL;
		cleanup_close int fd = -1;

		if (!text_ends(names.items[i], RECORD_SUFFIX))
			continue;
		id = mem_strndup(names.items[i], strlen(names.items[i]) - strlen(RECORD_SUFFIX));
		fd = running_in_use(d, id) ? -1 : open_record(path, 0, LOCK_EX | LOCK_NB);
		if (fd < 0)
			continue;
		read_record(fd, &lines);
		if (remove_all(&lines))
			unlink(path);
	}
}

static int write_pid(const char *directory, pid_t pid)
{
	cleanup_free char *path = path_join(directory, "cgroup.procs"), *text = mem_printf("%d", (int)pid);
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/* Into those of an environment that is there. The last session may remove them meanwhile: then they are made anew. */
static bool join_all(const struct strlist *lines, pid_t pid)
{
	for (size_t i = 0; i < lines->count; i++) {
		cleanup_free char *directory = directory_of(lines->items[i]);

		if (write_pid(directory, pid) < 0)
			return false;
	}
	return lines->count > 0;
}

static void use_directories(const struct dirs *d, const struct limit *l, pid_t pid, struct limit_places *out)
{
	cleanup_free char *path = record_path(d, l->id);
	struct err ignored = ERR_INIT;
	cleanup_close int fd = dirs_private(d->runtime, &ignored) < 0 ? -1 : open_record(path, O_CREAT, LOCK_EX);

	if (fd < 0)
		return;
	read_record(fd, &out->leave);
	for (int i = 0; i < TRIES && !join_all(&out->leave, pid); i++) {
		strlist_release(&out->leave);
		limit_cgroup_make(l, pid, &out->leave);
		write_record(fd, &out->leave);
	}
	if (!out->leave.count)
		unlink(path);
}

/* ---- what is left without a cgroup ---- */

/* The same processors for all sessions of an environment, and others for another one. */
static void set_affinity(const struct limit *l, pid_t pid)
{
	cpu_set_t allowed, chosen;
	unsigned int count, wanted = (l->cpus + 999) / 1000, skip, seen = 0, taken = 0;

	if (sched_getaffinity(pid, sizeof(allowed), &allowed) < 0)
		return;
	count = (unsigned int)CPU_COUNT(&allowed);
	if (wanted >= count)
		return;
	CPU_ZERO(&chosen);
	skip = (unsigned int)(text_hash(l->id, strlen(l->id)) % count);
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < CPU_SETSIZE && taken < wanted; i++) {
			if (!CPU_ISSET(i, &allowed) || CPU_ISSET(i, &chosen) || (pass == 0 && seen++ < skip))
				continue;
			CPU_SET(i, &chosen);
			taken++;
		}
	sched_setaffinity(pid, sizeof(chosen), &chosen);
}

/* Before Linux 5.14 it counts all of a user's; and it does not bind whom the machine's root is. */
bool limit_counts_processes(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	if (getuid() == 0 || uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > 5 || (major == 5 && minor >= 14);
}

void limit_apply(const struct dirs *d, const struct limit *l, pid_t pid, struct limit_places *out)
{
	unsigned int wanted = limit_wanted(l);

	*out = (struct limit_places){ 0 };
	limit_sweep(d);
	if (limit_systemd_scope(l, pid) == 0)
		out->enforced = limit_enforced(l, pid, &out->events);
	if (out->enforced != wanted) {
		free(out->events);
		out->events = NULL;
		use_directories(d, l, pid, out);
		out->enforced = limit_enforced(l, pid, &out->events);
	}
	if (wanted & ~out->enforced & LIMIT_CPUS)
		set_affinity(l, pid);
}

void limit_places_release(struct limit_places *p)
{
	free(p->events);
	strlist_release(&p->leave);
	*p = (struct limit_places){ 0 };
}

/* ---- in words ---- */

char *limit_size(uint64_t bytes)
{
	static const char units[] = "KMGT";
	size_t unit = 0;

	while (bytes && bytes % 1024 == 0 && unit < sizeof(units) - 1) {
		bytes /= 1024;
		unit++;
	}
	return unit ? mem_printf("%llu%c", (unsigned long long)bytes, units[unit - 1]) : mem_printf("%llu bytes", (unsigned long long)bytes);
}

char *limit_cpus(uint32_t thousandths)
{
	char *text = mem_printf("%u.%03u", thousandths / 1000, thousandths % 1000);
	size_t n = strlen(text);

	while (text[n - 1] == '0')
		text[--n] = '\0';
	if (text[n - 1] == '.')
		text[n - 1] = '\0';
	return text;
}

void limit_describe(const struct limit *l, unsigned int enforced, struct strlist *lines)
{
	cleanup_free char *memory = limit_size(l->memory), *cpus = limit_cpus(l->cpus);

	if (l->memory)
		strlist_addf(lines, "memory %s: %s", memory, enforced & LIMIT_MEMORY
			     ? "enforced, by cgroup" : "not enforced, no cgroup for it is to be had here");
	if (l->cpus && (enforced & LIMIT_CPUS))
		strlist_addf(lines, "cpus %s: enforced, by cgroup", cpus);
	else if (l->cpus)
		strlist_addf(lines, "cpus %s: by affinity to %u of the processors, which programs can change", cpus,
			     (l->cpus + 999) / 1000);
	if (l->pids)
		strlist_addf(lines, "pids %u: %s", l->pids, enforced & LIMIT_PIDS ? "enforced, by cgroup"
			     : limit_counts_processes() ? "enforced, by a resource limit (RLIMIT_NPROC)"
						        : "not enforced, no cgroup for it is to be had here");
}
