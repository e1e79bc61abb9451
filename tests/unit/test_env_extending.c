/* SPDX-License-Identifier: Apache-2.0 */
/* Files of git repositories that a configuration extends: asked for, fetched, locked, updated, and had offline. */
#include "unit/env_fixture.h"

#include "base/process.h"
#include "env/extending.h"
#include "env/locking.h"
#include "fetch/gitrepo.h"

#define BASE_FILE "[base]\nimage = debian:12\n[sandbox]\nnetwork = none\n"

/* libgit2 1.5 forgets to free what pcre2 gives it when it looks for url.*.insteadOf. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2\n";
}

static char *repo; /* absolute path of the repository that is extended */

static void git(const char *words)
{
	cleanup_strlist struct strlist argv = STRLIST_INIT;
	struct err e = ERR_INIT;

	strlist_add(&argv, "git");
	strlist_add(&argv, "-C");
	strlist_add(&argv, repo);
	strlist_split(&argv, "-c user.name=n -c user.email=e -c commit.gpgsign=false -c init.defaultBranch=main", " ");
	strlist_split(&argv, words, " ");
	if (process_run((const char *const *)argv.items, &e) != 0)
		fail_msg("git %s: %s", words, e.msg);
}

static void commit_file(const char *name, const char *text)
{
	cleanup_free char *below = mem_printf("envs/%s", name);

	tempdir_write(below, text);
	git("add .");
	git("commit -q -m change");
}

static int setup(void **state)
{
	fixture_setup(state);
	fixture_mkdir("envs/python");
	repo = path_join(tempdir, "envs");
	git("init -q .");
	commit_file("python/base.ini", BASE_FILE "[env]\nFROM = base\n");
	git("tag v1");
	return 0;
}

static int teardown(void **state)
{
	free(repo);
	return fixture_teardown(state);
}

/* A devenv.ini that extends `fragment` of the repository, with more lines. */
static void write_config(const char *fragment, const char *more)
{
	cleanup_free char *text = mem_printf("[devenv]\nextends = git+file://%s%s\n%s", repo, fragment, more);

	fixture_write("devenv.ini", text);
}

static char *read_lock(void)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_done(file_read(tempfd, "home/src/shop/devenv.lock", 1 << 20, 0, &b, NULL, &e), e);
	return buf_steal(&b);
}

static void forget_cache(void)
{
	struct err e = ERR_INIT;

	assert_done(file_remove_tree(tempfd, "cache", &e), e);
}

struct scene {
	struct person person;
	struct env_ui ui;
	struct env_options o;
	struct environment env;
};

static void open_scene(struct scene *s, bool interactive)
{
	memset(s, 0, sizeof(*s));
	s->person.answer = true;
	s->ui = person_ui(&s->person, interactive);
	s->o = (struct env_options){ .ui = &s->ui };
	fixture_open(&s->env);
}

static void close_scene(struct scene *s)
{
	env_release(&s->env);
	person_release(&s->person);
}

/* The extended files only: the base would need a registry. */
static void complete(struct scene *s, const struct strlist *update, size_t changes)
{
	struct env_changes c = { 0 };
	struct err e = ERR_INIT;

	assert_done(extending_complete(&s->env, &s->o, true, update, &c, &e), e);
	assert_int_equal(c.count, changes);
	assert_false(s->env.incomplete);
	env_changes_release(&c);
}

static void save_lock(const struct environment *env)
{
	cleanup_buf struct buf text = BUF_INIT;

	lock_format(&env->lock, &text);
	fixture_write("devenv.lock", text.data);
}

static void lock_it(void)
{
	struct scene s;

	open_scene(&s, true);
	complete(&s, NULL, 1);
	save_lock(&s.env);
	close_scene(&s);
}

