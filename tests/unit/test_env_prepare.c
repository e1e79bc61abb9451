/* SPDX-License-Identifier: Apache-2.0 */
/* From a project's files to its plan: what a plan holds, and when it is only stamped again. */
#include "unit/env_plan.h"

#include "env/clone.h"

/* ---- a whole plan ---- */

static void test_plan(void **state)
{
	cleanup_free char *home = path_join(tempdir, "home"), *link = NULL, *passwd = NULL;
	const struct plan_mount *m;
	char target[4096] = "";
	struct stat st;
	struct plan p;

	(void)state;
	fixture_layout("one");
	prepare("[devenv]\nname = My.Shop_2\n" LAYOUT);
	load(&p);
	assert_string_equal(p.name, "My.Shop_2");
	assert_string_equal(p.hostname, "my-shop-2");
	assert_string_equal(p.project, fixture_project);
	assert_string_equal(p.project_target, fixture_project);
	assert_string_equal(p.workdir, fixture_project);
	assert_string_equal(p.image, "oci:layout");
	assert_int_equal(p.uid, getuid());
	assert_int_equal(p.gid, getgid());
	assert_int_equal(p.network, PLAN_NETWORK_HOST);
	assert_int_equal(p.layer_count, 3);
	assert_string_equal(p.shell, "/bin/sh");
	assert_true(p.filter_size > 0);
	assert_int_equal(strlen(p.id), 64);
	assert_string_equal(variable(&p, "HOME"), home);
	assert_string_equal(variable(&p, "container"), "devenv");
	assert_string_equal(variable(&p, "DEVENV"), "1");
	assert_string_equal(variable(&p, "DEVENV_NAME"), "My.Shop_2");
	assert_non_null(variable(&p, "PATH"));
	m = mount_at(&p, fixture_project);
	assert_non_null(m);
	assert_int_equal(stat(fixture_project, &st), 0);
	assert_int_equal(m->ino, st.st_ino);
	assert_int_equal(m->dev, st.st_dev);
	assert_true(m->flags & PLAN_MOUNT_CREATE); /* it lies in the home */
	assert_true(m > mount_at(&p, home));
	assert_true(mount_at(&p, home)->flags & PLAN_MOUNT_MAKE_HOST);
	link = skeleton_path(&p, "/workspace");
	assert_true(readlink(link, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, fixture_project);
	assert_true(S_ISDIR(skeleton_mode(&p, "/proc")));
	assert_int_equal(skeleton_mode(&p, "/tmp"), S_IFDIR | 01777);
	assert_int_equal(skeleton_mode(&p, "/etc/resolv.conf"), S_IFREG | 0644);
	passwd = skeleton_text(&p, "/etc/passwd");
	assert_non_null(strstr(passwd, home));
	plan_release(&p);
}

static void test_same_files_same_identity(void **state)
{
	struct plan first, second;
	cleanup_free char *path = NULL;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT OFFLINE);
	load(&first);
	path = plan_path();
	assert_int_equal(unlink(path), 0);
	prepare(NULL);
	load(&second);
	assert_string_equal(first.id, second.id);
	assert_string_equal(first.layers[0], second.layers[0]);
	assert_int_equal(second.network, PLAN_NETWORK_NONE);
	plan_release(&first);
	plan_release(&second);
}

static void test_root_user(void **state)
{
	cleanup_free char *passwd = NULL;
	struct plan p;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT "[workspace]\nuser = root\ntarget = /workspace\n");
	load(&p);
	assert_int_equal(p.uid, 0);
	assert_string_equal(p.home, "/root");
	assert_string_equal(variable(&p, "HOME"), "/root");
	assert_string_equal(p.project_target, "/workspace");
	assert_int_equal(skeleton_mode(&p, "/workspace") & S_IFMT, S_IFDIR);
	assert_false(mount_at(&p, "/workspace")->flags & PLAN_MOUNT_CREATE);
	passwd = skeleton_text(&p, "/etc/passwd");
	assert_true(text_starts(passwd, "root:x:0:0:"));
	plan_release(&p);
}

