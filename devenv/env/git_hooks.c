/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_hooks.c - installing devenv's git hooks, and putting back what was there.
 *
 * Theory of operation
 *
 *   All hooks are one script (hooks/hook.sh), copied to <common>/hooks/NAME. What had the name before is renamed to
 *   devenv.d/NAME, so its bytes, mode and owner stay; links to its neighbours lie beside it, because hooks look for
 *   them there. Where core.hooksPath was set, git looks elsewhere: the directory it named is written down in
 *   devenv.d/hooks-path for the script, hooks of that directory that we don't have get the script too (it only passes
 *   them on), and core.hooksPath of the repository is set to <common>/hooks. The configuration's bytes before and a
 *   digest of those after are kept: while nobody edits it, uninstall writes back the very bytes.
 *
 *   devenv.d/projects lists the projects of the work tree that use the hooks, one a line.
 */
#include "env/git_hooks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/git_hooks_internal.h"

#define CONFIG_MAX (1u << 20)

/* Files of devenv.d beside hooks and links. */
#define PROJECTS      "projects"
#define HOOKS_PATH    "hooks-path"    /* what core.hooksPath was */
#define CONFIG_BEFORE "config-before" /* bytes of <common>/config */
#define CONFIG_AFTER  "config-after"  /* digest of it as we left it */
#define CONFIG_VALUE                                                                                         \
	"config-value" /* core.hooksPath of the repository itself as it was written; absent: not set there */
#define MADE_HOOKS "made-hooks" /* <common>/hooks is ours too */

static int write_own(const struct git_hooks *g, const char *name, const void *data, size_t len, struct err *e)
{
	cleanup_free char *path = path_join(g->own, name);

	return file_replace(AT_FDCWD, path, data, len, 0600, FILE_FAST, e);
}

static int write_line(const struct git_hooks *g, const char *name, const char *line, struct err *e)
{
	cleanup_free char *text = mem_printf("%s\n", line);

	return write_own(g, name, text, strlen(text), e);
}

static bool has_own(const struct git_hooks *g, const char *name)
{
	cleanup_free char *path = path_join(g->own, name);
	struct stat st;

	return lstat(path, &st) == 0;
}

/* ---- core.hooksPath ---- */

static char *config_path(const struct git_hooks *g)
{
	cleanup_free char *path = path_join(g->common, "config");

	return realpath(path, NULL);
}

/* The configuration of the repository as it is now; *mode is its permissions. */
static int read_config(const struct git_hooks *g, struct buf *text, mode_t *mode, struct err *e)
{
	cleanup_free char *path = config_path(g);
	struct stat st;

	if (!path)
		return err_sys(e, "can't find %s/config", text_safe(g->common));
	if (file_read(AT_FDCWD, path, CONFIG_MAX, 0, text, &st, e) < 0)
		return -1;
	*mode = st.st_mode & 07777;
	return 0;
}

static int set_path(const struct git_hooks *g, const char *value, struct err *e)
{
	const char *const set[] = { "config", "--local", "--replace-all", "core.hooksPath", value, NULL };
	const char *const unset[] = { "config", "--local", "--unset-all", "core.hooksPath", NULL };
	cleanup_buf struct buf output = BUF_INIT;
	int status = git_hooks_git(g->top, value ? set : unset, &output, e);

	if (status < 0)
		return -1;
	return status ? err_set(e, ERR_FAILED, "git can't change core.hooksPath of %s", text_safe(g->common))
	              : 0;
}

/* What the repository's own configuration says, as it is written. 0: it does; 1: it doesn't. */
static int get_value(const struct git_hooks *g, struct buf *value, struct err *e)
{
	static const char *const get[] = { "config", "--local", "--get", "core.hooksPath", NULL };

	return git_hooks_git(g->top, get, value, e);
}

static int keep_value(const struct git_hooks *g, struct err *e)
{
	cleanup_free char *path = path_join(g->own, CONFIG_VALUE);
	cleanup_buf struct buf value = BUF_INIT;
	int status = get_value(g, &value, e);

	if (status < 0)
		return -1;
	if (status == 0)
		return write_own(g, CONFIG_VALUE, value.data, value.len, e);
	return unlink(path) < 0 && errno != ENOENT ? err_sys(e, "can't remove %s", text_safe(path)) : 0;
}

