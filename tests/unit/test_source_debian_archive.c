/* SPDX-License-Identifier: Apache-2.0 */
/* test_source_debian_archive.c - the chain of trust from keys to indexes, with each of its links broken once. */
#include "unit/debian_fixture.h"

#include <sys/wait.h>

#include "base/path.h"
#include "source/debian_archive_internal.h"
#include "source/debian_signature.h"

static int read_indexes(bool again, struct debian_indexes *out, struct err *e)
{
	*e = ERR_INIT;
	return debian_indexes_read(&fixture.context, &fixture.archive, "amd64", again, out, e);
}

static void must_read(bool again)
{
	struct debian_indexes i;
	struct err e;

	if (read_indexes(again, &i, &e) < 0)
		fail_msg("%s", e.msg);
	debian_indexes_release(&i);
}

/* Both parts of the message must be there. */
static void must_refuse(bool again, enum err_code code, const char *message, const char *hint)
{
	struct debian_indexes i;
	struct err e;

	assert_int_equal(read_indexes(again, &i, &e), -1);
	if (!strstr(e.msg, message) || !strstr(e.hint, hint) || e.code != code)
		fail_msg("%s: %s [%s]", err_code_name(e.code), e.msg, e.hint);
}

static void test_reads(void **state)
{
	struct debian_indexes i;
	struct debian_text rest, stanza, value;
	struct err e;
	unsigned int asked;

	(void)state;
	need_archive();
	assert_int_equal(fixture.archive.count, 3);
	assert_int_equal(read_indexes(false, &i, &e), 0);
	assert_int_equal(i.count, 2); /* that of updates is empty */
	assert_int_equal(i.sources[0], 0);
	assert_int_equal(i.sources[1], 2);
	rest = i.texts[1];
	assert_true(debian_control_next(&rest, &stanza));
	assert_true(debian_control_field(stanza, "Filename", &value));
	if (!debian_text_is(value, "pool/main/gamma_3_amd64.deb"))
		fail_msg("%.*s", (int)stanza.len, stanza.at);
	assert_int_equal(i.warnings.count, 0);
	assert_int_equal(fixture.notices.count, 2);
	assert_non_null(strstr(fixture.notices.items[0], "reading the index of bookworm ("));
	debian_indexes_release(&i);
	/* Fresh: nothing is asked. Again: the releases, and no index. Offline: nothing. */
	asked = fixture.asked;
	must_read(false);
	assert_int_equal(fixture.asked, asked);
	must_read(true);
	assert_int_equal(fixture.asked, asked + 3);
	fixture.context.offline = true;
	must_read(true);
	assert_int_equal(fixture.asked, asked + 3);
}

static void test_an_hour_later(void **state)
{
	unsigned int asked;

	(void)state;
	need_archive();
	must_read(false);
	asked = fixture.asked;
	must_run("touch -d '2 hours ago' cache/debian/releases/*");
	must_read(false);
	assert_int_equal(fixture.asked, asked + 3);
	must_read(false);
	assert_int_equal(fixture.asked, asked + 3);
}

static void test_offline_without_a_cache(void **state)
{
	(void)state;
	need_archive();
	fixture.context.offline = true;
	must_refuse(false, ERR_OFFLINE, "the index of bookworm was not fetched yet", "without --offline");
}

static void test_changed_release(void **state)
{
	(void)state;
	need_archive();
	fixture.change = "dists/bookworm/InRelease";
	must_refuse(false, ERR_INTEGRITY, "the InRelease of bookworm from 127.0.0.1", "");
	fixture.change = NULL;
	must_run("sed -i 's/^Origin: Debian/Origin: Debiam/' www/dists/bookworm/InRelease");
	must_refuse(false, ERR_INTEGRITY, "has a bad signature", "[debian] mirror");
}