static void test_variables(void **state)
{
	cleanup_free char *path = mem_printf("%s/.venv/bin:/opt/bin:", fixture_project);
	struct plan p;

	(void)state;
	fixture_layout("one");
	fixture_write(".env", "A=file\nB=file\n# comment\nSHELL=/elsewhere\n");
	fixture_write("more.env", "B=more\nC=more\n");
	prepare(LAYOUT "[workspace]\npath = .venv/bin /opt/bin\n[env]\nC = config\n"
		       "[env-file]\nrequired = .env\noptional = more.env none.env\n");
	load(&p);
	assert_string_equal(variable(&p, "A"), "file");
	assert_string_equal(variable(&p, "B"), "more");
	assert_string_equal(variable(&p, "C"), "config");
	assert_string_equal(variable(&p, "SHELL"), "/elsewhere");
	assert_true(text_starts(variable(&p, "PATH"), path));
	plan_release(&p);
	prepare(LAYOUT "[workspace]\npath = .venv/bin\n[env]\nPATH = /only\n");
	load(&p);
	assert_string_equal(variable(&p, "PATH"), "/only");
	plan_release(&p);
	prepare_fails(LAYOUT "[env-file]\nrequired = none.env\n", ERR_CONFIG,
		      "devenv.ini:4: [env-file] required: there is no none.env");
	fixture_write(".env", "A=1\nHOME=/elsewhere\n");
	prepare_fails(LAYOUT "[env-file]\noptional = .env\n", ERR_CONFIG, ".env:2: HOME is set by devenv");
}

static void test_env_file_link_out(void **state)
{
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui, .yes = true };
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_layout("one");
	tempdir_write("home/secret", "S=1\n");
	fixture_write("ok.env", "S=0\n");
	fixture_write("devenv.ini", LAYOUT "[env-file]\nrequired = ok.env\n");
	fixture_open(&env);
	/* Exchanged between asking and reading. */
	assert_int_equal(unlinkat(tempfd, "home/src/shop/ok.env", 0), 0);
	assert_int_equal(symlinkat("../../secret", tempfd, "home/src/shop/ok.env"), 0);
	assert_error(env_prepare(&env, ENV_FOR_RUN, &o, &e), e, ERR_CONFIG, "link");
	env_release(&env);
}

static void test_volumes(void **state)
{
	cleanup_free char *cache = path_join(tempdir, "home/.cache"), *modules = path_join(fixture_project, "node_modules");
	cleanup_free char *clone = clone_name(fixture_project), *shared = NULL, *config = NULL;
	const struct plan_mount *m;
	struct plan p;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT "[volume.cache]\ntarget = ~/.cache\n[volume.mods]\ntarget = node_modules\nscope = project\n"
		       "[volume.data]\ntarget = /srv/data\n[volume.tmp]\ntarget = /tmp/x\n");
	load(&p);
	m = mount_at(&p, cache);
	assert_non_null(m);
	assert_int_equal(m->flags, PLAN_MOUNT_MAKE_HOST | PLAN_MOUNT_CREATE);
	m = mount_at(&p, modules);
	assert_non_null(m);
	assert_true(m->flags & PLAN_MOUNT_CREATE);
	assert_true(m > mount_at(&p, fixture_project));
	shared = mem_printf("/volumes/clone-%.32s/mods", clone);
	assert_true(text_ends(m->host, shared));
	m = mount_at(&p, "/srv/data");
	assert_non_null(m);
	assert_int_equal(m->flags, PLAN_MOUNT_MAKE_HOST);
	assert_true(S_ISDIR(skeleton_mode(&p, "/srv/data")));
	assert_true(mount_at(&p, "/tmp/x")->flags & PLAN_MOUNT_CREATE); /* /tmp is mounted first */
	plan_release(&p);
	config = mem_printf(LAYOUT "[volume.x]\ntarget = %s\n", fixture_project);
	prepare_fails(config, ERR_CONFIG, "hide the project");
	free(config);
	config = mem_printf(LAYOUT "[volume.x]\ntarget = %s/home\n", tempdir);
	prepare_fails(config, ERR_CONFIG, "hide the home");
}

static void test_shell(void **state)
{
	(void)state;
	fixture_layout("one");
	prepare(LAYOUT "[workspace]\nshell = sh\n");
	prepare_fails(LAYOUT "[workspace]\nshell = zsh\n", ERR_CONFIG, "zsh");
}

/* ---- freshness ---- */

static uint64_t plan_inode(void)
{
	cleanup_free char *path = plan_path();
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void test_restamp(void **state)
{
	uint64_t before;
	struct plan p;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT OFFLINE);
	load(&p);
	plan_release(&p);
	/* With its layers gone the long way would fail: so this is the short one. */
	assert_int_equal(renameat(tempfd, "store/layers", tempfd, "store/gone"), 0);
	fixture_write("devenv.ini", LAYOUT OFFLINE);
	before = plan_inode();
	prepare(NULL);
	assert_int_not_equal(before, plan_inode());
	assert_int_equal(renameat(tempfd, "store/gone", tempfd, "store/layers"), 0);
	prepare(LAYOUT OFFLINE "[devenv]\nname = other\n");
	load(&p);
	assert_string_equal(p.name, "other");
	plan_release(&p);
}

