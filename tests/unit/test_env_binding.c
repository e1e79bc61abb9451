/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and variables of the host in a plan, what no project can ask for, and the key of the setup. */
#include "unit/env_plan.h"

#define MOUNT "[mount.data]\nsource = ../../data\ntarget = /data\n"

static void make_data(void)
{
	fixture_mkdir("home/data");
	fixture_layout("one");
}

static void test_mount(void **state)
{
	cleanup_free char *host = path_join(tempdir, "home/data");
	const struct plan_mount *m;
	struct stat st;
	struct plan p;

	(void)state;
	make_data();
	prepare(LAYOUT OFFLINE MOUNT);
	load(&p);
	m = mount_at(&p, "/data");
	assert_non_null(m);
	assert_string_equal(m->host, host);
	assert_int_equal(m->flags, PLAN_MOUNT_READ_ONLY);
	assert_int_equal(stat(host, &st), 0);
	assert_int_equal(m->ino, st.st_ino);
	assert_true(S_ISDIR(skeleton_mode(&p, "/data")));
	for (size_t i = 0; i < p.watch_count; i++)
		p.watches[i].young = false;
	assert_null(plan_stale(&p));
	assert_int_equal(renameat(tempfd, "home/data", tempfd, "home/old"), 0);
	assert_non_null(plan_stale(&p));
	fixture_mkdir("home/data");
	assert_non_null(plan_stale(&p));
	plan_release(&p);
}

static void test_file_mount(void **state)
{
	const struct plan_mount *m;
	struct plan p;

	(void)state;
	make_data();
	tempdir_write("home/rc", "x");
	prepare(LAYOUT OFFLINE "[mount.rc]\nsource = ~/rc\ntarget = /opt/rc\nmode = rw\n"
		"[mount.in]\nsource = layout/index.json\ntarget = ~/index\n");
	load(&p);
	m = mount_at(&p, "/opt/rc");
	assert_non_null(m);
	assert_int_equal(m->flags, PLAN_MOUNT_FILE);
	assert_true(S_ISREG(skeleton_mode(&p, "/opt/rc")));
	m = &p.mounts[p.mount_count - 1];
	for (size_t i = 0; i < p.mount_count; i++)
		if (text_ends(p.mounts[i].target, "/home/index"))
			m = &p.mounts[i];
	assert_int_equal(m->flags, PLAN_MOUNT_FILE | PLAN_MOUNT_READ_ONLY | PLAN_MOUNT_CREATE);
	plan_release(&p);
}

static void test_mount_fails(void **state)
{
	(void)state;
	make_data();
	prepare_fails(LAYOUT OFFLINE "[mount.x]\nsource = ~/gone\ntarget = /x\n", ERR_CONFIG,
		      "devenv.ini:6: [mount.x] source: there is no ");
	prepare_fails(LAYOUT OFFLINE "[mount.x]\nsource = layout\ntarget = /workspace\n", ERR_CONFIG,
		      "devenv.ini:7: [mount.x] target: ");
	assert_int_equal(mkfifoat(tempfd, "home/fifo", 0600), 0);
	prepare_fails(LAYOUT OFFLINE "[mount.x]\nsource = ~/fifo\ntarget = /x\n", ERR_CONFIG, "neither a directory nor");
}

static void forbidden(const char *source)
{
	cleanup_free char *config = mem_printf(LAYOUT OFFLINE "[mount.x]\nsource = %s\ntarget = /x\nmode = rw\n", source);
	struct err e = ERR_INIT;
	struct environment env;

	fixture_write("devenv.ini", config);
	assert_error(env_open(&env, fixture_project, &e), e, ERR_CONFIG, "no project can ask for that");
	assert_true(text_starts(e.msg, "devenv.ini:6: "));
}

static void test_forbidden(void **state)
{
	static const char *const below[] = { "home", "store", "store/layers", "state", "state/devenv/trust", "config",
					     "config/devenv", "run", "run/devenv", "" };

	(void)state;
	make_data();
	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		cleanup_free char *path = path_join(tempdir, below[i]);

		forbidden(path);
	}
	forbidden("~");
	forbidden("/");
	forbidden("../../..");
	forbidden("/var/run");
	forbidden("/run");
	forbidden("/run/docker.sock");
	forbidden("/srv/podman.sock");
	forbidden("/proc/1/root");
	forbidden("/dev");
	forbidden("/sys/fs/cgroup");
	assert_int_equal(symlinkat("../..", tempfd, "home/src/shop/up"), 0);
	forbidden("up");
}

static void check_powers(const char *config, const char *expected)
{
	cleanup_buf struct buf got = BUF_INIT;
	struct err e = ERR_INIT;
	struct environment env;
	struct env_powers p;

	fixture_write("devenv.ini", config);
	fixture_open(&env);
	assert_done(env_powers(&env, &p, &e), e);
	for (size_t i = 0; i < p.count; i++)
		buf_addf(&got, "%s\n", p.items[i].key);
	assert_string_equal(got.data, expected);
	env_powers_release(&p);
	env_release(&env);
}