static void test_asked_before_it_is_fetched(void **state)
{
	struct scene s;
	struct env_powers p;
	struct err e = ERR_INIT;

	(void)state;
	write_config("#v1:python/base.ini", "[env-file]\noptional = ~/secrets\n");
	open_scene(&s, true);
	assert_true(s.env.incomplete);
	assert_int_equal(s.env.config.base, CONFIG_BASE_NONE);
	assert_done(env_powers(&s.env, &p, &e), e);
	assert_int_equal(p.count, 1); /* what else is asked for is not known yet */
	assert_true(text_starts(p.items[0].key, "fetch:git+file://"));
	env_powers_release(&p);
	s.person.answer = false;
	assert_error(env_extend(&s.env, &s.o, &e), e, ERR_NOT_ALLOWED, "not allowed");
	assert_non_null(strstr(s.person.shown.data, "fetch: git+file://"));
	assert_false(file_exists(tempfd, "cache"));
	s.person.answer = true;
	assert_done(env_extend(&s.env, &s.o, &e), e);
	assert_string_equal(s.env.config.base_value, "debian:12");
	assert_true(text_ends(s.env.config.base_file, "#v1:python/base.ini"));
	assert_done(env_require_allowed(&s.env, &s.o, &e), e);
	assert_true(text_starts(s.person.shown.data, "growth\nfile: "));
	assert_null(strstr(s.person.shown.data, "fetch:"));
	assert_false(file_exists(tempfd, "home/src/shop/devenv.lock"));
	close_scene(&s);
}

static void test_locked_and_offline(void **state)
{
	cleanup_free char *lock = NULL;
	struct env_gaps gaps;
	struct scene s;

	(void)state;
	write_config("#main:python/base.ini", "");
	open_scene(&s, true);
	env_gaps_find(&s.env, &gaps);
	assert_int_equal(gaps.count, 1);
	assert_true(text_starts(gaps.items[0].name, "extends.file://"));
	assert_string_equal(gaps.items[0].reason, "not locked");
	env_gaps_release(&gaps);
	close_scene(&s);
	lock_it();
	lock = read_lock();
	assert_non_null(strstr(lock, "\ncommit = "));
	assert_non_null(strstr(lock, "\ncontent = sha256:"));
	assert_non_null(strstr(lock, "#main:python/base.ini\n"));
	/* From the cache alone, though the repository is gone and the branch was moved before. */
	commit_file("python/base.ini", BASE_FILE "[env]\nFROM = moved\n");
	assert_int_equal(renameat(tempfd, "envs", tempfd, "gone"), 0);
	open_scene(&s, false);
	assert_false(s.env.incomplete);
	assert_string_equal(s.env.config.env[0].value, "base");
	env_gaps_find(&s.env, &gaps);
	assert_int_equal(gaps.count, 1); /* the base, which is known from what is extended */
	assert_string_equal(gaps.items[0].name, "base");
	env_gaps_release(&gaps);
	close_scene(&s);
}

static void test_moved_branch_waits_for_update(void **state)
{
	cleanup_strlist struct strlist names = STRLIST_INIT, none = STRLIST_INIT;
	struct scene s;

	(void)state;
	write_config("#main:python/base.ini", "");
	lock_it();
	commit_file("python/base.ini", BASE_FILE "[env]\nFROM = moved\n");
	forget_cache();
	open_scene(&s, true);
	assert_true(s.env.incomplete);
	complete(&s, NULL, 0);
	assert_string_equal(s.env.config.env[0].value, "base");
	strlist_add(&names, "base");
	complete(&s, &names, 0); /* another name */
	assert_string_equal(s.env.config.env[0].value, "base");
	complete(&s, &none, 1); /* all */
	assert_string_equal(s.env.config.env[0].value, "moved");
	complete(&s, &none, 0);
	close_scene(&s);
}

