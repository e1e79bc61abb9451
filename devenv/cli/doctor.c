/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - the table of checks, and those about the machine as a whole: kernel, container, WSL, clock, ids. */
#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "env/demotion.h"
#include "env/ids.h"
#include "env/probe.h"

#define DOCKER_RUN                                                                                            \
	"docker run --init --security-opt seccomp=unconfined --security-opt apparmor=unconfined "             \
	"--security-opt systempaths=unconfined"
#define CLOCK_EARLIEST 1735689600 /* 2025-01-01: before that no certificate of today is valid */

void doctor_say(struct doctor_result *r, enum doctor_level level, const char *fmt, ...)
{
	va_list args;

	r->level = level;
	va_start(args, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, args);
	va_end(args);
}

void doctor_remedy(struct doctor_result *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->remedy, sizeof(r->remedy), fmt, args);
	va_end(args);
}

void doctor_sudo(struct doctor_result *r, const char *fmt, ...)
{
	va_list args;

	r->as_root = true;
	va_start(args, fmt);
	vsnprintf(r->remedy, sizeof(r->remedy), fmt, args);
	va_end(args);
}

bool doctor_read(const struct doctor_machine *m, const char *path, char *line, size_t size)
{
	cleanup_close int fd = openat(m->root, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, size - 1);

	if (n < 0)
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static void check_kernel(const struct doctor_machine *m, struct doctor_result *r)
{
	char release[128];
	int major = 0, minor = 0;

	if (!doctor_read(m, "proc/sys/kernel/osrelease", release, sizeof(release)) ||
	    sscanf(release, "%d.%d", &major, &minor) != 2) {
		doctor_say(r, DOCTOR_WARN, "its version can't be read");
		return;
	}
	if (major < 5 || (major == 5 && minor < 12)) {
		doctor_say(r, DOCTOR_FAIL, "Linux %s is too old: mount flags are set as only 5.12 can",
		           text_safe(release));
		doctor_remedy(
			r,
			"upgrade to a distribution with Linux 5.12 or newer (Debian 12, Ubuntu 22.04, RHEL 9)");
		return;
	}
	doctor_say(r, DOCTOR_OK, "Linux %s", text_safe(release));
}

static void check_wsl(const struct doctor_machine *m, struct doctor_result *r)
{
	char release[128];

	if (!doctor_read(m, "proc/sys/kernel/osrelease", release, sizeof(release)) ||
	    !strcasestr(release, "microsoft")) {
		doctor_say(r, DOCTOR_SKIP, "not in WSL");
		return;
	}
	if (strstr(release, "-Microsoft")) { /* WSL 2 writes it in lower case */
		doctor_say(r, DOCTOR_FAIL, "this is WSL 1, which has no Linux kernel");
		doctor_remedy(r, "in PowerShell: wsl --set-version <distribution> 2");
		return;
	}
	doctor_say(r, DOCTOR_OK, "WSL 2; keep projects below your Linux home, not /mnt/c");
}

static void check_container(const struct doctor_machine *m, struct doctor_result *r)
{
	static const struct {
		const char *path, *what, *command;
	} marks[] = { { ".dockerenv", "docker", DOCKER_RUN },
		      { "run/.containerenv", "podman",
			"podman run --init --security-opt seccomp=unconfined --security-opt unmask=ALL" },
		      { "run/systemd/container", "a container", DOCKER_RUN } };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		if (!file_exists(m->root, marks[i].path))
			continue;
		doctor_say(r, DOCTOR_WARN,
		           "this machine is itself a container (%s): what it masks or denies is lacking here",
		           marks[i].what);
		doctor_remedy(r, "start it with: %s", marks[i].command);
		return;
	}
	doctor_say(r, DOCTOR_OK, "not in a container");
}

static void check_clock(const struct doctor_machine *m, struct doctor_result *r)
{
	time_t now = m->now ? m->now : time(NULL);
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", gmtime(&now));
	if (now < CLOCK_EARLIEST) {
		doctor_say(r, DOCTOR_FAIL, "the clock says %s UTC: no certificate is valid then", text);
		doctor_sudo(r, "sudo timedatectl set-ntp true");
		return;
	}
	doctor_say(r, DOCTOR_OK, "%s UTC", text);
}

static void check_config(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_free char *path = mem_printf("%s/config.ini", m->dirs->config);

	if (m->config && m->config->code != ERR_NONE) {
		doctor_say(r, DOCTOR_FAIL, "%s", m->config->msg);
		doctor_remedy(r, "%s", m->config->hint[0]         ? m->config->hint
		              : m->config->code != ERR_CONFIG ? "mend what is above first"
		                                              : "edit that line; the sections and keys: man devenv.ini");
		return;
	}
	doctor_say(r, DOCTOR_OK, "%s %s", text_safe(path),
	           file_exists(AT_FDCWD, path) ? "can be read" : "is not there; the defaults hold");
}

static void check_init(const struct doctor_machine *m, struct doctor_result *r)
{
	(void)m;
	switch (probe_init_reaps()) {
	case PROBE_YES:
		doctor_say(r, DOCTOR_OK, "orphans are reaped");
		return;
	case PROBE_UNKNOWN:
		doctor_say(r, DOCTOR_WARN, "it could not be found out whether orphans are reaped");
		return;
	case PROBE_NO:
		break;
	}
	doctor_say(r, DOCTOR_WARN,
	           "pid 1 of this machine does not reap orphans: killed sessions leave zombies");
	doctor_remedy(r, "start the container with an init: docker run --init");
}

