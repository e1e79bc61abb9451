/* SPDX-License-Identifier: Apache-2.0 */
/* The command-line parser and the tables both programs share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/options.h"

static struct options o;
static struct err e;
static const char *value;

#define begin(...) begin_with((const char *[]){ __VA_ARGS__, NULL })

static void begin_with(const char **words)
{
	static const char *kept[16];
	int n = 0;

	for (; words[n]; n++)
		kept[n] = words[n];
	kept[n] = NULL;
	options_begin(&o, n, (char **)kept, 0, options_run, options_global);
}

static void test_forms(void **state)
{
	(void)state;
	begin("-qv", "-C", "dir", "-Cdir2", "--env", "A=1", "--env=B=2", "-eC=3", "--root", "cmd", "-q");
	assert_int_equal(options_next(&o, &value, &e), OPTION_QUIET);
	assert_null(value);
	assert_int_equal(options_next(&o, &value, &e), OPTION_VERBOSE);
	assert_int_equal(options_next(&o, &value, &e), OPTION_DIRECTORY);
	assert_string_equal(value, "dir");
	assert_int_equal(options_next(&o, &value, &e), OPTION_DIRECTORY);
	assert_string_equal(value, "dir2");
	assert_int_equal(options_next(&o, &value, &e), OPTION_ENV);
	assert_string_equal(value, "A=1");
	assert_int_equal(options_next(&o, &value, &e), OPTION_ENV);
	assert_string_equal(value, "B=2");
	assert_int_equal(options_next(&o, &value, &e), OPTION_ENV);
	assert_string_equal(value, "C=3");
	assert_int_equal(options_next(&o, &value, &e), OPTION_ROOT);
	assert_int_equal(options_next(&o, &value, &e), 0);
	assert_string_equal(o.argv[o.index], "cmd");
	assert_int_equal(options_next(&o, &value, &e), 0); /* and stays there */
}

static void test_end(void **state)
{
	(void)state;
	begin("--root", "--", "-q");
	assert_int_equal(options_next(&o, &value, &e), OPTION_ROOT);
	assert_int_equal(options_next(&o, &value, &e), 0);
	assert_string_equal(o.argv[o.index], "-q");
	begin("-");
	assert_int_equal(options_next(&o, &value, &e), 0);
	assert_int_equal(o.index, 0); /* "-" is an operand */
	begin("-qC", "d");
	assert_int_equal(options_next(&o, &value, &e), OPTION_QUIET);
	assert_int_equal(options_next(&o, &value, &e), OPTION_DIRECTORY);
	assert_string_equal(value, "d");
	assert_int_equal(options_next(&o, &value, &e), 0);
	begin("--env=", "-e", "--");
	assert_int_equal(options_next(&o, &value, &e), OPTION_ENV);
	assert_string_equal(value, "");
	assert_int_equal(options_next(&o, &value, &e), OPTION_ENV);
	assert_string_equal(value, "--"); /* the next word, whatever it is */
}

static void check_error(const char *message)
{
	int id;

	do
		id = options_next(&o, &value, &e);
	while (id > 0);
	assert_int_equal(id, -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, message);
}

static void test_errors(void **state)
{
	(void)state;
	begin("--imgae", "x");
	check_error("unknown option '--imgae'; did you mean '--image'?");
	begin("--imgae=x");
	check_error("unknown option '--imgae'; did you mean '--image'?");
	begin("--imag", "x"); /* no prefixes */
	check_error("unknown option '--imag'; did you mean '--image'?");
	begin("--zzzzzzzz");
	check_error("unknown option '--zzzzzzzz'");
	begin("-qz");
	check_error("unknown option '-z'");
	begin("-C");
	check_error("option '-C' needs a value: DIR");
	begin("--image");
	check_error("option '--image' needs a value: REF");
	begin("--json=x");
	check_error("option '--json' takes no value");
	begin("--\x1b[31m");
	check_error("unknown option '--\\x1b[31m'");
}

static void check_table(const struct option_spec *table, const struct option_spec *other)
{
	for (const struct option_spec *a = table; a->name; a++) {
		assert_true(a->id > 0);
		assert_non_null(a->help);
		assert_true(a->help[strlen(a->help) - 1] != '.');
		assert_true(a->help[0] < 'A' || a->help[0] > 'Z');
		for (const struct option_spec *b = a + 1; b->name; b++)
			assert_true(strcmp(a->name, b->name) && a->id != b->id && (!a->letter || a->letter != b->letter));
		for (const struct option_spec *b = other; b && b->name; b++)
			assert_true(strcmp(a->name, b->name) && a->id != b->id && (!a->letter || a->letter != b->letter));
	}
}

static void test_tables(void **state)
{
	(void)state;
	check_table(options_global, NULL);
	check_table(options_enter, options_global);
	check_table(options_run, options_global);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
