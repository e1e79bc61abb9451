/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.h - one project's environment, from its files to its plan. The policy lives here: what may be fetched, who may
 * write the lock, what is asked, what a plan holds. Nothing here prints: it talks through `struct env_ui`.
 */
#ifndef DEVENV_ENV_ENV_H
#define DEVENV_ENV_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/dirs.h"
#include "base/err.h"
#include "config/config.h"
#include "config/extends.h"
#include "config/lock.h"
#include "config/trust.h"
#include "config/user.h"
#include "source/oci.h"
#include "store/store.h"

/* How policy talks to people. Every callback may be NULL (silence; a question is then answered "no"). */
struct env_ui {
	void *data;
	bool interactive; /* a person is there: stdin and stderr are terminals */
	/* One line for the person, no newline: a notice, or something that went not quite right. */
	void (*notice)(void *data, const char *line);
	void (*warning)(void *data, const char *line);
	/* What is done and why, for who wants to know more (-v). */
	void (*detail)(void *data, const char *line);
	bool color; /* what programs print may keep its colours */
	/* A line of what a build says, escaped, as it comes; and when it is over, how long it took. */
	void (*build_line)(void *data, const char *line);
	/* A step that said nothing for a moment still runs, and for how long by now. */
	void (*step_elapsed)(void *data, const char *name, double seconds);
	void (*build_done)(void *data, const char *name, double seconds);
	/* A line of what dpkg and the scripts of packages say, escaped; NULL: nobody wants to see it. */
	void (*package_line)(void *data, const char *line);
	/* Show the powers (only those not granted yet when `growth`), ask once. true: granted. Only when interactive. */
	bool (*ask_powers)(void *data, const char *project, const struct strlist *texts, bool growth);
	struct oci_progress progress;
	/* Objects of a git repository: how many of how many, and bytes so far. `progress.data` is what it gets. */
	void (*git_progress)(void *data, unsigned int objects, unsigned int total, size_t bytes);
	/* Indexes, packages to fetch (bytes) and to unpack or configure (their number): how much of it is done. `progress.data` too. */
	void (*packages)(void *data, const char *what, uint64_t done, uint64_t total);
};

struct env_options {
	bool locked, offline, yes;
	bool dry_run; /* of env_lock: say what would change, and write nothing */
	const struct env_ui *ui; /* never NULL */
};

struct env_file {	/* an input as it was read: for the plan's freshness list */
	char *path;	/* absolute */
	bool absent;
	struct stat_copy {
		unsigned long long dev, ino, size;
		long long mtime_ns, ctime_ns;
	} st;
	char content[136]; /* sha256, then " x" when it may be executed; "" for absent and for directories */
	bool added;	   /* by inputs_add */
};

enum env_place_kind { ENV_PLACE_BASE, ENV_PLACE_ENV_FILE, ENV_PLACE_MOUNT, ENV_PLACE_SETUP_INPUT, ENV_PLACE_REPOSITORY,
		      ENV_PLACE_BUILD_INPUT };
struct env_place {	/* a path of the host that the config names: resolved once, when the config is read */
	enum env_place_kind kind;
	char *written;	/* as in the config */
	char *path;	/* absolute and clean; without any link in it when `outside` */
	char *tag;	/* what followed the path of an OCI layout (":TAG"), or NULL */
	bool outside;	/* leads out of the project, by itself or through a link: a power */
	bool optional;
	size_t index;	/* of the mount or the build's input in the config */
};

struct env_extends {	/* a file of a git repository that the configuration extends */
	char *name;	/* its entry in the lock; NULL: it lies beside another one, in the same commit */
	char *request;	/* canonical: "git+https://...#REF:PATH" */
	struct extends_git git;
	char *commit;	/* the lock's, NULL when it has none that answers the request */
	bool present;	/* its text is here, and is what the lock says */
};
struct env_text {	/* a file of the configuration as it was read: once (security rule 18) */
	char *name;
	struct buf text;
};

