/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_settle.c - what a step wrote, made the same for the same inputs.
 *
 * The table names what is different each time by its nature: logs, caches that are made again, backups, and what has to be secret or
 * unique, which an image that many share may not have anyway. Then come times, and what overlayfs noted for itself.
 * Whiteouts stay: they are deletions. A directory's time is set after everything in it is done.
 */
#include "env/step.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "env/step_contents.h"

enum { DEPTH_MAX = 200 };
#define SLACK_NS 1000000000LL /* files are stamped by a clock that ticks behind the one `since` is of */

enum action { REMOVE, EMPTY };
struct rule {
	const char *pattern; /* fnmatch; a slash is matched by a slash only */
	enum action action;
};

/* What is different each time, whoever wrote it. */
static const struct rule rules[] = {
	/* what was done when */
	{ "var/log/dpkg.log", REMOVE }, { "var/log/alternatives.log", REMOVE }, { "var/log/bootstrap.log", REMOVE },
	{ "var/log/fontconfig.log", REMOVE }, { "var/log/apt/*", REMOVE },
	/* caches: by inode and time */
	{ "var/cache/apt/*.bin", REMOVE }, { "var/cache/apt/archives/*.deb", REMOVE }, { "var/cache/apt/archives/lock", REMOVE },
	{ "var/cache/apt/archives/partial/*", REMOVE }, { "var/cache/ldconfig/aux-cache", REMOVE }, { "var/cache/man/*", REMOVE },
	{ "var/cache/fontconfig/*", REMOVE },
	/* locks, and backups of what is there */
	{ "var/cache/debconf/*-old", REMOVE }, { "var/lib/dpkg/*-old", REMOVE }, { "var/lib/dpkg/lock*", REMOVE },
	{ "var/lib/dpkg/triggers/Lock", REMOVE }, { "etc/.pwd.lock", REMOVE }, { "etc/passwd-", REMOVE }, { "etc/group-", REMOVE },
	{ "var/lib/ucf/hashfile.*", REMOVE }, { "var/lib/ucf/registry.*", REMOVE }, { "etc/shadow-", REMOVE }, { "etc/gshadow-", REMOVE }, { "etc/subuid-", REMOVE }, { "etc/subgid-", REMOVE },
	/* who a machine is */
	{ "etc/machine-id", EMPTY }, { "var/lib/dbus/machine-id", REMOVE }, { "var/lib/systemd/random-seed", REMOVE },
	{ "var/lib/systemd/credential.secret", REMOVE },
	/* what is not meant to last */
	{ "tmp/*", REMOVE }, { "var/tmp/*", REMOVE }, { "run/*", REMOVE },
	{ NULL, REMOVE },
};

/* What maintainer scripts make that has to be secret or unique; a script of [build] means it. */
static const struct rule package_rules[] = {
	{ "etc/ssh/ssh_host_*", REMOVE }, { "etc/dropbear/dropbear_*_host_key", REMOVE },
	{ "etc/bind/rndc.key", REMOVE }, { "etc/munge/munge.key", REMOVE }, { "var/lib/rabbitmq/.erlang.cookie", REMOVE },
	{ "etc/unbound/unbound_*.key", REMOVE }, { "etc/unbound/unbound_*.pem", REMOVE }, { "etc/nsd/nsd_*.key", REMOVE },
	{ "etc/nsd/nsd_*.pem", REMOVE }, { "etc/xrdp/rsakeys.ini", REMOVE }, { "etc/iscsi/initiatorname.iscsi", REMOVE },
	{ "etc/dbconfig-common/*.conf", REMOVE }, { "var/lib/ucf/cache/:etc:dbconfig-common:*", REMOVE },
	{ "etc/freeradius/*/certs/dh", REMOVE }, { "etc/openvswitch/system-id.conf", REMOVE },
	{ "etc/ssl/private/ssl-cert-snakeoil.key", REMOVE }, { "etc/ssl/certs/ssl-cert-snakeoil.pem", REMOVE },
	/* a cluster is only made where several users can be */
	{ "var/lib/postgresql/*/main", REMOVE }, { "etc/postgresql/*/main", REMOVE }, { "var/log/postgresql/*", REMOVE },
	{ "var/lib/mysql/*", REMOVE }, { "var/lib/ldap/*", REMOVE }, { "etc/ldap/slapd.d/*", REMOVE },
	/* names of directories of fonts, and a cache of Java's classes, as 11 and its fontconfig make them: neither is needed */
	{ "usr/share/fonts/.uuid", REMOVE }, { "usr/share/fonts/*/.uuid", REMOVE }, { "usr/share/fonts/*/*/.uuid", REMOVE },
	{ "usr/local/share/fonts/.uuid", REMOVE }, { "usr/lib/jvm/java-11-*/lib/server/classes.jsa", REMOVE },
	/* Lua orders its tables by where they happen to lie, and TeX's own format has the time: mktexfmt makes these for who uses them */
	{ "var/lib/texmf/web2c/lua*/*.fmt", REMOVE }, { "var/lib/texmf/web2c/lua*/*.log", REMOVE },
	{ "var/lib/texmf/web2c/tex/*", REMOVE }, { "var/lib/texmf/web2c/updmap.log", REMOVE },
	{ NULL, REMOVE },
};