/* The content is the same, and it is another one: a script may be executed now. */
static void test_executable(void **state)
{
	cleanup_free char *file = path_join(fixture_project, "script");
	cleanup_free char *before = NULL;
	struct plan p;

	(void)state;
	fixture_layout("one");
	fixture_write("script", "x");
	prepare(LAYOUT OFFLINE "[setup]\ninputs = script\nrun = ./script\n");
	load(&p);
	before = mem_strdup(p.setup_key);
	plan_release(&p);
	assert_int_equal(chmod(file, 0600), 0);
	prepare(NULL);
	load(&p);
	assert_string_equal(p.setup_key, before);
	plan_release(&p);
	assert_int_equal(chmod(file, 0700), 0);
	prepare(NULL);
	load(&p);
	assert_string_not_equal(p.setup_key, before);
	plan_release(&p);
}

static void watch_must_show(const char *file, const char *text)
{
	cleanup_free char *below = NULL;
	struct plan p;
	size_t i;

	prepare(NULL);
	load(&p);
	for (i = 0; i < p.watch_count; i++)
		p.watches[i].young = false;
	assert_null(plan_stale(&p));
	fixture_write(file, text);
	if (!plan_stale(&p))
		fail_msg("%s changed and the plan did not notice", file);
	plan_release(&p);
	below = mem_printf("home/src/shop/%s", file);
	unlinkat(tempfd, below, 0);
}

static void test_watches(void **state)
{
	struct err e = ERR_INIT;
	struct environment env;
	struct plan p;
	size_t i;

	(void)state;
	fixture_layout("one");
	fixture_write("devenv.ini", LAYOUT "[env-file]\noptional = a.env\n");
	watch_must_show("a.env", "A=1\n");
	watch_must_show("devenv.local.ini", "x");
	prepare(NULL);
	load(&p);
	for (i = 0; i < p.watch_count; i++)
		p.watches[i].young = false;
	fixture_open(&env);
	assert_done(env_deny(&env, &e), e);
	env_release(&env);
	assert_non_null(plan_stale(&p));
	plan_release(&p);
}

static void test_moved_project(void **state)
{
	const struct plan_mount *m;
	struct stat st;
	struct plan p;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT OFFLINE);
	/* The same path, the same files, another directory. */
	assert_int_equal(renameat(tempfd, "home/src/shop", tempfd, "home/src/old"), 0);
	fixture_mkdir("home/src/shop");
	assert_int_equal(renameat(tempfd, "home/src/old/layout", tempfd, "home/src/shop/layout"), 0);
	assert_int_equal(renameat(tempfd, "home/src/old/devenv.ini", tempfd, "home/src/shop/devenv.ini"), 0);
	assert_int_equal(renameat(tempfd, "home/src/old/devenv.lock", tempfd, "home/src/shop/devenv.lock"), 0);
	prepare(NULL);
	load(&p);
	m = mount_at(&p, fixture_project);
	assert_int_equal(stat(fixture_project, &st), 0);
	assert_int_equal(m->ino, st.st_ino);
	plan_release(&p);
}

/* ---- opening ---- */

static void test_requires(void **state)
{
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", "[devenv]\nrequires = 99\n" LAYOUT);
	assert_error(env_open(&env, fixture_project, &e), e, ERR_CONFIG, "devenv.ini:2");
	fixture_write("devenv.ini", "[devenv]\nrequires = 0.1\n" LAYOUT);
	fixture_open(&env);
	env_release(&env);
}

static void test_store_choice(void **state)
{
	cleanup_free char *own = path_join(tempdir, "home/elsewhere"), *forced = path_join(tempdir, "store");
	cleanup_free char *text = NULL;
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_mkdir("config/devenv");
	text = mem_printf("[store]\npath = %s/\n", own);
	tempdir_write("config/devenv/config.ini", text);
	assert_done(env_open_user(&env, &e), e);
	assert_string_equal(env.dirs.store, forced);
	env_release(&env);
	unsetenv("DEVENV_STORE");
	assert_done(env_open_user(&env, &e), e);
	assert_string_equal(env.dirs.store, own);
	assert_null(env.project);
	env_release(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_plan),	      fixture_test(test_same_files_same_identity),
		fixture_test(test_root_user),	      fixture_test(test_variables),
		fixture_test(test_env_file_link_out), fixture_test(test_volumes),
		fixture_test(test_shell),	      fixture_test(test_restamp),
		fixture_test(test_executable),
		fixture_test(test_watches),	      fixture_test(test_moved_project), fixture_test(test_requires),
		fixture_test(test_store_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
