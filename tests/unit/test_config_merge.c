/* SPDX-License-Identifier: Apache-2.0 */
/* Several files that make one configuration, and what [devenv] extends may name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/extends.h"
#include "config/merge.h"

#define BASE "[base]\nimage = debian\n"

static struct config_text text(const char *name, const char *content)
{
	return (struct config_text){ name, content, strlen(content), !strcmp(name, "devenv.local.ini") };
}

static struct config laid_over(const char *below, const char *above)
{
	struct config_text texts[] = { text("base.ini", below), text("devenv.ini", above) };
	struct err e = ERR_INIT;
	struct config c;

	if (config_parse_texts(texts, 2, true, &c, &e))
		fail_msg("%s", e.msg);
	return c;
}

static void must_fail(const char *name, const char *below, const char *above, const char *message)
{
	struct config_text texts[] = { text("base.ini", below), text(name, above) };
	struct config c = { .env_count = 77 };
	struct err e = ERR_INIT;

	assert_int_equal(config_parse_texts(texts, 2, true, &c, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(c.env_count, 77);
}

static void check_origin(const struct config *c, const char *section, const char *key, const char *expected)
{
	cleanup_buf struct buf got = BUF_INIT;

	config_origin(c, section, key, NULL, &got);
	assert_string_equal(got.data, expected);
}

static void test_scalars_replace(void **state)
{
	struct config c = laid_over("[devenv]\nname = base\n" BASE "[workspace]\nuser = root\n[hooks]\nenter =\n  a\n  b\n",
				    "[workspace]\nuser = me\n[devenv]\nname = mine\n[hooks]\nenter = c\n");

	(void)state;
	assert_string_equal(c.file, "devenv.ini");
	assert_string_equal(c.name, "mine");
	assert_false(c.user_root);
	assert_string_equal(c.hook_enter, "c");
	assert_string_equal(c.base_value, "debian");
	assert_string_equal(c.base_file, "base.ini");
	assert_int_equal(c.base_line, 4);
	check_origin(&c, "base", "image", "base.ini:4");
	check_origin(&c, "workspace", "user", "devenv.ini:2");
	check_origin(&c, "workspace", "shell", "default");
	config_release(&c);
}

static void test_sections_merge(void **state)
{
	struct config c = laid_over("[env]\nA = 1\nB = 2\n" BASE "[volume.v]\ntarget = ~/v\n[hooks]\n"
				    "[git-hooks]\npre-push = p\n",
				    "[volume.v]\nscope = project\n[env]\nB = 3\nC = 4\n[volume.w]\ntarget = w\n[hooks]\nenter = x\n"
				    "[git-hooks]\npre-commit = q\n");

	(void)state;
	assert_int_equal(c.env_count, 3);
	assert_string_equal(c.env[1].name, "B");
	assert_string_equal(c.env[1].value, "3");
	assert_string_equal(c.env[1].file, "devenv.ini");
	assert_string_equal(c.env[0].file, "base.ini");
	assert_int_equal(c.volume_count, 2);
	assert_string_equal(c.volumes[0].target, "~/v");
	assert_true(c.volumes[0].project_scope);
	assert_string_equal(c.volumes[0].file, "base.ini");
	assert_string_equal(c.volumes[1].file, "devenv.ini");
	assert_int_equal(c.git_hook_count, 2);
	assert_string_equal(c.git_hooks[0].file, "base.ini");
	assert_string_equal(c.git_hooks[1].file, "devenv.ini");
	assert_string_equal(c.hook_enter, "x"); /* into a section that was there and empty */
	config_release(&c);
}

static void test_lists_merge(void **state)
{
	struct config c = laid_over(BASE "[workspace]\npath = a b\n  c\n[env-file]\noptional = x y\n",
				    "[workspace]\npath = !b d\n   a\n[env-file]\nrequired = z\noptional = !x !y\n");

	(void)state;
	assert_int_equal(c.path.count, 3);
	assert_string_equal(c.path.items[0], "a");
	assert_string_equal(c.path.items[1], "c");
	assert_string_equal(c.path.items[2], "d");
	assert_int_equal(c.env_files.count, 1);
	assert_int_equal(c.env_files_optional.count, 0);
	config_release(&c);
}

static void test_removal_of_nothing(void **state)
{
	struct config_text one = text("devenv.ini", BASE "[workspace]\npath = !x\n");
	struct err e = ERR_INIT;
	struct config c;

	(void)state;
	must_fail("devenv.ini", BASE "[workspace]\npath = a\n", "[workspace]\npath =\n  b\n  !x\n",
		  "devenv.ini:2: [workspace] path: '!x' removes nothing: no base lists 'x'");
	assert_int_equal(config_parse_texts(&one, 1, true, &c, &e), -1);
	assert_string_equal(e.msg, "devenv.ini:4: [workspace] path: '!x' removes nothing: no base lists 'x'");
	/* What it removes may be in a file that isn't here. */
	assert_int_equal(config_parse_texts(&one, 1, false, &c, &e), 0);
	assert_int_equal(c.path.count, 0);
	config_release(&c);
}

