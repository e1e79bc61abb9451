/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit_cgroup.c - cgroups as directories, of both kinds: the unified hierarchy (version 2) and one per controller (version 1).
 *
 * Ours is made below the cgroup the process is in, so that limits which are in force already stay so. In the unified
 * hierarchy a cgroup that has processes can't have children with controllers: there it is made below the nearest
 * ancestor that passes the controllers on, or can be made to.
 */
#include "env/limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

#define TEXT_MAX_BYTES (1u << 20)
#define PERIOD_US 100000
#define NAME_DIGITS 16

static const char *const names[LIMIT_CONTROLLERS] = { "memory", "cpu", "pids" };

struct hierarchy {
	char *mount; /* where it is mounted */
	char *root;  /* which of its directories is */
	bool v2;
};

static void hierarchy_release(struct hierarchy *h)
{
	free(h->mount);
	free(h->root);
}

static char *read_text(const char *path)
{
	struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	bool read = file_read(AT_FDCWD, path, TEXT_MAX_BYTES, 0, &text, NULL, &ignored) == 0;

	if (read && text.len)
		return buf_steal(&text);
	buf_release(&text);
	return read ? mem_strdup("") : NULL;
}

static char *read_file_of(const char *directory, const char *name)
{
	cleanup_free char *path = path_join(directory, name);

	return read_text(path);
}

static bool has_word(const char *text, const char *word, const char *separators)
{
	cleanup_strlist struct strlist words = STRLIST_INIT;

	strlist_split(&words, text, separators);
	return strlist_has(&words, word);
}

/* "ID PARENT DEV ROOT MOUNT OPTIONS [FIELDS] - TYPE SOURCE SUPER-OPTIONS" (proc_pid_mountinfo(5)) */
static bool is_hierarchy(const char *line, const char *controller, struct hierarchy *h)
{
	cleanup_strlist struct strlist fields = STRLIST_INIT;
	size_t dash = 6;

	strlist_split(&fields, line, " ");
	while (dash < fields.count && strcmp(fields.items[dash], "-"))
		dash++;
	if (dash + 3 >= fields.count)
		return false;
	h->v2 = !strcmp(fields.items[dash + 1], "cgroup2");
	if (!h->v2 && strcmp(fields.items[dash + 1], "cgroup"))
		return false;
	if (h->v2) {
		cleanup_free char *all = read_file_of(fields.items[4], "cgroup.controllers");

		if (!all || !has_word(all, controller, " \n"))
			return false;
	} else if (!has_word(fields.items[dash + 3], controller, ",")) {
		return false;
	}
	h->root = mem_strdup(fields.items[3]);
	h->mount = mem_strdup(fields.items[4]);
	return true;
}

static bool find_hierarchy(const char *controller, struct hierarchy *h)
{
	cleanup_free char *text = read_text("/proc/self/mountinfo");
	cleanup_strlist struct strlist lines = STRLIST_INIT;

	*h = (struct hierarchy){ 0 };
	if (text)
		strlist_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++)
		if (is_hierarchy(lines.items[i], controller, h))
			return true;
	return false;
}

/* "N:CONTROLLERS:PATH"; the unified hierarchy has "0::PATH" (cgroups(7)). */
static char *path_in_hierarchy(pid_t pid, const char *controller, bool v2)
{
	cleanup_free char *file = mem_printf("/proc/%d/cgroup", (int)pid), *text = read_text(file);
	cleanup_strlist struct strlist lines = STRLIST_INIT;

	if (text)
		strlist_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		char *first = strchr(lines.items[i], ':'), *second = first ? strchr(first + 1, ':') : NULL;

		if (!second)
			continue;
		*second = '\0';
		if (v2 ? !strcmp(lines.items[i], "0:") : has_word(first + 1, controller, ","))
			return mem_strdup(second + 1);
	}
	return NULL;
}

static char *directory_of(const struct hierarchy *h, pid_t pid, enum limit_controller controller)
{
	cleanup_free char *path = path_in_hierarchy(pid, names[controller], h->v2);
	const char *below = path;

	if (!path)
		return NULL;
	if (strcmp(h->root, "/")) {
		below = path_below(path, h->root);
		if (!below)
			return NULL; /* not in what is mounted here */
	}
	while (*below == '/')
		below++;
	return *below ? path_join(h->mount, below) : mem_strdup(h->mount);
}

char *limit_cgroup_of(pid_t pid, enum limit_controller controller, bool *v2)
{
	struct hierarchy h;
	char *directory = NULL;

	if (find_hierarchy(names[controller], &h))
		directory = directory_of(&h, pid, controller);
	*v2 = h.v2;
	hierarchy_release(&h);
	return directory;
}

/* ---- reading and writing limits ---- */

