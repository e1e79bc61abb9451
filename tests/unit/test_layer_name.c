/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of layer/name.c: every spelling of an entry's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "layer/name.h"

static void test_names(void **state)
{
	static const struct {
		const char *raw;
		int kind; /* -1: refused */
		const char *dir, *base;
	} cases[] = {
		{ "a", NAME_ENTRY, "", "a" },
		{ "a/b/c", NAME_ENTRY, "a/b", "c" },
		{ "./a/b/", NAME_ENTRY, "a", "b" },
		{ "/etc/passwd", NAME_ENTRY, "etc", "passwd" },
		{ "///a//b///c//", NAME_ENTRY, "a/b", "c" },
		{ "a/./b", NAME_ENTRY, "a", "b" },
		{ "a/../b", NAME_ENTRY, "", "b" },
		{ "a/b/../../c/d", NAME_ENTRY, "c", "d" },
		{ "...", NAME_ENTRY, "", "..." },
		{ "..a/b", NAME_ENTRY, "..a", "b" },
		{ "a\nb", NAME_ENTRY, "", "a\nb" },
		{ ".", NAME_ROOT, "", "" },
		{ "./", NAME_ROOT, "", "" },
		{ "/", NAME_ROOT, "", "" },
		{ "a/..", NAME_ROOT, "", "" },
		{ "", -1, NULL, NULL },
		{ "..", -1, NULL, NULL },
		{ "../a", -1, NULL, NULL },
		{ "a/../../b", -1, NULL, NULL },
		{ "/..", -1, NULL, NULL },
		{ ".wh.a", NAME_WHITEOUT, "", "a" },
		{ "d/.wh.a/", NAME_WHITEOUT, "d", "a" },
		{ "d/.wh...a", NAME_WHITEOUT, "d", "..a" },
		{ "d/.wh..a", NAME_WHITEOUT, "d", ".a" },
		{ "d/.wh..wh..opq", NAME_OPAQUE, "d", "" },
		{ ".wh..wh..opq", NAME_OPAQUE, "", "" },
		{ ".wh..wh.plnk", NAME_IGNORED, NULL, NULL },
		{ ".wh..wh.plnk/123.456", NAME_IGNORED, NULL, NULL },
		{ "d/.wh..wh.aufs", NAME_IGNORED, NULL, NULL },
		{ ".wh.", -1, NULL, NULL },
		{ ".wh..", -1, NULL, NULL },
		{ ".wh...", -1, NULL, NULL },
		{ "d/.wh...", -1, NULL, NULL },
		{ "d/.wh.x/y", -1, NULL, NULL },
		{ ".wha", NAME_ENTRY, "", ".wha" },
		{ "x.wh.y", NAME_ENTRY, "", "x.wh.y" },
	};
	struct name *n = mem_alloc(sizeof(*n));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		int result = name_parse(n, cases[i].raw, &e);

		if (result != (cases[i].kind < 0 ? -1 : 0))
			fail_msg("'%s' gave %d", cases[i].raw, result);
		if (result < 0) {
			assert_int_equal(e.code, ERR_INTEGRITY);
			continue;
		}
		if ((int)n->kind != cases[i].kind)
			fail_msg("'%s' is of kind %d", cases[i].raw, n->kind);
		if (cases[i].dir) {
			assert_string_equal(n->dir, cases[i].dir);
			assert_string_equal(n->base, cases[i].base);
		}
	}
	free(n);
}

static void test_lengths(void **state)
{
	struct name *n = mem_alloc(sizeof(*n));
	char *raw = mem_alloc(8192);
	struct err e = ERR_INIT;

	(void)state;
	memset(raw, 'x', 255);
	assert_int_equal(name_parse(n, raw, &e), 0);
	raw[255] = 'x';
	assert_int_equal(name_parse(n, raw, &e), -1);
	for (size_t i = 0; i < 4094; i++)
		raw[i] = i % 2 ? '/' : 'd';
	raw[4094] = '\0';
	assert_int_equal(name_parse(n, raw, &e), 0);
	for (size_t i = 0; i < 4200; i++)
		raw[i] = i % 2 ? '/' : 'd';
	raw[4200] = '\0';
	assert_int_equal(name_parse(n, raw, &e), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	free(raw);
	free(n);
}

static void test_targets(void **state)
{
	struct name *n = mem_alloc(sizeof(*n));
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(name_parse_target(n, "/a/.wh.b", &e), 0);
	assert_string_equal(n->dir, "a");
	assert_string_equal(n->base, ".wh.b");
	assert_int_equal(name_parse_target(n, "../../etc/passwd", &e), -1);
	assert_int_equal(name_parse_target(n, "", &e), -1);
	free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