static void test_text_around_the_signed(void **state)
{
	(void)state;
	need_archive();
	must_run("cp www/dists/bookworm/InRelease good; (echo 'Codename: evil'; cat good) >www/dists/bookworm/InRelease");
	must_refuse(false, ERR_INTEGRITY, "is not a signed message", "a portal");
	must_run("(cat good; echo 'Codename: evil') >www/dists/bookworm/InRelease");
	must_refuse(false, ERR_INTEGRITY, "is not a signed message", "");
	must_run("cat good good >www/dists/bookworm/InRelease");
	must_refuse(false, ERR_INTEGRITY, "is not a signed message", "");
	must_run("cp www/dists/bookworm/Release www/dists/bookworm/InRelease");
	must_refuse(false, ERR_INTEGRITY, "is not a signed message", "");
	must_run("cp good www/dists/bookworm/InRelease");
	must_read(false);
}

static void test_another_key(void **state)
{
	(void)state;
	need_archive();
	must_run("mkdir -m 700 other && gpg --homedir other --batch --passphrase '' --quick-gen-key x@example.org ed25519 sign never && "
		 "gpg --homedir other --batch --yes --clearsign -o www/dists/bookworm/InRelease www/dists/bookworm/Release; "
		 "gpgconf --homedir other --kill gpg-agent");
	must_refuse(false, ERR_INTEGRITY, "is not signed by a key of", "debian-archive-keyring");
}

/* Signed by two keys of which one is known: an archive changes its keys so. */
static void test_two_keys(void **state)
{
	(void)state;
	need_archive();
	must_run("gpg --homedir gnupg --batch --passphrase '' --quick-gen-key second@example.org ed25519 sign never && "
		 "gpg --homedir gnupg --batch --yes -u test@example.org -u second@example.org --clearsign -o www/dists/bookworm/InRelease "
		 "www/dists/bookworm/Release");
	must_read(false);
}

static void test_expired_key(void **state)
{
	(void)state;
	need_archive();
	must_run("mkdir -m 700 old && gpg --homedir old --batch --faked-system-time 20200101T000000 --passphrase '' --quick-gen-key o@example.org "
		 "ed25519 sign 1y && gpg --homedir old --batch --yes --faked-system-time 20200601T000000 --clearsign "
		 "-o www/dists/bookworm/InRelease www/dists/bookworm/Release && gpg --homedir old --export >keys.gpg; "
		 "gpgconf --homedir old --kill gpg-agent");
	must_refuse(false, ERR_INTEGRITY, "by a key that has expired", "keyring");
}

static void test_keyrings(void **state)
{
	(void)state;
	need_archive();
	free(fixture.archive.suites[0].keyring);
	fixture.archive.suites[0].keyring = mem_printf("%s/keys.asc", tempdir); /* armoured */
	must_read(true);
	free(fixture.archive.suites[0].keyring);
	fixture.archive.suites[0].keyring = mem_printf("%s/nothing.gpg", tempdir);
	must_refuse(true, ERR_NOT_FOUND, "nothing.gpg", "install the package debian-archive-keyring, or name a file of keys as keyring in [debian]");
	free(fixture.archive.suites[0].keyring);
	fixture.archive.suites[0].keyring = mem_printf("%s/www/dists/bookworm/Release", tempdir);
	must_refuse(true, ERR_CONFIG, "has no OpenPGP keys in it", "");
}

static void test_no_gpgv(void **state)
{
	cleanup_free char *path = mem_strdup(getenv("PATH"));

	(void)state;
	need_archive();
	setenv("PATH", tempdir, 1);
	must_refuse(false, ERR_NOT_FOUND, "can't start gpgv", "install the package gpgv");
	setenv("PATH", path, 1);
}

static void test_another_suite(void **state)
{
	(void)state;
	need_archive();
	must_run("cp www/dists/bookworm-security/InRelease www/dists/bookworm/InRelease");
	must_refuse(false, ERR_INTEGRITY, "is of another suite: 'bookworm-security'", "another one");
}

