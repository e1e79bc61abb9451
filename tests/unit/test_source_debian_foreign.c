/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_source_debian_foreign.c - archives as an image's sources name them: flat ones, of the old form, with keys and fingerprints of
 * their own, and with all that apt lets through and nothing here does.
 */
#include "unit/debian_fixture.h"

#include <fcntl.h>

#include "base/text.h"
#include "source/debian_archive_internal.h"

/* www/flat: a Packages with everything beside its Release, signed in both forms. */
static void make_flat(void)
{
	cleanup_buf struct buf release = BUF_INIT, packages = BUF_INIT;
	char digest[DIGEST_MAX];

	must_run("mkdir -p www/flat && cp www/pool/main/alpha_1.0_amd64.deb www/flat && cd www && dpkg-scanpackages flat 2>/dev/null | "
		 "sed 's,^Filename: flat/,Filename: ./,' >flat/Packages");
	read_text("www/flat/Packages", &packages);
	digest_bytes(packages.data, packages.len, digest);
	buf_adds(&release, "Origin: somebody\nCodename: deb\n");
	add_date(&release, "Date", fixture.date);
	if (fixture.valid_until)
		add_date(&release, "Valid-Until", fixture.valid_until);
	buf_addf(&release, "SHA256:\n %s %zu Packages\n", digest_hex(digest), packages.len);
	tempdir_write("www/flat/Release", release.data);
	must_run("gpg --homedir gnupg --batch --yes --clearsign -o www/flat/InRelease www/flat/Release && "
		 "gpg --homedir gnupg --batch --yes --armor --detach-sign -o www/flat/Release.gpg www/flat/Release");
}

static int foreign_setup(void **state)
{
	fixture_setup(state);
	if (!fixture.server)
		return 0;
	make_flat();
	must_run("mkdir -p root/etc/apt/sources.list.d root/etc/apt/trusted.gpg.d root/var/lib/dpkg root/usr/share/keyrings && "
		 ": >root/var/lib/dpkg/status && cp keys.gpg root/usr/share/keyrings/k.gpg");
	debian_archive_release(&fixture.archive);
	free(mem_steal(fixture.user.debian.mirror));
	free(mem_steal(fixture.user.debian.security));
	return 0;
}

