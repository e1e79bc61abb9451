/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_init.c - `devenv init`: a first devenv.ini, commented, for the directory one is in.
 *
 * The image is a guess from the files that are there, and the file says so. It is written with O_EXCL: what exists is
 * never overwritten.
 */
#include <jansson.h>

#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/text.h"
#include "cli/option_ids.h"

/* The first marker that is there decides. Images are the newest stable ones of each language on Debian 12. */
static const struct guess {
	const char *marker, *language, *image;
	const char *path; /* put first on PATH */
} guesses[] = {
	{ "pyproject.toml", "Python", "docker.io/library/python:3.13-slim-bookworm", ".venv/bin" },
	{ "requirements.txt", "Python", "docker.io/library/python:3.13-slim-bookworm", ".venv/bin" },
	{ "setup.py", "Python", "docker.io/library/python:3.13-slim-bookworm", ".venv/bin" },
	{ "package.json", "Node.js", "docker.io/library/node:22-bookworm-slim", "node_modules/.bin" },
	{ "go.mod", "Go", "docker.io/library/golang:1.24-bookworm", NULL },
	{ "Cargo.toml", "Rust", "docker.io/library/rust:1-bookworm", NULL },
	{ "Gemfile", "Ruby", "docker.io/library/ruby:3.4-slim-bookworm", NULL },
	{ "composer.json", "PHP", "docker.io/library/php:8.4-cli-bookworm", "vendor/bin" },
	{ "pom.xml", "Java", "docker.io/library/maven:3-eclipse-temurin-21", NULL },
	{ "CMakeLists.txt", "C and C++", "docker.io/library/gcc:14-bookworm", NULL },
	{ "Makefile", "make", "docker.io/library/gcc:14-bookworm", NULL },
};
static const struct guess fallback = { NULL, NULL, "docker.io/library/debian:bookworm", NULL };

static const struct guess *choose(const char *dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(guesses); i++) {
		cleanup_free char *path = path_join(dir, guesses[i].marker);

		if (file_exists(AT_FDCWD, path))
			return &guesses[i];
	}
	return &fallback;
}

static void compose(struct buf *b, const struct guess *g)
{
	buf_adds(b, "; The development environment of this project. Commit this file and devenv.lock.\n"
	            "; `devenv enter` gives a shell in it; `devenv help devenv.ini` lists every key.\n"
	            "\n"
	            "[base]\n");
	if (g->marker)
		buf_addf(b, "; %s, because of %s. `devenv lock` pins the tag to a digest.\n", g->language,
		         g->marker);
	else
		buf_adds(b, "; Any image of an OCI registry. `devenv lock` pins the tag to a digest.\n");
	buf_addf(b, "image = %s\n", g->image);
	buf_adds(b, "\n");
	if (g->path)
		buf_addf(
			b,
			"[workspace]\n; put first on PATH\npath = %s\n; the shell of `devenv enter`\n;shell = bash\n",
			g->path);
	else
		buf_adds(
			b,
			";[workspace]\n; put first on PATH\n;path = bin\n; the shell of `devenv enter`\n;shell = bash\n");
	buf_adds(
		b,
		"\n"
		";[env]\n"
		";NAME = value\n"
		"\n"
		"; a directory that outlives the environment, kept outside the project\n"
		";[volume.cache]\n"
		";target = ~/.cache\n"
		"\n"
		";[sandbox]\n"
		"; auto (the network of this machine), host (the same, said out loud) or none (only loopback)\n"
		";network = auto\n"
		"; yes: keep what is written outside project, home and volumes\n"
		";persist = no\n");
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

static int say_result(struct cli *c, const char *path, const struct guess *g, struct err *e)
{
	if (c->json)
		return output_json(c,
		                   json_pack("{s:o,s:s,s:o}", "file", output_json_text(path), "image",
		                             g->image, "because", output_json_text(g->marker)),
		                   e);
	if (g->marker)
		output_notice(c, "wrote %s for %s (%s is here)", text_safe(path), g->language, g->marker);
	else
		output_notice(c, "wrote %s", text_safe(path));
	if (!c->quiet)
		fprintf(stderr, "\n  %snext:%s devenv enter\n", output_begin(c, stderr, STYLE_CYAN),
		        output_end(c, stderr));
	return 0;
}

int cmd_init(struct cli *c, struct err *e)
{
	cleanup_free char *dir = realpath(c->directory ? c->directory : ".", NULL);
	cleanup_free char *path = NULL;
	cleanup_buf struct buf text = BUF_INIT;
	const struct guess *g;

	if (c->operand_count > 0) {
		err_set_(e, ERR_UNSUPPORTED, "templates are not supported yet: '%s'",
		         text_safe(c->operands[0]));
		return err_hint(e, "`devenv init` alone looks at the files that are there");
	}
	if (cli_has(c, OPTION_FROM))
		return err_set(e, ERR_UNSUPPORTED, "devenv init --from is not supported yet");
	if (!dir)
		return err_sys(e, "can't use directory '%s'", text_safe(c->directory ? c->directory : "."));
	path = path_join(dir, PROJECT_CONFIG);
	g = choose(dir);
	compose(&text, g);
	if (c->dry_run) {
		fwrite(text.data, 1, text.len, stdout);
		return 0;
	}
	if (write_config(path, &text, e) < 0)
		return -1;
	allow_own(c, dir);
	return say_result(c, path, g, e);
}
