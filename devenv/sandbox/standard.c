/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standard.c - /dev, /proc and /sys, the same in every environment. Policy as code: a plan can't weaken it.
 *
 * /dev and /sys are directories of the generated layer, bound read-only: they need not be made anew for every start, and hold
 * what is mounted on (env/fill.c). Each function leaves the working directory inside what it mounted and uses plain names
 * there: nothing but us has been in it. Still before pivot_root, so "/dev/null" is the host's.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "sandbox/devices.h"
#include "sandbox/root.h"

#define QUIET (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define NODE  (SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NOEXEC) /* of a device, which nodev would close */

static int failed(struct err *e, const char *what)
{
	err_sys(e, "can't set up %s", what);
	e->code = ERR_SANDBOX;
	return -1;
}

/* Add flags to the mount at fd and to all below it. */
static int add_flags(int fd, uint64_t flags, const char *what, struct err *e)
{
	struct sys_mount_attr attr = { .set = flags };

	return sys_mount_setattr(fd, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &attr) < 0 ? failed(e, what) : 0;
}

/*
 * security.md rule 7: these, what the plan grants, and nothing else; the links are in the directory that is bound. The
 * console is the null device: nobody reads it. The devices are bound read-only, which does not concern what is written to a
 * device but the host's file: real root owns that and could change its mode. What is mounted after that is writable.
 */
static int fill_dev(const struct plan *p, int dev_fd, struct err *e)
{
	static const struct {
		const char *host, *name;
		unsigned int major, minor; /* as the kernel's devices.txt has them */
	} devices[] = {
		{ "/dev/null", "null", 1, 3 },	   { "/dev/zero", "zero", 1, 5 },	{ "/dev/full", "full", 1, 7 },
		{ "/dev/random", "random", 1, 8 }, { "/dev/urandom", "urandom", 1, 9 }, { "/dev/tty", "tty", 5, 0 },
		{ "/dev/null", "console", 1, 3 },
	};
	struct stat st;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		if (mount(devices[i].host, devices[i].name, NULL, MS_BIND, NULL) < 0)
			return failed(e, devices[i].host);
		/* What a container around us, or somebody, has put in its place would be written to by everybody inside. */
		if (lstat(devices[i].name, &st) < 0 || !S_ISCHR(st.st_mode) ||
		    st.st_rdev != makedev(devices[i].major, devices[i].minor))
			return err_set(e, ERR_SANDBOX, "%s of this machine is not the device of that name", devices[i].host);
	}
	if (devices_bind(p, e) < 0)
		return -1;
	if (add_flags(dev_fd, NODE, "/dev", e) < 0)
		return -1;
	if (mount("devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") < 0)
		return failed(e, "/dev/pts");
	if (mount("shm", "shm", "tmpfs", QUIET, "mode=1777") < 0)
		return failed(e, "/dev/shm");
	/* A kernel built without message queues has none to give, and nothing else depends on them. */
	if (mount("mqueue", "mqueue", "mqueue", QUIET, NULL) < 0 && errno != ENODEV)
		return failed(e, "/dev/mqueue");
	return 0;
}

int standard_mount_dev(const struct plan *p, int root_fd, struct err *e)
{
	int fd = root_bind_own(p, root_fd, "/dev", SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NOEXEC, e);

	return fd < 0 ? -1 : fill_dev(p, fd, e);
}

/* An empty directory, to lay over others: where /proc is mounted, seen from the host. */
static char *empty_directory(const struct plan *p)
{
	return mem_printf("%s/proc", p->layers[0]);
}

/* What a kernel does not have need not be hidden. */
static int hide(const char *below, const char *name)
{
	int r = mount(below, name, NULL, MS_BIND, NULL);

	return r < 0 && errno != ENOENT && errno != ENOTDIR ? -1 : 0;
}

static int bind_on_itself(const char *name)
{
	return mount(name, name, NULL, MS_BIND, NULL) < 0 && errno != ENOENT ? -1 : 0;
}

/* Everything mounted below /proc, but not /proc: processes write to their own files there. */
static int make_below_proc_read_only(int fd, struct err *e)
{
	struct sys_mount_attr writable = { .clear = SYS_MOUNT_ATTR_RDONLY };

	if (add_flags(fd, NODE, "/proc", e) < 0)
		return -1;
	return sys_mount_setattr(fd, "", AT_EMPTY_PATH, &writable) < 0 ? failed(e, "/proc") : 0;
}

/* The union of docker's and podman's lists, so far as it lies below /proc. */
int standard_mount_proc(const struct plan *p, int root_fd, struct err *e)
{
	static const char *const hidden_directories[] = { "acpi", "asound", "scsi" };
	static const char *const hidden_files[] = { "interrupts", "kcore",	 "keys",	"latency_stats",
						    "sched_debug", "timer_list", "timer_stats" };
	static const char *const read_only[] = { "bus", "fs", "irq", "sys", "sysrq-trigger" };
	cleanup_free char *empty = empty_directory(p);
	int fd = root_mount_fs(root_fd, "/proc", "proc", QUIET, NULL, e);
	struct statfs fs;
	size_t i;

	if (fd < 0) {
		if (e->sys == EPERM)
			err_hint(e, "inside another container parts of /proc are masked: start that one with "
				    "`--security-opt systempaths=unconfined` (docker) or `unmask=ALL` (podman)");
		return -1;
	}
	if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return err_set(e, ERR_SANDBOX, "what was mounted on /proc is something else");
	for (i = 0; i < ARRAY_SIZE(hidden_directories); i++)
		if (hide(empty, hidden_directories[i]) < 0)
			return failed(e, hidden_directories[i]);
	for (i = 0; i < ARRAY_SIZE(read_only); i++)
		if (bind_on_itself(read_only[i]) < 0)
			return failed(e, read_only[i]);
	/* No devices: none of those so far is one. */
	if (add_flags(fd, SYS_MOUNT_ATTR_NODEV, "/proc", e) < 0)
		return -1;
	for (i = 0; i < ARRAY_SIZE(hidden_files); i++)
		if (hide("../dev/null", hidden_files[i]) < 0) /* what was mounted there */
			return failed(e, hidden_files[i]);
	return make_below_proc_read_only(fd, e);
}

/* How often each processor was throttled tells what others do with it (docker and podman hide it too). */
static int hide_throttling(const char *cpu, const char *empty, struct err *e)
{
	char name[80];
	struct stat st;
	int n;

	for (n = 0;; n++) {
		snprintf(name, sizeof(name), "%s/cpu%d/thermal_throttle", cpu, n);
		if (stat(name, &st) < 0)
			return 0;
		if (hide(empty, name) < 0)
			return failed(e, name);
	}
}

/* An empty directory, plus what programs read to count processors. */
int standard_mount_sys(const struct plan *p, int root_fd, struct err *e)
{
	static const char cpu[] = "devices/system/cpu";
	const uint64_t flags = SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NODEV | SYS_MOUNT_ATTR_NOEXEC;
	cleanup_free char *empty = empty_directory(p);
	int fd = root_bind_own(p, root_fd, "/sys", flags, e);

	if (fd < 0)
		return -1;
	/* Not everywhere to be had, and nothing depends on it. */
	if (mount("/sys/devices/system/cpu", cpu, NULL, MS_BIND | MS_REC, NULL) == 0 && hide_throttling(cpu, empty, e) < 0)
		return -1;
	return add_flags(fd, SYS_MOUNT_ATTR_RDONLY | flags, "/sys", e);
}