static void test_tag_commit_and_head(void **state)
{
	cleanup_free char *fragment = NULL;
	cleanup_strlist struct strlist all = STRLIST_INIT;
	char commit[GITREPO_COMMIT];
	struct scene s;

	(void)state;
	git("tag -a -m annotated v2");
	write_config("#v2:python/base.ini", "");
	open_scene(&s, true);
	complete(&s, NULL, 1);
	snprintf(commit, sizeof(commit), "%s", s.env.lock.extends[0].commit);
	close_scene(&s);
	commit_file("python/base.ini", BASE_FILE);
	git("branch -q -M other");
	write_config("#:python/base.ini", "");
	open_scene(&s, true);
	complete(&s, NULL, 1);
	assert_string_not_equal(s.env.lock.extends[0].commit, commit);
	close_scene(&s);
	fragment = mem_printf("#%s:python/base.ini", commit);
	write_config(fragment, "");
	open_scene(&s, true);
	complete(&s, NULL, 1);
	complete(&s, &all, 0); /* a commit can't move */
	assert_string_equal(s.env.config.env[0].value, "base");
	close_scene(&s);
}

static void test_rewritten_history(void **state)
{
	struct err e = ERR_INIT;
	struct scene s;

	(void)state;
	write_config("#main:python/base.ini", "");
	lock_it();
	forget_cache();
	git("commit -q --amend -m rewritten");
	open_scene(&s, true);
	complete(&s, NULL, 0); /* the tag has it still */
	close_scene(&s);
	forget_cache();
	git("tag -d v1");
	git("reflog expire --expire=now --all");
	git("gc -q --prune=now");
	open_scene(&s, true);
	assert_error(extending_complete(&s.env, &s.o, true, NULL, NULL, &e), e, ERR_NOT_FOUND, "any more");
	assert_non_null(strstr(e.hint, "devenv update"));
	close_scene(&s);
}

static void test_files_beside_it(void **state)
{
	cleanup_strlist struct strlist all = STRLIST_INIT;
	struct scene s;

	(void)state;
	commit_file("python/base.ini", "[devenv]\nextends = ../common.ini\n[env]\nFROM = base\n");
	commit_file("common.ini", BASE_FILE "[env]\nFROM = common\nMORE = 1\n");
	write_config("#main:python/base.ini", "[env]\nOWN = 1\n");
	open_scene(&s, true);
	complete(&s, NULL, 1);
	assert_int_equal(s.env.lock.extends_count, 1);
	assert_int_equal(s.env.extends_count, 2);
	assert_int_equal(s.env.config.env_count, 3);
	assert_string_equal(s.env.config.env[0].value, "base");
	assert_true(text_ends(s.env.config.env[1].file, "#main:common.ini"));
	commit_file("common.ini", BASE_FILE "[env]\nMORE = 2\n");
	complete(&s, &all, 1);
	assert_string_equal(s.env.config.env[0].value, "2");
	close_scene(&s);
}

static void test_bad_files(void **state)
{
	struct err e = ERR_INIT;
	struct scene s;

	(void)state;
	write_config("#v1:nothing.ini", "");
	open_scene(&s, true);
	assert_error(env_extend(&s.env, &s.o, &e), e, ERR_NOT_FOUND, "there is no nothing.ini in file://");
	close_scene(&s);
	write_config("#v9:python/base.ini", "");
	open_scene(&s, true);
	e = ERR_INIT;
	assert_error(env_extend(&s.env, &s.o, &e), e, ERR_NOT_FOUND, "has no branch or tag 'v9'");
	close_scene(&s);
	write_config("#v1:python", "");
	open_scene(&s, true);
	e = ERR_INIT;
	assert_error(env_extend(&s.env, &s.o, &e), e, ERR_CONFIG, "not a regular file");
	close_scene(&s);
	assert_int_equal(symlinkat("/etc/passwd", tempfd, "envs/link.ini"), 0);
	commit_file("python/bad.ini", "[base]\nimgae = x\n");
	write_config("#main:link.ini", "");
	open_scene(&s, true);
	e = ERR_INIT;
	assert_error(env_extend(&s.env, &s.o, &e), e, ERR_CONFIG, "not a regular file");
	close_scene(&s);
	write_config("#main:python/bad.ini", "");
	open_scene(&s, true);
	e = ERR_INIT;
	assert_error(env_extend(&s.env, &s.o, &e), e, ERR_CONFIG, "#main:python/bad.ini:2: unknown key 'imgae'");
	close_scene(&s);
}

