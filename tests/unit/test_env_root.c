/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a stack of layers: precedence, whiteouts, opaque directories, links that want out. */
#include "unit/tempdir.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/path.h"
#include "env/locales.h"
#include "env/root.h"

static void make_dir(const char *name)
{
	struct err e = ERR_INIT;

	assert_int_equal(file_mkdirs(tempfd, name, 0755, &e), 0);
}

static void mark(const char *name, const char *attribute, const char *value)
{
	char *path = path_join(tempdir, name);

	if (setxattr(path, attribute, value, strlen(value), 0) < 0)
		skip(); /* a file system without user.* attributes */
	free(path);
}

/* Layers "top", "middle", "bottom" where they exist. */
static void open_root(struct root *r)
{
	static const char *const names[] = { "top", "middle", "bottom" };
	struct err e = ERR_INIT;

	*r = (struct root){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (file_exists(tempfd, names[i]))
			root_add_layer(r, file_open_dir(tempfd, names[i], &e));
}

static void check(const struct root *r, const char *path, enum root_follow follow, enum root_kind kind,
		  const char *resolved)
{
	struct err e = ERR_INIT;
	struct root_entry entry;

	if (root_resolve(r, path, follow, &entry, &e) < 0)
		fail_msg("%s: %s", path, e.msg);
	if (entry.kind != kind || strcmp(entry.path, resolved) != 0)
		fail_msg("%s: kind %d at %s, expected %d at %s", path, entry.kind, entry.path, kind, resolved);
	root_entry_release(&entry);
}

static void check_text(const struct root *r, const char *path, const char *expected)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	int got = root_read(r, path, 1000, &text, &e);

	assert_int_equal(got, expected ? 1 : 0);
	if (expected)
		assert_string_equal(text.data, expected);
}

static void test_precedence(void **state)
{
	struct root r;

	(void)state;
	make_dir("top/etc");
	make_dir("bottom/etc");
	make_dir("bottom/usr/bin");
	tempdir_write("top/etc/a", "top");
	tempdir_write("bottom/etc/a", "bottom");
	tempdir_write("bottom/etc/b", "bottom");
	make_dir("bottom/opt/x");
	tempdir_write("top/opt", "a file hides the directory");
	open_root(&r);
	check_text(&r, "/etc/a", "top");
	check_text(&r, "/etc/b", "bottom");
	check_text(&r, "/etc/c", NULL);
	check(&r, "/usr/bin", ROOT_FOLLOW, ROOT_DIRECTORY, "/usr/bin");
	check(&r, "/", ROOT_FOLLOW, ROOT_DIRECTORY, "/");
	check(&r, "/opt", ROOT_FOLLOW, ROOT_FILE, "/opt");
	check(&r, "/opt/x", ROOT_FOLLOW, ROOT_MISSING, "/opt/x");
	check(&r, "/etc/../usr/./bin//", ROOT_FOLLOW, ROOT_DIRECTORY, "/usr/bin");
	check(&r, "/new/deep/path", ROOT_FOLLOW, ROOT_MISSING, "/new/deep/path");
	root_release(&r);
}

static void test_file_over_merged_directory(void **state)
{
	struct root r;

	(void)state;
	make_dir("top/d");
	make_dir("bottom/d");
	tempdir_write("middle", "");
	unlinkat(tempfd, "middle", 0);
	make_dir("middle");
	tempdir_write("middle/d", "not a directory: ends the merge");
	tempdir_write("bottom/d/hidden", "x");
	open_root(&r);
	check(&r, "/d", ROOT_FOLLOW, ROOT_DIRECTORY, "/d");
	check(&r, "/d/hidden", ROOT_FOLLOW, ROOT_MISSING, "/d/hidden");
	root_release(&r);
}

static void test_whiteout_attribute(void **state)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err e = ERR_INIT;
	struct root r;

	(void)state;
	make_dir("top/d");
	make_dir("bottom/d/gone");
	tempdir_write("bottom/d/gone/file", "x");
	tempdir_write("bottom/d/kept", "x");
	tempdir_write("bottom/d/empty", "");
	tempdir_write("top/d/gone", "");
	mark("top/d", "user.overlay.opaque", "x");
	mark("top/d/gone", "user.overlay.whiteout", "y");
	open_root(&r);
	check(&r, "/d/gone", ROOT_FOLLOW, ROOT_MISSING, "/d/gone");
	check(&r, "/d/gone/file", ROOT_FOLLOW, ROOT_MISSING, "/d/gone/file");
	check(&r, "/d/kept", ROOT_FOLLOW, ROOT_FILE, "/d/kept");
	check(&r, "/d/empty", ROOT_FOLLOW, ROOT_FILE, "/d/empty");
	assert_int_equal(root_list(&r, "/d", &names, &e), 0);
	assert_int_equal(names.count, 2);
	assert_string_equal(names.items[0], "empty");
	assert_string_equal(names.items[1], "kept");
	root_release(&r);
}

static void test_whiteout_device(void **state)
{
	struct root r;

	(void)state;
	make_dir("top");
	make_dir("bottom");
	tempdir_write("bottom/gone", "x");
	if (mknodat(tempfd, "top/gone", S_IFCHR | 0600, makedev(0, 0)) < 0)
		skip();
	open_root(&r);
	check(&r, "/gone", ROOT_FOLLOW, ROOT_MISSING, "/gone");
	root_release(&r);
}