static void test_powers(void **state)
{
	cleanup_free char *mount = mem_printf("env:A\nenv:B\nmount:%s/home/data:ro\n", tempdir);

	(void)state;
	make_data();
	check_powers(LAYOUT OFFLINE MOUNT "[pass-env]\nnames = B A\n", mount);
	check_powers(LAYOUT OFFLINE "[mount.x]\nsource = layout\ntarget = /x\n", "");
}

static bool needs_answer(const char *config)
{
	struct person p = { .answer = true };
	struct env_ui ui = person_ui(&p, true);
	struct env_options o = { .ui = &ui };
	struct err e = ERR_INIT;
	struct environment env;

	fixture_write("devenv.ini", config);
	fixture_open(&env);
	assert_done(env_require_allowed(&env, &o, &e), e);
	env_release(&env);
	person_release(&p);
	return p.asked > 0;
}

static void test_growth(void **state)
{
	(void)state;
	make_data();
	assert_true(needs_answer(LAYOUT OFFLINE MOUNT));
	assert_false(needs_answer(LAYOUT OFFLINE MOUNT));
	assert_true(needs_answer(LAYOUT OFFLINE MOUNT "mode = rw\n"));
	assert_false(needs_answer(LAYOUT OFFLINE MOUNT "mode = ro\n"));
	assert_true(needs_answer(LAYOUT OFFLINE "[pass-env]\nnames = A\n"));
	assert_true(needs_answer(LAYOUT OFFLINE "[pass-env]\nnames = A B\n"));
	assert_false(needs_answer(LAYOUT OFFLINE "[pass-env]\nnames = B\n"));
}

static void test_pass(void **state)
{
	bool found = false;
	struct plan p;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT OFFLINE "[pass-env]\nnames = AWS_PROFILE\n");
	load(&p);
	for (size_t i = 0; i < p.pass_count; i++)
		found = found || strcmp(p.pass[i], "AWS_PROFILE") == 0;
	assert_true(found);
	plan_release(&p);
}

/* ---- setup ---- */

#define SETUP LAYOUT OFFLINE "[setup]\ninputs = a.lock b.lock\nrun = make it\n"

static void key_of(const char *config, char key[65], char id[65])
{
	struct plan p;

	prepare(config);
	load(&p);
	snprintf(key, 65, "%s", p.setup_key);
	snprintf(id, 65, "%s", p.id);
	plan_release(&p);
}

static void test_setup_key(void **state)
{
	char first[65], again[65], id[65], other_id[65];
	struct plan p;

	(void)state;
	fixture_layout("one");
	fixture_write("a.lock", "1");
	key_of(SETUP, first, id);
	load(&p);
	assert_string_equal(p.setup, "make it");
	plan_release(&p);
	key_of(SETUP "[env]\nA = 1\n", again, other_id);
	assert_string_equal(first, again);
	assert_string_not_equal(id, other_id);
	fixture_write("a.lock", "2");
	key_of(SETUP, again, other_id);
	assert_string_not_equal(first, again);
	assert_string_equal(id, other_id); /* the environment is the same: sessions share it */
	fixture_write("a.lock", "1");
	key_of(SETUP, again, other_id);
	assert_string_equal(first, again);
	fixture_write("b.lock", "");
	key_of(SETUP, again, other_id);
	assert_string_not_equal(first, again);
	assert_int_equal(unlinkat(tempfd, "home/src/shop/b.lock", 0), 0);
	key_of(LAYOUT OFFLINE "[setup]\ninputs = a.lock b.lock\nrun = make that\n", again, other_id);
	assert_string_not_equal(first, again);
	fixture_layout("two");
	assert_int_equal(unlinkat(tempfd, "home/src/shop/devenv.lock", 0), 0);
	key_of(SETUP, again, other_id);
	assert_string_not_equal(first, again);
	key_of(LAYOUT OFFLINE, again, other_id);
	assert_string_equal(again, "");
}

static void test_large_input(void **state)
{
	cleanup_free char *path = path_join(fixture_project, "a.lock");
	char key[65], id[65];

	(void)state;
	fixture_layout("one");
	fixture_write("a.lock", "1");
	assert_int_equal(truncate(path, 3 << 20), 0);
	key_of(SETUP, key, id);
	assert_int_equal(strlen(key), 64);
	prepare_fails(LAYOUT OFFLINE "[setup]\ninputs = layout\nrun = x\n", ERR_CONFIG,
		      "devenv.ini:6: [setup] inputs: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_mount),     fixture_test(test_file_mount), fixture_test(test_mount_fails),
		fixture_test(test_forbidden), fixture_test(test_powers),     fixture_test(test_growth),
		fixture_test(test_pass),      fixture_test(test_setup_key),  fixture_test(test_large_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
