/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal_probe.c - what a session may try with a terminal: linked statically, run by terminal.bats inside, and as the
 * pager outside. It keeps its notes in the working directory, in files made-*.
 *
 *   steal dup|tty|thread|flight|killpg|search  leave a process behind that has all descriptors of a terminal it could
 *	     get and reads from them; what it got goes to made-stolen. The rest ends when there is a file made-leave.
 *   killpg  kill(0, SIGKILL)
 *   tstp    take SIGTSTP over: say so, then stop
 *   leave   ignore SIGTSTP and wait for made-leave
 *   flood   end, with a process behind that keeps writing to the terminal
 *   pager   copy stdin; show keys from /dev/tty, each at once and not echoed, until q
 *   keys N  read N bytes in raw mode and print their sum, with much output before that
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MAX_FDS	 64
#define GIVE_UP	 1500 /* looks, 40 ms each */

static int fds[MAX_FDS], fd_count;

static bool exists(const char *name)
{
	return access(name, F_OK) == 0;
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

static void note(const char *file, const char *text, size_t len)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		_exit(9);
	close(fd);
}

static void wait_until(const char *file)
{
	int i;

	for (i = 0; i < GIVE_UP && !exists(file); i++)
		pause_ms(40);
}

/* ---- steal ---- */

static void keep(int fd)
{
	if (fd >= 0 && fd_count < MAX_FDS && isatty(fd))
		fds[fd_count++] = fd;
}

static void keep_stdio(void)
{
	int i;

	for (i = 0; i < 3; i++)
		keep(fcntl(i, F_DUPFD, 10));
}

static void keep_tty(void)
{
	keep(open("/dev/tty", O_RDWR | O_NOCTTY));
}

static void search_directory(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[512];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		keep(open(name, O_RDWR | O_NOCTTY | O_NONBLOCK));
	}
	if (dir)
		closedir(dir);
}

/* Whatever can be opened by name. */
static void search(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char name[300];

	search_directory("/dev/pts");
	while (proc && (entry = readdir(proc))) {
		snprintf(name, sizeof(name), "/proc/%s/fd", entry->d_name);
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			search_directory(name);
	}
	if (proc)
		closedir(proc);
}

static void close_stdio(void)
{
	int null = open("/dev/null", O_RDWR), i;

	for (i = 0; i < 3; i++)
		dup2(null, i);
}

static void read_all(void)
{
	char data[4096];
	int round, i;

	note("made-thief", "ready\n", 6);
	for (round = 0; round < GIVE_UP && !exists("made-stop"); round++) {
		for (i = 0; i < fd_count; i++) {
			struct pollfd p = { .fd = fds[i], .events = POLLIN };
			ssize_t n = poll(&p, 1, 0) > 0 ? read(fds[i], data, sizeof(data)) : 0;

			if (n > 0)
				note("made-stolen", data, (size_t)n);
		}
		pause_ms(fd_count && exists("made-leave") ? 2 : 40);
	}
	_exit(0);
}

/* In flight in a socket nobody has the descriptor. */
static void send_and_receive(void)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int pair[2], i;

	if (!fd_count || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		_exit(9);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fds[0], sizeof(int));
	if (sendmsg(pair[0], &msg, 0) != 1)
		_exit(9);
	for (i = 0; i < fd_count; i++)
		close(fds[i]);
	fd_count = 0;
	note("made-flight", "x", 1);
	wait_until("made-returned");
	msg.msg_controllen = sizeof(control);
	if (recvmsg(pair[1], &msg, 0) != 1 || !(c = CMSG_FIRSTHDR(&msg)))
		_exit(9);
	memcpy(&fds[fd_count++], CMSG_DATA(c), sizeof(int));
}

static void *read_in_thread(void *unused)
{
	if (unshare(CLONE_FILES) < 0)
		_exit(9);
	note("made-unshared", "x", 1);
	read_all();
	return unused;
}

