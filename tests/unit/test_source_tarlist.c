/* SPDX-License-Identifier: Apache-2.0 */
/* test_source_tarlist.c - finding members in tars of every common dialect, and in directories; damaged tars
 * are refused. */
#include "source_fixture.h"

#include "source/members.h"
#include "source/tarlist.h"

#define LONG_NAME                                                                                            \
	"a-name-that-is-much-longer-than-the-hundred-bytes-which-the-old-header-has-room-for/"               \
	"so-that-it-needs-a-prefix-or-an-extension/file"

static char *make_tar(const char *format)
{
	char *tree = fixture_path("tree-%s", format), *tar = fixture_path("%s.tar", format), *path, *option;

	path = path_join(tree, "plain");
	write_file(path, "plain content");
	free(path);
	path = path_join(tree, "blobs/sha256/x");
	write_file(path, "blob");
	free(path);
	if (strcmp(format, "v7") != 0) {
		path = path_join(tree, LONG_NAME);
		write_file(path, "far away");
		free(path);
	}
	path = path_join(tree, "sub/link");
	{
		char *sub = path_join(tree, "sub"), *hard = path_join(tree, "hard"),
		     *plain = path_join(tree, "plain");
		struct err e = ERR_INIT;

		assert_done(file_mkdirs(AT_FDCWD, sub, 0755, &e), e);
		assert_int_equal(symlink("../plain", path), 0);
		assert_int_equal(link(plain, hard), 0);
		free(sub);
		free(hard);
		free(plain);
	}
	free(path);
	path = path_join(tree, "loop");
	assert_int_equal(symlink("loop", path), 0);
	free(path);
	option = mem_printf("--format=%s", format);
	run("tar", option, "-C", tree, "-cf", tar, ".", NULL);
	free(option);
	free(tree);
	return tar;
}

static void check_member(struct members *m, const char *name, const char *content)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_done(members_read(m, name, 1000, &b, &e), e);
	assert_string_equal(b.data, content);
	buf_release(&b);
}

static void test_dialects(void **state)
{
	static const char *const formats[] = { "v7", "ustar", "gnu", "pax" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		char *tar = make_tar(formats[i]);
		struct err e = ERR_INIT;
		struct buf b = BUF_INIT;
		struct members *m;
		uint64_t size;

		assert_done(members_open_tar(open(tar, O_RDONLY | O_CLOEXEC), tar, &m, &e), e);
		check_member(m, "plain", "plain content");
		check_member(m, "hard", "plain content");
		check_member(m, "sub/link", "plain content");
		check_member(m, "blobs/sha256/x", "blob");
		if (strcmp(formats[i], "v7") != 0)
			check_member(m, LONG_NAME, "far away");
		assert_false(members_has(m, "loop"));
		assert_false(members_has(m, "sub"));
		assert_false(members_has(m, "../plain"));
		assert_error(members_size(m, "none", &size, &e), e, ERR_NOT_FOUND, "'none'");
		assert_error(members_read(m, "plain", 3, &b, &e), e, ERR_INTEGRITY, "13 bytes");
		members_free(m);
		buf_release(&b);
		free(tar);
	}
}

static void test_large_size(void **state)
{
	char *tree = fixture_path("large"), *file = fixture_path("large/f"), *tar = fixture_path("large.tar");
	struct err e = ERR_INIT;
	struct members *m;

	(void)state;
	/* a member of 9 GiB in a sparse archive: base-256 size in the GNU dialect */
	write_file(file, "");
	assert_int_equal(truncate(file, 9LL << 30), 0);
	{
		char *script = mem_printf("tar --format=gnu -C %s -cf - f | head -c 512 > %s", tree, tar);

		run("sh", "-c", script, NULL);
		free(script);
	}
	assert_error(members_open_tar(open(tar, O_RDONLY | O_CLOEXEC), tar, &m, &e), e, ERR_INTEGRITY,
	             "cut short");
	assert_int_equal(truncate(tar, 512 + (9LL << 30)), 0);
	assert_done(members_open_tar(open(tar, O_RDONLY | O_CLOEXEC), tar, &m, &e), e);
	{
		uint64_t size;

		assert_done(members_size(m, "f", &size, &e), e);
		assert_int_equal(size, 9ULL << 30);
	}
	members_free(m);
	free(tree);
	free(file);
	free(tar);
}

static void test_damaged(void **state)
{
	char *tar = make_tar("posix"), *text = read_file(tar), *bad = fixture_path("bad.tar");
	struct err e = ERR_INIT;
	struct members *m;
	struct stat st;
	int fd;

	(void)state;
	free(text);
	assert_int_equal(stat(tar, &st), 0);
	run("cp", tar, bad, NULL);
	fd = open(bad, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "X", 1, 0), 1);
	assert_error(members_open_tar(fd, bad, &m, &e), e, ERR_INTEGRITY, "is not a tar");
	run("cp", tar, bad, NULL);
	assert_int_equal(truncate(bad, 1536 + 100), 0);
	assert_error(members_open_tar(open(bad, O_RDONLY | O_CLOEXEC), bad, &m, &e), e, ERR_INTEGRITY,
	             "cut short");
	write_file(bad, "");
	assert_error(members_open_tar(open(bad, O_RDONLY | O_CLOEXEC), bad, &m, &e), e, ERR_INTEGRITY,
	             "is not a tar");
	write_file(bad, "hello");
	assert_error(members_open_tar(open(bad, O_RDONLY | O_CLOEXEC), bad, &m, &e), e, ERR_INTEGRITY,
	             "is not a tar");
	free(tar);
	free(bad);
}

static void test_directory(void **state)
{
	char *dir = fixture_path("dir"), *file = fixture_path("dir/f"), *secret = fixture_path("secret"),
	     *path;
	struct err e = ERR_INIT;
	struct members *m;

	(void)state;
	write_file(file, "content");
	write_file(secret, "secret");
	path = path_join(dir, "out");
	assert_int_equal(symlink("../secret", path), 0);
	free(path);
	path = path_join(dir, "in");
	assert_int_equal(symlink("f", path), 0);
	free(path);
	path = path_join(dir, "fifo");
	assert_int_equal(mkfifo(path, 0644), 0);
	free(path);
	assert_done(members_open_directory(dir, &m, &e), e);
	check_member(m, "f", "content");
	check_member(m, "in", "content");
	assert_false(members_has(m, "out"));
	assert_false(members_has(m, "../secret"));
	assert_false(members_has(m, "fifo"));
	assert_false(members_has(m, "."));
	members_free(m);
	free(dir);
	free(file);
	free(secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialects),
		cmocka_unit_test(test_large_size),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_directory),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
