/* SPDX-License-Identifier: Apache-2.0 */
/* test_config_ini.c - the guarded INI reader: what inih would lose arrives, or is an error naming the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/ini.h"

static void must_fail_bytes(const char *text, size_t len, const char *message)
{
	struct ini ini = { .count = 77 };
	struct err e = ERR_INIT;

	assert_int_equal(ini_read("devenv.ini", text, len, &ini, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(ini.count, 77);
}

static void must_fail(const char *text, const char *message)
{
	must_fail_bytes(text, strlen(text), message);
}

static struct ini must_read_bytes(const char *text, size_t len)
{
	struct ini ini;
	struct err e = ERR_INIT;

	if (ini_read("devenv.ini", text, len, &ini, &e))
		fail_msg("%s", e.msg);
	return ini;
}

static struct ini must_read(const char *text)
{
	return must_read_bytes(text, strlen(text));
}

/* The text must hold one key, of this value. */
static void reads_as(const char *text, const char *value)
{
	struct ini ini = must_read(text);

	assert_int_equal(ini.count, 1);
	assert_string_equal(ini.entries[0].value, value);
	ini_release(&ini);
}

static void test_plain(void **state)
{
	struct ini ini = must_read(
		"; comment\n# another\n\n[a]\nx = 1\n y=2\n[b.c]\n  \n[d]\nz-1 =  two words\t\nurl = http://h:1/;p?q=r\n");

	(void)state;
	assert_int_equal(ini.section_count, 3);
	assert_string_equal(ini.sections[1].name, "b.c");
	assert_int_equal(ini.sections[1].line, 7);
	assert_int_equal(ini.count, 3);
	assert_string_equal(ini.entries[0].section, "a");
	assert_string_equal(ini.entries[0].key, "x");
	assert_string_equal(ini.entries[0].value, "1\ny=2");
	assert_int_equal(ini.entries[0].line, 5);
	assert_string_equal(ini.entries[1].section, "d");
	assert_string_equal(ini.entries[1].key, "z-1");
	assert_string_equal(ini.entries[1].value, "two words");
	assert_int_equal(ini.entries[1].line, 10);
	assert_string_equal(ini.entries[2].value, "http://h:1/;p?q=r");
	ini_release(&ini);
	ini_release(&ini);
}

static void test_empty(void **state)
{
	struct ini ini = must_read("");

	(void)state;
	assert_int_equal(ini.count, 0);
	ini_release(&ini);
	ini = must_read("\n\n; only a comment");
	assert_int_equal(ini.section_count, 0);
	ini_release(&ini);
	ini = must_read("[a]");
	assert_int_equal(ini.section_count, 1);
	ini_release(&ini);
	reads_as("[a]\nx =", "");
	reads_as("[a]\nx =\n\n\n", "");
}

static void test_line_ends(void **state)
{
	struct ini ini = must_read("\xef\xbb\xbf[a]\r\nx = 1\r\n  2\r\n\r\n[b]\r\n");

	(void)state;
	assert_int_equal(ini.section_count, 2);
	assert_int_equal(ini.sections[1].line, 5);
	assert_string_equal(ini.entries[0].value, "1\n2");
	ini_release(&ini);
	reads_as("\xef\xbb\xbf[a]\nx = 1", "1");
	must_fail("[a]\nx = 1\r2\n", "devenv.ini:2: there is a control character (0x0d) in this line");
	must_fail("[a]\nx = 1\r", "devenv.ini:2: there is a control character (0x0d) in this line");
}

/* Lengths around where inih cuts, and far beyond. */
static void test_long_values(void **state)
{
	static const size_t lengths[] = { 1,   48,  49,  50,  189, 190, 191, 192, 193, 194, 195,  196,    197,
		                          198, 199, 200, 201, 250, 385, 390, 391, 392, 400, 5000, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct buf text = BUF_INIT, value = BUF_INIT;
		struct ini ini;

		for (size_t k = 0; k < lengths[i]; k++)
			buf_addch(&value, "ab cd;=:[]"[k % 10] == ' ' && (k == 0 || k + 1 == lengths[i])
			                          ? 'x'
			                          : "ab cd;=:[]"[k % 10]);
		buf_addf(&text, "[a]\nx = %s\ny =\n  %s\n    z\n  %s\n", value.data, value.data, value.data);
		ini = must_read_bytes(text.data, text.len);
		assert_int_equal(ini.count, 2);
		assert_string_equal(ini.entries[0].value, value.data);
		assert_int_equal(ini.entries[1].line, 3);
		buf_clear(&text);
		buf_addf(&text, "%s\n  z\n%s", value.data, value.data);
		assert_string_equal(ini.entries[1].value, text.data);
		ini_release(&ini);
		buf_release(&text);
		buf_release(&value);
	}
}

