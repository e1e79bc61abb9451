/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what people are told: why packages can't be installed, and what an unknown name may have meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/debian_solve.h"

#define P(name, version, more) "Package: " name "\nVersion: " version "\nArchitecture: amd64\n" more "\n"
#define I(name, version, more) "Package: " name "\nStatus: install ok installed\nVersion: " version "\nArchitecture: amd64\n" more "\n"
#define ARROW " \xe2\x86\x92 "

static void says(const char *index, const char *status, const char *words, const char *expected)
{
	cleanup_strlist struct strlist wanted = STRLIST_INIT;
	struct debian_goal goal = { .wanted = &wanted, .priority = -1 };
	struct debian_solution s = { 0 };
	struct debian_universe u;
	struct err e = ERR_INIT;
	cleanup_free char *got = NULL;

	debian_universe_init(&u, "amd64");
	debian_universe_add(&u, DEBIAN_TEXT(index), 0);
	debian_universe_add_installed(&u, DEBIAN_TEXT(status));
	debian_universe_sort(&u);
	strlist_split(&wanted, words, " ");
	assert_int_equal(debian_solve(&u, &goal, &s, &e), -1);
	got = mem_printf("%s%s%s", e.msg, e.hint[0] ? " | " : "", e.hint);
	debian_universe_release(&u);
	assert_string_equal(got, expected);
}

static void test_chains(void **state)
{
	static const char index[] = P("aa", "1", "Depends: bb\n") P("bb", "1", "Depends: cc\n") P("cc", "1", "Depends: dd\n")
		P("dd", "1", "Depends: lib (<< 1)\n") P("lib", "2.6", "") P("ee", "1", "Depends: gone | lib (<< 2)\n")
		P("c0", "1", "Depends: c1\n") P("c1", "1", "Depends: c2\n") P("c2", "1", "Depends: c3\n") P("c3", "1", "Depends: c4\n")
		P("c4", "1", "Depends: c5\n") P("c5", "1", "Depends: c6\n") P("c6", "1", "Depends: c7\n") P("c7", "1", "Depends: c8\n")
		P("c8", "1", "Depends: c9\n") P("c9", "1", "Depends: none\n");

	(void)state;
	says(index, "", "dd", "dd can't be installed: dd 1 needs lib (<< 1), and the newest is 2.6");
	says(index, "", "cc", "cc can't be installed: cc needs dd 1, which needs lib (<< 1), and the newest is 2.6");
	says(index, "", "bb lib", "bb can't be installed: bb needs cc, which needs dd 1, which needs lib (<< 1), and the newest is 2.6");
	says(index, "", "aa", "aa can't be installed: aa" ARROW "bb" ARROW "cc" ARROW "dd 1 needs lib (<< 1), and the newest is 2.6");
	says(index, "", "ee", "ee can't be installed: ee 1 needs gone, and there is no such package, or lib (<< 2), and the newest is 2.6");
	says(index, "", "c0", "c0 can't be installed: c0" ARROW "c1" ARROW "c2" ARROW "c3" ARROW "..." ARROW "c6" ARROW "c7" ARROW "c8" ARROW
			      "c9 1 needs none, and there is no such package");
}

static void test_conflicts(void **state)
{
	static const char index[] = P("exim", "4", "Provides: mta\nConflicts: mta\n") P("postfix", "3", "Provides: mta\n")
		P("mails", "1", "Depends: exim\n") P("posts", "1", "Depends: postfix\n") P("both", "1", "Depends: exim, postfix\n")
		P("left", "1", "Breaks: right (<< 2)\n") P("right", "1", "") P("enemy", "1", "Conflicts: mta\n");

	(void)state;
	says(index, "", "mails posts",
	     "these packages can't be installed together: exim 4 (needed by mails) conflicts with postfix 3, which provides mta (needed by posts)");
	says(index, "", "both", "both can't be installed: exim 4 (needed by both) conflicts with postfix 3, which provides mta (needed by both)");
	says(index, "", "left right", "these packages can't be installed together: left 1 (asked for) conflicts with right 1 (asked for): not with "
				      "right (<< 2)");
	says(index, I("exim", "4", "Provides: mta\n"), "enemy",
	     "enemy can't be installed: enemy 1 (asked for) conflicts with exim 4, which provides mta (of the base)");
}

static void test_versions(void **state)
{
	(void)state;
	says(P("lib", "1", "") P("lib", "3", "") P("lib", "2", ""), "", "lib=4", "there is no version 4 of lib; there are 3, 2, 1");
	says(P("lib", "1", ""), "", "lib=4", "there is no version 4 of lib; there is 1");
}

static const char many[] = P("firefox-esr", "1", "") P("firefox-esr-l10n-de", "1", "") P("python3", "1", "") P("python-is-python3", "1", "")
	P("python-all", "1", "") P("git", "1", "") P("gitk", "1", "") P("gist", "1", "") P("libssl3", "1", "") P("libssh-4", "1", "")
	P("nodejs", "1", "") P("nodm", "1", "") P("node-q", "1", "") P("node-is-odd", "1", "") P("node-is-node", "1", "") P("npm", "1", "Depends: nodejs\n") P("nginx", "1", "") P("curl", "1", "") P("purl", "1", "")
	P("build-essential", "1", "") P("zebra-crossing", "1", "") P("cheese", "1", "") P("chess", "1", "") P("board", "1", "Depends: chess\n");

static void test_near_names(void **state)
{
	static const struct {
		const char *name, *meant;
	} cases[] = {
		{ "firefox", "firefox-esr" }, { "gitt", "git" },	  { "libssl1.1", "libssl3" }, { "node", "nodejs" },
		{ "ngnix", "nginx" },	      { "curk", "curl" },	  { "build-esential", "build-essential" },
		{ "buidl-essentail", "build-essential" },
		{ "nginx-extra-large", "nginx" },
		{ "vurl", "curl' or 'purl" }, /* another first letter: one slip only */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *expected = mem_printf("there is no package '%s' in the distribution | did you mean '%s'?", cases[i].name, cases[i].meant);

		says(many, "", cases[i].name, expected);
	}
	says(many, "", "python", "there is no package 'python' in the distribution | did you mean 'python3' or 'python-is-python3'?");
	says(many, "", "zebra-crossinc-x", "there is no package 'zebra-crossinc-x' in the distribution");
	says(many, "", "xebra-crossinx", "there is no package 'xebra-crossinx' in the distribution");
	says(many, "", "nothing gitt curl curk=1", "there are no packages 'nothing', 'gitt', 'curk' in the distribution | did you mean "
					       "'git' for 'gitt', 'curl' for 'curk'?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains), cmocka_unit_test(test_conflicts), cmocka_unit_test(test_versions), cmocka_unit_test(test_near_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