static void test_base_is_one_choice(void **state)
{
	struct config c = laid_over("[base]\nimage = debian\n", "[base]\narchive = root.tar\n");

	(void)state;
	assert_int_equal(c.base, CONFIG_BASE_ARCHIVE);
	assert_string_equal(c.base_value, "root.tar");
	config_release(&c);
	must_fail("devenv.ini", BASE, "[base]\narchive = a\noci = b\n",
		  "devenv.ini:3: [base] oci: there is archive at line 2 already");
	must_fail("devenv.ini", "[env]\nA = 1\n", "[env]\nB = 1\n", "devenv.ini: no base: say `debian = …` or `image = …` in [base]");
}

static void test_greatest_requires(void **state)
{
	struct config c = laid_over("[devenv]\nrequires = 0.10\n" BASE, "[devenv]\nrequires = 0.9\n");

	(void)state;
	assert_string_equal(c.requires, "0.10");
	assert_string_equal(c.requires_file, "base.ini");
	config_release(&c);
	c = laid_over("[devenv]\nrequires = 0.1\n" BASE, "[devenv]\nrequires = 0.9\n");
	assert_string_equal(c.requires, "0.9");
	assert_string_equal(c.requires_file, "devenv.ini");
	config_release(&c);
}

/* A mistake is found where it is made, even when the file above would have covered it. */
static void test_places(void **state)
{
	(void)state;
	must_fail("devenv.ini", "[workspace]\nuser = nobody\n", BASE "[workspace]\nuser = me\n",
		  "base.ini:2: [workspace] user: unknown value 'nobody': it is me or root");
	must_fail("devenv.ini", BASE "[bsae]\nx = 1\n", "", "base.ini:3: unknown section [bsae]; did you mean [base]?");
	must_fail("devenv.ini", BASE "[workspace]\npath = a\n  b:c\n", "[workspace]\npath = !b:c d\n",
		  "base.ini:4: [workspace] path: 'b:c' has ':' in it");
	must_fail("devenv.ini", BASE "[volume.v]\nscope = project\n", "[env]\nA = 1\n",
		  "base.ini:3: [volume.v] has no target");
	must_fail("devenv.ini", BASE "[volume.v]\ntarget = x\n", "[volume.w]\ntarget = ./x\n",
		  "devenv.ini:2: [volume.w] target: './x' is the target of [volume.v] already, at line 4");
}

static void test_local(void **state)
{
	struct config_text texts[] = { text("devenv.ini", BASE "[env]\nA = 1\n"),
				       text("devenv.local.ini", "[env]\nA = 2\n[sandbox]\nnetwork = none\n"
								"[workspace]\nshell = zsh\npath = bin\n[env-file]\noptional = x\n") };
	struct err e = ERR_INIT;
	struct config c;

	(void)state;
	assert_int_equal(config_parse_texts(texts, 2, true, &c, &e), 0);
	assert_string_equal(c.env[0].value, "2");
	assert_string_equal(c.shell, "zsh");
	assert_string_equal(c.file, "devenv.ini");
	check_origin(&c, "env", "A", "devenv.local.ini:2");
	config_release(&c);
	must_fail("devenv.local.ini", BASE, "[base]\nimage = x\n",
		  "devenv.local.ini:2: [base] image is not for this file to set");
	must_fail("devenv.local.ini", BASE, "[env]\nA = 1\n[devenv]\nextends = x\n",
		  "devenv.local.ini:4: [devenv] extends is not for this file to set");
	must_fail("devenv.local.ini", BASE, "[workspace]\nuser = root\n",
		  "devenv.local.ini:2: [workspace] user is not for this file to set");
}

static void test_too_many_lines(void **state)
{
	cleanup_buf struct buf many = BUF_INIT;

	(void)state;
	buf_adds(&many, BASE "[env]\n");
	for (int i = 0; i < 10000; i++)
		buf_addf(&many, "A%d = 1\n", i);
	must_fail("devenv.ini", many.data, "[env]\nB = 1\n",
		  "devenv.ini: it and what it is laid over have more than 10000 lines together");
}

/* ---- extends ---- */