static void test_expiry(void **state)
{
	struct debian_indexes i;
	struct err e;

	(void)state;
	need_archive();
	fixture.valid_until = time(NULL) - 3600;
	make_suite("bookworm", "bookworm", "pool/main/alpha*");
	must_refuse(false, ERR_INTEGRITY, "was valid until", "ignore-expiry = yes");
	fixture.user.debian.ignore_expiry = true;
	assert_int_equal(read_indexes(false, &i, &e), 0);
	assert_int_equal(i.warnings.count, 1);
	assert_non_null(strstr(i.warnings.items[0], "was valid until"));
	debian_indexes_release(&i);
	fixture.user.debian.ignore_expiry = false;
	fixture.context.ignore_expiry = true;
	must_read(true);
	fixture.context.ignore_expiry = false;
	must_refuse(true, ERR_INTEGRITY, "was valid until", "");
	fixture.context.offline = true; /* nobody could have a newer one: said, not refused */
	must_read(false);
	fixture.context.offline = false;
	/* What lies in the cache, asked for this hour, is over: then the mirror is asked again. */
	fixture.valid_until = time(NULL) + 3600;
	make_suite("bookworm", "bookworm", "pool/main/alpha*");
	must_read(false);
}

static void test_downgrade(void **state)
{
	(void)state;
	need_archive();
	must_run("cp www/dists/bookworm/InRelease old-release");
	must_read(false);
	fixture.date += 3600;
	make_deb("delta", "4", "");
	make_suite("bookworm", "bookworm", "pool/main/alpha* pool/main/delta*");
	must_read(true);
	must_run("cp old-release www/dists/bookworm/InRelease");
	must_refuse(true, ERR_INTEGRITY, "older than the one seen before", "somebody replays old answers");
	/* Also when it would only be asked for because its hour is over. */
	must_run("touch -d '2 hours ago' cache/debian/releases/*");
	must_refuse(false, ERR_INTEGRITY, "older than the one seen before", "To go back on purpose: rm -r ");
	must_run("rm -r cache");
	must_refuse(false, ERR_INTEGRITY, "can't be used", ""); /* trusted on first use; its index is not there any more */
}

static void test_changed_index(void **state)
{
	(void)state;
	need_archive();
	fixture.change = "dists/bookworm/main";
	must_refuse(false, ERR_INTEGRITY, "its sha256 is", "try again in some minutes");
	fixture.change = "/by-hash/"; /* the plain name is still good */
	must_read(false);
}

static void test_by_hash(void **state)
{
	(void)state;
	need_archive();
	fixture.hide = "by-hash"; /* plain names serve as well */
	must_read(false);
	must_run("rm -r cache");
	fixture.hide = "Packages."; /* only by hash */
	must_read(false);
	must_run("rm -r cache");
	fixture.by_hash = false;
	make_suite("bookworm", "bookworm", "pool/main/alpha*");
	must_refuse(false, ERR_INTEGRITY, "can't be used", "");
	fixture.hide = NULL;
	must_read(false);
}

static void test_renewed_mirror(void **state)
{
	(void)state;
	need_archive();
	must_read(false);
	/* While the release in the cache counts as fresh, its index was deleted here and there. */
	must_run("rm cache/debian/packages/*");
	fixture.date += 60;
	make_deb("delta", "4", "");
	make_suite("bookworm", "bookworm", "pool/main/alpha* pool/main/delta*");
	must_read(false);
}

/* The same when there was something to warn of the first time: it is said once. */
static void test_renewed_mirror_with_a_warning(void **state)
{
	struct debian_indexes i;
	struct err e;

	(void)state;
	need_archive();
	fixture.context.ignore_expiry = true;
	fixture.valid_until = time(NULL) - 3600;
	make_suite("bookworm", "bookworm", "pool/main/alpha*");
	must_read(false);
	must_run("rm cache/debian/packages/*");
	fixture.date += 60;
	make_suite("bookworm", "bookworm", "pool/main/alpha* pool/main/beta*");
	assert_int_equal(read_indexes(false, &i, &e), 0);
	assert_int_equal(i.warnings.count, 1);
	debian_indexes_release(&i);
}

