/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of subordinate ids: which lines count, and the map that is made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "env/ids.h"

/* "first+count first+count" */
static void expect(const char *text, const char *name, uint32_t id, const char *expected)
{
	cleanup_buf struct buf got = BUF_INIT;
	struct ids_ranges r = { 0 };

	ids_parse(text, name, id, &r);
	for (size_t i = 0; i < r.count; i++)
		buf_addf(&got, "%s%u+%u", i ? " " : "", r.items[i].first, r.items[i].count);
	ids_release(&r);
	assert_string_equal(got.data, expected);
}

static void test_lines(void **state)
{
	(void)state;
	expect("", "jo", 1000, "");
	expect("jo:100000:65536\n", "jo", 1000, "100000+65536");
	expect("jo:100000:65536", "jo", 1000, "100000+65536");
	expect("joe:1:2\nxjo:3:4\njo:100000:65536\n1000:300000:10\n", "jo", 1000, "100000+65536 300000+10");
	expect("1000:300000:10\n", "", 1000, "300000+10");
	expect(":300000:10\n", "", 1000, "");
	expect("10000:300000:10\n01000x:1:1\n", "jo", 1000, "");
}

static void test_nonsense(void **state)
{
	(void)state;
	expect("jo\njo:\njo:1\njo::\njo:x:1\njo:1:x\njo:-5:10\njo:5: 10\njo:5:10:3\n# jo:5:10\n", "jo", 1000, "");
	expect("jo:5:0\njo:0:65536\n", "jo", 1000, "");
	expect("jo:4294967295:1\njo:4294967294:2\njo:4294967296:1\njo:99999999999999999999:1\n", "jo", 1000, "");
	expect("jo:4294967294:1\n", "jo", 1000, "4294967294+1");
	expect("jo:1:4294967294\n", "jo", 1000, "1+4294967294");
}

static void test_overlaps(void **state)
{
	(void)state;
	expect("jo:100:50\njo:149:10\njo:90:11\njo:120:1\njo:50:200\n", "jo", 1000, "100+50");
	expect("jo:100:50\njo:150:10\njo:90:10\n", "jo", 1000, "100+50 150+10 90+10");
}

static void expect_map(const char *text, uint32_t own, const char *expected)
{
	cleanup_buf struct buf got = BUF_INIT;
	struct ids_ranges r = { 0 };
	struct plan p;

	plan_init(&p);
	ids_parse(text, "jo", 1000, &r);
	ids_lay_out(&r, own, &p, plan_add_uid_range);
	assert_int_equal(p.gid_range_count, 0);
	for (size_t i = 0; i < p.uid_range_count; i++)
		buf_addf(&got, "%s%u>%u+%u", i ? " " : "", p.uid_ranges[i].inside, p.uid_ranges[i].outside,
			 p.uid_ranges[i].count);
	ids_release(&r);
	plan_release(&p);
	assert_string_equal(got.data, expected);
}

static void test_map(void **state)
{
	(void)state;
	expect_map("", 0, "");
	expect_map("jo:100000:65536\n", 0, "1>100000+65535");
	expect_map("jo:100000:65536\n", 1000, "0>100000+1000 1001>101000+64535");
	expect_map("jo:100000:65536\n", 65535, "0>100000+65535");
	expect_map("jo:100000:65536\n", 70000, "0>100000+65536");
	expect_map("jo:100000:10\n", 1000, "0>100000+10");
	expect_map("jo:100000:1000\njo:300000:5\n", 1000, "0>100000+1000 1001>300000+5");
	expect_map("jo:100000:10\njo:300000:99999999\n", 3, "0>100000+3 4>100003+7 11>300000+65525");
}

static void test_total(void **state)
{
	struct ids_ranges r = { 0 };

	(void)state;
	ids_parse("jo:1:2000000000\njo:2000000001:2000000000\n", "jo", 1000, &r);
	assert_true(ids_total(&r) == 4000000000ull);
	ids_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines), cmocka_unit_test(test_nonsense), cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_map),   cmocka_unit_test(test_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
