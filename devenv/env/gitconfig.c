/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gitconfig.c - the caller's git identity and habits, carried in.
 *
 * A list of what is: names and settings that decide how history looks, and aliases of git commands. Nothing that runs a
 * program (editors, pagers, helpers, filters, aliases with '!') and nothing that could be a secret. It goes to
 * /etc/gitconfig, so that `git config --global` inside, in the environment's own home, still has the last word.
 * safe.directory is "*": inside, everything belongs to the one user there is, even where it shows as nobody's.
 */
#include "env/gitconfig.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/inputs.h"
#include "fetch/git_config.h"
#include "plan/gitkeys.h"

#define SYSTEM_CONFIG "/etc/gitconfig"
#define IGNORE "/etc/devenv/gitignore"
#define IMAGE_CONFIG_MAX (1u << 20)
#define INCLUDES_DEEPEST 10 /* as git has it */

static const char *const carried[] = {
	"user.name",	       "user.email",	   "author.name",      "author.email",	      "committer.name",
	"committer.email",     "init.defaultbranch", "push.default",   "push.autosetupremote", "push.followtags",
	"pull.rebase",	       "pull.ff",	   "fetch.prune",      "rebase.autostash",    "rebase.autosquash",
	"rebase.updaterefs",   "merge.ff",	   "merge.conflictstyle", "diff.algorithm",   "diff.renames",
	"diff.colormoved",     "branch.sort",	   "tag.sort",	       "color.ui",	      "column.ui",
	"core.autocrlf",       "core.eol",	   "core.quotepath",   "help.autocorrect",    "log.date",
};

struct carrying {
	struct strlist names, values; /* one value each, the last; in the order the names first came */
	char *excludes;		      /* core.excludesfile */
};

static bool is_carried(const char *name, const char *value)
{
	if (text_starts(name, "alias."))
		return value[0] != '!' && !strchr(name + strlen("alias."), '.');
	for (size_t i = 0; i < ARRAY_SIZE(carried); i++)
		if (strcmp(name, carried[i]) == 0)
			return true;
	return false;
}

static void take(void *data, const char *name, const char *value)
{
	struct carrying *c = data;

	if (strcmp(name, "core.excludesfile") == 0) {
		free(c->excludes);
		c->excludes = mem_strdup(value);
	}
	if (!is_carried(name, value))
		return;
	for (size_t i = 0; i < c->names.count; i++)
		if (strcmp(c->names.items[i], name) == 0) {
			free(c->values.items[i]);
			c->values.items[i] = mem_strdup(value);
			return;
		}
	strlist_add(&c->names, name);
	strlist_add(&c->values, value);
}

/* git-config(1), "Syntax": these escapes, and nothing else, inside double quotes. */
static void add_setting(struct buf *b, const char *name, const char *value)
{
	const char *dot = strchr(name, '.');

	buf_addf(b, "[%.*s]\n\t%s = \"", (int)(dot - name), name, dot + 1);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_addch(b, '\\');
		if (*value == '\n')
			buf_adds(b, "\\n");
		else
			buf_addch(b, *value);
	}
	buf_adds(b, "\"\n");
}

/* Remembered, so that a change makes another plan; whatever is wrong with it is git's to say. */
static int read_host(struct draft *d, const char *path, struct buf *out)
{
	struct err ignored = ERR_INIT;

	return inputs_read(d->env, &(struct input){ .path = path, .dirfd = AT_FDCWD, .name = path }, ERR_CONFIG, out,
			   &ignored);
}

static int put_ignore(struct draft *d, const struct carrying *c, const char *xdg, struct buf *text, struct err *e)
{
	cleanup_buf struct buf ignore = BUF_INIT;
	cleanup_free char *path = NULL;

	if (!c->excludes)
		path = path_join(xdg, "ignore");
	else if (text_starts(c->excludes, "~/"))
		path = path_join(d->env->dirs.home, c->excludes + 2);
	else
		path = mem_strdup(c->excludes);
	if (!c->excludes && !file_exists(AT_FDCWD, xdg))
		return 0;
	if (path[0] != '/' || read_host(d, path, &ignore) <= 0 || !ignore.len)
		return 0;
	add_setting(text, "core.excludesfile", IGNORE);
	return draft_put_file(d, IGNORE, ignore.data, ignore.len, 0644, e);
}

/* What a file includes is on the freshness list too, whether or not a condition holds today. */
struct including {
	struct draft *d;
	const char *file;
	unsigned int depth;
};

static void remember(struct draft *d, const char *path, unsigned int depth);

static void take_include(void *data, const char *name, const char *value)
{
	const struct including *i = data;
	cleanup_free char *dir = path_parent(i->file);
	cleanup_free char *path = NULL, *clean = NULL;

	if (!*value || (strcmp(name, "include.path") != 0 && !text_starts(name, "includeif.")))
		return;
	path = text_starts(value, "~/") ? path_join(i->d->env->dirs.home, value + 2) : path_join(dir, value);
	clean = path_clean(path);
	remember(i->d, clean, i->depth + 1);
}

static void remember(struct draft *d, const char *path, unsigned int depth)
{
	struct including i = { .d = d, .file = path, .depth = depth };
	cleanup_buf struct buf text = BUF_INIT;

	if (depth > INCLUDES_DEEPEST || inputs_content(d->env, path))
		return;
	if (read_host(d, path, &text) > 0)
		gitkeys_scan(text.data, text.len, take_include, &i);
}

static void read_settings(struct draft *d, struct carrying *c, const char *xdg)
{
	cleanup_free char *first = path_join(xdg, "config"), *second = path_join(d->env->dirs.home, ".gitconfig");
	const char *files[] = { first, second };
	struct err e = ERR_INIT;

	/* Most have no such directory; then it alone is on the freshness list, for what would be in it too. */
	if (file_exists(AT_FDCWD, xdg))
		remember(d, first, 0);
	else
		read_host(d, xdg, NULL);
	remember(d, second, 0);
	if (git_config_read(files, ARRAY_SIZE(files), d->env->project, take, c, &e) < 0)
		strlist_addf(&d->env->warnings, "your git configuration is not carried in: %s", e.msg);
}

int gitconfig_plan(struct draft *d, struct err *e)
{
	const char *config_home = getenv("XDG_CONFIG_HOME");
	cleanup_free char *xdg = config_home && config_home[0] == '/' ? path_join(config_home, "git")
								       : path_join(d->env->dirs.home, ".config/git");
	cleanup_buf struct buf text = BUF_INIT;
	struct carrying c = { 0 };
	int r = root_read(&d->root, SYSTEM_CONFIG, IMAGE_CONFIG_MAX, &text, e);

	if (r >= 0) {
		if (text.len && text.data[text.len - 1] != '\n')
			buf_addch(&text, '\n');
		read_settings(d, &c, xdg);
		add_setting(&text, "safe.directory", "*");
		for (size_t i = 0; i < c.names.count; i++)
			add_setting(&text, c.names.items[i], c.values.items[i]);
		r = put_ignore(d, &c, xdg, &text, e);
	}
	if (r >= 0)
		r = draft_put_file(d, SYSTEM_CONFIG, text.data, text.len, 0644, e);
	strlist_release(&c.names);
	strlist_release(&c.values);
	free(c.excludes);
	return r < 0 ? -1 : 0;
}
