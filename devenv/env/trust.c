/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.c - what was granted to a project, and the gate that asks.
 *
 * The record lies at <state>/trust/<sha256 of the clone's identity>. It only ever grows by env_allow (worktrees of one
 * clone may ask for different things and share it) and goes away by env_deny. What was granted to a project before it
 * became a git repository lies under its path, and counts. sha256 and not the quick hash: part of
 * the identity is a path that a repository chooses.
 */
#include "env/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

#define TRUST_MAX (256u << 10)

char *trust_path(const struct environment *env)
{
	return mem_printf("%s/trust/%s", env->dirs.state, env->clone);
}

char *trust_path_of_project(const struct environment *env)
{
	return mem_printf("%s/trust/%s", env->dirs.state, env->clone_path);
}

/* 1: there is a record; 0: none (*out is empty then). */
static int load_one(const char *path, struct trust *out, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;

	*out = (struct trust){ 0 };
	if (file_read(AT_FDCWD, path, TRUST_MAX, O_NOFOLLOW, &text, NULL, e) < 0) {
		if (e->code != ERR_NOT_FOUND)
			return -1;
		*e = ERR_INIT;
		return 0;
	}
	if (trust_parse(path, text.data, text.len, out, e) < 0)
		return err_hint(e, "run `devenv deny` and `devenv allow` to make the record anew");
	return 1;
}

static int load(const struct environment *env, struct trust *out, struct err *e)
{
	cleanup_free char *path = trust_path(env), *earlier = trust_path_of_project(env);
	struct trust before;
	int got = load_one(path, out, e), got_before;

	if (got < 0 || strcmp(path, earlier) == 0)
		return got;
	got_before = load_one(earlier, &before, e);
	if (got_before < 0) {
		trust_release(out);
		return -1;
	}
	for (size_t i = 0; i < before.powers.count; i++)
		if (!strlist_has(&out->powers, before.powers.items[i]))
			strlist_add(&out->powers, before.powers.items[i]);
	trust_release(&before);
	return got || got_before;
}

int env_powers_missing(const struct environment *env, const struct env_powers *asked, struct env_powers *missing,
		       bool *known, struct err *e)
{
	struct trust granted;
	int got = load(env, &granted, e);

	*missing = (struct env_powers){ 0 };
	if (got < 0)
		return -1;
	*known = got > 0;
	for (size_t i = 0; i < asked->count; i++) {
		const struct env_power *p = &asked->items[i];

		if (strlist_has(&granted.powers, p->key))
			continue;
		missing->items = mem_grow(missing->items, missing->count, &missing->cap, sizeof(*missing->items));
		missing->items[missing->count++] = (struct env_power){ mem_strdup(p->key), mem_strdup(p->text) };
	}
	trust_release(&granted);
	return 0;
}

int env_allow(struct environment *env, const struct env_powers *asked, struct err *e)
{
	cleanup_free char *path = trust_path(env);
	cleanup_free char *dir = path_parent(path);
	cleanup_buf struct buf text = BUF_INIT;
	struct trust t;
	int r;

	if (load(env, &t, e) < 0)
		return -1;
	for (size_t i = 0; i < asked->count; i++)
		if (!strlist_has(&t.powers, asked->items[i].key))
			strlist_add(&t.powers, asked->items[i].key);
	strlist_sort(&t.powers);
	trust_format(&t, &text);
	trust_release(&t);
	r = dirs_private(dir, e);
	if (r == 0)
		r = file_replace(AT_FDCWD, path, text.data, text.len, 0600, FILE_DURABLE, e);
	return r < 0 ? err_wrap(e, "what is allowed could not be recorded") : 0;
}

static int unlink_if_there(const char *path, struct err *e)
{
	if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, "can't remove %s", text_safe(path));
	return 0;
}

int env_deny(struct environment *env, struct err *e)
{
	cleanup_free char *record = trust_path(env), *earlier = trust_path_of_project(env);
	cleanup_free char *plan = path_join(env->state, "plan");

	/* The record first: without it even a plan that survives can't be made again. */
	if (unlink_if_there(record, e) < 0 || unlink_if_there(earlier, e) < 0)
		return -1;
	return unlink_if_there(plan, e);
}

static int not_allowed(const struct environment *env, const struct env_powers *missing, bool known, struct err *e)
{
	cleanup_buf struct buf list = BUF_INIT;

	for (size_t i = 0; i < missing->count; i++)
		buf_addf(&list, "%s%s", i ? "; " : ": ", missing->items[i].text);
	if (!missing->count)
		buf_adds(&list, " nothing outside its sandbox");
	err_set(e, ERR_NOT_ALLOWED, "%s %s%s", text_safe(env->project),
		known ? "asks for more than was allowed" : "is not allowed yet; it asks for", list.data);
	return err_hint(e, "look at it and run `devenv allow` there, or add -y");
}

int trust_check(const struct environment *env, struct err *e)
{
	struct env_powers asked, missing = { 0 };
	bool known;
	int r;

	if (env_powers(env, &asked, e) < 0)
		return -1;
	r = env_powers_missing(env, &asked, &missing, &known, e);
	if (r == 0 && (missing.count || !known))
		r = not_allowed(env, &missing, known, e);
	env_powers_release(&asked);
	env_powers_release(&missing);
	return r;
}

int env_require_allowed(struct environment *env, const struct env_options *o, struct err *e)
{
	cleanup_strlist struct strlist texts = STRLIST_INIT;
	struct env_powers asked, missing = { 0 };
	bool known, granted = o->yes, asks = !o->yes && o->ui->interactive && o->ui->ask_powers;
	int r = -1;

	if (env_powers(env, &asked, e) < 0)
		return -1;
	if (env_powers_missing(env, &asked, &missing, &known, e) < 0)
		goto out;
	/* A list with nothing in it is a grant too, and given once: images are fetched and hooks run after it. */
	if (known && missing.count == 0) {
		r = 0;
		goto out;
	}
	for (size_t i = 0; i < missing.count; i++)
		strlist_add(&texts, missing.items[i].text);
	if (asks)
		granted = o->ui->ask_powers(o->ui->data, env->project, &texts, known);
	if (granted)
		r = env_allow(env, &asked, e);
	else if (asks) /* who has just read the list and said no needs no more words */
		r = err_set(e, ERR_NOT_ALLOWED, "not allowed; nothing was started");
	else
		r = not_allowed(env, &missing, known, e);
out:
	env_powers_release(&asked);
	env_powers_release(&missing);
	return r;
}
