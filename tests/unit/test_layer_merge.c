/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of a layer over others: parents it doesn't name, parents that are links, whiteouts and opaque directories. Each
 * result is also looked at through a real overlay in a user namespace, as an unprivileged user.
 */
#include "layer_fixture.h"

#include <errno.h>

#include "namespaces.h"

/* Layers below of most tests: usr-merged, with something to hide. */
static void make_low(void)
{
	struct tarball t = TARBALL_INIT;

	tarball_dir(&t, "./", 0755);
	tarball_dir(&t, "usr/bin", 0751);
	tarball_link(&t, '2', "bin", "usr/bin");
	tarball_link(&t, '2', "abs", "/usr/bin");
	tarball_link(&t, '2', "out", "../../../../usr/bin");
	tarball_link(&t, '2', "loop", "loop2");
	tarball_link(&t, '2', "loop2", "loop");
	tarball_link(&t, '2', "dangling", "made/by/nobody");
	tarball_file(&t, "usr/bin/tool", "tool");
	tarball_file(&t, "plain", "plain");
	tarball_dir(&t, "dir", 0700);
	tarball_file(&t, "dir/a", "a");
	tarball_file(&t, "dir/b", "b");
	tarball_file(&t, "dir/sub/c", "c");
	apply_ok(&t, "low", NULL);
}

