/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices.c - [sandbox] devices, perf and ssh-agent: what a plan says of them.
 *
 * An environment is for many machines, and a machine may lack what others have: then one line says so and what mends it,
 * and the environment goes on without. The path that is missing is on the freshness list, so its coming is noticed.
 */
#include "env/devices.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "env/cdi.h"

#define AGENT_TARGET "/run/devenv-ssh-agent"
#define PARANOID     "/proc/sys/kernel/perf_event_paranoid"

static bool is_node(const char *path, unsigned int major_number, struct stat *st)
{
	return lstat(path, st) == 0 && S_ISCHR(st->st_mode) && (!major_number || major(st->st_rdev) == major_number);
}

enum devices_state devices_look(const char *path, unsigned int major_number)
{
	struct stat st;

	if (!is_node(path, major_number, &st))
		return DEVICES_ABSENT;
	return access(path, R_OK | W_OK) == 0 ? DEVICES_READY : DEVICES_REFUSED;
}

char *devices_remedy(const char *path, const char *group)
{
	const struct group *owner;
	struct stat st;

	/* Being of its group helps only where the group may: in a container the node is often root's alone. */
	if (stat(path, &st) < 0 || !st.st_gid || (st.st_mode & 0060) != 0060)
		return mem_printf("no group may either: `sudo chmod 0666 %s` opens it to all users until the next boot", path);
	owner = getgrgid(st.st_gid);
	return mem_printf("`sudo usermod -aG %s \"$USER\"` and a new login mend it", owner ? owner->gr_name : group);
}

void devices_graphics(struct strlist *nodes)
{
	static const char *const directories[] = { "/dev/dri", "/dev" };
	struct err ignored = ERR_INIT;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		cleanup_strlist struct strlist names = STRLIST_INIT;

		file_names(AT_FDCWD, directories[i], false, &names, &ignored);
		strlist_sort(&names);
		for (size_t n = 0; n < names.count; n++) {
			cleanup_free char *path = mem_printf("%s/%s", directories[i], names.items[n]);

			if (i == 0 ? is_node(path, DEVICES_MAJOR_DRM, &st)
				   : text_starts(names.items[n], "nvidia") && is_node(path, 0, &st))
				strlist_add(nodes, path);
		}
	}
}

/* /dev/NAME or /dev/DIRECTORY/NAME, which the launcher makes. */
static bool is_device_path(const char *path)
{
	const char *name = path + strlen("/dev/"), *slash;

	if (!text_starts(path, "/dev/") || strstr(path, "//") || strstr(path, "/./") || text_ends(path, "/"))
		return false;
	slash = strchr(name, '/');
	return *name && *name != '.' && (!slash || (!strchr(slash + 1, '/') && slash[1] != '.'));
}

/* The node as it is now; when it is another one, the plan is made anew. */
static void add_node(struct draft *d, const char *host, const char *target, unsigned int major_number)
{
	struct stat st;

	if (!is_node(host, major_number, &st) || !is_device_path(target)) {
		strlist_addf(&d->env->warnings, "%s is no device that can be brought in as %s", text_safe(host), text_safe(target));
		return;
	}
	for (size_t i = 0; i < d->plan.mount_count; i++)
		if (!strcmp(d->plan.mounts[i].target, target))
			return;
	plan_add_mount(&d->plan, (struct plan_mount){ .kind = PLAN_BIND,
						      .flags = PLAN_MOUNT_DEVICE | PLAN_MOUNT_FILE,
						      .host = draft_copy(d, host),
						      .target = draft_copy(d, target),
						      .dev = st.st_dev,
						      .ino = st.st_ino });
}

/* On the freshness list, as it is now: there or not. */
static void watch(struct draft *d, const char *path)
{
	struct plan_watch w;
	struct stat st;

	plan_watch_from_stat(&w, path, stat(path, &st) == 0 ? &st : NULL, (int64_t)time(NULL) * 1000000000);
	plan_add_watch(&d->plan, w);
}

/* `module` makes the node, `group` opens it. */
static void want(struct draft *d, const char *path, const char *module, const char *group)
{
	struct strlist *warnings = &d->env->warnings;
	cleanup_free char *remedy = NULL;

	switch (devices_look(path, DEVICES_MAJOR_MISC)) {
	case DEVICES_ABSENT:
		strlist_addf(warnings, "this machine has no %s; `sudo modprobe %s` makes it where it can", path, module);
		watch(d, path);
		return;
	case DEVICES_REFUSED:
		remedy = devices_remedy(path, group);
		strlist_addf(warnings, "you may not open %s; %s", path, remedy);
		break;
	case DEVICES_READY:
		break;
	}
	add_node(d, path, path, DEVICES_MAJOR_MISC);
}

