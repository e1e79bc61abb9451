/* SPDX-License-Identifier: Apache-2.0 */
/* The launcher's own front: the command line of `enter` and `run`, and what it prints when something is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "launcher/arguments.h"
#include "launcher/report.h"

static struct arguments a;
static struct err e;

#define parse(...) parse_words((const char *[]){ "devenv", ##__VA_ARGS__, NULL })

static int parse_words(const char **words)
{
	static const char *kept[32];
	int n = 0;

	arguments_release(&a);
	e = ERR_INIT;
	do
		kept[n] = words[n];
	while (words[n++]);
	return arguments_parse(n - 1, (char **)kept, &a, &e);
}

static void check_words(const char *const *expected)
{
	size_t i;

	for (i = 0; expected[i]; i++)
		assert_string_equal(a.words[i], expected[i]);
	assert_null(a.words[i]);
}
#define words_are(...) check_words((const char *const[]){ __VA_ARGS__, NULL })

static void check_list(const struct strlist *l, const char *const *expected)
{
	size_t i;

	for (i = 0; expected[i]; i++) {
		assert_true(i < l->count);
		assert_string_equal(l->items[i], expected[i]);
	}
	assert_int_equal(l->count, i);
}
#define list_is(l, ...) check_list(l, (const char *const[]){ __VA_ARGS__, NULL })

static void test_other_commands(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	assert_int_equal(a.command, COMMAND_OTHER);
	assert_int_equal(parse("status"), 0);
	assert_int_equal(a.command, COMMAND_OTHER);
	assert_int_equal(parse("-q", "-C", "enter", "status", "run"), 0);
	assert_int_equal(a.command, COMMAND_OTHER);
	assert_int_equal(parse("runn", "x"), 0);
	assert_int_equal(a.command, COMMAND_OTHER);
	assert_int_equal(parse("--", "run", "x"), 0); /* a subcommand behind `--` is one all the same */
	/* Mistakes in front of the subcommand are explained by the core. */
	assert_int_equal(parse("--bogus", "run", "x"), 0);
	assert_int_equal(a.command, COMMAND_OTHER);
	assert_int_equal(parse("-C"), 0);
	assert_int_equal(a.command, COMMAND_OTHER);
}

static void test_run(void **state)
{
	(void)state;
	assert_int_equal(parse("run", "cmd", "-q", "--root", "--", "x"), 0);
	assert_int_equal(a.command, COMMAND_RUN);
	assert_false(a.root);
	words_are("cmd", "-q", "--root", "--", "x");
	assert_int_equal(parse("run", "--", "-h"), 0);
	assert_false(a.help);
	words_are("-h");
	assert_int_equal(parse("run", "--root", "-e", "A=1", "--env=B=x=y", "-eC=", "--", "cmd"), 0);
	assert_true(a.root);
	list_is(&a.env, "A=1", "B=x=y", "C=");
	words_are("cmd");
	assert_int_equal(parse("run", "-"), 0);
	words_are("-");
	assert_int_equal(parse("run", ""), 0);
	words_are("");
}

static void test_directory(void **state)
{
	(void)state;
	assert_int_equal(parse("-C", "before", "run", "x"), 0);
	assert_string_equal(a.directory, "before");
	assert_int_equal(parse("run", "--directory=behind", "x"), 0);
	assert_string_equal(a.directory, "behind");
	assert_int_equal(parse("-C", "before", "enter", "-C", "behind"), 0);
	assert_string_equal(a.directory, "behind");
	assert_int_equal(a.pass_on.count, 0); /* the core is told the project, not -C */
}

static void test_image(void **state)
{
	(void)state;
	assert_int_equal(parse("run", "--image", "debian:12"), 0);
	assert_string_equal(a.image, "debian:12");
	assert_null(a.words[0]);
	assert_int_equal(parse("run", "--image=debian:12", "--", "id", "-u"), 0);
	words_are("id", "-u");
}

static void test_env_from_the_caller(void **state)
{
	(void)state;
	setenv("TEST_SET", "from=caller", 1);
	unsetenv("TEST_UNSET");
	assert_int_equal(parse("run", "-e", "TEST_SET", "-e", "TEST_UNSET", "x"), 0);
	list_is(&a.env, "TEST_SET=from=caller");
	unsetenv("TEST_SET");
	assert_int_equal(parse("run", "-e", "A-B=1", "x"), -1);
	assert_int_equal(parse("run", "-e", "HOME=/x", "x"), -1);
	assert_int_equal(parse("run", "-n", "x"), -1);
}

