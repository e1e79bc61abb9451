/* SPDX-License-Identifier: Apache-2.0 */
/* The generated layer: content addressing, modes from the image, conflicts, stamps. */
#include "unit/env_fixture.h"

#include <sys/xattr.h>

#include "env/skeleton.h"

static void fill(struct skeleton *k, bool backwards)
{
	struct err e = ERR_INIT;

	for (int i = 0; i < 3; i++) {
		int n = backwards ? 2 - i : i;

		if (n == 0)
			assert_done(skeleton_add_directory(k, "/opt/a b", 0750, &e), e);
		else if (n == 1)
			assert_done(skeleton_add_file(k, "/etc/hostname", "name\n", &e), e);
		else
			assert_done(skeleton_add_link(k, "/workspace", "/somewhere/else", &e), e);
	}
}

static void test_name(void **state)
{
	struct skeleton one = { 0 }, two = { 0 };
	cleanup_free char *first = NULL, *second = NULL, *third = NULL;
	struct err e = ERR_INIT;

	(void)state;
	fill(&one, false);
	fill(&two, true);
	first = skeleton_name(&one);
	second = skeleton_name(&two);
	assert_int_equal(strlen(first), 64);
	assert_string_equal(first, second);
	assert_done(skeleton_add_directory(&two, "/more", 0755, &e), e);
	third = skeleton_name(&two);
	assert_string_not_equal(first, third);
	skeleton_release(&one);
	skeleton_release(&two);
}

static void check_mode(const char *root, const char *path, mode_t mode)
{
	cleanup_free char *full = mem_printf("%s%s", root, path);
	struct stat st;

	assert_int_equal(lstat(full, &st), 0);
	if (st.st_mode != mode)
		fail_msg("%s: %o, expected %o", path, st.st_mode, mode);
	assert_int_equal(st.st_mtim.tv_sec, 946684800);
}

static void test_make(void **state)
{
	struct skeleton k = { 0 };
	struct root below = { 0 };
	cleanup_free char *path = NULL, *again = NULL;
	struct err e = ERR_INIT;
	struct store s;

	(void)state;
	fixture_mkdir("image/opt");
	assert_int_equal(fchmodat(tempfd, "image", 0555, 0), 0);
	assert_int_equal(fchmodat(tempfd, "image/opt", 01711, 0), 0);
	root_add_layer(&below, file_open_dir(tempfd, "image", &e));
	k.below = &below;
	fill(&k, false);
	assert_done(store_open(&s, getenv("DEVENV_STORE"), &e), e);
	assert_done(skeleton_make(&k, &s, &path, &e), e);
	check_mode(path, "", S_IFDIR | 0555);
	check_mode(path, "/opt", S_IFDIR | 01711);
	check_mode(path, "/opt/a b", S_IFDIR | 0750);
	check_mode(path, "/etc", S_IFDIR | 0755);
	check_mode(path, "/etc/hostname", S_IFREG | 0644);
	check_mode(path, "/workspace", S_IFLNK | 0777);
	assert_done(skeleton_make(&k, &s, &again, &e), e);
	assert_string_equal(path, again);
	store_close(&s);
	assert_int_equal(fchmodat(tempfd, "image", 0755, 0), 0);
	root_release(&below);
	skeleton_release(&k);
}

static void test_conflicts(void **state)
{
	struct skeleton k = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	fill(&k, false);
	assert_done(skeleton_add_directory(&k, "/opt/a b", 0700, &e), e); /* there already: stays */
	assert_error(skeleton_add_directory(&k, "/etc/hostname", 0755, &e), e, ERR_CONFIG, "/etc/hostname");
	assert_error(skeleton_add_file(&k, "/workspace/x", "", &e), e, ERR_CONFIG, "/workspace");
	assert_error(skeleton_add_file(&k, "/opt", "", &e), e, ERR_CONFIG, "/opt");
	skeleton_release(&k);
}

/* ---- two layers of it ---- */

/* Of a checkout at this place, with this name. */
static void part_of_checkout(const char *name, const char *place, bool own, struct skeleton *part)
{
	struct skeleton k = { 0 };
	struct err e = ERR_INIT;

	assert_done(skeleton_add_directory(&k, place, 0755, &e), e);
	skeleton_own(&k, place);
	assert_done(skeleton_add_directory(&k, "/proc", 0555, &e), e);
	assert_done(skeleton_add_file(&k, "/etc/passwd", "root\n", &e), e);
	assert_done(skeleton_add_file(&k, "/etc/hostname", name, &e), e);
	skeleton_own(&k, "/etc/hostname");
	assert_done(skeleton_add_directory(&k, "/srv", 0711, &e), e); /* for its own sake too */
	skeleton_part(&k, own, part);
	skeleton_release(&k);
}

static bool part_has(const struct skeleton *part, const char *path)
{
	for (size_t i = 0; i < part->count; i++)
		if (strcmp(part->items[i].path, path) == 0)
			return true;
	return false;
}