struct environment {
	struct dirs dirs;
	struct user_config user;
	char *store_found; /* what dirs_find said: the store, unless the user's [store] path names another */
	char *project;	   /* absolute root; NULL for an image without project */
	int project_fd;	   /* that directory as it was opened once: everything of the project is read below it */
	char *clone;	   /* which clone it is of (env/clone.h): names the trust record */
	char *clone_path;  /* the same by its path alone: what was granted before it was a clone */
	char *state;	   /* dirs_checkout or dirs_image */
	bool untrusted;	   /* see env_distrust */
	char *name;	   /* config name or the directory's */
	struct config config;
	struct env_extends *extends; /* all of them, those of others included */
	size_t extends_count, extends_cap;
	struct env_text *texts;
	size_t text_count, text_cap;
	bool incomplete; /* something that is extended isn't here yet: `config` is what is known without it */
	struct lock lock;
	bool has_lock;	   /* a devenv.lock is there and parsed */
	bool lock_written; /* by us, either of the locks */
	struct err lock_error; /* code != ERR_NONE: a lock is there and is malformed or another tool's */
	struct buf lock_text;  /* the bytes of devenv.lock as they were read */
	/* devenv.local.lock: what the packages of devenv.local.ini are. Read, and of any interest, only while it asks for some. */
	struct lock local_lock;
	bool has_local_lock;
	struct err local_lock_error;
	struct buf local_lock_text;
	struct env_place *places;
	size_t place_count, place_cap;
	char built[136]; /* digest of the build's image, once its inputs were read (env/building.h); "" before */
	struct strlist warnings; /* about the image, collected while planning; env_prepare shows them */
	struct env_file *files;
	size_t file_count, file_cap;
};

/* Read only the user's own configuration (for commands that need no project). `project` stays NULL. */
int env_open_user(struct environment *env, struct err *e);
/* Find the project from `start` (NULL: cwd), read config, lock and user configuration, each file once, O_NOFOLLOW below
 * the project. A malformed lock does not fail here (see lock_error). */
int env_open(struct environment *env, const char *start, struct err *e);
void env_release(struct environment *env);
/* `enter --untrusted`: leave of the config only what asks for nothing. To be called before anything is planned; the plan
 * is another one, at env_plan_path. */
void env_distrust(struct environment *env);
/* Where the plan of this environment lies. malloc'ed. */
char *env_plan_path(const struct environment *env);

/* Fetch what is extended and not here, after asking (env/extending.c). What the lock lacks is resolved but not written. */
int env_extend(struct environment *env, const struct env_options *o, struct err *e);

/* ---- powers and trust (env/trust.c) ---- */
struct env_power {
	char *key;  /* "network:host" */
	char *text; /* "network: every server this machine can reach, itself included"; escaped, to be shown as it is */
};
struct env_powers {
	struct env_power *items;
	size_t count, cap;
};
/* What the resolved config asks for, the most important first; while it is incomplete only what would have to be fetched.
 * ERR_CONFIG: something no repository can ask for. */
int env_powers(const struct environment *env, struct env_powers *out, struct err *e);
void env_powers_release(struct env_powers *p);
/* Those of `asked` that are not granted yet; *known tells whether the project was ever allowed. */
int env_powers_missing(const struct environment *env, const struct env_powers *asked, struct env_powers *missing,
		       bool *known, struct err *e);
int env_allow(struct environment *env, const struct env_powers *asked, struct err *e);
int env_deny(struct environment *env, struct err *e); /* also drops the plan; success when nothing was granted */
/* The gate: granted already; or granted now by `yes` or by asking; else ERR_NOT_ALLOWED listing the powers, with the
 * command that grants them as hint. */
int env_require_allowed(struct environment *env, const struct env_options *o, struct err *e);

/* ---- the locks (env/locking.c) ---- */
struct env_gap {
	bool own;     /* of devenv.local.lock */
	char *name;   /* "base" */
	char *reason; /* "not locked", "devenv.ini asks for X, the lock answers Y", "no manifest for linux/arm64" */
	char *platform; /* the first that lacks it; NULL: it is of no platform */
};
struct env_gaps {
	struct env_gap *items;
	size_t count, cap;
};
void env_gaps_find(const struct environment *env, struct env_gaps *out); /* offline, from the files alone; of both locks */
/* Further: what locked packages need of each other and haven't got, where the store has them. Still offline. */
void env_gaps_find_needs(struct environment *env, struct env_gaps *out);
size_t env_gaps_count(const struct env_gaps *g, bool own); /* those of one of the locks */
/* "jq: not locked", and for which platform where that isn't this machine's; `whose`: "jq (personal)" when it is one's own.
 * malloc'ed, not escaped. */
