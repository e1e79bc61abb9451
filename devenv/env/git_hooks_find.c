/* SPDX-License-Identifier: Apache-2.0 */
/* git_hooks_find.c - where a project's git hooks are, and what lies there. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/process.h"
#include "base/text.h"
#include "env/clone.h"
#include "env/git_hooks.h"
#include "env/git_hooks_internal.h"
#include "env/trust.h"

#define OUTPUT_MAX (64u << 10)
#define MARKER     "# A git hook installed by devenv;"

const char *const git_hooks_ours[] = { "pre-commit", "commit-msg",   "pre-push", "post-checkout",
	                               "post-merge", "post-rewrite", NULL };
const char *const git_hooks_all[] = { "pre-commit",
	                              "commit-msg",
	                              "pre-push",
	                              "post-checkout",
	                              "post-merge",
	                              "post-rewrite",
	                              "applypatch-msg",
	                              "pre-applypatch",
	                              "post-applypatch",
	                              "pre-merge-commit",
	                              "prepare-commit-msg",
	                              "post-commit",
	                              "pre-rebase",
	                              "pre-receive",
	                              "update",
	                              "proc-receive",
	                              "post-receive",
	                              "post-update",
	                              "reference-transaction",
	                              "push-to-checkout",
	                              "pre-auto-gc",
	                              "sendemail-validate",
	                              "post-index-change",
	                              "p4-changelist",
	                              "p4-prepare-changelist",
	                              "p4-post-changelist",
	                              "p4-pre-submit",
	                              NULL };

int git_hooks_git(const char *top, const char *const words[], struct buf *output, struct err *e)
{
	const char *argv[16] = { "git", "-C", top };
	size_t n = 3;
	int status;

	for (size_t i = 0; words[i] && n < ARRAY_SIZE(argv) - 1; i++)
		argv[n++] = words[i];
	status = process_capture(argv, NULL, OUTPUT_MAX, output, e);
	if (status < 0 && e->code == ERR_NOT_FOUND)
		return err_hint(e, "install git");
	while (output->len && output->data[output->len - 1] == '\n')
		output->data[--output->len] = '\0';
	return status;
}

static int ask(const char *top, const char *what, char **answer, struct err *e)
{
	cleanup_buf struct buf output = BUF_INIT;
	const char *const words[] = { "rev-parse", what, NULL };
	int status = git_hooks_git(top, words, &output, e);

	if (status < 0)
		return -1;
	if (status > 0 || !output.len)
		return err_set(e, ERR_NOT_FOUND, "git does not know %s as a work tree of a repository",
		               text_safe(top));
	*answer = buf_steal(&output);
	return 0;
}

/* A hook of git runs with variables that point at its repository; ours may be another. */
static void forget_caller(void)
{
	static const char *const names[] = { "GIT_DIR",        "GIT_WORK_TREE", "GIT_COMMON_DIR",
		                             "GIT_INDEX_FILE", "GIT_PREFIX",    "GIT_NAMESPACE" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
}

static bool is_in_repository(const char *project)
{
	cleanup_free char *dir = mem_strdup(project);

	for (;;) {
		cleanup_free char *dotgit = path_join(dir, ".git");
		char *up;

		if (file_exists(AT_FDCWD, dotgit))
			return true;
		if (strcmp(dir, "/") == 0)
			return false;
		up = path_parent(dir);
		free(dir);
		dir = up;
	}
}

static bool is_same(const char *top, const char *a, const char *b)
{
	cleanup_free char *joined = path_join(top, a);
	struct stat x, y;

	return stat(joined, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* "local\t.husky": only what is set somewhere that we can leave as it is, or put back. */
static int take_path(struct git_hooks *g, const char *line, struct err *e)
{
	const char *tab = strchr(line, '\t');

	if (!tab)
		return err_set(e, ERR_FAILED, "can't read core.hooksPath from git: '%s'", text_safe(line));
	if (is_same(g->top, tab + 1, g->hooks))
		return 0;
	if (strchr(tab, '\n'))
		return err_set(e, ERR_UNSUPPORTED, "core.hooksPath has a line break in it");
	g->scope = mem_strndup(line, (size_t)(tab - line));
	g->path = mem_strdup(tab + 1);
	if (strcmp(g->scope, "worktree") && strcmp(g->scope, "command"))
		return 0;
	err_set(e, ERR_UNSUPPORTED, "core.hooksPath is set for this %s only, to %s", g->scope,
	        text_safe(g->path));
	return err_hint(e, strcmp(g->scope, "worktree")
	                           ? "unset GIT_CONFIG_COUNT and GIT_CONFIG_PARAMETERS"
	                           : "set it for the whole repository: git config --worktree --unset "
	                             "core.hooksPath, then git config core.hooksPath DIR");
}

static int find_path(struct git_hooks *g, struct err *e)
{
	static const char *const words[] = { "config", "--show-scope",   "--type=path",
		                             "--get",  "core.hooksPath", NULL };
	cleanup_buf struct buf output = BUF_INIT;
	int status = git_hooks_git(g->top, words, &output, e);

	if (status < 0)
		return -1;
	if (status > 1)
		return err_set(e, ERR_FAILED, "git can't read its configuration");
	return status == 1 ? 0 : take_path(g, output.data, e);
}

static int find(const struct environment *env, struct git_hooks *g, struct err *e)
{
	cleanup_free char *common = NULL, *joined = NULL, *real = realpath(env->project, NULL);
	const char *below;

	if (!real || ask(env->project, "--show-toplevel", &g->top, e) < 0 ||
	    ask(g->top, "--git-common-dir", &common, e) < 0)
		return -1;
	joined = path_join(g->top, common);
	g->common = realpath(joined, NULL);
	below = path_below(real, g->top);
	if (!g->common || !below || strchr(below, '\n'))
		return err_set(e, ERR_FAILED, "can't tell where %s is in the work tree %s",
		               text_safe(env->project), text_safe(g->top));
	g->project = mem_strdup(*below ? below : ".");
	g->hooks = path_join(g->common, "hooks");
	g->own = path_join(g->hooks, "devenv.d");
	return find_path(g, e);
}

int git_hooks_open(const struct environment *env, struct git_hooks *out, struct err *e)
{
	struct git_hooks g = { 0 };

	if (trust_check(env, e) < 0)
		return -1;
	if (!is_in_repository(env->project)) {
		err_set(e, ERR_NOT_FOUND, "%s is in no git repository", text_safe(env->project));
		return err_hint(e, "git init");
	}
	forget_caller();
	if (find(env, &g, e) < 0) {
		git_hooks_release(&g);
		return -1;
	}
	*out = g;
	return 0;
}

void git_hooks_release(struct git_hooks *g)
{
	free(g->top);
	free(g->common);
	free(g->hooks);
	free(g->own);
	free(g->project);
	free(g->path);
	free(g->scope);
	*g = (struct git_hooks){ 0 };
}

/* ---- what lies there ---- */

bool git_hooks_read(const char *dir, const char *name, struct buf *out)
{
	cleanup_free char *path = path_join(dir, name);
	struct err ignored = ERR_INIT;

	return file_read(AT_FDCWD, path, 1u << 20, O_NOFOLLOW, out, NULL, &ignored) == 0;
}

enum git_hook_state git_hooks_state(const struct git_hooks *g, const char *name, const struct buf *script)
{
	cleanup_free char *path = path_join(g->hooks, name);
	cleanup_buf struct buf text = BUF_INIT;
	struct stat st;

	if (lstat(path, &st) < 0)
		return GIT_HOOK_NONE;
	if (!git_hooks_read(g->hooks, name, &text) || !strstr(text.data, MARKER))
		return GIT_HOOK_FOREIGN;
	return script && (text.len != script->len || memcmp(text.data, script->data, text.len))
	               ? GIT_HOOK_OLD
	               : GIT_HOOK_OURS;
}

char *git_hooks_before(const struct git_hooks *g, const char *name)
{
	cleanup_buf struct buf path = BUF_INIT;
	cleanup_free char *file = NULL;
	struct stat st;

	if (git_hooks_read(g->own, "hooks-path", &path)) {
		cleanup_free char *line = mem_strndup(path.data, strcspn(path.data, "\n"));
		cleanup_free char *dir = path_join(g->top, line);

		file = path_join(dir, name);
	} else {
		file = path_join(g->own, name);
	}
	return stat(file, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) ? mem_steal(file) : NULL;
}

static bool is_listed(const char *own, const char *project)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;
	cleanup_buf struct buf text = BUF_INIT;

	if (!git_hooks_read(own, "projects", &text))
		return false;
	strlist_split(&lines, text.data, "\n");
	return strlist_has(&lines, project);
}

bool git_hooks_has_project(const struct git_hooks *g)
{
	return is_listed(g->own, g->project);
}

bool git_hooks_are_missing(const struct environment *env)
{
	cleanup_free char *key = clone_key(env->project), *own = NULL;
	char *below;

	if (!text_starts(key, "git:"))
		return false;
	below = strrchr(key, '\n');
	*below++ = '\0';
	own = path_join(key + strlen("git:"), "hooks/devenv.d");
	return !is_listed(own, *below ? below : ".");
}

/* ---- for sessions ---- */

int git_hooks_plan(struct draft *d, struct err *e)
{
	const struct config *c = &d->env->config;

	for (size_t i = 0; i < c->git_hook_count; i++) {
		cleanup_free char *path = path_join(GIT_HOOKS_INSIDE, c->git_hooks[i].name);
		cleanup_free char *text = mem_printf("%s\n", c->git_hooks[i].value);

		if (skeleton_add_file(&d->skeleton, path, text, e) < 0)
			return -1;
	}
	return 0;
}
