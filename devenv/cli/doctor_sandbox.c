/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_sandbox.c - checks of what a sandbox needs of the kernel: first the settings, then by trying. */
#include "cli/doctor.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/machine.h"
#include "env/probe.h"

#define NAMESPACES_ENOUGH   256
#define LANDLOCK_ABI_SCOPES 6 /* Linux 6.12 */

/* What was tried for the whole of doctor, or else is tried now. */
static enum probe_result look(const struct doctor_machine *m, enum machine_feature f,
                              enum probe_result (*attempt)(struct probe *p), struct probe *p)
{
	if (!m->found)
		return attempt(p);
	*p = m->found->features[f].why;
	return m->found->features[f].result;
}

static bool read_number(const struct doctor_machine *m, const char *path, uint64_t *n)
{
	char line[64];

	return doctor_read(m, path, line, sizeof(line)) && text_number(line, UINT64_MAX, n) == 0;
}

void doctor_sandbox_max_namespaces(const struct doctor_machine *m, struct doctor_result *r)
{
	uint64_t n;

	if (!read_number(m, "proc/sys/user/max_user_namespaces", &n)) {
		doctor_say(r, DOCTOR_FAIL, "this kernel has no user namespaces");
		doctor_remedy(r, "use a kernel built with CONFIG_USER_NS");
	} else if (n == 0) {
		doctor_say(r, DOCTOR_FAIL, "user.max_user_namespaces is 0: nobody may make one");
		doctor_sudo(r, "echo user.max_user_namespaces=15000 | sudo tee /etc/sysctl.d/60-devenv-limit.conf && "
		               "sudo sysctl --system");
	} else if (n < NAMESPACES_ENOUGH) {
		doctor_say(r, DOCTOR_WARN, "user.max_user_namespaces is only %llu", (unsigned long long)n);
		doctor_sudo(r, "sudo sysctl -w user.max_user_namespaces=15000");
	} else {
		doctor_say(r, DOCTOR_OK, "%llu user namespaces allowed", (unsigned long long)n);
	}
}

/* Debian's own switch; other kernels don't have it. */
void doctor_sandbox_userns_clone(const struct doctor_machine *m, struct doctor_result *r)
{
	uint64_t n;

	if (!read_number(m, "proc/sys/kernel/unprivileged_userns_clone", &n)) {
		doctor_say(r, DOCTOR_SKIP, "this kernel has no separate switch for ordinary users");
	} else if (n == 0) {
		doctor_say(r, DOCTOR_FAIL,
		           "kernel.unprivileged_userns_clone is 0: only root may make user namespaces");
		doctor_sudo(r, "echo kernel.unprivileged_userns_clone=1 | sudo tee /etc/sysctl.d/60-devenv-switch.conf && "
		               "sudo sysctl --system");
	} else {
		doctor_say(r, DOCTOR_OK, "ordinary users may make user namespaces");
	}
}

/* Where both programs are installed, as an AppArmor path pattern. */
static char *program_pattern(void)
{
	cleanup_free char *self = realpath("/proc/self/exe", NULL);
	cleanup_free char *dir = path_parent(self ? self : "/usr/local/libexec/devenv/devenv-core");
	static const char *const places[] = { "devenv", "../../bin/devenv" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_free char *joined = path_join(dir, places[i]);
		cleanup_free char *launcher = realpath(joined, NULL);

		if (launcher && access(launcher, X_OK) == 0)
			return mem_printf("/{%s,%s/devenv-core}", launcher + 1, dir + 1);
	}
	return mem_strdup("/usr/local/{bin/devenv,libexec/devenv/devenv-core}");
}