static bool is_as_we_left_it(const struct git_hooks *g, const struct buf *now)
{
	cleanup_buf struct buf kept = BUF_INIT;
	char digest[DIGEST_MAX];

	digest_bytes(now->data, now->len, digest);
	return git_hooks_read(g->own, CONFIG_AFTER, &kept) && kept.len == strlen(digest) + 1 &&
	       memcmp(kept.data, digest, strlen(digest)) == 0;
}

static int keep_path(const struct git_hooks *g, const struct buf *config, struct err *e)
{
	if (keep_value(g, e) < 0 || write_own(g, CONFIG_BEFORE, config->data, config->len, e) < 0)
		return -1;
	return write_line(g, HOOKS_PATH, g->path, e);
}

static int take_over_path(const struct git_hooks *g, struct err *e)
{
	cleanup_buf struct buf before = BUF_INIT, after = BUF_INIT;
	char digest[DIGEST_MAX];
	mode_t mode;

	if (read_config(g, &before, &mode, e) < 0)
		return -1;
	/* untouched since we set it, and yet not right: the repository was moved, and what was there is kept already */
	if (!is_as_we_left_it(g, &before) && keep_path(g, &before, e) < 0)
		return -1;
	if (set_path(g, g->hooks, e) < 0 || read_config(g, &after, &mode, e) < 0)
		return -1;
	digest_bytes(after.data, after.len, digest);
	return write_line(g, CONFIG_AFTER, digest, e);
}

static int give_back_path(const struct git_hooks *g, struct strlist *notes, struct err *e)
{
	cleanup_buf struct buf now = BUF_INIT, before = BUF_INIT, value = BUF_INIT, own = BUF_INIT;
	cleanup_free char *path = config_path(g);
	mode_t mode;

	if (!has_own(g, HOOKS_PATH))
		return 0;
	if (read_config(g, &now, &mode, e) < 0)
		return -1;
	if (is_as_we_left_it(g, &now) && git_hooks_read(g->own, CONFIG_BEFORE, &before))
		return file_replace(AT_FDCWD, path, before.data, before.len, mode, FILE_DURABLE, e);
	if (get_value(g, &own, e) < 0)
		return -1;
	if (strcmp(own.data, g->hooks) != 0) {
		strlist_add(notes, "core.hooksPath was changed meanwhile, and stays as it is");
		return 0;
	}
	return set_path(g, git_hooks_read(g->own, CONFIG_VALUE, &value) ? value.data : NULL, e);
}

/* ---- hooks ---- */

/* Links to what lay beside a hook that moved. */
static void link_neighbours(const struct git_hooks *g)
{
	DIR *dir = opendir(g->hooks);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		cleanup_free char *target = mem_printf("../%s", entry->d_name);
		cleanup_free char *link = path_join(g->own, entry->d_name);
		bool is_hook = false;

		for (size_t i = 0; git_hooks_all[i]; i++)
			is_hook = is_hook || strcmp(git_hooks_all[i], entry->d_name) == 0;
		/* a hook that can't be helped by a link is no worse off without it */
		if (!is_hook && entry->d_name[0] != '.' && !text_ends(entry->d_name, ".sample") &&
		    strcmp(entry->d_name, path_base(g->own)) != 0 && symlink(target, link) < 0)
			continue;
	}
	if (dir)
		closedir(dir);
}

static int move(const char *from, const char *to, struct err *e)
{
	return rename(from, to) < 0 ? err_sys(e, "can't rename %s to %s", text_safe(from), text_safe(to)) : 0;
}

/* Somebody put a new hook over ours: it counts, and the one from before us is kept under a name of its own. */
static int set_aside(const struct git_hooks *g, const char *name, struct strlist *notes, struct err *e)
{
	cleanup_free char *kept = path_join(g->own, name);
	cleanup_free char *aside = mem_printf("%s/%s.before-devenv", g->hooks, name);

	if (!has_own(g, name))
		return 0;
	strlist_addf(notes, "%s was replaced meanwhile; the one from before is now %s", name, aside);
	return move(kept, aside, e);
}

static int install_hook(const struct git_hooks *g, const char *name, const struct buf *script,
                        struct strlist *notes, struct err *e)
{
	cleanup_free char *path = path_join(g->hooks, name), *kept = path_join(g->own, name);

	switch (git_hooks_state(g, name, script)) {
	case GIT_HOOK_FOREIGN:
		if (set_aside(g, name, notes, e) < 0 || move(path, kept, e) < 0)
			return -1;
		link_neighbours(g);
		break;
	case GIT_HOOK_OURS:
	case GIT_HOOK_OLD:
	case GIT_HOOK_NONE:
		break;
	}
	return file_replace(AT_FDCWD, path, script->data, script->len, 0755, FILE_FAST, e);
}