static void test_opaque(void **state)
{
	struct root r;

	(void)state;
	make_dir("top/d");
	make_dir("bottom/d");
	tempdir_write("top/d/new", "x");
	tempdir_write("bottom/d/old", "x");
	mark("top/d", "user.overlay.opaque", "y");
	open_root(&r);
	check(&r, "/d/new", ROOT_FOLLOW, ROOT_FILE, "/d/new");
	check(&r, "/d/old", ROOT_FOLLOW, ROOT_MISSING, "/d/old");
	root_release(&r);
}

static void test_links(void **state)
{
	struct root r;

	(void)state;
	make_dir("top/usr/bin");
	make_dir("top/var/lib");
	make_dir("bottom/etc");
	tempdir_write("top/usr/bin/sh", "shell");
	tempdir_write("bottom/etc/passwd", "image");
	assert_int_equal(symlinkat("usr/bin", tempfd, "bottom/bin"), 0);
	assert_int_equal(symlinkat("/usr/bin/sh", tempfd, "bottom/abs"), 0);
	assert_int_equal(symlinkat("../../../../../../etc/passwd", tempfd, "top/var/lib/out"), 0);
	assert_int_equal(symlinkat("/", tempfd, "bottom/slash"), 0);
	assert_int_equal(symlinkat("missing/place", tempfd, "bottom/dangling"), 0);
	assert_int_equal(symlinkat("var/home", tempfd, "bottom/home"), 0);
	open_root(&r);
	check(&r, "/bin", ROOT_NOFOLLOW, ROOT_LINK, "/bin");
	check(&r, "/bin", ROOT_FOLLOW, ROOT_DIRECTORY, "/usr/bin");
	check_text(&r, "/bin/sh", "shell");
	check_text(&r, "/abs", "shell");
	check_text(&r, "/var/lib/out", "image");
	check_text(&r, "/slash/slash/etc/passwd", "image");
	check(&r, "/slash", ROOT_FOLLOW, ROOT_DIRECTORY, "/");
	check(&r, "/bin/../lib", ROOT_FOLLOW, ROOT_MISSING, "/usr/lib");
	check(&r, "/dangling/x", ROOT_FOLLOW, ROOT_MISSING, "/missing/place/x");
	check(&r, "/home/jo/project", ROOT_FOLLOW, ROOT_MISSING, "/var/home/jo/project");
	root_release(&r);
}

static void test_link_loop(void **state)
{
	struct err e = ERR_INIT;
	struct root_entry entry;
	struct root r;

	(void)state;
	make_dir("top");
	assert_int_equal(symlinkat("b", tempfd, "top/a"), 0);
	assert_int_equal(symlinkat("a", tempfd, "top/b"), 0);
	open_root(&r);
	assert_int_equal(root_resolve(&r, "/a/x", ROOT_FOLLOW, &entry, &e), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	root_release(&r);
}

static void test_locales(void **state)
{
	cleanup_strlist struct strlist found = STRLIST_INIT;
	struct err e = ERR_INIT;
	struct root r;

	(void)state;
	make_dir("top/usr/lib/locale/en_US.utf8");
	make_dir("top/usr/lib/locale/C.utf8");
	make_dir("top/usr/lib/locale/bad name");
	tempdir_write("top/usr/lib/locale/locale-archive", "not an archive");
	open_root(&r);
	assert_int_equal(locales_find(&r, &found, &e), 0);
	assert_true(strlist_has(&found, "C"));
	assert_true(strlist_has(&found, "POSIX"));
	assert_true(strlist_has(&found, "C.UTF-8"));
	assert_true(strlist_has(&found, "en_US.UTF-8"));
	assert_true(strlist_has(&found, "en_US.utf8"));
	assert_int_equal(found.count, 6); /* and C.utf8 */
	root_release(&r);
}

static void test_locale_archive(void **state)
{
	static const uint32_t archive[] = {
		0xde020109, 0, 56, 1, 2, 80, 16, 16, 0, 0, 0, 0, 0, 0, /* header; the table is at 56, names at 80 */
		0, 0, 0, 1, 80, 1, /* two slots, the second used */
	};
	cleanup_strlist struct strlist found = STRLIST_INIT;
	struct err e = ERR_INIT;
	struct root r;
	int fd;

	(void)state;
	make_dir("top/usr/lib/locale");
	fd = openat(tempfd, "top/usr/lib/locale/locale-archive", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, archive, sizeof(archive), &e), 0);
	assert_int_equal(file_write_all(fd, "de_DE.utf8\0\0\0\0\0\0", 16, &e), 0);
	close(fd);
	open_root(&r);
	assert_int_equal(locales_find(&r, &found, &e), 0);
	assert_true(strlist_has(&found, "de_DE.utf8"));
	assert_true(strlist_has(&found, "de_DE.UTF-8"));
	root_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_precedence),	       tempdir_test(test_file_over_merged_directory),
		tempdir_test(test_whiteout_attribute), tempdir_test(test_whiteout_device),
		tempdir_test(test_opaque),	       tempdir_test(test_links),
		tempdir_test(test_link_loop),	       tempdir_test(test_locales),
		tempdir_test(test_locale_archive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
