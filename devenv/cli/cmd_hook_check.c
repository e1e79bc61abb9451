/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_hook_check.c - `devenv hook-check`, for git hooks: say in one line which files of the project differ from those the
 * environment was prepared from.
 *
 * The launcher answers when no file was touched; here their contents are compared, because git writes files anew that
 * are as they were. Nothing is parsed: what arrived may be broken. Never fails: a hook must not be in the way.
 *
 * A rebase calls two hooks, one where it begins and one where it ends, and only one of them when there is nothing to
 * rewrite. So <state>/hook-told keeps what was said last, and it is not said again within seconds; the launcher removes
 * it when it finds everything as prepared.
 */
#include "cli/cli.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/text.h"
#include "env/inputs.h"
#include "plan/plan.h"

#define TOLD_MAX     (64u << 10)
#define TOLD_SECONDS 10

/* Writes the digest of what is there now; "" for nothing. */
static bool differs(const struct plan_watch *w, char digest[136])
{
	struct stat st;
	int got;

	if (!*w->content && !w->absent)
		return false; /* a directory */
	got = inputs_look(w->path, &st, digest);
	if (got <= 0)
		digest[0] = '\0';
	return w->absent ? got != 0 : got <= 0 || strcmp(digest, w->content) != 0;
}

static bool was_told(const char *state, const struct buf *what)
{
	cleanup_free char *path = path_join(state, "hook-told");
	cleanup_buf struct buf told = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct stat st;
	bool same = file_read(AT_FDCWD, path, TOLD_MAX, O_NOFOLLOW, &told, &st, &ignored) == 0 &&
	            told.len == what->len && memcmp(told.data, what->data, what->len) == 0 &&
	            st.st_mtime + TOLD_SECONDS > time(NULL);

	if (!what->len)
		unlink(path);
	else if (!same)
		file_replace(AT_FDCWD, path, what->data, what->len, 0600, FILE_FAST, &ignored);
	return same;
}

/* `names` of files, and what they are now. */
static void report(struct cli *c, const char *state, const struct strlist *names, const struct buf *what)
{
	cleanup_buf struct buf list = BUF_INIT;

	for (size_t i = 0; i < names->count; i++) {
		buf_adds(&list, i == 0 ? "" : i + 1 < names->count ? ", " : " and ");
		text_escape(&list, names->items[i]);
	}
	if (!was_told(state, what) && names->count)
		output_notice(c, "%s changed since the environment was prepared; `devenv enter` takes it in",
		              list.data);
}

static int look(struct cli *c, const struct dirs *dirs, const char *project)
{
	cleanup_free char *state = dirs_checkout(dirs, project), *path = path_join(state, "plan");
	cleanup_strlist struct strlist names = STRLIST_INIT;
	cleanup_buf struct buf what = BUF_INIT;
	struct err ignored = ERR_INIT;
	char digest[136];
	struct plan plan;

	if (plan_load(&plan, path, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < plan.watch_count; i++) {
		const char *below = path_below(plan.watches[i].path, project);

		if (!below || !*below || strlist_has(&names, below) || !differs(&plan.watches[i], digest))
			continue;
		strlist_add(&names, below);
		buf_addf(&what, "%s %s\n", below, digest);
	}
	strlist_sort(&names);
	report(c, state, &names, &what);
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