/* The profile that comes with devenv, where it names the place devenv is in: /usr and /usr/local. */
static char *shipped_profile(void)
{
	cleanup_free char *self = realpath("/proc/self/exe", NULL);
	char *path;

	if (!self || !(text_starts(self, "/usr/libexec/devenv/") || text_starts(self, "/usr/local/libexec/devenv/")))
		return NULL;
	path = mem_printf("%.*s/shell/apparmor/devenv", (int)(strrchr(self, '/') - self), self);
	if (access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

void doctor_sandbox_apparmor(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_free char *pattern = NULL, *profile = NULL;
	struct probe p;
	uint64_t n;

	if (!read_number(m, "proc/sys/kernel/apparmor_restrict_unprivileged_userns", &n) || n == 0) {
		doctor_say(r, DOCTOR_OK, "it does not restrict user namespaces");
		return;
	}
	if (look(m, MACHINE_USER_NAMESPACES, probe_user_namespace, &p) == PROBE_YES) {
		doctor_say(r, DOCTOR_OK, "it restricts user namespaces, and lets devenv have them");
		return;
	}
	doctor_say(r, DOCTOR_FAIL,
	           "kernel.apparmor_restrict_unprivileged_userns is 1 and no profile lets devenv have them");
	if (faccessat(m->root, "etc/apparmor.d/devenv", F_OK, 0) == 0) {
		doctor_sudo(r, "sudo apparmor_parser -r /etc/apparmor.d/devenv");
		return;
	}
	profile = shipped_profile();
	if (profile) {
		doctor_sudo(r, "sudo install -m 644 %s /etc/apparmor.d/devenv && "
		                 "sudo apparmor_parser -r /etc/apparmor.d/devenv", text_safe(profile));
		return;
	}
	pattern = program_pattern();
	doctor_sudo(r,
	            "printf 'abi <abi/4.0>,\\nprofile devenv %s flags=(unconfined) { userns, }\\n' | "
	            "sudo tee /etc/apparmor.d/devenv && sudo apparmor_parser -r /etc/apparmor.d/devenv",
	            pattern);
}

static void say_probe(struct doctor_result *r, enum probe_result got, const struct probe *p,
                      enum doctor_level bad, const char *good)
{
	if (got == PROBE_YES)
		doctor_say(r, DOCTOR_OK, "%s", good);
	else if (got == PROBE_UNKNOWN)
		doctor_say(r, DOCTOR_WARN, "could not be tried: no process or pipe to be had");
	else
		doctor_say(r, bad, "%s: %s", p->step, strerror(p->sys));
}

/* What is tried in a user namespace that was not to be had. */
static bool is_of_user_namespace(const struct probe *p)
{
	return !strcmp(p->step, "unshare") || text_starts(p->step, "write to /proc/self/") || !strcmp(p->step, "make mounts private");
}

static void remedy(struct doctor_result *r, const struct probe *p, const char *text)
{
	if (!p->step[0] || (r->level != DOCTOR_FAIL && r->level != DOCTOR_WARN))
		return; /* it is there, or could not be tried */
	doctor_remedy(r, "%s", is_of_user_namespace(p) ? "mend the user namespace first" : text);
}

void doctor_sandbox_user_namespace(const struct doctor_machine *m, struct doctor_result *r)
{
	struct probe p;

	say_probe(r, look(m, MACHINE_USER_NAMESPACES, probe_user_namespace, &p), &p, DOCTOR_FAIL,
	          "made one, mapped your uid, made mounts private");
	if (r->level == DOCTOR_FAIL)
		doctor_remedy(
			r,
			"mend the namespace checks above first; in a container see the one about containers");
}

void doctor_sandbox_overlay(const struct doctor_machine *m, struct doctor_result *r)
{
	struct probe p;

	say_probe(r, look(m, MACHINE_OVERLAY, probe_overlay, &p), &p, DOCTOR_FAIL, "mounted one with userxattr in a user namespace");
	if (r->level == DOCTOR_FAIL && p.sys == ENODEV)
		doctor_sudo(r, "sudo modprobe overlay");
	else
		remedy(r, &p, "use Linux 5.12 or newer; in a container see the one about containers");
}

void doctor_sandbox_tmpfs_xattr(const struct doctor_machine *m, struct doctor_result *r)
{
	struct probe p;

	say_probe(r, look(m, MACHINE_TMPFS_XATTR, probe_tmpfs_xattr, &p), &p, DOCTOR_WARN, "tmpfs keeps user attributes");
	remedy(r, &p, "Linux 6.6 has them; until then the scratch layer is on disk, which is slower to start");
}

void doctor_sandbox_proc(const struct doctor_machine *m, struct doctor_result *r)
{
	struct probe p;

	say_probe(r, look(m, MACHINE_PROC, probe_proc, &p), &p, DOCTOR_FAIL, "mounted one");
	remedy(r, &p, "part of this machine's /proc is masked, as containers do: "
	              "docker run --security-opt systempaths=unconfined, podman run --security-opt unmask=ALL");
}

void doctor_sandbox_devpts(const struct doctor_machine *m, struct doctor_result *r)
{
	struct probe p;

	say_probe(r, look(m, MACHINE_DEVPTS, probe_devpts, &p), &p, DOCTOR_FAIL, "environments can have their own");
	remedy(r, &p, "use a kernel built with CONFIG_UNIX98_PTYS; in a container see the one about containers");
}

void doctor_sandbox_system_calls(const struct doctor_machine *m, struct doctor_result *r)
{
	struct probe p;
	enum probe_result got = look(m, MACHINE_SYSTEM_CALLS, probe_system_calls, &p);

	if (got == PROBE_NO && p.sys == ENOSYS)
		doctor_say(r, DOCTOR_FAIL, "refused here: %s", p.step);
	else
		say_probe(r, got, &p, DOCTOR_FAIL, "all that are needed can be made");
	remedy(r, &p, "use Linux 5.12 or newer; a container's filter may refuse them too: "
	              "docker run --security-opt seccomp=unconfined");
}

/* Plans are made by what is recorded there. */
void doctor_sandbox_record(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_free char *path = machine_path(m->dirs);

	if (!m->found || access(path, F_OK) == 0) {
		doctor_say(r, DOCTOR_SKIP, "what was tried is kept in %s", text_safe(path));
		return;
	}
	doctor_say(r, DOCTOR_WARN, "%s can't be written: all of it is tried again for each plan", text_safe(path));
	doctor_remedy(r, "make %s a directory of yours, or set XDG_STATE_HOME to one", text_safe(m->dirs->state));
}

void doctor_sandbox_seccomp(const struct doctor_machine *m, struct doctor_result *r)
{
	enum probe_result got = m->found ? m->found->features[MACHINE_SECCOMP].result : probe_seccomp();

	if (got == PROBE_YES) {
		doctor_say(r, DOCTOR_OK, "filters can be loaded");
		return;
	}
	doctor_say(r, DOCTOR_FAIL, "this kernel has no seccomp filters");
	doctor_remedy(r, "use a kernel built with CONFIG_SECCOMP_FILTER");
}

void doctor_sandbox_landlock(const struct doctor_machine *m, struct doctor_result *r)
{
	int abi = probe_landlock_abi();

	(void)m;
	if (abi >= LANDLOCK_ABI_SCOPES) {
		doctor_say(r, DOCTOR_OK, "ABI %d: it could close abstract sockets, but would part sessions of one environment", abi);
		return;
	}
	doctor_say(r, DOCTOR_INFO, abi ? "ABI %d" : "not in force (ABI %d)", abi);
	doctor_remedy(r, "nothing depends on it; `network = none` closes the abstract sockets of this machine");
}
