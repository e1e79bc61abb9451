/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plan/: what is written is read, damage is noticed, and freshness means what stat says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "plan/format.h"
#include "plan/plan.h"
#include "unit/tempdir.h"

static const uint64_t filter[3] = { 1, 2, 3 };

static void fill(struct plan *p)
{
	plan_init(p);
	p->id = "00ff";
	p->name = "shop";
	p->project = "/home/ann/shop";
	p->image = "docker.io/library/python:3.12";
	p->state = "/home/ann/.local/state/devenv/checkouts/shop-1";
	p->hostname = "shop";
	p->home = "/home/ann";
	p->shell = "/bin/bash";
	p->root_home = "/root";
	p->root_shell = "/bin/sh";
	p->workdir = "/home/ann/shop";
	p->project_target = "/home/ann/shop";
	p->hook_start = "echo start\n";
	p->hook_enter = "";
	p->uid = 1000;
	p->gid = 1001;
	p->network = PLAN_NETWORK_NONE;
	p->scratch = PLAN_SCRATCH_DISK;
	plan_add_layer(p, "/store/skeleton");
	plan_add_layer(p, "/store/layers/a/fs");
	plan_add_layer(p, "/store/layers/b/fs");
	plan_add_env(p, "PATH=/bin");
	plan_add_env(p, "EMPTY=");
	plan_add_pass(p, "LC_*");
	plan_add_locale(p, "C.UTF-8");
	plan_add_command(p, "python3");
	plan_add_entrypoint(p, "/entry");
	plan_add_mount(p, (struct plan_mount){ .kind = PLAN_BIND, .flags = PLAN_MOUNT_CREATE, .host = "/a", .target = "/b",
					       .dev = 5, .ino = 6 });
	plan_add_mount(p, (struct plan_mount){ .kind = PLAN_TMPFS, .host = "", .target = "/cache" });
	plan_add_watch(p, (struct plan_watch){ .path = "/x", .content = "sha256:aa", .dev = 1, .ino = 2, .size = 3,
					       .mtime_ns = 4, .ctime_ns = 5 });
	plan_add_watch(p, (struct plan_watch){ .path = "/y", .content = "", .absent = true });
	p->filter = filter;
	p->filter_size = sizeof(filter);
	p->root_filter = filter + 1;
	p->root_filter_size = sizeof(filter[1]);
	p->memory = 5ull << 30;
	p->cpus = 1500;
	p->pids = 64;
	p->linger = 9;
	p->become_uid = 2147000000;
	p->become_gid = 2147000001;
	p->nested = true;
	plan_add_uid_range(p, (struct plan_range){ 0, 100000, 65536 });
	plan_add_gid_range(p, (struct plan_range){ 1, 200000, 7 });
}

static void check_filled(const struct plan *p)
{
	assert_string_equal(p->id, "00ff");
	assert_string_equal(p->name, "shop");
	assert_string_equal(p->project, "/home/ann/shop");
	assert_string_equal(p->root_shell, "/bin/sh");
	assert_string_equal(p->hook_start, "echo start\n");
	assert_string_equal(p->hook_enter, "");
	assert_int_equal(p->uid, 1000);
	assert_int_equal(p->gid, 1001);
	assert_int_equal(p->network, PLAN_NETWORK_NONE);
	assert_int_equal(p->scratch, PLAN_SCRATCH_DISK);
	assert_int_equal(p->layer_count, 3);
	assert_string_equal(p->layers[2], "/store/layers/b/fs");
	assert_int_equal(p->env_count, 2);
	assert_string_equal(p->env[1], "EMPTY=");
	assert_string_equal(p->pass[0], "LC_*");
	assert_string_equal(p->locales[0], "C.UTF-8");
	assert_string_equal(p->command[0], "python3");
	assert_string_equal(p->entrypoint[0], "/entry");
	assert_int_equal(p->mount_count, 2);
	assert_int_equal(p->mounts[0].flags, PLAN_MOUNT_CREATE);
	assert_int_equal(p->mounts[0].ino, 6);
	assert_string_equal(p->mounts[0].host, "/a");
	assert_int_equal(p->mounts[1].kind, PLAN_TMPFS);
	assert_int_equal(p->watch_count, 2);
	assert_int_equal(p->watches[0].ctime_ns, 5);
	assert_string_equal(p->watches[0].content, "sha256:aa");
	assert_true(p->watches[1].absent);
	assert_int_equal(p->filter_size, sizeof(filter));
	assert_memory_equal(p->filter, filter, sizeof(filter));
	assert_int_equal(p->root_filter_size, sizeof(filter[1]));
	assert_memory_equal(p->root_filter, filter + 1, sizeof(filter[1]));
	assert_true(p->memory == 5ull << 30);
	assert_int_equal(p->cpus, 1500);
	assert_int_equal(p->pids, 64);
	assert_int_equal(p->linger, 9);
	assert_int_equal(p->become_uid, 2147000000);
	assert_int_equal(p->become_gid, 2147000001);
	assert_true(p->nested);
	assert_int_equal(p->uid_range_count, 1);
	assert_int_equal(p->uid_ranges[0].outside, 100000);
	assert_int_equal(p->gid_range_count, 1);
	assert_int_equal(p->gid_ranges[0].count, 7);
}