static bool is_ours(const char *name)
{
	for (size_t i = 0; git_hooks_ours[i]; i++)
		if (strcmp(git_hooks_ours[i], name) == 0)
			return true;
	return false;
}

static int make_directories(const struct git_hooks *g, struct err *e)
{
	struct stat st;
	bool made = false;

	if (lstat(g->hooks, &st) == 0 && !S_ISDIR(st.st_mode)) {
		err_set(e, ERR_UNSUPPORTED, "%s is not a directory but a %s", text_safe(g->hooks),
		        S_ISLNK(st.st_mode) ? "link" : "file");
		return err_hint(e, "remove it and say `git config core.hooksPath DIR` instead");
	}
	if (mkdir(g->hooks, 0755) == 0)
		made = true;
	else if (errno != EEXIST)
		return err_sys(e, "can't make %s", text_safe(g->hooks));
	if (mkdir(g->own, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "can't make %s", text_safe(g->own));
	return made ? write_line(g, MADE_HOOKS, "yes", e) : 0;
}

static int write_projects(const struct git_hooks *g, bool with_this, bool *left, struct err *e)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;
	cleanup_buf struct buf text = BUF_INIT, out = BUF_INIT;

	if (git_hooks_read(g->own, PROJECTS, &text))
		strlist_split(&lines, text.data, "\n");
	for (size_t i = 0; i < lines.count; i++)
		if (strcmp(lines.items[i], g->project) != 0)
			buf_addf(&out, "%s\n", lines.items[i]);
	*left = out.len > 0;
	if (with_this)
		buf_addf(&out, "%s\n", g->project);
	return write_own(g, PROJECTS, out.data, out.len, e);
}

int git_hooks_install(const struct git_hooks *g, const struct buf *script, struct strlist *notes,
                      struct err *e)
{
	bool others;

	if (make_directories(g, e) < 0 || write_projects(g, true, &others, e) < 0)
		return -1;
	if (g->path && take_over_path(g, e) < 0)
		return -1;
	for (size_t i = 0; git_hooks_all[i]; i++) {
		cleanup_free char *before = NULL;

		if (!is_ours(git_hooks_all[i]) && has_own(g, HOOKS_PATH))
			before = git_hooks_before(g, git_hooks_all[i]);
		if ((before || is_ours(git_hooks_all[i])) &&
		    install_hook(g, git_hooks_all[i], script, notes, e) < 0)
			return -1;
	}
	return 0;
}

static int remove_hook(const struct git_hooks *g, const char *name, struct strlist *notes, struct err *e)
{
	cleanup_free char *path = path_join(g->hooks, name), *kept = path_join(g->own, name);

	switch (git_hooks_state(g, name, NULL)) {
	case GIT_HOOK_FOREIGN:
		return set_aside(g, name, notes, e);
	case GIT_HOOK_OURS:
	case GIT_HOOK_OLD:
		/* one step where something comes back: there is no moment without a hook */
		if (!has_own(g, name))
			return unlink(path) < 0 ? err_sys(e, "can't remove %s", text_safe(path)) : 0;
		break;
	case GIT_HOOK_NONE:
		if (!has_own(g, name))
			return 0;
		break;
	}
	return move(kept, path, e);
}

static bool has_any(const struct git_hooks *g)
{
	for (size_t i = 0; git_hooks_all[i]; i++)
		if (git_hooks_state(g, git_hooks_all[i], NULL) == GIT_HOOK_OURS)
			return true;
	return has_own(g, PROJECTS);
}

int git_hooks_uninstall(const struct git_hooks *g, struct strlist *notes, struct err *e)
{
	bool left = false, made = has_own(g, MADE_HOOKS);

	if (!has_any(g))
		return 0;
	if (has_own(g, PROJECTS) && write_projects(g, false, &left, e) < 0)
		return -1;
	if (left) {
		strlist_add(notes, "the hooks stay for other projects of this repository");
		return 1;
	}
	if (give_back_path(g, notes, e) < 0)
		return -1;
	for (size_t i = 0; git_hooks_all[i]; i++)
		if (remove_hook(g, git_hooks_all[i], notes, e) < 0)
			return -1;
	if (file_remove_tree(AT_FDCWD, g->own, e) < 0)
		return -1;
	if (made && rmdir(g->hooks) < 0 && errno != ENOTEMPTY && errno != EEXIST)
		return err_sys(e, "can't remove %s", text_safe(g->hooks));
	return 1;
}
