/* SPDX-License-Identifier: Apache-2.0 */
/* What gc keeps: of living projects, and of environments that run. */
#include "unit/env_plan.h"

#include "env/live.h"

#include "env/live.h"

static void test_live(void **state)
{
	cleanup_strlist struct strlist live = STRLIST_INIT, after = STRLIST_INIT;
	struct err e = ERR_INIT;
	struct environment env;
	struct env_gc dry = { .dry_run = true }, gc = { 0 };
	struct store s;
	struct plan p;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT OFFLINE);
	load(&p);
	fixture_open(&env);
	assert_done(env_live_digests(&env, &live, &e), e);
	assert_int_equal(live.count, 1);
	assert_string_equal(live.items[0], lock_manifest_digest(lock_find(&env.lock, "base"), oci_platform()));
	assert_done(env_store(&env, &s, &e), e);
	assert_done(env_gc(&env, &s, &gc, &e), e);
	assert_int_equal(gc.generated + gc.plans, 0);
	assert_true(file_exists(AT_FDCWD, p.layers[0]));
	assert_int_equal(unlinkat(tempfd, "home/src/shop/devenv.ini", 0), 0);
	assert_done(env_live_digests(&env, &after, &e), e);
	assert_int_equal(after.count, 0);
	assert_done(env_gc(&env, &s, &dry, &e), e);
	assert_int_equal(dry.generated, 2);
	assert_int_equal(dry.plans, 1);
	assert_true(file_exists(AT_FDCWD, p.layers[0]));
	fixture_mkdir("state/devenv/checkouts/other");
	assert_done(env_gc(&env, &s, &gc, &e), e);
	assert_int_equal(gc.generated, 2);
	assert_int_equal(gc.plans, 1);
	assert_true(gc.bytes > 0 && gc.bytes == dry.bytes);
	assert_false(file_exists(AT_FDCWD, p.layers[0]));
	assert_false(file_exists(AT_FDCWD, p.layers[1]));
	store_close(&s);
	env_release(&env);
	plan_release(&p);
}

static void test_live_while_running(void **state)
{
	cleanup_strlist struct strlist live = STRLIST_INIT, running = STRLIST_INIT;
	cleanup_strlist struct strlist digests = STRLIST_INIT, requests = STRLIST_INIT, layers = STRLIST_INIT;
	cleanup_free char *old = NULL;
	struct flock share = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1 };
	struct err e = ERR_INIT;
	struct environment env;
	struct plan p;
	int fd;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT OFFLINE);
	load(&p);
	fixture_mkdir("run/devenv");
	old = mem_printf("run/devenv/%s.lock", p.id);
	fd = openat(tempfd, old, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &share), 0);
	/* Another plan replaces it while a session of the first lasts. */
	fixture_layout("two");
	assert_int_equal(unlinkat(tempfd, "home/src/shop/devenv.lock", 0), 0);
	prepare(NULL);
	fixture_open(&env);
	assert_done(env_live_digests(&env, &live, &e), e);
	assert_int_equal(live.count, 2);
	assert_done(live_layers(&env, p.id, &layers, &e), e);
	assert_int_equal(layers.count, p.layer_count);
	for (size_t i = 0; i < layers.count; i++)
		assert_string_equal(layers.items[i], p.layers[i]);
	live_running(&env.dirs, env.state, &running);
	assert_int_equal(running.count, 1);
	assert_string_equal(running.items[0], p.id);
	close(fd);
	assert_done(env_live_images(&env, &digests, &requests, &e), e);
	assert_int_equal(digests.count, 1);
	assert_string_equal(requests.items[0], "oci:layout");
	strlist_release(&live);
	assert_done(env_live_digests(&env, &live, &e), e);
	assert_int_equal(live.count, 1);
	env_release(&env);
	plan_release(&p);
}

/* Such a path is odd and allowed; its image must not go for that. */
static void test_live_with_newlines(void **state)
{
	cleanup_strlist struct strlist live = STRLIST_INIT;
	struct err e = ERR_INIT;
	struct environment env;
	char *found;

	(void)state;
	fixture_mkdir("home/src/a\n/b\n\n");
	fixture_layout("one");
	assert_int_equal(renameat(tempfd, "home/src/shop", tempfd, "home/src/a\n/b\n\n/shop\n"), 0);
	free(fixture_project);
	fixture_project = path_join(tempdir, "home/src/a\n/b\n\n/shop\n");
	tempdir_write("home/src/a\n/b\n\n/shop\n/devenv.ini", LAYOUT OFFLINE);
	prepare(NULL);
	fixture_open(&env);
	assert_done(env_live_digests(&env, &live, &e), e);
	assert_int_equal(live.count, 1);
	found = live_project(env.state);
	assert_string_equal(found, fixture_project);
	free(found);
	env_release(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_live),
		fixture_test(test_live_while_running),
		fixture_test(test_live_with_newlines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