/* ---- graphics processors ---- */

static int add_file(struct draft *d, const struct cdi_mount *m, struct err *e)
{
	const char *target = draft_target(d, m->target, "what a CDI file mounts", e);
	struct stat st;

	if (!target)
		return -1;
	if (stat(m->host, &st) < 0) {
		strlist_addf(&d->env->warnings, "%s, which a CDI file names, is not here", text_safe(m->host));
		return 0;
	}
	for (size_t i = 0; i < d->plan.mount_count; i++)
		if (!strcmp(d->plan.mounts[i].target, target))
			return 0;
	plan_add_mount(&d->plan, (struct plan_mount){ .kind = PLAN_BIND,
						      .flags = (S_ISDIR(st.st_mode) ? 0 : PLAN_MOUNT_FILE) |
							       (m->writable ? 0 : PLAN_MOUNT_READ_ONLY),
						      .host = draft_copy(d, m->host),
						      .target = target,
						      .dev = st.st_dev,
						      .ino = st.st_ino });
	return 0;
}

static int add_cdi(struct draft *d, struct err *e)
{
	struct cdi cdi = { 0 };
	int r = 0;

	cdi_read(&cdi, "gpu");
	for (size_t i = 0; i < cdi.warnings.count; i++)
		strlist_add(&d->env->warnings, cdi.warnings.items[i]);
	for (size_t i = 0; i < cdi.files.count; i++)
		watch(d, draft_copy(d, cdi.files.items[i]));
	for (size_t i = 0; i < cdi.node_count; i++)
		add_node(d, cdi.nodes[i].host, cdi.nodes[i].target, 0);
	for (size_t i = 0; r == 0 && i < cdi.mount_count; i++)
		r = add_file(d, &cdi.mounts[i], e);
	for (size_t i = 0; i < cdi.env.count; i++)
		variables_put(&d->variables, cdi.env.items[i]);
	cdi_release(&cdi);
	return r;
}

static int add_graphics(struct draft *d, struct err *e)
{
	cleanup_strlist struct strlist nodes = STRLIST_INIT;
	size_t before = d->plan.mount_count;
	bool refused = true;

	watch(d, "/dev/dri");
	if (add_cdi(d, e) < 0)
		return -1;
	devices_graphics(&nodes);
	for (size_t i = 0; i < nodes.count; i++) {
		refused = refused && access(nodes.items[i], R_OK | W_OK) < 0;
		add_node(d, nodes.items[i], nodes.items[i], 0);
	}
	if (d->plan.mount_count == before) {
		strlist_add(&d->env->warnings, "this machine has no graphics processor: neither /dev/dri nor a CDI file names one");
	} else if (nodes.count && refused) {
		strlist_add(&d->env->warnings, "you may not open the graphics processors in /dev/dri; "
					       "`sudo usermod -aG render \"$USER\"` and a new login mend it");
	}
	return 0;
}

/* ---- perf, ssh-agent ---- */

/* Above 2 the kernel has nothing for ordinary users (Debian's default is 3). */
static void note_paranoid(struct draft *d)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (file_read(AT_FDCWD, PARANOID, 64, 0, &text, NULL, &ignored) == 0 && text.len && text.data[0] > '2' &&
	    text.data[0] <= '9')
		strlist_addf(&d->env->warnings, "perf = yes, but kernel.perf_event_paranoid is %.1s: "
			     "`sudo sysctl kernel.perf_event_paranoid=2` lets you count", text.data);
}

static int add_agent(struct draft *d, struct err *e)
{
	const char *target = draft_target(d, AGENT_TARGET, "the ssh agent", e);

	if (!target)
		return -1;
	plan_add_mount(&d->plan, (struct plan_mount){ .kind = PLAN_BIND,
						      .flags = PLAN_MOUNT_AGENT | PLAN_MOUNT_FILE,
						      .host = "",
						      .target = target });
	return 0;
}

int devices_plan(struct draft *d, struct err *e)
{
	const struct config *c = &d->env->config;

	if (c->devices[CONFIG_DEVICE_KVM])
		want(d, "/dev/kvm", "kvm_intel` or `sudo modprobe kvm_amd", "kvm");
	if (c->devices[CONFIG_DEVICE_FUSE])
		want(d, "/dev/fuse", "fuse", "fuse");
	if (c->devices[CONFIG_DEVICE_GPU] && add_graphics(d, e) < 0)
		return -1;
	if (c->perf)
		note_paranoid(d);
	return c->ssh_agent ? add_agent(d, e) : 0;
}
