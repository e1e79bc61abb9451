/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.h - what the environments of this machine use, for gc. Beside each plan lie two small files:
 *
 *   project   the project's path, a newline (absent for `run --image`)
 *   used      one line "PLAN-ID MANIFEST-DIGEST SKELETON SKELETON" for the plan that was made last, and one for the other of
 *             plan and plan-untrusted and for each older plan whose holder runs
 */
#ifndef DEVENV_ENV_LIVE_H
#define DEVENV_ENV_LIVE_H

#include "env/env.h"

/* Write the first file: what is fetched and made for the project stays from then on, though there is no plan yet. */
int live_record_project(const struct environment *env, struct err *e);
/* Write both files for the plan that is about to be written. `skeletons`: the topmost first, a space between. */
int live_record(const struct environment *env, const char *plan_id, const char *digest, const char *skeletons,
		struct err *e);

/* Generated layers that something uses, by name; and state directories whose plan serves nothing any more: its project or
 * image is gone and it does not run, or that never had one. `images_gone` are taken for not stored. The last two lists may be NULL. */
int live_survey(const struct environment *env, const struct store *s, const struct strlist *images_gone,
		struct strlist *skeletons, struct strlist *dead, struct err *e);
/* Names of the clones (fetch/gitrepo.h) of what the locks of living projects extend. */
int live_clones(const struct environment *env, struct strlist *clones, struct err *e);
/* Ids of the plans of this state directory that have sessions: of its present plan and of earlier ones. */
void live_running(const struct dirs *d, const char *state, struct strlist *plans);
/* How many environments of earlier plans of it still run: sessions that were there when the configuration changed.
 * `lingering`: those that have none any more too. *pid receives pid 1 of one of them. */
size_t live_earlier(const struct dirs *d, const char *state, const char *plan_id, bool lingering, pid_t *pid);
/* The layers that a plan of this state directory, present or running, stands on: topmost first. ERR_NOT_FOUND: they are gone. */
int live_layers(const struct environment *env, const char *plan_id, struct strlist *layers, struct err *e);
/* End those of earlier plans that have no session but linger. */
void live_end_lingering(const struct dirs *d, const char *state, const char *plan_id);
/* Is there nothing of value that the directory's record of its project explains: no home, no kept scratch, no volume? */
bool live_is_worthless(const struct store *s, const char *state);
/* The project that a state directory was made for, or NULL (`run --image`). malloc'ed. */
char *live_project(const char *state);

#endif
