/* SPDX-License-Identifier: Apache-2.0 */
/* [mount.*], [pass-env], [setup] and protect: what is accepted, how it arrives, and the message for what is not. */
#include "unit/config_fixture.h"

#define BASE "[base]\nimage = debian\n" /* two lines */
#define MOUNT BASE "[mount.data]\nsource = ~/data\ntarget = /data\n"

static void test_mounts(void **state)
{
	struct config c = must_parse(MOUNT "mode = rw\n[mount.conf]\nsource = conf/x\ntarget = ~/.x\n");

	(void)state;
	assert_int_equal(c.mount_count, 2);
	assert_string_equal(c.mounts[0].name, "data");
	assert_string_equal(c.mounts[0].source, "~/data");
	assert_string_equal(c.mounts[0].target, "/data");
	assert_false(c.mounts[0].read_only);
	assert_int_equal(c.mounts[0].source_line, 4);
	assert_int_equal(c.mounts[0].target_line, 5);
	assert_true(c.mounts[1].read_only);
	config_release(&c);
}

static void test_mounts_refused(void **state)
{
	(void)state;
	must_fail(BASE "[mount.a]\nsource = /x\n", "devenv.ini:3: [mount.a] has no target");
	must_fail(BASE "[mount.a]\ntarget = /x\n", "devenv.ini:3: [mount.a] has no source");
	must_fail(BASE "[mount.A]\nsource = /x\n", "devenv.ini:3: 'A' can't be the name of a mount");
	must_fail(MOUNT "mode = wr\n", "devenv.ini:6: [mount.data] mode: unknown value 'wr'; did you mean 'rw'?");
	must_fail(BASE "[mount.a]\nsource = ~joe/x\ntarget = /x\n",
		  "devenv.ini:4: [mount.a] source: '~joe/x' is not absolute, ~/... or below the project");
	must_fail(BASE "[mount.a]\nsource = /x\ntarget = /usr/lib\n",
		  "devenv.ini:5: [mount.a] target: '/usr/lib' can't be a target: it would hide /usr/lib of the environment");
	must_fail(BASE "[mount.a]\nsource = /x\ntarget = .git/hooks\n",
		  "devenv.ini:5: [mount.a] target: '.git/hooks' can't be a mount: git needs it");
	must_fail(MOUNT "[mount.b]\nsource = /y\ntarget = /data/\n",
		  "devenv.ini:8: [mount.b] target: '/data/' is the target of [mount.data] already");
	must_fail(MOUNT "[volume.v]\ntarget = /data\n",
		  "devenv.ini:5: [mount.data] target: '/data' is the target of [volume.v] already");
}

static void test_pass_env(void **state)
{
	struct config c = must_parse(BASE "[pass-env]\nnames = AWS_PROFILE\n  EDITOR\n");

	(void)state;
	assert_int_equal(c.pass_env.count, 2);
	assert_string_equal(c.pass_env.items[1], "EDITOR");
	config_release(&c);
	must_fail(BASE "[pass-env]\nnames = AWS_*\n",
		  "devenv.ini:4: [pass-env] names: 'AWS_*' can't be the name of a variable");
	must_fail(BASE "[pass-env]\nnames =\n", "devenv.ini:4: [pass-env] names: the list is empty");
}

static void test_setup(void **state)
{
	struct config c = must_parse(BASE "[setup]\ninputs = a.lock b.lock\nrun =\n  one\n  two\n");

	(void)state;
	assert_string_equal(c.setup, "one\ntwo");
	assert_int_equal(c.setup_inputs.count, 2);
	assert_int_equal(c.setup_inputs_line, 4);
	config_release(&c);
	must_fail(BASE "[setup]\ninputs = a\n", "devenv.ini:4: [setup] has inputs but no run");
	must_fail(BASE "[setup]\nrun =\n", "devenv.ini:4: [setup] run: the script is empty");
}

static void test_protect(void **state)
{
	struct config c = must_parse(BASE "[sandbox]\nprotect = git\n");

	(void)state;
	assert_int_equal(c.protect, CONFIG_PROTECT_GIT);
	config_release(&c);
	c = must_parse(BASE);
	assert_int_equal(c.protect, CONFIG_PROTECT_HOOKS);
	config_release(&c);
	must_fail(BASE "[sandbox]\nprotect = no\n",
		  "devenv.ini:4: [sandbox] protect: unknown value 'no': it is hooks, git or off");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mounts), cmocka_unit_test(test_mounts_refused), cmocka_unit_test(test_pass_env),
		cmocka_unit_test(test_setup),  cmocka_unit_test(test_protect),
	};

	return cmocka_run_group_tests_name("config_grants", tests, NULL, NULL);
}