static void test_parts(void **state)
{
	static const char *const in_both[] = { "/", "/etc" }, *const shared[] = { "/proc", "/etc/passwd", "/srv" },
				 *const own[] = { "/home", "/home/a", "/home/a/p", "/etc/hostname" };
	struct skeleton parts[2], others[2], nested;

	(void)state;
	for (int i = 0; i < 2; i++) {
		cleanup_free char *one = NULL, *other = NULL;

		part_of_checkout("one\n", "/home/a/p", i, &parts[i]);
		part_of_checkout("two\n", "/opt/q", i, &others[i]);
		one = skeleton_name(&parts[i]);
		other = skeleton_name(&others[i]);
		assert_int_equal(strcmp(one, other) == 0, i == 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(in_both); i++)
		assert_true(part_has(&parts[0], in_both[i]) && part_has(&parts[1], in_both[i]));
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		assert_true(part_has(&parts[0], shared[i]) && !part_has(&parts[1], shared[i]));
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		assert_true(!part_has(&parts[0], own[i]) && part_has(&parts[1], own[i]));
	part_of_checkout("one\n", "/srv/p", true, &nested);
	assert_true(part_has(&nested, "/srv"));
	skeleton_release(&nested);
	for (int i = 0; i < 2; i++) {
		skeleton_release(&parts[i]);
		skeleton_release(&others[i]);
	}
}

/* ---- files that layers share ---- */

static struct stat make_with(struct store *s, const char *name, const char *data, size_t len)
{
	struct skeleton k = { 0 };
	cleanup_free char *path = NULL, *file = NULL;
	struct err e = ERR_INIT;
	struct stat st;

	assert_done(skeleton_add_file(&k, "/etc/hostname", name, &e), e);
	assert_done(skeleton_add_data(&k, "/etc/bundle", data, len, 0644, &e), e);
	assert_done(skeleton_make(&k, s, &path, &e), e);
	file = path_join(path, "etc/bundle");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(st.st_size, len);
	assert_int_equal(st.st_mtim.tv_sec, 946684800);
	skeleton_release(&k);
	return st;
}

static void collect(struct env_gc *gc, struct store *s)
{
	cleanup_free char *dir = path_join(tempdir, "nowhere");
	struct environment env = { .dirs = { .state = dir, .cache = dir, .runtime = dir, .home = dir } };
	struct err e = ERR_INIT;

	assert_done(env_gc(&env, s, gc, &e), e);
}

static void test_sharing(void **state)
{
	char *large = mem_alloc(20000), digest[DIGEST_MAX];
	cleanup_free char *shared = NULL;
	struct env_gc dry = { .dry_run = true }, gc = { 0 }, again = { 0 };
	struct err e = ERR_INIT;
	struct store s;
	struct stat one, two;

	(void)state;
	memset(large, 'x', 20000);
	digest_bytes(large, 20000, digest);
	shared = mem_printf(SKELETON_DIR "/.shared/%s-0644", digest_hex(digest));
	assert_done(store_open(&s, getenv("DEVENV_STORE"), &e), e);
	one = make_with(&s, "one\n", large, 20000);
	two = make_with(&s, "two\n", large, 20000);
	assert_int_equal(one.st_ino, two.st_ino);
	assert_int_equal(two.st_nlink, 3);
	/* empty ones take no space */
	one = make_with(&s, "one\n", large, 0);
	assert_int_equal(one.st_nlink, 1);
	/* the directory goes, or holds what it should not: a layer of its own again */
	assert_done(file_remove_tree(s.fd, SKELETON_DIR "/.shared", &e), e);
	one = make_with(&s, "three\n", large, 20000);
	assert_int_not_equal(one.st_ino, two.st_ino);
	assert_int_equal(unlinkat(s.fd, shared, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", s.fd, shared), 0);
	one = make_with(&s, "four\n", large, 20000);
	assert_int_equal(one.st_nlink, 1);
	assert_int_equal(unlinkat(s.fd, shared, 0), 0);
	one = make_with(&s, "five\n", large, 20000);
	assert_int_equal(one.st_nlink, 2);
	/* gc: all layers are dead, so nothing holds it; a dry run says the same bytes and takes nothing */
	collect(&dry, &s);
	assert_true(file_exists(s.fd, shared));
	collect(&gc, &s);
	assert_true(gc.bytes == dry.bytes && gc.bytes > 20000);
	assert_false(file_exists(s.fd, shared));
	assert_int_equal(gc.generated, 6);
	assert_int_equal(dry.generated, 6);
	collect(&again, &s);
	assert_int_equal(again.generated, 0);
	assert_int_equal(again.bytes, 0);
	store_close(&s);
	free(large);
}

/* A directory of mode 0555 can't be given attributes any more. */
static void test_cover(void **state)
{
	struct skeleton k = { 0 };
	cleanup_free char *plain = NULL, *covered = NULL, *path = NULL, *proc = NULL, *opt = NULL;
	struct err e = ERR_INIT;
	struct store s;
	char value[4];

	(void)state;
	assert_done(skeleton_add_directory(&k, "/proc", 0555, &e), e);
	assert_done(skeleton_add_directory(&k, "/opt", 0755, &e), e);
	assert_done(skeleton_add_file(&k, "/file", "", &e), e);
	plain = skeleton_name(&k);
	skeleton_cover(&k, "/proc");
	skeleton_cover(&k, "/file");
	skeleton_cover(&k, "/missing");
	covered = skeleton_name(&k);
	assert_string_not_equal(plain, covered);
	assert_done(store_open(&s, getenv("DEVENV_STORE"), &e), e);
	assert_done(skeleton_make(&k, &s, &path, &e), e);
	check_mode(path, "/proc", S_IFDIR | 0555);
	proc = mem_printf("%s/proc", path);
	opt = mem_printf("%s/opt", path);
	errno = 0;
	if (setxattr(opt, "user.overlay.opaque", "y", 1, XATTR_CREATE) < 0 && errno == EEXIST)
		fail_msg("/opt is opaque too");
	if (errno != ENOTSUP) {
		assert_int_equal(getxattr(proc, "user.overlay.opaque", value, sizeof(value)), 1);
		assert_int_equal(value[0], 'y');
	}
	skeleton_release(&k);
	store_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_name),
		fixture_test(test_make),
		fixture_test(test_conflicts),
		fixture_test(test_parts),
		fixture_test(test_sharing),
		fixture_test(test_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
