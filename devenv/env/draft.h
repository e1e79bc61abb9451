/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft.h - a plan while it is being made: the image it stands on, its generated layer, and the memory behind it.
 *
 * draft_open -> fill in (planning.c for projects, image.c for images) -> draft_write -> draft_release.
 */
#ifndef DEVENV_ENV_DRAFT_H
#define DEVENV_ENV_DRAFT_H

#include <stdint.h>

#include "env/env.h"
#include "env/root.h"
#include "env/skeleton.h"
#include "env/variables.h"
#include "plan/plan.h"

struct draft {
	struct environment *env;
	struct store *store;
	struct plan plan;
	struct strlist own;	  /* every string the plan points at that nobody else owns */
	const char *image_name;	  /* in full, for programs inside; plan.image unless the caller knows better */
	struct store_image image;
	struct oci_config config; /* of the image */
	struct root root;	  /* the image's layers */
	struct skeleton skeleton;
	struct variables variables;
	struct buf passwd, group; /* of the image */
	struct buf filter, root_filter;
};

#define DRAFT_DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Load the image and look into it. ERR_INTEGRITY: a root that can't be used (its /proc is a link). `what` names it. */
int draft_open(struct draft *d, struct environment *env, struct store *s, const char *digest, const char *what,
	       struct err *e);
void draft_release(struct draft *d);

/* Give a string to the draft; returns it. */
const char *draft_keep(struct draft *d, char *s /* takes */);
/* The same for a copy. */
const char *draft_copy(struct draft *d, const char *s);

/* A path inside, with the links of the image resolved; owned by the draft. NULL: ERR_CONFIG for / and what lies in /proc,
 * /sys and /dev. `what` says whose target it is. */
const char *draft_target(struct draft *d, const char *path, const char *what, struct err *e);

/* A file of the generated layer, in the place that the image's links lead to. Where the image has something in the way
 * (a file for a parent, a link to /proc) it is left out. */
int draft_put_file(struct draft *d, const char *path, const void *data, size_t len, mode_t mode, struct err *e);
/* Is there something at this path of the image? -1: it can't be looked at. */
int draft_has(struct draft *d, const char *path, struct err *e);

/* What every root has: standard directories, hosts, hostname, .containerenv, resolv.conf, mtab. Needs name and image. */
int draft_standard_files(struct draft *d, struct err *e);
/* Find a program by name on the PATH of the variables, or by absolute path. NULL: not in the root (no error). */
const char *draft_find_program(struct draft *d, const char *name, struct err *e);
/* What passes from the caller, locales, root's home, filter: the same for every plan. */
int draft_standard_session(struct draft *d, struct err *e);

/* Order the mounts, make the generated layer, add watches, number the plan and write it with its companions. */
int draft_write(struct draft *d, struct err *e);

#endif
