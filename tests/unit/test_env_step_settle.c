/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of env/step_settle.c and step_contents.c: what a step wrote, put in order. */
#include "tempdir.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "env/step.h"
#include "env/step_contents.h"
#include "tree_list.h"

#define SINCE 1700000000LL
#define NS 1000000000LL
#define EPOCH 1600000000LL

static struct store_stage stage;

static int set_up(void **state)
{
	struct err e = ERR_INIT;

	tempdir_setup(state);
	stage.fd = tempfd;
	return file_mkdirs(tempfd, "fs", 0755, &e);
}

/* With `day` added to SINCE as its time. */
static void put(const char *path, const char *text, mode_t mode, long long time)
{
	char *full = mem_printf("fs/%s", path), *parent = mem_strdup(full);
	const struct timespec times[2] = { { .tv_sec = time }, { .tv_sec = time } };
	struct err e = ERR_INIT;
	int fd;

	*strrchr(parent, '/') = '\0';
	assert_int_equal(file_mkdirs(tempfd, parent, 0755, &e), 0);
	fd = openat(tempfd, full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
	free(full);
	free(parent);
}

static void settle(bool packages)
{
	struct err e = ERR_INIT;

	if ((packages ? step_settle_packages(&stage, SINCE * NS, EPOCH, NULL, NULL, &e) : step_settle(&stage, SINCE * NS, EPOCH, &e)) < 0)
		fail_msg("%s", e.msg);
}

static bool there_is(const char *path)
{
	char *full = mem_printf("fs/%s", path);
	struct stat st;
	bool there = fstatat(tempfd, full, &st, AT_SYMLINK_NOFOLLOW) == 0;

	free(full);
	return there;
}

static struct stat stat_of(const char *path)
{
	char *full = mem_printf("fs/%s", path);
	struct stat st = { 0 };

	if (fstatat(tempfd, full, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("there is no %s", path);
	free(full);
	return st;
}

static void assert_text(const char *path, const char *text)
{
	char *full = mem_printf("fs/%s", path);
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (file_read(tempfd, full, 1 << 20, 0, &b, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(b.data, text);
	buf_release(&b);
	free(full);
}

static void test_times(void **state)
{
	(void)state;
	put("usr/old", "", 0644, SINCE - 100);
	put("usr/new", "", 0644, SINCE + 100);
	put("usr/closed/deep", "", 0000, SINCE + 1);
	assert_int_equal(symlinkat("nowhere", tempfd, "fs/usr/link"), 0); /* now: after SINCE */
	assert_int_equal(fchmodat(tempfd, "fs/usr/closed", 0, 0), 0);
	settle(false);
	assert_int_equal(stat_of("usr/old").st_mtim.tv_sec, SINCE - 100);
	assert_int_equal(stat_of("usr/new").st_mtim.tv_sec, EPOCH);
	assert_int_equal(stat_of("usr/link").st_mtim.tv_sec, EPOCH);
	assert_int_equal(stat_of("usr").st_mtim.tv_sec, EPOCH);
	assert_int_equal(stat_of("").st_mtim.tv_sec, EPOCH);
	assert_int_equal(stat_of("usr/closed").st_mode & 07777, 0);
	assert_int_equal(fchmodat(tempfd, "fs/usr/closed", 0755, 0), 0);
	assert_int_equal(stat_of("usr/closed/deep").st_mtim.tv_sec, EPOCH);
	assert_int_equal(stat_of("usr/closed/deep").st_mtim.tv_nsec, 0);
	assert_int_equal(stat_of("usr/closed/deep").st_mode & 07777, 0);
}

static const char *const gone[] = {
	"var/log/dpkg.log", "var/log/alternatives.log", "var/log/apt/history.log", "var/cache/apt/pkgcache.bin", "var/cache/apt/archives/x.deb",
	"var/cache/ldconfig/aux-cache", "var/cache/man/de/index.db", "var/cache/debconf/config.dat-old", "var/lib/dpkg/status-old",
	"var/lib/dpkg/lock-frontend", "var/lib/dpkg/triggers/Lock", "etc/.pwd.lock", "etc/passwd-", "etc/shadow-", "var/lib/dbus/machine-id",
	"tmp/.hidden/x", "tmp/y", "run/z", "var/tmp/q",
};
static const char *const kept[] = {
	"var/log/mine.log", "var/log/dpkg.log.d/x", "var/cache/apt/archives/keep", "var/cache/debconf/config.dat", "var/lib/dpkg/status",
	"etc/passwd", "usr/tmp/x", "home/var/log/dpkg.log", "var/lib/dpkg/triggers/File", "var/lib/dpkg/info/a-old.list",
	"var/lib/texmf/web2c/pdftex/latex.fmt", "etc/bind/named.conf", "etc/unbound/unbound.conf",
};
static const char *const secrets[] = {
	"etc/ssh/ssh_host_rsa_key", "etc/ssh/ssh_host_rsa_key.pub", "etc/ssl/private/ssl-cert-snakeoil.key",
	"etc/ssl/certs/ssl-cert-snakeoil.pem", "var/lib/postgresql/15/main/PG_VERSION", "etc/postgresql/15/main/postgresql.conf",
	"usr/share/fonts/.uuid", "usr/share/fonts/truetype/dejavu/.uuid",
	"usr/lib/jvm/java-11-openjdk-amd64/lib/server/classes.jsa", "etc/bind/rndc.key", "etc/dropbear/dropbear_rsa_host_key",
	"var/lib/rabbitmq/.erlang.cookie", "etc/ldap/slapd.d/cn=config.ldif", "var/lib/texmf/web2c/tex/tex.fmt", "var/lib/mysql/ibdata1", "var/lib/mysql/mysql/db.frm", "var/lib/texmf/web2c/luahbtex/lualatex.fmt", "var/lib/texmf/web2c/updmap.log",
};

static void note_kept(void *data, const char *path, const struct stat *st)
{
	strlist_addf(data, "%s %o", path, st->st_mode);
}

/* Neither what goes nor what is deleted; directories as they are, not as they are opened meanwhile. */
static void test_told(void **state)
{
	cleanup_strlist struct strlist told = STRLIST_INIT;
	struct err e = ERR_INIT;

	(void)state;
	put("etc/passwd-", "", 0644, SINCE);
	put("etc/machine-id", "x", 0444, SINCE);
	put("closed/set", "", 04755, SINCE);
	assert_int_equal(fchmodat(tempfd, "fs/closed", 0111, 0), 0);
	assert_int_equal(mknodat(tempfd, "fs/gone", S_IFCHR, makedev(0, 0)), 0);
	if (step_settle_packages(&stage, SINCE * NS, EPOCH, note_kept, &told, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(told.count, 5);
	assert_string_equal(told.items[0], " 40755");
	assert_string_equal(told.items[1], "closed 40111");
	assert_string_equal(told.items[2], "closed/set 104755");
	assert_string_equal(told.items[3], "etc 40755");
	assert_string_equal(told.items[4], "etc/machine-id 100444");
	assert_int_equal(fchmodat(tempfd, "fs/closed", 0755, 0), 0);
}

static void test_removed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		put(gone[i], "x", 0644, SINCE);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		put(kept[i], "x", 0644, SINCE);
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		put(secrets[i], "x", 0600, SINCE);
	put("etc/machine-id", "0123456789abcdef\n", 0444, SINCE);
	assert_int_equal(symlinkat("ssl-cert-snakeoil.pem", tempfd, "fs/etc/ssl/certs/0123abcd.0"), 0);
	assert_int_equal(symlinkat("other.pem", tempfd, "fs/etc/ssl/certs/4567abcd.0"), 0);
	settle(false);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		if (there_is(gone[i]))
			fail_msg("%s is still there", gone[i]);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (!there_is(kept[i]))
			fail_msg("%s is gone", kept[i]);
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		if (!there_is(secrets[i])) /* a script of [build] means it */
			fail_msg("%s is gone", secrets[i]);
	assert_text("etc/machine-id", "");
	assert_int_equal(stat_of("etc/machine-id").st_mode & 07777, 0444);
	assert_true(there_is("tmp") && there_is("var/tmp") && there_is("etc/ssl/certs/0123abcd.0"));
	settle(true);
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		if (there_is(secrets[i]))
			fail_msg("%s is still there", secrets[i]);
	assert_false(there_is("etc/ssl/certs/0123abcd.0"));
	assert_true(there_is("etc/ssl/certs/4567abcd.0") && there_is("etc/ssh"));
}

/* A deletion is part of the layer. */
static void test_whiteouts(void **state)
{
	(void)state;
	put("tmp/x", "", 0644, SINCE);
	put("etc/x", "", 0644, SINCE);
	if (mknodat(tempfd, "fs/tmp/deleted", S_IFCHR, 0) < 0 || mknodat(tempfd, "fs/etc/machine-id", S_IFCHR, 0) < 0)
		skip(); /* some sandboxes don't let */
	settle(true);
	assert_true(there_is("tmp/deleted") && there_is("etc/machine-id"));
	assert_true(S_ISCHR(stat_of("etc/machine-id").st_mode));
	assert_false(there_is("tmp/x"));
}

static bool has_attribute(const char *path, const char *attribute)
{
	char *full = mem_printf("%s/fs/%s", tempdir, path), value[16];
	bool has = lgetxattr(full, attribute, value, sizeof(value)) >= 0;

	free(full);
	return has;
}

static void test_attributes(void **state)
{
	static const char *const files[] = { "usr/file", "usr", "." };
	char *full;

	(void)state;
	put("usr/file", "", 0644, SINCE);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		full = mem_printf("%s/fs/%s", tempdir, files[i]);
		if (setxattr(full, "user.overlay.origin", "x", 1, 0) < 0)
			skip(); /* a file system without */
		assert_int_equal(setxattr(full, "user.overlay.opaque", "y", 1, 0), 0);
		assert_int_equal(setxattr(full, "user.overlay.impure", "y", 1, 0), 0);
		assert_int_equal(setxattr(full, "user.mine", "y", 1, 0), 0);
		free(full);
	}
	assert_int_equal(fchmodat(tempfd, "fs/usr/file", 0400, 0), 0);
	assert_int_equal(fchmodat(tempfd, "fs/usr", 0, 0), 0); /* for root no obstacle */
	settle(true);
	assert_int_equal(stat_of("usr").st_mode & 07777, 0);
	assert_int_equal(stat_of("usr").st_mtim.tv_sec, EPOCH);
	assert_int_equal(fchmodat(tempfd, "fs/usr", 0755, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_false(has_attribute(files[i], "user.overlay.origin") || has_attribute(files[i], "user.overlay.impure"));
		assert_true(has_attribute(files[i], "user.overlay.opaque") && has_attribute(files[i], "user.mine"));
	}
	assert_int_equal(stat_of("usr/file").st_mode & 07777, 0400);
}

/* Links lead nowhere: not out of the tree, not to what is removed. */
static void test_links(void **state)
{
	char *target = mem_printf("%s/out", tempdir);

	(void)state;
	tempdir_write("out", "keep");
	put("etc/x", "", 0644, SINCE);
	put("var/lib/dbus/x", "", 0644, SINCE);
	assert_int_equal(symlinkat(target, tempfd, "fs/etc/machine-id"), 0);
	assert_int_equal(symlinkat(target, tempfd, "fs/etc/shadow"), 0);
	assert_int_equal(symlinkat(tempdir, tempfd, "fs/tmp"), 0);
	assert_int_equal(symlinkat(tempdir, tempfd, "fs/var/log"), 0);
	settle(true);
	assert_int_equal(stat_of("etc/machine-id").st_mode & S_IFMT, S_IFLNK);
	assert_int_equal(stat_of("tmp").st_mode & S_IFMT, S_IFLNK);
	{
		struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		assert_int_equal(file_read(tempfd, "out", 100, 0, &b, NULL, &e), 0);
		assert_string_equal(b.data, "keep");
		buf_release(&b);
	}
	free(target);
}

static void test_shadow(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	step_clamp_days("root:*:20000:0:99999:7:::\nold:!:100:0\nno days\nodd:x:y:z\nempty:::\nlast:*:19000", 18518, &out);
	assert_string_equal(out.data, "root:*:18518:0:99999:7:::\nold:!:100:0\nno days\nodd:x:y:z\nempty:::\nlast:*:19000");
	buf_release(&out);
	put("etc/shadow", "root:*:20000:0:99999:7:::\n", 0640, SINCE);
	settle(false);
	assert_text("etc/shadow", "root:*:18518:0:99999:7:::\n");
	assert_int_equal(stat_of("etc/shadow").st_mode & 07777, 0640);
	assert_int_equal(stat_of("etc/shadow").st_mtim.tv_sec, EPOCH);
}

/* ---- Java keystores ---- */

static void add_number(struct buf *b, size_t len, uint64_t value)
{
	while (len-- > 0)
		buf_addch(b, (char)(value >> (8 * len)));
}

static void seal(struct buf *b)
{
	struct buf all = BUF_INIT;
	unsigned char digest[DIGEST_SHA1_LEN];

	buf_add(&all, "\0c\0h\0a\0n\0g\0e\0i\0tMighty Aphrodite", 32);
	buf_add(&all, b->data, b->len);
	assert_true(digest_sha1(all.data, all.len, digest));
	buf_add(b, digest, sizeof(digest));
	buf_release(&all);
}

static void keystore(struct buf *b, uint64_t first, uint64_t second)
{
	buf_clear(b);
	add_number(b, 4, 0xfeedfeed);
	add_number(b, 4, 2);
	add_number(b, 4, 2);
	for (int i = 0; i < 2; i++) {
		add_number(b, 4, 2);
		add_number(b, 2, 5);
		buf_adds(b, i ? "other" : "alias");
		add_number(b, 8, i ? second : first);
		add_number(b, 2, 5);
		buf_adds(b, "X.509");
		add_number(b, 4, 3);
		buf_add(b, "\0\1\2", 3);
	}
	seal(b);
}

static void test_keystore(void **state)
{
	struct buf b = BUF_INIT, wanted = BUF_INIT;

	(void)state;
	keystore(&b, EPOCH * 1000 + 5, 77);
	keystore(&wanted, EPOCH * 1000, 77);
	assert_true(step_clamp_keystore((unsigned char *)b.data, b.len, EPOCH));
	assert_int_equal(b.len, wanted.len);
	assert_memory_equal(b.data, wanted.data, b.len);
	b.data[40] ^= 1; /* another password, or damage: left alone */
	assert_false(step_clamp_keystore((unsigned char *)b.data, b.len, EPOCH));
	for (size_t len = 0; len < wanted.len; len++) /* cut, with a good seal */
		if (len != wanted.len - DIGEST_SHA1_LEN) {
			buf_clear(&b);
			buf_add(&b, wanted.data, len);
			seal(&b);
			assert_false(step_clamp_keystore((unsigned char *)b.data, b.len, EPOCH));
		}
	buf_release(&b);
	buf_release(&wanted);
}

static void test_sums(void **state)
{
	static const char sums[] = "11  /etc/default/x\n22  /etc/dbconfig-common/a.conf\n44  /etc/dbconfig-common/config\n33  /etc/y";

	(void)state;
	put("var/lib/ucf/hashfile", sums, 0644, SINCE);
	put("var/lib/ucf/hashfile.0", sums, 0644, SINCE);
	put("etc/dbconfig-common/a.conf", "dbc_dbpass='x'\n", 0600, SINCE);
	settle(false);
	assert_text("var/lib/ucf/hashfile", sums);
	assert_true(there_is("etc/dbconfig-common/a.conf"));
	assert_false(there_is("var/lib/ucf/hashfile.0"));
	settle(true);
	assert_text("var/lib/ucf/hashfile", "11  /etc/default/x\n44  /etc/dbconfig-common/config\n33  /etc/y");
	assert_false(there_is("etc/dbconfig-common/a.conf"));
}

/* ---- Berkeley DB ---- */

/* Three pages, of which the second holds items and has no name of the file. `id` is where the names are. */
static void database(struct buf *b, char id, const char *time)
{
	static const unsigned char magic[] = { 0x61, 0x15, 6, 0 }, size[] = { 0, 2, 0, 0 };
	char page[3 * 512] = "";

	memset(page + 512, 'i', 512);
	for (size_t at = 0; at < sizeof(page); at += 1024) {
		memcpy(page + at + 12, magic, 4);
		memcpy(page + at + 20, size, 4);
		page[at + 25] = 8;
		memset(page + at + 52, id, 20);
	}
	page[512 + 25] = 13;
	memcpy(page + 512 + 20, "\1\0\200\0", 4); /* one item, at 128 */
	memset(page + 512 + 28, id, 100);
	memcpy(page + 700, time, 10);
	memcpy(page + 710, "\1YP_LAST_MODIFIED\1", 18);
	buf_clear(b);
	buf_add(b, page, sizeof(page));
}

static void test_database(void **state)
{
	struct buf b = BUF_INIT, wanted = BUF_INIT;

	(void)state;
	database(&b, 'x', "1700000123");
	database(&wanted, 0, "1600000000");
	assert_true(step_clamp_database((unsigned char *)b.data, b.len, EPOCH));
	assert_memory_equal(b.data, wanted.data, b.len);
	for (size_t len = 0; len < b.len; len++) /* cut */
		if (len % 512 != 0 || len == 0)
			assert_false(step_clamp_database((unsigned char *)b.data, len, EPOCH));
	database(&b, 'x', "no number!"); /* another key of that name */
	database(&wanted, 0, "no number!");
	assert_true(step_clamp_database((unsigned char *)b.data, b.len, EPOCH));
	assert_memory_equal(b.data, wanted.data, b.len);
	b.data[20] = 1; /* no size of a page */
	assert_false(step_clamp_database((unsigned char *)b.data, b.len, EPOCH));
	b.data[12] ^= 1;
	assert_false(step_clamp_database((unsigned char *)b.data, b.len, EPOCH));
	buf_release(&b);
	buf_release(&wanted);
}

#define settle_test(f) cmocka_unit_test_setup_teardown(f, set_up, tempdir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		settle_test(test_times), settle_test(test_told), settle_test(test_removed), settle_test(test_whiteouts), settle_test(test_attributes),
		settle_test(test_links), settle_test(test_shadow), settle_test(test_keystore), settle_test(test_database), settle_test(test_sums),
	};

	return cmocka_run_group_tests_name("env_step_settle", tests, NULL, NULL);
}
