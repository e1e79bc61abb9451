/* SPDX-License-Identifier: Apache-2.0 */
/* test_config_config.c - devenv.ini: what is accepted, how it arrives, and the message for what is not. */
#include "unit/config_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/keys.h"

#define BASE "[base]\nimage = debian\n" /* what every good file needs; two lines */

static void accepts(const char *text)
{
	struct config c = must_parse(text);

	config_release(&c);
}

static void test_everything(void **state)
{
	struct config c = must_parse("[devenv]\nname = shop\nrequires = 0.1\n"
	                             "[base]\nimage = docker.io/library/python:3.12-slim-bookworm\n"
	                             "[workspace]\ntarget = /srv//app/\nuser = root\nshell = zsh\n"
	                             "path = .venv/bin\n  node_modules/.bin /opt/x/bin\n"
	                             "[env]\nDATABASE_URL = postgres://shop@db/shop\nEMPTY =\n_x1 =\n  a ;b\n"
	                             "[env-file]\noptional = .env .env.local\nrequired = base.env\n"
	                             "[volume.cache]\nscope = project\ntarget = ~/.cache\n"
	                             "[volume.node]\ntarget = node_modules\n"
	                             "[sandbox]\nnetwork = none\npersist = yes\nscratch = disk\nlinger = 90\n"
	                             "[hooks]\nstart =\n    for x in 1 2; do\n        echo $x\n    done\n"
	                             "enter = echo ready\n");

	(void)state;
	assert_string_equal(c.file, "devenv.ini");
	assert_string_equal(c.name, "shop");
	assert_string_equal(c.requires, "0.1");
	assert_int_equal(c.requires_line, 3);
	assert_int_equal(c.base, CONFIG_BASE_IMAGE);
	assert_string_equal(c.base_value, "docker.io/library/python:3.12-slim-bookworm");
	assert_int_equal(c.base_line, 5);
	assert_string_equal(c.workspace_target, "/srv/app");
	assert_true(c.user_root);
	assert_string_equal(c.shell, "zsh");
	assert_int_equal(c.path.count, 3);
	assert_string_equal(c.path.items[1], "node_modules/.bin");
	assert_int_equal(c.env_count, 3);
	assert_string_equal(c.env[0].name, "DATABASE_URL");
	assert_string_equal(c.env[0].value, "postgres://shop@db/shop");
	assert_int_equal(c.env[0].line, 13);
	assert_string_equal(c.env[1].value, "");
	assert_string_equal(c.env[2].value, "a ;b");
	assert_int_equal(c.env_files.count, 1);
	assert_int_equal(c.env_files_optional.count, 2);
	assert_string_equal(c.env_files_optional.items[1], ".env.local");
	assert_int_equal(c.volume_count, 2);
	assert_string_equal(c.volumes[0].name, "cache");
	assert_string_equal(c.volumes[0].target, "~/.cache");
	assert_true(c.volumes[0].project_scope);
	assert_string_equal(c.volumes[1].target, "node_modules");
	assert_false(c.volumes[1].project_scope);
	assert_int_equal(c.network, CONFIG_NETWORK_NONE);
	assert_true(c.persist);
	assert_int_equal(c.scratch, CONFIG_SCRATCH_DISK);
	assert_int_equal(c.linger, 90);
	assert_string_equal(c.hook_start, "for x in 1 2; do\n    echo $x\ndone");
	assert_string_equal(c.hook_enter, "echo ready");
	config_release(&c);
	config_release(&c);
}

static void test_defaults(void **state)
{
	struct config c = must_parse(BASE);

	(void)state;
	assert_null(c.name);
	assert_null(c.requires);
	assert_null(c.workspace_target);
	assert_null(c.shell);
	assert_null(c.hook_start);
	assert_false(c.user_root);
	assert_false(c.persist);
	assert_int_equal(c.network, CONFIG_NETWORK_AUTO);
	assert_int_equal(c.scratch, CONFIG_SCRATCH_TMPFS);
	assert_int_equal(c.volume_count, 0);
	config_release(&c);
}

