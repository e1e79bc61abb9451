/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of source/debian_deb.c: every compression, and everything that is no good .deb file. */
#include "tempdir.h"

#include "deb_fixture.h"
#include "source/debian_deb.h"

#define CONTROL "Package: hello\nVersion: 1\nArchitecture: amd64\n"

static int read_bytes(const struct buf *bytes, struct deb *d, struct err *e)
{
	int fd = openat(tempfd, "x.deb", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), result;

	assert_true(fd >= 0 && write(fd, bytes->data, bytes->len) == (ssize_t)bytes->len);
	*e = ERR_INIT;
	result = deb_read(fd, "x.deb", d, e);
	close(fd);
	return result;
}

static void add_control(struct buf *out, const char *suffix)
{
	struct tarball t = TARBALL_INIT;

	tarball_dir(&t, "./", 0755);
	tarball_file(&t, "./control", CONTROL);
	t.mode = 0755;
	tarball_file(&t, "./postinst", "#!/bin/sh\nexit 0\n");
	deb_tar_member(out, "control.tar", suffix, &t);
}

static void add_data(struct buf *out, const char *suffix)
{
	struct tarball t = TARBALL_INIT;

	tarball_dir(&t, "./", 0755);
	tarball_file(&t, "./hello", "world\n");
	deb_tar_member(out, "data.tar", suffix, &t);
}

static void test_compressions(void **state)
{
	static const struct {
		const char *suffix;
		enum layer_compression compression;
	} all[] = { { "", LAYER_PLAIN }, { ".gz", LAYER_GZIP }, { ".xz", LAYER_XZ }, { ".zst", LAYER_ZSTD } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
			struct buf bytes = BUF_INIT;
			struct err e = ERR_INIT;
			struct deb d;

			deb_begin(&bytes);
			add_control(&bytes, all[i].suffix);
			add_data(&bytes, all[k].suffix);
			if (read_bytes(&bytes, &d, &e) < 0)
				fail_msg("%s %s: %s", all[i].suffix, all[k].suffix, e.msg);
			assert_int_equal(d.count, 2);
			assert_string_equal(deb_find(&d, "control")->data.data, CONTROL);
			assert_int_equal(deb_find(&d, "postinst")->mode, 0755);
			assert_null(deb_find(&d, "prerm"));
			assert_int_equal(d.data_compression, all[k].compression);
			assert_int_equal(d.time, 1600000000);
			assert_true((uint64_t)d.data_offset + d.data_size <= bytes.len);
			assert_true((uint64_t)d.data_offset + d.data_size >= bytes.len - 1);
			deb_release(&d);
			buf_release(&bytes);
		}
}

static void test_other_members(void **state)
{
	struct buf bytes = BUF_INIT;
	struct err e = ERR_INIT;
	struct deb d;

	(void)state;
	deb_begin(&bytes);
	deb_member(&bytes, "_signature", 0, "odd", 3);
	add_control(&bytes, ".gz");
	deb_member(&bytes, "_more", 0, "", 0);
	add_data(&bytes, ".gz");
	deb_member(&bytes, "whatever", 0, "x", 1);
	if (read_bytes(&bytes, &d, &e) < 0)
		fail_msg("%s", e.msg);
	deb_release(&d);
	buf_release(&bytes);
}

/* It breaks at every length, and never quietly. */
static void test_cut(void **state)
{
	struct buf bytes = BUF_INIT;
	struct err e = ERR_INIT;
	size_t end;
	struct deb d;

	(void)state;
	deb_begin(&bytes);
	add_control(&bytes, ".xz");
	add_data(&bytes, ".xz");
	end = bytes.len & ~(size_t)1;
	for (size_t len = 0; len + 2 < end; len++) {
		struct buf part = { .data = bytes.data, .len = len };

		assert_int_equal(read_bytes(&part, &d, &e), -1);
		assert_int_equal(e.code, ERR_INTEGRITY);
	}
	buf_release(&bytes);
}

static void refused(struct buf *bytes, enum err_code code, const char *message)
{
	struct err e = ERR_INIT;
	struct deb d;

	if (read_bytes(bytes, &d, &e) == 0)
		fail_msg("read, without '%s'", message);
	assert_int_equal(e.code, code);
	if (!strstr(e.msg, message))
		fail_msg("'%s' has no '%s'", e.msg, message);
	buf_release(bytes);
	*bytes = BUF_INIT;
}

static void test_refused(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "not an archive at all");
	refused(&b, ERR_INTEGRITY, "it is no ar archive");
	buf_adds(&b, "!<arch>\n");
	deb_member(&b, "control.tar", 0, "2.0\n", 4);
	refused(&b, ERR_INTEGRITY, "does not begin with debian-binary");
	buf_adds(&b, "!<arch>\n");
	deb_member(&b, "debian-binary", 0, "3.0\n", 4);
	refused(&b, ERR_UNSUPPORTED, "another format");
	deb_begin(&b);
	add_data(&b, ".gz");
	refused(&b, ERR_INTEGRITY, "'data.tar.gz' where control.tar should be");
	deb_begin(&b);
	add_control(&b, ".gz");
	deb_member(&b, "data.tar.bz2", 0, "BZh", 3);
	refused(&b, ERR_UNSUPPORTED, "data.tar.bz2");
	deb_begin(&b);
	tarball_file(&t, "./postinst", "");
	deb_tar_member(&b, "control.tar", ".xz", &t);
	add_data(&b, ".gz");
	refused(&b, ERR_INTEGRITY, "it has no control file");
	deb_begin(&b);
	t = TARBALL_INIT;
	tarball_file(&t, "../control", CONTROL);
	deb_tar_member(&b, "control.tar", "", &t);
	refused(&b, ERR_INTEGRITY, "out of");
	deb_begin(&b);
	deb_member(&b, "control.tar.xz", 0, "no xz data here, none", 21);
	refused(&b, ERR_INTEGRITY, "not an xz header");
	deb_begin(&b);
	b.data[b.len - 4 - 12] = '-'; /* in the first header's size */
	refused(&b, ERR_INTEGRITY, "damaged");
}

/* A few kilobytes that become more than any control.tar. */
static void test_bomb(void **state)
{
	struct buf zeros = BUF_INIT, packed = BUF_INIT, b = BUF_INIT;

	(void)state;
	memset(buf_reserve(&zeros, 70 << 20), 0, 70 << 20);
	zeros.len = 70 << 20;
	deb_xz(&packed, zeros.data, zeros.len);
	deb_begin(&b);
	deb_member(&b, "control.tar.xz", 0, packed.data, packed.len);
	refused(&b, ERR_INTEGRITY, "larger than");
	buf_release(&zeros);
	buf_release(&packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_compressions), tempdir_test(test_other_members), tempdir_test(test_cut), tempdir_test(test_refused),
		tempdir_test(test_bomb),
	};

	return cmocka_run_group_tests_name("source_debian_deb", tests, NULL, NULL);
}
