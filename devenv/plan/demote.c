/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demote.c - real root becomes an ordinary user.
 *
 * Theory of operation
 *
 * In a user namespace that maps root to root, a process that gets out of the sandbox in spite of everything is root, and
 * meanwhile every file of root's that it comes across is its own. So before real root makes or joins an environment it
 * becomes somebody who owns nothing on this machine (plan.become_uid); everything after that is what an ordinary user does.
 *
 * But the project, the store and the directories for state are root's. They are mounted over themselves with a map of ids
 * (mount_setattr(2), MOUNT_ATTR_IDMAP) that shows root's files as that user's, and makes that user's new ones root's on
 * disk; the files of everybody else keep their owners. Only this process sees these mounts: they are in a mount namespace of
 * its own, and what the plan binds is copied from there. In order:
 *
 *   1. a child becomes that user and makes a user namespace, which shows that this user may; root writes its map, keeps a
 *      descriptor of it for the mounts, and lets the child go;
 *   2. a mount namespace; whatever the host mounts and unmounts from now on still arrives (MS_SLAVE);
 *   3. for every path that will be needed: the first of its directories that this user could not pass, or else the last
 *      component, is mounted over itself. What shows as the user's already needs nothing any more;
 *   4. ids and capabilities are given up, for good.
 *
 * The runtime directory is often a tmpfs, which knows no such mounts before Linux 6.3. Nothing in it is needed but one lock
 * file: that is opened before.
 *
 * Whatever goes wrong before the last step - Linux before 5.19, whose overlays refuse such layers; a file system that knows no
 * such mounts, as the overlay that containers have for a root; no capabilities in a container - leaves things as they were:
 * root inside is root outside, without capabilities. `devenv doctor`, `info` and `config --plan` say which it is.
 *
 * All sessions of an environment must be the same user's: pid 1 lets nobody else join. The id is in the plan, and so in its
 * name; whoever stays root where pid 1 is not root's, or the other way round, finds out before anything is given up.
 *
 * Neither root of a user namespace nor anybody else comes here: one look at the auxiliary vector tells.
 */
#include "plan/demote.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/self.h"
#include "base/sys.h"
#include "base/text.h"
#include "plan/running.h"

#define PIPEFS_MAGIC 0x50495045
#define LAST_ID	     4294967294u

struct demotion {
	uid_t uid;
	gid_t gid;
	int userns_fd, lock_fd;
	struct strlist mounted; /* in this order */
};

/* Root of a user namespace is somebody else outside, and is left alone. */
static bool is_real_root(void)
{
	cleanup_buf struct buf map = BUF_INIT;
	struct err ignored = ERR_INIT;
	unsigned int inside, outside, count;

	return self_uid() == 0 && file_read(AT_FDCWD, "/proc/self/uid_map", 4096, 0, &map, NULL, &ignored) == 0 &&
	       sscanf(map.data, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 && outside == 0 &&
	       count == UINT32_MAX;
}

/* The engines of containers take it away. */
static int check_capability(struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &header, data) == 0 && (data[0].effective & (1u << CAP_SYS_ADMIN)))
		return 0;
	return err_set(e, ERR_SANDBOX, "it has no capability for mounts (CAP_SYS_ADMIN)");
}

static int check_kernel(struct err *e)
{
	unsigned int major, minor;
	struct utsname u;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) != 2 || major > 5 || (major == 5 && minor >= 19))
		return 0;
	return err_set(e, ERR_SANDBOX, "overlays can't have layers with mapped ids before Linux 5.19, and this is %s", u.release);
}

/* ---- a user namespace with the map ---- */

static int become(uid_t uid, gid_t gid)
{
	return setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ? -1 : 0;
}

/* Some systems let only root make user namespaces, or give nobody else capabilities in them: the second flag takes one. */
static _Noreturn void stand_in(int fd, uid_t uid, gid_t gid)
{
	unsigned char sys = 0;

	if (become(uid, gid) < 0 || unshare(CLONE_NEWUSER | CLONE_NEWUTS) < 0)
		sys = (unsigned char)errno;
	if (write(fd, &sys, 1) == 1 && read(fd, &sys, 1) > 0)
		_exit(1);
	_exit(0);
}

/* Root for the one and the one for nobody; all others as they are. */
static int write_map(pid_t pid, const char *name, uint32_t id, struct err *e)
{
	char path[64], lines[128];
	cleanup_close int fd = -1;
	int len;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	len = snprintf(lines, sizeof(lines), "0 %u 1\n1 1 %u\n%u %u %u\n", id, id - 1, id + 1, id + 1, LAST_ID - id);
	fd = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, lines, (size_t)len) != len ? err_sys(e, "can't write %s of a user namespace", name) : 0;
}