static void test_unknown(void **state)
{
	(void)state;
	must_fail("\n\n\n\n\n[base]\nimgae = x\n",
	          "devenv.ini:7: unknown key 'imgae' in [base]; did you mean 'image'?");
	must_fail("[bsae]\nimage = x\n", "devenv.ini:1: unknown section [bsae]; did you mean [base]?");
	must_fail("[volumes.cache]\ntarget = x\n",
	          "devenv.ini:1: unknown section [volumes.cache]; did you mean [volume.cache]?");
	must_fail("[volume]\ntarget = x\n", "devenv.ini:1: section [volume] needs a name: [volume.NAME]");
	must_fail("[volume.]\ntarget = x\n", "devenv.ini:1: unknown section [volume.]");
	must_fail("[xyzzy]\n", "devenv.ini:1: unknown section [xyzzy]");
	must_fail(BASE "[sandbox]\nnetwork-mode = host\n",
	          "devenv.ini:4: unknown key 'network-mode' in [sandbox]");
	must_fail(BASE "[sandbox]\nseccomp = off\n", "devenv.ini:4: unknown key 'seccomp' in [sandbox]");
	must_fail("[base]\nshell = x\n", "devenv.ini:2: unknown key 'shell' in [base]");
	must_fail("[base.x]\nimage = x\n", "devenv.ini:1: unknown section [base.x]; did you mean [base]?");
	must_fail("[registry.docker.io]\ninsecure = yes\n",
	          "devenv.ini:1: [registry.docker.io] is not for a project to set");
	must_fail(BASE "[trust]\n", "devenv.ini:3: [trust] is not for a project to set");
	must_fail("[store]\npath = /\n", "devenv.ini:1: [store] is not for a project to set");
}

static void test_not_yet(void **state)
{
	(void)state;
	must_fail_as(ERR_UNSUPPORTED, "\n\n\n\n\n[toolchain.node]\nversion = 20\n",
	             "devenv.ini:7: [toolchain.node] version is not supported yet");
	must_fail_as(ERR_UNSUPPORTED, "[base]\ndockerfile = Dockerfile\n",
	             "devenv.ini:2: [base] dockerfile is not supported yet");
	must_fail_as(ERR_UNSUPPORTED, "[ports]\n", "devenv.ini:1: [ports] is not supported yet");
	must_fail_as(ERR_UNSUPPORTED, BASE "[service.db]\nenv.POSTGRES_USER = shop\n",
	             "devenv.ini:4: [service.db] env.POSTGRES_USER is not supported yet");
	must_fail_as(ERR_UNSUPPORTED, BASE "[ports]\nweb = 8000\n",
	             "devenv.ini:4: [ports] web is not supported yet");
	must_fail_as(ERR_UNSUPPORTED, BASE "[sandbox]\nnetwork = private\n",
	             "devenv.ini:4: [sandbox] network = private is not supported yet");
	must_fail(BASE "[service.db]\nimgae = x\n",
	          "devenv.ini:4: unknown key 'imgae' in [service.db]; did you mean 'image'?");
}

/* Whatever the table says is supported has a setter; whatever it says is not answers so. */
static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];
		cleanup_free char *section = mem_strdup(k->section), *key = mem_strdup(k->key), *text = NULL;
		cleanup_free char *not_yet = NULL;
		struct config c;
		struct err e = ERR_INIT;
		int rc;

		assert_true(k->summary[0] != '\0');
		for (char *s = section; *s; s++)
			*s = *s == '*' ? 'x' : *s;
		for (char *s = key; *s; s++)
			*s = *s == '*' ? 'X' : *s;
		text = mem_printf("[%s]\n%s = 1\n", section, key);
		rc = config_parse("devenv.ini", text, strlen(text), &c, &e);
		assert_int_equal(rc == 0 || e.code != ERR_UNSUPPORTED, k->supported);
		if (rc == 0)
			config_release(&c);
		not_yet = mem_printf("devenv.ini:2: [%s] %s is not supported yet", section, key);
		if (!k->supported)
			assert_string_equal(e.msg, not_yet);
		for (size_t j = 0; j < i; j++)
			assert_true(strcmp(config_keys[j].section, k->section) ||
			            strcmp(config_keys[j].key, k->key));
	}
}

