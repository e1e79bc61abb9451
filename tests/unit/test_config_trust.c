/* SPDX-License-Identifier: Apache-2.0 */
/* test_config_trust.c - the record of granted powers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "config/trust.h"

static void round_trip(const struct trust *t, const char *text)
{
	struct buf out = BUF_INIT, again = BUF_INIT;
	struct trust back;
	struct err e = ERR_INIT;

	trust_format(t, &out);
	assert_string_equal(out.data, text);
	if (trust_parse("trust", out.data, out.len, &back, &e))
		fail_msg("%s", e.msg);
	trust_format(&back, &again);
	assert_string_equal(again.data, text);
	trust_release(&back);
	trust_release(&back);
	buf_release(&out);
	buf_release(&again);
}

static void test_round_trip(void **state)
{
	struct trust t = { 0 };

	(void)state;
	round_trip(&t, "; Powers granted with `devenv allow`\n[trust]\npowers =\n");
	strlist_add(&t.powers, "network:host");
	strlist_add(&t.powers, "mount:/my data ;x #y:ro");
	strlist_add(&t.powers, "mount:/my data ;x #y:ro");
	strlist_add(&t.powers, "#odd");
	round_trip(
		&t,
		"; Powers granted with `devenv allow`\n[trust]\npowers =\n\t#odd\n\tmount:/my data ;x #y:ro\n"
		"\tnetwork:host\n");
	trust_release(&t);
}

static void test_sorted(void **state)
{
	static const char text[] = "[trust]\npowers = b\n  c\n  a\n";
	struct trust t;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(trust_parse("trust", text, strlen(text), &t, &e), 0);
	assert_int_equal(t.powers.count, 3);
	assert_string_equal(t.powers.items[0], "a");
	assert_string_equal(t.powers.items[2], "c");
	trust_release(&t);
}

static void must_fail(const char *text, const char *message)
{
	struct trust t = { .powers.count = 77 };
	struct err e = ERR_INIT;

	assert_int_equal(trust_parse("trust", text, strlen(text), &t, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(t.powers.count, 77);
}

/* A record that is not understood whole grants nothing. */
static void test_refused(void **state)
{
	(void)state;
	must_fail("", "trust: there is no list of powers in it");
	must_fail("[trust]\n", "trust: there is no list of powers in it");
	must_fail("[trust]\npowers = a\nuntil = tomorrow\n", "trust:3: unknown key 'until' in [trust]");
	must_fail("[trust]\npowers = a\n[more]\n", "trust:3: unknown section [more]");
	must_fail("[trust]\npowers = a\n[trust]\n", "trust:3: section [trust] is there already, at line 1");
	must_fail("[trust]\npowers", "trust:2: 'powers' is neither 'key = value' nor a [section]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("config_trust", tests, NULL, NULL);
}
