/* SPDX-License-Identifier: Apache-2.0 */
/* Files below a directory: reading with limits, replacing, locking, trees made and removed, streams, digests. */
#include "unit/tempdir.h"

#include <signal.h>
#include <sys/time.h>

#include <errno.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/digest.h"
#include "base/stream.h"
#include "base/text.h"

static void test_read(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	tempdir_write("ten", "0123456789");
	buf_adds(&b, ">");
	assert_int_equal(file_read(tempfd, "ten", 10, 0, &b, &st, &e), 0);
	assert_string_equal(b.data, ">0123456789");
	assert_int_equal(st.st_size, 10);
	assert_int_equal(file_read(tempfd, "ten", 9, 0, &b, NULL, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_non_null(strstr(e.msg, "ten"));
	assert_int_equal(file_read(tempfd, "none", 9, 0, &b, NULL, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(file_read(tempfd, "ten/x", 9, 0, &b, NULL, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(file_read(tempfd, ".", 9, 0, &b, NULL, &e), -1);
	buf_clear(&b);
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/status", 1 << 16, 0, &b, NULL, &e), 0); /* its size is 0 */
	assert_true(text_starts(b.data, "Name:"));
	buf_release(&b);
}

static void test_names(void **state)
{
	struct strlist names = STRLIST_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(file_names(tempfd, ".", true, &names, &e), 0);
	assert_int_equal(names.count, 0);
	tempdir_write("b", "");
	tempdir_write("a", "");
	tempdir_write(".c", "");
	assert_int_equal(file_names(AT_FDCWD, tempdir, false, &names, &e), 0);
	assert_int_equal(names.count, 2);
	assert_string_equal(names.items[0], "a");
	assert_string_equal(names.items[1], "b");
	strlist_release(&names);
	assert_int_equal(file_names(tempfd, ".", true, &names, &e), 0);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.items[0], ".c");
	assert_int_equal(file_names(tempfd, "a", false, &names, &e), -1);
	assert_int_equal(e.sys, ENOTDIR);
	assert_int_equal(file_names(tempfd, "missing", false, &names, &e), -1);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(names.count, 3);
	strlist_release(&names);
}

static void expect_line(const char *name, const char *expected)
{
	char *path = mem_printf("%s/%s", tempdir, name), *line = file_line(path);

	if (expected)
		assert_string_equal(line, expected);
	else
		assert_null(line);
	free(line);
	free(path);
}

static void test_line(void **state)
{
	(void)state;
	tempdir_write("two", "one\r\ntwo\n");
	tempdir_write("open", "end");
	tempdir_write("empty", "");
	assert_int_equal(symlinkat("two", tempfd, "link"), 0);
	expect_line("two", "one");
	expect_line("open", "end");
	expect_line("empty", "");
	expect_line("link", NULL);
	expect_line("missing", NULL);
	expect_line(".", NULL);
}

static void test_read_odd_files(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	tempdir_write("real", "x");
	assert_int_equal(symlinkat("real", tempfd, "link"), 0);
	assert_int_equal(file_read(tempfd, "link", 9, 0, &b, NULL, &e), 0);
	assert_int_equal(file_read(tempfd, "link", 9, O_NOFOLLOW, &b, NULL, &e), -1);
	assert_int_equal(mkfifoat(tempfd, "fifo", 0600), 0);
	assert_int_equal(file_read(tempfd, "fifo", 9, 0, &b, NULL, &e), -1); /* and does not hang */
	assert_int_equal(e.code, ERR_CONFIG);
	buf_release(&b);
}

static void assert_content(const char *name, const char *wanted)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(file_read(tempfd, name, 1 << 20, 0, &b, NULL, &e), 0);
	assert_string_equal(b.data, wanted);
	buf_release(&b);
}

static void test_replace(void **state)
{
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(file_replace(tempfd, "f", "one", 3, 0640, FILE_FAST, &e), 0);
	assert_content("f", "one");
	assert_int_equal(file_replace(tempfd, "f", "three", 5, 0600, FILE_DURABLE, &e), 0);
	assert_content("f", "three");
	assert_int_equal(fstatat(tempfd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(file_exists(tempfd, ".f.new"));
	assert_int_equal(file_replace(tempfd, "no/f", "x", 1, 0600, FILE_FAST, &e), -1);
	assert_non_null(strstr(e.msg, "no/f"));
	assert_int_equal(mkdirat(tempfd, "d", 0700), 0);
	assert_int_equal(file_replace(tempfd, "d", "x", 1, 0600, FILE_FAST, &e), -1);
	assert_false(file_exists(tempfd, ".d.new"));
}

/* What a killed writer left, and what somebody planted: neither is written through, neither stands in the way. */
static void test_replace_with_leftovers(void **state)
{
	struct err e = ERR_INIT;
	int held;

	(void)state;
	tempdir_write("victim", "precious");
	tempdir_write(".f.new", "half a fi");
	assert_int_equal(file_replace(tempfd, "f", "new", 3, 0600, FILE_FAST, &e), 0);
	assert_content("f", "new");
	assert_false(file_exists(tempfd, ".f.new"));

	assert_int_equal(symlinkat("victim", tempfd, ".f.new"), 0);
	assert_int_equal(file_replace(tempfd, "f", "newer", 5, 0600, FILE_FAST, &e), 0);
	assert_content("f", "newer");
	assert_content("victim", "precious");

	assert_int_equal(linkat(tempfd, "victim", tempfd, ".f.new", 0), 0);
	held = openat(tempfd, "victim", O_WRONLY | O_CLOEXEC);
	assert_int_equal(file_replace(tempfd, "f", "newest", 6, 0600, FILE_FAST, &e), 0);
	assert_int_equal(write(held, "P", 1), 1);
	close(held);
	assert_content("f", "newest"); /* a descriptor held from before does not reach it */
	assert_content("victim", "Precious");
}

/* Several writers at once: every reader sees one of the contents in full. */
static void test_replace_races(void **state)
{
	pid_t writers[4];
	struct err e = ERR_INIT;
	int status;

	(void)state;
	assert_int_equal(file_replace(tempfd, "f", "aaaaaaaa", 8, 0600, FILE_FAST, &e), 0);
	for (int i = 0; i < 4; i++) {
		writers[i] = fork();
		if (!writers[i]) {
			char text[9] = "aaaaaaaa";

			memset(text, 'a' + i, 8);
			for (int j = 0; j < 50; j++)
				if (file_replace(tempfd, "f", text, 8, 0600, FILE_FAST, &e) < 0)
					_exit(1);
			_exit(0);
		}
	}
	for (int i = 0; i < 200; i++) {
		struct buf b = BUF_INIT;

		assert_int_equal(file_read(tempfd, "f", 8, 0, &b, NULL, &e), 0);
		assert_int_equal(b.len, 8);
		assert_int_equal(strspn(b.data, (char[2]){ b.data[0], 0 }), 8);
		buf_release(&b);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
		assert_int_equal(status, 0);
	}
	assert_false(file_exists(tempfd, ".f.new"));
}

static void test_mkdirs(void **state)
{
	struct err e = ERR_INIT;
	char *path = mem_printf("%s//abs/x/", tempdir);

	(void)state;
	assert_int_equal(file_mkdirs(tempfd, "a/b/c", 0700, &e), 0);
	assert_int_equal(file_mkdirs(tempfd, "a/b/c", 0700, &e), 0);
	assert_int_equal(file_mkdirs(AT_FDCWD, path, 0700, &e), 0);
	assert_true(file_exists(tempfd, "abs/x"));
	tempdir_write("file", "x");
	assert_int_equal(file_mkdirs(tempfd, "file", 0700, &e), -1);
	assert_int_equal(file_mkdirs(tempfd, "file/x", 0700, &e), -1);
	free(path);
}

static void test_open_dirs_beneath(void **state)
{
	struct err e = ERR_INIT;
	int fd = file_open_dirs_beneath(tempfd, "/a//b", 0700, &e);

	(void)state;
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	assert_true(file_exists(tempfd, "a/b"));
	assert_int_equal(symlinkat("/", tempfd, "a/root"), 0);
	assert_int_equal(file_open_dirs_beneath(tempfd, "a/root", 0700, &e), -1);
	assert_int_equal(file_open_dirs_beneath(tempfd, "a/root/tmp", 0700, &e), -1);
	assert_int_equal(file_open_dirs_beneath(tempfd, "a/../a", 0700, &e), -1);
}

static void test_remove_tree(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	tempdir_write("kept", "x");
	assert_int_equal(file_mkdirs(tempfd, "t/a/b", 0700, &e), 0);
	tempdir_write("t/a/b/f", "x");
	assert_int_equal(symlinkat("../../kept", tempfd, "t/a/link"), 0);
	assert_int_equal(symlinkat("..", tempfd, "t/up"), 0);
	assert_int_equal(mkfifoat(tempfd, "t/fifo", 0600), 0);
	assert_int_equal(fchmodat(tempfd, "t/a/b", 0, 0), 0);
	assert_int_equal(fchmodat(tempfd, "t/a", 0555, 0), 0);
	assert_int_equal(file_remove_tree(tempfd, "t", &e), 0);
	assert_false(file_exists(tempfd, "t"));
	assert_true(file_exists(tempfd, "kept"));
	assert_int_equal(file_remove_tree(tempfd, "t", &e), 0); /* missing is success */
	assert_int_equal(symlinkat("kept", tempfd, "l"), 0);
	assert_int_equal(file_remove_tree(tempfd, "l", &e), 0);
	assert_true(file_exists(tempfd, "kept"));
	assert_int_equal(file_remove_tree(tempfd, "kept", &e), 0);
	assert_false(file_exists(tempfd, "kept"));
}

/* Deeper than descriptors or PATH_MAX would allow. */
static void test_remove_deep_tree(void **state)
{
	struct err e = ERR_INIT;
	int fd = dup(tempfd);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "a-rather-long-name", 0700), 0);
		assert_int_equal(mkdirat(fd, ".deep-0", 0500), 0);
		next = openat(fd, "a-rather-long-name", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
	assert_int_equal(file_remove_tree(tempfd, "a-rather-long-name", &e), 0);
	assert_false(file_exists(tempfd, "a-rather-long-name"));
}

static void test_remove_stops_at_mounts(void **state)
{
	struct err e = ERR_INIT;
	char *from = mem_printf("%s/from", tempdir), *to = mem_printf("%s/t/a", tempdir);
	char *tree = mem_printf("%s/t", tempdir); /* by path: the descriptor belongs to the mount namespace outside */
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(file_mkdirs(tempfd, "from", 0700, &e), 0);
	assert_int_equal(file_mkdirs(tempfd, "t/a", 0700, &e), 0);
	tempdir_write("from/kept", "x");
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || mount(from, to, NULL, MS_BIND, NULL) < 0)
			_exit(77);
		_exit(file_remove_tree(AT_FDCWD, tree, &e) == -1 && e.code == ERR_BUSY ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(file_exists(tempfd, "from/kept"));
	free(from);
	free(to);
	free(tree);
	if (WEXITSTATUS(status) == 77)
		skip(); /* no user namespaces here */
	assert_int_equal(status, 0);
}

static void test_tree_bytes(void **state)
{
	struct err e = ERR_INIT;
	char block[8192];
	uint64_t one;

	(void)state;
	memset(block, 'x', sizeof(block));
	assert_int_equal(file_mkdirs(tempfd, "t/a", 0700, &e), 0);
	assert_int_equal(file_replace(tempfd, "t/a/f", block, sizeof(block), 0600, FILE_DURABLE, &e), 0);
	one = file_tree_bytes(tempfd, "t");
	assert_true(one >= sizeof(block));
	for (int i = 0; i < 300; i++) {
		char name[32];

		snprintf(name, sizeof(name), "t/a/link%d", i);
		assert_int_equal(linkat(tempfd, "t/a/f", tempfd, name, 0), 0);
	}
	assert_true(file_tree_bytes(tempfd, "t") < one + 10 * sizeof(block)); /* the directory may have grown */
	assert_true(file_tree_bytes(tempfd, "none") == 0);
}

static void test_lock(void **state)
{
	struct err e = ERR_INIT;
	int a, b;

	(void)state;
	tempdir_write("l", "");
	a = openat(tempfd, "l", O_RDONLY | O_CLOEXEC);
	b = openat(tempfd, "l", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_lock(a, false, false, &e), 0);
	assert_int_equal(file_lock(b, false, true, &e), 0);
	assert_int_equal(file_lock(b, true, false, &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	close(a);
	assert_int_equal(file_lock(b, true, true, &e), 0);
	close(b);
}

static void on_alarm(int number)
{
	(void)number;
}

/* Ctrl-C while waiting: the handler has no SA_RESTART, as the programs' have none. */
static void test_lock_interrupted(void **state)
{
	struct sigaction action = { .sa_handler = on_alarm }, before;
	struct itimerval soon = { { 0, 20000 }, { 0, 20000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct err e = ERR_INIT;
	int a, b;

	(void)state;
	tempdir_write("l", "");
	a = openat(tempfd, "l", O_RDONLY | O_CLOEXEC);
	b = openat(tempfd, "l", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_lock(a, true, false, &e), 0);
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(file_lock(b, false, true, &e), -1);
	assert_int_equal(e.code, ERR_INTERRUPTED);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	close(a);
	close(b);
}

/* One message, about the file that was meant. */
static void test_replace_says_which_file(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(file_replace(tempfd, "none/f", "x", 1, 0600, FILE_FAST, &e), -1);
	assert_string_equal(e.msg, "can't write none/f: No such file or directory");
	assert_int_equal(mkdirat(tempfd, "d", 0700), 0);
	assert_int_equal(file_replace(tempfd, "d", "x", 1, 0600, FILE_FAST, &e), -1);
	assert_string_equal(e.msg, "can't write d: Is a directory");
	assert_false(file_exists(tempfd, ".d.new"));
}

static void test_stream(void **state)
{
	struct err e = ERR_INIT;
	struct stream *s;
	char data[16];
	int fd;

	(void)state;
	tempdir_write("f", "0123456789");
	fd = openat(tempfd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
	s = stream_from_fd(fd, 5);
	assert_int_equal(s->read(s, data, 3, &e), 3);
	assert_memory_equal(data, "234", 3);
	assert_int_equal(s->read(s, data, sizeof(data), &e), 2);
	assert_memory_equal(data, "56", 2);
	assert_int_equal(s->read(s, data, sizeof(data), &e), 0);
	stream_close(s);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	stream_close(NULL);
}

static void test_digest(void **state)
{
	static const char abc[] = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	char out[DIGEST_MAX], wrong[DIGEST_MAX];
	unsigned long long size = 0;
	struct err e = ERR_INIT;
	struct digest *d;
	int fd;

	(void)state;
	digest_bytes("abc", 3, out);
	assert_string_equal(out, abc);
	assert_int_equal(strlen(out), DIGEST_SHA256_LEN);
	assert_true(digest_is_valid(out));
	assert_string_equal(digest_hex(out), abc + 7);
	tempdir_write("f", "abc");
	fd = openat(tempfd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(digest_fd(fd, out, &size, &e), 0);
	assert_string_equal(out, abc);
	assert_int_equal(size, 3);
	close(fd);
	assert_int_equal(digest_fd(fd, out, NULL, &e), -1);
	digest_end(digest_new(NULL), out);
	assert_string_equal(out, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

	memset(wrong, 'a', sizeof(wrong));
	memcpy(wrong, "sha512:", 7);
	wrong[DIGEST_MAX - 1] = '\0';
	assert_true(digest_is_valid(wrong));
	d = digest_new(wrong);
	digest_add(d, "a", 1);
	digest_add(d, "bc", 2);
	digest_end(d, out);
	assert_true(text_starts(out, "sha512:ddaf35a193617abacc417349ae204131"));
	assert_int_equal(strlen(out), 7 + 128);
	digest_free(NULL);
}

static void test_digest_syntax(void **state)
{
	static const char *const bad[] = {
		"", "sha256:", "sha256:ABC",
		"sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015add",
		"sha256:../../../../../../../../../../../../../../../../../../etc/passwd/",
		"sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"md5:d41d8cd98f00b204e9800998ecf8427e",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(digest_is_valid(bad[i]));
	assert_false(digest_is_valid(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_read),
		tempdir_test(test_read_odd_files),
		tempdir_test(test_names),
		tempdir_test(test_line),
		tempdir_test(test_replace),
		tempdir_test(test_replace_with_leftovers),
		tempdir_test(test_replace_races),
		tempdir_test(test_mkdirs),
		tempdir_test(test_open_dirs_beneath),
		tempdir_test(test_remove_tree),
		tempdir_test(test_remove_deep_tree),
		tempdir_test(test_remove_stops_at_mounts),
		tempdir_test(test_tree_bytes),
		tempdir_test(test_lock),
		tempdir_test(test_lock_interrupted),
		tempdir_test(test_replace_says_which_file),
		tempdir_test(test_stream),
		tempdir_test(test_digest),
		cmocka_unit_test(test_digest_syntax),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
