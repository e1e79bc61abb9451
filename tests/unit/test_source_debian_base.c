/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of source/debian_base.c and what it stands on: made-up packages laid over each other by dpkg's rules, dpkg's database, owners,
 * errors; and real packages of the archive that apt on this machine knows, which dpkg itself then judges (skipped without).
 *
 * DEVENV_BASE_SUITES: whole bases of these suites instead of a few packages of bookworm. DEVENV_TEST_DEBS: see debian_apt.h.
 */
#include "debian_apt.h"

#include "deb_fixture.h"
#include "layer/owners.h"
#include "source/debian_base.h"
#include "store_fixture.h"
#include "tree_list.h"

enum { PACKAGES_MAX = 8 };

static struct lock_package packages[PACKAGES_MAX];
static size_t package_count;
static struct store_stage stage;
static const char *files_only; /* the name of one that dpkg will unpack */

/* ---- made-up packages ---- */

struct made {
	const char *name, *version, *fields; /* fields: further lines of control */
	const char *conffiles, *triggers;
	struct tarball data;
};
#define MADE(n) ((struct made){ .name = (n), .version = "1", .fields = "", .data = TARBALL_INIT })

static void write_deb(const struct buf *deb, const char *hex)
{
	char *path = mem_printf("debs/%s", hex);
	struct err e = ERR_INIT;

	assert_true(mkdirat(store.fd, "debs", 0700) == 0 || errno == EEXIST);
	assert_int_equal(file_replace(store.fd, path, deb->data, deb->len, 0600, FILE_FAST, &e), 0);
	free(path);
}

static struct lock_package *add_package(struct made *m)
{
	char *control = mem_printf("Package: %s\nVersion: %s\nArchitecture: amd64\nDescription: made up\n two lines\n%s", m->name,
				   m->version, m->fields);
	struct lock_package *p = &packages[package_count++];
	struct tarball t = TARBALL_INIT;
	struct buf deb = BUF_INIT;
	char digest[DIGEST_MAX];

	assert_true(package_count <= PACKAGES_MAX);
	tarball_file(&t, "./control", control);
	tarball_file(&t, "./md5sums", "");
	tarball_file(&t, "./postinst", "#!/bin/sh\n");
	if (m->conffiles)
		tarball_file(&t, "./conffiles", m->conffiles);
	if (m->triggers)
		tarball_file(&t, "./triggers", m->triggers);
	deb_begin(&deb);
	deb_tar_member(&deb, "control.tar", ".xz", &t);
	deb_tar_member(&deb, "data.tar", ".xz", &m->data);
	digest_bytes(deb.data, deb.len, digest);
	write_deb(&deb, digest_hex(digest));
	*p = (struct lock_package){ .arch = mem_strdup("amd64"), .name = mem_strdup(m->name), .version = mem_strdup(m->version),
				    .in_base = true, .path = mem_strdup(""), .suite = mem_strdup(""),
				    .sha256 = mem_strdup(digest_hex(digest)), .size = deb.len };
	buf_release(&deb);
	free(control);
	return p;
}

static int set_up(void **state)
{
	tempdir_setup(state);
	open_store();
	package_count = 0;
	return 0;
}

static int tear_down(void **state)
{
	for (size_t i = 0; i < package_count; i++)
		free_package(&packages[i]);
	store_stage_drop(&store, &stage);
	close_store();
	return tempdir_teardown(state);
}

static void count_progress(void *data, size_t done, size_t total)
{
	size_t *last = data;

	assert_true(done >= *last && done <= total);
	*last = done;
}

static int unpack(const char *codename, struct err *e)
{
	struct debian_base_item list[PACKAGES_MAX];
	size_t last = 0;
	int result;

	for (size_t i = 0; i < package_count; i++)
		list[i] = (struct debian_base_item){ .package = &packages[package_count - 1 - i] }; /* in no order */
	for (size_t i = 0; files_only && i < package_count; i++)
		list[i].files_only = strcmp(list[i].package->name, files_only) == 0;
	store_stage_drop(&store, &stage);
	assert_int_equal(store_stage_new(&store, &stage, e), 0);
	result = debian_base_unpack(&store, &stage, codename, list, package_count, count_progress, &last, e);
	if (result == 0)
		assert_int_equal(last, package_count);
	return result;
}

static void unpack_ok(const char *codename)
{
	struct err e = ERR_INIT;

	if (unpack(codename, &e) < 0)
		fail_msg("%s", e.msg);
}

