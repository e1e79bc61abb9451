/* SPDX-License-Identifier: Apache-2.0 */
/* diff.h - what a scratch layer changed against the layers below it. */
#ifndef DEVENV_ENV_DIFF_H
#define DEVENV_ENV_DIFF_H

#include "env/env.h"

enum diff_kind { DIFF_ADDED = 'A', DIFF_MODIFIED = 'M', DIFF_DELETED = 'D' };

struct diff_change {
	enum diff_kind kind;
	char *path;	/* inside */
	bool directory; /* what there is, or was */
	bool passing;	/* of caches, logs, package databases */
	size_t package; /* index + 1 of the changed package it belongs to; 0: none */
};
struct diff_package {
	enum diff_kind kind;
	char *name, *from, *to; /* versions; NULL: it was, or is, not there */
	size_t files;		/* changes that belong to it */
};
struct diff {
	struct diff_change *changes; /* by path */
	size_t change_count, change_cap;
	struct diff_package *packages; /* by name */
	size_t package_count, package_cap;
	bool incomplete; /* some of it could not be looked at */
};

/* Where there is something to compare. */
struct diff_place {
	int scratch_fd;		/* holds upper/, or project/upper/ */
	pid_t pid;		/* of pid 1; 0: kept, and nothing runs */
	bool earlier;		/* of an earlier configuration */
	bool untrusted;		/* a session of `enter --untrusted`: its project is a view */
	struct strlist layers;	/* those below, topmost first */
	char *project;		/* where the view is inside; of untrusted places */
};
struct diff_places {
	struct diff_place *items; /* the present configuration's first, an untrusted one last */
	size_t count, cap;
};

/* What of this project runs, or is kept by [sandbox] persist. None of it: an empty list. */
int diff_find(const struct environment *env, struct diff_places *out, struct err *e);
void diff_places_release(struct diff_places *p);

/* Compare. In an untrusted place the project is compared too. */
int diff_compare(const struct environment *env, const struct diff_place *p, struct diff *out, struct err *e);
void diff_release(struct diff *d);

#endif
