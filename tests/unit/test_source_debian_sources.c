/* SPDX-License-Identifier: Apache-2.0 */
/* test_source_debian_sources.c - apt's lists of archives in both formats, and what a Release file says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "source/debian_release.h"
#include "source/debian_sources.h"

/* What is read, a source a line: "URI SUITE COMPONENT... [ARCHITECTURE...] <KEYRING...>". */
static void expect(const char *name, const char *text, const char *expected)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct debian_sources s = { 0 };

	debian_sources_parse(name, text, strlen(text), &s);
	for (size_t i = 0; i < s.count; i++) {
		const struct debian_source *x = &s.items[i];

		buf_addf(&b, "%s %s%s", x->uri, x->suite, x->flat ? "/" : "");
		for (size_t k = 0; k < x->components.count; k++)
			buf_addf(&b, " %s", x->components.items[k]);
		for (size_t k = 0; k < x->architectures.count; k++)
			buf_addf(&b, " [%s]", x->architectures.items[k]);
		for (size_t k = 0; k < x->signed_by.count; k++)
			buf_addf(&b, " <%s>", x->signed_by.items[k]);
		buf_addf(&b, "%s%s\n", x->key ? " key " : "", x->key ? x->key : "");
	}
	debian_sources_release(&s);
	debian_sources_release(&s);
	assert_string_equal(b.data, expected);
}

static void test_lines(void **state)
{
	(void)state;
	expect("sources.list", "deb http://m/debian bookworm main\n", "http://m/debian bookworm main\n");
	expect("sources.list", "deb\thttp://m/debian/  bookworm   main contrib # and more", "http://m/debian bookworm main contrib\n");
	expect("sources.list", "#deb http://m bookworm main\n\n  deb http://m x main\ndeb-src http://m y main\ndebs http://m z main\n",
	       "http://m x main\n");
	expect("sources.list", "deb [arch=amd64,arm64 signed-by=/k/a.gpg,/k/b.gpg trusted=yes] http://m x main\n",
	       "http://m x main [amd64] [arm64] </k/a.gpg> </k/b.gpg>\n");
	expect("sources.list", "deb [ arch=amd64 lang=de ] http://m x main\n", "http://m x main [amd64]\n");
	expect("sources.list", "deb [arch+=i386] http://m x main\n", "http://m x main\n");
	expect("sources.list", "deb [signed-by=0123ABCD] http://m x main\r\n", "http://m x main <0123ABCD>\n");
	expect("sources.list", "deb http://m/repo ./\ndeb http://m/flat /\n", "http://m/repo ./\nhttp://m/flat //\n");
	expect("sources.list", "deb http://m/debian-security buster/updates main\n", "http://m/debian-security buster/updates main\n");
	/* Not whole. */
	expect("sources.list", "deb\ndeb http://m\ndeb http://m bookworm\ndeb [arch=amd64\ndeb m bookworm main\ndeb http://m x/ main\n", "");
	expect("sources.list", "deb cdrom:[Debian GNU/Linux 12 _Bookworm_]/ bookworm main\n", "");
}

static void test_paragraphs(void **state)
{
	(void)state;
	expect("debian.sources",
	       "Types: deb\n# a comment\nURIs: http://m/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"
	       "Signed-By: /k.gpg\n\nTypes: deb\nURIs: http://m/debian-security/\nSuites: bookworm-security\nComponents: main\n",
	       "http://m/debian bookworm main </k.gpg>\nhttp://m/debian bookworm-updates main </k.gpg>\n"
	       "http://m/debian-security bookworm-security main\n");
	expect("x.sources", "types: deb deb-src\nuris: http://a http://b\nsuites:\n x\n y\ncomponents: main\n contrib\nArchitectures: amd64\n",
	       "http://a x main contrib [amd64]\nhttp://a y main contrib [amd64]\nhttp://b x main contrib [amd64]\n"
	       "http://b y main contrib [amd64]\n");
	expect("x.sources", "Enabled: no\nTypes: deb\nURIs: http://a\nSuites: x\nComponents: main\n", "");
	expect("x.sources", "Types: deb\nURIs: http://a\nSuites: x\nComponents: main\nEnabled: yes\n", "http://a x main\n");
	expect("x.sources", "Types: deb-src\nURIs: http://a\nSuites: x\nComponents: main\n", "");
	expect("x.sources", "Types: deb\nURIs: http://a\nSuites: x/\n", "http://a x/\n");
	expect("x.sources", "Types: deb\nURIs: http://a\nSuites: x\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ\n"
			    " -----END PGP PUBLIC KEY BLOCK-----\n",
	       "http://a x main key -----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ\n-----END PGP PUBLIC KEY BLOCK-----\n\n");
	/* The one format is not the other. */
	expect("x.sources", "deb http://m/debian bookworm main\n", "");
	expect("x.list", "Types: deb\nURIs: http://a\nSuites: x\nComponents: main\n", "");
	expect("x.sources", "", "");
	expect("x.sources", "\n\n \n:\n", "");
}

static void add_times(struct buf *b, const char *what, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_adds(b, what);
	buf_adds(b, "\n");
}

/* What a few hundred kilobytes can ask for would take more memory than there is. */
static void bomb(const char *name, size_t uris, size_t suites, size_t components, bool many)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct debian_sources s = { 0 };

	buf_adds(&b, "Types: deb\nURIs:");
	add_times(&b, " http://a", uris);
	buf_adds(&b, "Suites:");
	add_times(&b, " x", suites);
	buf_adds(&b, "Components:");
	add_times(&b, " main", components);
	debian_sources_parse(name, b.data, b.len, &s);
	assert_int_equal(s.too_many, many);
	assert_int_equal(s.count, many ? 0 : uris * suites);
	debian_sources_release(&s);
}

