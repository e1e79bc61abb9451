/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_git_hooks.c - `devenv git-hooks install|uninstall|status`: the screens around env/git_hooks.c. */
#include <jansson.h>

#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/git_hooks.h"

#define SCRIPT_MAX (64u << 10)

/* hooks/hook.sh: beside the core, or in the tree this was built in. */
static int read_script(struct buf *script, struct err *e)
{
	static const char *const places[] = { "hooks/hook.sh", "../hooks/hook.sh", "../../hooks/hook.sh" };
	cleanup_free char *self = realpath("/proc/self/exe", NULL), *dir = path_parent(self ? self : "/");

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_free char *path = path_join(dir, places[i]);

		if (file_exists(AT_FDCWD, path))
			return file_read(AT_FDCWD, path, SCRIPT_MAX, 0, script, NULL, e);
	}
	err_set(e, ERR_NOT_FOUND, "can't find the script of the hooks: there is no %s/%s", text_safe(dir),
	        places[0]);
	return err_hint(e, "install devenv again");
}

struct hooks {
	struct environment env;
	struct git_hooks git;
	struct buf script;
};

static void hooks_release(struct hooks *h)
{
	git_hooks_release(&h->git);
	env_release(&h->env);
	buf_release(&h->script);
}

static int hooks_open(struct cli *c, struct hooks *h, struct err *e)
{
	*h = (struct hooks){ .script = BUF_INIT };
	if (cli_open(c, &h->env, e) < 0)
		return -1;
	if (read_script(&h->script, e) < 0 || git_hooks_open(&h->env, &h->git, e) < 0) {
		hooks_release(h);
		return -1;
	}
	return 0;
}

static const char *script_of(const struct hooks *h, const char *name)
{
	for (size_t i = 0; i < h->env.config.git_hook_count; i++)
		if (strcmp(h->env.config.git_hooks[i].name, name) == 0)
			return h->env.config.git_hooks[i].value;
	return NULL;
}

static bool is_installed(const struct hooks *h)
{
	if (!git_hooks_has_project(&h->git) || h->git.path)
		return false;
	for (size_t i = 0; git_hooks_ours[i]; i++)
		if (git_hooks_state(&h->git, git_hooks_ours[i], &h->script) != GIT_HOOK_OURS)
			return false;
	return true;
}

static void show_notes(struct cli *c, const struct strlist *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		output_warning(c, "%s", text_safe(notes->items[i]));
}

static json_t *done_json(const struct hooks *h, bool installed, const struct strlist *notes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < notes->count; i++)
		json_array_append_new(list, output_json_text(notes->items[i]));
	return json_pack("{s:o,s:o,s:b,s:o}", "project", output_json_text(h->env.project), "directory",
	                 output_json_text(h->git.hooks), "installed", installed, "notes", list);
}

int cmd_git_hooks_install(struct cli *c, struct err *e)
{
	cleanup_strlist struct strlist notes = STRLIST_INIT;
	struct hooks h;
	int result;

	if (hooks_open(c, &h, e) < 0)
		return -1;
	result = git_hooks_install(&h.git, &h.script, &notes, e);
	if (result == 0 && c->json)
		result = output_json(c, done_json(&h, true, &notes), e);
	else if (result == 0) {
		show_notes(c, &notes);
		output_notice(c, "git hooks installed in %s", text_safe(h.git.hooks));
	}
	hooks_release(&h);
	return result;
}

int cmd_git_hooks_uninstall(struct cli *c, struct err *e)
{
	cleanup_strlist struct strlist notes = STRLIST_INIT;
	struct hooks h;
	int result;

	if (hooks_open(c, &h, e) < 0)
		return -1;
	result = git_hooks_uninstall(&h.git, &notes, e);
	if (result >= 0 && c->json)
		result = output_json(c, done_json(&h, false, &notes), e);
	else if (result >= 0) {
		show_notes(c, &notes);
		output_notice(c,
		              result ? "git hooks removed from %s" : "no hook of devenv is installed in %s",
		              text_safe(h.git.hooks));
		result = 0;
	}
	hooks_release(&h);
	return result;
}

static const char *const state_names[] = { [GIT_HOOK_NONE] = "missing",
	                                   [GIT_HOOK_OURS] = "installed",
	                                   [GIT_HOOK_OLD] = "outdated",
	                                   [GIT_HOOK_FOREIGN] = "replaced" };

static json_t *status_json(const struct hooks *h)
{
	json_t *list = json_array();

	for (size_t i = 0; git_hooks_ours[i]; i++) {
		const char *name = git_hooks_ours[i];
		enum git_hook_state state = git_hooks_state(&h->git, name, &h->script);
		cleanup_free char *before = git_hooks_before(&h->git, name);

		json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:o}", "name", name, "state",
		                                      state_names[state], "script",
		                                      output_json_text(script_of(h, name)), "before",
		                                      output_json_text(before)));
	}
	return json_pack("{s:o,s:o,s:b,s:o,s:o}", "project", output_json_text(h->env.project), "directory",
	                 output_json_text(h->git.hooks), "installed", is_installed(h), "hooks_path",
	                 output_json_text(h->git.path), "hooks", list);
}

/* The first line is enough to recognise a script. */
static void add_what(struct buf *what, const struct hooks *h, const char *name)
{
	const char *script = script_of(h, name);
	bool check = strncmp(name, "post-", strlen("post-")) == 0;
	cleanup_free char *line = script ? mem_strndup(script, strcspn(script, "\n")) : NULL;

	if (check)
		buf_adds(what, "says when the project differs from what is prepared");
	else if (line)
		text_escape(what, line);
	else
		buf_adds(what, "nothing in [git-hooks]");
	if (line && strlen(line) < strlen(script))
		buf_adds(what, " ...");
}

static void print_hook(struct cli *c, const struct hooks *h, const char *name)
{
	enum git_hook_state state = git_hooks_state(&h->git, name, &h->script);
	cleanup_free char *before = git_hooks_before(&h->git, name);
	cleanup_buf struct buf what = BUF_INIT;
	bool good = state == GIT_HOOK_OURS && git_hooks_has_project(&h->git);

	add_what(&what, h, name);
	printf("  %-14s %s%-9s%s %s\n", name, output_begin(c, stdout, good ? STYLE_GREEN : STYLE_YELLOW),
	       state_names[state], output_end(c, stdout), what.data);
	if (before)
		printf("  %-14s %-9s first: %s\n", "", "", text_safe(before));
}

static void print_status(struct cli *c, const struct hooks *h)
{
	printf("%s%s%s\n", output_begin(c, stdout, STYLE_BOLD), text_safe(h->git.hooks),
	       output_end(c, stdout));
	for (size_t i = 0; git_hooks_ours[i]; i++)
		print_hook(c, h, git_hooks_ours[i]);
	if (h->git.path)
		printf("\n  git looks in %s (core.hooksPath, %s)\n", text_safe(h->git.path), h->git.scope);
	if (!is_installed(h))
		printf("\n  %snext:%s devenv git-hooks install\n", output_begin(c, stdout, STYLE_CYAN),
		       output_end(c, stdout));
}

int cmd_git_hooks_status(struct cli *c, struct err *e)
{
	struct hooks h;
	int result = 0;

	if (hooks_open(c, &h, e) < 0)
		return -1;
	if (c->json)
		result = output_json(c, status_json(&h), e);
	else
		print_status(c, &h);
	hooks_release(&h);
	return result;
}
