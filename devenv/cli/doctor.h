/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - the checks of `devenv doctor`, apart from how they are shown.
 *
 * What is read from /proc, /sys and /etc is read below `root`, so that a test can describe another machine by a
 * directory; DEVENV_DOCTOR_ROOT names one on the command line. What is tried is tried on this machine.
 */
#ifndef DEVENV_CLI_DOCTOR_H
#define DEVENV_CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/vfs.h>
#include <time.h>

#include "base/dirs.h"
#include "base/err.h"

struct cli;
struct machine;
struct user_config;

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_WARN, /* works, less well */
	DOCTOR_FAIL, /* must be mended: exit status 1 */
	DOCTOR_INFO,
	DOCTOR_SKIP, /* does not apply here: shown with -v only */
	DOCTOR_LEVELS
};
struct doctor_machine {
	int root; /* where /proc, /sys and /etc are read below: "/" but in tests */
	const struct dirs *dirs;
	const char *store;
	const struct err *config; /* what is wrong with the user's config.ini; ERR_NONE: nothing */
	const struct machine *found; /* what was tried already; NULL: each check tries by itself */
	const struct user_config *user; /* NULL: registries are not to be asked */
	/* what tests say instead of the machine; NULL and 0: ask it */
	const struct statfs *store_fs;
	time_t now;
};
struct doctor_result {
	enum doctor_level level;
	char text[256];   /* what was found */
	char remedy[384]; /* the command that mends it, or what to know; "" */
	const char *lacking; /* the kind of environment that can't be had so, while others can: static; NULL */
	bool as_root;     /* the remedy is exactly a command that needs root */
	/* What the remedy says, done by us: only what needs no root and loses nothing. NULL: the person must. */
	int (*fix)(struct cli *c, const struct doctor_machine *m, struct err *e);
};
struct doctor_check {
	const char *id;    /* stable, for --json: "user-namespaces" */
	const char *title; /* for people */
	void (*run)(const struct doctor_machine *m, struct doctor_result *r);
};
extern const struct doctor_check doctor_checks[];
extern const size_t doctor_check_count;

/* For the checks: set the answer. */
void doctor_say(struct doctor_result *r, enum doctor_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void doctor_remedy(struct doctor_result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for a command to be typed as it stands, which asks for root by sudo. */
void doctor_sudo(struct doctor_result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* First line of a file below m->root, cut at `size`. false: not there. */
bool doctor_read(const struct doctor_machine *m, const char *path, char *line, size_t size);

/* doctor_sandbox.c: namespaces and what fills them */
void doctor_sandbox_max_namespaces(const struct doctor_machine *m, struct doctor_result *r);
void doctor_sandbox_userns_clone(const struct doctor_machine *m, struct doctor_result *r);
void doctor_sandbox_apparmor(const struct doctor_machine *m, struct doctor_result *r);
void doctor_sandbox_user_namespace(const struct doctor_machine *m, struct doctor_result *r);
void doctor_sandbox_overlay(const struct doctor_machine *m, struct doctor_result *r);
void doctor_sandbox_tmpfs_xattr(const struct doctor_machine *m, struct doctor_result *r);
void doctor_sandbox_devpts(const struct doctor_machine *m, struct doctor_result *r);
void doctor_sandbox_system_calls(const struct doctor_machine *m, struct doctor_result *r);
void doctor_sandbox_record(const struct doctor_machine *m, struct doctor_result *r);
void doctor_sandbox_proc(const struct doctor_machine *m, struct doctor_result *r);
void doctor_sandbox_seccomp(const struct doctor_machine *m, struct doctor_result *r);
void doctor_sandbox_landlock(const struct doctor_machine *m, struct doctor_result *r);

/* doctor_store.c: where things are kept */
void doctor_store_owner(const struct doctor_machine *m, struct doctor_result *r);
void doctor_store_file_system(const struct doctor_machine *m, struct doctor_result *r);
void doctor_store_space(const struct doctor_machine *m, struct doctor_result *r);
void doctor_store_runtime(const struct doctor_machine *m, struct doctor_result *r);

/* doctor_network.c: what stands between this machine and a registry */
void doctor_network_proxy(const struct doctor_machine *m, struct doctor_result *r);

/* doctor_debian.c: what a base of Debian's packages needs */
void doctor_debian_gpgv(const struct doctor_machine *m, struct doctor_result *r);
void doctor_debian_keys(const struct doctor_machine *m, struct doctor_result *r);
void doctor_debian_mirror(const struct doctor_machine *m, struct doctor_result *r);

/* doctor_credentials.c: logins */
void doctor_credentials(const struct doctor_machine *m, struct doctor_result *r);

/* doctor_limits.c: what limits and devices can count on */
void doctor_limits_cgroups(const struct doctor_machine *m, struct doctor_result *r);
void doctor_limits_devices(const struct doctor_machine *m, struct doctor_result *r);

/* doctor_running.c: environments that run */
void doctor_running_stale(const struct doctor_machine *m, struct doctor_result *r);

#endif
