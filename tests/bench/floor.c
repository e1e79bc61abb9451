/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor.c - the least that makes such a sandbox: how near to the limit devenv is shows only beside it.
 *
 * usage: floor LAYER[:LAYER...] COMMAND [ARG...]        (LAYERs topmost first; absolute, not below /mnt)
 *
 * One clone3 with the five namespaces, the id map, an overlay with its upper on a tmpfs, proc, the usual devices bound
 * into a tmpfs, pivot_root, no_new_privs, exec. No filter, no home, no project, no joining, no messages worth the
 * name: an honest lower bound and nothing else. Ends with the command's status, 125 for a failure of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	must(fd, path);
	must((int)write(fd, text, strlen(text)), path);
	close(fd);
}

static void map_ids(unsigned int uid, unsigned int gid)
{
	char line[64];

	write_file("/proc/self/setgroups", "deny");
	snprintf(line, sizeof(line), "%u %u 1", uid, uid);
	write_file("/proc/self/uid_map", line);
	snprintf(line, sizeof(line), "%u %u 1", gid, gid);
	write_file("/proc/self/gid_map", line);
}

static void make_dev(void)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };
	char source[32], target[64];

	must(mount("tmpfs", "/mnt/root/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755"), "dev");
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		snprintf(source, sizeof(source), "/dev/%s", nodes[i]);
		snprintf(target, sizeof(target), "/mnt/root/dev/%s", nodes[i]);
		must(mknod(target, S_IFREG | 0644, 0), target);
		must(mount(source, target, NULL, MS_BIND, NULL), target);
	}
	must(mkdir("/mnt/root/dev/pts", 0755), "pts");
	must(mount("devpts", "/mnt/root/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666"), "pts");
	must(mkdir("/mnt/root/dev/shm", 0755), "shm");
	must(mount("tmpfs", "/mnt/root/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "shm");
	must(symlink("pts/ptmx", "/mnt/root/dev/ptmx"), "ptmx");
}

static void make_root(const char *layers)
{
	char options[3500];

	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	must(mount("tmpfs", "/mnt", "tmpfs", 0, NULL), "/mnt");
	must(mkdir("/mnt/root", 0755), "root");
	must(mkdir("/mnt/up", 0755), "up");
	must(mkdir("/mnt/work", 0755), "work");
	if (snprintf(options, sizeof(options), "lowerdir=%s,upperdir=/mnt/up,workdir=/mnt/work,userxattr", layers) >=
	    (int)sizeof(options))
		_exit(125);
	must(mount("overlay", "/mnt/root", "overlay", MS_NOSUID | MS_NODEV, options), "overlay");
	must(mount("proc", "/mnt/root/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL), "proc");
	make_dev();
	must(chdir("/mnt/root"), "root");
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "detach");
}

int main(int argc, char **argv)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = { .flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
		   .exit_signal = SIGCHLD };
	unsigned int uid = getuid(), gid = getgid();
	int status;
	pid_t pid;

	if (argc < 3)
		return 125;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	must(pid, "clone3");
	if (pid == 0) {
		must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "pdeathsig");
		map_ids(uid, gid);
		make_root(argv[1]);
		must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
		execvp(argv[2], argv + 2);
		must(-1, argv[2]);
	}
	if (waitpid(pid, &status, 0) < 0)
		return 125;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
