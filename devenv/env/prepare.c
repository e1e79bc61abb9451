/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prepare.c - from a stale plan to a fresh one.
 *
 * Most often nothing has really changed: a checkout there and back, a touched file, a plan made within two seconds of
 * its inputs. Then hashing the inputs shows it and the same plan is written again with new stamps. Everything else goes the
 * long way: trust, lock, fetch, plan.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/env.h"
#include "env/inputs.h"
#include "env/live.h"
#include "env/locking.h"
#include "env/moved.h"
#include "env/renewed.h"
#include "plan/plan.h"

/* ---- re-stamping ---- */

static bool same_stamps(const struct plan_watch *w, const struct stat *st)
{
	struct plan_watch now;

	plan_watch_from_stat(&now, w->path, st, 0);
	return w->dev == now.dev && w->ino == now.ino && w->size == now.size && w->mtime_ns == now.mtime_ns &&
	       w->ctime_ns == now.ctime_ns;
}

/* Is what is watched as it was, but for its stamps? Brings the stamps up to date. */
static bool restamp_watch(struct plan_watch *w, int64_t now_ns)
{
	const char *path = w->path, *content = w->content;
	char now[136];
	struct stat st;
	int got;

	if (!*content && !w->absent) {
		/* A directory of the store or the planner itself: never edited in place, so its stamps are all there is. */
		if (stat(path, &st) < 0 || !same_stamps(w, &st))
			return false;
		w->young = w->young && w->ctime_ns > now_ns - 2000000000LL;
		return true;
	}
	got = inputs_look(path, &st, now);
	if (w->absent)
		return got == 0;
	if (got <= 0 || strcmp(now, content) != 0)
		return false;
	plan_watch_from_stat(w, path, &st, now_ns);
	w->content = content;
	return true;
}

static bool mounts_hold(const struct plan *p)
{
	for (size_t i = 0; i < p->mount_count; i++) {
		const struct plan_mount *m = &p->mounts[i];
		struct stat st;

		if (m->ino && (stat(m->host, &st) < 0 || st.st_dev != m->dev || st.st_ino != m->ino))
			return false;
	}
	return true;
}

static bool is_of(const struct plan *p, const struct environment *env)
{
	return strcmp(p->project, env->project) == 0 && strcmp(p->store, env->store_found) == 0 && p->layer_count &&
	       path_is_below(p->layers[0], env->dirs.store);
}

static void say(const struct env_options *o, const char *what, const char *which)
{
	cleanup_free char *line = mem_printf("%s%s", what, which);

	if (o->ui->detail)
		o->ui->detail(o->ui->data, line);
}

/* Why a plan has to be made anew; NULL: it need not, and its stamps are up to date. Points into p. */
static const char *outdated(const struct environment *env, struct plan *p)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (!is_of(p, env))
		return "it is of another project or store";
	if (!mounts_hold(p))
		return "a directory that it mounts is another one now";
	for (size_t i = 0; i < p->watch_count; i++)
		if (!restamp_watch(&p->watches[i], (int64_t)t.tv_sec * 1000000000 + t.tv_nsec))
			return p->watches[i].path;
	return NULL;
}

/* 1: the plan was good and is fresh now; 0: it has to be made anew; -1: failed to write. */
static int restamp(const struct environment *env, const struct env_options *o, struct err *e)
{
	cleanup_free char *path = env_plan_path(env);
	cleanup_buf struct buf all = BUF_INIT;
	struct err ignored = ERR_INIT;
	const char *why;
	struct plan p;
	int r;

	if (plan_load(&p, path, &ignored) < 0) {
		say(o, "making a plan: ", ignored.code == ERR_NOT_FOUND ? "there is none yet" : ignored.msg);
		return 0;
	}
	why = outdated(env, &p);
	if (why)
		say(o, why[0] == '/' ? "making a new plan, because this has changed: " : "making a new plan: ",
		    text_safe(why));
	else
		plan_encode(&p, NULL, &all);
	plan_release(&p);
	if (why)
		return 0;
	say(o, "the plan holds: ", "nothing has changed but time stamps");
	r = file_replace(AT_FDCWD, path, all.data, all.len, 0600, FILE_FAST, e);
	return r < 0 ? err_wrap(e, "the plan") : 1;
}

/* ---- the long way ---- */

static void warn(const struct environment *env, const struct env_options *o)
{
	for (size_t i = 0; o->ui->warning && i < env->warnings.count; i++)
		o->ui->warning(o->ui->data, env->warnings.items[i]);
}

/* A changed configuration is another environment, and who works in the old one is not disturbed: that has to be said. */
static void tell_earlier(const struct environment *env, const struct env_options *o)
{
	cleanup_free char *path = env_plan_path(env), *line = NULL;
	struct err ignored = ERR_INIT;
	struct plan p;
	pid_t pid = 0;
	size_t count;

	if (!o->ui->notice || env->untrusted || plan_load(&p, path, &ignored) < 0)
		return;
	/* With one layer for both it does not start, and the launcher says that. */
	count = p.scratch == PLAN_SCRATCH_PERSIST ? 0 : live_earlier(&env->dirs, env->state, p.id, false, &pid);
	plan_release(&p);
	if (!count)
		return;
	line = mem_printf("the configuration has changed: a new environment starts, and sessions of the earlier one go on in "
			  "theirs (pid 1 is %d)", (int)pid);
	o->ui->notice(o->ui->data, line);
}

int env_prepare(struct environment *env, enum env_purpose purpose, const struct env_options *o, struct err *e)
{
	struct renewed before;
	struct store s;
	int r;

	moved_take_over(env, o->ui);
	r = restamp(env, o, e);
	if (r)
		return r < 0 ? -1 : 0;
	/* Twice: what is extended may have come in between, and ask for more. */
	if (env_require_allowed(env, o, e) < 0 || locking_for_session(env, purpose, o, e) < 0 ||
	    env_require_allowed(env, o, e) < 0 || env_store(env, &s, e) < 0)
		return -1;
	renewed_look(env, &before);
	r = env_fetch(env, &s, o, e);
	if (r == 0)
		r = env_write_plan(env, &s, e);
	store_close(&s);
	if (r == 0) {
		renewed_say(env, &before, o->ui);
		moved_record(env);
		warn(env, o);
		tell_earlier(env, o);
	}
	renewed_release(&before);
	return r;
}
