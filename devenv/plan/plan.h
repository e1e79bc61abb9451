/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - the plan: one file that fully says what an environment is.
 *
 * devenv-core writes it, the launcher reads and performs it, and neither edits it in place. Format (plan/format.h):
 * a fixed header (magic, version, length, checksum) and tagged records in native byte order; a plan never leaves the
 * machine. Paths are absolute and clean. `host` paths are outside, `target` paths inside.
 *
 * What the launcher does the same way for every environment - /dev, /proc, /sys, masks, capabilities, no_new_privs -
 * is code in sandbox/, not data here: a plan can't weaken it.
 */
#ifndef DEVENV_PLAN_PLAN_H
#define DEVENV_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

#define PLAN_VERSION 6
#define PLAN_MAX (256u << 20) /* bytes of its file: about a million watched files */

/* A file the plan was made from. The plan is fresh while stat says the same of each. */
struct plan_watch {
	const char *path;
	const char *content; /* "sha256:…" of what was read; "" for directories and absent files. For the core's re-stamp */
	bool absent;	     /* it did not exist, and must not exist now */
	bool young;	     /* it had changed less than two seconds before the plan was made: never fresh, only re-stampable */
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns; /* nanoseconds since the epoch */
};

enum plan_mount_kind {
	PLAN_BIND,  /* host file or directory, recursively */
	PLAN_TMPFS, /* empty, gone with the holder */
	PLAN_VIEW,  /* host directory, copy-on-write: what is written is gone with the holder */
};
enum {
	PLAN_MOUNT_READ_ONLY = 1,
	PLAN_MOUNT_CREATE = 2, /* make the target (directory) when missing: it lies inside an earlier bind */
	PLAN_MOUNT_MAKE_HOST = 4, /* make the host directory (0700) when missing: home, volumes */
	PLAN_MOUNT_OPTIONAL = 8,  /* skip silently when the host path is missing */
	PLAN_MOUNT_FILE = 16,	  /* it is a file: what PLAN_MOUNT_CREATE makes is an empty file */
	PLAN_MOUNT_DEVICE = 32,	  /* a granted device node of the host: the one kind of mount without nodev */
	PLAN_MOUNT_AGENT = 64,	  /* no host path: the socket of the session's ssh agent, mounted anew by each session */
};
/* In the order they are performed: parents before children. */
struct plan_mount {
	enum plan_mount_kind kind;
	unsigned int flags;
	const char *host;     /* "" for tmpfs */
	const char *target;   /* resolved by the core: no component of it is a link in the layers */
	uint64_t dev, ino;    /* what the core saw at `host`; 0, 0: don't compare (made later) */
};

/* A line of uid_map or gid_map as the kernel takes it: `count` ids from `inside` are those from `outside`. */
struct plan_range {
	uint32_t inside, outside, count;
};

enum plan_network { PLAN_NETWORK_HOST, PLAN_NETWORK_NONE };
enum plan_scratch { PLAN_SCRATCH_TMPFS, PLAN_SCRATCH_DISK, PLAN_SCRATCH_PERSIST };

struct plan {
	/* Identity */
	const char *id;	     /* hex sha256 of every record but the watches and the setup: names the holder */
	const char *name;    /* environment name for people */
	const char *project; /* project root on the host; "" for `run --image` */
	const char *image;   /* what was asked for: the base's request; of `run --image` the reference as typed */
	const char *state;   /* per-checkout state directory on the host (scratch lives below it) */
	const char *store;   /* what dirs_find said then: another DEVENV_STORE makes the plan stale */

	/* Root file system, topmost first. Generated layers, above the image's, hold every mount target; /dev, /proc and /sys
	 * are in the first. */
	const char **layers; /* host directories */
	size_t layer_count;
	enum plan_scratch scratch;

	/* Ids inside; both map to the caller. A `--root` session is uid 0 in a child user namespace */
	uint32_t uid, gid;
	bool root; /* sessions have root's capabilities: `user = root`, an image's own user. Not: the caller is real root */
	const char *hostname;
	enum plan_network network;
	/* Further ids, from the caller's lines in /etc/subuid and /etc/subgid; none: the one-uid map, which needs no helper */
	struct plan_range *uid_ranges, *gid_ranges;
	size_t uid_range_count, gid_range_count;
	uint32_t become_uid, become_gid; /* who the launcher becomes where it is real root (demote.h); 0: it stays */

