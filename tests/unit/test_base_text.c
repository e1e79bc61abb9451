/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text, escaping, numbers, sizes, nearest names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

static void test_path_clean(void **state)
{
	static const char *const cases[][2] = {
		{ "/", "/" },		    { "//", "/" },	   { "/a//b/", "/a/b" },    { "/a/./b/.", "/a/b" },
		{ "/a/../b", "/b" },	    { "/..", "/" },	   { "/../../a", "/a" },    { "a/..", "." },
		{ "", "." },		    { ".", "." },	   { "..", ".." },	    { "../../a", "../../a" },
		{ "a/../../b", "../b" },    { "../a/..", ".." },   { "/a/b/../..", "/" },   { "a/b/../c", "a/c" },
		{ "/...", "/..." },	    { "a/..b", "a/..b" },  { "../..", "../.." },    { "./a", "a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *clean = path_clean(cases[i][0]);

		assert_string_equal(clean, cases[i][1]);
		free(clean);
	}
}

static void check_join(const char *a, const char *b, const char *wanted)
{
	char *path = path_join(a, b);

	assert_string_equal(path, wanted);
	free(path);
}

static void check_parent(const char *path, const char *wanted)
{
	char *parent = path_parent(path);

	assert_string_equal(parent, wanted);
	free(parent);
}

static void test_path_parts(void **state)
{
	(void)state;
	check_join("/a", "b", "/a/b");
	check_join("/a/", "b", "/a/b");
	check_join("/", "b", "/b");
	check_join("/a", "/b", "/b");
	check_join("", "b", "b");
	check_join("a", "", "a");
	check_parent("/a/b", "/a");
	check_parent("/a", "/");
	check_parent("/", "/");
	check_parent("a", ".");
	check_parent("a/b", "a");
	assert_string_equal(path_base("/a/b"), "b");
	assert_string_equal(path_base("/"), "/");
	assert_string_equal(path_base("a"), "a");
}

static void test_path_below(void **state)
{
	(void)state;
	assert_true(path_is_below("/a", "/a"));
	assert_true(path_is_below("/a/b", "/a"));
	assert_false(path_is_below("/ab", "/a"));
	assert_false(path_is_below("/", "/a"));
	assert_true(path_is_below("/a", "/"));
	assert_true(path_is_below("/", "/"));
	assert_string_equal(path_below("/a/b/c", "/a"), "b/c");
	assert_string_equal(path_below("/a", "/a"), "");
	assert_string_equal(path_below("/a", "/"), "a");
	assert_null(path_below("/ab", "/a"));
}

static void test_escape_output(void **state)
{
	static const struct {
		const char *text, *plain, *colored;
	} cases[] = {
		{ "a\tb\\c", "a\tb\\c", "a\tb\\c" },
		{ "\033[1;31mred\033[m", "red", "\033[1;31mred\033[m\033[0m" },
		{ "\033[32mgreen", "green", "\033[32mgreen\033[0m" },
		{ "\033[2Jx", "\\x1b[2Jx", "\\x1b[2Jx" },
		{ "\033[3", "\\x1b[3", "\\x1b[3" },
		{ "\033[", "\\x1b[", "\\x1b[" },
		{ "\033[?25m", "\\x1b[?25m", "\\x1b[?25m" },
		{ "\033]0;t\007", "\\x1b]0;t\\x07", "\\x1b]0;t\\x07" },
		{ "\xe2\x80\xae" "b\xc3\xa9", "\\u{202e}b\xc3\xa9", "\\u{202e}b\xc3\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf plain = BUF_INIT, colored = BUF_INIT;

		text_escape_output(&plain, cases[i].text, strlen(cases[i].text), false);
		text_escape_output(&colored, cases[i].text, strlen(cases[i].text), true);
		assert_string_equal(plain.data, cases[i].plain);
		assert_string_equal(colored.data, cases[i].colored);
	}
}

static void test_escape(void **state)
{
	static const char *const cases[][2] = {
		{ "plain text", "plain text" },
		{ "\x1b[31mred", "\\x1b[31mred" },
		{ "a\nb\tc\r", "a\\x0ab\\x09c\\x0d" },
		{ "\x7f", "\\x7f" },
		{ "back\\slash", "back\\\\slash" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xc2\x9b" "31m", "\\u{009b}31m" },		/* C1: CSI */
		{ "\x9b" "31m", "\\x9b31m" },			/* the same as a bare byte */
		{ "a\xe2\x80\xae" "b", "a\\u{202e}b" },		/* right-to-left override */
		{ "a\xe2\x81\xa6" "b", "a\\u{2066}b" },		/* isolate */
		{ "a\xe2\x80\x8b" "b", "a\\u{200b}b" },		/* zero width space */
		{ "a\xe2\x80\xa8" "b", "a\\u{2028}b" },		/* line separator */
		{ "\xef\xbb\xbf", "\\u{feff}" },
		{ "\xf3\xa0\x80\xa1", "\\u{e0021}" },		/* tag character */
		{ "\xc0\xaf", "\\xc0\\xaf" },			/* overlong */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },		/* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },		/* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
		{ "\xe2\x80", "\\xe2\\x80" },			/* cut short */
		{ "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		buf_clear(&b);
		text_escape(&b, cases[i][0]);
		assert_string_equal(b.data, cases[i][1]);
		assert_string_equal(text_safe(cases[i][0]), cases[i][1]);
	}
	buf_clear(&b);
	text_escape_bytes(&b, "a\0b", 3);
	assert_string_equal(b.data, "a\\x00b");
	buf_release(&b);
}

static void test_safe_is_bounded(void **state)
{
	char big[5000];
	const char *first = text_safe("first"), *shown;

	(void)state;
	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (int i = 0; i < 7; i++)
		shown = text_safe(big);
	assert_string_equal(first, "first"); /* eight slots */
	assert_true(strlen(shown) < 512);
	assert_true(text_ends(shown, "\\x0a\xe2\x80\xa6")); /* cut between escapes, and it shows */
	assert_string_equal(text_safe(NULL), "");
}

static void test_numbers(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x1", "1.0", "18446744073709551616",
					   "99999999999999999999999" };
	uint64_t n = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(text_number(bad[i], UINT64_MAX, &n), -1);
	assert_int_equal(n, 7);
	assert_int_equal(text_number("0", 0, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(text_number("18446744073709551615", UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(text_number("65536", 65535, &n), -1);
	assert_int_equal(text_number("65535", 65535, &n), 0);
}

static void test_sizes(void **state)
{
	static const char *const bad[] = { "", "K", "1k", "1KB", "-1G", "1.5G", "16777216T", "1 G" };
	uint64_t n = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(text_size(bad[i], &n), -1);
	assert_int_equal(text_size("4G", &n), 0);
	assert_true(n == 4ULL << 30);
	assert_int_equal(text_size("10", &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(text_size("1K", &n), 0);
	assert_int_equal(n, 1024);
	assert_string_equal(text_bytes(0), "0B");
	assert_string_equal(text_bytes(999), "999B");
	assert_string_equal(text_bytes(1000), "1kB");
	assert_string_equal(text_bytes(1550), "1.6kB");
	assert_string_equal(text_bytes(108400000), "108.4MB");
	assert_string_equal(text_bytes(999960), "1MB");
	assert_string_equal(text_bytes(UINT64_MAX), "18.4EB");
}

static void test_nearest(void **state)
{
	static const char *const keys[] = { "image", "debian", "dockerfile", "oci", "archive", NULL };

	(void)state;
	assert_string_equal(text_nearest("imgae", keys), "image");
	assert_string_equal(text_nearest("dockrefile", keys), "dockerfile");
	assert_string_equal(text_nearest("oic", keys), "oci");
	assert_string_equal(text_nearest("IMAGE", keys), "image");
	assert_null(text_nearest("zebra", keys));
	assert_null(text_nearest("", keys));
	assert_null(text_nearest("x", keys));
}

static void test_hash(void **state)
{
	(void)state;
	/* vectors of the FNV reference */
	assert_true(text_hash("", 0) == 0xcbf29ce484222325ULL);
	assert_true(text_hash("a", 1) == 0xaf63dc4c8601ec8cULL);
	assert_true(text_hash("foobar", 6) == 0x85944171f73967e8ULL);
	assert_true(text_hash_add(text_hash("foo", 3), "bar", 3) == text_hash("foobar", 6));
	assert_true(text_starts("abc", "ab") && !text_starts("a", "ab"));
	assert_true(text_ends("abc", "bc") && !text_ends("c", "bc"));
	assert_true(text_is_hex("09af", 4) && text_is_hex("", 0));
	assert_false(text_is_hex("09af", 3) || text_is_hex("09af", 5) || text_is_hex("09aF", 4) ||
	             text_is_hex("09ag", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_clean), cmocka_unit_test(test_path_parts),
		cmocka_unit_test(test_path_below), cmocka_unit_test(test_escape), cmocka_unit_test(test_escape_output),
		cmocka_unit_test(test_safe_is_bounded), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_sizes),	   cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