static void assert_text(const char *path, const char *text)
{
	char *below = mem_printf("fs/%s", path);
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (file_read(stage.fd, below, 1 << 20, 0, &b, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(b.data, text);
	buf_release(&b);
	free(below);
}

static void assert_link_to(const char *path, const char *target)
{
	char *below = mem_printf("fs/%s", path), text[256] = "";

	assert_true(readlinkat(stage.fd, below, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, target);
	free(below);
}

static struct stat stat_of(const char *path)
{
	char *below = mem_printf("fs/%s", path);
	struct stat st = { 0 };

	if (fstatat(stage.fd, below, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("there is no %s", path);
	free(below);
	return st;
}

static bool there_is(const char *path)
{
	char *below = mem_printf("fs/%s", path);
	bool there = file_exists(stage.fd, below);

	free(below);
	return there;
}

static size_t count_paragraphs(void)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t count = 0;

	assert_int_equal(file_read(stage.fd, "fs/var/lib/dpkg/status", 1 << 20, 0, &b, NULL, &e), 0);
	for (const char *p = b.data; (p = strstr(p, "Package: ")); p++)
		count++;
	buf_release(&b);
	return count;
}

static void test_tree_and_database(void **state)
{
	struct made files = MADE("base-files"), tool = MADE("tool"), lib = MADE("libtool1"), pass = MADE("base-passwd");

	(void)state;
	tarball_dir(&files.data, "./", 0755);
	tarball_dir(&files.data, "./bin/", 0755);
	tarball_dir(&files.data, "./tmp/", 01777);
	tarball_dir(&files.data, "./usr/", 0755);
	tarball_dir(&files.data, "./var/", 0755);
	add_package(&files);
	tarball_dir(&tool.data, "./", 0700); /* base-files was first */
	tarball_dir(&tool.data, "./bin/", 0700);
	tool.data.mode = 04755;
	tarball_file(&tool.data, "./bin/tool", "elf");
	tarball_link(&tool.data, '1', "./bin/tool2", "./bin/tool");
	tool.data.mode = 0644;
	tarball_dir(&tool.data, "./etc/", 0755);
	tarball_file(&tool.data, "./etc/tool.conf", "x\n");
	tarball_file(&tool.data, "./etc/a b", "");
	tool.conffiles = "/etc/tool.conf\n/etc/a b\n/etc/gone\nremove-on-upgrade /etc/old\n";
	tool.triggers = "# comment\ninterest-noawait /usr/share/tools\ninterest tools # more\nactivate other\n";
	tool.version = "2:1.0-3";
	add_package(&tool);
	lib.fields = "Multi-Arch: same\n";
	lib.triggers = "interest-await tools\n";
	lib.data.uid = 7;
	tarball_dir(&lib.data, "./lib64/", 0755);
	tarball_file(&lib.data, "./lib64/libtool.so.1", "so");
	add_package(&lib);
	tarball_file(&pass.data, "./usr/share/base-passwd/passwd.master", "root:*:0:0:root:/root:/bin/bash\n");
	add_package(&pass);
	unpack_ok("bookworm");

	assert_link_to("bin", "usr/bin");
	assert_link_to("lib32", "usr/lib32");
	assert_text("usr/bin/tool", "elf");
	assert_text("bin/tool", "elf");
	assert_text("usr/lib64/libtool.so.1", "so");
	assert_int_equal(stat_of("usr/bin/tool").st_ino, stat_of("usr/bin/tool2").st_ino);
	assert_int_equal(stat_of("usr/bin/tool").st_mtim.tv_sec, 1000000000);
	assert_int_equal(stat_of("").st_mode & 07777, 0755);
	assert_int_equal(stat_of("tmp").st_mode & 07777, 01777);
	assert_int_equal(stat_of("tmp").st_mtim.tv_sec, 1000000000);
	assert_false(there_is("etc/passwd")); /* its preinst's business, when dpkg unpacks it */

	assert_text("var/lib/dpkg/info/tool.list", "/.\n/bin\n/bin/tool\n/bin/tool2\n/etc\n/etc/a b\n/etc/tool.conf\n");
	assert_text("var/lib/dpkg/info/libtool1:amd64.list", "/.\n/lib64\n/lib64/libtool.so.1\n");
	assert_int_equal(stat_of("var/lib/dpkg/info/tool.postinst").st_mode & 0777, 0755);
	assert_int_equal(stat_of("var/lib/dpkg/info/tool.postinst").st_mtim.tv_sec, 1600000000);
	assert_false(there_is("var/lib/dpkg/info/tool.control"));
	assert_text("var/lib/dpkg/info/format", "1\n");
	assert_text("var/lib/dpkg/arch", "amd64\n");
	assert_text("var/lib/dpkg/triggers/File", "/usr/share/tools tool/noawait\n");
	assert_text("var/lib/dpkg/triggers/tools", "libtool1:amd64\ntool\n");
	assert_text("var/lib/dpkg/status",
		    "Package: base-files\nStatus: install ok unpacked\nVersion: 1\nArchitecture: amd64\nDescription: made up\n two lines\n\n"
		    "Package: base-passwd\nStatus: install ok unpacked\nVersion: 1\nArchitecture: amd64\nDescription: made up\n two lines\n\n"
		    "Package: libtool1\nStatus: install ok unpacked\nVersion: 1\nArchitecture: amd64\nDescription: made up\n two lines\n"
		    "Multi-Arch: same\n\n"
		    "Package: tool\nStatus: install ok unpacked\nVersion: 2:1.0-3\nArchitecture: amd64\nDescription: made up\n two lines\n"
		    "Conffiles:\n /etc/tool.conf 401b30e3b8b5d629635a5c613cdb7919\n /etc/a b d41d8cd98f00b204e9800998ecf8427e\n"
		    " /etc/gone newconffile\n\n");
}

static void test_owners(void **state)
{
	struct made one = MADE("one"), two = MADE("two");
	const struct owners_record *r;
	struct owners owners;
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	one.data.gid = 42;
	tarball_dir(&one.data, "./", 0755);
	tarball_dir(&one.data, "./bin/", 0755);
	one.data.mode = 02755;
	tarball_file(&one.data, "./bin/chage", "x");
	tarball_pax(&one.data, "SCHILY.xattr.security.capability", "\1\0\0\2", 4);
	tarball_file(&one.data, "./bin/ping", "x");
	add_package(&one);
	tarball_dir(&two.data, "./usr/", 0755);
	tarball_file(&two.data, "./usr/plain", "x");
	add_package(&two);
	unpack_ok("trixie");
	fd = openat(stage.fd, "owners", O_RDONLY | O_CLOEXEC);
	assert_int_equal(owners_load(&owners, fd, &e), 0);
	close(fd);
	r = owners_find(&owners, "usr/bin/chage");
	assert_non_null(r);
	assert_int_equal(r->mode, 02755);
	assert_int_equal(r->gid, 42);
	r = owners_find(&owners, "usr/bin/ping");
	assert_non_null(r);
	assert_string_equal(r->capability, "01000002");
	assert_null(owners_find(&owners, "usr/plain"));
	assert_null(owners_find(&owners, "bin/chage"));
	owners_release(&owners);
	assert_false(there_is("lib32"));
}

/* Whoever is in whose favour, and in whatever order they come. */
static void test_replaces(void **state)
{
	(void)state;
	for (int swapped = 0; swapped < 2; swapped++) {
		struct made old = MADE(swapped ? "aa" : "bb"), fresh = MADE(swapped ? "bb" : "aa");
		char *list;

		fresh.fields = swapped ? "Replaces: other, aa (<< 2)\n" : "Replaces: bb (<< 2), other\n";
		tarball_file(&old.data, "./usr/share/thing", "old");
		tarball_file(&old.data, "./usr/share/rest", "");
		tarball_file(&fresh.data, "./usr/share/thing", "new");
		add_package(&old);
		add_package(&fresh);
		unpack_ok("sid");
		assert_text("usr/share/thing", "new");
		list = mem_printf("var/lib/dpkg/info/%s.list", old.name);
		assert_text(list, "/.\n/usr\n/usr/share\n/usr/share/rest\n");
		free(list);
		list = mem_printf("var/lib/dpkg/info/%s.list", fresh.name);
		assert_text(list, "/.\n/usr\n/usr/share\n/usr/share/thing\n");
		free(list);
		while (package_count > 0)
			free_package(&packages[--package_count]);
	}
}

/* What dpkg will unpack is laid out, gives way to all others, and is in no list. */
static void test_files_only(void **state)
{
	(void)state;
	for (int swapped = 0; swapped < 2; swapped++) {
		struct made early = MADE(swapped ? "bb" : "aa"), other = MADE(swapped ? "aa" : "bb");

		early.triggers = "interest things\n";
		tarball_file(&early.data, "./usr/share/thing", "early");
		tarball_file(&early.data, "./usr/share/own", "");
		tarball_file(&other.data, "./usr/share/thing", "other");
		add_package(&early);
		add_package(&other);
		files_only = early.name;
		unpack_ok("sid");
		files_only = NULL;
		assert_text("usr/share/thing", "other");
		assert_true(there_is("usr/share/own"));
		assert_false(there_is(swapped ? "var/lib/dpkg/info/bb.list" : "var/lib/dpkg/info/aa.list"));
		assert_true(there_is(swapped ? "var/lib/dpkg/info/aa.list" : "var/lib/dpkg/info/bb.list"));
		assert_false(there_is("var/lib/dpkg/triggers/things"));
		assert_int_equal(count_paragraphs(), 1);
		while (package_count > 0)
			free_package(&packages[--package_count]);
	}
}

static void refused(enum err_code code, const char *message)
{
	struct err e = ERR_INIT;

	if (unpack("bookworm", &e) == 0)
		fail_msg("unpacked, without '%s'", message);
	assert_int_equal(e.code, code);
	if (!strstr(e.msg, message))
		fail_msg("'%s' has no '%s'", e.msg, message);
	while (package_count > 0)
		free_package(&packages[--package_count]);
}

static void test_conflicts(void **state)
{
	struct made a = MADE("aa"), b = MADE("bb");

	(void)state;
	a.fields = "Replaces: bb (<< 1)\n"; /* not this one */
	tarball_file(&a.data, "./usr/thing", "a");
	tarball_file(&b.data, "./usr/thing", "b");
	add_package(&a);
	add_package(&b);
	refused(ERR_CONFIG, "the packages bb and aa both have /usr/thing and neither replaces the other");
	a = MADE("aa");
	b = MADE("bb");
	tarball_file(&a.data, "./usr/thing", "a");
	tarball_dir(&b.data, "./usr/thing/", 0755);
	add_package(&a);
	add_package(&b);
	refused(ERR_CONFIG, "both have /usr/thing");
}

/* Links to directories, directories in the place of links, and two names of one file. */
static void test_links(void **state)
{
	struct made a = MADE("aa"), b = MADE("bb"), c = MADE("cc");

	(void)state;
	tarball_dir(&a.data, "./usr/share/real/", 0755);
	tarball_link(&a.data, '2', "./usr/share/alias", "real");
	tarball_link(&a.data, '2', "./usr/share/far", "/usr/share/./alias/../real");
	tarball_dir(&a.data, "./usr/share/dir/", 0755);
	tarball_link(&a.data, '2', "./bin/which", "/usr/bin/which.real");
	add_package(&a);
	tarball_dir(&b.data, "./usr/share/alias/", 0755);
	tarball_file(&b.data, "./usr/share/alias/one", "1");
	tarball_dir(&b.data, "./usr/share/far/", 0755);
	tarball_file(&b.data, "./usr/share/far/two", "2");
	tarball_link(&b.data, '2', "./usr/share/dir", "real");
	tarball_file(&b.data, "./usr/bin/which", "which");
	add_package(&b);
	tarball_link(&c.data, '2', "./lib", "usr/lib");
	tarball_file(&c.data, "./usr/lib/x", "x");
	add_package(&c);
	unpack_ok("trixie");
	assert_text("usr/share/real/one", "1");
	assert_text("usr/share/real/two", "2");
	assert_true(S_ISDIR(stat_of("usr/share/dir").st_mode));
	assert_text("bin/which", "which");
	assert_text("lib/x", "x");
}

/* Each link twice through the one before: as many steps as the kernel takes, not two to the power of them. */
static void test_links_of_links(void **state)
{
	struct made a = MADE("aa"), b = MADE("bb");

	(void)state;
	tarball_dir(&a.data, "./usr/share/real/", 0755);
	tarball_link(&a.data, '2', "./usr/share/c00", "real");
	for (int i = 1; i < 40; i++) {
		cleanup_free char *name = mem_printf("./usr/share/c%02d", i), *target = mem_printf("c%02d/../c%02d", i - 1, i - 1);

		tarball_link(&a.data, '2', name, target);
	}
	add_package(&a);
	tarball_dir(&b.data, "./usr/share/c39/", 0755);
	tarball_file(&b.data, "./usr/share/c39/one", "1");
	add_package(&b);
	refused(ERR_CONFIG, "both have /usr/share/c39");
}

/* A package can't lead out of the tree: neither where it is unpacked, nor in the tree, nor with its conffiles. */
static void test_leading_out(void **state)
{
	struct made a = MADE("aa"), b = MADE("bb");
	char *target = mem_printf("%s/out", tempdir), *up = mem_printf("../../../../../../../../../..%s/out", tempdir);

	(void)state;
	assert_int_equal(mkdirat(tempfd, "out", 0755), 0);
	tempdir_write("out/secret", "secret");
	tarball_link(&a.data, '2', "./usr/abs", target);
	tarball_link(&a.data, '2', "./usr/up", up);
	a.conffiles = "/usr/abs/secret\n/usr/up/secret\n/../../../../../../../../etc/passwd\n";
	add_package(&a);
	tarball_dir(&b.data, "./usr/abs/", 0755);
	tarball_file(&b.data, "./usr/abs/secret", "overwritten");
	add_package(&b);
	refused(ERR_CONFIG, "both have /usr/abs");
	{
		struct buf text = BUF_INIT;
		struct err e = ERR_INIT;

		assert_int_equal(file_read(tempfd, "out/secret", 100, 0, &text, NULL, &e), 0);
		assert_string_equal(text.data, "secret");
		buf_release(&text);
	}
	a = MADE("aa");
	tarball_link(&a.data, '2', "./usr/abs", target);
	a.conffiles = "/usr/abs/secret\n/../../../../../../../../etc/passwd\n";
	add_package(&a);
	unpack_ok("bookworm");
	assert_text("var/lib/dpkg/status", "Package: aa\nStatus: install ok unpacked\nVersion: 1\nArchitecture: amd64\nDescription: made up\n two lines\n"
		    "Conffiles:\n /usr/abs/secret newconffile\n /../../../../../../../../etc/passwd newconffile\n\n");
	free(target);
	free(up);
}

static void test_refused(void **state)
{
	struct made a = MADE("aa");
	struct lock_package *p;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(store_stage_new(&store, &stage, &e), 0);
	assert_int_equal(debian_base_unpack(&store, &stage, "sid", NULL, 0, NULL, NULL, &e), -1);
	p = add_package(&a);
	free(p->version);
	p->version = mem_strdup("2");
	refused(ERR_INTEGRITY, "the lock's package aa 2 for amd64 is another one in its .deb file: aa 1");
	a = MADE("aa");
	p = add_package(&a);
	p->sha256[0] = p->sha256[0] == '0' ? '1' : '0';
	refused(ERR_NOT_FOUND, "package aa 1: the store");
	a = MADE("aa");
	add_package(&a);
	a = MADE("aa");
	a.version = "3";
	add_package(&a);
	refused(ERR_LOCK, "has the package aa twice");
	assert_int_equal(count_in("layers"), 0);
}

/* Packages are unpacked once; files are shared; the result is the same. */
static void test_again(void **state)
{
	struct made a = MADE("aa"), b = MADE("bb");
	struct buf first = BUF_INIT, second = BUF_INIT;
	ino_t inode;
	int fd;

	(void)state;
	tarball_file(&a.data, "./usr/one", "1");
	tarball_dir(&a.data, "./var/lib/dpkg/triggers/", 0755);
	tarball_dir(&a.data, "./var/lib/dpkg/updates/", 0755);
	add_package(&a);
	tarball_file(&b.data, "./bin/two", "2");
	add_package(&b);
	unpack_ok("bookworm");
	assert_int_equal(count_in("layers"), 2);
	inode = stat_of("usr/one").st_ino;
	fd = openat(stage.fd, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tree_list(fd, ".", &first);
	close(fd);
	assert_int_equal(file_remove_tree(store.fd, "debs", &(struct err){ 0 }), 0); /* not needed any more */
	unpack_ok("bookworm");
	assert_int_equal(stat_of("usr/one").st_ino, inode);
	fd = openat(stage.fd, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tree_list(fd, ".", &second);
	close(fd);
	assert_string_equal(first.data, second.data);
	buf_release(&first);
	buf_release(&second);
}

/* ---- real ones ---- */

static void check_with_dpkg(const char *fs, size_t count)
{
	char *audit = mem_printf("dpkg --root=%s --audit 2>&1 | grep -vc '^ ' >/dev/null", fs);
	char *verify = mem_printf("dpkg --root=%s --verify 2>&1", fs);
	char *list = mem_printf("dpkg-query --admindir=%s/var/lib/dpkg -W -f '${db:Status-Abbrev}\\n' | grep -c '^iU '", fs);
	struct strlist lines = STRLIST_INIT;

	assert_int_equal(system(audit), 0);
	assert_int_equal(lines_of(verify, &lines), 0);
	if (lines.count > 0) /* a file that is not what its sums say */
		fail_msg("%s", lines.items[0]);
	lines_of(list, &lines);
	assert_int_equal(strtoul(lines.items[lines.count - 1], NULL, 10), count);
	strlist_release(&lines);
	free(audit);
	free(verify);
	free(list);
}

static void unpack_real(const struct suite *s, const struct lock_package *all, size_t count)
{
	struct debian_base_item *list = mem_array(count, sizeof(*list));
	struct buf first = BUF_INIT, second = BUF_INIT;

	for (size_t i = 0; i < count; i++)
		list[i] = (struct debian_base_item){ &all[i], false };
	for (int round = 0; round < 2; round++) {
		struct err e = ERR_INIT;
		char *fs;
		int fd;

		store_stage_drop(&store, &stage);
		assert_int_equal(store_stage_new(&store, &stage, &e), 0);
		if (debian_base_unpack(&store, &stage, s->name, list, count, NULL, NULL, &e) < 0)
			fail_msg("%s", e.msg);
		fd = openat(stage.fd, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		tree_list(fd, ".", round ? &second : &first);
		close(fd);
		fs = mem_printf("%s/tmp/%s/fs", store_path, stage.name);
		check_with_dpkg(fs, count);
		free(fs);
	}
	assert_true(first.len > 10000);
	assert_string_equal(first.data, second.data);
	buf_release(&first);
	buf_release(&second);
	free(list);
}

static bool choose(const struct suite *s, bool whole, struct strlist *names)
{
	static const char *const few[] = { "base-files", "base-passwd", "dash", "dpkg", "libc-bin", "libbz2-1.0", "sed" };
	struct debian_goal goal = { .wanted = names, .priority = DEBIAN_REQUIRED };
	struct debian_solution solution;
	struct err e = ERR_INIT;

	for (size_t i = 0; !whole && i < ARRAY_SIZE(few); i++)
		strlist_add(names, few[i]);
	if (!whole)
		return true;
	strlist_add(names, "apt");
	if (debian_solve(&s->u, &goal, &solution, &e) < 0)
		fail_msg("%s", e.msg);
	strlist_release(names);
	for (size_t i = 0; i < solution.count; i++)
		strlist_add_take(names, debian_text_dup(s->u.packages[solution.packages[i]].name));
	debian_solution_release(&solution);
	return true;
}

static void test_suite(const char *name, bool whole, const char *archive, const char *security)
{
	struct suite s = { .name = name, .dir = mem_printf("%s/apt-%s", tempdir, name) };
	struct strlist names = STRLIST_INIT;
	struct lock_package *all;
	size_t first;

	if (!set_up_apt(&s, archive, security)) {
		print_message("skipped: apt-get can't read the index of %s\n", name);
		free(s.dir);
		skip();
	}
	read_universe(&s);
	choose(&s, whole, &names);
	all = mem_array(names.count, sizeof(*all));
	for (size_t i = 0; i < names.count; i++) {
		assert_true(debian_universe_find(&s.u, DEBIAN_TEXT(names.items[i]), &first) > 0);
		all[i] = lock_package_of(&s.u.packages[first]);
	}
	if (!fetch_packages(&s, store_path, all, names.count)) {
		print_message("skipped: apt-get can't download packages of %s\n", name);
		skip();
	}
	unpack_real(&s, all, names.count);
	for (size_t i = 0; i < names.count; i++)
		free_package(&all[i]);
	free(all);
	strlist_release(&names);
	release_suite(&s);
}

static void test_real_packages(void **state)
{
	const char *suites = getenv("DEVENV_BASE_SUITES");
	char *archive = NULL, *security = NULL;
	struct strlist names = STRLIST_INIT;

	(void)state;
	if (!find_archives(&archive, &security)) {
		print_message("skipped: apt on this machine has no Debian archive\n");
		skip();
	}
	strlist_split(&names, suites ? suites : "bookworm", " ");
	for (size_t i = 0; i < names.count; i++)
		test_suite(names.items[i], suites != NULL, archive, security);
	strlist_release(&names);
	free(archive);
	free(security);
}

#define base_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		base_test(test_tree_and_database), base_test(test_owners), base_test(test_replaces), base_test(test_files_only), base_test(test_conflicts),
		base_test(test_links), base_test(test_links_of_links), base_test(test_leading_out), base_test(test_refused), base_test(test_again),
		base_test(test_real_packages),
	};

	stage.fd = -1;
	return cmocka_run_group_tests_name("source_debian_base", tests, NULL, NULL);
}
