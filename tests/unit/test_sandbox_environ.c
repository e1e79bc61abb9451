/* SPDX-License-Identifier: Apache-2.0 */
/* The environment block of a session: what the plan sets, what may pass from the caller, what the session adds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandbox/environ.h"

extern char **environ;

struct fixture {
	struct plan plan;
	struct session session;
	struct strlist out;
};

static char **original;

static int setup(void **state)
{
	struct fixture *f = mem_array(1, sizeof(*f));

	*f = (struct fixture){ .out = STRLIST_INIT };
	plan_init(&f->plan);
	f->plan.root_home = "/root";
	f->plan.root_shell = "/bin/sh";
	plan_add_env(&f->plan, "PATH=/usr/bin:/bin");
	plan_add_env(&f->plan, "HOME=/home/me");
	plan_add_env(&f->plan, "USER=me");
	*state = f;
	original = environ;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	environ = original;
	plan_release(&f->plan);
	strlist_release(&f->out);
	free(f);
	return 0;
}

#define with_caller(...) (environ = (char **)(const char *[]){ __VA_ARGS__, NULL })

static void build(struct fixture *f)
{
	strlist_release(&f->out);
	environ_build(&f->plan, &f->session, "/srv/dir", &f->out);
	assert_null(f->out.items[f->out.count]); /* an envp */
}

static const char *value(const struct fixture *f, const char *name)
{
	const char *found = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; i < f->out.count; i++)
		if (!strncmp(f->out.items[i], name, len) && f->out.items[i][len] == '=') {
			if (found)
				fail_msg("%s is there twice", name);
			found = f->out.items[i] + len + 1;
		}
	return found;
}

#define check(f, name, expected) assert_string_equal(value(f, name), expected)
#define check_absent(f, name) assert_null(value(f, name))

static void test_nothing_of_the_caller(void **state)
{
	struct fixture *f = *state;

	with_caller("SECRET=x", "LD_PRELOAD=/x.so", "PATH=/caller", "HOME=/caller", "PWD=/caller", "=C:=odd", "odd", "");
	build(f);
	check(f, "PATH", "/usr/bin:/bin");
	check(f, "HOME", "/home/me");
	check(f, "USER", "me");
	check(f, "PWD", "/srv/dir");
	check(f, "LANG", "C.UTF-8");
	assert_int_equal(f->out.count, 5);
}

static void test_an_empty_caller(void **state)
{
	struct fixture *f = *state;
	char *none[] = { NULL };

	environ = none;
	build(f);
	assert_int_equal(f->out.count, 5);
}

static void test_passed_names(void **state)
{
	struct fixture *f = *state;

	plan_add_pass(&f->plan, "TERM");
	plan_add_pass(&f->plan, "AWS_*");
	plan_add_pass(&f->plan, "");
	with_caller("TERM=xterm", "TERMINFO=/x", "TER=x", "AWS_=short", "AWS_PROFILE=a=b", "AWSX=no", "aws_x=no", "XAWS_Y=no");
	build(f);
	check(f, "TERM", "xterm");
	check_absent(f, "TERMINFO");
	check_absent(f, "TER");
	check(f, "AWS_", "short");
	check(f, "AWS_PROFILE", "a=b");
	check_absent(f, "AWSX");
	check_absent(f, "aws_x");
	check_absent(f, "XAWS_Y");
}

/* Of a terminal that no plan can know the description itself comes along, and where only $TERMINFO has it. */
static void test_terminal(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/devenv-test.XXXXXX";
	cleanup_free char *own = NULL, *odd = NULL, *variable = NULL;
	FILE *file;

	assert_non_null(mkdtemp(dir));
	own = mem_printf("%s/o", dir);
	odd = mem_printf("%s/o/odd-term", dir);
	variable = mem_printf("TERMINFO=%s", dir);
	assert_int_equal(mkdir(own, 0700), 0);
	file = fopen(odd, "we");
	assert_non_null(file);
	fputs("\032\001abcde", file);
	fclose(file);
	plan_add_pass(&f->plan, "TERM");
	with_caller("TERM=odd-term", variable);
	build(f);
	check(f, "TERMINFO", "b64:GgFhYmNkZQ==");
	with_caller("TERM=../o/odd-term", variable);
	build(f);
	check_absent(f, "TERMINFO");
	with_caller("TERM=xterm-256color", variable);
	build(f);
	check_absent(f, "TERMINFO");
	plan_add_env(&f->plan, "TERMINFO=/set/by/the/plan");
	with_caller("TERM=odd-term", variable);
	build(f);
	check(f, "TERMINFO", "/set/by/the/plan");
	unlink(odd);
	rmdir(own);
	rmdir(dir);
}