static void test_round_trip(void **state)
{
	cleanup_buf struct buf bytes = BUF_INIT, again = BUF_INIT;
	struct plan p, q;
	struct err e = ERR_INIT;

	(void)state;
	fill(&p);
	plan_encode(&p, NULL, &bytes);
	plan_encode(&p, NULL, &again);
	assert_int_equal(bytes.len, again.len);
	assert_memory_equal(bytes.data, again.data, bytes.len);
	assert_int_equal(plan_decode(&q, &again, &e), 0);
	check_filled(&q);
	plan_release(&p);
	plan_release(&q);
}

static void test_identity_leaves_out_watches(void **state)
{
	cleanup_buf struct buf a = BUF_INIT, b = BUF_INIT, c = BUF_INIT;
	struct plan p;

	(void)state;
	fill(&p);
	plan_encode(&p, &a, NULL);
	plan_add_watch(&p, (struct plan_watch){ .path = "/z", .content = "" });
	p.id = "11";
	plan_encode(&p, &b, NULL);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	p.hostname = "other";
	plan_encode(&p, &c, NULL);
	assert_false(a.len == c.len && !memcmp(a.data, c.data, a.len));
	plan_release(&p);
}

/* Every single damaged byte and every cut is noticed. */
static void test_damage(void **state)
{
	cleanup_buf struct buf bytes = BUF_INIT;
	struct plan p, q;
	struct err e = ERR_INIT;
	size_t i;

	(void)state;
	fill(&p);
	plan_encode(&p, NULL, &bytes);
	for (i = 0; i < bytes.len; i++) {
		struct buf copy = BUF_INIT;

		buf_add(&copy, bytes.data, bytes.len);
		copy.data[i] ^= 0x20;
		assert_int_equal(plan_decode(&q, &copy, &e), -1);
		buf_release(&copy);
		buf_add(&copy, bytes.data, i);
		assert_int_equal(plan_decode(&q, &copy, &e), -1);
		buf_release(&copy);
	}
	plan_release(&p);
}

/* A record that lies about its length, with a checksum that is right. */
static void test_lying_record(void **state)
{
	struct buf b = BUF_INIT;
	struct plan_header h = { .magic = PLAN_MAGIC, .version = PLAN_VERSION, .header_size = sizeof(h) };
	struct plan_record r = { .tag = PLAN_TAG_NAME, .length = 0xfffffff9 };
	struct plan q;
	struct err e = ERR_INIT;

	(void)state;
	memcpy(h.magic, PLAN_MAGIC, sizeof(h.magic));
	h.length = sizeof(h) + sizeof(r);
	h.checksum = plan_checksum(&r, sizeof(r));
	buf_add(&b, &h, sizeof(h));
	buf_add(&b, &r, sizeof(r));
	assert_int_equal(plan_decode(&q, &b, &e), -1);
	assert_string_equal(e.msg, "the plan is damaged");
	buf_release(&b);
}

static void watch(struct plan *p, const char *path, int64_t later_ns)
{
	struct stat st;
	struct plan_watch w;
	bool there = stat(path, &st) == 0;

	plan_watch_from_stat(&w, path, there ? &st : NULL, there ? st.st_ctim.tv_sec * 1000000000LL + later_ns : 0);
	plan_add_watch(p, w);
}

static void test_freshness(void **state)
{
	cleanup_free char *there = path_join(tempdir, "there"), *absent = path_join(tempdir, "absent/deep");
	cleanup_free char *parent = path_join(tempdir, "absent");
	struct plan p;

	(void)state;
	tempdir_write("there", "one");
	plan_init(&p);
	watch(&p, there, 10000000000LL);
	watch(&p, absent, 0);
	assert_null(plan_stale(&p));
	tempdir_write("absent", "a file where a directory would be: still absent");
	assert_null(plan_stale(&p));
	unlink(parent);
	mkdir(parent, 0700);
	assert_null(plan_stale(&p));
	tempdir_write("absent/deep", "now");
	assert_string_equal(plan_stale(&p), absent);
	unlink(absent);
	assert_null(plan_stale(&p));
	tempdir_write("there", "two");
	assert_string_equal(plan_stale(&p), there);
	unlink(there);
	assert_string_equal(plan_stale(&p), there);
	plan_release(&p);
}

/* ---- so many that several processes look ---- */

enum { DIRECTORIES = 5, FILES = 600 };
static char *names[DIRECTORIES * (FILES + 1)];

