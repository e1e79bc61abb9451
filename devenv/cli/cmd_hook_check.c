/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_hook_check.c - `devenv hook-check`, for git hooks: say in one line which files of the project differ from those the
 * environment was prepared from.
 *
 * The launcher answers when no file was touched; here their contents are compared, because git writes files anew that
 * are as they were. Nothing is parsed: what arrived may be broken. Never fails: a hook must not be in the way.
 */
#include "cli/cli.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/text.h"
#include "env/inputs.h"
#include "plan/plan.h"

static bool differs(const struct plan_watch *w)
{
	char digest[136];
	struct stat st;
	int got;

	if (!*w->content && !w->absent)
		return false; /* a directory */
	got = inputs_digest(w->path, &st, digest);
	return w->absent ? got != 0 : got <= 0 || strcmp(digest, w->content) != 0;
}

static void report(struct cli *c, const struct strlist *names)
{
	cleanup_buf struct buf list = BUF_INIT;

	for (size_t i = 0; i < names->count; i++) {
		buf_adds(&list, i == 0 ? "" : i + 1 < names->count ? ", " : " and ");
		text_escape(&list, names->items[i]);
	}
	if (names->count)
		output_notice(c, "%s changed since the environment was prepared; `devenv enter` takes it in", list.data);
}

static int look(struct cli *c, const struct dirs *dirs, const char *project)
{
	cleanup_free char *state = dirs_checkout(dirs, project), *path = path_join(state, "plan");
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;
	struct plan plan;

	if (plan_load(&plan, path, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < plan.watch_count; i++) {
		const char *below = path_below(plan.watches[i].path, project);

		if (below && *below && !strlist_has(&names, below) && differs(&plan.watches[i]))
			strlist_add(&names, below);
	}
	report(c, &names);
	plan_release(&plan);
	return 0;
}

int cmd_hook_check(struct cli *c, struct err *e)
{
	cleanup_free char *start = realpath(c->directory ? c->directory : ".", NULL), *project = NULL;
	struct dirs dirs = { 0 };

	if (start && dirs_find(&dirs, e) == 0) {
		if (project_find(start, dirs.home, &project, e) == 0)
			look(c, &dirs, project);
		dirs_release(&dirs);
	}
	*e = ERR_INIT;
	return 0;
}