static void test_base(void **state)
{
	struct config c;

	(void)state;
	must_fail("", "devenv.ini: no base: say `debian = …` or `image = …` in [base]");
	must_fail("[base]\n", "devenv.ini: no base: say `debian = …` or `image = …` in [base]");
	must_fail("[base]\nimage = a\noci = b\n",
	          "devenv.ini:3: [base] oci: there is image at line 2 already");
	must_fail("[base]\nimage = a\n\ndebian = b\n",
	          "devenv.ini:4: [base] debian: there is image at line 2 already");
	must_fail("[base]\nimage = Python\n",
	          "devenv.ini:2: [base] image: image reference 'Python': repository name must be lower case");
	must_fail("[base]\nimage = python:\n",
	          "devenv.ini:2: [base] image: image reference 'python:': '' is not a tag");
	must_fail("[base]\nimage =\n", "devenv.ini:2: [base] image: the value is empty");
	must_fail("[base]\nimage = a\n  ; comment\n",
	          "devenv.ini:2: [base] image: the value goes on over several lines, but this key takes one");
	must_fail("[base]\noci = :tag\n",
	          "devenv.ini:2: [base] oci: there is no path before the tag in ':tag'");
	must_fail("[base]\noci = dir:a b\n", "devenv.ini:2: [base] oci: 'a b' is not a tag");
	must_fail("[base]\narchive =\n", "devenv.ini:2: [base] archive: the value is empty");
	c = must_parse("[base]\noci = ../images/x:y/layout:v1\n");
	assert_int_equal(c.base, CONFIG_BASE_OCI);
	assert_string_equal(c.base_value, "../images/x:y/layout:v1");
	config_release(&c);
	c = must_parse("[base]\narchive = my files/rootfs.tar\n");
	assert_int_equal(c.base, CONFIG_BASE_ARCHIVE);
	assert_string_equal(c.base_value, "my files/rootfs.tar");
	config_release(&c);
}

static void test_name(void **state)
{
	(void)state;
	accepts(BASE "[devenv]\nname = A.b_c-9\n");
	accepts(BASE "[devenv]\nname = abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0\n");
	must_fail(BASE "[devenv]\nname = abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01\n",
	          "devenv.ini:4: [devenv] name: a name can have 63 characters at most, this one has 64");
	must_fail(BASE "[devenv]\nname = a b\n", "devenv.ini:4: [devenv] name: 'a b' can't be a name");
	must_fail(BASE "[devenv]\nname = ../x\n", "devenv.ini:4: [devenv] name: '../x' can't be a name");
	must_fail(BASE "[devenv]\nname = -x\n", "devenv.ini:4: [devenv] name: '-x' can't be a name");
	must_fail(BASE "[devenv]\nname = x.\n", "devenv.ini:4: [devenv] name: 'x.' can't be a name");
	must_fail(BASE "[devenv]\nname = \xe2\x80\xaex\n",
	          "devenv.ini:4: [devenv] name: '\\u{202e}x' can't be a name");
	must_fail(BASE "[devenv]\nrequires = new\n",
	          "devenv.ini:4: [devenv] requires: 'new' is not a version such as 0.1");
}

