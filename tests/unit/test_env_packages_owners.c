/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of env/packages_owners.c and layer/listing.c: whom the files of a layer belong to that dpkg wrote. */
#include "deb_fixture.h"
#include "store_fixture.h"

#include "base/path.h"
#include "env/packages_owners.h"
#include "layer/owners.h"

static struct store_stage stage;
static struct owners record;
static struct lock_package package;
static char below[DIGEST_MAX];

/* ---- what there is ---- */

static void put(int fd, const char *path, const char *text, mode_t mode)
{
	cleanup_free char *parent = path_parent(path);
	struct err e = ERR_INIT;

	assert_int_equal(file_mkdirs(fd, parent, 0755, &e), 0);
	assert_int_equal(file_replace(fd, path, text, strlen(text), mode, FILE_FAST, &e), 0);
}

/* An image of two layers. */
static void put_below(void)
{
	static const char *const texts[] = { "low", "top" };
	struct store_image image = { .manifest = (char *)"{}", .config = (char *)"{}" };
	const char *parent = NULL;
	struct err e = ERR_INIT;

	digest_bytes("{}", 2, below);
	memcpy(image.digest, below, DIGEST_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct store_layer_meta meta = { .bytes = 1, .files = 1, .parent = parent };
		char diff_id[DIGEST_MAX], id[DIGEST_MAX];
		struct store_stage st;

		digest_bytes(texts[i], 3, diff_id);
		store_chain_id(parent, diff_id, id);
		meta.diff_id = diff_id;
		assert_int_equal(store_stage_new(&store, &st, &e), 0);
		if (i == 0) {
			put(st.fd, "fs/etc/passwd", "root:x:0:0::/:/bin/sh\nman:x:6:12::/:/bin/sh\n", 0644);
			put(st.fd, "fs/etc/group", "root:x:0:\nshadow:x:42:\nmessagebus:x:101:\n", 0644);
			put(st.fd, "fs/etc/shadow", "", 0640);
			put(st.fd, "fs/etc/taken", "", 0640);
			put(st.fd, "fs/etc/upgraded", "", 0640);
			put(st.fd, "fs/var/mail/x", "", 0640);
			put(st.fd, "fs/var/local/x", "", 0640);
			put(st.fd, "fs/usr/lib/x", "", 0644);
			assert_int_equal(symlinkat("usr/lib", st.fd, "fs/lib"), 0);
			stage_write(&st, "owners", "devenv-owners 1\ne 640 0 42 etc/shadow\ne 640 0 42 etc/taken\ne 640 0 42 etc/upgraded\n"
						   "e 2775 0 8 var/mail\n");
		} else {
			put(st.fd, "fs/etc/taken", "", 0644);
			put(st.fd, "fs/var/mail/y", "", 0644);
			stage_write(&st, "owners", "devenv-owners 1\ni var/mail\n");
		}
		assert_int_equal(store_layer_meta_write(&st, &meta, &e), 0);
		if (store_layer_publish(&store, &st, id, &e) < 0)
			fail_msg("%s", e.msg);
		store_stage_drop(&store, &st);
		strlist_add(&image.chain_ids, id);
		parent = image.chain_ids.items[i];
	}
	if (store_image_publish(&store, &image, &e) < 0)
		fail_msg("%s", e.msg);
	strlist_release(&image.chain_ids);
}

static void add_file(struct tarball *t, const char *name, unsigned int uid, unsigned int gid)
{
	t->uid = uid;
	t->gid = gid;
	tarball_file(t, name, "x");
	t->uid = t->gid = 0;
}

static void add_dir(struct tarball *t, const char *name, unsigned int uid, unsigned int gid)
{
	t->uid = uid;
	t->gid = gid;
	tarball_dir(t, name, 0755);
	t->uid = t->gid = 0;
}