struct settling {
	int64_t since_ns, epoch;
	bool packages;
	step_kept *kept; /* may be NULL */
	void *data;
};

static int failure(const char *path, struct err *e)
{
	return err_sys(e, "can't put %s in order, which the step wrote", text_safe(path));
}

/* ---- what overlayfs noted ---- */

static bool is_note(const char *name)
{
	return strcmp(name, "user.overlay.origin") == 0 || strcmp(name, "user.overlay.impure") == 0 ||
	       strcmp(name, "user.overlay.nlink") == 0 || strcmp(name, "user.overlay.uuid") == 0;
}

/* By path, for a file's mode may forbid to open it; and to change an attribute it has to be writable. */
static int remove_notes(int dirfd, const char *name, const struct stat *st, const char *path, struct err *e)
{
	cleanup_free char *proc = mem_printf("/proc/self/fd/%d/%s", dirfd, name);
	bool opened = false;
	char names[4096];
	ssize_t len = llistxattr(proc, names, sizeof(names));

	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
		if (!is_note(names + at))
			continue;
		if (!opened && (st->st_mode & 0200) == 0 && fchmodat(dirfd, name, (st->st_mode & 07777) | 0200, 0) < 0)
			return failure(path, e);
		opened = true;
		if (lremovexattr(proc, names + at) < 0)
			return failure(path, e);
	}
	if (opened && (st->st_mode & 0200) == 0 && fchmodat(dirfd, name, st->st_mode & 07777, 0) < 0)
		return failure(path, e);
	return 0;
}

/* ---- one entry ---- */

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* A link to the certificate that goes: named by a hash of it. */
static bool leads_to_removed(int dirfd, const char *name, const char *path)
{
	char target[64] = "";

	return text_starts(path, "etc/ssl/certs/") && readlinkat(dirfd, name, target, sizeof(target) - 1) > 0 &&
	       strcmp(target, "ssl-cert-snakeoil.pem") == 0;
}

static const struct rule *find_rule(const struct rule *r, const char *path)
{
	while (r->pattern && fnmatch(r->pattern, path, FNM_PATHNAME) != 0)
		r++;
	return r->pattern ? r : NULL;
}

/* What to do with it, or -1: nothing. */
static int find_action(const struct settling *s, int dirfd, const char *name, const char *path, const struct stat *st)
{
	const struct rule *r;

	if (is_whiteout(st))
		return -1;
	r = find_rule(rules, path);
	if (!r && s->packages)
		r = find_rule(package_rules, path);
	if (r)
		return r->action == EMPTY && !S_ISREG(st->st_mode) ? -1 : (int)r->action;
	return s->packages && S_ISLNK(st->st_mode) && leads_to_removed(dirfd, name, path) ? REMOVE : -1;
}

