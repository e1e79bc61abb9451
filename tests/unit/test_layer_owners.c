/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of layer/owners.c and owners_read.c: what is written comes back; later lines and "-" hold; damage is refused. */
#include "tempdir.h"

#include "layer/owners.h"

static int load(const char *text, struct owners *o, struct err *e)
{
	int fd, result;

	tempdir_write("owners", text);
	fd = openat(tempfd, "owners", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	result = owners_load(o, fd, e);
	close(fd);
	return result;
}

static void test_round_trip(void **state)
{
	int fd = openat(tempfd, "owners", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct owners_record file = {
		.kind = 'e', .mode = 04755, .uid = 12, .gid = 34, .path = (char *)"a b\n\\\t\x7f\xc3\xa9"
	};
	struct owners_record dir = { .kind = 'i', .path = (char *)"." };
	struct owners_record device = {
		.kind = 'c', .mode = 0666, .major = 1, .minor = 3, .path = (char *)"dev/null"
	};
	struct owners_record fifo = {
		.kind = 'p', .mode = 0600, .uid = 1ull << 40, .path = (char *)"run/fifo"
	};
	struct owners_record link = { .kind = 'h',
		                      .path = (char *)"dev/zip zap",
		                      .target = (char *)"dev/null" };
	const struct owners_record *r;
	struct owners_writer w;
	struct owners o;
	struct err e = ERR_INIT;

	(void)state;
	owners_writer_begin(&w, fd);
	owners_write(&w, &file);
	owners_write(&w, &dir);
	owners_write(&w, &device);
	owners_write(&w, &fifo);
	owners_write(&w, &link);
	owners_write_capability(&w, "bin/ping", "\x01\x00\xff", 3);
	assert_int_equal(owners_writer_end(&w, &e), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(owners_load(&o, fd, &e), 0);
	assert_int_equal(o.count, 6);
	r = owners_find(&o, file.path);
	assert_non_null(r);
	assert_int_equal(r->mode, 04755);
	assert_int_equal(r->uid, 12);
	assert_int_equal(r->gid, 34);
	assert_int_equal(owners_find(&o, ".")->kind, 'i');
	assert_int_equal(owners_find(&o, "dev/null")->minor, 3);
	assert_true(owners_find(&o, "run/fifo")->uid == 1ull << 40);
	assert_string_equal(owners_find(&o, "dev/zip zap")->target, "dev/null");
	r = owners_find(&o, "bin/ping");
	assert_string_equal(r->capability, "0100ff");
	assert_int_equal(r->kind, 0);
	assert_null(owners_find(&o, "bin"));
	owners_release(&o);
	owners_release(&o);
	close(fd);
}

static void test_later_lines(void **state)
{
	struct owners o;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(load("devenv-owners 1\n"
	                      "e 755 1 1 a\n"
	                      "e 755 2 2 a/b\n"
	                      "e 755 2 2 a/b/c\n"
	                      "e 755 3 3 a-b\n"
	                      "- a\n"
	                      "e 644 4 4 a\n"
	                      "e 755 5 5 a/b\n"
	                      "e 644 1 1 x\n"
	                      "x ff x\n"
	                      "- x\n"
	                      "i d\n"
	                      "e 700 9 9 d\n",
	                      &o, &e),
	                 0);
	assert_int_equal(owners_find(&o, "a")->uid, 4);
	assert_int_equal(owners_find(&o, "a/b")->uid, 5);
	assert_null(owners_find(&o, "a/b/c"));
	assert_int_equal(owners_find(&o, "a-b")->uid, 3);
	assert_null(owners_find(&o, "x"));
	assert_int_equal(owners_find(&o, "d")->kind, 'e');
	assert_int_equal(o.count, 4);
	owners_release(&o);
}

static void test_damage(void **state)
{
	static const char *const bad[] = {
		"",
		"devenv-owners 2\n",
		"devenv-owners 1",
		"devenv-owners 1\ne 755 1 1 a",
		"devenv-owners 1\nz 755 1 1 a\n",
		"devenv-owners 1\ne 758 1 1 a\n",
		"devenv-owners 1\ne 755 1 a\n",
		"devenv-owners 1\ne 755 1 1 \n",
		"devenv-owners 1\ne 755 1 1 a\\\n",
		"devenv-owners 1\ne 755 1 1 a\\000\n",
		"devenv-owners 1\nc 755 1 1 3 a\n",
		"devenv-owners 1\nh a\n",
		"devenv-owners 1\nx fg a\n",
		"devenv-owners 1\ne 755 -1 1 a\n",
		"devenv-owners 1\n\n",
		"devenv-owners 1\nh a\t\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct owners o;
		struct err e = ERR_INIT;

		if (load(bad[i], &o, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.code, ERR_INTEGRITY);
	}
}

static void test_write_failure(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct owners_record r = { .kind = 'e', .path = (char *)"some/path/or/other" };
	struct owners_writer w;
	struct err e = ERR_INIT;

	(void)state;
	if (fd < 0)
		skip();
	owners_writer_begin(&w, fd);
	for (int i = 0; i < 10000; i++)
		owners_write(&w, &r);
	assert_int_equal(owners_writer_end(&w, &e), -1);
	assert_int_equal(e.code, ERR_SPACE);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_round_trip),
		tempdir_test(test_later_lines),
		tempdir_test(test_damage),
		tempdir_test(test_write_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