static void watch_many(struct plan *p)
{
	size_t at = 0;

	plan_init(p);
	for (int d = 0; d < DIRECTORIES; d++) {
		char *dir = mem_printf("%s/d%d", tempdir, d);

		assert_int_equal(mkdir(dir, 0755), 0);
		for (int f = 0; f < FILES; f++) {
			cleanup_free char *name = mem_printf("d%d/f%d", d, f);

			tempdir_write(name, "x");
		}
		watch(p, dir, 10000000000LL);
		names[at++] = dir;
		for (int f = 0; f < FILES; f++) {
			names[at] = mem_printf("%s/f%d", dir, f);
			watch(p, names[at++], 10000000000LL);
		}
	}
}

static void touch(const char *path)
{
	const struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void free_names(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		free(names[i]);
}

static void forbid_processes(void)
{
	static const int calls[] = { SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(fork), SCMP_SYS(vfork) };
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAGAIN), calls[i], 0) < 0)
			_exit(98);
	if (seccomp_load(ctx) < 0)
		_exit(99);
}

/* Whoever has as many processes as he may have must not get an old plan for a good one. */
static void test_many_without_processes(void **state)
{
	static const size_t at[] = { ARRAY_SIZE(names) - 1, 1504, 1 };
	struct plan p;
	int status;
	pid_t pid;

	(void)state;
	watch_many(&p);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		forbid_processes();
		if (fork() >= 0)
			_exit(97);
		if (plan_stale(&p))
			_exit(1);
		for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
			const char *stale;

			touch(names[at[i]]);
			stale = plan_stale(&p);
			if (!stale || strcmp(stale, names[at[i]]) != 0)
				_exit((int)i + 2);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	plan_release(&p);
	free_names();
}

static void test_many(void **state)
{
	static const size_t at[] = { ARRAY_SIZE(names) - 1, 2999, 1505, 1504, 602, 601, 600, 3, 1, 0 }; /* in every part and on its edges */
	struct plan p;

	(void)state;
	watch_many(&p);
	assert_null(plan_stale(&p));
	/* who ignores the end of children hears nothing of them */
	assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	assert_null(plan_stale(&p));
	signal(SIGCHLD, SIG_DFL);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) { /* it is always the first that is named */
		touch(names[at[i]]);
		assert_string_equal(plan_stale(&p), names[at[i]]);
	}
	/* what can't be looked up from its directory is gone, as from the root */
	assert_int_equal(unlink(names[2]), 0);
	p.watches[0] = p.watches[1] = (struct plan_watch){ .path = "/none", .content = "", .absent = true };
	assert_string_equal(plan_stale(&p), names[2]);
	plan_release(&p);
	free_names();
}

/* A build may have this many inputs. */
static void test_large(void **state)
{
	cleanup_free char *path = path_join(tempdir, "plan");
	cleanup_buf struct buf bytes = BUF_INIT;
	struct err e = ERR_INIT;
	struct plan p, q;

	(void)state;
	fill(&p);
	for (uint64_t i = 0; i < 60000; i++)
		plan_add_watch(&p, (struct plan_watch){ .path = "/home/ann/shop/source/of/many/files/file.py",
							.content = "sha256:aa", .ino = i });
	plan_encode(&p, NULL, &bytes);
	assert_true(bytes.len > 5 << 20 && bytes.len < PLAN_MAX);
	assert_int_equal(file_replace(AT_FDCWD, path, bytes.data, bytes.len, 0600, FILE_FAST, &e), 0);
	if (plan_load(&q, path, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(q.watch_count, p.watch_count);
	assert_int_equal(q.watches[q.watch_count - 1].ino, 59999);
	plan_release(&p);
	plan_release(&q);
}

static void test_young_is_never_fresh(void **state)
{
	cleanup_free char *path = path_join(tempdir, "young");
	struct plan p;

	(void)state;
	tempdir_write("young", "one");
	plan_init(&p);
	watch(&p, path, 1000000000LL);
	assert_true(p.watches[0].young);
	assert_string_equal(plan_stale(&p), path);
	plan_release(&p);
}

static void test_load(void **state)
{
	cleanup_free char *path = path_join(tempdir, "plan"), *link = path_join(tempdir, "link");
	cleanup_buf struct buf bytes = BUF_INIT;
	struct plan p, q;
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	assert_int_equal(plan_load(&q, path, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	fill(&p);
	plan_encode(&p, NULL, &bytes);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, bytes.data, bytes.len), (ssize_t)bytes.len);
	close(fd);
	assert_int_equal(plan_load(&q, path, &e), 0);
	check_filled(&q);
	plan_release(&q);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(plan_load(&q, link, &e), -1);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(plan_load(&q, path, &e), -1);
		assert_non_null(strstr(e.msg, "belongs to another user"));
	}
	plan_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),	 cmocka_unit_test(test_identity_leaves_out_watches),
		cmocka_unit_test(test_damage),		 cmocka_unit_test(test_lying_record),
		tempdir_test(test_freshness),		 tempdir_test(test_young_is_never_fresh),
		tempdir_test(test_load),		 tempdir_test(test_many),
		tempdir_test(test_large),		 tempdir_test(test_many_without_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
