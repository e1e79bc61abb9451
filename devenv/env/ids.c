/* SPDX-License-Identifier: Apache-2.0 */
/* ids.c - ranges of subordinate ids (subuid(5)): reading, laying out, and a child that has them. */
#include "env/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/text.h"

#define ID_MAX 0xfffffffeu /* the last one means "no id" */

/* A range with id 0 would make somebody inside the machine's root: not even an administrator's mistake does that. */
static void add(struct ids_ranges *out, uint64_t first, uint64_t count)
{
	if (!first || !count || first > ID_MAX || count > ID_MAX - first + 1)
		return;
	for (size_t i = 0; i < out->count; i++)
		if (first < (uint64_t)out->items[i].first + out->items[i].count && out->items[i].first < first + count)
			return;
	out->items = mem_grow(out->items, out->count, &out->cap, sizeof(*out->items));
	out->items[out->count++] = (struct ids_range){ (uint32_t)first, (uint32_t)count };
}

static bool is_owner(const char *owner, const char *name, uint32_t id)
{
	uint64_t number;

	return (*name && strcmp(owner, name) == 0) || (text_number(owner, ID_MAX, &number) == 0 && number == id);
}

void ids_parse(const char *text, const char *name, uint32_t id, struct ids_ranges *out)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;

	strlist_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		char *owner = lines.items[i], *first = strchr(owner, ':'), *count = first ? strchr(first + 1, ':') : NULL;
		uint64_t from, many;

		if (!count)
			continue;
		*first++ = *count++ = '\0';
		if (is_owner(owner, name, id) && text_number(first, UINT32_MAX, &from) == 0 &&
		    text_number(count, UINT32_MAX, &many) == 0)
			add(out, from, many);
	}
}

void ids_read(int rootfd, const char *path, const char *name, uint32_t id, struct ids_ranges *out)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (file_read(rootfd, path, IDS_FILE_MAX, 0, &text, NULL, &ignored) == 0)
		ids_parse(text.data, name, id, out);
}

uint64_t ids_total(const struct ids_ranges *r)
{
	uint64_t total = 0;

	for (size_t i = 0; i < r->count; i++)
		total += r->items[i].count;
	return total;
}

void ids_release(struct ids_ranges *r)
{
	free(r->items);
	*r = (struct ids_ranges){ 0 };
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

void ids_lay_out(const struct ids_ranges *r, uint32_t own, struct plan *p, void (*add_range)(struct plan *p, struct plan_range r))
{
	uint32_t inside = 0;

	for (size_t i = 0; i < r->count; i++) {
		struct ids_range left = r->items[i];

		while (left.count && inside < IDS_INSIDE) {
			uint32_t n;

			if (inside == own) {
				inside++;
				continue;
			}
			n = smaller(left.count, (own > inside && own < IDS_INSIDE ? own : IDS_INSIDE) - inside);
			add_range(p, (struct plan_range){ inside, left.first, n });
			inside += n;
			left.first += n;
			left.count -= n;
		}
	}
}

/* ---- a child that has them ---- */

static int call(const char *program, pid_t pid, uint32_t own, const struct ids_ranges *r, struct err *e)
{
	cleanup_strlist struct strlist argv = STRLIST_INIT;
	uint32_t inside = 1;
	int status;

	strlist_add(&argv, program);
	strlist_addf(&argv, "%d", (int)pid);
	strlist_addf(&argv, "%s", "0");
	strlist_addf(&argv, "%u", own);
	strlist_addf(&argv, "%s", "1");
	for (size_t i = 0; i < r->count && r->items[i].count <= ID_MAX - inside; i++) {
		strlist_addf(&argv, "%u", inside);
		strlist_addf(&argv, "%u", r->items[i].first);
		strlist_addf(&argv, "%u", r->items[i].count);
		inside += r->items[i].count;
	}
	status = process_run((const char *const *)argv.items, e);
	if (status > 0)
		err_set(e, ERR_FAILED, "%s ended with status %d", program, status);
	return status == 0 ? 0 : -1;
}

static _Noreturn void child(const int made[2], const int mapped[2], void (*work)(void *data), void *data)
{
	char byte;

	close(mapped[1]);
	if (unshare(CLONE_NEWUSER) < 0 || write(made[1], "", 1) != 1 || read(mapped[0], &byte, 1) != 1)
		_exit(1);
	work(data);
	_exit(0);
}

static int map_child(pid_t pid, const int made[2], const int mapped[2], const struct ids_ranges *users,
		     const struct ids_ranges *groups, struct err *e)
{
	char byte;

	close(made[1]);
	if (read(made[0], &byte, 1) != 1)
		return err_set(e, ERR_SANDBOX, "can't make a user namespace");
	if (call("newuidmap", pid, getuid(), users, e) < 0 || call("newgidmap", pid, getgid(), groups, e) < 0)
		return -1;
	return write(mapped[1], "", 1) == 1 ? 0 : err_sys(e, "can't let the child go on");
}

static int run_child(const struct ids_ranges *users, const struct ids_ranges *groups, void (*work)(void *data), void *data,
		     struct err *e)
{
	int made[2], mapped[2], result, status = 1;
	pid_t pid;

	if (pipe2(made, O_CLOEXEC) < 0)
		return err_sys(e, "can't make a pipe");
	if (pipe2(mapped, O_CLOEXEC) < 0) {
		close(made[0]);
		close(made[1]);
		return err_sys(e, "can't make a pipe");
	}
	pid = fork();
	if (pid == 0)
		child(made, mapped, work, data);
	result = pid < 0 ? err_sys(e, "can't start a process") : map_child(pid, made, mapped, users, groups, e);
	if (pid < 0)
		close(made[1]);
	close(made[0]);
	close(mapped[0]);
	close(mapped[1]); /* a child that got no byte ends now */
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return result;
}

int ids_run_mapped(void (*work)(void *data), void *data, struct err *e)
{
	const struct passwd *self = getpwuid(getuid());
	cleanup_free char *name = mem_strdup(self ? self->pw_name : "");
	struct ids_ranges users = { 0 }, groups = { 0 };
	int result;

	ids_read(AT_FDCWD, "/etc/subuid", name, getuid(), &users);
	ids_read(AT_FDCWD, "/etc/subgid", name, getuid(), &groups);
	if (users.count && groups.count)
		result = run_child(&users, &groups, work, data, e);
	else
		result = err_set(e, ERR_NOT_FOUND, "%s has no range in /etc/subuid and /etc/subgid", text_safe(name));
	ids_release(&users);
	ids_release(&groups);
	return result;
}
