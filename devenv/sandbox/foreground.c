/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreground.c - `run`: like a process of a shell pipeline.
 *
 * The child stays in the caller's process group, so ^C, ^\ and ^Z from the terminal reach it and us alike and the
 * shell's fg and bg work. We ignore what the terminal sends (the child decides what ^C means) and pass on what somebody
 * sent to us alone, which si_code tells apart. Stopping is left to the kernel: ^Z stops both, SIGCONT continues both.
 *
 * When the command ends and other sessions keep the environment alive, something it left behind could go on reading the
 * caller's terminal - a password typed later. So every process inside that still has it is killed.
 */
#include "sandbox/foreground.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"

static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM };

static bool terminal_of(struct stat *tty)
{
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (isatty(fd) && fstat(fd, tty) == 0)
			return true;
	return false;
}

static bool has_open(int proc_fd, const struct stat *tty)
{
	int fd = openat(proc_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool found = false;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && (entry = readdir(dir))) {
		struct stat st;

		found = entry->d_name[0] != '.' && fstatat(fd, entry->d_name, &st, 0) == 0 && S_ISCHR(st.st_mode) &&
			st.st_dev == tty->st_dev && st.st_ino == tty->st_ino;
	}
	closedir(dir);
	return found;
}

/* Fields 6 and 7 of proc_pid_stat(5). A session id of 0 means that its leader is outside: the caller's own session, and
 * not one that has the same terminal number in the sandbox's devpts. */
static bool is_controlled_by(int proc_fd, const struct stat *tty)
{
	unsigned int number = (minor(tty->st_rdev) & 0xff) | (major(tty->st_rdev) << 8) | ((minor(tty->st_rdev) & ~0xffU) << 12);
	char text[512], *after;
	int session, terminal, fd = openat(proc_fd, "stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	after = strrchr(text, ')');
	return after && sscanf(after + 1, " %*c %*d %*d %d %d", &session, &terminal) == 2 && session == 0 &&
	       (unsigned int)terminal == number;
}

/* One pass over the /proc inside; the number of processes killed. */
static int kill_holders_of(const struct stat *tty)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int killed = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		int fd;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !strcmp(entry->d_name, "1"))
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		/* A /proc directory serves as a pidfd, so no pid number can be reused under us. */
		if ((is_controlled_by(fd, tty) || has_open(fd, tty)) && sys_pidfd_send_signal(fd, SIGKILL) == 0)
			killed++;
		close(fd);
	}
	closedir(dir);
	return killed;
}

static void take_terminal_back(void)
{
	struct stat tty;
	int rounds;

	if (!terminal_of(&tty))
		return;
	/* Again until a pass finds nobody: what forks while we look is found by the next one. */
	for (rounds = 0; rounds < 100 && kill_holders_of(&tty); rounds++)
		usleep(1000);
}

static int wait_and_forward(pid_t pid, const sigset_t *set)
{
	for (;;) {
		siginfo_t info;
		int n = sigwaitinfo(set, &info), status;

		if (n < 0)
			continue; /* EINTR: stopped and continued */
		if (n != SIGCHLD) {
			if (info.si_code <= 0)
				kill(pid, n);
			continue;
		}
		if (waitpid(pid, &status, WNOHANG) == pid)
			return spawn_status(status);
	}
}

int foreground_run(struct spawn *s, struct err *e)
{
	sigset_t set;
	size_t i;
	pid_t pid;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, &s->mask);
	pid = spawn_process(s, e);
	if (pid < 0)
		return -1;
	status = wait_and_forward(pid, &set);
	take_terminal_back();
	return status;
}