static void thief(const char *variant)
{
	pthread_t thread;

	signal(SIGHUP, SIG_IGN);
	if (!strcmp(variant, "tty"))
		keep_tty();
	else if (!strcmp(variant, "search"))
		search();
	else
		keep_stdio();
	if (!strcmp(variant, "search")) {
		keep_stdio();
		keep_tty();
	}
	setsid();
	close_stdio();
	if (!strcmp(variant, "flight"))
		send_and_receive();
	if (!strcmp(variant, "thread")) {
		if (pthread_create(&thread, NULL, read_in_thread, NULL))
			_exit(9);
		wait_until("made-unshared");
		for (int i = 0; i < fd_count; i++)
			close(fds[i]);
		pthread_join(thread, NULL);
	}
	read_all();
}

static int steal(const char *variant)
{
	if (fork() == 0)
		thief(variant);
	wait_until("made-leave");
	if (!strcmp(variant, "killpg"))
		kill(0, SIGKILL);
	return 0;
}

/* ---- the others ---- */

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(9);
}

static void stopped(int number)
{
	(void)number;
	say("took it over\n");
	raise(SIGSTOP);
	say("and back\n");
}

static int take_stop_over(void)
{
	struct sigaction action = { .sa_handler = stopped };
	char byte;

	sigaction(SIGTSTP, &action, NULL);
	say("begun\n");
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	say("read\n");
	return 0;
}

static int flood(void)
{
	signal(SIGHUP, SIG_IGN);
	if (fork() == 0) {
		setsid();
		while (write(1, "flood\n", 6) > 0 || errno == EAGAIN)
			;
		note("made-dry", "x", 1);
		_exit(0);
	}
	pause_ms(200);
	return 3;
}

static int pager(void)
{
	struct termios before, now;
	int tty = open("/dev/tty", O_RDWR);
	char data[4096], line[32];
	ssize_t n;

	if (tty < 0 || tcgetattr(tty, &before) < 0)
		return 9;
	now = before;
	now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	now.c_cc[VMIN] = 1;
	now.c_cc[VTIME] = 0;
	n = read(0, data, sizeof(data));
	tcsetattr(tty, TCSADRAIN, &now);
	if (n > 0)
		say("first page\n");
	while (read(tty, data, 1) == 1 && data[0] != 'q') {
		snprintf(line, sizeof(line), "key %c\n", data[0]);
		say(line);
	}
	tcsetattr(tty, TCSADRAIN, &before);
	return 0;
}

static int keys(long count)
{
	struct termios now;
	unsigned long sum = 0;
	unsigned char data[777];
	char line[64];
	long got = 0;
	int i;

	if (tcgetattr(0, &now) < 0)
		return 9;
	cfmakeraw(&now);
	tcsetattr(0, TCSANOW, &now);
	note("made-raw", "x", 1);
	for (i = 0; i < 4000; i++)
		say("output before input is looked at, output before input is looked at\r\n");
	while (got < count) {
		ssize_t n = read(0, data, sizeof(data));

		if (n <= 0)
			return 9;
		for (i = 0; i < n; i++)
			sum = sum * 31 + data[i];
		got += n;
	}
	snprintf(line, sizeof(line), "\r\nsum %lu\r\n", sum);
	say(line);
	return 0;
}

static int ignore_stop(void)
{
	signal(SIGTSTP, SIG_IGN);
	say("begun\n");
	wait_until("made-leave");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "steal") && argc > 2)
		return steal(argv[2]);
	if (!strcmp(what, "killpg"))
		return kill(0, SIGKILL);
	if (!strcmp(what, "tstp"))
		return take_stop_over();
	if (!strcmp(what, "leave"))
		return ignore_stop();
	if (!strcmp(what, "flood"))
		return flood();
	if (!strcmp(what, "pager"))
		return pager();
	if (!strcmp(what, "keys") && argc > 2)
		return keys(strtol(argv[2], NULL, 10));
	return 2;
}
