/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that make git run something: all the ways to write them, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "plan/gitkeys.h"

static void take(void *data, const char *name, const char *value)
{
	buf_addf(data, "%s=%s;", name, value);
}

static void assert_found_bytes(const char *text, size_t len, const char *wanted)
{
	cleanup_buf struct buf found = BUF_INIT;

	gitkeys_scan(text, len, take, &found);
	assert_string_equal(found.data, wanted);
}

static void assert_found(const char *text, const char *wanted)
{
	char *copy = malloc(strlen(text)); /* no NUL behind it: a sanitizer sees a byte too many */

	memcpy(copy, text, strlen(text));
	assert_found_bytes(copy, strlen(text), wanted);
	free(copy);
}

static void test_ways_to_write(void **state)
{
	(void)state;
	assert_found("[core]\n\tsshCommand = ssh -v\n", "core.sshcommand=ssh -v;");
	assert_found("[CORE]pager=x", "core.pager=x;");
	assert_found("\xef\xbb\xbf[core]\r\npager = x\r\n", "core.pager=x;");
	assert_found("[filter \"a.B \\\" c\"] clean = x y\n", "filter.a.B \" c.clean=x y;");
	assert_found("[filter.Old]\nsmudge=x\n", "filter.old.smudge=x;");
	assert_found("[core]\npager = \"a ; b\" # c\n", "core.pager=a ; b;");
	assert_found("[core]\npager = a\\\n  b ; c\neditor = d\n", "core.pager=a  b;core.editor=d;");
	assert_found("[core]\npager = a\\\r\nb\n", "core.pager=ab;");
	assert_found("# [core]\n; pager = x\n[core] ; comment\n# pager = x\neditor = y\n", "core.editor=y;");
	assert_found("[core]\nhooksPath\n", "core.hookspath=;");
	assert_found_bytes("[core]\npa\0ger = x\npager = a\0b\n", sizeof("[core]\npa\0ger = x\npager = a\0b\n") - 1, "core.pager=ab;");
}

/* git refuses such files; what it would make of the rest is told. */
static void test_broken_files(void **state)
{
	(void)state;
	assert_found("", "");
	assert_found("[", "");
	assert_found("[core", "");
	assert_found("[core \"", "");
	assert_found("[core \"\\", "");
	assert_found("[core]\npager", "core.pager=;");
	assert_found("[core]\npager = \"x", "core.pager=x;");
	assert_found("[core]\npager = x\\", "core.pager=x\\;");
	assert_found("[core\npager = x\n", "core.pager=x;");
	assert_found("]]\n!\n[core]\n1pager = x\npager = y", "core.pager=y;");
	assert_found("pager = x\n", "");
}

static void test_conditions(void **state)
{
	(void)state;
	assert_found("[core]\nfsmonitor = true\nfsmonitor = NO\nfsmonitor\nfsmonitor = ./x\n", "core.fsmonitor=./x;");
	assert_found("[pager]\nlog = false\nlog = less; rm\n", "pager.log=less;");
	assert_found("[alias]\nst = status\nx = !sh\n[alias \"y\"]\ncommand = !sh\n", "alias.x=!sh;alias.y.command=!sh;");
	assert_found("[submodule \"s\"]\nupdate = rebase\nupdate = !x\nurl = https://example.org/a\nurl = ext::sh -c x\n",
		     "submodule.s.update=!x;submodule.s.url=ext::sh -c x;");
	assert_found("[remote \"o\"]\nurl = git@example.org:a\nurl = --upload-pack=x\nfetch = +refs/*\nuploadpack = x\n",
		     "remote.o.url=--upload-pack=x;remote.o.uploadpack=x;");
	assert_found("[url \"https://other/\"]\ninsteadOf = https://mine/\n", "url.https://other/.insteadof=https://mine/;");
	assert_found("[includeIf \"gitdir:x\"]\npath = y\n", "includeif.gitdir:x.path=y;");
	assert_found("[credential \"https://x\"]\nhelper = y\n", "credential.https://x.helper=y;");
}

static void test_ordinary_settings(void **state)
{
	(void)state;
	assert_found("[core]\nrepositoryformatversion = 0\nfilemode = true\nbare = false\nlogallrefupdates = true\n"
		     "[branch \"main\"]\nremote = origin\nmerge = refs/heads/main\n[user]\nname = A\nemail = b\n"
		     "[diff]\nalgorithm = patience\n[merge]\nff = only\n[lfs]\nrepositoryformatversion = 0\n"
		     "[diff \"x\"]\nbinary = true\n[extensions]\nworktreeConfig = true\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways_to_write), cmocka_unit_test(test_broken_files),
		cmocka_unit_test(test_conditions), cmocka_unit_test(test_ordinary_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
