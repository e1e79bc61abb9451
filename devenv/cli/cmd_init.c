/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_init.c - `devenv init`: a first devenv.ini, commented, for the directory one is in.
 *
 * Its text is made from the files that are there (detect.h), is a template (template.h), or is copied from another
 * project (--from). It is written with O_EXCL: what exists is never overwritten. What was made here counts as allowed;
 * what somebody else wrote, copied by --from, is asked about by the first enter like any.
 */
#include <jansson.h>

#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/text.h"
#include "cli/detect.h"
#include "cli/option_ids.h"
#include "cli/template.h"
#include "config/extends.h"
#include "fetch/gitrepo.h"
#include "source/debian_archive.h"

#define CONFIG_MAX (1 << 20)

struct draft {
	struct buf text;
	char *because;  /* marker, template or path; NULL: a plain directory */
	char *title;    /* for the line that says what was written */
	const char *kind; /* id of the rule; NULL */
	bool own;
};

static void draft_release(struct draft *d)
{
	buf_release(&d->text);
	free(d->because);
	free(d->title);
}

/* Does this machine know a mirror of Debian, and how to check what comes from there? */
static bool has_mirror(struct cli *c, const char *release)
{
	cleanup_strlist struct strlist components = STRLIST_INIT;
	struct debian_archive archive;
	struct environment env;
	struct err ignored = ERR_INIT;
	bool has;

	if (cli_open_user(c, &env, &ignored) < 0)
		return false;
	strlist_add(&components, "main");
	has = debian_archive_of_release(&env.user, release, &components, &archive, &ignored) == 0;
	if (has)
		debian_archive_release(&archive);
	env_release(&env);
	return has;
}

static int draft_detect(struct cli *c, const char *dir, struct draft *d, struct err *e)
{
	cleanup_close int fd = file_open_dir(AT_FDCWD, dir, e);
	struct detected found;

	if (fd < 0)
		return -1;
	detect_directory(fd, has_mirror(c, DETECT_RELEASE) ? DETECT_RELEASE : NULL, &found);
	detect_config(&found, &d->text);
	d->own = true;
	d->kind = found.rule->id;
	if (found.rule->marker) {
		d->because = mem_strdup(found.rule->marker);
		d->title = mem_printf("%s%s%s%s (%s is here%s%s%s%s)", found.rule->language->name,
		                      *found.version && found.written ? " " : "",
		                      found.written ? found.version : "", found.settings ? " and Django" : "",
		                      found.rule->marker, found.written ? ", " : "",
		                      found.written ? found.version_file : "", found.written ? " says " : "",
		                      found.written ? found.written : "");
	}
	detect_release(&found);
	return 0;
}

static int draft_template(const char *name, struct draft *d, struct err *e)
{
	struct template_file t;

	if (template_load(name, &t, e) < 0)
		return -1;
	buf_adds(&d->text, t.text);
	d->own = true;
	d->because = mem_strdup(name);
	d->title = mem_printf("the template '%s'", name);
	template_release(&t);
	return 0;
}

static bool is_git(const char *from)
{
	return text_starts(from, "git+") || strstr(from, "://") || strchr(from, '#') || text_starts(from, "git@");
}

/* One file of one commit: the clone it comes from is kept where those of [devenv] extends are. */
static int read_git(const struct cli *c, const char *from, struct buf *text, struct err *e)
{
	struct dirs dirs;
	struct extends_git git;
	cleanup_free char *cache = NULL;
	char commit[GITREPO_COMMIT];
	int result;

	if (!extends_is_git(from)) {
		err_set(e, ERR_USAGE, "can't use '%s': the URL of a file in a git repository begins with git+", text_safe(from));
		return err_hint(e, "git+https://HOST/REPOSITORY#REF:PATH, or git+ssh://..., or git+file:///...");
	}
	if (extends_parse_git(from, &git, e) < 0)
		return -1;
	result = dirs_find(&dirs, e);
	if (result == 0) {
		struct gitrepo g = { .offline = c->offline, .interactive = isatty(0) };

		cache = path_join(dirs.cache, "git");
		g.cache = cache;
		result = gitrepo_resolve(&g, git.url, git.ref, commit, e);
		if (result == 0)
			result = gitrepo_read(&g, git.url, git.ref, commit, git.path, CONFIG_MAX, text, e);
		dirs_release(&dirs);
	}
	extends_git_release(&git);
	return result;
}

static int draft_from_git(const struct cli *c, const char *from, struct draft *d, struct err *e)
{
	struct config config;

	if (read_git(c, from, &d->text, e) < 0)
		return -1;
	if (config_parse(from, d->text.data, d->text.len, &config, e) < 0)
		return -1;
	config_release(&config);
	d->because = mem_strdup(text_safe(from));
	d->title = mem_printf("a copy of %s", text_safe(from));
	return 0;
}