static void test_damaged_cache(void **state)
{
	(void)state;
	need_archive();
	must_read(false);
	must_run("for f in cache/debian/packages/* cache/debian/releases/*; do echo x >$f; done");
	must_read(false);
	must_run("for f in cache/debian/packages/* cache/debian/releases/*; do : >$f; done");
	must_read(false);
	must_run("touch -d '20 days ago' cache/debian/packages/zzz cache/debian/packages/.9-9 && touch cache/debian/packages/new");
	must_read(false);
	must_run("[ ! -e cache/debian/packages/zzz ] && [ ! -e cache/debian/packages/.9-9 ] && [ -e cache/debian/packages/new ]");
}

static void test_missing(void **state)
{
	struct debian_indexes i;
	struct err e;

	(void)state;
	need_archive();
	fixture.hide = "dists/bookworm-security";
	must_refuse(false, ERR_NOT_FOUND, "has no suite bookworm-security", "security = ADDRESS");
	fixture.hide = "dists/bookworm/";
	must_refuse(true, ERR_NOT_FOUND, "/dists/bookworm/InRelease is not there (HTTP status 404)", "an archive of old ones");
	must_refuse(true, ERR_NOT_FOUND, "has no suite bookworm: http://127.0.0.1:", "has a path, most often /debian: mirror = http://127.0.0.1:");
	fixture.hide = NULL;
	fixture.fail = "dists/";
	must_refuse(true, ERR_NETWORK, "can't read the index of bookworm", "");
	fixture.fail = NULL;
	strlist_add(&fixture.archive.suites[0].components, "contirb");
	must_refuse(true, ERR_CONFIG, "bookworm has no component 'contirb'", "it has: main");
	e = ERR_INIT;
	assert_int_equal(debian_indexes_read(&fixture.context, &fixture.archive, "armhf", false, &i, &e), -1);
	assert_string_equal(e.msg, "bookworm has no packages for armhf");
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_true(shell("[ -z \"$(find cache -name '.*' -type f)\" ]") == 0);
}