static void test_tampered_lock(void **state)
{
	cleanup_free char *lock = NULL;
	struct err e = ERR_INIT;
	struct environment env;
	char *content;

	(void)state;
	write_config("#v1:python/base.ini", "");
	lock_it();
	lock = read_lock();
	content = strstr(lock, "content = sha256:") + strlen("content = sha256:");
	memset(content, '0', 64);
	fixture_write("devenv.lock", lock);
	assert_error(env_open(&env, fixture_project, &e), e, ERR_INTEGRITY, "is not what devenv.lock says");
}

static void test_who_may_lock(void **state)
{
	struct err e = ERR_INIT;
	struct scene s;

	(void)state;
	write_config("#v1:python/base.ini", "");
	fixture_write("devenv.lock", "[base]\nmanifest.linux/amd64 = sha256:"
				     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nrequest = x\n");
	open_scene(&s, false);
	s.o.yes = true;
	assert_error(locking_for_session(&s.env, ENV_FOR_RUN, &s.o, &e), e, ERR_LOCK, "extends.file://");
	close_scene(&s);
	lock_it();
	forget_cache();
	open_scene(&s, false);
	e = ERR_INIT;
	/* Locked: fetched whoever asks, and then the base is the gap. */
	assert_error(locking_for_session(&s.env, ENV_FOR_RUN, &s.o, &e), e, ERR_LOCK, "asks for docker.io/library/debian:12");
	assert_false(s.env.incomplete);
	close_scene(&s);
}

static void test_names_and_pruning(void **state)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct env_changes c = { 0 };
	struct err e = ERR_INIT;
	struct scene s;

	(void)state;
	write_config("#v1:python/base.ini", "");
	lock_it();
	open_scene(&s, true);
	strlist_add(&names, "extends");
	assert_error(env_lock(&s.env, &s.o, true, &names, &c, &e), e, ERR_USAGE, "nothing in this project's lock");
	assert_non_null(strstr(e.hint, "the names are: base, extends.file://"));
	close_scene(&s);
	fixture_write("devenv.ini", BASE_FILE);
	open_scene(&s, true);
	extending_prune(&s.env, &c);
	assert_int_equal(c.count, 1);
	assert_string_equal(c.items[0].after, "");
	assert_int_equal(s.env.lock.extends_count, 0);
	env_changes_release(&c);
	close_scene(&s);
}

/* ---- files of the project ---- */

static void check_open(enum err_code code, const char *says)
{
	struct environment env;
	struct err e = ERR_INIT;

	assert_error(env_open(&env, fixture_project, &e), e, code, says);
}

