/* SPDX-License-Identifier: Apache-2.0 */
/* config_fixture.h - texts of a devenv.ini that must be taken, and such that must be refused and why. */
#ifndef TESTS_UNIT_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "config/config.h"

static struct config must_parse(const char *text)
{
	struct config c;
	struct err e = ERR_INIT;

	if (config_parse("devenv.ini", text, strlen(text), &c, &e))
		fail_msg("%s", e.msg);
	return c;
}

/* And leaves what the caller has untouched. */
static void must_fail_as(enum err_code code, const char *text, const char *message)
{
	struct config c = { .env_count = 77 };
	struct err e = ERR_INIT;

	if (config_parse("devenv.ini", text, strlen(text), &c, &e) == 0)
		fail_msg("was taken: %s", text);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, code);
	assert_int_equal(c.env_count, 77);
}

static inline void must_fail(const char *text, const char *message)
{
	must_fail_as(ERR_CONFIG, text, message);
}

#endif