static void test_at_the_same_time(void **state)
{
	pid_t children[4];

	(void)state;
	need_archive();
	for (size_t k = 0; k < ARRAY_SIZE(children); k++) {
		children[k] = fork();
		if (children[k] == 0) {
			struct debian_context c = fixture.context;
			struct debian_indexes i;
			struct err e = ERR_INIT;

			c.http = http_new(NULL);
			_exit(debian_indexes_read(&c, &fixture.archive, "amd64", false, &i, &e) < 0);
		}
	}
	for (size_t k = 0; k < ARRAY_SIZE(children); k++) {
		int status;

		assert_int_equal(waitpid(children[k], &status, 0), children[k]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(fixture.asked, 5); /* three releases and the two indexes that are not empty */
}

static void test_files(void **state)
{
	(void)state;
	need_archive();
	for (size_t i = 0; i < fixture.archive.count; i++) {
		free(fixture.archive.suites[i].uri);
		fixture.archive.suites[i].uri = mem_printf(i == 1 ? "file://%s/www" : "file:%s/www", tempdir);
	}
	must_read(false);
	assert_int_equal(fixture.asked, 0);
	must_run("mv www/dists/bookworm-updates gone");
	must_refuse(true, ERR_NOT_FOUND, "has no suite bookworm-updates", "");
}

/* ---- which archive ---- */

static struct strlist main_only = { .items = (char *[]){ (char[]){ "main" }, NULL }, .count = 1 };

static void test_aliases(void **state)
{
	struct debian_archive a;
	struct err e = ERR_INIT;

	(void)state;
	need_archive();
	assert_int_equal(debian_archive_of_release(&fixture.user, "stable", &main_only, &a, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_non_null(strstr(e.hint, "such as debian = bookworm"));
	fixture.suite = "stable";
	make_suite("stable", "trixie", "pool/main/alpha*");
	debian_archive_name_alias(&fixture.context, "stable", &e);
	assert_string_equal(e.hint, "write debian = trixie, which is the codename of stable today");
	assert_int_equal(debian_archive_of_release(&fixture.user, "unstable", &main_only, &a, &e), -1);
	assert_non_null(strstr(e.hint, "debian = sid"));
	assert_int_equal(debian_archive_of_release(&fixture.user, "../x", &main_only, &a, &e), -1);
	assert_int_equal(debian_archive_of_release(&fixture.user, "bookworm-backports", &main_only, &a, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
}

static void expect_suites(const char *codename, const char *expected)
{
	struct debian_archive a;
	struct err e = ERR_INIT;
	cleanup_buf struct buf found = BUF_INIT;
	int root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = openat(tempfd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(root < 0 && fd >= 0);
	if (debian_archive_find(&(struct debian_root){ .fd = fd }, &fixture.user, codename, &main_only, &a, &e) < 0) {
		buf_addf(&found, "%s", e.msg);
	} else {
		for (size_t i = 0; i < a.count; i++)
			buf_addf(&found, "%s%s %s", i ? ", " : "", a.suites[i].uri, a.suites[i].suite);
		debian_archive_release(&a);
	}
	close(fd);
	assert_string_equal(found.data, expected);
}

static void test_mirrors(void **state)
{
	(void)state;
	tempdir_write("keys.gpg", "\x99");
	user_config_init(&fixture.user);
	fixture.user.debian.keyring = mem_printf("%s/keys.gpg", tempdir);
	must_run("mkdir -p root/etc/apt/sources.list.d");
	expect_suites("bookworm", "apt on this machine names no mirror of Debian");
	/* What others call bookworm too is not Debian's. */
	tempdir_write("root/etc/apt/sources.list.d/a.list",
		      "deb [arch=amd64 signed-by=/usr/share/keyrings/tools.gpg] https://apt.example.org bookworm main\n"
		      "deb http://other.example.org/ubuntu jammy main\ndeb cdrom:[Debian 12 _Bookworm_]/ bookworm main\n"
		      "# deb http://commented.example.org/debian bookworm main\ndeb-src http://src.example.org/debian bookworm main\n");
	expect_suites("bookworm", "apt on this machine names no mirror of Debian");
	tempdir_write("root/etc/apt/sources.list", "deb http://mirror.example.org/debian/ bullseye main contrib # ours\n"
						   "deb http://mirror.example.org/sec/debian-security bullseye-security main\n");
	expect_suites("trixie", "http://mirror.example.org/debian trixie, http://mirror.example.org/debian trixie-updates, "
				"http://mirror.example.org/sec/debian-security trixie-security");
	expect_suites("sid", "http://mirror.example.org/debian sid");
	expect_suites("buster", "http://mirror.example.org/debian buster, http://mirror.example.org/debian buster-updates, "
				"http://mirror.example.org/sec/debian-security buster/updates");
	/* One with Debian's own keys is surer than one that has only the right name; a disabled one does not count. */
	tempdir_write("root/etc/apt/sources.list.d/z.sources",
		      "Types: deb deb-src\nURIs: https://sure.example.org/mirror\nSuites: bookworm bookworm-updates\nComponents: main\n"
		      "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\nEnabled: no\nTypes: deb\nURIs: http://no/debian\n"
		      "Suites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n");
	expect_suites("sid", "https://sure.example.org/mirror sid");
	must_run("rm root/etc/apt/sources.list root/etc/apt/sources.list.d/*; mkdir root/etc/apt/mirrors");
	tempdir_write("root/etc/apt/mirrors/debian.list", "# best first\nhttps://list.example.org/debian/ priority:1\n");
	tempdir_write("root/etc/apt/sources.list.d/x.sources", "Types: deb\nURIs: mirror+file:/etc/apt/mirrors/debian.list\n"
							       "Suites: trixie\nComponents: main\n");
	tempdir_write("root/etc/apt/sources.list.d/old.list.save", "deb http://never.example.org/debian trixie main\n");
	expect_suites("bookworm", "https://list.example.org/debian bookworm, https://list.example.org/debian bookworm-updates, "
				  "https://list.example.org/debian-security bookworm-security");
	/* Links lead within the root that is read. */
	must_run("rm root/etc/apt/sources.list.d/*; ln -s /etc/real.list root/etc/apt/sources.list");
	tempdir_write("root/etc/real.list", "deb http://linked.example.org/debian bookworm main\n");
	expect_suites("sid", "http://linked.example.org/debian sid");
	fixture.user.debian.mirror = mem_strdup("file:/srv/debian");
	expect_suites("bookworm", "file:/srv/debian bookworm, file:/srv/debian bookworm-updates, file:/srv/debian-security bookworm-security");
	fixture.user.debian.security = mem_strdup("http://s.example.org");
	expect_suites("bookworm", "file:/srv/debian bookworm, file:/srv/debian bookworm-updates, http://s.example.org bookworm-security");
	user_config_release(&fixture.user);
}

static int of_root(struct debian_archive *a, struct err *e)
{
	cleanup_free char *directory = mem_printf("%s/image-keys", tempdir);
	cleanup_close int fd = openat(tempfd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*e = ERR_INIT;
	return debian_archive_of_root(&fixture.user, &(struct debian_root){ .fd = fd }, directory, a, e);
}

static void test_images(void **state)
{
	struct debian_archive a;
	struct err e;

	(void)state;
	user_config_init(&fixture.user);
	must_run("mkdir -p root/etc/apt/sources.list.d root/etc/apt/trusted.gpg.d root/lib/apk/db root/var/lib/dpkg");
	tempdir_write("root/etc/os-release", "NAME=x\nPRETTY_NAME=\"Alpine Linux v3.20\"\n");
	assert_int_equal(of_root(&a, &e), -1);
	assert_string_equal(e.msg, "Alpine Linux v3.20 has no dpkg, so no packages can be added to it");
	tempdir_write("root/lib/apk/db/installed", "");
	assert_int_equal(of_root(&a, &e), -1);
	assert_string_equal(e.msg, "Alpine Linux v3.20 has its packages from apk, which is not supported yet");
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	tempdir_write("root/var/lib/dpkg/status", "");
	assert_int_equal(of_root(&a, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	tempdir_write("root/etc/apt/sources.list", "deb http://u.example.org/ubuntu jammy main universe\n"
						   "deb http://u.example.org/ubuntu jammy-updates main\ndeb http://u.example.org/ubuntu jammy restricted\n"
						   "deb http://flat.example.org/repo /\ndeb file:/etc jammy main\n");
	assert_int_equal(of_root(&a, &e), -1);
	assert_string_equal(e.msg, "the image has no keys for jammy from u.example.org");
	tempdir_write("root/etc/apt/trusted.gpg.d/u.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: x\n\nmQINBA==\n=abcd\n"
							  "-----END PGP PUBLIC KEY BLOCK-----\n");
	assert_int_equal(of_root(&a, &e), 0);
	assert_int_equal(a.count, 3);
	assert_int_equal(a.suites[0].components.count, 3);
	assert_string_equal(a.suites[0].keyring, a.suites[1].keyring);
	assert_string_equal(a.suites[2].uri, "http://flat.example.org/repo");
	assert_string_equal(a.suites[2].directory, ".");
	assert_true(a.suites[2].flat && !a.suites[0].flat);
	assert_int_equal(a.warnings.count, 1);
	assert_non_null(strstr(a.warnings.items[0], "a directory of the image"));
	must_run("[ \"$(od -An -tx1 image-keys/keys-0.gpg)\" = ' 99 02 0d 04' ]");
	debian_archive_release(&a);
	/* Of an image of Debian the user's mirror is asked, and its own for what is not Debian's. */
	tempdir_write("root/etc/apt/sources.list",
		      "deb http://d.example.org/debian bookworm main\ndeb http://d.example.org/debian-security bookworm-security main\n"
		      "deb [arch=amd64,arm64 signed-by=/etc/apt/trusted.gpg.d/u.asc] http://pg.example.org/apt bookworm-pgdg main\n");
	fixture.user.debian.mirror = mem_strdup("http://mine.example.org/debian");
	fixture.user.debian.keyring = mem_strdup("/my/keys.gpg");
	assert_int_equal(of_root(&a, &e), 0);
	assert_int_equal(a.count, 3);
	assert_string_equal(a.suites[0].uri, "http://mine.example.org/debian");
	assert_string_equal(a.suites[0].keyring, "/my/keys.gpg");
	assert_string_equal(a.suites[1].uri, "http://mine.example.org/debian-security");
	assert_string_equal(a.suites[2].uri, "http://pg.example.org/apt");
	assert_int_equal(a.suites[2].architectures.count, 2);
	debian_archive_release(&a);
	user_config_release(&fixture.user);
}

/* ---- the archive that apt on this machine uses ---- */

static void test_this_machine(void **state)
{
	struct user_config user;
	struct debian_archive a = { 0 };
	struct debian_indexes i;
	struct err e = ERR_INIT;
	cleanup_free char *cache = mem_printf("%s/cache", tempdir);
	struct debian_context c = { .user = &user, .cache = cache, .http = http_new(&(struct http_settings){ .tries = 2 }) };
	size_t bytes = 0;

	(void)state;
	user_config_init(&user);
	if (debian_archive_of_release(&user, "trixie", &main_only, &a, &e) < 0 ||
	    debian_indexes_read(&c, &a, "arm64", false, &i, &e) < 0) {
		http_free(c.http);
		debian_archive_release(&a);
		if (e.code != ERR_NETWORK && e.code != ERR_NOT_FOUND)
			fail_msg("%s", e.msg);
		print_message("skipped: %s\n", e.msg);
		skip();
	}
	for (size_t k = 0; k < i.count; k++)
		bytes += i.texts[k].len;
	assert_true(bytes > 10 << 20);
	debian_indexes_release(&i);
	debian_archive_release(&a);
	http_free(c.http);
}

static void test_architectures(void **state)
{
	(void)state;
	assert_string_equal(debian_arch("linux/amd64"), "amd64");
	assert_string_equal(debian_arch("linux/arm64/v8"), "arm64");
	assert_string_equal(debian_arch("linux/arm/v7"), "armhf");
	assert_null(debian_arch("linux/arm/v6"));
	assert_null(debian_arch("windows/amd64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_reads),
		fixture_test(test_an_hour_later),
		fixture_test(test_offline_without_a_cache),
		fixture_test(test_changed_release),
		fixture_test(test_text_around_the_signed),
		fixture_test(test_another_key),
		fixture_test(test_two_keys),
		fixture_test(test_expired_key),
		fixture_test(test_keyrings),
		fixture_test(test_no_gpgv),
		fixture_test(test_another_suite),
		fixture_test(test_expiry),
		fixture_test(test_downgrade),
		fixture_test(test_changed_index),
		fixture_test(test_by_hash),
		fixture_test(test_renewed_mirror),
		fixture_test(test_renewed_mirror_with_a_warning),
		fixture_test(test_damaged_cache),
		fixture_test(test_missing),
		fixture_test(test_at_the_same_time),
		fixture_test(test_files),
		fixture_test(test_aliases),
		tempdir_test(test_mirrors),
		tempdir_test(test_images),
		tempdir_test(test_this_machine),
		cmocka_unit_test(test_architectures),
	};

	return cmocka_run_group_tests_name("source_debian_archive", tests, NULL, NULL);
}
