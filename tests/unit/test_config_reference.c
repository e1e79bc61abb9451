/* SPDX-License-Identifier: Apache-2.0 */
/* test_config_reference.c - image references: the distribution project's grammar, docker's defaults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/reference.h"

#define SHA256 "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_canonical(void **state)
{
	static const char *const cases[][2] = {
		{ "python", "docker.io/library/python:latest" },
		{ "python:3.12", "docker.io/library/python:3.12" },
		{ "library/python", "docker.io/library/python:latest" },
		{ "bitnami/redis:7", "docker.io/bitnami/redis:7" },
		{ "a/b/c", "docker.io/a/b/c:latest" },
		{ "docker.io/python", "docker.io/library/python:latest" },
		{ "index.docker.io/python", "docker.io/library/python:latest" },
		{ "index.docker.io/a/b", "docker.io/a/b:latest" },
		{ "localhost/x", "localhost/x:latest" },
		{ "localhost:5000/x:y", "localhost:5000/x:y" },
		{ "localhost:5000", "docker.io/library/localhost:5000" },
		{ "[::1]:5000/x", "[::1]:5000/x:latest" },
		{ "[fd00::2]/x/y", "[fd00::2]/x/y:latest" },
		{ "ghcr.io/owner/name", "ghcr.io/owner/name:latest" },
		{ "quay.io/x:v1@" SHA256, "quay.io/x:v1@" SHA256 },
		{ "python@" SHA256, "docker.io/library/python@" SHA256 },
		{ "HOST/x", "HOST/x:latest" },
		{ "a__b/c-d/e--f/g.h_i", "docker.io/a__b/c-d/e--f/g.h_i:latest" },
		{ "x:_A.b-C", "docker.io/library/x:_A.b-C" },
		{ "example.com:443/x", "example.com:443/x:latest" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct reference r, again;
		struct err e = ERR_INIT;
		cleanup_free char *text = NULL, *twice = NULL;

		if (reference_parse(cases[i][0], &r, &e))
			fail_msg("%s: %s", cases[i][0], e.msg);
		text = reference_format(&r);
		assert_string_equal(text, cases[i][1]);
		assert_int_equal(reference_parse(text, &again, &e), 0);
		twice = reference_format(&again);
		assert_string_equal(twice, text);
		reference_release(&r);
		reference_release(&r);
		reference_release(&again);
	}
}

static void test_parts(void **state)
{
	struct reference r;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(reference_parse("localhost:5000/a/b:c@" SHA256, &r, &e), 0);
	assert_string_equal(r.host, "localhost:5000");
	assert_string_equal(r.path, "a/b");
	assert_string_equal(r.tag, "c");
	assert_string_equal(r.digest, SHA256);
	reference_release(&r);
	assert_int_equal(reference_parse("x@" SHA256, &r, &e), 0);
	assert_null(r.tag);
	reference_release(&r);
}

static void must_fail(const char *text, const char *message)
{
	struct reference r = { .host = (char *)text };
	struct err e = ERR_INIT;

	assert_int_equal(reference_parse(text, &r, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_USAGE);
	assert_ptr_equal(r.host, text);
}

static void test_refused(void **state)
{
	(void)state;
	must_fail("", "an image reference can't be empty");
	must_fail("Python", "image reference 'Python': repository name must be lower case");
	must_fail("docker.io/A", "image reference 'docker.io/A': repository name must be lower case");
	must_fail("docker.io/", "image reference 'docker.io/' has no repository name");
	must_fail(":3", "image reference ':3' has no repository name");
	must_fail("@" SHA256, "image reference '@" SHA256 "' has no repository name");
	must_fail("a b", "image reference 'a b': 'a b' is not a repository name");
	must_fail("a//b", "image reference 'a//b': 'a//b' is not a repository name");
	must_fail("a/", "image reference 'a/': 'a/' is not a repository name");
	must_fail("/a", "image reference '/a': '/a' is not a repository name");
	must_fail("a/../b", "image reference 'a/../b': 'a/../b' is not a repository name");
	must_fail("../b", "image reference '../b': '..' is not a registry host");
	must_fail("a___b", "image reference 'a___b': 'a___b' is not a repository name");
	must_fail("a_", "image reference 'a_': 'a_' is not a repository name");
	must_fail("a..b", "image reference 'a..b': 'a..b' is not a repository name");
	must_fail("-a", "image reference '-a': '-a' is not a repository name");
	must_fail("a:", "image reference 'a:': '' is not a tag");
	must_fail("a:-x", "image reference 'a:-x': '-x' is not a tag");
	must_fail("a:b:c", "image reference 'a:b:c': 'b:c' is not a tag");
	must_fail("a:b/c", "image reference 'a:b/c': 'a:b' is not a registry host");
	must_fail("a@sha256:1", "image reference 'a@sha256:1': 'sha256:1' is not a digest");
	must_fail("a@" SHA256 "@" SHA256,
	          "image reference 'a@" SHA256 "@" SHA256 "': '" SHA256 "@" SHA256 "' is not a digest");
	must_fail("a.b:0/x", "image reference 'a.b:0/x': 'a.b:0' is not a registry host");
	must_fail("a.b:65536/x", "image reference 'a.b:65536/x': 'a.b:65536' is not a registry host");
	must_fail("-a.b/x", "image reference '-a.b/x': '-a.b' is not a registry host");
	must_fail("a.b./x", "image reference 'a.b./x': 'a.b.' is not a registry host");
	must_fail("[::1/x", "image reference '[::1/x': '[::1' is not a registry host");
	must_fail("[::g]/x", "image reference '[::g]/x': '[::g]' is not a registry host");
	must_fail("me@host.example/x",
	          "image reference 'me@host.example/x': 'host.example/x' is not a digest");
	must_fail("https://a.b/x", "image reference 'https://a.b/x' is written like a URL");
	must_fail(
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"image reference '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef': 64 hex digits "
		"are not a repository name");
	must_fail("a\x1b[31m", "image reference 'a\\x1b[31m': 'a\\x1b[31m' is not a repository name");
}

static void test_lengths(void **state)
{
	struct buf text = BUF_INIT;
	struct reference r;
	struct err e = ERR_INIT;

	(void)state;
	buf_adds(&text, "x.y/");
	for (int i = 0; i < 255; i++)
		buf_addch(&text, 'a');
	buf_adds(&text, ":");
	for (int i = 0; i < 128; i++)
		buf_addch(&text, 't');
	assert_int_equal(reference_parse(text.data, &r, &e), 0);
	reference_release(&r);
	buf_addch(&text, 't');
	assert_int_equal(reference_parse(text.data, &r, &e), -1);
	buf_clear(&text);
	buf_adds(&text, "x.y/");
	for (int i = 0; i < 256; i++)
		buf_addch(&text, 'a');
	assert_int_equal(reference_parse(text.data, &r, &e), -1);
	assert_non_null(strstr(e.msg, "repository name can have 255 characters at most"));
	for (int i = 0; i < 100000; i++)
		buf_addch(&text, 'a');
	assert_int_equal(reference_parse(text.data, &r, &e), -1);
	assert_string_equal(e.msg, "an image reference can't have more than 1024 bytes");
	buf_release(&text);
}

static void test_loopback(void **state)
{
	static const char *const loopback[] = {
		"localhost",  "LOCALHOST:5000",        "127.0.0.1", "127.255.0.9:1", "[::1]",
		"[::1]:5000", "[0:0:0:0:0:0:0:1]:5000"
	};
	static const char *const other[] = { "localhost.example.com",
		                             "127.0.0.1.example.com",
		                             "128.0.0.1",
		                             "docker.io",
		                             "[::2]",
		                             "127.1",
		                             "localhosts",
		                             "[::ffff:127.0.0.1]",
		                             "0.0.0.0",
		                             "10.127.0.1:127" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(loopback); i++)
		assert_true(reference_is_loopback(&(struct reference){ .host = (char *)loopback[i] }));
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		assert_false(reference_is_loopback(&(struct reference){ .host = (char *)other[i] }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical), cmocka_unit_test(test_parts),
		cmocka_unit_test(test_refused),   cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests_name("config_reference", tests, NULL, NULL);
}
