/* SPDX-License-Identifier: Apache-2.0 */
/* test_layer_expand.c - single compressed files. */
#include "unit/tempdir.h"

#include "base/process.h"
#include "layer/expand.h"

/* -1, or the size. */
static int64_t expand(const char *name, uint64_t max, struct err *e)
{
	cleanup_close int in = openat(tempfd, name, O_RDONLY | O_CLOEXEC);
	cleanup_close int out = openat(tempfd, "out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char digest[DIGEST_MAX], again[DIGEST_MAX];
	uint64_t size;

	assert_true(in >= 0 && out >= 0);
	*e = ERR_INIT;
	if (expand_file(in, out, max, "the file", digest, &size, e) < 0)
		return -1;
	assert_int_equal(lseek(out, 0, SEEK_SET), 0);
	assert_int_equal(digest_fd(out, again, NULL, e), 0);
	assert_string_equal(digest, again);
	return (int64_t)size;
}

static void run(const char *command)
{
	cleanup_free char *script = mem_printf("cd '%s' && %s", tempdir, command);
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct err e = ERR_INIT;

	assert_int_equal(process_run(argv, &e), 0);
}

static void test_forms(void **state)
{
	static const char *const names[] = { "data", "data.gz", "data.xz", "data.zst" };
	struct err e;

	(void)state;
	run("seq 1 100000 >data && gzip -k data && : >empty && gzip -k empty && cat data.gz data.gz >twice.gz");
	run("if command -v xz >/dev/null; then xz -k data; else cp data data.xz; fi");
	run("if command -v zstd >/dev/null; then zstd -q data; else cp data data.zst; fi");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(expand(names[i], 588895, &e), 588895);
		run("cmp data out");
		assert_int_equal(expand(names[i], 588894, &e), -1);
		assert_string_equal(e.msg, "the file is larger than 588894 bytes when it is decompressed");
		assert_int_equal(e.code, ERR_INTEGRITY);
	}
	assert_int_equal(expand("empty", 10, &e), 0);
	assert_int_equal(expand("empty.gz", 10, &e), 0);
	assert_int_equal(expand("twice.gz", 1 << 30, &e), 2 * 588895);
}

static void test_damaged(void **state)
{
	struct err e;

	(void)state;
	run("seq 1 100000 >data && gzip -k data && head -c 50000 data.gz >cut.gz");
	assert_int_equal(expand("cut.gz", 1 << 30, &e), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	run("command -v xz >/dev/null || exit 0; xz -k data && head -c 10000 data.xz >cut.xz && cp data.xz bad.xz && "
	    "printf x | dd of=bad.xz bs=1 seek=5000 conv=notrunc 2>/dev/null");
	if (file_exists(tempfd, "bad.xz")) {
		assert_int_equal(expand("bad.xz", 1 << 30, &e), -1);
		assert_int_equal(e.code, ERR_INTEGRITY);
		assert_int_equal(expand("cut.xz", 1 << 30, &e), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { tempdir_test(test_forms), tempdir_test(test_damaged) };

	return cmocka_run_group_tests_name("layer_expand", tests, NULL, NULL);
}
