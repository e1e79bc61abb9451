/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step.h - run a script in a sandbox and keep what it wrote as a layer: maintainer scripts of packages, [build].
 *
 * The core never enters a sandbox: a step is a plan of its own (below the stage, never fresh for anybody else) that the launcher
 * carries out, with the step's uid 0 mapped to the caller, chown-like calls answered, a persistent scratch layer inside the stage,
 * and nothing of the project but declared inputs. Afterwards the written layer is put in order (step_settle) so that the same
 * inputs give the same bytes.
 */
#ifndef DEVENV_ENV_STEP_H
#define DEVENV_ENV_STEP_H

#include <sys/stat.h>

#include "base/buf.h"
#include "env/env.h"
#include "plan/plan.h"

struct step {
	const char *name;	/* for messages and the host name: "packages", "build" */
	const char *digest;	/* of the image below; NULL: none, `layers` alone */
	const char *const *layers; /* host directories over it, topmost first, NULL-terminated: a tree not published yet */
	const char *script;	/* for /bin/sh -e, or `shell` */
	const char *shell;	/* argv[0] of the interpreter, NULL: /bin/sh */
	const char *const *variables; /* NAME=value over the image's own, NULL-terminated */
	const char *workdir;	/* inside; NULL: / */
	struct plan_mount *mounts; /* inputs, caches; targets are real paths inside */
	size_t mount_count;
	bool network;		/* the host's; else none */
	bool answer_set_ids;	/* set*id calls succeed without effect: maintainer scripts only */
	bool no_services;	/* a policy-rc.d that forbids starting anything, not part of the result */
	/* Called with every line of output, as it comes; NULL: dropped but for the last lines that an error shows. */
	void (*output)(void *data, const char *line, size_t len);
	/* Called about once a second while it says nothing, with the seconds since it began; NULL: nobody wants to know. */
	void (*elapsed)(void *data, double seconds);
	/* Where a line of the script, counted from 1, was written: "devenv.ini:12". false: not known. Shells' messages then name
	 * that and not the script. NULL: nobody wrote it. */
	bool (*locate)(void *data, unsigned int line, struct buf *out);
	void *data;
};

/* 2000-01-01, and what SOURCE_DATE_EPOCH says: not 1970, which some archivers can't write. */
#define STEP_EPOCH 946684800
#define STEP_EPOCH_TEXT "946684800"

/*
 * Run it; what it wrote is then `fs` in the stage (overlay whiteouts included). A script that fails is ERR_FAILED with its last
 * lines in the message, or ERR_SPACE where no space is left for what it writes; the stage stays for step_shell until it is dropped. ERR_INTERRUPTED: the sandbox is gone too.
 */
int step_run(struct environment *env, struct store *s, struct store_stage *stage, const struct step *step, struct err *e);

/* A shell where a step stopped that failed. `directory`: its stage, wherever it is now; without `network` it has none even if the
 * step had. *status is the shell's. */
int step_shell(const char *directory, bool network, int *status, struct err *e);

/*
 * Make a written layer reproducible: times after `since_ns` become `epoch` (seconds); logs, caches, backups and machine ids of
 * dpkg, apt, ldconfig, debconf are emptied or removed; overlay's own attributes that differ each time (origin, impure) go.
 */
int step_settle(struct store_stage *stage, int64_t since_ns, int64_t epoch, struct err *e);
/* After maintainer scripts: also takes away what they generate that has to be secret or unique (ssh host keys, ssl-cert's snakeoil
 * certificate, the data of PostgreSQL's cluster "main" and of MariaDB), and Lua's TeX formats, which can't be made the same twice.
 * The step should have SOURCE_DATE_EPOCH=epoch, PYTHONHASHSEED=0, PERL_HASH_SEED=0, LC_ALL=C.UTF-8.
 * kept (may be NULL) is called with all that stays and is no mark of something deleted, a directory before what is in it, "" first. */
typedef void step_kept(void *data, const char *path, const struct stat *st);
int step_settle_packages(struct store_stage *stage, int64_t since_ns, int64_t epoch, step_kept *kept, void *data, struct err *e);

#endif