static void test_parents_made(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct stat st;

	(void)state;
	make_low();
	tarball_file(&t, "x/y/z", "new");
	tarball_file(&t, "dir/sub/d", "d");
	apply_ok(&t, "top", BELOW("low"));
	assert_file("top/x/y/z", "new");
	assert_int_equal(mode_of("top/x/y") & 07777, 0755);
	assert_int_equal(mode_of("top/dir") & 07777, 0700);
	assert_int_equal(fstatat(tempfd, "top/dir", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	assert_int_equal(mode_of("top") & 07777, 0755);
}

static void test_link_parents(void **state)
{
	struct tarball t = TARBALL_INIT;

	(void)state;
	make_low();
	tarball_file(&t, "bin/one", "1");
	tarball_file(&t, "abs/two", "2");
	tarball_file(&t, "out/three", "3");
	tarball_file(&t, "plain/four", "4"); /* a file below: hidden by the directory that is needed */
	tarball_file(&t, "dangling/five", "5");
	tarball_link(&t, '2', "mine", "usr/lib/deep");
	tarball_dir(&t, "usr/lib/deep", 0755);
	tarball_file(&t, "mine/six", "6");
	tarball_link(&t, '2', "usr/lib/up", "../../..");
	tarball_file(&t, "usr/lib/up/seven", "7");
	tarball_file(&t, "bin/.wh.tool", "");
	tarball_link(&t, '1', "eight", "bin/one");
	apply_ok(&t, "top", BELOW("low"));
	assert_file("top/usr/bin/one", "1");
	assert_file("top/usr/bin/two", "2");
	assert_file("top/usr/bin/three", "3");
	assert_int_equal(mode_of("top/usr/bin") & 07777, 0751);
	assert_false(is_there("top/bin"));
	assert_file("top/plain/four", "4");
	assert_file("top/made/by/nobody/five", "5");
	assert_false(is_there("top/dangling"));
	assert_file("top/usr/lib/deep/six", "6");
	assert_file("top/seven", "7");
	assert_true(is_whiteout("top/usr/bin/tool"));
	assert_file("top/eight", "1");

	t = TARBALL_INIT;
	tarball_file(&t, "loop/x", "");
	apply_fails(&t, "t1", BELOW("low"), "too many levels");
	t = TARBALL_INIT;
	tarball_link(&t, '2', "a", "b");
	tarball_link(&t, '2', "b", "/a/a/a");
	tarball_file(&t, "a/x", "");
	apply_fails(&t, "t2", NULL, "too many levels");
	t = TARBALL_INIT;
	tarball_file(&t, "f", "");
	tarball_file(&t, "f/x", "");
	apply_fails(&t, "t3", NULL, "a file is in the way");
}

/* A directory entry over a link of a lower layer, or of this one, is a directory. */
static void test_directory_over_link(void **state)
{
	struct tarball t = TARBALL_INIT;

	(void)state;
	make_low();
	tarball_dir(&t, "bin/", 0755);
	tarball_file(&t, "bin/x", "x");
	tarball_link(&t, '2', "l", "usr");
	tarball_dir(&t, "l/", 0755);
	tarball_file(&t, "l/y", "y");
	apply_ok(&t, "top", BELOW("low"));
	assert_file("top/bin/x", "x");
	assert_file("top/l/y", "y");
	assert_false(is_there("top/usr"));
}

static void test_whiteouts(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct stat st;

	(void)state;
	make_low();
	tarball_dir(&t, "dir/", 0700);
	tarball_file(&t, "dir/.wh.a", "");
	tarball_file(&t, ".wh.plain", "");
	tarball_file(&t, "plain", "again"); /* after its whiteout */
	tarball_file(&t, "dir/b", "again"); /* before */
	tarball_file(&t, "dir/.wh.b", "");
	tarball_file(&t, "dir/sub/d", "d");
	tarball_file(&t, "dir/.wh.sub", ""); /* the directory stays, its lower content doesn't show */
	tarball_file(&t, "never/.wh.there", "");
	tarball_file(&t, ".wh..wh.plnk", "");
	tarball_dir(&t, ".wh..wh.aufs/", 0755);
	apply_ok(&t, "top", BELOW("low"));
	assert_true(is_whiteout("top/dir/a"));
	assert_file("top/plain", "again");
	assert_file("top/dir/b", "again");
	assert_file("top/dir/sub/d", "d");
	assert_true(is_opaque("top/dir/sub"));
	assert_false(is_opaque("top/dir"));
	assert_false(is_there("top/.wh.plain"));
	assert_false(is_there("top/never/there")); /* a whiteout of nothing would be listed */
	assert_false(is_there("top/.wh..wh.plnk"));
	assert_int_equal(fstatat(tempfd, "top/dir", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
}

/* Some tools say "gone" of a directory and of all that was in it, in any order; or of what was in one that is a file now. */
static void test_whiteouts_in_whiteouts(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct owners o;

	(void)state;
	make_low();
	tarball_file(&t, "dir/sub/.wh.c", "");
	tarball_file(&t, "dir/.wh.sub", "");
	tarball_file(&t, ".wh.dir", "");
	tarball_file(&t, "usr/bin", "a file now");
	tarball_file(&t, "usr/bin/.wh.tool", "");
	tarball_file(&t, "usr/bin/.wh..wh..opq", "");
	apply_ok(&t, "gone", BELOW("low"));
	assert_true(is_whiteout("gone/dir"));
	assert_file("gone/usr/bin", "a file now");
	t = TARBALL_INIT;
	tarball_file(&t, "dir/sub/.wh.c", "");
	tarball_file(&t, "dir/new", "n"); /* something is added, so the directory is, as if it were new */
	tarball_file(&t, ".wh.dir", "");
	apply_ok(&t, "renewed", BELOW("low"));
	assert_file("renewed/dir/new", "n");
	assert_true(is_opaque("renewed/dir"));
	assert_int_equal(mode_of("renewed/dir") & 07777, 0755);
	assert_false(is_there("renewed/dir/sub"));
	o = owners_of("renewed");
	assert_int_equal(owners_find(&o, "dir")->kind, 'e');
	owners_release(&o);
}

static void test_opaque(void **state)
{
	struct tarball t = TARBALL_INIT;

	(void)state;
	make_low();
	tarball_file(&t, "dir/sub/early", "e");
	tarball_file(&t, "dir/.wh..wh..opq", "");
	tarball_file(&t, "dir/.wh.a", ""); /* of no use there, and harmless */
	tarball_file(&t, "dir/late", "l");
	apply_ok(&t, "top", BELOW("low"));
	assert_true(is_opaque("top/dir"));
	assert_file("top/dir/sub/early", "e");
	assert_file("top/dir/late", "l");
	assert_false(is_there("top/dir/a"));
}

static void test_opaque_root(void **state)
{
	struct tarball t = TARBALL_INIT;

	(void)state;
	make_low();
	tarball_file(&t, ".wh..wh..opq", "");
	tarball_file(&t, "dir/new", "n");
	apply_ok(&t, "top", BELOW("low"));
	assert_true(is_whiteout("top/bin"));
	assert_true(is_whiteout("top/usr"));
	assert_true(is_whiteout("top/plain"));
	assert_true(is_opaque("top/dir"));
	assert_file("top/dir/new", "n");
}

/* With nothing below there is nothing to hide. */
static void test_lowest_layer(void **state)
{
	struct tarball t = TARBALL_INIT;

	(void)state;
	tarball_file(&t, "dir/.wh.a", "");
	tarball_file(&t, "dir/.wh..wh..opq", "");
	tarball_file(&t, ".wh..wh..opq", "");
	apply_ok(&t, "top", NULL);
	assert_false(is_opaque("top/dir"));
	assert_false(is_there("top/dir/a"));
}

/* What lower layers hide from each other is hidden from the look-up of parents too. */
static void test_merged_view(void **state)
{
	struct tarball middle = TARBALL_INIT, t = TARBALL_INIT;

	(void)state;
	make_low();
	tarball_file(&middle, ".wh.bin", "");
	tarball_file(&middle, "dir/.wh..wh..opq", "");
	tarball_file(&middle, ".wh.plain", "");
	apply_ok(&middle, "middle", BELOW("low"));
	tarball_file(&t, "bin/x", "x");
	tarball_file(&t, "dir/sub/y", "y");
	apply_ok(&t, "top", BELOW("middle", "low"));
	assert_file("top/bin/x", "x");
	assert_int_equal(mode_of("top/dir/sub") & 07777, 0755);
	assert_int_equal(mode_of("top/dir") & 07777, 0700);
	t = TARBALL_INIT;
	tarball_link(&t, '1', "x", "plain");
	apply_fails(&t, "t1", BELOW("middle", "low"), "does not exist");
	t = TARBALL_INIT;
	tarball_link(&t, '1', "x", "dir/a");
	apply_fails(&t, "t2", BELOW("middle", "low"), "does not exist");
}

static void test_skipped_hides(void **state)
{
	struct tarball t = TARBALL_INIT;

	(void)state;
	make_low();
	tarball_link(&t, '3', "plain", NULL);
	tarball_link(&t, '6', "bin", NULL);
	tarball_link(&t, '3', "dir/new", NULL);
	tarball_file(&t, "bin/x", "x"); /* not into usr/bin: bin is no link any more */
	apply_ok(&t, "top", BELOW("low"));
	assert_true(is_whiteout("top/plain"));
	assert_file("top/bin/x", "x");
	assert_true(is_opaque("top/bin"));
	assert_false(is_there("top/dir/new"));
}

static void test_bad_names(void **state)
{
	static const char *const bad[] = { ".wh.",        ".wh..", ".wh...",    "dir/.wh...",
		                           "dir/.wh.a/b", "../x",  "a/../../x", ".." };

	(void)state;
	tempdir_write("canary", "sings");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct tarball t = TARBALL_INIT;
		char tree[16];

		snprintf(tree, sizeof(tree), "t%zu", i);
		tarball_file(&t, bad[i], "bad");
		apply_fails(&t, tree, NULL, "entry");
		assert_file("canary", "sings");
	}
}

/* ---- through a real overlay ---- */

/* In a child: become nobody if root, enter a user namespace, mount top over low at "m", run `look` there. */
static int in_overlay(int (*look)(void))
{
	if (fchdir(tempfd) < 0 || !become_nobody())
		return 70;
	if (!enter_namespaces())
		return NAMESPACES_MISSING;
	if (mount("overlay", "m", "overlay", 0, "userxattr,lowerdir=top:low") < 0)
		return errno == ENODEV || errno == EPERM ? NAMESPACES_MISSING : 72;
	return chdir("m") < 0 ? 73 : look();
}

static bool reads(const char *path, const char *text)
{
	char content[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, content, sizeof(content) - 1);

	if (fd >= 0)
		close(fd);
	return n >= 0 && strcmp(content, text) == 0;
}

static bool gone(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 && errno == ENOENT;
}

static int look(void)
{
	if (!gone("dir/a") || !reads("dir/b", "b") || !gone("opaque/old") || !reads("opaque/new", "n"))
		return 1;
	if (!reads("bin/tool", "tool") || !reads("bin/one", "1") || !reads("back", "again"))
		return 2;
	if (!gone("replaced/old") || !reads("replaced/new", "n") || !gone("cut"))
		return 3;
	if (!reads("file/in", "i") || !reads("linked", "from below"))
		return 4;
	return 0;
}

static void make_overlay_layers(void)
{
	struct tarball low = TARBALL_INIT, top = TARBALL_INIT;

	tarball_dir(&low, "usr/bin", 0755);
	tarball_link(&low, '2', "bin", "usr/bin");
	tarball_file(&low, "usr/bin/tool", "tool");
	tarball_file(&low, "dir/a", "a");
	tarball_file(&low, "dir/b", "b");
	tarball_file(&low, "opaque/old", "o");
	tarball_file(&low, "replaced/old", "o");
	tarball_file(&low, "back", "first");
	tarball_file(&low, "cut/whole/tree", "t");
	tarball_file(&low, "file", "f");
	tarball_file(&low, "source", "from below");
	apply_ok(&low, "low", NULL);
	tarball_file(&top, "bin/one", "1");
	tarball_file(&top, "dir/.wh.a", "");
	tarball_file(&top, "opaque/new", "n");
	tarball_file(&top, "opaque/.wh..wh..opq", "");
	tarball_file(&top, ".wh.replaced", "");
	tarball_file(&top, "replaced/new", "n");
	tarball_file(&top, ".wh.back", "");
	tarball_file(&top, "back", "again");
	tarball_file(&top, ".wh.cut", "");
	tarball_dir(&top, "file", 0755);
	tarball_file(&top, "file/in", "i");
	tarball_link(&top, '1', "linked", "source");
	apply_ok(&top, "top", BELOW("low"));
}

static int apply_unprivileged(void)
{
	if (!become_nobody() || fchdir(tempfd) < 0)
		return 70;
	tempdir = (char *)".";
	make_overlay_layers();
	return 0;
}

static void check_overlay(void)
{
	pid_t pid;
	int status;

	assert_int_equal(mkdirat(tempfd, "m", 0755), 0);
	pid = fork();
	if (pid == 0)
		_exit(in_overlay(look));
	status = child_status(pid);
	if (status == NAMESPACES_MISSING)
		skip(); /* no user namespaces, or no overlay in them */
	assert_int_equal(status, 0);
}

static void test_overlay(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		/* made by root: the trees must be nobody's for its overlay */
		pid_t pid;

		assert_int_equal(fchown(tempfd, 65534, 65534), 0);
		pid = fork();
		if (pid == 0)
			_exit(apply_unprivileged());
		assert_int_equal(child_status(pid), 0);
	} else {
		make_overlay_layers();
	}
	check_overlay();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_parents_made),
		tempdir_test(test_link_parents),
		tempdir_test(test_directory_over_link),
		tempdir_test(test_whiteouts),
		tempdir_test(test_opaque),
		tempdir_test(test_whiteouts_in_whiteouts),
		tempdir_test(test_opaque_root),
		tempdir_test(test_lowest_layer),
		tempdir_test(test_merged_view),
		tempdir_test(test_skipped_hides),
		tempdir_test(test_bad_names),
		tempdir_test(test_overlay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