static void test_passed_on(void **state)
{
	(void)state;
	assert_int_equal(parse("--offline", "-q", "run", "--locked", "-y", "--json", "--color", "never", "x"), 0);
	list_is(&a.pass_on, "--offline", "--quiet", "--locked", "--yes", "--json", "--color", "never");
	assert_true(a.json);
}

static void test_help(void **state)
{
	(void)state;
	assert_int_equal(parse("run", "-h"), 0);
	assert_true(a.help);
	assert_int_equal(parse("enter", "--help", "operand"), 0);
	assert_true(a.help);
	assert_int_equal(parse("-h", "run"), 0);
	assert_true(a.help || a.command == COMMAND_OTHER);
}

#define refuse(what, ...)                                               \
	do {                                                            \
		assert_int_equal(parse(__VA_ARGS__), -1);               \
		if (!strstr(e.msg, what))                               \
			fail_msg("'%s' does not say '%s'", e.msg, what); \
	} while (0)

static void test_mistakes(void **state)
{
	(void)state;
	refuse("needs a command", "run");
	assert_int_equal(e.code, ERR_USAGE);
	refuse("needs a command", "run", "--");
	refuse("'ls'", "enter", "ls");
	refuse("--rot", "run", "--rot", "x");
	refuse("-e", "run", "-e");
	refuse("-e", "run", "-e", "=x", "y");
	refuse("-e", "run", "-e", "", "y");
	refuse("--env", "enter", "--env", "A=1"); /* of run only */
	refuse("--image", "enter", "--image", "x");
	refuse("--untrusted", "run", "--untrusted", "true"); /* of enter only */
	refuse("--no-services", "enter", "--no-services");
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	/* What a stranger wrote is shown escaped. */
	refuse("\\x1b", "enter", "\033[31m");
	refuse("\\x1b", "run", "--\033[31m");
}

/* What `call` writes to descriptor fd. */
static void capture(int fd, void (*call)(void), char *out, size_t size)
{
	int pipe_fds[2], kept = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	ssize_t n;

	assert_true(kept >= 0);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(dup2(pipe_fds[1], fd), fd);
	close(pipe_fds[1]);
	call();
	assert_int_equal(dup2(kept, fd), fd); /* the pipe's last writer goes */
	close(kept);
	n = read(pipe_fds[0], out, size - 1);
	close(pipe_fds[0]);
	assert_true(n >= 0);
	out[n] = '\0';
}

static void plain(void)
{
	report_error(&e, false);
}

static void json(void)
{
	report_error(&e, true);
}

static void warning(void)
{
	report_warning("something \"odd\"");
}

static void test_report(void **state)
{
	char text[4096];

	(void)state;
	err_set(&e, ERR_CONFIG, "devenv.ini:7: unknown key");
	capture(2, plain, text, sizeof(text));
	assert_string_equal(text, "devenv: devenv.ini:7: unknown key\n");
	err_hint(&e, "do this");
	capture(2, plain, text, sizeof(text));
	assert_string_equal(text, "devenv: devenv.ini:7: unknown key\n  hint: do this\n");
	setenv("TERM", "xterm", 1);
	capture(2, warning, text, sizeof(text)); /* no terminal, no colour */
	assert_string_equal(text, "devenv: something \"odd\"\n");
}

static void test_report_json(void **state)
{
	char text[4096];

	(void)state;
	err_set(&e, ERR_NOT_ALLOWED, "say \"hello\\\" in\ta\nline\001 with caf\303\251");
	capture(1, json, text, sizeof(text));
	assert_string_equal(text, "{\"schema\":1,\"error\":{\"code\":\"not-allowed\",\"message\":\"say \\\"hello\\\\\\\" in\\u0009a"
				  "\\u000aline\\u0001 with caf\303\251\"}}\n");
	err_hint(&e, "`devenv allow`");
	capture(1, json, text, sizeof(text));
	assert_non_null(strstr(text, ",\"hint\":\"`devenv allow`\"}}\n"));
	err_set(&e, ERR_SANDBOX, "%s", "");
	capture(1, json, text, sizeof(text));
	assert_string_equal(text, "{\"schema\":1,\"error\":{\"code\":\"sandbox\",\"message\":\"\"}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_commands), cmocka_unit_test(test_run),
		cmocka_unit_test(test_directory),      cmocka_unit_test(test_image),
		cmocka_unit_test(test_env_from_the_caller), cmocka_unit_test(test_passed_on),
		cmocka_unit_test(test_help),	       cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_report),	       cmocka_unit_test(test_report_json),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	arguments_release(&a);
	return failed;
}