static void check_subids(const struct doctor_machine *m, struct doctor_result *r)
{
	const struct passwd *self = getpwuid(getuid());
	cleanup_free char *name = mem_strdup(self ? self->pw_name : "");
	struct ids_ranges users = { 0 }, groups = { 0 };

	ids_read(m->root, "etc/subuid", name, getuid(), &users);
	ids_read(m->root, "etc/subgid", name, getuid(), &groups);
	if (!users.count || !groups.count) {
		doctor_say(r, DOCTOR_SKIP, "no range in %s; nothing needs one yet",
		           users.count    ? "/etc/subgid"
		           : groups.count ? "/etc/subuid"
		                          : "/etc/subuid and /etc/subgid");
		doctor_remedy(r, "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s (or another free range)",
		              *name ? text_safe(name) : "NAME");
	} else {
		doctor_say(r, DOCTOR_SKIP, "%llu uids and %llu gids in /etc/subuid and /etc/subgid; nothing needs them yet",
		           (unsigned long long)ids_total(&users), (unsigned long long)ids_total(&groups));
	}
	if (users.count && groups.count && access("/usr/bin/newuidmap", X_OK) < 0)
		doctor_remedy(r, "newuidmap, which maps them, is not there: sudo apt install uidmap");
	ids_release(&users);
	ids_release(&groups);
}

static void check_root(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_free char *who = NULL;
	bool safe;

	who = demotion_describe_machine(m->dirs, &safe);
	if (!who) {
		doctor_say(r, DOCTOR_SKIP, "you are not root");
		return;
	}
	doctor_say(r, DOCTOR_INFO, "you are root; sessions have no capabilities, and uid 0 inside is %s", who);
	if (!safe)
		doctor_remedy(r, "where it can be had an ordinary account is safer; a container of its own is as good");
}

static void check_groups(const struct doctor_machine *m, struct doctor_result *r)
{
	static const char *const powerful[] = { "docker", "lxd", "disk", "incus-admin", "libvirt" };
	gid_t groups[256];
	int count = getgroups((int)ARRAY_SIZE(groups), groups);

	(void)m;
	for (int i = 0; i < count; i++) {
		const struct group *g = getgrgid(groups[i]);

		for (size_t n = 0; g && n < ARRAY_SIZE(powerful); n++) {
			if (strcmp(g->gr_name, powerful[n]) != 0)
				continue;
			doctor_say(
				r, DOCTOR_INFO,
				"you are in group '%s'; sessions keep your groups (an unprivileged process can't shed "
				"them), and no environment sees that group's socket or device unless you mount it",
				powerful[n]);
			return;
		}
	}
	doctor_say(r, DOCTOR_SKIP, "sessions keep your supplementary groups; none of them is dangerous");
}

const struct doctor_check doctor_checks[] = {
	{ "kernel", "kernel", check_kernel },
	{ "wsl", "WSL", check_wsl },
	{ "container", "container", check_container },
	{ "max-user-namespaces", "namespace limit", doctor_sandbox_max_namespaces },
	{ "userns-clone", "namespace switch", doctor_sandbox_userns_clone },
	{ "apparmor", "AppArmor", doctor_sandbox_apparmor },
	{ "user-namespace", "user namespace", doctor_sandbox_user_namespace },
	{ "overlay", "overlay", doctor_sandbox_overlay },
	{ "tmpfs-xattr", "tmpfs attributes", doctor_sandbox_tmpfs_xattr },
	{ "proc", "fresh /proc", doctor_sandbox_proc },
	{ "devpts", "pseudo terminals", doctor_sandbox_devpts },
	{ "system-calls", "system calls", doctor_sandbox_system_calls },
	{ "seccomp", "seccomp", doctor_sandbox_seccomp },
	{ "landlock", "landlock", doctor_sandbox_landlock },
	{ "limits", "limits", doctor_limits_cgroups },
	{ "devices", "devices", doctor_limits_devices },
	{ "record", "record", doctor_sandbox_record },
	{ "init", "init", check_init },
	{ "config", "your config.ini", check_config },
	{ "store-owner", "store", doctor_store_owner },
	{ "store-file-system", "store file system", doctor_store_file_system },
	{ "store-space", "store space", doctor_store_space },
	{ "runtime", "runtime directory", doctor_store_runtime },
	{ "clock", "clock", check_clock },
	{ "proxy", "proxy", doctor_network_proxy },
	{ "credentials", "registry login", doctor_credentials },
	{ "gpgv", "gpgv", doctor_debian_gpgv },
	{ "debian-keys", "keys of Debian", doctor_debian_keys },
	{ "debian-mirror", "mirror of Debian", doctor_debian_mirror },
	{ "stale", "running", doctor_running_stale },
	{ "subids", "id ranges", check_subids },
	{ "root", "real root", check_root },
	{ "groups", "groups", check_groups },
};
const size_t doctor_check_count = ARRAY_SIZE(doctor_checks);
