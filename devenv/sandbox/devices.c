/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices.c - granted devices of the host, and the session's ssh agent.
 *
 * Device nodes are bound when /dev is made, like those that every environment has. The agent is another matter: each
 * login has a socket of its own, and the environment outlives the login of its first session. So every session mounts
 * its own over that of the one before. A mount can't be taken from the host's namespace without privileges, nor once we
 * are inside; but a child with a namespace of its own may copy it from there as a detached mount, which goes anywhere. Its
 * descriptor table is ours, so the copy is in our hands when it has ended.
 */
#include "sandbox/devices.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"

/* Like the other devices it is bound read-only: that concerns its mode and owner, not what is written to it. */
static int bind_node(const struct plan_mount *m, struct err *e)
{
	struct sys_mount_attr attr = { .set = SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NOEXEC | SYS_MOUNT_ATTR_RDONLY };
	const char *name = m->target + strlen("/dev/"); /* there in the generated layer's /dev, like all of them */
	cleanup_close int source = sys_open_tree(AT_FDCWD, m->host, SYS_OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	struct stat st;

	if (source < 0 && errno == ENOENT)
		return 0;
	if (source < 0 || fstat(source, &st) < 0)
		return err_sys(e, "can't bind the device %s", text_safe(m->host));
	if (!S_ISCHR(st.st_mode) || st.st_dev != m->dev || st.st_ino != m->ino)
		return err_set(e, ERR_SANDBOX, "%s was exchanged for something else while the sandbox was made",
			       text_safe(m->host));
	if (sys_mount_setattr(source, "", AT_EMPTY_PATH, &attr) < 0 ||
	    sys_move_mount(source, "", AT_FDCWD, name, SYS_MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "can't bind the device %s", text_safe(m->host));
	return 0;
}

int devices_bind(const struct plan *p, struct err *e)
{
	size_t i;

	for (i = 0; i < p->mount_count; i++)
		if ((p->mounts[i].flags & PLAN_MOUNT_DEVICE) && bind_node(&p->mounts[i], e) < 0)
			return -1;
	return 0;
}

static const char *agent_target(const struct plan *p)
{
	size_t i;

	for (i = 0; i < p->mount_count; i++)
		if (p->mounts[i].flags & PLAN_MOUNT_AGENT)
			return p->mounts[i].target;
	return NULL;
}

/* A socket file outlives the agent that made it. */
static bool answers(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static _Noreturn void copy_mount(const char *path)
{
	struct sys_mount_attr attr = { .set = SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NODEV | SYS_MOUNT_ATTR_NOEXEC };
	int fd = sys_open_tree(AT_FDCWD, path, SYS_OPEN_TREE_CLONE);

	if (fd < 0 || fd > 255 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) < 0)
		_exit(0);
	_exit(fd);
}

int devices_open_agent(const struct plan *p, char **why)
{
	const char *path = agent_target(p) ? getenv("SSH_AUTH_SOCK") : NULL;
	int status = 0;
	pid_t pid;

	if (!agent_target(p))
		return -1;
	if (!path || !*path) {
		*why = mem_strdup("warning: no ssh agent: SSH_AUTH_SOCK is not set here");
		return -1;
	}
	if (!answers(path)) {
		*why = mem_printf("warning: no ssh agent: nobody answers at %s (SSH_AUTH_SOCK)", text_safe(path));
		return -1;
	}
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0UL);
	if (pid == 0)
		copy_mount(path);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status))
		return WEXITSTATUS(status);
	*why = mem_printf("warning: no ssh agent: %s can't be brought in", text_safe(path));
	return -1;
}

const char *devices_attach_agent(const struct plan *p, int fd)
{
	const char *target = agent_target(p);
	int place;

	if (fd < 0)
		return NULL;
	umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW); /* of the session before; EINVAL: there was none */
	place = sys_openat2(AT_FDCWD, target, O_PATH | O_NOFOLLOW, 0, SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS);
	if (place < 0)
		return NULL;
	if (sys_move_mount(fd, "", place, "", SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH) < 0)
		target = NULL;
	close(place);
	return target;
}