static void put_package(const char *suffix)
{
	struct tarball control = TARBALL_INIT, data = TARBALL_INIT;
	cleanup_free char *path = NULL;
	cleanup_buf struct buf deb = BUF_INIT;
	char digest[DIGEST_MAX];
	struct err e = ERR_INIT;

	tarball_file(&control, "./control", "Package: p\nVersion: 1\nArchitecture: amd64\n");
	tarball_dir(&data, "./", 0755);
	add_file(&data, "./usr/bin/chage", 0, 42);
	add_file(&data, "./lib/helper", 7, 8);
	add_file(&data, "./usr/bin/plain", 0, 0);
	add_file(&data, "./usr/bin/unwritten", 1, 1);
	add_file(&data, "./etc/upgraded", 0, 0);
	add_file(&data, "./usr/bin/overridden", 5, 5);
	add_dir(&data, "./var/cache/man", 6, 12);
	add_dir(&data, "./var/local", 0, 50);
	add_dir(&data, "./var/mail", 0, 0);
	deb_begin(&deb);
	deb_tar_member(&deb, "control.tar", ".gz", &control);
	deb_tar_member(&deb, "data.tar", suffix, &data);
	digest_bytes(deb.data, deb.len, digest);
	path = mem_printf("debs/%s", digest_hex(digest));
	assert_true(mkdirat(store.fd, "debs", 0700) == 0 || errno == EEXIST);
	assert_int_equal(file_replace(store.fd, path, deb.data, deb.len, 0600, FILE_FAST, &e), 0);
	package = (struct lock_package){ .name = (char *)"p", .version = (char *)"1", .arch = (char *)"amd64",
					 .sha256 = mem_strdup(digest_hex(digest)) };
}

static int set_up(void **state)
{
	struct err e = ERR_INIT;

	tempdir_setup(state);
	open_store();
	put_below();
	put_package(".xz");
	return store_stage_new(&store, &stage, &e);
}

static int tear_down(void **state)
{
	owners_release(&record);
	free(package.sha256);
	store_stage_drop(&store, &stage);
	close_store();
	return tempdir_teardown(state);
}

/* ---- what becomes of it ---- */

static const char *const written[] = { "usr/bin/chage", "usr/lib/helper", "usr/bin/plain", "etc/upgraded", "usr/bin/overridden",
				       "var/cache/man", "var/local", "var/mail", "etc/shadow", "etc/taken", "usr/bin/set", "etc/passwd" };