/* A cut between pieces may fall on a blank or within a character: nothing may be trimmed there. */
static void test_blanks_and_characters_at_cuts(void **state)
{
	(void)state;
	for (size_t before = 0; before < 420; before++) {
		struct buf text = BUF_INIT, value = BUF_INIT;

		for (size_t k = 0; k < before; k++)
			buf_addch(&value, 'a');
		buf_adds(&value, "x \t  \xc3\xa4 \xf0\x9f\x98\x80;y");
		buf_addf(&text, "[a]\nx = %s\n", value.data);
		reads_as(text.data, value.data);
		buf_release(&text);
		buf_release(&value);
	}
}

static void test_long_names(void **state)
{
	char name[400], text[1000], message[200];
	struct ini ini;

	(void)state;
	memset(name, 'n', sizeof(name));
	for (size_t n = 1; n <= 255; n++) {
		snprintf(text, sizeof(text), "[%.*s]\n%.*s = 1\n  2\n", (int)n, name, n > 128 ? 128 : (int)n,
		         name);
		ini = must_read(text);
		assert_int_equal(strlen(ini.sections[0].name), n);
		assert_int_equal(strlen(ini.entries[0].section), n);
		assert_int_equal(strlen(ini.entries[0].key), n > 128 ? 128 : n);
		assert_string_equal(ini.entries[0].value, "1\n2");
		ini_release(&ini);
	}
	snprintf(text, sizeof(text), "[%.*s]\n", 256, name);
	snprintf(message, sizeof(message),
	         "devenv.ini:1: the name of a section can have 255 bytes at most, this one has 256");
	must_fail(text, message);
	snprintf(text, sizeof(text), "[a]\n%.*s = x\n", 129, name);
	must_fail(text, "devenv.ini:2: a key can have 128 bytes at most, this one has 129");
	ini = must_read(
		"[registry.[::1]:5000]\nmirror = x\n[registry.123456789012.dkr.ecr.eu-central-1.example.com]\n"
		"mirror = y\n");
	assert_string_equal(ini.entries[0].section, "registry.[::1]:5000");
	assert_string_equal(ini.entries[1].section, "registry.123456789012.dkr.ecr.eu-central-1.example.com");
	ini_release(&ini);
}

static void test_comment_look_alikes(void **state)
{
	(void)state;
	must_fail("[a]\nx = 1 ; one\n",
	          "devenv.ini:2: the value of 'x' has ' ;' or ' #' in it: is that a comment?");
	must_fail("[a]\nx = 1\t# one\n",
	          "devenv.ini:2: the value of 'x' has ' ;' or ' #' in it: is that a comment?");
	must_fail("[a]\nx = #fff\n",
	          "devenv.ini:2: the value of 'x' has ' ;' or ' #' in it: is that a comment?");
	reads_as("[a]\nx =#fff\n", "#fff");
	reads_as("[a]\nx = a;b#c;\n", "a;b#c;");
	reads_as("[a]\nx =\n  1 ; one # two\n", "1 ; one # two");
	reads_as("[a]\nx =\n  cd b; ls ; # list\n  ; x\n", "cd b; ls ; # list\n; x");
	must_fail("[a] ; comment\n", "devenv.ini:1: there is something after the ']' of '[a] ; comment'");
}

static void test_scripts(void **state)
{
	(void)state;
	reads_as("[a]\nrun =\n    if true; then\n        echo 'a'\n    fi\n",
	         "if true; then\n    echo 'a'\nfi");
	reads_as("[a]\nrun =\n\tif true\n\t\techo\n\tfi\n", "if true\n\techo\nfi");
	reads_as("[a]\nrun = set -e\n    one\n      two\n    three   \n", "set -e\none\n  two\nthree");
	reads_as("[a]\nrun =\n    two\n  one\n", "  two\none");
	reads_as("[a]\nrun =\n\tone\n        two\n", "\tone\n        two");
	reads_as("[a]\nrun =\n\n  one\n\n\n  two\n\n", "one\n\n\ntwo");
	reads_as("[a]\nrun =\n  #!/bin/sh\n  # a comment of the script\n  x=1\n  [ a = b ]\n",
	         "#!/bin/sh\n# a comment of the script\nx=1\n[ a = b ]");
	reads_as("[a]\nrun =\n  one\n; ours\n# ours too\n  two\n", "one\ntwo");
	reads_as("[a]\nrun =\n  one\n;\n\n  two\n", "one\n\ntwo");
	must_fail("[a]\n  x = 1\n",
	          "devenv.ini:2: this line is indented, but there is no value before it to continue");
	must_fail("[a]\nx = 1\n[b]\n  2\n",
	          "devenv.ini:4: this line is indented, but there is no value before it to continue");
	must_fail("  [a]\n",
	          "devenv.ini:1: this line is indented, but there is no value before it to continue");
}