static void check_git(const char *written, const char *url, const char *ref, const char *path, const char *name)
{
	struct extends_git g;
	struct err e = ERR_INIT;
	cleanup_free char *request = NULL, *section = NULL;
	struct extends_git again;

	if (extends_parse_git(written, &g, &e))
		fail_msg("%s", e.msg);
	assert_string_equal(g.url, url);
	assert_string_equal(g.ref ? g.ref : "", ref);
	assert_string_equal(g.path, path);
	request = extends_format_git(&g);
	section = extends_lock_name(&g);
	assert_string_equal(section, name);
	assert_int_equal(extends_parse_git(request, &again, &e), 0);
	assert_string_equal(again.url, url);
	assert_string_equal(again.path, path);
	extends_git_release(&again);
	extends_git_release(&g);
}

static void test_git(void **state)
{
	(void)state;
	check_git("git+https://git.example.org/team/envs#v3:python/base.ini", "https://git.example.org/team/envs", "v3",
		  "python/base.ini", "extends.git.example.org/team/envs:python/base.ini@v3");
	check_git("git+https://example.org/envs/", "https://example.org/envs", "", "devenv.ini",
		  "extends.example.org/envs:devenv.ini");
	check_git("git+ssh://git@example.org:2222/envs.git#:a//b.ini", "ssh://git@example.org:2222/envs.git", "", "a/b.ini",
		  "extends.ssh://git@example.org:2222/envs.git:a/b.ini");
	check_git("git+file:///srv/envs#feature/x", "file:///srv/envs", "feature/x", "devenv.ini",
		  "extends.file:///srv/envs:devenv.ini@feature/x");
	check_git("git+http://127.0.0.1:80/x", "http://127.0.0.1:80/x", "", "devenv.ini", "extends.http://127.0.0.1:80/x:devenv.ini");
	check_git("git+https://example.org/a~b#:x.ini", "https://example.org/a~b", "", "x.ini",
		  "extends.example.org/a-b:x.ini+a124c42ffd443cba");
}

static void check_bad(const char *written, const char *message)
{
	struct err e = ERR_INIT;

	if (!extends_check(written, &e))
		fail_msg("%s was taken", written);
	assert_int_equal(e.code, ERR_CONFIG);
	if (!strstr(e.msg, message))
		fail_msg("%s: %s", written, e.msg);
}

static void test_bad(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	check_bad("https://example.org/x", "not the address of a git repository");
	check_bad("git+ftp://example.org/x", "of no kind");
	check_bad("git+http://example.org/x", "this machine itself only");
	check_bad("git+http://127.0.0.1.example.org/x", "this machine itself only");
	check_bad("git+https://user:secret@example.org/x", "password");
	check_bad("git+https:///x", "no host");
	check_bad("git+ssh://-oProxyCommand=x/y", "no host");
	check_bad("git+https://example.org", "no repository");
	check_bad("git+file://x/y", "of no kind");
	check_bad("git+https://example.org/x#--upload-pack", "can't be a branch");
	check_bad("git+https://example.org/x#a..b", "can't be a branch");
	check_bad("git+https://example.org/x#v1:../y", "not a path in a repository");
	check_bad("git+https://example.org/x#v1:/etc/passwd", "not a path in a repository");
	check_bad("git+https://example.org/x#v1:", "not a path in a repository");
	check_bad("/etc/devenv.ini", "relative");
	check_bad("~/devenv.ini", "relative");
	assert_int_equal(extends_check("envs/base.ini", &e), 0);
	assert_int_equal(extends_check("../base.ini", &e), 0); /* where it leads is for who knows the file */
	check_bad("!x", "relative");
}

static void check_join(const char *from, const char *item, const char *expected)
{
	cleanup_free char *got = extends_join(from, item);

	if (!expected)
		assert_null(got);
	else
		assert_string_equal(got, expected);
}

static void test_join(void **state)
{
	(void)state;
	check_join("devenv.ini", "envs/base.ini", "envs/base.ini");
	check_join("envs/base.ini", "other.ini", "envs/other.ini");
	check_join("envs/base.ini", "../x.ini", "x.ini");
	check_join("devenv.ini", "./a/../b.ini", "b.ini");
	check_join("devenv.ini", "../x.ini", NULL);
	check_join("a/b.ini", "../../x.ini", NULL);
	check_join("devenv.ini", "a/..", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars_replace),	   cmocka_unit_test(test_sections_merge),
		cmocka_unit_test(test_lists_merge),	   cmocka_unit_test(test_removal_of_nothing),
		cmocka_unit_test(test_base_is_one_choice), cmocka_unit_test(test_greatest_requires),
		cmocka_unit_test(test_places),		   cmocka_unit_test(test_local),
		cmocka_unit_test(test_too_many_lines),	   cmocka_unit_test(test_git),
		cmocka_unit_test(test_bad),		   cmocka_unit_test(test_join),
	};

	return cmocka_run_group_tests_name("config_merge", tests, NULL, NULL);
}
