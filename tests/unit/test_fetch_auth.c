/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_auth.c - challenges, tokens, error bodies, base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/auth.h"

static void expect(const char *header, enum auth_scheme scheme, const char *realm, const char *service,
		   const char *scope)
{
	struct auth_challenge c = { 0 };
	struct err e = ERR_INIT;

	if (auth_parse(header, &c, &e) < 0)
		fail_msg("%s: %s", header, e.msg);
	assert_int_equal(c.scheme, scheme);
	if (realm)
		assert_string_equal(c.realm, realm);
	else
		assert_null(c.realm);
	if (service)
		assert_string_equal(c.service, service);
	else
		assert_null(c.service);
	if (scope)
		assert_string_equal(c.scope, scope);
	else
		assert_null(c.scope);
	auth_challenge_release(&c);
	auth_challenge_release(&c);
}

static void challenges(void **state)
{
	(void)state;
	expect("Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
	       "scope=\"repository:library/alpine:pull\"",
	       AUTH_BEARER, "https://auth.docker.io/token", "registry.docker.io", "repository:library/alpine:pull");
	expect("Basic realm=\"Registry Realm\"", AUTH_BASIC, "Registry Realm", NULL, NULL);
	expect("basic realm=simple", AUTH_BASIC, "simple", NULL, NULL);
	expect("Basic", AUTH_BASIC, NULL, NULL, NULL);
	expect("", AUTH_NONE, NULL, NULL, NULL);
	expect(" , ,", AUTH_NONE, NULL, NULL, NULL);
	expect("Negotiate", AUTH_NONE, NULL, NULL, NULL);
	expect("Negotiate abcDEF/+==, Basic realm=\"x\"", AUTH_BASIC, "x", NULL, NULL);
	expect("Basic realm=\"a\", Bearer realm=\"b\" , service=s", AUTH_BEARER, "b", "s", NULL);
	expect("Bearer realm=\"b\",service=\"s\", Basic realm=\"a\"", AUTH_BEARER, "b", "s", NULL);
	expect("Bearer realm = \"q\\\"uo\\\\te\" , x=y", AUTH_BEARER, "q\"uo\\te", NULL, NULL);
	expect("Bearer realm=\"with, comma\",scope=\"\"", AUTH_BEARER, "with, comma", NULL, "");
	expect("Digest qop=\"auth, auth-int\", realm=r, Basic realm=b", AUTH_BASIC, "b", NULL, NULL);
}

static void bad_challenges(void **state)
{
	static const char *const bad[] = {
		"Bearer realm=\"unterminated", "Bearer realm=\"a\" service=\"b\"", "Bearer realm=\"a\",realm=\"b\"",
		"Bearer realm=,service=s",     "Bearer realm=\"a\\",		   "\"quoted\"",
		"Bearer realm=\"a\x01\"",      "Bearer realm=\"a\r\nX: y\"",	   "=x",
		"Bearer; realm=x",	       "Basic realm=\xff",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct auth_challenge c = { .scheme = AUTH_BASIC };
		struct err e = ERR_INIT;

		if (auth_parse(bad[i], &c, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.code, ERR_NETWORK);
		assert_int_equal(c.scheme, AUTH_BASIC); /* untouched */
		assert_null(c.realm);
	}
}

static void token_of(const char *json, const char *want)
{
	struct err e = ERR_INIT;
	char *token = NULL;
	int rc = auth_parse_token(json, strlen(json), &token, &e);

	if (!want) {
		assert_int_equal(rc, -1);
		assert_null(token);
		assert_null(strstr(e.msg, "SECRET"));
		return;
	}
	assert_int_equal(rc, 0);
	assert_string_equal(token, want);
	free(token);
}

static void tokens(void **state)
{
	(void)state;
	token_of("{\"token\":\"abc.def\",\"expires_in\":300}", "abc.def");
	token_of("{\"access_token\":\"xyz\"}", "xyz");
	token_of("{\"token\":\"a\",\"access_token\":\"b\"}", "a");
	token_of("{\"token\":\"\"}", NULL);
	token_of("{\"token\":\"SECRET\\r\\nX-Evil: 1\"}", NULL);
	token_of("{\"token\":\"SECRET space\"}", NULL);
	token_of("{\"token\":\"a\",\"token\":\"SECRET\"}", NULL);
	token_of("{\"token\":\"SECRET\"", NULL);
	token_of("{\"token\":5}", NULL);
	token_of("[]", NULL);
	token_of("", NULL);
}

static void error_bodies(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{ "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no \\u001b[31mred\"}]}", "DENIED: no \\x1b[31mred" },
		{ "{\"errors\":[{\"code\":\"UNKNOWN\"}]}", "UNKNOWN" },
		{ "{\"details\":\"incorrect username or password\"}", "incorrect username or password" },
		{ "{\"errors\":[]}", "" },
		{ "<html>", "" },
		{ "[1]", "" },
		{ "", "" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_INIT;

		auth_error_text(cases[i].json, strlen(cases[i].json), &out);
		assert_string_equal(out.data, cases[i].text);
		buf_release(&out);
	}
}

static void base64(void **state)
{
	static const struct {
		const char *plain, *coded;
	} cases[] = { { "", "" },	      { "f", "Zg==" },	       { "fo", "Zm8=" }, { "foo", "Zm9v" },
		      { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
	static const char *const bad[] = { "Z", "Zg=", "Zg===", "Z g==", "Zm9v=", "Zg==x", "=", "Zm9\n" };
	struct buf out = BUF_INIT;
	char *s;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		auth_base64_encode(cases[i].plain, strlen(cases[i].plain), &out);
		assert_string_equal(out.data, cases[i].coded);
		buf_clear(&out);
		assert_int_equal(auth_base64_decode(cases[i].coded, &out), 0);
		assert_string_equal(out.data, cases[i].plain);
	}
	buf_clear(&out);
	assert_int_equal(auth_base64_decode("Zg", &out), 0); /* unpadded */
	assert_string_equal(out.data, "f");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (auth_base64_decode(bad[i], &out) == 0)
			fail_msg("accepted: %s", bad[i]);
	buf_release(&out);
	s = auth_basic("Aladdin", "open sesame");
	assert_string_equal(s, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	free(s);
}

static void url_encoding(void **state)
{
	struct buf out = BUF_INIT;
	(void)state;

	auth_url_encode("repository:a/b-c_d.e~:pull&x=\xc3\xa4 ", &out);
	assert_string_equal(out.data, "repository%3Aa%2Fb-c_d.e~%3Apull%26x%3D%C3%A4%20");
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges),	cmocka_unit_test(bad_challenges), cmocka_unit_test(tokens),
		cmocka_unit_test(error_bodies), cmocka_unit_test(base64),	  cmocka_unit_test(url_encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
