/* SPDX-License-Identifier: Apache-2.0 */
/* What an upper layer changed: made by hand as overlayfs makes it, and package databases with everything odd in them. */
#include "unit/env_fixture.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "env/diff.h"
#include "env/installed.h"

static void make(const char *path, const char *text)
{
	cleanup_free char *parent = path_parent(path);

	fixture_mkdir(parent);
	tempdir_write(path, text);
}

static void whiteout(const char *path)
{
	cleanup_free char *parent = path_parent(path);

	fixture_mkdir(parent);
	assert_int_equal(mknodat(tempfd, path, S_IFCHR, makedev(0, 0)), 0);
}

static void opaque(const char *path)
{
	cleanup_free char *full = path_join(tempdir, path);

	fixture_mkdir(path);
	if (setxattr(full, "user.overlay.opaque", "y", 1, 0) < 0)
		skip();
}

/* The lines that `devenv diff -v` would have, without the packages. */
static char *lines(struct diff *d)
{
	struct diff_place place = { .scratch_fd = openat(tempfd, "scratch", O_PATH | O_DIRECTORY | O_CLOEXEC),
				    .layers = STRLIST_INIT };
	struct buf b = BUF_INIT;
	struct environment env = { 0 };
	struct err e = ERR_INIT;

	strlist_addf(&place.layers, "%s/top", tempdir);
	strlist_addf(&place.layers, "%s/bottom", tempdir);
	assert_done(diff_compare(&env, &place, d, &e), e);
	for (size_t i = 0; i < d->change_count; i++)
		buf_addf(&b, "%c%s%s ", (char)d->changes[i].kind, d->changes[i].path, d->changes[i].directory ? "/" : "");
	close(place.scratch_fd);
	strlist_release(&place.layers);
	return buf_steal(&b);
}

static void test_trees(void **state)
{
	struct diff d = { 0 };
	char *text;

	(void)state;
	make("top/mount/point", "");
	make("bottom/usr/file", "x");
	make("bottom/usr/same", "x");
	make("bottom/usr/gone", "x");
	make("bottom/etc/hidden", "x");
	whiteout("top/etc/hidden"); /* by the image itself: not there before */
	make("bottom/dir/sub/deep", "x");
	make("bottom/dir/other", "x");
	assert_int_equal(symlinkat("usr", tempfd, "bottom/link"), 0);

	make("scratch/upper/usr/file", "changed");
	make("scratch/upper/usr/same", "x");
	whiteout("scratch/upper/usr/gone");
	whiteout("scratch/upper/usr/never");
	make("scratch/upper/etc/hidden", "back");
	opaque("scratch/upper/dir");
	make("scratch/upper/dir/sub/new", "x"); /* what it hides is deleted, though it has no mark of its own */
	make("scratch/upper/link/file", "x");   /* not what the link led to */
	make("scratch/upper/new/a/b", "x");
	text = lines(&d);
	assert_string_equal(text, "D/dir/other D/dir/sub/deep A/dir/sub/new A/etc/hidden M/link/ A/link/file A/new/ A/new/a/ "
				  "A/new/a/b M/usr/file D/usr/gone M/usr/same ");
	assert_false(d.incomplete);
	free(text);
	diff_release(&d);
}

static void test_modes_and_depth(void **state)
{
	cleanup_buf struct buf deep = BUF_INIT;
	struct diff d = { 0 };
	char *text;

	(void)state;
	fixture_mkdir("top/a");
	fixture_mkdir("bottom/b");
	fixture_mkdir("scratch/upper/a");
	fixture_mkdir("scratch/upper/b");
	assert_int_equal(fchmodat(tempfd, "scratch/upper/b", 0700, 0), 0);
	text = lines(&d);
	assert_string_equal(text, "M/b/ ");
	free(text);
	assert_false(d.incomplete);
	diff_release(&d);
	buf_adds(&deep, "scratch/upper");
	for (size_t i = 0; i < 300; i++)
		buf_adds(&deep, "/d");
	fixture_mkdir(deep.data);
	text = lines(&d);
	assert_true(d.incomplete && d.change_count > 200);
	free(text);
	diff_release(&d);
}