static int draft_from(const struct cli *c, const char *from, struct draft *d, struct err *e)
{
	cleanup_free char *path = NULL;
	struct stat st;
	struct config config;

	if (is_git(from))
		return draft_from_git(c, from, d, e);
	if (stat(from, &st) < 0)
		return err_sys(e, "can't use '%s'", text_safe(from));
	path = S_ISDIR(st.st_mode) ? path_join(from, PROJECT_CONFIG) : mem_strdup(from);
	if (file_read(AT_FDCWD, path, CONFIG_MAX, 0, &d->text, NULL, e) < 0)
		return err_wrap(e, "can't start from '%s'", text_safe(from));
	/* what does not work there would not work here */
	if (config_parse(path, d->text.data, d->text.len, &config, e) < 0)
		return -1;
	config_release(&config);
	d->because = mem_strdup(path);
	d->title = mem_printf("a copy of %s", text_safe(path));
	return 0;
}

static int write_config(const char *path, const struct buf *text, struct err *e)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0 && errno == EEXIST) {
		err_set_(e, ERR_CONFIG, "%s exists already; init never overwrites", text_safe(path));
		return err_hint(e, "edit it, or remove it first");
	}
	if (fd < 0)
		return err_sys(e, "can't write %s", text_safe(path));
	if (file_write_all(fd, text->data, text->len, e) < 0) {
		unlink(path);
		return err_wrap(e, "can't write %s", text_safe(path));
	}
	return 0;
}

/* What you made yourself counts as allowed. Nothing is lost when this fails: the first enter asks then. */
static void allow_own(struct cli *c, const char *dir)
{
	struct environment env;
	struct env_powers asked = { 0 };
	struct err e = ERR_INIT;

	if (env_open(&env, dir, &e) < 0) {
		output_warning(c, "%s", e.msg);
		return;
	}
	if (env_powers(&env, &asked, &e) < 0 || env_allow(&env, &asked, &e) < 0)
		output_warning(c, "can't allow it yet: %s", e.msg);
	env_powers_release(&asked);
	env_release(&env);
}

static json_t *image_of(const struct buf *text)
{
	struct config config;
	struct err ignored = ERR_INIT;
	json_t *image;

	if (config_parse(PROJECT_CONFIG, text->data, text->len, &config, &ignored) < 0)
		return json_null();
	image = config.base == CONFIG_BASE_IMAGE ? output_json_text(config.base_value) : json_null();
	config_release(&config);
	return image;
}

static int say_result(struct cli *c, const char *path, const struct draft *d, struct err *e)
{
	if (c->json)
		return output_json(c,
		                   json_pack("{s:o,s:o,s:o,s:o}", "file", output_json_text(path), "image",
		                             image_of(&d->text), "kind", output_json_text(d->kind), "because",
		                             output_json_text(d->because)),
		                   e);
	if (d->title)
		output_notice(c, "wrote %s: %s", text_safe(path), d->title);
	else
		output_notice(c, "wrote %s", text_safe(path));
	if (!c->quiet)
		fprintf(stderr, "\n  %snext:%s devenv enter\n", output_begin(c, stderr, STYLE_CYAN),
		        output_end(c, stderr));
	return 0;
}

static int make_draft(struct cli *c, const char *dir, struct draft *d, struct err *e)
{
	const char *from = cli_value(c, OPTION_FROM);

	if (from && c->operand_count > 0)
		return err_set(e, ERR_USAGE, "a template or --from, not both");
	if (from)
		return draft_from(c, from, d, e);
	if (c->operand_count > 0)
		return draft_template(c->operands[0], d, e);
	return draft_detect(c, dir, d, e);
}

int cmd_init(struct cli *c, struct err *e)
{
	cleanup_free char *dir = realpath(c->directory ? c->directory : ".", NULL);
	cleanup_free char *path = NULL;
	struct draft d = { .text = BUF_INIT };
	int result;

	if (!dir)
		return err_sys(e, "can't use directory '%s'", text_safe(c->directory ? c->directory : "."));
	path = path_join(dir, PROJECT_CONFIG);
	result = make_draft(c, dir, &d, e);
	if (result == 0 && c->dry_run) {
		fwrite(d.text.data, 1, d.text.len, stdout);
	} else if (result == 0) {
		result = write_config(path, &d.text, e);
		if (result == 0 && d.own)
			allow_own(c, dir);
		if (result == 0)
			result = say_result(c, path, &d, e);
	}
	draft_release(&d);
	return result;
}
