/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of env/step_output.c: what a step says, where the lines that it names were written, and the last of it in a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "env/step_output.h"

static struct strlist said;

static void say(void *data, const char *line, size_t len)
{
	(void)data;
	assert_int_equal(strlen(line), len);
	strlist_add(&said, line);
}

/* The script has nine lines, from line 11 on. */
static bool locate(void *data, unsigned int line, struct buf *out)
{
	(void)data;
	if (line > 9)
		return false;
	buf_addf(out, "devenv.ini:%u", line + 10);
	return true;
}

static void take(struct step_output *o, const char *text)
{
	step_output_take(o, text, strlen(text));
}

static void test_places(void **state)
{
	static const char *const cases[][2] = {
		{ "/.devenv-step: 3: x: not found", "devenv.ini:13: x: not found" },
		{ "/.devenv-step: line 3: x: command not found", "devenv.ini:13: x: command not found" },
		{ "/.devenv-step:3: command not found: x", "devenv.ini:13: command not found: x" },
		{ "/.devenv-step[3]: x: not found", "devenv.ini:13: x: not found" },
		{ "  File \"/.devenv-step\", line 3, in <module>", "  File \"devenv.ini:13\", in <module>" },
		{ "sh: /.devenv-step: 3: y", "sh: devenv.ini:13: y" },
		{ "/.devenv-step: 10: x", "/.devenv-step: 10: x" },
		{ "/.devenv-step: 0: x", "/.devenv-step: 0: x" },
		{ "/.devenv-step: x: 3:", "/.devenv-step: x: 3:" },
		{ "/.devenv-step", "/.devenv-step" },
		{ "/.devenv-step: 99999999999999999999: x", "/.devenv-step: 99999999999999999999: x" },
	};
	struct step step = { .output = say, .locate = locate };
	struct step_output o = { .step = &step, .line = BUF_INIT };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		take(&o, cases[i][0]);
		step_output_end(&o);
		assert_string_equal(said.items[i], cases[i][1]);
	}
	step_output_release(&o);
	strlist_release(&said);
}

static void test_explain(void **state)
{
	struct step step = { .locate = locate };
	struct step_output o = { .step = &step, .line = BUF_INIT };
	struct err e = ERR_INIT;
	char many[70000];

	(void)state;
	take(&o, "10%\r20%\r30%\na\tb\\ \033[31mred\033[m\033[2J\n/.devenv-step: 2: x\n");
	err_set(&e, ERR_FAILED, "it failed");
	step_output_explain(&o, &e);
	assert_string_equal(e.msg, "it failed\n  30%\n  a\tb\\ red\\x1b[2J\n  devenv.ini:12: x");
	/* A line that is longer than any message: its beginning, and what fits before it. */
	memset(many, 'm', sizeof(many) - 1);
	many[60000] = '\0';
	take(&o, many);
	take(&o, "\nlast");
	step_output_end(&o);
	err_set(&e, ERR_FAILED, "it failed");
	step_output_explain(&o, &e);
	assert_non_null(strstr(e.msg, "\n  mmm"));
	assert_non_null(strstr(e.msg, "mmm...\n  last"));
	assert_true(strlen(e.msg) < sizeof(e.msg));
	step_output_release(&o);
}

static void test_no_space(void **state)
{
	struct step step = { 0 };
	struct step_output o = { .step = &step, .line = BUF_INIT };

	(void)state;
	take(&o, "cp: error writing 'x': Permission denied\n");
	assert_false(o.no_space);
	take(&o, "cp: error writing 'x': No space left on device\n");
	assert_true(o.no_space && !o.no_quota);
	take(&o, "cp: error writing 'x': Disk quota exceeded\n");
	assert_true(o.no_quota);
	step_output_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_no_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