static void test_bombs(void **state)
{
	cleanup_buf struct buf lines = BUF_INIT;
	struct debian_sources s = { 0 };

	(void)state;
	bomb("x.sources", 20, 20, 5, false);
	bomb("x.sources", 3000, 3000, 1, true);
	bomb("x.sources", 200, 200, 3000, true);
	bomb("x.sources", 1, 4000, 4000, true);
	for (size_t i = 0; i < 200000; i++)
		buf_adds(&lines, "deb http://a x main\n");
	debian_sources_parse("sources.list", lines.data, lines.len, &s);
	assert_true(s.too_many);
	assert_true(s.count > 1000 && s.count < 100000);
	debian_sources_release(&s);
}

static int64_t time_of(const char *text)
{
	return debian_release_time(DEBIAN_TEXT(text));
}

static void test_times(void **state)
{
	(void)state;
	assert_int_equal(time_of("Thu, 01 Jan 1970 00:00:01 UTC"), 1);
	assert_int_equal(time_of("Sat, 12 Sep 2026 07:55:41 UTC"), 1789199741);
	assert_int_equal(time_of("Sun, 1 Mar 2020 9:05:00 GMT"), 1583053500);
	assert_int_equal(time_of("Sun, 01 Mar 2020 09:05:00 +0000"), 1583053500);
	assert_int_equal(time_of("Sun, 01 Mar 2020 09:05:00 +0200"), -1);
	assert_int_equal(time_of("Sun, 01 Mar 2020 09:05:00"), -1);
	assert_int_equal(time_of("Sun, 32 Mar 2020 09:05:00 UTC"), -1);
	assert_int_equal(time_of("Sun, 01 Mai 2020 09:05:00 UTC"), -1);
	assert_int_equal(time_of("Sun, 01 Mar 2020 24:05:00 UTC"), -1);
	assert_int_equal(time_of("Sun, 01 Mar 2020 0905:00 UTC"), -1);
	assert_int_equal(time_of("Sun, 01 Mar 99999 09:05:00 UTC"), -1);
	assert_int_equal(time_of("Sun, 01 Mar 2020 09:05:00 UTC x"), -1);
	assert_int_equal(time_of(""), -1);
}

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void test_release(void **state)
{
	static const char text[] =
		"Origin: Debian\nLabel: Debian\nSuite: oldstable\nCodename: bookworm\nDate: Sat, 12 Sep 2026 07:55:41 UTC\n"
		"Acquire-By-Hash: yes\nNo-Support-for-Architecture-all: Packages\nArchitectures: all amd64 arm64\nComponents: main contrib\n"
		"MD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 0 main/binary-amd64/Packages\n"
		"SHA256:\n " HASH " 12 main/binary-amd64/Packages.xz\n " HASH "  7 main/binary-amd64/Packages.gz\n"
		" E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855 1 upper\n " HASH " -1 negative\n " HASH " 1 a b\n";
	struct debian_index_file f;
	struct debian_release r;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(debian_release_parse(DEBIAN_TEXT(text), &r, &e), 0);
	assert_true(debian_text_is(r.suite, "oldstable") && debian_text_is(r.codename, "bookworm") && r.by_hash && !r.all_apart);
	assert_int_equal(r.date, 1789199741);
	assert_int_equal(r.valid_until, 0);
	assert_int_equal(r.components.count, 2);
	assert_true(debian_release_find(&r, "main/binary-amd64/Packages.xz", &f));
	assert_int_equal(f.size, 12);
	assert_string_equal(f.sha256, HASH);
	assert_true(debian_release_find(&r, "main/binary-amd64/Packages.gz", &f));
	assert_false(debian_release_find(&r, "main/binary-amd64/Packages", &f)); /* only by MD5 */
	assert_false(debian_release_find(&r, "upper", &f));
	assert_false(debian_release_find(&r, "negative", &f));
	assert_false(debian_release_find(&r, "a", &f));
	assert_true(debian_release_is_of(&r, "bookworm"));
	assert_true(debian_release_is_of(&r, "oldstable"));
	assert_false(debian_release_is_of(&r, "trixie"));
	assert_false(debian_release_is_of(&r, "bookworm-updates"));
	assert_false(debian_release_is_of(&r, "bookworm/updates"));
	debian_release_release(&r);
}

static void must_fail(const char *text, const char *message)
{
	struct debian_release r;
	struct err e = ERR_INIT;

	assert_int_equal(debian_release_parse(DEBIAN_TEXT(text), &r, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_INTEGRITY);
}

static void test_bad_releases(void **state)
{
	struct debian_release r;
	struct err e = ERR_INIT;

	(void)state;
	must_fail("", "it is empty");
	must_fail("Suite: x\nSHA256:\n", "it has no date that can be read");
	must_fail("Date: yesterday\nSHA256:\n", "it has no date that can be read");
	must_fail("Date: Sat, 12 Sep 2026 07:55:41 UTC\nMD5Sum:\n a 1 b\n", "it has no SHA256 of its indexes");
	must_fail("Date: Sat, 12 Sep 2026 07:55:41 UTC\nValid-Until: never\nSHA256:\n", "its Valid-Until can't be read");
	/* Security suites as they were named before bullseye. */
	assert_int_equal(debian_release_parse(DEBIAN_TEXT("Label: Debian-Security\nSuite: oldoldstable\nCodename: buster\n"
							  "Date: Sat, 12 Sep 2026 07:55:41 UTC\nSHA256:\n"), &r, &e), 0);
	assert_true(debian_release_is_of(&r, "buster/updates"));
	assert_false(debian_release_is_of(&r, "stretch/updates"));
	debian_release_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_paragraphs),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_bad_releases),
	};

	return cmocka_run_group_tests_name("source_debian_sources", tests, NULL, NULL);
}
