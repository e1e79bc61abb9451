/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_config_ini_library.c - the INI reader on top of an inih that is built otherwise than the one of this
 * machine.
 *
 * The ini_parse_stream() below takes the place of the library's: line buffers of other sizes, with canaries
 * behind them; comments cut off within continuation lines, as its later versions do; lines lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/ini.h"

static int line_size = 200;
static int lose_line = -1; /* the number of the value line that is not reported */
static bool announce_sections;

static void cut_comment(char *s)
{
	for (char *at = s; *at; at++)
		if (*at == ';' && at > s && strchr(" \t", at[-1])) {
			*at = '\0';
			return;
		}
}

/* What inih does, for the lines that it is given here: no more. */
int ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user)
{
	char section[50] = "", name[200] = "";
	int values = 0, rc = 0;
	char *line = malloc((size_t)line_size + 16);

	memset(line, 0x55, (size_t)line_size + 16);
	while (reader(line, line_size, stream)) {
		char *value = line, *equals;

		for (int i = line_size; i < line_size + 16; i++)
			assert_int_equal(line[i], 0x55);
		assert_true(strlen(line) < (size_t)line_size);
		cut_comment(line);
		if (line[0] == '[') {
			snprintf(section, sizeof(section), "%.*s", (int)strcspn(line + 1, "]"), line + 1);
			if (announce_sections)
				handler(user, section, NULL, NULL);
			continue;
		}
		if (line[0] == ' ') {
			value += strspn(line, " \t");
		} else {
			equals = strpbrk(line, "=:");
			assert_non_null(equals);
			snprintf(name, sizeof(name), "%.*s", (int)(equals - line), line);
			value = equals + 1;
		}
		if (values++ != lose_line && !handler(user, section, name, value))
			rc = rc ? rc : values;
	}
	free(line);
	return rc;
}

static void read_long_value(void)
{
	struct buf text = BUF_INIT, value = BUF_INIT;
	struct err e = ERR_INIT;
	struct ini ini;

	for (int i = 0; i < 1000; i++)
		buf_adds(&value, "a ;b; ");
	buf_addch(&value, 'x');
	buf_addf(&text, "[%064d]\n%0128d =\n  %s\n  ; y\n", 1, 2, value.data);
	if (ini_read("devenv.ini", text.data, text.len, &ini, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(ini.count, 1);
	assert_int_equal(strlen(ini.entries[0].section), 64);
	assert_int_equal(strlen(ini.entries[0].key), 128);
	buf_adds(&value, "\n; y");
	assert_string_equal(ini.entries[0].value, value.data);
	ini_release(&ini);
	buf_release(&text);
	buf_release(&value);
}

static void test_sizes(void **state)
{
	(void)state;
	for (line_size = 136; line_size < 300; line_size++)
		read_long_value();
	line_size = 200;
	announce_sections = true;
	read_long_value();
	announce_sections = false;
}

static void must_fail(const char *message)
{
	static const char text[] = "[a]\nx = 1\n  2\ny = 3\n";
	struct ini ini = { .count = 77 };
	struct err e = ERR_INIT;

	assert_int_equal(ini_read("devenv.ini", text, strlen(text), &ini, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(ini.count, 77);
}

static void test_loss_is_an_error(void **state)
{
	(void)state;
	line_size = 135;
	must_fail("can't read devenv.ini: the inih library here is built for lines of 135 bytes only");
	line_size = 200;
	for (lose_line = 0; lose_line < 5; lose_line++)
		must_fail("can't read devenv.ini: the inih library here loses lines (4 of 5 arrived)");
	lose_line = -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_loss_is_an_error),
	};

	return cmocka_run_group_tests_name("config_ini_library", tests, NULL, NULL);
}
