/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_hooks.h - devenv's hooks in a git repository, beside those that are there; and where the environment finds what
 * [git-hooks] says.
 *
 * Everything here but git_hooks_are_missing() and git_hooks_plan() runs the `git` program, so it refuses a project that isn't allowed
 * (security rule 20).
 */
#ifndef DEVENV_ENV_GIT_HOOKS_H
#define DEVENV_ENV_GIT_HOOKS_H

#include "env/draft.h"
#include "env/env.h"

/* Inside: a script for each key of [git-hooks]. hooks/hook.sh knows it too. */
#define GIT_HOOKS_INSIDE "/run/devenv/git-hooks"

/* The hooks that are always installed, in the order they are shown; ends in NULL. */
extern const char *const git_hooks_ours[];
/* Every hook git knows; ends in NULL. */
extern const char *const git_hooks_all[];

struct git_hooks {
	char *top;     /* of the work tree */
	char *common;  /* git directory that its worktrees share */
	char *hooks;   /* <common>/hooks */
	char *own;     /* <hooks>/devenv.d: what was there, and how to find back */
	char *project; /* below top; "." for top itself */
	char *path;    /* core.hooksPath as git understands it, when it isn't `hooks`; NULL */
	char *scope;   /* where that is set: "local", "global", "system"; NULL with path */
};

/* ERR_NOT_ALLOWED; ERR_NOT_FOUND: no git repository; ERR_UNSUPPORTED: core.hooksPath of one worktree or one command. */
int git_hooks_open(const struct environment *env, struct git_hooks *out, struct err *e);
void git_hooks_release(struct git_hooks *g);

/* Install `script`, or bring it up to date. `notes` gets lines for the person. Repeatable. */
int git_hooks_install(const struct git_hooks *g, const struct buf *script, struct strlist *notes,
                      struct err *e);
/* Put back what was there. 0: nothing of ours was; 1: done, or only this project taken off the list of several. */
int git_hooks_uninstall(const struct git_hooks *g, struct strlist *notes, struct err *e);

/* Is this project on the list of the repository's hooks? */
bool git_hooks_has_project(const struct git_hooks *g);
enum git_hook_state { GIT_HOOK_NONE, GIT_HOOK_OURS, GIT_HOOK_OLD, GIT_HOOK_FOREIGN };
/* What lies in `hooks` under this name; GIT_HOOK_OLD: ours, but not `script`. */
enum git_hook_state git_hooks_state(const struct git_hooks *g, const char *name, const struct buf *script);
/* The hook that ours runs first: path, malloc'ed, or NULL. */
char *git_hooks_before(const struct git_hooks *g, const char *name);

/* From the files alone, without git: is the project in a repository whose hooks lack it? */
bool git_hooks_are_missing(const struct environment *env);

/* The scripts of [git-hooks], for sessions that run git inside. */
int git_hooks_plan(struct draft *d, struct err *e);

#endif