static int map_ids(struct demotion *m, int fd, pid_t pid, struct err *e)
{
	unsigned char sys;
	char path[64];

	if (read(fd, &sys, 1) != 1)
		return err_set(e, ERR_SANDBOX, "the process that makes a user namespace ended");
	if (sys)
		return err_set(e, ERR_SANDBOX, "uid %u can't make user namespaces: %s", m->uid, strerror(sys));
	if (write_map(pid, "uid_map", m->uid, e) < 0 || write_map(pid, "gid_map", m->gid, e) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	m->userns_fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	return m->userns_fd < 0 ? err_sys(e, "can't open a user namespace") : 0;
}

static int make_map(struct demotion *m, struct err *e)
{
	int ends[2], result;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, "can't make a socket");
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		stand_in(ends[1], m->uid, m->gid);
	}
	close(ends[1]);
	result = pid < 0 ? err_sys(e, "can't start a process") : map_ids(m, ends[0], pid, e);
	close(ends[0]);
	if (pid > 0)
		kill(pid, SIGKILL); /* nothing waits for what it would do by itself */
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return result;
}

/* ---- mounts ---- */

/* EPERM for a mount alone: it has a map already - ours, when its owner is not root any more. */
static int mount_mapped(struct demotion *m, const char *path, const struct stat *st, struct err *e)
{
	struct sys_mount_attr attr = { .set = SYS_MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)m->userns_fd };
	cleanup_close int tree = sys_open_tree(AT_FDCWD, path, SYS_OPEN_TREE_CLONE | SYS_AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);
	int set;

	if (tree < 0)
		return err_sys(e, "can't copy the mount of %s", text_safe(path));
	set = sys_mount_setattr(tree, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &attr);
	if (set < 0) /* for what is mounted below it may not be possible */
		set = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	if (set < 0 && errno == EPERM && st->st_uid != 0)
		return 0;
	if (set < 0 || sys_move_mount(tree, "", AT_FDCWD, path, SYS_MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "can't map the ids of %s", text_safe(path));
	strlist_add(&m->mounted, path);
	return 0;
}

/* 1: it must be mapped. */
static int look_at_parent(const struct demotion *m, const char *path, const struct stat *st, struct err *e)
{
	if ((st->st_mode & S_IXOTH) || st->st_uid == m->uid || (st->st_gid == m->gid && (st->st_mode & S_IXGRP)))
		return 0;
	if (st->st_uid == 0 || st->st_gid == 0)
		return 1;
	return err_set(e, ERR_SANDBOX, "%s is closed to all but uid %u", text_safe(path), (unsigned int)st->st_uid);
}

/* `host` is what will be used: made when it is not there, or else nobody's business. */
static int cover(struct demotion *m, const char *host, bool only_read, struct err *e)
{
	cleanup_free char *path = realpath(host, NULL);
	char *end = path;
	struct stat st;

	while (end && *end) {
		char after;
		int needed;

		end += 1 + strcspn(end + 1, "/");
		after = *end;
		*end = '\0';
		if (lstat(path, &st) < 0)
			return err_sys(e, "can't look at %s", text_safe(path));
		if (after)
			needed = look_at_parent(m, path, &st, e);
		else
			needed = st.st_uid != m->uid && !(only_read && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH));
		if (needed < 0 || (needed && mount_mapped(m, path, &st, e) < 0))
			return -1;
		*end = after;
	}
	return 0;
}

static bool is_host_path(const struct plan_mount *m)
{
	return m->kind != PLAN_TMPFS && !(m->flags & (PLAN_MOUNT_DEVICE | PLAN_MOUNT_AGENT));
}

/* Made by root now: below a mapped mount root can't make anything. */
static void make_missing(const struct plan *p, const struct dirs *d)
{
	struct err ignored = ERR_INIT;
	size_t i;

	file_mkdirs(AT_FDCWD, d->runtime, 0700, &ignored);
	for (i = 0; i < p->mount_count; i++)
		if (p->mounts[i].flags & PLAN_MOUNT_MAKE_HOST)
			file_mkdirs(AT_FDCWD, p->mounts[i].host, 0700, &ignored);
}

/* The owner decides who may watch it, too (sandbox/linger.c). */
static int open_lock(struct demotion *m, const struct plan *p, const struct dirs *d, struct err *e)
{
	cleanup_free char *path = running_path(d, p->id);

	m->lock_fd = openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (m->lock_fd < 0 || fchown(m->lock_fd, m->uid, m->gid) < 0)
		return err_sys(e, "can't open the lock file %s", text_safe(path));
	return 0;
}

static int cover_all(struct demotion *m, const struct plan *p, const struct dirs *d, struct err *e)
{
	const char *const used[] = { d->state, p->state, p->store, p->project, p->guard };
	struct err closed = ERR_INIT;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(used); i++)
		if (*used[i] && cover(m, used[i], false, e) < 0)
			return -1;
	for (i = 0; i < p->layer_count; i++)
		if (!path_below(p->layers[i], p->store) && cover(m, p->layers[i], false, e) < 0)
			return -1;
	for (i = 0; i < p->mount_count; i++)
		if (is_host_path(&p->mounts[i]) &&
		    cover(m, p->mounts[i].host, p->mounts[i].flags & PLAN_MOUNT_READ_ONLY, e) < 0)
			return -1;
	return cover(m, d->runtime, false, &closed) < 0 ? open_lock(m, p, d, e) : 0;
}

