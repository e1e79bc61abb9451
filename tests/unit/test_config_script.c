/* SPDX-License-Identifier: Apache-2.0 */
/* Where the lines of a script stand: compared with what the reader makes of the same text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/ini.h"
#include "config/script.h"

/* Each line of the value of the last key says on which line of the text it stands, or is blank. */
static void check(const char *text)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;
	struct ini ini;
	struct err e = ERR_INIT;
	const struct ini_entry *entry;
	unsigned int n = 1;

	if (ini_read("t.ini", text, strlen(text), &ini, &e) < 0)
		fail_msg("%s", e.msg);
	entry = &ini.entries[ini.count - 1];
	for (const char *s = entry->value; s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL, n++) {
		unsigned int wanted;

		if (*s != '\n' && sscanf(s, " at %u", &wanted) == 1)
			assert_int_equal(script_line(text, strlen(text), entry->line, n), wanted);
	}
	assert_true(n > 1);
	assert_int_equal(script_line(text, strlen(text), entry->line, n), 0);
	ini_release(&ini);
}

static void test_lines(void **state)
{
	(void)state;
	check("[build]\nrun = at 2\n");
	check("[build]\nrun = at 2\n  at 3\n  at 4\n\n\n");
	check("[build]\n\nrun =\n  at 4\n  at 5\n[setup]\n");
	check("[build]\nrun =\n\n\n  at 5\n\n  at 7\n");
	check("[build]\nrun =\n; a comment\n  at 4\n# another\n  at 6\n\n  at 8\n\n; the end\n");
	check("[build]\r\nrun =\r\n  at 3\r\n\r\n\tat 5\r\n");
	check("[build]\nrun =\n  at 3\n  # its own\n    at 5");
}

static void test_elsewhere(void **state)
{
	static const char text[] = "[build]\nrun =\n  one\ninputs = a\n";

	(void)state;
	assert_int_equal(script_line(text, strlen(text), 2, 1), 3);
	assert_int_equal(script_line(text, strlen(text), 2, 2), 0);
	assert_int_equal(script_line(text, strlen(text), 1, 1), 0);
	assert_int_equal(script_line(text, strlen(text), 9, 1), 0);
	assert_int_equal(script_line("", 0, 1, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
