/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what is known of an index for apt's policy, from a signed archive; and of where an image's preferences are read. */
#include "unit/debian_fixture.h"

#include "source/debian_archive_internal.h"

static void read_indexes(const struct debian_archive *a, bool again, struct debian_indexes *out)
{
	struct err e = ERR_INIT;

	if (debian_indexes_read(&fixture.context, a, "amd64", again, out, &e) < 0)
		fail_msg("%s", e.msg);
}

static void make_again(const char *fields)
{
	fixture.fields = fields;
	fixture.date++;
	make_suite("bookworm", "bookworm", "pool/main/alpha_1.0*");
}

static void test_origins(void **state)
{
	static const struct {
		const char *fields;
		int priority;
	} cases[] = {
		{ "Label: Some Label\nVersion: 12.5\n", 500 },
		{ "Label: Some Label\nVersion: 12.5\nNotAutomatic: yes\n", 1 },
		{ "Label: Some Label\nVersion: 12.5\nNotAutomatic: yes\nButAutomaticUpgrades: yes\n", 100 },
		{ "Label: Some Label\nVersion: 12.5\nButAutomaticUpgrades: yes\n", 500 },
	};

	(void)state;
	need_archive();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct debian_indexes x;

		make_again(cases[i].fields);
		read_indexes(&fixture.archive, true, &x);
		assert_int_equal(x.origins[0].priority, cases[i].priority);
		assert_string_equal(x.origins[0].archive, "oldstable");
		assert_string_equal(x.origins[0].codename, "bookworm");
		assert_string_equal(x.origins[0].origin, "Debian");
		assert_string_equal(x.origins[0].label, "Some Label");
		assert_string_equal(x.origins[0].version, "12.5");
		assert_string_equal(x.origins[0].component, "main");
		assert_string_equal(x.origins[0].site, "127.0.0.1");
		assert_null(x.origins[1].label);
		debian_indexes_release(&x);
	}
}

/* Was anything taken without asking? */
static void test_cached(void **state)
{
	struct debian_indexes x;

	(void)state;
	need_archive();
	read_indexes(&fixture.archive, false, &x);
	assert_false(x.cached);
	debian_indexes_release(&x);
	read_indexes(&fixture.archive, false, &x);
	assert_true(x.cached);
	debian_indexes_release(&x);
	read_indexes(&fixture.archive, true, &x);
	assert_false(x.cached);
	debian_indexes_release(&x);
}

static void test_components_beside(void **state)
{
	struct debian_archive rest;
	struct debian_indexes x;

	(void)state;
	need_archive();
	debian_archive_other_components(&fixture.context, &fixture.archive, &rest);
	assert_int_equal(rest.count, 0);
	fixture.components = "main contrib updates/extra";
	make_again("");
	must_run("rm -rf cache");
	read_indexes(&fixture.archive, false, &x);
	debian_indexes_release(&x);
	debian_archive_other_components(&fixture.context, &fixture.archive, &rest);
	assert_int_equal(rest.count, 1);
	assert_string_equal(rest.suites[0].suite, "bookworm");
	assert_string_equal(rest.suites[0].keyring, fixture.archive.suites[0].keyring);
	assert_int_equal(rest.suites[0].components.count, 2);
	assert_string_equal(rest.suites[0].components.items[0], "contrib");
	read_indexes(&rest, false, &x); /* that they have none for this architecture is no error */
	assert_int_equal(x.count, 0);
	debian_indexes_release(&x);
	debian_archive_release(&rest);
}

/* apt's files in apt's order, and not those that it passes over; the host is the one that the image names. */
static void test_preferences_of_an_image(void **state)
{
	cleanup_free char *directory = mem_printf("%s/image-keys", tempdir);
	cleanup_close int fd = -1;
	struct debian_archive a;
	struct err e = ERR_INIT;

	(void)state;
	need_archive();
	must_run("mkdir -p root/etc/apt/preferences.d root/etc/apt/trusted.gpg.d root/var/lib/dpkg && : >root/var/lib/dpkg/status && "
		 "cp keys.gpg root/etc/apt/trusted.gpg.d/ && echo 'deb http://deb.example.org:8080/debian bookworm main' >root/etc/apt/sources.list && "
		 "cd root/etc/apt && p() { printf 'Package: %s\\nPin: version 1\\nPin-Priority: 7\\n' $1; } && p first >preferences && "
		 "p third >preferences.d/b.pref && p second >preferences.d/a && p no >preferences.d/c.bak && p no >preferences.d/.d && "
		 "printf 'Package: /x/\\nPin: version 1\\nPin-Priority: 7\\n' >preferences.d/e");
	fd = openat(tempfd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(debian_archive_of_root(&fixture.user, &(struct debian_root){ .fd = fd }, directory, &a, &e), 0);
	assert_int_equal(a.preferences.count, 3);
	assert_string_equal(a.preferences.items[0].package, "first");
	assert_string_equal(a.preferences.items[1].package, "second");
	assert_string_equal(a.preferences.items[2].package, "third");
	assert_int_equal(a.warnings.count, 1);
	assert_non_null(strstr(a.warnings.items[0], "/etc/apt/preferences.d/e:1 of the image"));
	assert_string_equal(a.suites[0].uri, fixture.user.debian.mirror); /* the user's mirror is asked */
	assert_string_equal(a.suites[0].site, "deb.example.org");
	debian_archive_release(&a);
	assert_int_equal(fixture.archive.preferences.count, 0); /* of a release: none of this machine's */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_origins), fixture_test(test_cached), fixture_test(test_components_beside),
		fixture_test(test_preferences_of_an_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