static void make_record(void)
{
	const struct lock_package *const packages[] = { &package };
	cleanup_close int fd = -1;
	struct packages_owners *o;
	struct err e = ERR_INIT;

	o = packages_owners_begin(&store, below, packages, 1, &e);
	if (!o || packages_owners_open(o, &stage, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < ARRAY_SIZE(written); i++)
		packages_owners_add(o, written[i], &(struct stat){ .st_mode = S_IFREG | (strstr(written[i], "set") ? 04755 : 0750) });
	packages_owners_add(o, "", &(struct stat){ .st_mode = S_IFDIR | 0755 });
	assert_int_equal(packages_owners_end(o, &e), 0);
	packages_owners_free(o);
	fd = openat(stage.fd, "owners", O_RDONLY | O_CLOEXEC);
	owners_release(&record);
	if (owners_load(&record, fd, &e) < 0)
		fail_msg("%s", e.msg);
}

static void assert_owner(const char *path, unsigned int mode, unsigned int uid, unsigned int gid)
{
	const struct owners_record *r = owners_find(&record, path);

	if (!r)
		fail_msg("nothing is recorded of %s", path);
	if (r->kind != 'e' || r->mode != mode || r->uid != uid || r->gid != gid)
		fail_msg("%s: %c %o %u %u", path, r->kind, r->mode, (unsigned int)r->uid, (unsigned int)r->gid);
}

static void assert_roots(const char *path)
{
	if (owners_find(&record, path))
		fail_msg("something is recorded of %s", path);
}

static void test_sources(void **state)
{
	(void)state;
	put(stage.fd, "fs/var/lib/dpkg/statoverride", "man shadow 4750 /usr/bin/overridden\n#9 root 644 /usr/bin/plain\nghost root 755 /usr/bin/set\n",
	    0644);
	make_record();
	assert_owner("usr/bin/chage", 0750, 0, 42);	 /* the package's */
	assert_owner("usr/lib/helper", 0750, 7, 8);	 /* by a link of the layer below */
	assert_owner("usr/bin/overridden", 0750, 6, 42); /* names of the layer below */
	assert_owner("usr/bin/plain", 0750, 9, 0);
	assert_owner("usr/bin/set", 04755, 0, 0); /* of nobody there is */
	assert_owner("var/cache/man", 0750, 6, 12);
	assert_owner("etc/shadow", 0750, 0, 42); /* written again */
	assert_owner("var/mail", 0750, 0, 8);	 /* dpkg leaves a directory alone */
	assert_roots("var/local");		 /* so too where it was root's */
	assert_roots("etc/upgraded");		 /* the package has it as root's now */
	assert_roots("etc/taken");		 /* the upper of the layers has it as root's */
	assert_roots("etc/passwd");
	assert_roots("usr/bin/unwritten");
	assert_roots(".");
}

/* The step's own accounts come before those below. */
static void test_accounts(void **state)
{
	(void)state;
	put(stage.fd, "fs/var/lib/dpkg/statoverride", "root messagebus 4754 /usr/bin/plain\nnew root 755 /etc/passwd\n", 0644);
	put(stage.fd, "fs/etc/passwd", "root:x:0:0::/:/bin/sh\nnewer:x:1:1::/:\nnew:x:998:998::/:\n", 0644);
	make_record();
	assert_owner("usr/bin/plain", 0750, 0, 101);
	assert_owner("etc/passwd", 0750, 998, 0);
}

/* What a script made of names in the layer must not lead out of it. */
static void test_links(void **state)
{
	char *outside = mem_printf("%s/outside", tempdir);

	(void)state;
	put(tempfd, "outside/statoverride", "#77 #77 755 /usr/bin/plain\n", 0644);
	put(stage.fd, "fs/var/lib/x", "", 0644);
	assert_int_equal(symlinkat(outside, stage.fd, "fs/var/lib/dpkg"), 0);
	make_record();
	assert_roots("usr/bin/plain");
	free(outside);
}

static void test_compressions(void **state)
{
	static const char *const suffixes[] = { "", ".gz", ".zst" };

	(void)state;
	assert_int_equal(mkdirat(stage.fd, "fs", 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		free(package.sha256);
		put_package(suffixes[i]);
		make_record();
		assert_owner("usr/bin/chage", 0750, 0, 42);
	}
}

static void test_damaged(void **state)
{
	const struct lock_package *const packages[] = { &package };
	cleanup_free char *path = mem_printf("debs/%s", package.sha256);
	cleanup_buf struct buf deb = BUF_INIT;
	struct packages_owners *o;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mkdirat(stage.fd, "fs", 0755), 0);
	assert_int_equal(file_read(store.fd, path, 1 << 20, 0, &deb, NULL, &e), 0);
	deb.data[deb.len - 60] ^= 0x55;
	assert_int_equal(file_replace(store.fd, path, deb.data, deb.len, 0600, FILE_FAST, &e), 0);
	o = packages_owners_begin(&store, below, packages, 1, &e);
	assert_non_null(o);
	assert_int_equal(packages_owners_open(o, &stage, &e), -1);
	packages_owners_free(o);
	assert_int_equal(e.code, ERR_INTEGRITY);
	assert_non_null(strstr(e.msg, "package p"));
}

/* A step that failed needs none of it. */
static void test_dropped(void **state)
{
	const struct lock_package *const packages[] = { &package };
	struct err e = ERR_INIT;

	(void)state;
	packages_owners_free(packages_owners_begin(&store, below, packages, 1, &e));
	packages_owners_free(NULL);
	assert_null(packages_owners_begin(&store, "sha256:0000000000000000000000000000000000000000000000000000000000000000", packages, 1, &e));
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sources, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_accounts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_compressions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dropped, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
