/* SPDX-License-Identifier: Apache-2.0 */
/* test_env_packages_output.c - what dpkg says: how far it is, and which package's script failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "env/packages_output.h"

static char names[][16] = { "mariadb-server", "jq", "libc6" };
static const struct lock_package maria = { .name = names[0] }, jq = { .name = names[1] }, libc = { .name = names[2] };
static const struct lock_package *const three[] = { &maria, &jq, &libc };

static void see(void *data, const char *what, uint64_t done, uint64_t total)
{
	buf_addf(data, "%s %d/%d\n", what, (int)done, (int)total);
}

static void hear(void *data, const char *line)
{
	buf_addf(data, "%s\n", line);
}

static void tell(struct packages_output *t, const char *text)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;

	strlist_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++)
		packages_output_line(t, lines.items[i], strlen(lines.items[i]));
}

static void sees(bool unpacks, const char *text, const char *expected)
{
	cleanup_buf struct buf seen = BUF_INIT;
	struct env_ui ui = { .packages = see, .progress.data = &seen };
	struct packages_output t = { .ui = &ui, .packages = three, .count = 3, .unpacks = unpacks };

	packages_output_start(&t);
	tell(&t, text);
	packages_output_end(&t);
	packages_output_release(&t);
	assert_string_equal(seen.data, expected);
}

static void test_counts(void **state)
{
	(void)state;
	sees(true, "Selecting previously unselected package jq.\nPreparing to unpack .../jq.deb ...\nUnpacking jq (1.6) ...\n"
		   "Unpacking libc6:amd64 (2.36-9) over (2.36-8) ...\nSetting up libc6:amd64 (2.36-9) ...\nSetting up jq (1.6) ...",
	     "unpacking 0/3\nunpacking 0/3\nunpacking 1/3\nconfiguring 0/3\nconfiguring 1/3\nconfiguring 3/3\n");
	/* what dpkg has to unpack of a base is little; scripts say such words too; nothing comes twice */
	sees(false, "Unpacking jq (1.6) ...\nSetting up jq (1.6) ...\nSetting up the cluster (main) ...\nSetting up jq\n"
		    "Setting up jqx (1) ...\nSetting up",
	     "configuring 0/3\nconfiguring 0/3\nconfiguring 3/3\n");
}

/* The message and the hint of a failure. */
static void explains(const char *text, const char *message, const char *hint)
{
	struct env_ui ui = { 0 };
	struct packages_output t = { .ui = &ui, .packages = three, .count = 3 };
	struct err e = ERR_INIT;

	err_set_(&e, ERR_FAILED, "the packages step failed with status 1");
	tell(&t, text);
	assert_int_equal(packages_output_explain(&t, &e), -1);
	packages_output_release(&t);
	assert_int_equal(e.code, ERR_FAILED);
	assert_string_equal(e.msg, message);
	assert_non_null(strstr(e.hint, hint));
}

static void test_script(void **state)
{
	(void)state;
	explains("Setting up jq (1.6) ...\nof jq\nSetting up mariadb-server (1:10.11) ...\nmysqld: Can't create \033[1mfile\n"
		 "dpkg: error processing package mariadb-server (--configure):\n"
		 " installed mariadb-server package post-installation script subprocess returned error exit status 3\n"
		 "dpkg: dependency problems prevent configuration of jq:\n"
		 "dpkg: error processing package jq (--configure):\n dependency problems - leaving unconfigured\n"
		 "Errors were encountered while processing:\n mariadb-server\n jq",
		 "the post-installation script of mariadb-server failed with status 3\n  mysqld: Can't create \\x1b[1mfile",
		 "devenv -v pull");
	explains("Unpacking jq (1.6) ...\ndpkg: error processing archive /debs/jq_1.deb (--unpack):\n"
		 " new jq package pre-installation script subprocess was killed by signal (Killed)",
		 "the pre-installation script of jq was killed by signal (Killed)", "devenv -v pull");
}

static void test_other_failures(void **state)
{
	(void)state;
	explains("dpkg: dependency problems prevent configuration of jq:\n jq depends on x; however:\n"
		 "dpkg: error processing package jq (--configure):\n dependency problems - leaving unconfigured",
		 "dpkg failed on package jq (--configure): dependency problems - leaving unconfigured\n"
		 "  dpkg: dependency problems prevent configuration of jq:\n   jq depends on x; however:",
		 "devenv -v pull");
	explains("/.devenv-step: 1: dpkg: not found",
		 "the packages step failed with status 1\n  /.devenv-step: 1: dpkg: not found", "devenv -v pull");
	explains("", "the packages step failed with status 1", "devenv -v pull");
}

static void test_long_output(void **state)
{
	struct env_ui ui = { 0 };
	struct packages_output t = { .ui = &ui, .packages = three, .count = 3 };
	struct err e = ERR_INIT;

	(void)state;
	err_set_(&e, ERR_FAILED, "it failed");
	for (int i = 0; i < 40; i++) {
		cleanup_free char *line = mem_printf("line %d %0*d", i, i % 3 ? 1 : 400, 7);

		packages_output_line(&t, line, strlen(line));
	}
	packages_output_explain(&t, &e);
	/* the newest, in their order, and room for what is put before it */
	assert_true(strlen(e.msg) < sizeof(e.msg) - 70);
	assert_true(text_ends(e.msg, "..."));
	assert_non_null(strstr(e.msg, "\n  line 37 7\n  line 38 7\n  line 39 "));
	assert_null(strstr(e.msg, "line 27"));
	packages_output_release(&t);
}

static void test_all_of_it(void **state)
{
	cleanup_buf struct buf heard = BUF_INIT;
	struct env_ui ui = { .package_line = hear, .data = &heard };
	struct packages_output t = { .ui = &ui, .packages = three, .count = 3 };
	struct err e = ERR_INIT;

	(void)state;
	tell(&t, "Setting up jq (1.6) ...\na\033b\ndpkg: error processing package jq (--configure):\n"
		 " installed jq package post-installation script subprocess returned error exit status 1\nmore");
	assert_string_equal(heard.data, "Setting up jq (1.6) ...\na\\x1bb\ndpkg: error processing package jq (--configure):\n"
					" installed jq package post-installation script subprocess returned error exit status 1\nmore\n");
	/* whose lines stand above is in no need of them, nor of being told how to see them */
	err_set_(&e, ERR_FAILED, "it failed");
	packages_output_explain(&t, &e);
	assert_string_equal(e.msg, "the post-installation script of jq failed with status 1");
	assert_string_equal(e.hint, "");
	packages_output_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_other_failures),
		cmocka_unit_test(test_long_output),
		cmocka_unit_test(test_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
