/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what a layer's entries become: kinds, modes, times, names, replacements, hard links, attributes, owners. */
#include "layer_fixture.h"

static void test_kinds(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct stat st;

	(void)state;
	tarball_dir(&t, "./", 0751);
	tarball_dir(&t, "etc/", 0755);
	tarball_file(&t, "etc/hostname", "box\n");
	tarball_file(&t, "etc/empty", "");
	tarball_link(&t, '2', "etc/link", "/nowhere/at all");
	tarball_link(&t, '1', "etc/hard", "etc/hostname");
	tarball_link(&t, '1', "etc/hardlink-to-symlink", "./etc/link");
	tarball_add_bytes(&t, '0', "etc/looks-like-a-file/", NULL, "", 0);
	apply_ok(&t, "tree", NULL);
	assert_int_equal(mode_of("tree"), S_IFDIR | 0751);
	assert_int_equal(mode_of("tree/etc"), S_IFDIR | 0755);
	assert_file("tree/etc/hostname", "box\n");
	assert_file("tree/etc/empty", "");
	assert_link("tree/etc/link", "/nowhere/at all");
	assert_link("tree/etc/hardlink-to-symlink", "/nowhere/at all");
	assert_int_equal(fstatat(tempfd, "tree/etc/hard", &st, 0), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	assert_true(S_ISDIR(mode_of("tree/etc/looks-like-a-file")));
	assert_int_equal(fstatat(tempfd, "tree/etc", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	assert_int_equal(fstatat(tempfd, "tree/etc/link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
}

static void modes_under(mode_t mask, const char *tree)
{
	static const unsigned int modes[] = { 0,    0400,  0444,  0600,  0644, 0666,
		                              0777, 01777, 02755, 04755, 06711 };
	struct tarball t = TARBALL_INIT;
	char name[64];
	mode_t old = umask(mask);

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		snprintf(name, sizeof(name), "d%04o/", modes[i]);
		tarball_dir(&t, name, modes[i]);
		snprintf(name, sizeof(name), "d%04o/f%04o", modes[i], modes[i]);
		t.mode = modes[i];
		tarball_file(&t, name, "text");
	}
	apply_ok(&t, tree, NULL);
	umask(old);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		snprintf(name, sizeof(name), "%s/d%04o", tree, modes[i]);
		if ((mode_of(name) & 07777) != modes[i])
			fail_msg("%s has mode %04o", name, mode_of(name));
		fchmodat(tempfd, name, 0700, 0);
		snprintf(name, sizeof(name), "%s/d%04o/f%04o", tree, modes[i], modes[i]);
		if ((mode_of(name) & 07777) != modes[i])
			fail_msg("%s has mode %04o", name, mode_of(name));
	}
}

static void test_modes(void **state)
{
	(void)state;
	modes_under(022, "usual");
	modes_under(077, "private");
	modes_under(0, "open");
	modes_under(0277, "strange");
}

static void test_times(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct stat st;

	(void)state;
	tarball_pax(&t, "mtime", "1234567890.123456789", 20);
	tarball_file(&t, "f", "x");
	tarball_pax(&t, "mtime", "1234567890.5", 12);
	tarball_dir(&t, "d/", 0755);
	tarball_file(&t, "d/later", "x");
	tarball_pax(&t, "mtime", "-86400", 6);
	tarball_file(&t, "old", "x");
	tarball_pax(&t, "mtime", "99999999999999999999", 20);
	tarball_file(&t, "never", "x");
	apply_ok(&t, "tree", NULL);
	assert_int_equal(fstatat(tempfd, "tree/f", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1234567890);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	assert_int_equal(fstatat(tempfd, "tree/d", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_nsec, 500000000);
	assert_int_equal(fstatat(tempfd, "tree/old", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, -86400);
}

/* Names must be the archive's bytes, whatever they are and whatever the locale is. */
static void test_names(void **state)
{
	static const char *const names[] = { "caf\xc3\xa9",    "cafe\xcc\x81",
		                             "\xff\xfe latin", "\xe6\x97\xa5\xe6\x9c\xac",
		                             "new\nline",      "back\\slash",
		                             " space " };
	struct tarball t = TARBALL_INIT;
	char *lengthy = mem_alloc(300), path[400];

	(void)state;
	memset(lengthy, 'n', 250);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "pax/%s", names[i]);
		tarball_pax(&t, "path", path, strlen(path));
		tarball_pax(&t, "linkpath", names[i], strlen(names[i]));
		tarball_link(&t, '2', "short", "short");
		snprintf(path, sizeof(path), "ustar/%s", names[i]);
		tarball_file(&t, path, names[i]);
	}
	t.magic = "ustar  ";
	snprintf(path, sizeof(path), "gnu/%s", lengthy);
	tarball_add_bytes(&t, 'L', "././@LongLink", NULL, path, strlen(path) + 1);
	tarball_add_bytes(&t, 'K', "././@LongLink", NULL, lengthy, strlen(lengthy) + 1);
	tarball_link(&t, '2', "cut", "cut");
	apply_ok(&t, "tree", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "tree/pax/%s", names[i]);
		assert_link(path, names[i]);
		snprintf(path, sizeof(path), "tree/ustar/%s", names[i]);
		assert_file(path, names[i]);
	}
	snprintf(path, sizeof(path), "tree/gnu/%s", lengthy);
	assert_link(path, lengthy);
	free(lengthy);
}

static void test_sparse(void **state)
{
	static const char content[512] = "2\n0\n4\n1048576\n4\n";
	struct tarball t = TARBALL_INIT;
	struct buf data = BUF_INIT, back = BUF_INIT;
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	buf_add(&data, content, sizeof(content));
	buf_adds(&data, "headtail");
	tarball_pax(&t, "GNU.sparse.major", "1", 1);
	tarball_pax(&t, "GNU.sparse.minor", "0", 1);
	tarball_pax(&t, "GNU.sparse.name", "big", 3);
	tarball_pax(&t, "GNU.sparse.realsize", "2000000", 7);
	tarball_add_bytes(&t, '0', "GNUSparseFile.0/big", NULL, data.data, data.len);
	tarball_file(&t, "after", "it");
	apply_ok(&t, "tree", NULL);
	assert_int_equal(file_read(tempfd, "tree/big", 4 << 20, 0, &back, &st, &e), 0);
	assert_int_equal(back.len, 2000000);
	assert_memory_equal(back.data, "head\0", 5);
	assert_memory_equal(back.data + 1048576, "tail\0", 5);
	assert_true(st.st_blocks < 200);
	assert_file("tree/after", "it");
	buf_release(&data);
	buf_release(&back);
}

static void put(struct tarball *t, char kind, const char *name)
{
	char below[64];

	if (kind == 'd') {
		tarball_dir(t, name, 0755);
		snprintf(below, sizeof(below), "%s/inside", name);
		tarball_dir(t, below, 0700);
		snprintf(below, sizeof(below), "%s/inside/x", name);
		tarball_file(t, below, "x");
	} else if (kind == 'f') {
		tarball_file(t, name, "file");
	} else if (kind == 'l') {
		tarball_link(t, '2', name, "victim");
	} else if (kind == 'h') {
		tarball_link(t, '1', name, "victim/keep");
	} else {
		tarball_link(t, '6', name, NULL);
	}
}

static void check(char kind, const char *path)
{
	char below[64];

	if (kind == 'd') {
		snprintf(below, sizeof(below), "%s/inside/x", path);
		assert_file(below, "x");
	} else if (kind == 'f') {
		assert_file(path, "file");
	} else if (kind == 'l') {
		assert_link(path, "victim");
	} else if (kind == 'h') {
		assert_file(path, "kept");
	} else {
		assert_false(is_there(path));
	}
}

/* Every kind in the place of every kind, and of a link that leads to something that must stay. */
static void test_replacing(void **state)
{
	static const char kinds[] = "dflhp";
	struct tarball t = TARBALL_INIT;
	char name[64];

	(void)state;
	tarball_dir(&t, "victim", 0755);
	tarball_file(&t, "victim/keep", "kept");
	for (const char *a = kinds; *a; a++)
		for (const char *b = kinds; *b; b++) {
			snprintf(name, sizeof(name), "%c%c", *a, *b);
			put(&t, *a, name);
			put(&t, *b, name);
			snprintf(name, sizeof(name), "%c%c%c", *a, *b, *a);
			put(&t, *a, name);
			put(&t, *b, name);
			put(&t, *a, name);
		}
	apply_ok(&t, "tree", NULL);
	for (const char *a = kinds; *a; a++)
		for (const char *b = kinds; *b; b++) {
			snprintf(name, sizeof(name), "tree/%c%c", *a, *b);
			check(*b, name);
			snprintf(name, sizeof(name), "tree/%c%c%c", *a, *b, *a);
			check(*a, name);
		}
	assert_file("tree/victim/keep", "kept");
	assert_false(is_there("tree/victim/inside"));
}

static void test_directory_again(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct owners o;

	(void)state;
	t.uid = 5;
	tarball_dir(&t, "d", 0700);
	tarball_file(&t, "d/f", "stays");
	t.uid = 0;
	tarball_dir(&t, "d", 0711);
	apply_ok(&t, "tree", NULL);
	assert_file("tree/d/f", "stays");
	assert_int_equal(mode_of("tree/d") & 07777, 0711);
	o = owners_of("tree");
	assert_int_equal(owners_find(&o, "d")->uid, 0);
	assert_int_equal(owners_find(&o, "d/f")->uid, 5);
	owners_release(&o);
}

static void test_hard_links(void **state)
{
	struct tarball low = TARBALL_INIT, t = TARBALL_INIT;
	struct stat st;

	(void)state;
	low.mode = 0750;
	low.mtime = 1111111111;
	tarball_file(&low, "usr/lib/file", "from below");
	tarball_link(&low, '2', "lib", "usr/lib");
	tarball_link(&low, '2', "usr/lib/link", "file");
	tarball_file(&low, "covered", "hidden");
	apply_ok(&low, "low", NULL);
	tarball_file(&t, "a", "one");
	tarball_link(&t, '1', "b", "a");
	tarball_file(&t, "a", "two"); /* a new inode: b keeps the old */
	tarball_link(&t, '1', "a", "a");
	tarball_link(&t, '1', "c", "/lib/file");
	tarball_link(&t, '1', "d", "usr/lib/link");
	apply_ok(&t, "tree", BELOW("low"));
	assert_file("tree/a", "two");
	assert_file("tree/b", "one");
	assert_file("tree/c", "from below");
	assert_int_equal(mode_of("tree/c") & 07777, 0750);
	assert_int_equal(fstatat(tempfd, "tree/c", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1111111111);
	assert_int_equal(st.st_nlink, 1);
	assert_link("tree/d", "file");
	assert_false(is_there("tree/usr"));

	t = TARBALL_INIT;
	tarball_link(&t, '1', "early", "late");
	tarball_file(&t, "late", "");
	apply_fails(&t, "t1", BELOW("low"), "does not exist");
	t = TARBALL_INIT;
	tarball_file(&t, ".wh.covered", "");
	tarball_link(&t, '1', "x", "covered");
	apply_fails(&t, "t2", BELOW("low"), "does not exist");
	t = TARBALL_INIT;
	tarball_dir(&t, "d", 0755);
	tarball_link(&t, '1', "x", "d");
	apply_fails(&t, "t3", NULL, "directory");
	t = TARBALL_INIT;
	tarball_link(&t, '1', "x", "usr/lib");
	apply_fails(&t, "t4", BELOW("low"), "not a file");
	t = TARBALL_INIT;
	tarball_link(&t, '1', "x", "no/such/place");
	apply_fails(&t, "t5", BELOW("low"), "no such directory");
	t = TARBALL_INIT;
	tarball_link(&t, '1', "x", "/");
	apply_fails(&t, "t6", NULL, "points to /");
}

static void test_xattrs(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct layer_run run = LAYER_RUN;
	struct owners o;
	char *path, value[16] = "";

	(void)state;
	t.mode = 0444;
	tarball_pax(&t, "SCHILY.xattr.user.note", "va\0lue", 6);
	tarball_pax(&t, "SCHILY.xattr.user.overlay.opaque", "y", 1);
	tarball_pax(&t, "SCHILY.xattr.trusted.overlay.opaque", "y", 1);
	tarball_pax(&t, "SCHILY.xattr.security.selinux", "label", 5);
	tarball_pax(&t, "SCHILY.xattr.security.capability", "\1\0\0\2\0\x20\0\0", 8);
	tarball_file(&t, "f", "x");
	tarball_pax(&t, "SCHILY.xattr.user.dir", "d", 1);
	tarball_pax(&t, "SCHILY.xattr.user.overlay.opaque", "y", 1);
	tarball_dir(&t, "d", 0555);
	tarball_pax(&t, "SCHILY.xattr.user.root", "r", 1);
	tarball_dir(&t, "./", 0755);
	tarball_end(&t);
	if (layer_run(&run, &t.bytes, "tree") < 0)
		fail_msg("%s", run.e.msg);
	assert_int_equal(run.result.xattrs_dropped, 5);
	path = mem_printf("%s/tree/f", tempdir);
	assert_int_equal(getxattr(path, "user.note", value, sizeof(value)), 6);
	assert_memory_equal(value, "va\0lue", 6);
	assert_true(listxattr(path, NULL, 0) <=
	            (ssize_t)sizeof("user.note") + 20); /* SELinux may add its own */
	assert_int_equal(getxattr(path, "user.overlay.opaque", value, sizeof(value)), -1);
	assert_int_equal(mode_of("tree/f") & 07777, 0444);
	free(path);
	path = mem_printf("%s/tree/d", tempdir);
	assert_int_equal(getxattr(path, "user.dir", value, sizeof(value)), 1);
	assert_false(is_opaque("tree/d"));
	assert_int_equal(mode_of("tree/d") & 07777, 0555);
	free(path);
	o = owners_of("tree");
	assert_string_equal(owners_find(&o, "f")->capability, "0100000200200000");
	owners_release(&o);
	tarball_release(&t);
}

static void test_owners(void **state)
{
	struct tarball low = TARBALL_INIT, t = TARBALL_INIT;
	struct layer_run run = LAYER_RUN;
	struct owners o;

	(void)state;
	tarball_dir(&low, "shared", 0750);
	apply_ok(&low, "low", NULL);
	tarball_file(&t, "plain", "");
	t.uid = 1000;
	t.gid = 1001;
	tarball_file(&t, "home/me", "");
	tarball_pax(&t, "uid", "3000000000", 10);
	tarball_file(&t, "shared/huge", "");
	t.mode = 0666;
	tarball_link(&t, '3', "dev/null", NULL);
	tarball_link(&t, '1', "dev/also", "dev/null");
	tarball_link(&t, '6', "fifo", NULL);
	t.uid = t.gid = 0;
	t.mode = 04755;
	tarball_file(&t, "su", "");
	t.mode = 0644;
	tarball_file(&t, "home/me", "root's now");
	tarball_end(&t);
	run.below = BELOW("low");
	assert_int_equal(layer_run(&run, &t.bytes, "tree"), 0);
	assert_int_equal(run.result.skipped, 3);
	assert_int_equal(run.result.entries, 8);
	o = owners_of("tree");
	assert_null(owners_find(&o, "plain"));
	assert_null(owners_find(&o, "home/me"));
	assert_int_equal(owners_find(&o, "home")->kind, 'i');
	assert_int_equal(owners_find(&o, "shared")->kind, 'i');
	assert_true(owners_find(&o, "shared/huge")->uid == 3000000000u);
	assert_int_equal(owners_find(&o, "dev/null")->kind, 'c');
	assert_int_equal(owners_find(&o, "dev/null")->mode, 0666);
	assert_string_equal(owners_find(&o, "dev/also")->target, "dev/null");
	assert_int_equal(owners_find(&o, "fifo")->kind, 'p');
	assert_int_equal(owners_find(&o, "su")->mode, 04755);
	assert_int_equal(mode_of("tree/shared") & 07777, 0750);
	owners_release(&o);
	tarball_release(&t);
}

/* Paths longer than PATH_MAX can only be reached through links; descriptors get there step by step. */
static void test_deep(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct buf part = BUF_INIT, path = BUF_INIT;
	struct tarball flat = TARBALL_INIT;
	char name[32];

	(void)state;
	for (int i = 0; i < 15; i++) {
		for (int n = 0; n < 200; n++)
			buf_addch(&part, (char)('a' + i));
		buf_addch(&part, '/');
	}
	tarball_pax(&t, "path", part.data, part.len);
	tarball_dir(&t, "x", 0755);
	tarball_pax(&t, "linkpath", part.data, part.len);
	tarball_link(&t, '2', "l", "x");
	for (int i = 0; i < 3; i++) {
		buf_clear(&path);
		buf_addf(&path, "l/%sfile%d", part.data, i);
		tarball_pax(&t, "path", path.data, path.len);
		tarball_file(&t, "x", "deep");
		for (int n = 0; n < 100; n++) { /* push it out of the descriptor cache */
			snprintf(name, sizeof(name), "d%d/f%d", n, i);
			tarball_file(&t, name, "");
		}
	}
	apply_ok(&t, "tree", NULL);
	buf_clear(&path);
	for (int i = 0; i < 3000; i++)
		buf_adds(&path, i % 2 ? "/" : "d");
	tarball_pax(&flat, "path", path.data, path.len);
	tarball_dir(&flat, "x", 0755);
	tarball_pax(&flat, "linkpath", path.data, path.len);
	tarball_link(&flat, '2', "l", "x");
	buf_adds(&path, "/x");
	path.data[0] = 'l';
	tarball_pax(&flat, "path", path.data, path.len);
	tarball_file(&flat, "x", "deeper");
	apply_fails(&flat, "flat", NULL, "too deep");
	buf_release(&part);
	buf_release(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_kinds),
		tempdir_test(test_modes),
		tempdir_test(test_times),
		tempdir_test(test_names),
		tempdir_test(test_sparse),
		tempdir_test(test_replacing),
		tempdir_test(test_directory_again),
		tempdir_test(test_hard_links),
		tempdir_test(test_xattrs),
		tempdir_test(test_owners),
		tempdir_test(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