#define STANZA(name, status, version) "Package: " name "\nStatus: " status "\nArchitecture: all\nVersion: " version "\n\n"

static void test_packages(void **state)
{
	struct diff d = { 0 };
	char *text;

	(void)state;
	fixture_mkdir("top");
	make("bottom/var/lib/dpkg/status", STANZA("a", "install ok installed", "1") STANZA("b", "install ok installed", "1")
						   STANZA("c", "install ok installed", "1"));
	make("bottom/var/lib/dpkg/info/c.list", "/.\n/usr\n/usr/c\n");
	make("bottom/usr/c", "x");
	make("scratch/upper/var/lib/dpkg/status",
	     STANZA("a", "install ok installed", "1") STANZA("b", "install ok half-configured", "2")
		     STANZA("c", "deinstall ok config-files", "1") STANZA("d", "install ok installed", "1"));
	make("scratch/upper/var/lib/dpkg/info/d:all.list", "/.\n/bin\n/bin/d\n");
	make("scratch/upper/usr/bin/d", "x");
	make("scratch/upper/usr/e", "x");
	whiteout("scratch/upper/usr/c");
	text = lines(&d);
	free(text);
	assert_int_equal(d.package_count, 3);
	assert_string_equal(d.packages[0].name, "b");
	assert_string_equal(d.packages[0].from, "1");
	assert_string_equal(d.packages[0].to, "2");
	assert_int_equal(d.packages[1].kind, DIFF_DELETED);
	assert_int_equal(d.packages[1].files, 1);
	assert_int_equal(d.packages[2].kind, DIFF_ADDED);
	assert_int_equal(d.packages[2].files, 1);
	for (size_t i = 0; i < d.change_count; i++)
		if (strcmp(d.changes[i].path, "/usr/e") == 0)
			assert_int_equal(d.changes[i].package, 0);
	diff_release(&d);
}

static void test_apk(void **state)
{
	struct diff d = { 0 };
	char *text;

	(void)state;
	fixture_mkdir("top");
	make("bottom/lib/apk/db/installed", "P:musl\nV:1.2\nA:x86_64\nF:lib\nR:libc.so\n\n");
	make("scratch/upper/lib/apk/db/installed",
	     "P:musl\nV:1.2\nA:x86_64\nF:lib\nR:libc.so\n\nC:x\nP:jq\nV:1.7\nA:x86_64\nF:\nF:usr/bin\nR:jq\na:0:0:755\nR:jv");
	make("scratch/upper/usr/bin/jq", "x");
	make("scratch/upper/usr/bin/jv", "x");
	make("scratch/upper/lib/libc.so", "x");
	text = lines(&d);
	free(text);
	assert_int_equal(d.package_count, 1);
	assert_string_equal(d.packages[0].name, "jq");
	assert_string_equal(d.packages[0].to, "1.7");
	assert_null(d.packages[0].from);
	assert_int_equal(d.packages[0].files, 2);
	diff_release(&d);
}

static void test_odd_databases(void **state)
{
	static const char *const odd[] = { "", "\n\n\n", "Package:", "Package:\nStatus: install ok installed\n", "Status: x",
					   "Package: a", "P:", "V:1\n\nA:", "Package: a\nPackage: b\nStatus: install ok installed",
					   "\xff\xfe\n:\n::\n P:x" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		struct installed p = { 0 };

		installed_parse_dpkg(odd[i], &p);
		assert_int_equal(p.count, i == 8 ? 1 : 0);
		if (i == 8)
			assert_string_equal(p.items[0].name, "b");
		installed_parse_apk(odd[i], &p);
		assert_int_equal(p.count, i == 8 ? 1 : 0);
		installed_release(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_trees), fixture_test(test_modes_and_depth), fixture_test(test_packages),
		fixture_test(test_apk),	  fixture_test(test_odd_databases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