static int empty(int dirfd, const char *name, const char *path, struct err *e)
{
	cleanup_close int fd = openat(dirfd, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		return 0;
	/* it may be read-only: made anew it needs no permission */
	if (unlinkat(dirfd, name, 0) == 0)
		fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	return fd < 0 || fchmod(fd, 0444) < 0 ? failure(path, e) : 0;
}

static void stamp(const struct settling *s, int dirfd, const char *name, const struct stat *was)
{
	struct timespec times[2] = { was->st_atim, was->st_mtim };

	if (was->st_mtim.tv_sec * 1000000000LL + was->st_mtim.tv_nsec >= s->since_ns - SLACK_NS)
		times[0] = times[1] = (struct timespec){ .tv_sec = s->epoch };
	utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW);
}

static int settle_directory(const struct settling *s, int above, const char *name, const char *path, const struct stat *st, int depth,
			    struct err *e);

static int settle_entry(const struct settling *s, int dirfd, const char *name, const char *path, int depth, struct err *e)
{
	struct stat st;
	int action;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failure(path, e);
	action = find_action(s, dirfd, name, path, &st);
	if (action == REMOVE)
		return file_remove_tree(dirfd, name, e);
	if (action == EMPTY && empty(dirfd, name, path, e) < 0)
		return -1;
	if (s->kept && !is_whiteout(&st))
		s->kept(s->data, path, &st);
	if (S_ISDIR(st.st_mode))
		return settle_directory(s, dirfd, name, path, &st, depth, e);
	if (S_ISREG(st.st_mode) && (remove_notes(dirfd, name, &st, path, e) < 0 ||
				    step_settle_content(dirfd, name, path, &st, s->epoch, s->packages, e) < 0))
		return -1;
	stamp(s, dirfd, name, &st);
	return 0;
}

/* ---- directories ---- */

static int settle_names(const struct settling *s, int fd, const char *path, int depth, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;

	if (depth > DEPTH_MAX)
		return err_set(e, ERR_FAILED, "the step made directories more than %d deep", DEPTH_MAX);
	if (file_names(fd, ".", true, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *child = mem_printf("%s%s%s", path, *path ? "/" : "", names.items[i]);

		if (settle_entry(s, fd, names.items[i], child, depth + 1, e) < 0)
			return -1;
	}
	return 0;
}

/* One that its owner can't look into is opened up meanwhile. */
static int settle_directory(const struct settling *s, int above, const char *name, const char *path, const struct stat *st, int depth,
			    struct err *e)
{
	bool closed = (st->st_mode & 0700) != 0700;
	struct stat open_st = *st;
	cleanup_close int fd = -1;

	if (closed && fchmodat(above, name, (st->st_mode & 07777) | 0700, 0) < 0)
		return failure(path, e);
	fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return failure(path, e);
	open_st.st_mode |= 0700; /* until all of it is done: "." is found only through what may be entered */
	if (settle_names(s, fd, path, depth, e) < 0 || remove_notes(fd, ".", &open_st, path, e) < 0)
		return -1;
	stamp(s, fd, ".", st);
	return closed && fchmodat(above, name, st->st_mode & 07777, 0) < 0 ? failure(path, e) : 0;
}

static int settle(struct store_stage *stage, const struct settling *s, struct err *e)
{
	struct stat st;

	if (fstatat(stage->fd, "fs", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "can't find what the step wrote");
	if (s->kept)
		s->kept(s->data, "", &st);
	return settle_directory(s, stage->fd, "fs", "", &st, 0, e);
}

int step_settle(struct store_stage *stage, int64_t since_ns, int64_t epoch, struct err *e)
{
	const struct settling s = { since_ns, epoch, false, NULL, NULL };

	return settle(stage, &s, e);
}

int step_settle_packages(struct store_stage *stage, int64_t since_ns, int64_t epoch, step_kept *kept, void *data, struct err *e)
{
	const struct settling s = { since_ns, epoch, true, kept, data };

	return settle(stage, &s, e);
}