char *env_gap_text(const struct env_gap *g, bool whose);
void env_gaps_release(struct env_gaps *g);
/* What is locked but not here, so that what it asks for (further files, perhaps the base) could not be compared. */
void env_gaps_unchecked(const struct environment *env, struct strlist *names);
struct env_change {
	/* Digests of the manifest for this machine, versions of a package, or ""; before == "": new; after == "": removed. The same twice: only
	 * the index moved, so manifests of other platforms. */
	char *name, *before, *after;
	char *index_before, *index_after; /* of the tag's index, or "" */
};
struct env_changes {
	struct env_change *items;
	size_t count, cap;
};
/* Resolve the entries that have gaps (update: all, or those in `names` when it is not empty; a name that is nothing's
 * is ERR_USAGE with the nearest), drop entries nothing asks for, write devenv.lock when anything changed. Only documented fields of other entries are kept byte for byte. */
int env_lock(struct environment *env, const struct env_options *o, bool update, const struct strlist *names,
	     struct env_changes *changes, struct err *e);
/* After env_lock, the same for devenv.local.lock; without packages in devenv.local.ini it is removed. `names` may be of either. */
int env_lock_own(struct environment *env, const struct env_options *o, bool update, const struct strlist *names,
		 struct env_changes *changes, struct err *e);
void env_changes_release(struct env_changes *c);

/* ---- fetching and planning ---- */
/* Fetch whatever the lock names and the store lacks. */
int env_fetch(struct environment *env, struct store *s, const struct env_options *o, struct err *e);
/* Write the plan of this environment, whose inputs must be locked and in the store (env/planning.c). */
int env_write_plan(struct environment *env, struct store *s, struct err *e);

enum env_purpose { ENV_FOR_ENTER, ENV_FOR_RUN };
/*
 * Everything between "the plan is stale" and "the plan is fresh": re-stamp when only time stamps changed; else trust,
 * lock by the rules of the reference ("Who writes it"), fetch, plan. Opens and closes the store itself.
 */
int env_prepare(struct environment *env, enum env_purpose purpose, const struct env_options *o, struct err *e);
/* The same for `run --image REF` with no project: the locally named image, else pulled; plan at dirs_image(REF). */
int env_prepare_image(struct environment *env, const char *reference, const struct env_options *o, struct err *e);

/* Opens the store this environment uses ([store] path, DEVENV_STORE). */
int env_store(const struct environment *env, struct store *s, struct err *e);
/* Manifest digests that locks and plans of known checkouts refer to, and those of the locks' packages: what gc must keep. */
int env_live_digests(const struct environment *env, struct strlist *digests, struct err *e);
/* The same, and beside each digest in `requests` by what name a project's lock asks for it, or "". */
int env_live_images(const struct environment *env, struct strlist *digests, struct strlist *requests, struct err *e);

/* ---- what gc takes besides the store's own (env/gc.c) ---- */
struct env_gc {
	/* in */
	bool dry_run;
	int64_t oldest_clone;	    /* clones of what is extended that were fetched into later than this stay */
	struct strlist images_gone; /* manifest digests that store_gc took, or would take in a dry run */
	/* Called per thing removed (or to be removed): kind "plan", "generated", "scratch", "clone", "failed build", "build cache". May
	 * be NULL. */
	void (*removed)(void *data, const char *kind, const char *name, uint64_t bytes);
	void *data;
	/* out: counts and bytes are added to */
	uint64_t bytes;
	size_t plans, generated, scratches, clones, failed_builds, build_caches;
};
/*
 * Plans whose project or image is gone (homes stay), generated top layers that nothing uses: no plan of a living project
 * or of a stored image, no running holder; the scratch of holders that were killed; what builds that failed had made, and
 * the caches of builds of projects that are gone. To be called after store_gc, with
 * the store open. A dry run tells exactly what the real one does.
 */
int env_gc(const struct environment *env, struct store *s, struct env_gc *gc, struct err *e);

#endif