/*
 * What is looked at after a session by descriptors of the host's (guard.h) is looked at from inside, when nobody is in this
 * namespace any more: left open, this keeps its mounts.
 */
static int keep_mounts(struct err *e)
{
	int fd = openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "can't open a mount namespace") : 0;
}

static int make_mounts(struct demotion *m, const struct plan *p, const struct dirs *d, struct err *e)
{
	size_t i;

	make_missing(p, d);
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(e, "can't make a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 && cover_all(m, p, d, e) == 0 && keep_mounts(e) == 0)
		return 0;
	if (e->code == ERR_NONE)
		err_sys(e, "can't make the mounts of a namespace its own");
	for (i = m->mounted.count; i > 0; i--)
		umount2(m->mounted.items[i - 1], MNT_DETACH);
	return -1;
}

/* ---- giving up ---- */

/* The owner of pid 1, if there is one: nobody else may join. */
static bool has_owner(const struct plan *p, const struct dirs *d, uid_t *owner)
{
	pid_t pid = running_pid(d, p->id);
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (!pid || stat(path, &st) < 0)
		return false;
	*owner = st.st_uid;
	return true;
}

/* A pipe can be opened again by whoever owns it, which is what /dev/stdout is for. Files stay as they are. */
static void hand_over_pipes(uid_t uid)
{
	struct statfs fs;
	struct stat st;
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid == 0 && fstatfs(fd, &fs) == 0 &&
		    fs.f_type == PIPEFS_MAGIC && fchown(fd, uid, (gid_t)-1) < 0)
			return;
}

/* What a change of ids undoes: the end of who called us is ours (env/step.c), and our own /proc is our own. */
static int restore_attributes(int death_signal, pid_t parent)
{
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return -1;
	if (!death_signal)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) < 0)
		return -1;
	if (getppid() != parent)
		raise(death_signal);
	return 0;
}

static int give_up(const struct demotion *m, struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };
	int death_signal = 0;
	pid_t parent = getppid();

	prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0);
	hand_over_pipes(m->uid);
	if (become(m->uid, m->gid) < 0 || syscall(SYS_capset, &header, none) < 0 || restore_attributes(death_signal, parent) < 0)
		return err_sys(e, "can't become uid %u", m->uid);
	self_became(m->uid, m->gid);
	return 0;
}

static enum demoted prepare(struct demotion *m, const struct plan *p, const struct dirs *d, struct err *e)
{
	uid_t owner;

	if (check_capability(e) < 0 || check_kernel(e) < 0 || make_map(m, e) < 0 || make_mounts(m, p, d, e) < 0) {
		if (!has_owner(p, d, &owner) || owner != m->uid)
			return DEMOTE_STAYS;
		err_wrap(e, "the environment runs as uid %u, and can't be joined as root", owner);
		return DEMOTE_FAILED;
	}
	if (!has_owner(p, d, &owner) || owner != 0)
		return DEMOTE_DONE;
	err_set(e, ERR_SANDBOX, "the environment runs as root already");
	return DEMOTE_STAYS;
}

enum demoted demote(const struct plan *p, const struct dirs *d, int *lock_fd, struct err *e)
{
	struct demotion m = { .uid = p->become_uid, .gid = p->become_gid, .userns_fd = -1, .lock_fd = -1, .mounted = STRLIST_INIT };
	enum demoted result;

	*lock_fd = -1;

	/* newuidmap gives ranges to whom they belong. */
	if (!p->become_uid || p->uid_range_count || !is_real_root())
		return DEMOTE_STAYS;
	result = prepare(&m, p, d, e);
	if (result == DEMOTE_DONE && give_up(&m, e) < 0)
		result = DEMOTE_FAILED;
	if (m.userns_fd >= 0)
		close(m.userns_fd);
	if (result == DEMOTE_DONE)
		*lock_fd = m.lock_fd;
	else if (m.lock_fd >= 0)
		close(m.lock_fd);
	strlist_release(&m.mounted);
	return result;
}

enum demoted demote_probe(const struct plan *p, const struct dirs *d, struct err *e)
{
	struct answer {
		enum demoted result;
		struct err e;
	} answer = { .result = DEMOTE_STAYS };
	int fds[2], lock_fd;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return DEMOTE_STAYS;
	pid = fork();
	if (pid == 0) {
		sys_close_range(0, 2, 0);
		answer.result = demote(p, d, &lock_fd, &answer.e);
		_exit(write(fds[1], &answer, sizeof(answer)) != (ssize_t)sizeof(answer));
	}
	close(fds[1]);
	if (pid > 0 && read(fds[0], &answer, sizeof(answer)) == (ssize_t)sizeof(answer) && e)
		*e = answer.e;
	close(fds[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return answer.result;
}