static void test_project_files(void **state)
{
	struct environment env;
	bool watched = false;

	(void)state;
	fixture_mkdir("home/src/shop/envs");
	fixture_write("devenv.ini", "[devenv]\nextends =\n  envs/a.ini\n  envs/b.ini\n");
	fixture_write("envs/a.ini", "[devenv]\nextends = c.ini\n" BASE_FILE "[env]\nWHO = a\n");
	fixture_write("envs/b.ini", "[devenv]\nextends = c.ini\n[env]\nWHO = b\n");
	fixture_write("envs/c.ini", "[env]\nWHO = c\n");
	fixture_open(&env);
	assert_string_equal(env.config.env[0].value, "b");
	assert_int_equal(env.config.files.count, 4); /* c once */
	for (size_t i = 0; i < env.file_count; i++)
		watched = watched || text_ends(env.files[i].path, "/shop/envs/c.ini");
	assert_true(watched);
	env_release(&env);
	fixture_write("envs/c.ini", "[devenv]\nextends = ../devenv.ini\n");
	check_open(ERR_CONFIG, "envs/c.ini:2: [devenv] extends: it goes round in a circle: devenv.ini \xe2\x86\x92 envs/a.ini "
			       "\xe2\x86\x92 envs/c.ini \xe2\x86\x92 devenv.ini");
	assert_int_equal(unlinkat(tempfd, "home/src/shop/envs/c.ini", 0), 0);
	check_open(ERR_CONFIG, "envs/a.ini:2: [devenv] extends: there is no envs/c.ini in the project");
	assert_int_equal(symlinkat("../../secrets", tempfd, "home/src/shop/envs/c.ini"), 0);
	check_open(ERR_CONFIG, "symbolic link");
}

static void test_depth(void **state)
{
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", "[devenv]\nextends = 1.ini\n" BASE_FILE);
	for (int i = 1; i <= 9; i++) {
		cleanup_free char *name = mem_printf("%d.ini", i);
		cleanup_free char *text = i < 9 ? mem_printf("[devenv]\nextends = %d.ini\n", i + 1) : mem_strdup("[env]\nA = 1\n");

		fixture_write(name, text);
	}
	check_open(ERR_CONFIG, "8.ini:2: [devenv] extends: more than 8 files extend one another");
	fixture_write("8.ini", "[env]\nA = 1\n");
	fixture_open(&env);
	env_release(&env);
}

static void test_local_file(void **state)
{
	struct environment env;

	(void)state;
	free(repo);
	repo = mem_strdup(fixture_project);
	fixture_write("devenv.ini", BASE_FILE "[env]\nA = 1\n");
	fixture_write("devenv.local.ini", "[env]\nA = 2\n");
	fixture_open(&env); /* in no repository */
	assert_string_equal(env.config.env[0].value, "2");
	env_release(&env);
	git("init -q .");
	fixture_open(&env);
	env_release(&env);
	assert_true(gitrepo_would_add(fixture_project, "devenv.local.ini"));
	fixture_write(".git/info/exclude", "devenv.local.*\n");
	assert_false(gitrepo_would_add(fixture_project, "devenv.local.ini"));
	git("add -f devenv.local.ini");
	assert_false(gitrepo_would_add(fixture_project, "devenv.local.ini"));
	check_open(ERR_CONFIG, "devenv.local.ini is tracked by git");
	git("rm -q --cached devenv.local.ini");
	/* so is the lock of its packages, once it has some */
	fixture_write("devenv.local.lock", "");
	git("add -f devenv.local.lock");
	fixture_open(&env);
	assert_int_equal(env.local_lock_error.code, ERR_NONE);
	env_release(&env);
	fixture_write("devenv.local.ini", "[packages]\napt = tree\n");
	fixture_open(&env);
	assert_int_equal(env.local_lock_error.code, ERR_LOCK);
	assert_non_null(strstr(env.local_lock_error.msg, "devenv.local.lock is tracked by git"));
	env_release(&env);
	git("rm -q --cached devenv.local.lock");
	fixture_write("devenv.local.ini", "[base]\nimage = x\n");
	check_open(ERR_CONFIG, "devenv.local.ini:2: [base] image is not for this file to set");
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_asked_before_it_is_fetched), test(test_locked_and_offline),
		test(test_moved_branch_waits_for_update), test(test_tag_commit_and_head),
		test(test_rewritten_history),	       test(test_files_beside_it),
		test(test_bad_files),		       test(test_tampered_lock),
		test(test_who_may_lock),	       test(test_names_and_pruning),
		test(test_project_files),	       test(test_depth),
		test(test_local_file),
	};

	return cmocka_run_group_tests_name("env_extending", tests, NULL, NULL);
}
