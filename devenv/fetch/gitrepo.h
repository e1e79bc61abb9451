/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gitrepo.h - git repositories by libgit2: one file of one commit, clones, and what a checkout tracks.
 *
 * Repositories of others are fetched into bare clones of ours, one for each address, below <cache>/git: they can be deleted at
 * any time. The git program is run for one thing only, and outside any repository: asking its credential helpers for the
 * password of an https server. ssh asks the agent, then the usual keys without a passphrase; the server's key must be in
 * known_hosts. Redirects are not followed. Ctrl-C ends transfers (ERR_INTERRUPTED).
 */
#ifndef DEVENV_FETCH_GITREPO_H
#define DEVENV_FETCH_GITREPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct gitrepo {
	const char *cache; /* directory the clones are kept in; made when needed */
	bool offline;      /* a need for the network is ERR_OFFLINE */
	bool interactive;  /* credential helpers may ask on the terminal */
	/* While objects come: how many of how many, and bytes so far. May be NULL. */
	void (*progress)(void *data, unsigned int objects, unsigned int total, size_t bytes);
	void *data;
};

#define GITREPO_COMMIT 41 /* 40 hex digits and NUL */

/* What a ref of the repository points to now: a tag, a branch, "refs/..."; NULL: HEAD. A whole commit id is itself. */
int gitrepo_resolve(const struct gitrepo *g, const char *url, const char *ref, char commit[GITREPO_COMMIT],
                    struct err *e);
/*
 * Append one regular file of a commit. The commit is fetched when it isn't there: by its ref (may be NULL: HEAD), and when
 * that has moved on by all branches and tags. More than `max` bytes: ERR_CONFIG. ERR_NOT_FOUND: no such commit or file.
 */
int gitrepo_read(const struct gitrepo *g, const char *url, const char *ref, const char *commit,
                 const char *path, size_t max, struct buf *out, struct err *e);
/* The same from what was fetched before: 1, or 0 when the commit isn't there. */
int gitrepo_read_cached(const struct gitrepo *g, const char *url, const char *commit, const char *path,
                        size_t max, struct buf *out, struct err *e);

/* Clone into `dir`, which must not exist or be empty, and check out `ref` (branch or tag; NULL: the remote's HEAD). */
int gitrepo_clone(const struct gitrepo *g, const char *url, const char *ref, const char *dir, struct err *e);

/* Does the repository that `dir` is in, if any, track `name` in it? What can't be told is false. */
bool gitrepo_tracks(const char *dir, const char *name);

/* Would git add the file `name` of `dir` with all others: it neither tracks nor ignores it? What can't be told is false. */
bool gitrepo_would_add(const char *dir, const char *name);

/* The name of an address's clone in the cache. malloc'ed. */
char *gitrepo_clone_name(const char *url);
struct gitrepo_sweep {
	const char *cache;          /* as in struct gitrepo; need not exist */
	const struct strlist *keep; /* names of clones */
	int64_t oldest;             /* last fetched into later than this: stays */
	bool dry_run;
	void (*removed)(void *data, const char *name, uint64_t bytes);
	void *data;
};
/* Remove the clones that are not to be kept. One that is fetched into at this moment stays. */
int gitrepo_sweep(const struct gitrepo_sweep *s, struct err *e);

#endif
