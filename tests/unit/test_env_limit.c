/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: what the files of a cgroup say, what is swept, and the words. The real ones are in tests/e2e/limits.bats. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/path.h"
#include "env/limit.h"
#include "tempdir.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct limit limit = { .id = ID, .memory = 64 << 20, .cpus = 1500, .pids = 100 };

struct file_case {
	const char *first, *first_text, *second, *second_text;
	bool has;
};

static void look(bool v2, enum limit_controller controller, const struct file_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		tempdir_write(cases[i].first, cases[i].first_text);
		if (cases[i].second)
			tempdir_write(cases[i].second, cases[i].second_text);
		if (limit_cgroup_has(tempdir, v2, controller, &limit) != cases[i].has)
			fail_msg("%s: %s", cases[i].first, cases[i].first_text);
	}
}

static void test_version_2(void **state)
{
	static const struct file_case memory[] = {
		{ "memory.max", "67108864\n", .has = true }, { "memory.max", "1048576\n", .has = true },
		{ "memory.max", "67112960\n" },		     { "memory.max", "max\n" },
		{ "memory.max", "" },
	};
	static const struct file_case cpu[] = {
		{ "cpu.max", "150000 100000\n", .has = true }, { "cpu.max", "75000 50000\n", .has = true },
		{ "cpu.max", "150001 100000\n" },	       { "cpu.max", "max 100000\n" },
	};
	static const struct file_case pids[] = {
		{ "pids.max", "100\n", .has = true }, { "pids.max", "101\n" }, { "pids.max", "max\n" },
	};

	(void)state;
	assert_false(limit_cgroup_has(tempdir, true, LIMIT_CONTROLLER_MEMORY, &limit)); /* no such file */
	look(true, LIMIT_CONTROLLER_MEMORY, memory, ARRAY_SIZE(memory));
	look(true, LIMIT_CONTROLLER_CPU, cpu, ARRAY_SIZE(cpu));
	look(true, LIMIT_CONTROLLER_PIDS, pids, ARRAY_SIZE(pids));
}

static void test_version_1(void **state)
{
	static const struct file_case memory[] = {
		{ "memory.limit_in_bytes", "67108864\n", .has = true },
		{ "memory.limit_in_bytes", "9223372036854771712\n" },
	};
	static const struct file_case cpu[] = {
		{ "cpu.cfs_quota_us", "150000\n", "cpu.cfs_period_us", "100000\n", true },
		{ "cpu.cfs_quota_us", "-1\n", "cpu.cfs_period_us", "100000\n", false },
		{ "cpu.cfs_quota_us", "150000\n", "cpu.cfs_period_us", "0\n", false },
	};

	(void)state;
	look(false, LIMIT_CONTROLLER_MEMORY, memory, ARRAY_SIZE(memory));
	look(false, LIMIT_CONTROLLER_CPU, cpu, ARRAY_SIZE(cpu));
}

static void test_words(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 4ULL << 30, "4G" }, { 512 << 20, "512M" }, { 1536ULL << 20, "1536M" }, { 1ULL << 41, "2T" }, { 1000, "1000 bytes" },
	};
	static const struct {
		uint32_t thousandths;
		const char *text;
	} counts[] = { { 2000, "2" }, { 1500, "1.5" }, { 250, "0.25" }, { 10, "0.01" }, { 10000, "10" }, { 1, "0.001" } };
	cleanup_strlist struct strlist all = STRLIST_INIT, none = STRLIST_INIT, nothing = STRLIST_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		cleanup_free char *text = limit_size(sizes[i].bytes);

		assert_string_equal(text, sizes[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		cleanup_free char *text = limit_cpus(counts[i].thousandths);

		assert_string_equal(text, counts[i].text);
	}
	limit_describe(&limit, LIMIT_ALL, &all);
	assert_int_equal(all.count, 3);
	assert_string_equal(all.items[0], "memory 64M: enforced, by cgroup");
	limit_describe(&limit, 0, &none);
	assert_string_equal(none.items[0], "memory 64M: not enforced, no cgroup for it is to be had here");
	assert_string_equal(none.items[1], "cpus 1.5: by affinity to 2 of the processors, which programs can change");
	limit_describe(&(struct limit){ .id = ID }, 0, &nothing);
	assert_int_equal(nothing.count, 0);
}

/* A record and its directories go when nobody runs the environment; one with something in it stays, and so does its record. */
static void test_sweep(void **state)
{
	cleanup_free char *empty = path_join(tempdir, "empty"), *full = path_join(tempdir, "full"),
			  *inside = path_join(full, "process"), *text = mem_printf("%s\t/\n/nonexistent\t/\n%s\t/\n", empty, full);
	struct dirs d = { .runtime = tempdir };

	(void)state;
	assert_int_equal(mkdir(empty, 0700), 0);
	assert_int_equal(mkdir(full, 0700), 0);
	assert_int_equal(mkdir(inside, 0700), 0);
	tempdir_write(ID ".cgroup", text);
	limit_sweep(&d);
	assert_int_equal(access(empty, F_OK), -1);
	assert_int_equal(faccessat(tempfd, ID ".cgroup", F_OK, 0), 0);
	assert_int_equal(rmdir(inside), 0);
	limit_sweep(&d);
	assert_int_equal(access(full, F_OK), -1);
	assert_int_equal(faccessat(tempfd, ID ".cgroup", F_OK, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_version_2), tempdir_test(test_version_1), cmocka_unit_test(test_words), tempdir_test(test_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
