/* SPDX-License-Identifier: Apache-2.0 */
/* test_source_config.c - the image config: what of it counts, what is dropped with a warning, what is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "source/oci.h"

#define HEX    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX "\"]}"

static int parse(const char *json, struct oci_config *c, struct err *e)
{
	*e = ERR_INIT;
	return oci_config_parse(json, strlen(json), c, e);
}

static void test_full(void **state)
{
	static const char json[] =
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"2024-05-01T00:00:00Z\"," ROOTFS
		",\"config\":{"
		"\"Env\":[\"PATH=/bin\",\"EMPTY=\",\"X=a=b\"],\"Entrypoint\":[\"/e\",\"-x\"],\"Cmd\":[\"sh\"],"
		"\"User\":\"postgres:999\",\"WorkingDir\":\"/srv\",\"StopSignal\":\"SIGRTMIN+3\",\"Labels\":{\"a\":\"b\"},"
		"\"Volumes\":{\"/v\":{}}},\"history\":[{\"created_by\":\"ADD x\"},{\"empty_layer\":true,\"created_by\":"
		"\"CMD sh\"},{}]}";
	struct oci_config c;
	struct err e;

	(void)state;
	assert_int_equal(parse(json, &c, &e), 0);
	assert_int_equal(c.env.count, 3);
	assert_string_equal(c.env.items[2], "X=a=b");
	assert_int_equal(c.entrypoint.count, 2);
	assert_string_equal(c.cmd.items[0], "sh");
	assert_string_equal(c.user, "postgres:999");
	assert_string_equal(c.workdir, "/srv");
	assert_string_equal(c.stop_signal, "SIGRTMIN+3");
	assert_string_equal(c.architecture, "amd64");
	assert_string_equal(c.os, "linux");
	assert_string_equal(c.created, "2024-05-01T00:00:00Z");
	assert_int_equal(c.diff_ids.count, 1);
	assert_int_equal(c.history.count, 3);
	assert_string_equal(c.history.items[2], "");
	assert_int_equal(c.history_empty[0], 0);
	assert_int_equal(c.history_empty[1], 1);
	assert_int_equal(c.warnings.count, 0);
	oci_config_release(&c);
	oci_config_release(&c);
}

static void test_bare(void **state)
{
	struct oci_config c;
	struct err e;

	(void)state;
	assert_int_equal(parse("{" ROOTFS ",\"config\":null,\"history\":null}", &c, &e), 0);
	assert_string_equal(c.user, "");
	assert_string_equal(c.workdir, "");
	assert_string_equal(c.stop_signal, "");
	assert_string_equal(c.os, "");
	assert_int_equal(c.env.count, 0);
	oci_config_release(&c);
}

static void test_warnings(void **state)
{
	static const char json[] =
		"{" ROOTFS
		",\"config\":{\"Env\":[\"novalue\",\"=x\",\"1A=x\",\"a b=x\",\"a\\u001b=x\",\"OK=1\"],"
		"\"WorkingDir\":\"relative\",\"StopSignal\":\"kill; rm\"}}";
	struct oci_config c;
	struct err e;

	(void)state;
	assert_int_equal(parse(json, &c, &e), 0);
	assert_int_equal(c.env.count, 1);
	assert_string_equal(c.env.items[0], "OK=1");
	assert_int_equal(c.warnings.count, 7);
	assert_non_null(strstr(c.warnings.items[0], "novalue"));
	assert_non_null(strstr(c.warnings.items[4], "\\x1b"));
	assert_string_equal(c.workdir, "");
	assert_string_equal(c.stop_signal, "");
	oci_config_release(&c);
}

static void test_user(void **state)
{
	static const char *const good[] = { "",         "0",   "1000",      "1000:1000", "4294967294",
		                            "www-data", "a:b", "user.name", ":5",        "a:" };
	static const char *const bad[] = { "4294967295",   "4294967296", "18446744073709551616",
		                           "-1",           "+1",         "a b",
		                           "a\\nb",        "1:2:3",      "../x",
		                           "0:4294967295", "\\u00e9" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good) + ARRAY_SIZE(bad); i++) {
		bool is_good = i < ARRAY_SIZE(good);
		const char *user = is_good ? good[i] : bad[i - ARRAY_SIZE(good)];
		char *json = mem_printf("{" ROOTFS ",\"config\":{\"User\":\"%s\"}}", user);
		struct oci_config c;
		struct err e;
		int r = parse(json, &c, &e);

		if ((r == 0) != is_good)
			fail_msg("user '%s': %d", user, r);
		if (r == 0)
			oci_config_release(&c);
		free(json);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"rootfs\":{}}",
		"{\"rootfs\":{\"type\":\"other\",\"diff_ids\":[]}}",
		"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:xyz\"]}}",
		"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[1]}}",
		"{" ROOTFS "," ROOTFS "}",
		"{" ROOTFS ",\"config\":[]}",
		"{" ROOTFS ",\"config\":{\"Env\":{}}}",
		"{" ROOTFS ",\"config\":{\"Env\":[1]}}",
		"{" ROOTFS ",\"config\":{\"User\":0}}",
		"{" ROOTFS ",\"config\":{\"Cmd\":\"sh\"}}",
		"{" ROOTFS ",\"history\":[1]}",
		"{" ROOTFS ",\"os\":1}",
		"{" ROOTFS ",\"config\":{\"Cmd\":[\"a\\u0000b\"]}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct oci_config c;
		struct err e;

		if (parse(bad[i], &c, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.code, ERR_INTEGRITY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full), cmocka_unit_test(test_bare),    cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_user), cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
