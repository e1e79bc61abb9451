/* SPDX-License-Identifier: Apache-2.0 */
/* [build]: what may be written, how files are laid over each other, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/config.h"

#define BASE "[base]\nimage = debian\n[build]\n"

static void must_fail(const char *lines, const char *message)
{
	cleanup_free char *text = mem_printf(BASE "%s\n", lines);
	struct config c = { 0 };
	struct err e = ERR_INIT;

	assert_int_equal(config_parse("devenv.ini", text, strlen(text), &c, &e), -1);
	assert_string_equal(e.msg, message);
}

static void test_all(void **state)
{
	static const char text[] = BASE "run =\n  one\n  two\ninputs = a.txt src\n  lib/*.c\nenv.A = 1\nenv.B_2 = x y\n"
					"network = none\ncache = /root/.cache/pip ~/.npm\nshell = bash\n";
	struct config c = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	if (config_parse("devenv.ini", text, strlen(text), &c, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(c.build, "one\ntwo");
	assert_int_equal(c.build_inputs.count, 3);
	assert_string_equal(c.build_inputs.items[2], "lib/*.c");
	assert_int_equal(c.build_env_count, 2);
	assert_string_equal(c.build_env[1].name, "B_2");
	assert_string_equal(c.build_env[1].value, "x y");
	assert_int_equal(c.build_network, CONFIG_NETWORK_NONE);
	assert_int_equal(c.build_cache.count, 2);
	assert_string_equal(c.build_shell, "bash");
	config_release(&c);
}

static void test_default_network(void **state)
{
	struct config c = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(config_parse("devenv.ini", BASE "run = x\n", strlen(BASE "run = x\n"), &c, &e), 0);
	assert_true(c.build_network != CONFIG_NETWORK_NONE);
	assert_null(c.build_shell);
	config_release(&c);
}

static void test_refused(void **state)
{
	(void)state;
	must_fail("inputs = a", "devenv.ini:4: [build] has no run");
	must_fail("run =", "devenv.ini:4: [build] run: the script is empty");
	must_fail("run = x\ncache = here", "devenv.ini:5: [build] cache: 'here' is not a directory inside: /... or ~/...");
	must_fail("run = x\ncache = /a/../b", "devenv.ini:5: [build] cache: '/a/../b' has '..' in it");
	must_fail("run = x\ncache = ~/", "devenv.ini:5: [build] cache: '~/' as a whole can't be a cache");
	must_fail("run = x\ncache = /workspace", "devenv.ini:5: [build] cache: '/workspace' can't be a cache: the inputs are there");
	must_fail("run = x\ncache = /c\n  /workspace/.cache/",
		  "devenv.ini:5: [build] cache: '/workspace/.cache/' can't be a cache: the inputs are there");
	must_fail("run = x\ncache = /", "devenv.ini:5: [build] cache: '/' can't be a cache: it would hide / of the environment");
	must_fail("run = x\ncache = /usr//", "devenv.ini:5: [build] cache: '/usr//' can't be a cache: it would hide /usr of the environment");
	must_fail("run = x\ncache = /proc/x",
		  "devenv.ini:5: [build] cache: '/proc/x' can't be a cache: it would hide /proc of the environment");
	must_fail("run = x\ncache = /sys", "devenv.ini:5: [build] cache: '/sys' can't be a cache: it would hide /sys of the environment");
	must_fail("run = x\ncache = /dev/shm",
		  "devenv.ini:5: [build] cache: '/dev/shm' can't be a cache: it would hide /dev of the environment");
	must_fail("run = x\ncache = /run/c", "devenv.ini:5: [build] cache: '/run/c' can't be a cache: it would hide /run of the environment");
	must_fail("run = x\ninputs = ~bob/x", "devenv.ini:5: [build] inputs: '~bob/x' is nobody's home directory here: a path begins with ~/");
	must_fail("run = x\ninputs = ../*.c",
		  "devenv.ini:5: [build] inputs: '../*.c' is a pattern, and those are for files below the project");
	must_fail("run = x\ninputs = /etc/*",
		  "devenv.ini:5: [build] inputs: '/etc/*' is a pattern, and those are for files below the project");
	must_fail("run = x\nnetwork = private", "devenv.ini:5: [build] network: unknown value 'private': it is host or none");
	must_fail("run = x\nenv.1x = a", "devenv.ini:5: [build] '1x' can't be the name of a variable");
}

static void test_layers(void **state)
{
	static const char base[] = BASE "run = one\ninputs = a b\n", own[] = "[build]\nrun = two\ninputs = !a c\n",
			  local[] = "[build]\nrun = three\n";
	struct config_text texts[] = { { "base.ini", base, sizeof(base) - 1, false },
				       { "devenv.ini", own, sizeof(own) - 1, false },
				       { "devenv.local.ini", local, sizeof(local) - 1, true } };
	struct config c = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	if (config_parse_texts(texts, 2, true, &c, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(c.build, "two");
	assert_int_equal(c.build_inputs.count, 2);
	assert_string_equal(c.build_inputs.items[0], "b");
	assert_string_equal(c.build_inputs.items[1], "c");
	config_release(&c);
	assert_int_equal(config_parse_texts(texts, 3, true, &c, &e), -1);
	assert_non_null(strstr(e.msg, "devenv.local.ini:2: [build] run is not for this file to set"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_default_network),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
