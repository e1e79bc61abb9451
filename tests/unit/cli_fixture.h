/* SPDX-License-Identifier: Apache-2.0 */
/* cli_fixture.h - run a command line in a child, with a home of its own below the test's directory. */
#ifndef TESTS_UNIT_CLI_FIXTURE_H
#define TESTS_UNIT_CLI_FIXTURE_H

#include "unit/tempdir.h"

#include <sys/wait.h>

#include "base/buf.h"
#include "cli/cli.h"

struct outcome {
	int status; /* exit status, or 128+N */
	struct buf out, err;
};

static inline void fixture_read(const char *name, struct buf *into)
{
	struct err e = ERR_INIT;

	*into = BUF_INIT;
	assert_int_equal(file_read(tempfd, name, 1 << 24, 0, into, NULL, &e), 0);
}

static inline void fixture_child(int argc, char **argv)
{
	static const char *const clear[] = {
		"CI",
		"NO_COLOR",
		"CLICOLOR_FORCE",
		"DEVENV_STORE",
		"XDG_DATA_HOME",
		"XDG_STATE_HOME",
		"XDG_CACHE_HOME",
		"XDG_CONFIG_HOME",
		"XDG_RUNTIME_DIR",
	};
	char *home = mem_printf("%s/home", tempdir), *project = mem_printf("%s/project", tempdir);
	char *out = mem_printf("%s/stdout", tempdir), *err = mem_printf("%s/stderr", tempdir);

	for (size_t i = 0; i < ARRAY_SIZE(clear); i++)
		unsetenv(clear[i]);
	if (getenv("TEST_CI"))
		setenv("CI", "true", 1);
	setenv("HOME", home, 1);
	if ((mkdir(home, 0700) < 0 && errno != EEXIST) || (mkdir(project, 0755) < 0 && errno != EEXIST) ||
	    chdir(project) < 0 || !freopen(out, "we", stdout) || !freopen(err, "we", stderr) ||
	    !freopen("/dev/null", "re", stdin))
		_exit(99);
	argc = cli_main(argc, argv);
	free(home);
	free(project);
	free(out);
	free(err);
	fflush(NULL);
	_exit(argc);
}

/* `words` are separated by single blanks; the first is the first argument. */
static inline struct outcome fixture_run(const char *words)
{
	struct outcome o = { 0 };
	struct strlist argv = STRLIST_INIT;
	int status;
	pid_t pid;

	strlist_add(&argv, "devenv");
	strlist_split(&argv, words, " ");
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		fixture_child((int)argv.count, argv.items);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	o.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	fixture_read("stdout", &o.out);
	fixture_read("stderr", &o.err);
	strlist_release(&argv);
	return o;
}

static inline void fixture_release(struct outcome *o)
{
	buf_release(&o->out);
	buf_release(&o->err);
}

static inline void fixture_has(const struct buf *b, const char *text)
{
	if (!strstr(b->data, text))
		fail_msg("'%s' is not in:\n%s", text, b->data);
}

static inline void fixture_lacks(const struct buf *b, const char *text)
{
	if (strstr(b->data, text))
		fail_msg("'%s' is in:\n%s", text, b->data);
}

/* A file of the project; parents exist. */
static inline void fixture_project(const char *name, const char *text)
{
	char *path = mem_printf("project/%s", name);

	if (mkdirat(tempfd, "project", 0755) < 0)
		assert_int_equal(errno, EEXIST);
	tempdir_write(path, text);
	free(path);
}

#endif
