/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_clone.c - `devenv clone URL [DIR]`: a newcomer's first command: clone, show what is asked for, allow, enter.
 *
 * Nothing of the repository is run before the answer: git's part is libgit2's, which knows no hooks and no filters that are
 * programs.
 */
#include <jansson.h>

#include "cli/cli.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/text.h"
#include "config/extends.h"
#include "fetch/gitrepo.h"

struct clone {
	char *url, *ref; /* ref may be NULL */
	char *dir;       /* absolute */
	bool has_project, allowed;
};

static void clone_release(struct clone *k)
{
	free(k->url);
	free(k->ref);
	free(k->dir);
}

/* "user@host:path", as git and scp write it: a colon before any slash. */
static bool is_scp(const char *word)
{
	size_t n = strcspn(word, ":/");

	return n > 0 && word[n] == ':' && word[n + 1] && word[0] != '-';
}

/* "scheme://user:password@host": not to be shown to whoever looks over a shoulder, or reads a log. */
static bool has_password(const char *url)
{
	const char *user = strstr(url, "://") + 3, *at = strpbrk(user, "@/");

	return at && *at == '@' && memchr(user, ':', (size_t)(at - user));
}

/* What was typed, as libgit2 takes it: an address with or without "git+", user@host:path, or a directory here. */
static int read_url(struct cli *c, const char *word, struct clone *k, struct err *e)
{
	cleanup_free char *prefixed = NULL, *joined = NULL;
	struct extends_git g;

	if (!strstr(word, "://")) {
		if (is_scp(word)) {
			k->url = mem_strdup(word);
			return 0;
		}
		joined = path_join(c->directory ? c->directory : ".", word);
		k->url = realpath(joined, NULL);
		return k->url ? 0 : err_sys(e, "can't clone '%s'", text_safe(word));
	}
	prefixed = extends_is_git(word) ? mem_strdup(word) : mem_printf("git+%s", word);
	if (strchr(prefixed, '#') && strchr(strchr(prefixed, '#'), ':'))
		return err_set(e, ERR_USAGE, "'%s' names a file; a repository is cloned as a whole",
		               text_safe(word));
	if (extends_parse_git(prefixed, &g, e) < 0) {
		e->code = ERR_USAGE;
		if (!has_password(word))
			err_wrap_(e, "can't clone '%s'", text_safe(word));
		return err_hint(e, "an address with https://, ssh:// or file:///, user@host:path, or a directory");
	}
	k->url = mem_steal(g.url);
	k->ref = mem_steal(g.ref);
	extends_git_release(&g);
	return 0;
}

/* What git would call the directory. */
static char *default_name(const char *url)
{
	cleanup_free char *clean = mem_strdup(url);
	const char *name;
	size_t n;

	while ((n = strlen(clean)) > 1 && clean[n - 1] == '/')
		clean[n - 1] = '\0';
	if (n > 5 && text_ends(clean, "/.git"))
		clean[n - 5] = '\0';
	name = clean + strlen(clean);
	while (name > clean && name[-1] != '/' && name[-1] != ':')
		name--;
	n = strlen(name);
	return mem_strndup(name, n > 4 && text_ends(name, ".git") ? n - 4 : n);
}

static bool is_empty(const char *path)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	return file_names(AT_FDCWD, path, true, &names, &ignored) == 0 && !names.count;
}

static int choose_dir(struct cli *c, struct clone *k, struct err *e)
{
	cleanup_free char *name = c->operands[1] ? mem_strdup(c->operands[1]) : default_name(k->url);
	cleanup_free char *base = realpath(c->directory ? c->directory : ".", NULL);
	cleanup_free char *joined = NULL;

	if (!base)
		return err_sys(e, "can't use directory '%s'", text_safe(c->directory ? c->directory : "."));
	if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) {
		err_set(e, ERR_USAGE, "the address names no directory to clone into");
		return err_hint(e, "name one after the address");
	}
	joined = path_join(base, name);
	k->dir = path_clean(joined);
	if (file_exists(AT_FDCWD, k->dir) && !is_empty(k->dir)) {
		err_set(e, ERR_FAILED, "can't clone into %s: it is there and not an empty directory",
		        text_safe(k->dir));
		return err_hint(e, "name another directory after the address");
	}
	return 0;
}

