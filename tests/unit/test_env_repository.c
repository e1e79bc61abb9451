/* SPDX-License-Identifier: Apache-2.0 */
/* git in a plan: what is bound and read-only, what is carried in, and what an untrusted plan lacks. */
#include "unit/env_plan.h"

static const struct plan_mount *project_mount(const struct plan *p, const char *below)
{
	cleanup_free char *path = path_join(p->project_target, below);

	return mount_at(p, path);
}

static void make_git(const char *where)
{
	cleanup_free char *hooks = path_join(where, "hooks"), *head = path_join(where, "HEAD");

	fixture_mkdir(hooks);
	tempdir_write(head, "ref: refs/heads/main\n");
}

static void test_checkout(void **state)
{
	struct plan p;

	(void)state;
	fixture_layout("one");
	make_git("home/src/shop/.git");
	make_git("home/src/shop/.git/modules/a/b");
	make_git("home/src/shop/.git/modules/a/b/modules/c");
	prepare(LAYOUT OFFLINE);
	load(&p);
	assert_non_null(project_mount(&p, ".git"));
	assert_false(project_mount(&p, ".git")->flags & PLAN_MOUNT_READ_ONLY);
	assert_true(project_mount(&p, ".git")->ino);
	assert_true(project_mount(&p, ".git/hooks")->flags & PLAN_MOUNT_READ_ONLY);
	assert_true(project_mount(&p, ".git/modules/a/b/hooks")->flags & PLAN_MOUNT_READ_ONLY);
	assert_true(project_mount(&p, ".git/modules/a/b/modules/c/hooks")->flags & PLAN_MOUNT_READ_ONLY);
	plan_release(&p);
	prepare(LAYOUT OFFLINE "protect = git\n");
	load(&p);
	assert_true(project_mount(&p, ".git")->flags & PLAN_MOUNT_READ_ONLY);
	assert_null(project_mount(&p, ".git/hooks"));
	plan_release(&p);
	prepare(LAYOUT OFFLINE "protect = off\n");
	load(&p);
	assert_null(project_mount(&p, ".git"));
	plan_release(&p);
}

static void test_hooks_are_made_or_left(void **state)
{
	struct plan p;

	(void)state;
	fixture_layout("one");
	make_git("home/src/shop/.git");
	assert_int_equal(unlinkat(tempfd, "home/src/shop/.git/hooks", AT_REMOVEDIR), 0);
	prepare(LAYOUT OFFLINE);
	load(&p);
	assert_non_null(project_mount(&p, ".git/hooks"));
	plan_release(&p);
	/* Somebody's own link to tracked hooks: what is tracked is not mounted over. */
	assert_int_equal(unlinkat(tempfd, "home/src/shop/.git/hooks", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("../hooks", tempfd, "home/src/shop/.git/hooks"), 0);
	prepare(LAYOUT OFFLINE "[env]\nA = 1\n");
	load(&p);
	assert_null(project_mount(&p, ".git/hooks"));
	plan_release(&p);
}

static void test_links_and_nothing(void **state)
{
	struct plan p;
	bool watched = false;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT OFFLINE);
	load(&p);
	assert_null(project_mount(&p, ".git"));
	for (size_t i = 0; i < p.watch_count; i++)
		watched = watched || (p.watches[i].absent && text_ends(p.watches[i].path, "/shop/.git"));
	assert_true(watched);
	plan_release(&p);
	make_git("home/elsewhere");
	assert_int_equal(symlinkat("../../elsewhere", tempfd, "home/src/shop/.git"), 0);
	prepare(LAYOUT OFFLINE "[env]\nA = 1\n");
	load(&p);
	assert_null(project_mount(&p, ".git"));
	assert_null(project_mount(&p, ".git/hooks"));
	plan_release(&p);
}

/* The project as a worktree of home/clone, with a sibling below the home and one outside. */
static void make_worktree(const char *answer)
{
	cleanup_free char *dotgit = mem_printf("gitdir: %s/home/clone/.git/worktrees/w\n", tempdir);
	cleanup_free char *back = mem_printf("%s/%s/.git\n", tempdir, answer);
	cleanup_free char *sibling = mem_printf("%s/home/trees/sibling/.git\n", tempdir);

	make_git("home/clone/.git");
	fixture_mkdir("home/clone/.git/worktrees/w");
	fixture_mkdir("home/clone/.git/worktrees/s");
	fixture_mkdir("home/clone/.git/worktrees/o");
	tempdir_write("home/clone/.git/worktrees/w/gitdir", back);
	tempdir_write("home/clone/.git/worktrees/w/commondir", "../..\n");
	tempdir_write("home/clone/.git/worktrees/s/gitdir", sibling);
	tempdir_write("home/clone/.git/worktrees/o/gitdir", "/srv/trees/other/.git\n");
	fixture_write(".git", dotgit);
}

static void test_worktree(void **state)
{
	cleanup_free char *common = NULL, *hooks = NULL, *other = NULL;
	cleanup_free char *real = realpath(tempdir, NULL);
	struct environment env;
	struct plan p;

	(void)state;
	fixture_layout("one");
	make_worktree("home/src/shop");
	prepare(LAYOUT OFFLINE);
	load(&p);
	common = path_join(real, "home/clone/.git");
	hooks = path_join(common, "hooks");
	assert_non_null(mount_at(&p, common));
	assert_false(mount_at(&p, common)->flags & PLAN_MOUNT_READ_ONLY);
	assert_true(mount_at(&p, hooks)->flags & PLAN_MOUNT_READ_ONLY);
	assert_true(project_mount(&p, ".git")->flags & PLAN_MOUNT_READ_ONLY);
	assert_true(project_mount(&p, ".git")->flags & PLAN_MOUNT_FILE);
	other = skeleton_text(&p, "/srv/trees/other/.git");
	assert_non_null(strstr(other, "not part of this environment"));
	fixture_open(&env);
	free(other);
	other = path_join(env.state, "home/trees/sibling/.git");
	assert_true(file_exists(AT_FDCWD, other));
	env_release(&env);
	plan_release(&p);
}

