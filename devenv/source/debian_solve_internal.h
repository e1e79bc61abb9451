/* SPDX-License-Identifier: Apache-2.0 */
/* debian_solve_internal.h - what debian_solve.c, debian_choose.c and debian_explain.c share. */
#ifndef DEVENV_SOURCE_DEBIAN_SOLVE_INTERNAL_H
#define DEVENV_SOURCE_DEBIAN_SOLVE_INTERNAL_H

#include "source/debian_depends.h"
#include "source/debian_solve.h"

#define DEBIAN_NONE ((size_t)-1)

struct need { /* something to be seen to; a list that is only ever put before, so that going back is forgetting */
	struct need *next;
	size_t owner;		   /* who needs it; DEBIAN_NONE: it is wanted */
	struct debian_text group;  /* alternatives; empty: `owner` itself must go to another version */
};

struct conflict { /* of a chosen package */
	struct debian_dependency with;
	size_t owner;
};

struct choice { /* to be come back to */
	struct need *need;
	struct need *needs; /* what was left then, this one not counted */
	size_t undo_count, conflict_count, later_count, later_next;
	size_t *options, count, next;
};

struct undo {
	size_t head, before;
};

struct root { /* a version that is wanted */
	size_t package;
	struct debian_text word; /* what any version of would do as well; empty: only this one does */
};

struct solver {
	const struct debian_universe *u;
	const struct debian_goal *goal;
	size_t *head;	/* of every package: the first version of its name */
	size_t *chosen; /* by head: the version, or DEBIAN_NONE */
	size_t *wants;	/* by package: the candidate of its name, at the head's place; DEBIAN_NONE: preferences forbid all */
	size_t *must;	/* by head: what any solution has, or DEBIAN_NONE; found before the search */
	size_t *musts, must_count, must_cap; /* the same as a list */
	struct root *roots;
	size_t root_count, root_cap;
	size_t *why;	/* by package: who needed it when it was chosen, or DEBIAN_NONE */
	struct need *needs;
	struct need **later; /* needs with several options, first come first served; those before later_next are done */
	size_t later_count, later_cap, later_next;
	struct undo *undo;
	size_t undo_count, undo_cap;
	struct conflict *conflicts;
	size_t conflict_count, conflict_cap;
	struct choice *choices;
	size_t choice_count, choice_cap;
	struct need **arena; /* every need ever made */
	size_t arena_count, arena_cap;
	bool loose;    /* what is wanted without a version may be another one than its candidate */
	bool put_off;  /* needs with several options wait for all others: finds what apt's order does not */
	size_t steps;
	bool explained;
	struct buf reason; /* of the first failure: that is the way people would have gone */
	size_t at_fault;   /* the one that is wanted and can't be had; DEBIAN_NONE: several, that don't go together */
};

/* ---- debian_solve.c ---- */
void option_add(struct choice *c, size_t package);
/* The candidates that provide what `d` names, in the order in which they are to be tried. */
void options_add_providers(struct solver *s, struct choice *c, const struct debian_dependency *d);

/* ---- debian_wanted.c ---- */
void wanted_candidates(struct solver *s);
int wanted_roots(struct solver *s, struct err *e);

/* ---- debian_choose.c: one version more ---- */
/* Take this version, with all that it asks for as new needs. false: it conflicts with what was chosen; `s` may then have to
 * be taken back to where it was. */
bool choose(struct solver *s, size_t package, size_t owner);
/* Add the Conflicts and Breaks of a version to s->conflicts. */
void conflicts_add(struct solver *s, size_t package);
/* Does what is chosen meet one of the alternatives? */
bool is_met(const struct solver *s, struct debian_text group);
bool meets(const struct solver *s, const struct debian_dependency *d, size_t package);
void need_add(struct solver *s, struct need **after, size_t owner, struct debian_text group);
static inline size_t candidate_of(const struct solver *s, size_t package)
{
	return s->wants[s->head[package]];
}

/* ---- debian_explain.c ---- */
/* Remember why something could not be; only the first reason is kept. */
void explain_unmet(struct solver *s, const struct need *n);
void explain_conflict(struct solver *s, size_t package, size_t owner, const struct debian_dependency *d, size_t with);
/* "name (>= 1)" */
void explain_dependency(struct buf *b, const struct debian_dependency *d);
/* Something installed would have to become `package`, which it must not. */
void explain_stays(struct solver *s, size_t installed, size_t package, size_t owner);
/* What is wanted can't be chosen, and nothing has said why. */
void explain_root(struct solver *s, size_t package);
int explain_failure(const struct solver *s, struct err *e);

#endif