static int fetch(struct cli *c, const struct clone *k, struct err *e)
{
	struct gitrepo g = { .offline = c->offline,
		             .interactive = c->ui.interactive,
		             .progress = c->ui.git_progress,
		             .data = c->ui.progress.data };
	int r;

	output_notice(c, "cloning %s into %s", text_safe(k->url), text_safe(k->dir));
	r = gitrepo_clone(&g, k->url, k->ref, k->dir, e);
	progress_clear(c->progress);
	return r;
}

/* There is nobody to ask: say what would be asked. */
static int list_powers(struct cli *c, const struct environment *env, bool *none, struct err *e)
{
	struct env_powers asked, missing;
	bool known;
	int r;

	if (env_powers(env, &asked, e) < 0)
		return -1;
	r = env_powers_missing(env, &asked, &missing, &known, e);
	if (r == 0)
		*none = missing.count == 0;
	if (r == 0 && missing.count)
		output_notice(c, "%s asks for:", text_safe(env->project));
	for (size_t i = 0; r == 0 && i < missing.count; i++)
		output_notice(c, "  %s", missing.items[i].text);
	env_powers_release(&missing);
	env_powers_release(&asked);
	return r;
}

static int allow(struct cli *c, struct clone *k, struct err *e)
{
	struct environment env;
	int r;

	if (env_open(&env, k->dir, e) < 0)
		return -1;
	if (!c->yes && !c->ui.interactive) {
		r = list_powers(c, &env, &k->allowed, e);
	} else {
		r = env_extend(&env, &c->options, e);
		if (r == 0)
			r = env_require_allowed(&env, &c->options, e);
		k->allowed = r == 0;
		if (r < 0 && e->code == ERR_NOT_ALLOWED)
			err_hint_(e, "the clone is in %s; nothing of it was run", text_safe(k->dir));
	}
	env_release(&env);
	return r;
}

static void mention_submodules(struct cli *c, const struct clone *k)
{
	cleanup_free char *path = path_join(k->dir, ".gitmodules");

	if (file_exists(AT_FDCWD, path))
		output_notice(c,
		              "it has submodules, which are not cloned: `git submodule update --init` there");
}

static int enter(struct cli *c, const struct clone *k, struct err *e)
{
	char *argv[] = { (char *)"devenv", (char *)"-C", k->dir, (char *)"enter", NULL };

	c->argv = argv;
	fflush(stdout);
	return cmd_enter(c, e);
}

static int finish(struct cli *c, const struct clone *k, struct err *e)
{
	if (c->json)
		return output_json(c,
		                   json_pack("{s:o,s:b,s:b}", "directory", output_json_text(k->dir),
		                             "project", k->has_project, "allowed", k->allowed),
		                   e);
	if (!k->has_project) {
		output_notice(c, "there is no %s in it: `devenv init` there writes one", PROJECT_CONFIG);
		return 0;
	}
	if (k->allowed && c->ui.interactive && c->stdout_tty)
		return enter(c, k, e);
	output_notice(c, "next: cd %s && devenv enter",
	              text_safe(c->operands[1] ? c->operands[1] : path_base(k->dir)));
	return 0;
}

int cmd_clone(struct cli *c, struct err *e)
{
	cleanup_free char *config = NULL;
	struct clone k = { 0 };
	int result = -1;

	if (read_url(c, c->operands[0], &k, e) == 0 && choose_dir(c, &k, e) == 0 && fetch(c, &k, e) == 0) {
		config = path_join(k.dir, PROJECT_CONFIG);
		k.has_project = file_exists(AT_FDCWD, config);
		mention_submodules(c, &k);
		result = k.has_project ? allow(c, &k, e) : 0;
	}
	if (result == 0)
		result = finish(c, &k, e);
	clone_release(&k);
	return result;
}