static void test_workspace(void **state)
{
	static const char *const good[] = { "/workspace", "/usr/src/app", "/home/me/x",
		                            "/tmp/x",     "/devel",       "/opt/app" };
	static const char *const bad[][2] = { { "/", "/" },           { "/usr", "/usr" },
		                              { "/usr/", "/usr" },    { "/proc", "/proc" },
		                              { "/etc/x", "/etc" },   { "//dev//shm", "/dev" },
		                              { "/run/x", "/run" },   { "/sys", "/sys" },
		                              { "/tmp", "/tmp" },     { "/usr/bin/x", "/usr/bin" },
		                              { "/lib64", "/lib64" }, { "/opt/devenv/x", "/opt/devenv" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cleanup_free char *text = mem_printf(BASE "[workspace]\ntarget = %s\n", good[i]);

		accepts(text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_free char *text = mem_printf(BASE "[workspace]\ntarget = %s\n", bad[i][0]);
		cleanup_free char *message =
			mem_printf("devenv.ini:4: [workspace] target: '%s' can't be a target: it "
		                   "would hide %s of the environment",
		                   bad[i][0], bad[i][1]);

		must_fail(text, message);
	}
	must_fail(BASE "[workspace]\ntarget = /srv/../etc\n",
	          "devenv.ini:4: [workspace] target: '/srv/../etc' has '..' in it");
	must_fail(BASE "[workspace]\ntarget = app\n",
	          "devenv.ini:4: [workspace] target: 'app' is neither 'same' nor an absolute path");
	must_fail(BASE "[workspace]\nuser = roto\n",
	          "devenv.ini:4: [workspace] user: unknown value 'roto'; did you mean 'root'?");
	must_fail(BASE "[workspace]\nuser = postgres\n",
	          "devenv.ini:4: [workspace] user: unknown value 'postgres': it is me or root");
	must_fail(
		BASE "[workspace]\nshell = bash -l\n",
		"devenv.ini:4: [workspace] shell: 'bash -l' has a blank in it: a shell is named without arguments");
	must_fail(
		BASE "[workspace]\nshell = bin/sh\n",
		"devenv.ini:4: [workspace] shell: 'bin/sh' is neither the name nor the absolute path of a shell");
	accepts(BASE "[workspace]\nshell = /usr/bin/fish\n");
}

static void test_path(void **state)
{
	(void)state;
	must_fail(BASE "[workspace]\npath = a:b\n", "devenv.ini:4: [workspace] path: 'a:b' has ':' in it");
	must_fail(BASE "[workspace]\npath = ../bin\n",
	          "devenv.ini:4: [workspace] path: '../bin' has '..' in it");
	must_fail(BASE "[workspace]\npath = ~me/bin\n",
	          "devenv.ini:4: [workspace] path: '~me/bin' is not absolute, ~/... or below the project");
	accepts(BASE "[workspace]\npath = ~/bin /opt/x bin\n");
	must_fail(BASE "[workspace]\npath =\n", "devenv.ini:4: [workspace] path: the list is empty");
	must_fail(BASE "[workspace]\npath =\n  bin\n  ; more\n  x\n",
	          "devenv.ini:4: [workspace] path: ';' in the list looks like a comment");
	accepts(BASE "[workspace]\npath =\n  bin\n; more\n  x\n");
}

static void test_env(void **state)
{
	(void)state;
	must_fail(BASE "[env]\n1X = 1\n", "devenv.ini:4: [env] '1X' can't be the name of a variable");
	must_fail(BASE "[env]\nHOME = 1\n", "devenv.ini:4: [env] HOME is set by devenv and can't be changed");
	must_fail(BASE "[env]\nDEVENV_NAME = 1\n", "devenv.ini:4: [env] DEVENV_NAME is set by devenv and can't be changed");
	must_fail(BASE "[env]\nA-B = 1\n", "devenv.ini:4: [env] 'A-B' can't be the name of a variable");
	must_fail(BASE "[env]\nA = 1\nA = 2\n", "devenv.ini:5: [env] A is set already, at line 4");
	assert_true(config_env_name_is_valid("_"));
	assert_true(config_env_name_is_valid("aZ_09"));
	assert_false(config_env_name_is_valid(""));
	assert_false(config_env_name_is_valid("a b"));
	assert_false(config_env_name_is_valid("\xc3\xa4"));
	must_fail(BASE "[env-file]\noptional = # none\n",
	          "devenv.ini:4: the value of 'optional' has ' ;' or ' #' in it: is that a comment?");
}

static void test_volumes(void **state)
{
	(void)state;
	must_fail(BASE "[volume.Cache]\ntarget = x\n", "devenv.ini:3: 'Cache' can't be the name of a volume");
	must_fail(BASE "[volume..x]\ntarget = x\n", "devenv.ini:3: '.x' can't be the name of a volume");
	must_fail(BASE "[volume.a/b]\ntarget = x\n", "devenv.ini:3: 'a/b' can't be the name of a volume");
	must_fail(BASE "[volume.a]\n", "devenv.ini:3: [volume.a] has no target");
	must_fail(BASE "[volume.a]\nscope = project\n", "devenv.ini:3: [volume.a] has no target");
	must_fail(BASE "[volume.a]\ntarget = ../x\n",
	          "devenv.ini:4: [volume.a] target: '../x' has '..' in it");
	must_fail(BASE "[volume.a]\ntarget = ~/../x\n",
	          "devenv.ini:4: [volume.a] target: '~/../x' has '..' in it");
	must_fail(BASE "[volume.a]\ntarget = .\n",
	          "devenv.ini:4: [volume.a] target: '.' as a whole can't be a volume");
	must_fail(BASE "[volume.a]\ntarget = ~/\n",
	          "devenv.ini:4: [volume.a] target: '~/' as a whole can't be a volume");
	must_fail(BASE "[volume.a]\ntarget = ~me/x\n",
	          "devenv.ini:4: [volume.a] target: '~me/x' is not absolute, ~/... or below the project");
	must_fail(BASE "[volume.a]\ntarget = .git/x\n",
	          "devenv.ini:4: [volume.a] target: '.git/x' can't be a volume: git needs it");
	must_fail(
		BASE "[volume.a]\ntarget = /etc\n",
		"devenv.ini:4: [volume.a] target: '/etc' can't be a target: it would hide /etc of the environment");
	must_fail(BASE "[volume.a]\ntarget = x\nscope = worktree\n",
	          "devenv.ini:5: [volume.a] scope: unknown value 'worktree': it is checkout or project");
	must_fail(
		BASE "[volume.b]\ntarget = x/y\n[volume.a]\ntarget = ./x//y/\n",
		"devenv.ini:6: [volume.a] target: './x//y/' is the target of [volume.b] already, at line 4");
	accepts(BASE
	        "[volume.b]\ntarget = x\n[volume.a]\ntarget = /x\n[volume.c]\ntarget = ~/x\n[volume.d]\ntarget = x/y\n");
	accepts(BASE "[volume.pg]\ntarget = /var/lib/postgresql\n");
}

static void test_sandbox(void **state)
{
	(void)state;
	must_fail(BASE "[sandbox]\npersist = true\n",
	          "devenv.ini:4: [sandbox] persist: 'true' is neither yes nor no; did you mean 'yes'?");
	must_fail(BASE "[sandbox]\npersist = False\n",
	          "devenv.ini:4: [sandbox] persist: 'False' is neither yes nor no; did you mean 'no'?");
	must_fail(BASE "[sandbox]\npersist = maybe\n",
	          "devenv.ini:4: [sandbox] persist: 'maybe' is neither yes nor no");
	must_fail(BASE "[sandbox]\nnetwork = hots\n",
	          "devenv.ini:4: [sandbox] network: unknown value 'hots'; did you mean 'host'?");
	must_fail(
		BASE "[sandbox]\nnetwork = bridge\n",
		"devenv.ini:4: [sandbox] network: unknown value 'bridge': it is auto, host, none or private");
	must_fail(BASE "[sandbox]\nlinger = 5m\n",
	          "devenv.ini:4: [sandbox] linger: '5m' is not a number of seconds");
	must_fail(BASE "[sandbox]\nlinger = -1\n",
	          "devenv.ini:4: [sandbox] linger: '-1' is not a number of seconds");
	must_fail(BASE "[sandbox]\nlinger = 604801\n",
	          "devenv.ini:4: [sandbox] linger: 604801 seconds are too long: a week, 604800, is the most");
	must_fail(BASE "[sandbox]\nscratch = ram\n",
	          "devenv.ini:4: [sandbox] scratch: unknown value 'ram': it is tmpfs or disk");
	must_fail(BASE "[hooks]\nstart =\n", "devenv.ini:4: [hooks] start: the script is empty");
	must_fail(BASE "[hooks]\nenter = cd x ; ls\n",
	          "devenv.ini:4: the value of 'enter' has ' ;' or ' #' in it: is that a comment?");
}

static void test_git_hooks(void **state)
{
	static const char text[] = BASE "[git-hooks]\npre-push =\n    one\n    two\npre-commit = ruff check .\n";
	struct err e = ERR_INIT;
	struct config c;

	(void)state;
	must_fail(BASE "[git-hooks]\npre-commit =\n", "devenv.ini:4: [git-hooks] pre-commit: the script is empty");
	must_fail(BASE "[git-hooks]\nprecommit = x\n",
	          "devenv.ini:4: unknown key 'precommit' in [git-hooks]; did you mean 'pre-commit'?");
	assert_int_equal(config_parse("devenv.ini", text, sizeof(text) - 1, &c, &e), 0);
	assert_int_equal(c.git_hook_count, 2);
	assert_string_equal(c.git_hooks[0].name, "pre-push");
	assert_string_equal(c.git_hooks[0].value, "one\ntwo");
	assert_string_equal(c.git_hooks[1].value, "ruff check .");
	config_release(&c);
}

static void test_long_path(void **state)
{
	struct buf text = BUF_INIT;
	struct config c;
	struct err e = ERR_INIT;

	(void)state;
	buf_adds(&text, "[base]\narchive = ");
	for (int i = 0; i < 5000; i++)
		buf_addch(&text, 'a');
	assert_int_equal(config_parse("devenv.ini", text.data, text.len, &c, &e), -1);
	assert_string_equal(
		e.msg, "devenv.ini:2: [base] archive: a path can have 4000 bytes at most, this one has 5000");
	buf_release(&text);
}

static void test_versions(void **state)
{
	(void)state;
	assert_int_equal(config_version_at_least("1.10.0", "1.2"), 1);
	assert_int_equal(config_version_at_least("1.2", "1.10.0"), 0);
	assert_int_equal(config_version_at_least("1.2", "1.2.0"), 1);
	assert_int_equal(config_version_at_least("1.2.0", "1.2"), 1);
	assert_int_equal(config_version_at_least("0.1", "0.1.1"), 0);
	assert_int_equal(config_version_at_least("2", "1.9"), 1);
	assert_int_equal(config_version_at_least("2", ""), -1);
	assert_int_equal(config_version_at_least("1.x", "1"), -1);
	assert_int_equal(config_version_at_least("1.", "1"), -1);
	assert_int_equal(config_version_at_least("1", ".1"), -1);
	assert_int_equal(config_version_at_least("1", "1..2"), -1);
	assert_int_equal(config_version_at_least("2", "99999999999999999999"), -1);
}

static void env_file_fails(const char *text, size_t len, const char *message)
{
	struct config_pair *pairs = NULL;
	size_t count = 0, cap = 0;
	struct err e = ERR_INIT;

	assert_int_equal(config_parse_env_file(".env", text, len, &pairs, &count, &cap, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(count, 0);
	free(pairs);
}

static void test_env_file(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf# comment\r\nA=1\r\n\n  B= two words \nexport C=\"q\" # no\nD=\nA=x=y;z\n"
		"export_me=1";
	struct config_pair *pairs = NULL;
	size_t count = 0, cap = 0;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(config_parse_env_file(".env", text, strlen(text), &pairs, &count, &cap, &e), 0);
	assert_int_equal(count, 6);
	assert_string_equal(pairs[0].value, "1");
	assert_int_equal(pairs[0].line, 2);
	assert_string_equal(pairs[1].name, "B");
	assert_string_equal(pairs[1].value, " two words ");
	assert_string_equal(pairs[2].name, "C");
	assert_string_equal(pairs[2].value, "\"q\" # no");
	assert_string_equal(pairs[3].value, "");
	assert_string_equal(pairs[4].value, "x=y;z");
	assert_string_equal(pairs[5].name, "export_me");
	config_pairs_release(pairs, count);
	env_file_fails("A=1\nHOME\n", 9, ".env:2: 'HOME' is not NAME=value");
	env_file_fails("A=1\nA B=1\n", 10, ".env:2: 'A B' can't be the name of a variable");
	env_file_fails("=1\n", 3, ".env:1: '' can't be the name of a variable");
	env_file_fails("A=1\nB=\0\n", 8, ".env:2: there is a NUL byte in this line");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything), cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_unknown),    cmocka_unit_test(test_not_yet),
		cmocka_unit_test(test_table),      cmocka_unit_test(test_base),
		cmocka_unit_test(test_name),       cmocka_unit_test(test_workspace),
		cmocka_unit_test(test_path),       cmocka_unit_test(test_env),
		cmocka_unit_test(test_volumes),    cmocka_unit_test(test_sandbox),
		cmocka_unit_test(test_git_hooks),
		cmocka_unit_test(test_long_path),  cmocka_unit_test(test_versions),
		cmocka_unit_test(test_env_file),
	};

	return cmocka_run_group_tests_name("config_config", tests, NULL, NULL);
}