static void test_a_star_passes_all(void **state)
{
	struct fixture *f = *state;

	plan_add_pass(&f->plan, "*");
	with_caller("ANYTHING=1", "=nameless", "no-equals");
	build(f);
	check(f, "ANYTHING", "1");
	assert_int_equal(f->out.count, 6);
}

static void test_the_plan_beats_the_caller(void **state)
{
	struct fixture *f = *state;

	plan_add_pass(&f->plan, "PATH");
	plan_add_pass(&f->plan, "HOME*");
	plan_add_pass(&f->plan, "PWD");
	with_caller("PATH=/caller", "HOME=/caller", "HOMEDRIVE=c", "PWD=/caller");
	build(f);
	check(f, "PATH", "/usr/bin:/bin");
	check(f, "HOME", "/home/me");
	check(f, "HOMEDRIVE", "c");
	check(f, "PWD", "/srv/dir");
}

static void test_the_last_of_the_plan_wins(void **state)
{
	struct fixture *f = *state;

	plan_add_env(&f->plan, "A=1");
	plan_add_env(&f->plan, "AB=2");
	plan_add_env(&f->plan, "A=3");
	plan_add_env(&f->plan, "EMPTY=");
	plan_add_env(&f->plan, "no-equals");
	build(f);
	check(f, "A", "3");
	check(f, "AB", "2");
	check(f, "EMPTY", "");
	assert_int_equal(f->out.count, 8);
}

static void test_locales(void **state)
{
	struct fixture *f = *state;

	plan_add_pass(&f->plan, "LANG");
	plan_add_pass(&f->plan, "LC_*");
	plan_add_locale(&f->plan, "C.UTF-8");
	plan_add_locale(&f->plan, "de_DE.UTF-8");
	with_caller("LANG=xx_YY.UTF-8", "LC_ALL=de_DE.UTF-8", "LC_TIME=zz_ZZ", "LC_PAPER=");
	build(f);
	check(f, "LANG", "C.UTF-8");
	check(f, "LC_ALL", "de_DE.UTF-8");
	check_absent(f, "LC_TIME");
	check(f, "LC_PAPER", ""); /* set but empty means unset: harmless everywhere */
	with_caller("LANG=DE_de.utf-8");
	build(f);
	check(f, "LANG", "DE_de.utf-8");
	with_caller("LANGUAGE=de");
	build(f);
	check_absent(f, "LANGUAGE");
	check(f, "LANG", "C.UTF-8");
}

static void test_root(void **state)
{
	struct fixture *f = *state;

	with_caller("HOME=/caller");
	f->session.root = true;
	build(f);
	check(f, "HOME", "/root");
	check(f, "SHELL", "/bin/sh");
	check(f, "USER", "root");
	check(f, "LOGNAME", "root");
	check(f, "PATH", "/usr/bin:/bin");
}

static void test_the_session_has_the_last_word(void **state)
{
	struct fixture *f = *state;
	char *extra[] = { (char *)"A=1", (char *)"PWD=/elsewhere", (char *)"A=two words=x", (char *)"HOME=", NULL };

	f->session.root = true;
	f->session.extra_env = extra;
	build(f);
	check(f, "A", "two words=x");
	check(f, "PWD", "/elsewhere");
	check(f, "HOME", "");
}

#define environ_test(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		environ_test(test_nothing_of_the_caller),
		environ_test(test_an_empty_caller),
		environ_test(test_passed_names),
		environ_test(test_terminal),
		environ_test(test_a_star_passes_all),
		environ_test(test_the_plan_beats_the_caller),
		environ_test(test_the_last_of_the_plan_wins),
		environ_test(test_locales),
		environ_test(test_root),
		environ_test(test_the_session_has_the_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
