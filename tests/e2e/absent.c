/* SPDX-License-Identifier: Apache-2.0 */
/*
 * absent.c - run a command on a kernel that lacks something.
 *
 * usage: absent FEATURE... -- COMMAND [ARG...]
 *
 * Theory of operation. A seccomp filter that the command and all it starts inherit answers an error. Calls told by number
 * and a plain argument are answered by the filter itself. mount(2) is told by its type, which is a string in the
 * caller's memory: it is handed to this process, which reads the string and answers, or lets the kernel go on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
enum { ALWAYS, EQUAL, ANY_BIT };

static const struct feature {
	const char *name;
	int call, answer;
	int how, argument; /* how the argument is compared with the value */
	uint32_t value;
} features[] = {
	{ "user-namespaces", SYS_clone, EPERM, ANY_BIT, 0, CLONE_NEWUSER },
	{ "user-namespaces", SYS_unshare, EPERM, ANY_BIT, 0, CLONE_NEWUSER },
	{ "clone3", SYS_clone3, ENOSYS, ALWAYS, 0, 0 },
	{ "tmpfs-xattr", SYS_setxattr, EOPNOTSUPP, ALWAYS, 0, 0 },
	{ "openat2", 437, ENOSYS, ALWAYS, 0, 0 },
	{ "open_tree", 428, ENOSYS, ALWAYS, 0, 0 },
	{ "move_mount", 429, ENOSYS, ALWAYS, 0, 0 },
	{ "mount_setattr", 442, ENOSYS, ALWAYS, 0, 0 },
	{ "close_range", 436, ENOSYS, ALWAYS, 0, 0 },
	{ "pidfd_open", 434, ENOSYS, ALWAYS, 0, 0 },
	{ "setns", SYS_setns, EINVAL, ALWAYS, 0, 0 },
	{ "ofd-locks", SYS_fcntl, EINVAL, EQUAL, 1, F_OFD_SETLK },
	{ "ofd-locks", SYS_fcntl, EINVAL, EQUAL, 1, F_OFD_SETLKW },
	{ "ofd-locks", SYS_fcntl, EINVAL, EQUAL, 1, F_OFD_GETLK },
	{ "seccomp", SYS_seccomp, ENOSYS, ALWAYS, 0, 0 },
	{ "statx", SYS_statx, ENOSYS, ALWAYS, 0, 0 },
	{ "landlock", 444, ENOSYS, ALWAYS, 0, 0 },
};
/* Types of file systems, and what mount(2) answers. */
static const struct type {
	const char *name;
	int answer;
} types[] = {
	{ "overlay", ENODEV }, { "devpts", ENODEV }, { "mqueue", ENODEV }, { "proc", EPERM }, { "tmpfs", EPERM },
};

static struct sock_filter program[256];
static unsigned short length;
static const struct type *denied[COUNT(types)];
static size_t denied_count;

static void add(uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	program[length++] = (struct sock_filter){ code, yes, no, k };
}

static void answer(int call, int how, int argument, uint32_t value, uint32_t result)
{
	unsigned int skip = how == ALWAYS ? 1 : 3;

	add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	add(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, (uint8_t)skip);
	if (how != ALWAYS) {
		add(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)argument), 0, 0);
		add(how == EQUAL ? BPF_JMP | BPF_JEQ | BPF_K : BPF_JMP | BPF_JSET | BPF_K, value, 0, 1);
	}
	add(BPF_RET | BPF_K, result, 0, 0);
}

static int add_feature(const char *name)
{
	size_t found = 0;

	for (size_t i = 0; i < COUNT(features); i++)
		if (!strcmp(features[i].name, name)) {
			const struct feature *f = &features[i];

			answer(f->call, f->how, f->argument, f->value, SECCOMP_RET_ERRNO | (uint32_t)f->answer);
			found++;
		}
	for (size_t i = 0; i < COUNT(types); i++)
		if (!strcmp(types[i].name, name)) {
			denied[denied_count++] = &types[i];
			found++;
		}
	return found ? 0 : -1;
}

/* In the child: the listener goes to the parent by number, through its copy of our descriptors. */
static void load(int socket)
{
	struct sock_fprog prog = { .len = length, .filter = program };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct iovec io = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, denied_count ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &prog);
	if (fd < 0) {
		perror("absent: seccomp");
		_exit(99);
	}
	if (!denied_count)
		return;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(socket, &message, 0) < 0)
		_exit(99);
	close(fd);
}

static int receive(int socket)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec io = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int fd = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static int judge(const struct seccomp_notif *n)
{
	char path[40], type[16] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/mem", n->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && n->data.args[2])
		type[pread(fd, type, sizeof(type) - 1, (off_t)n->data.args[2]) < 0 ? 0 : sizeof(type) - 1] = '\0';
	close(fd);
	for (size_t i = 0; i < denied_count; i++)
		if (!strcmp(type, denied[i]->name))
			return denied[i]->answer;
	return 0;
}

/* Until nobody with the filter is left. */
static void serve(int listener)
{
	struct seccomp_notif n;
	struct seccomp_notif_resp r;

	for (;;) {
		memset(&n, 0, sizeof(n));
		memset(&r, 0, sizeof(r));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0) {
			if (errno == EINTR || errno == ENOENT)
				continue;
			return;
		}
		r.id = n.id;
		r.error = -judge(&n);
		r.flags = r.error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
	}
}

int main(int argc, char **argv)
{
	int i, status, sockets[2];
	pid_t server, command;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (add_feature(argv[i]) < 0) {
			fprintf(stderr, "absent: what is '%s'?\n", argv[i]);
			return 99;
		}
	if (i + 1 >= argc)
		return 99;
	if (denied_count)
		answer(SYS_mount, ALWAYS, 0, 0, SECCOMP_RET_USER_NOTIF);
	add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return 99;
	command = fork();
	if (command == 0) {
		load(sockets[1]);
		execvp(argv[i + 1], argv + i + 1);
		_exit(98);
	}
	close(sockets[1]);
	server = denied_count ? fork() : -1;
	if (server == 0) {
		serve(receive(sockets[0]));
		_exit(0);
	}
	waitpid(command, &status, 0);
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