static void test_bad_bytes(void **state)
{
	(void)state;
	must_fail_bytes("[a]\nx = a\0b\n", 12, "devenv.ini:2: there is a NUL byte in this line");
	must_fail_bytes("\0", 1, "devenv.ini:1: there is a NUL byte in this line");
	must_fail_bytes("[a]\n; \0\n", 8, "devenv.ini:2: there is a NUL byte in this line");
	must_fail("[a]\nx = \x1b[31m\n", "devenv.ini:2: there is a control character (0x1b) in this line");
	must_fail("[a]\nx = \x01\n", "devenv.ini:2: there is a control character (0x01) in this line");
	must_fail("[a]\nx = \x7f\n", "devenv.ini:2: there is a control character (0x7f) in this line");
	must_fail("[a]\nx = \xc2\x9b\n", "devenv.ini:2: there is a control character (0x9b) in this line");
	reads_as("[a]\nx = \xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\n",
	         "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
	must_fail("[a]\n\nx = \xff\n", "devenv.ini:3: this line is not valid UTF-8");
	must_fail("[a]\nx = \xc0\xaf\n", "devenv.ini:2: this line is not valid UTF-8");
	must_fail("[a]\nx = \xe0\x9f\xbf\n", "devenv.ini:2: this line is not valid UTF-8");
	must_fail("[a]\nx = \xed\xa0\x80\n", "devenv.ini:2: this line is not valid UTF-8");
	must_fail("[a]\nx = \xf4\x90\x80\x80\n", "devenv.ini:2: this line is not valid UTF-8");
	must_fail("[a]\nx = \xf0\x8f\xbf\xbf\n", "devenv.ini:2: this line is not valid UTF-8");
	must_fail("[a]\nx = \x80\n", "devenv.ini:2: this line is not valid UTF-8");
	must_fail("[a]\nx = \xe2\x82\n", "devenv.ini:2: this line is not valid UTF-8");
	must_fail("[a]\nx = \xe2\x82", "devenv.ini:2: this line is not valid UTF-8");
}

static void test_bad_lines(void **state)
{
	(void)state;
	must_fail("[a]\nfoo\n", "devenv.ini:2: 'foo' is neither 'key = value' nor a [section]");
	must_fail("[a]\nfoo: bar\n", "devenv.ini:2: 'foo: bar' is neither 'key = value' nor a [section]");
	must_fail("[a]\nfoo: bar = 1\n", "devenv.ini:2: key 'foo: bar' has a character that no key has");
	must_fail("[a]\nfoo bar = 1\n", "devenv.ini:2: key 'foo bar' has a character that no key has");
	must_fail("[a]\n= 1\n", "devenv.ini:2: there is no key before the '='");
	must_fail("x = 1\n", "devenv.ini:1: key 'x' stands before the first [section]");
	must_fail("[a\n", "devenv.ini:1: section '[a' has no closing ']'");
	must_fail("[a]b\n", "devenv.ini:1: there is something after the ']' of '[a]b'");
	must_fail("[]\n", "devenv.ini:1: a section needs a name");
	must_fail("[ a ]\n", "devenv.ini:1: section '[ a ]' has a character in its name that no section has");
	must_fail("[\xc3\xa4]\n",
	          "devenv.ini:1: section '[\xc3\xa4]' has a character in its name that no section has");
	must_fail("[a;b]\n", "devenv.ini:1: section '[a;b]' has a character in its name that no section has");
}

static void test_twins(void **state)
{
	(void)state;
	must_fail("[a]\nx = 1\ny = 1\nx = 2\ny = 3\n", "devenv.ini:4: [a] x is set already, at line 2");
	must_fail("[a]\nx = 1\n[b]\nx = 1\n[a]\n", "devenv.ini:5: section [a] is there already, at line 1");
	must_fail("[a]\nx = 1\n  2\nx =\n  1\n", "devenv.ini:4: [a] x is set already, at line 2");
}

static void test_conflict_markers(void **state)
{
	(void)state;
	must_fail("[a]\n<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> b\n",
	          "devenv.ini:2: there is a conflict marker of an unfinished merge");
	must_fail("[a]\nx = 1\n=======\n", "devenv.ini:3: there is a conflict marker of an unfinished merge");
	must_fail("[a]\nx = 1\n||||||| base\n",
	          "devenv.ini:3: there is a conflict marker of an unfinished merge");
	must_fail("[a]\nx = 1\n>>>>>>> b\n",
	          "devenv.ini:3: there is a conflict marker of an unfinished merge");
}

static void test_many_lines(void **state)
{
	struct buf text = BUF_INIT;
	struct ini ini;

	(void)state;
	for (int i = 0; i < 20000; i++)
		buf_addf(&text, "[s%d]\nk%d = %d\n", i, i, i);
	ini = must_read_bytes(text.data, text.len);
	assert_int_equal(ini.count, 20000);
	assert_string_equal(ini.entries[19999].section, "s19999");
	assert_string_equal(ini.entries[19999].value, "19999");
	assert_int_equal(ini.entries[19999].line, 40000);
	ini_release(&ini);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_blanks_and_characters_at_cuts),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_comment_look_alikes),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_bad_bytes),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_twins),
		cmocka_unit_test(test_conflict_markers),
		cmocka_unit_test(test_many_lines),
	};

	return cmocka_run_group_tests_name("config_ini", tests, NULL, NULL);
}