/* Read the image's sources: "%" in them is the server's address. */
static int open_sources(const char *name, const char *text, struct err *e)
{
	cleanup_free char *directory = mem_printf("%s/image-keys", tempdir), *path = mem_printf("root/etc/apt/sources.list.d/%s", name);
	cleanup_close int fd = openat(tempfd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_buf struct buf b = BUF_INIT;

	for (; *text; text++)
		if (*text == '%')
			buf_adds(&b, fault_server_url(fixture.server));
		else
			buf_addch(&b, *text);
	must_run("rm -rf root/etc/apt/sources.list.d/* image-keys");
	tempdir_write(path, b.data);
	debian_archive_release(&fixture.archive);
	*e = ERR_INIT;
	return debian_archive_of_root(&fixture.user, &(struct debian_root){ .fd = fd }, directory, &fixture.archive, e);
}

/* The names of all packages that the indexes have, each with a blank behind it. */
static void expect_packages(const char *name, const char *text, const char *expected)
{
	struct debian_text rest, stanza, value;
	struct debian_indexes i;
	struct buf b = BUF_INIT;
	struct err e;

	if (open_sources(name, text, &e) < 0 || debian_indexes_read(&fixture.context, &fixture.archive, "amd64", true, &i, &e) < 0)
		fail_msg("%s [%s]", e.msg, e.hint);
	for (size_t k = 0; k < i.count; k++)
		for (rest = i.texts[k]; debian_control_next(&rest, &stanza);)
			if (debian_control_field(stanza, "Package", &value))
				buf_addf(&b, "%.*s ", (int)value.len, value.at);
	assert_string_equal(b.len ? b.data : "", expected);
	buf_release(&b);
	debian_indexes_release(&i);
}

static void must_refuse(const char *name, const char *text, const char *message)
{
	struct debian_indexes i;
	struct err e;

	assert_int_equal(open_sources(name, text, &e), 0);
	assert_int_equal(debian_indexes_read(&fixture.context, &fixture.archive, "amd64", true, &i, &e), -1);
	if (e.code != ERR_INTEGRITY || !strstr(e.msg, message))
		fail_msg("%s: %s [%s]", err_code_name(e.code), e.msg, e.hint);
}

/* Nothing of it is used, and why is said. */
static void must_leave_out(const char *line, const char *why)
{
	cleanup_free char *text = mem_printf("%s\ndeb [signed-by=/usr/share/keyrings/k.gpg] %% bookworm main\n", line);
	struct err e;

	if (open_sources("x.list", text, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(fixture.archive.count, 1);
	assert_int_equal(fixture.archive.warnings.count, 1);
	if (!strstr(fixture.archive.warnings.items[0], why))
		fail_msg("%s", fixture.archive.warnings.items[0]);
	assert_null(strstr(fixture.archive.warnings.items[0], "secret"));
}

#define KEY "signed-by=/usr/share/keyrings/k.gpg"

static void test_flat(void **state)
{
	(void)state;
	need_archive();
	expect_packages("x.list", "deb [" KEY "] %/flat ./\n", "alpha ");
	expect_packages("x.list", "deb [" KEY "] %/flat /\n", "alpha ");
	expect_packages("x.list", "deb [" KEY "] % flat/\n", "alpha ");
	expect_packages("x.list", "deb [" KEY "] % ./flat/\n", "alpha ");
	expect_packages("x.sources", "Types: deb\nURIs: %/flat\nSuites: ./\nSigned-By: /usr/share/keyrings/k.gpg\n", "alpha ");
	expect_packages("x.sources", "Types: deb\nURIs: %/flat/\nSuites: /\nSigned-By: /usr/share/keyrings/k.gpg\n", "alpha ");
	assert_true(fixture.archive.suites[0].flat);
	assert_string_equal(fixture.archive.suites[0].suite, "flat");
	fixture.change = "flat/Packages";
	must_run("rm -r cache");
	must_refuse("x.list", "deb [" KEY "] %/flat ./\n", "can't be used");
	fixture.change = NULL;
	must_run("sed -i 's/ Packages$/ Sources/' www/flat/Release && "
		 "gpg --homedir gnupg --batch --yes --clearsign -o www/flat/InRelease www/flat/Release");
	must_refuse("x.list", "deb [" KEY "] %/flat ./\n", "names no Packages");
}

static void test_release_and_its_signature(void **state)
{
	static const char source[] = "deb [" KEY "] %/flat ./\n";

	(void)state;
	need_archive();
	must_run("rm www/flat/InRelease");
	expect_packages("x.list", source, "alpha ");
	/* From the cache it is verified like what came. */
	fixture.context.offline = true;
	expect_packages("x.list", source, "alpha ");
	must_run("sed -i 's/somebody/elsebody/' cache/debian/releases/flat-*");
	assert_int_equal(open_sources("x.list", source, &(struct err){ 0 }), 0);
	fixture.context.offline = false;
	expect_packages("x.list", source, "alpha ");
	must_run("sed -i 's/somebody/elsebody/' www/flat/Release");
	must_refuse("x.list", source, "has a bad signature");
	must_run("sed -i 's/elsebody/somebody/' www/flat/Release && echo 'Codename: evil' >>www/flat/Release");
	must_refuse("x.list", source, "has a bad signature");
	must_run("rm www/flat/Release.gpg");
	must_refuse("x.list", source, "is not signed: there is neither InRelease nor Release.gpg");
	must_run("echo nothing >www/flat/Release.gpg");
	must_refuse("x.list", source, "is not a signed message");
}

static void test_unsigned(void **state)
{
	(void)state;
	need_archive();
	must_leave_out("deb [trusted=yes] % bookworm main", "it says trusted=yes or allow-insecure=yes");
	must_leave_out("deb [allow-insecure=yes] %/flat ./", "/flat ./ is left out: it says trusted=yes or allow-insecure=yes");
	must_leave_out("deb [trusted=no " KEY "] %/flat ./", "it says trusted=no");
	must_leave_out("deb [" KEY "] https://me:secret@m.example.org/apt x main", "source m.example.org/apt x is left out: its address has a login in it");
	must_leave_out("deb [" KEY "] cdrom:/x x main", "addresses of that kind");
	/* With keys it is like any other. */
	expect_packages("x.list", "deb [trusted=yes " KEY "] %/flat ./\n", "alpha ");
	must_run("rm -r cache; sed -i 's/somebody/elsebody/' www/flat/InRelease");
	must_refuse("x.list", "deb [trusted=yes " KEY "] %/flat ./\n", "has a bad signature");
	must_refuse("x.sources", "Types: deb\nURIs: %/flat\nSuites: ./\nTrusted: yes\nAllow-Insecure: yes\nAllow-Weak: yes\n"
				 "Signed-By: /usr/share/keyrings/k.gpg\n", "has a bad signature");
}

static void test_keys(void **state)
{
	cleanup_buf struct buf key = BUF_INIT, text = BUF_INIT, fingerprint = BUF_INIT;
	cleanup_free char *good = NULL, *exact = NULL, *other = NULL;

	(void)state;
	need_archive();
	/* Written into the file itself. */
	must_run("sed 's/^$/./; s/^/ /' keys.asc >key.field");
	read_text("key.field", &key);
	buf_addf(&text, "Types: deb deb-src\nURIs: %%/flat\nSuites: ./\nSigned-By:\n%s", key.data);
	expect_packages("x.sources", text.data, "alpha ");
	/* By fingerprint, of the keys that are trusted. */
	must_run("cp keys.gpg root/etc/apt/trusted.gpg.d && gpg --homedir gnupg --with-colons --list-keys | awk -F: '/^fpr/ { print $10 }' >fpr");
	read_text("fpr", &fingerprint);
	fingerprint.data[strcspn(fingerprint.data, "\n")] = '\0';
	good = mem_printf("deb [signed-by=%s] %%/flat ./\n", fingerprint.data);
	exact = mem_printf("deb [signed-by=/usr/share/keyrings/k.gpg,%s!] %%/flat ./\n", fingerprint.data);
	fingerprint.data[0] = fingerprint.data[0] == 'A' ? 'B' : 'A';
	other = mem_printf("deb [signed-by=%s] %%/flat ./\n", fingerprint.data);
	expect_packages("x.list", good, "alpha ");
	expect_packages("x.list", exact, "alpha ");
	must_run("rm -r cache");
	must_refuse("x.list", other, "by another key than its source names");
}

static void test_of_others(void **state)
{
	(void)state;
	need_archive();
	/* Not for us, and not wrong for that. */
	expect_packages("x.list", "deb [" KEY " arch=arm64] %/flat ./\ndeb [" KEY " arch=amd64] % bookworm-security main\n", "gamma ");
	expect_packages("x.sources",
			"Types: deb\nURIs: %/flat\nSuites: ./\nEnabled: no\n\nTypes: deb-src\nURIs: %/flat\nSuites: ./\n\n"
			"Types: deb\nURIs: %\nSuites: bookworm-security\nComponents: main\nArchitectures: amd64 arm64\n"
			"Signed-By: /usr/share/keyrings/k.gpg\nBy-Hash: force\n", "gamma ");
	fixture.suite = "tools";
	make_suite("tools", "tools", "pool/main/gamma*");
	expect_packages("x.list", "deb [" KEY "] % tools main extra\n", "gamma ");
	assert_true(fixture.archive.suites[0].foreign);
}

static void test_times(void **state)
{
	(void)state;
	need_archive();
	fixture.valid_until = time(NULL) - 3600;
	make_flat();
	must_refuse("x.list", "deb [" KEY "] %/flat ./\n", "was valid until");
	expect_packages("x.list", "deb [" KEY " check-valid-until=no] %/flat ./\n", "alpha ");
	fixture.valid_until = 0;
	fixture.date = time(NULL) + 7200;
	make_flat();
	must_run("rm -r cache");
	must_refuse("x.list", "deb [" KEY "] %/flat ./\n", "is yet to come: the clock here says");
	fixture.context.ignore_expiry = true;
	expect_packages("x.list", "deb [" KEY "] %/flat ./\n", "alpha ");
}

#define foreign_test(f) cmocka_unit_test_setup_teardown(f, foreign_setup, fixture_teardown)

/* A list that no one means is refused before it has used up the memory. */
static void test_too_many_sources(void **state)
{
	cleanup_buf struct buf b = BUF_INIT, keys = BUF_INIT;
	struct err e;

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		buf_adds(&b, "deb http://a.example x main\n");
	assert_int_equal(open_sources("x.list", b.data, &e), -1);
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_non_null(strstr(e.msg, "/etc/apt/sources.list.d/x.list has too many sources"));
	for (size_t i = 0; i < 101; i++)
		buf_addf(&keys, "deb [signed-by=/usr/share/keyrings/k.gpg,/%zu] %% bookworm main\n", i);
	assert_int_equal(open_sources("x.list", keys.data, &e), -1);
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_non_null(strstr(e.msg, "sets of keys"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		foreign_test(test_flat), foreign_test(test_release_and_its_signature), foreign_test(test_unsigned),
		foreign_test(test_keys), foreign_test(test_of_others), foreign_test(test_times),
		foreign_test(test_too_many_sources),
	};

	return cmocka_run_group_tests_name("source_debian_foreign", tests, NULL, NULL);
}
