/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.c - the limits of a plan, seen from the launcher.
 *
 * The core does the work (env/limit.c): it moves this process into the environment's cgroups, and the holder and the
 * session, which are its children, are then there too. After the session this process is inside, where neither the core nor
 * /sys/fs/cgroup are to be seen: what will be needed then is opened before. Where root becomes somebody else for the session
 * (plan/demote.h), a child stays what it was until then and removes the cgroups.
 */
#include "launcher/limits.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/process.h"
#include "base/self.h"
#include "base/text.h"
#include "launcher/locate.h"

#define ANSWER_MAX 65536
#define LOOKS 250 /* for pid 1 to be gone, 2 ms apart */
#define PAUSE_NS 2000000

/* "oom_kill N" is in memory.events of the unified hierarchy and in memory.oom_control of the old one. */
static uint64_t count_killed(int fd)
{
	char text[4096];
	const char *line;
	unsigned long long n = 0;
	ssize_t len = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

	if (len <= 0)
		return 0;
	text[len] = '\0';
	line = strstr(text, "oom_kill ");
	return line && sscanf(line, "oom_kill %llu", &n) == 1 ? n : 0;
}

static int open_procs(const char *directory)
{
	cleanup_free char *path = path_join(directory, "cgroup.procs");

	return open(path, O_WRONLY | O_CLOEXEC);
}

static void remember_cgroup(struct limits *l, char *line)
{
	struct limits_cgroup *c = &l->cgroups[l->cgroup_count];
	char *tab = strchr(line, '\t');
	cleanup_free char *parent = NULL;

	if (!tab || l->cgroup_count == LIMITS_CGROUPS)
		return;
	*tab = '\0';
	parent = path_parent(line);
	c->origin_fd = open_procs(tab + 1);
	c->parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(c->name, sizeof(c->name), "%s", path_base(line));
	l->cgroup_count++;
}

static void take_answer(struct limits *l, const char *text)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;
	size_t i;

	strlist_split(&lines, text, "\n");
	for (i = 0; i < lines.count; i++) {
		char *line = lines.items[i];

		if (!strcmp(line, "pids"))
			l->count_processes = true;
		else if (text_starts(line, "events "))
			l->events_fd = open(line + strlen("events "), O_RDONLY | O_CLOEXEC);
		else if (text_starts(line, "leave "))
			remember_cgroup(l, line + strlen("leave "));
	}
	l->killed = count_killed(l->events_fd);
}

static bool move_out(const struct limits_cgroup *c, pid_t pid)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", (int)pid);

	return write(c->origin_fd, text, (size_t)len) == len;
}

/* pid 1 and what it ends may take a moment to be gone. */
static void remove_cgroup(const struct limits_cgroup *c)
{
	struct timespec pause = { .tv_nsec = PAUSE_NS };
	int looks;

	for (looks = 0; looks < LOOKS; looks++) {
		if (unlinkat(c->parent_fd, c->name, AT_REMOVEDIR) == 0 || errno != EBUSY)
			return;
		nanosleep(&pause, NULL);
	}
}

/* Outside of the limits itself. A byte says that the last session is over; the end of the file, that it is not. */
static _Noreturn void keeper_main(const struct limits *l, int fd)
{
	sigset_t all;
	char byte;
	size_t i;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setpgid(0, 0);
	prctl(PR_SET_NAME, "devenv-limits");
	for (i = 0; i < l->cgroup_count; i++)
		move_out(&l->cgroups[i], 0);
	if (read(fd, &byte, 1) == 1)
		for (i = 0; i < l->cgroup_count; i++)
			if (move_out(&l->cgroups[i], getppid()))
				remove_cgroup(&l->cgroups[i]);
	_exit(0);
}

static void start_keeper(struct limits *l)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	l->keeper = fork();
	if (l->keeper == 0) {
		close(fds[1]);
		keeper_main(l, fds[0]);
	}
	close(fds[0]);
	l->keeper_fd = fds[1];
}

int limits_begin(struct limits *l, const struct plan *p, struct err *e)
{
	cleanup_free char *core = NULL, *memory = NULL, *cpus = NULL, *pids = NULL, *self = NULL;
	cleanup_buf struct buf answer = BUF_INIT;
	int status;

	if (!p->memory && !p->cpus && !p->pids)
		return 0;
	core = locate_core(e);
	if (!core)
		return -1;
	memory = mem_printf("%llu", (unsigned long long)p->memory);
	cpus = mem_printf("%u", p->cpus);
	pids = mem_printf("%u", p->pids);
	self = mem_printf("%d", (int)getpid());
	status = process_capture((const char *const[]){ core, "limit", p->id, memory, cpus, pids, self, NULL }, NULL,
				 ANSWER_MAX, &answer, e);
	if (status < 0)
		return err_wrap(e, "can't set the limits of the environment");
	if (status > 0)
		return err_set(e, ERR_FAILED, "the limits of the environment could not be set");
	l->lingers = p->linger > 0;
	take_answer(l, answer.len ? answer.data : "");
	if (l->cgroup_count && p->become_uid && self_uid() == 0)
		start_keeper(l);
	return 0;
}

static void leave(struct limits *l, bool last)
{
	size_t i;

	if (l->keeper <= 0) {
		for (i = 0; last && i < l->cgroup_count; i++)
			if (move_out(&l->cgroups[i], 0))
				remove_cgroup(&l->cgroups[i]);
		return;
	}
	if (last && write(l->keeper_fd, "", 1) != 1)
		return;
	close(l->keeper_fd);
	while (waitpid(l->keeper, NULL, 0) < 0 && errno == EINTR)
		;
}

void limits_end(struct limits *l, const struct plan *p, void (*warn)(const char *line))
{
	uint64_t killed = count_killed(l->events_fd);

	if (killed > l->killed) {
		cleanup_free char *line = mem_printf("the environment reached its memory limit of %llu MiB, and the kernel "
						     "killed %llu of its processes; see [sandbox] memory in devenv.ini",
						     (unsigned long long)(p->memory >> 20),
						     (unsigned long long)(killed - l->killed));

		warn(line);
	}
	leave(l, l->was_last && !l->lingers);
}