static int write_file(const char *directory, const char *name, const char *text)
{
	cleanup_free char *path = path_join(directory, name);
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

static int write_number(const char *directory, const char *name, uint64_t number)
{
	cleanup_free char *text = mem_printf("%llu", (unsigned long long)number);

	return write_file(directory, name, text);
}

/* What is swapped out counts as memory: otherwise a limit is a way to make the machine slow. Not every kernel counts it. */
static int set_memory(const char *directory, bool v2, const struct limit *l)
{
	if (write_number(directory, v2 ? "memory.max" : "memory.limit_in_bytes", l->memory) < 0)
		return -1;
	if (v2)
		write_file(directory, "memory.swap.max", "0");
	else
		write_number(directory, "memory.memsw.limit_in_bytes", l->memory);
	return 0;
}

static int set_limit(const char *directory, bool v2, enum limit_controller controller, const struct limit *l)
{
	uint64_t quota = (uint64_t)l->cpus * PERIOD_US / 1000;

	if (controller == LIMIT_CONTROLLER_MEMORY)
		return set_memory(directory, v2, l);
	if (controller == LIMIT_CONTROLLER_PIDS)
		return write_number(directory, "pids.max", l->pids);
	if (v2) {
		cleanup_free char *text = mem_printf("%llu %d", (unsigned long long)quota, PERIOD_US);

		return write_file(directory, "cpu.max", text);
	}
	if (write_number(directory, "cpu.cfs_period_us", PERIOD_US) < 0)
		return -1;
	return write_number(directory, "cpu.cfs_quota_us", quota);
}

/* The number at the start of a file; "max" and what is negative are none. */
static bool read_number(const char *directory, const char *name, uint64_t *first, uint64_t *second)
{
	cleanup_free char *text = read_file_of(directory, name);
	unsigned long long a = 0, b = 0;
	int n = text && text[0] >= '0' && text[0] <= '9' ? sscanf(text, "%llu %llu", &a, &b) : 0;

	*first = a;
	*second = b;
	return n > 0;
}

bool limit_cgroup_has(const char *directory, bool v2, enum limit_controller controller, const struct limit *l)
{
	uint64_t value, period, ignored;

	switch (controller) {
	case LIMIT_CONTROLLER_MEMORY:
		return read_number(directory, v2 ? "memory.max" : "memory.limit_in_bytes", &value, &ignored) &&
		       value <= l->memory;
	case LIMIT_CONTROLLER_PIDS:
		return read_number(directory, "pids.max", &value, &ignored) && value <= l->pids;
	default:
		if (v2 && !read_number(directory, "cpu.max", &value, &period))
			return false;
		if (!v2 && (!read_number(directory, "cpu.cfs_quota_us", &value, &ignored) ||
			    !read_number(directory, "cpu.cfs_period_us", &period, &ignored)))
			return false;
		return period && value * 1000 <= (uint64_t)l->cpus * period;
	}
}

/* ---- making them ---- */

static bool passes_on(const char *directory, const char *controller)
{
	cleanup_free char *text = read_file_of(directory, "cgroup.subtree_control");

	return text && has_word(text, controller, " \n");
}

/* The nearest of the cgroup and its ancestors whose children have the controller. NULL: none that we may write to. */
static char *find_parent(const struct hierarchy *h, const char *directory, const char *controller)
{
	cleanup_free char *enable = mem_printf("+%s", controller);
	char *at = mem_strdup(directory);

	if (!h->v2)
		return at;
	for (;;) {
		char *up;

		if (access(at, W_OK) == 0 &&
		    (passes_on(at, controller) || write_file(at, "cgroup.subtree_control", enable) == 0))
			return at;
		if (!strcmp(at, h->mount) || !path_is_below(at, h->mount)) {
			free(at);
			return NULL;
		}
		up = path_parent(at);
		free(at);
		at = up;
	}
}

static int move_into(const char *directory, pid_t pid)
{
	return write_number(directory, "cgroup.procs", (uint64_t)pid);
}

static void make(const struct limit *l, pid_t pid, enum limit_controller controller, struct strlist *leave)
{
	cleanup_free char *origin = NULL, *parent = NULL, *directory = NULL, *line = NULL;
	struct hierarchy h;
	bool made = false;

	if (find_hierarchy(names[controller], &h))
		origin = directory_of(&h, pid, controller);
	if (origin)
		parent = find_parent(&h, origin, names[controller]);
	if (parent) {
		cleanup_free char *name = mem_printf("devenv-%.*s", NAME_DIGITS, l->id);

		directory = text_ends(parent, name) ? mem_strdup(parent) : path_join(parent, name);
		made = mkdir(directory, 0755) == 0 || errno == EEXIST;
	}
	if (made && set_limit(directory, h.v2, controller, l) == 0 && move_into(directory, pid) == 0) {
		line = mem_printf("%s\t%s", directory, origin);
		for (size_t i = 0; i < leave->count; i++)
			if (text_starts(leave->items[i], directory) && leave->items[i][strlen(directory)] == '\t')
				made = false;
		if (made)
			strlist_add(leave, line);
	} else if (made) {
		rmdir(directory);
	}
	hierarchy_release(&h);
}

void limit_cgroup_make(const struct limit *l, pid_t pid, struct strlist *leave)
{
	if (l->memory)
		make(l, pid, LIMIT_CONTROLLER_MEMORY, leave);
	if (l->cpus)
		make(l, pid, LIMIT_CONTROLLER_CPU, leave);
	if (l->pids)
		make(l, pid, LIMIT_CONTROLLER_PIDS, leave);
}

/* The manager of a user has what was delegated to it; others have what they may write to. */
bool limit_cgroup_is_possible(enum limit_controller controller)
{
	cleanup_free char *own = NULL, *user = NULL, *controllers = NULL;
	struct hierarchy h;
	bool possible = false;

	if (find_hierarchy(names[controller], &h)) {
		own = directory_of(&h, getpid(), controller);
		user = mem_printf("%s/user.slice/user-%u.slice/user@%u.service", h.mount, getuid(), getuid());
		controllers = h.v2 && limit_systemd_is_there() ? read_file_of(user, "cgroup.controllers") : NULL;
		possible = (controllers && has_word(controllers, names[controller], " \n")) ||
			   (own && access(own, W_OK) == 0 && (!h.v2 || geteuid() == 0));
	}
	hierarchy_release(&h);
	return possible;
}