static void test_forged_worktree(void **state)
{
	struct plan p;

	(void)state;
	fixture_layout("one");
	make_worktree("home/src/another");
	prepare(LAYOUT OFFLINE);
	load(&p);
	for (size_t i = 0; i < p.mount_count; i++)
		assert_null(strstr(p.mounts[i].host, "/clone"));
	plan_release(&p);
}

static void test_gitconfig(void **state)
{
	cleanup_free char *text = NULL, *ignore = NULL;
	struct plan p;

	(void)state;
	fixture_layout("one");
	fixture_mkdir("config/git");
	tempdir_write("config/git/config", "[user]\nname = Old\nemail = old@example.org\n");
	tempdir_write("config/git/ignore", "*.o\n");
	tempdir_write("home/.gitconfig", "[user]\nname = A \\\"b\\\" \\\\c\n[alias]\nst = status\nx = !evil\n"
					  "[core]\npager = evil\n[credential]\nhelper = evil\n[http]\nextraHeader = secret\n"
					  "[user]\nsigningKey = secret\n[include]\npath = more\n");
	tempdir_write("home/more", "[init]\ndefaultBranch = trunk\n");
	prepare(LAYOUT OFFLINE);
	load(&p);
	text = skeleton_text(&p, "/etc/gitconfig");
	assert_non_null(strstr(text, "[safe]\n\tdirectory = \"*\"\n"));
	assert_non_null(strstr(text, "[user]\n\tname = \"A \\\"b\\\" \\\\c\"\n"));
	assert_null(strstr(text, "Old"));
	assert_non_null(strstr(text, "old@example.org"));
	assert_non_null(strstr(text, "[alias]\n\tst = \"status\"\n"));
	assert_non_null(strstr(text, "defaultbranch = \"trunk\""));
	assert_non_null(strstr(text, "excludesfile = \"/etc/devenv/gitignore\""));
	assert_null(strstr(text, "evil"));
	assert_null(strstr(text, "secret"));
	ignore = skeleton_text(&p, "/etc/devenv/gitignore");
	assert_string_equal(ignore, "*.o\n");
	assert_int_equal(skeleton_mode(&p, "/usr/local/bin/devenv"), S_IFREG | 0755);
	plan_release(&p);
}

static void test_broken_gitconfig(void **state)
{
	struct person person = { 0 };
	struct env_ui ui = person_ui(&person, false);
	struct env_options o = { .ui = &ui, .yes = true };
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_layout("one");
	tempdir_write("home/.gitconfig", "[user\n");
	fixture_write("devenv.ini", LAYOUT OFFLINE);
	fixture_open(&env);
	assert_done(env_prepare(&env, ENV_FOR_RUN, &o, &e), e);
	assert_non_null(strstr(person.said.data, "your git configuration is not carried in"));
	env_release(&env);
	person_release(&person);
}

/* ---- untrusted ---- */

static void test_untrusted(void **state)
{
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui };
	struct err e = ERR_INIT;
	struct environment env;
	struct plan p;
	char *path;

	(void)state;
	fixture_layout("one");
	fixture_mkdir("home/data");
	make_git("home/src/shop/.git");
	tempdir_write("home/.gitconfig", "[user]\nname = Me\n");
	prepare(LAYOUT "[mount.d]\nsource = ~/data\ntarget = /data\n[pass-env]\nnames = A\n[setup]\nrun = x\n"
		       "[hooks]\nstart = x\nenter = x\n[volume.v]\ntarget = /v\n[sandbox]\npersist = yes\n"
		       "[env-file]\noptional = ~/secret\n");
	fixture_open(&env);
	assert_done(env_deny(&env, &e), e);
	env_distrust(&env);
	assert_done(env_prepare(&env, ENV_FOR_RUN, &o, &e), e);
	path = env_plan_path(&env);
	assert_done(plan_load(&p, path, &e), e);
	assert_int_equal(p.network, PLAN_NETWORK_NONE);
	assert_int_not_equal(p.scratch, PLAN_SCRATCH_PERSIST);
	assert_int_equal(p.mount_count, 2);
	assert_int_equal(mount_at(&p, p.home)->kind, PLAN_TMPFS);
	assert_int_equal(mount_at(&p, p.project_target)->kind, PLAN_VIEW);
	assert_string_equal(p.setup, "");
	assert_string_equal(p.hook_start, "");
	assert_string_equal(p.hook_enter, "");
	for (size_t i = 0; i < p.pass_count; i++)
		assert_string_not_equal(p.pass[i], "A");
	assert_int_equal(skeleton_mode(&p, "/etc/gitconfig"), 0);
	plan_release(&p);
	free(path);
	env_release(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_checkout),	    fixture_test(test_hooks_are_made_or_left),
		fixture_test(test_links_and_nothing), fixture_test(test_worktree),
		fixture_test(test_forged_worktree), fixture_test(test_gitconfig),
		fixture_test(test_broken_gitconfig), fixture_test(test_untrusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
