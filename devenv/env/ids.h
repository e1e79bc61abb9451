/* SPDX-License-Identifier: Apache-2.0 */
/* ids.h - the ranges of further ids that /etc/subuid and /etc/subgid give to an account, and a map made of them. */
#ifndef DEVENV_ENV_IDS_H
#define DEVENV_ENV_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "plan/plan.h"

#define IDS_INSIDE 65536 /* ids that software expects to exist */
#define IDS_FILE_MAX (1u << 20)

struct ids_range {
	uint32_t first, count;
};
struct ids_ranges {
	struct ids_range *items; /* none overlaps another, none holds id 0 */
	size_t count, cap;
};

/* Add the ranges of the account, by name or number, from the text of such a file. Lines that mean nothing are skipped. */
void ids_parse(const char *text, const char *name, uint32_t id, struct ids_ranges *out);
/* The same from etc/subuid or etc/subgid below a directory. A file that is missing or can't be read has no ranges. */
void ids_read(int rootfd, const char *path, const char *name, uint32_t id, struct ids_ranges *out);
uint64_t ids_total(const struct ids_ranges *r);
void ids_release(struct ids_ranges *r);

/* Lay the ranges out for the ids inside from 0 to IDS_INSIDE - 1 but `own`, which is the caller. `add` is one of plan_add_*_range. */
void ids_lay_out(const struct ids_ranges *r, uint32_t own, struct plan *p, void (*add)(struct plan *p, struct plan_range r));

/*
 * For files that sessions of other ids left behind: run `work` in a child that has this account's ranges mapped, and is
 * their root. -1: there are none, or no newuidmap.
 */
int ids_run_mapped(void (*work)(void *data), void *data, struct err *e);

#endif