	/* Limits of the whole environment; 0: none */
	uint64_t memory; /* bytes */
	uint32_t cpus;	 /* thousandths of a processor */
	uint32_t pids;	 /* processes and threads */
	uint32_t linger; /* seconds that pid 1 stays after the last session */
	bool nested;	 /* sessions may make user namespaces */

	struct plan_mount *mounts;
	size_t mount_count;

	/* Sessions */
	const char **env; /* NAME=value, complete but for what is passed from the caller */
	size_t env_count;
	const char **pass; /* names taken from the caller's environment when set there; may end in '*' */
	size_t pass_count;
	const char **locales; /* values of LANG/LC_* the root has; others become C.UTF-8 */
	size_t locale_count;
	const char *root_home, *root_shell; /* HOME and shell of `--root` sessions */
	const char *home, *shell; /* inside; shell is the argv[0] path of `enter` */
	const char *workdir;	  /* inside: where a session starts that has no matching directory */
	const char *project_target; /* inside path of the project; "" for none */
	const char **command;	  /* `run --image` without a command: Entrypoint + Cmd */
	size_t command_count;
	const char **entrypoint; /* put before the command line of `run --image` */
	size_t entrypoint_count;
	const char *hook_start;	  /* shell script text; "" for none */
	const char *hook_enter;
	const char *guard; /* the git directory to look at after sessions (guard.h), where .git would be if none; "": don't */

	/* The setup of this checkout: not part of the identity, because it changes the project and not the environment. */
	const char *setup;     /* shell script text; "" for none */
	const char *setup_key; /* hex sha256 of what makes it run again; compared with <state>/setup-done */

	const void *filter;   /* struct sock_filter[]: the compiled seccomp program */
	size_t filter_size;   /* bytes */
	const void *root_filter; /* the same for sessions with uid 0 inside: chown-like calls are answered (env/filter.h) */
	size_t root_filter_size; /* bytes; 0: sessions of root get `filter` too */

	struct plan_watch *watches;
	size_t watch_count;

	struct buf raw; /* what the pointers point into when the plan was read */
};

/* Everything empty. A plan being built points at memory its builder owns; plan_release frees only the arrays and raw. */
void plan_init(struct plan *p);
void plan_release(struct plan *p);

/*
 * Append one item to one of the plan's arrays. Strings are borrowed, not copied.
 */
void plan_add_layer(struct plan *p, const char *host_dir);
void plan_add_mount(struct plan *p, struct plan_mount m);
void plan_add_uid_range(struct plan *p, struct plan_range r);
void plan_add_gid_range(struct plan *p, struct plan_range r);
void plan_add_env(struct plan *p, const char *assignment);
void plan_add_pass(struct plan *p, const char *name);
void plan_add_locale(struct plan *p, const char *locale);
void plan_add_command(struct plan *p, const char *word);
void plan_add_entrypoint(struct plan *p, const char *word);
void plan_add_watch(struct plan *p, struct plan_watch w);

/* Fill a watch from a stat taken from the descriptor before reading (st NULL: the file is absent). `now_ns` is the
 * time of planning, for the two-second rule. */
void plan_watch_from_stat(struct plan_watch *w, const char *path, const struct stat *st, int64_t now_ns);

/* Serialise. `identity` receives only the records that make the holder's identity (hash it for `id`); `all`
 * receives the whole file. Either may be NULL. p->id must be set before `all` is asked for. */
void plan_encode(const struct plan *p, struct buf *identity, struct buf *all);

/* Read a plan file. ERR_NOT_FOUND: none there. ERR_FAILED: another version, damaged, or not ours. */
int plan_load(struct plan *p, const char *path, struct err *e);
/* The same for the launcher, which leaves descriptors to its last close_range: returns the file's, still open. */
int plan_load_open(struct plan *p, const char *path, struct err *e);
/* Decode bytes already read; takes them over. */
int plan_decode(struct plan *p, struct buf *raw /* takes */, struct err *e);

/* One stat per watch and per mount whose source must be the one the core saw. NULL when every one is as it was, else the path of the first that is not. */
const char *plan_stale(const struct plan *p);

#endif
