/* SPDX-License-Identifier: Apache-2.0 */
/* test_config_packages.c - [base] debian, [packages] and [devenv] platforms: what they may say, merged, and where it was said. */
#include "unit/config_fixture.h"

#include <string.h>

#include "base/mem.h"

#define BASE "[base]\ndebian = bookworm\n" /* two lines */

static void lists(const struct strlist *l, const char *joined)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < l->count; i++)
		buf_addf(&b, "%s%s", i ? " " : "", l->items[i]);
	assert_string_equal(b.data, joined);
	buf_release(&b);
}

static void test_base(void **state)
{
	struct config c = must_parse(BASE);

	(void)state;
	assert_int_equal(c.base, CONFIG_BASE_DEBIAN);
	assert_string_equal(c.base_value, "bookworm");
	assert_int_equal(c.variant, CONFIG_VARIANT_MINIMAL);
	lists(&c.components, "main");
	config_release(&c);
	c = must_parse("[base]\nvariant = standard\ncomponents = non-free contrib\n contrib\ndebian = trixie\n");
	assert_int_equal(c.variant, CONFIG_VARIANT_STANDARD);
	lists(&c.components, "contrib main non-free");
	config_release(&c);
	must_fail("[base]\ndebian = bokworm\n", "devenv.ini:2: [base] debian: unknown release 'bokworm'; did you mean 'bookworm'?");
	must_fail("[base]\ndebian = stable\n",
		  "devenv.ini:2: [base] debian: 'stable' is another release from time to time: name the release itself");
	must_fail("[base]\ndebian = 12\n", "devenv.ini:2: [base] debian: '12' is not the codename of a release");
	must_fail("[base]\ndebian = a/../b\n", "devenv.ini:2: [base] debian: 'a/../b' is not the codename of a release");
	must_fail(BASE "variant = minimum\n",
		  "devenv.ini:3: [base] variant: unknown value 'minimum'; did you mean 'minimal'?");
	must_fail(BASE "components = non-fre\n",
		  "devenv.ini:3: [base] components: unknown component 'non-fre'; did you mean 'non-free'?");
	must_fail(BASE "components = a/b\n", "devenv.ini:3: [base] components: 'a/b' is not a component of an archive");
	must_fail("[base]\nimage = python\nvariant = minimal\n",
		  "devenv.ini:3: [base] has variant or components, and they belong to a base of Debian packages");
	must_fail("[base]\ndebian = bookworm\nimage = python\n", "devenv.ini:3: [base] image: there is debian at line 2 already");
}

static void test_packages(void **state)
{
	static const struct {
		const char *item, *why;
	} bad[] = {
		{ "--install-recommends", "is an option of apt, and options can't be given: here are names of packages only" },
		{ "--reinstall", "is an option of apt, and options can't be given: here are names of packages only" },
		{ "./foo.deb", "is a file, and local packages are not supported" },
		{ "debs/foo_1_amd64.deb", "is a file, and local packages are not supported" },
		{ "$(id)x", "is a pattern: name each package" },
		{ "python3*", "is a pattern: name each package" },
		{ "a;b", "is not the name of a package" },
		{ "x", "is not the name of a package" },
		{ "Python", "is not the name of a package" },
		{ "curl`id`", "is not the name of a package" },
		{ "../curl", "is a file, and local packages are not supported" },
	};
	struct config c = must_parse(BASE "[packages]\napt = libpq-dev gettext\n  libpq5=15.8-0+deb12u1 gettext libstdc++-12-dev\n");
	struct buf origin = BUF_INIT;

	(void)state;
	lists(&c.packages_apt, "gettext libpq-dev libpq5=15.8-0+deb12u1 libstdc++-12-dev");
	config_origin(&c, "packages", "apt", "libpq-dev", &origin);
	assert_string_equal(origin.data, "devenv.ini:4");
	buf_release(&origin);
	config_release(&c);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_free char *text = mem_printf(BASE "[packages]\napt = %s\n", bad[i].item);
		cleanup_free char *message = mem_printf("devenv.ini:4: [packages] apt: '%s' %s", bad[i].item, bad[i].why);

		must_fail(text, message);
	}
	must_fail(BASE "[packages]\napt = curl=\n", "devenv.ini:4: [packages] apt: '' is not a version, in 'curl='");
	must_fail(BASE "[packages]\napt = curl=x;y\n", "devenv.ini:4: [packages] apt: 'x;y' is not a version, in 'curl=x;y'");
	must_fail(BASE "[packages]\napt = libc6:i386\n",
		  "devenv.ini:4: [packages] apt: 'libc6:i386': an architecture can't be chosen for a package; it is that of the environment");
	must_fail(BASE "[packages]\napt = curl/bookworm\n",
		  "devenv.ini:4: [packages] apt: 'curl/bookworm': a release can't be chosen for a package");
	must_fail(BASE "[packages]\napt = curl=1 curl=2\n",
		  "devenv.ini:4: [packages] apt: 'curl=1' and 'curl=2' are two versions of one package");
	c = must_parse(BASE "[packages]\napt = hello curl hello=2.10-3 curl-dev\n");
	lists(&c.packages_apt, "curl curl-dev hello=2.10-3"); /* with a version it is said more exactly */
	config_release(&c);
	must_fail(BASE "[packages]\napt =\n", "devenv.ini:4: [packages] apt: the list is empty");
}

static void test_platforms(void **state)
{
	struct config c = must_parse(BASE "[devenv]\nplatforms = linux/arm64 linux/amd64\n");

	(void)state;
	lists(&c.platforms, "linux/amd64 linux/arm64");
	config_release(&c);
	must_fail(BASE "[devenv]\nplatforms = linux/arm46\n",
		  "devenv.ini:4: [devenv] platforms: unknown platform 'linux/arm46'; did you mean 'linux/arm64'?");
}

/* Lists add up, "!name" takes out, another base brings its own variant. */
static void test_merge(void **state)
{
	static const char below[] = BASE "variant = standard\n[packages]\napt = curl gettext\n";
	static const char above[] = "[packages]\napt = !gettext jq\n", other[] = "[base]\nimage = python\n";
	struct config_text texts[] = { { "base.ini", below, sizeof(below) - 1, false },
				       { "devenv.ini", above, sizeof(above) - 1, false } };
	struct buf origin = BUF_INIT;
	struct err e = ERR_INIT;
	struct config c;

	(void)state;
	assert_int_equal(config_parse_texts(texts, 2, true, &c, &e), 0);
	lists(&c.packages_apt, "curl jq");
	assert_int_equal(c.variant, CONFIG_VARIANT_STANDARD);
	config_origin(&c, "packages", "apt", "curl", &origin);
	config_origin(&c, "packages", "apt", "jq", &origin);
	assert_string_equal(origin.data, "base.ini:5devenv.ini:2");
	buf_release(&origin);
	config_release(&c);
	texts[1] = (struct config_text){ "devenv.ini", other, sizeof(other) - 1, false };
	assert_int_equal(config_parse_texts(texts, 2, true, &c, &e), 0);
	assert_int_equal(c.base, CONFIG_BASE_IMAGE);
	assert_int_equal(c.variant_line, 0);
	config_release(&c);
	texts[1] = (struct config_text){ "devenv.local.ini", above, sizeof(above) - 1, true };
	assert_int_equal(config_parse_texts(texts, 2, true, &c, &e), -1);
}

static void own_lists(const char *shared, const char *own, const char *expected_shared, const char *expected_own)
{
	cleanup_free char *below = mem_printf(BASE "[packages]\napt = %s\n", shared);
	cleanup_free char *above = mem_printf("[env]\nA = 1\n[packages]\napt = %s\n", own);
	struct config_text texts[] = { { "devenv.ini", below, strlen(below), false },
				       { "devenv.local.ini", above, strlen(above), true } };
	struct err e = ERR_INIT;
	struct config c;

	if (config_parse_texts(texts, 2, true, &c, &e))
		fail_msg("%s", e.msg);
	lists(&c.packages_apt, expected_shared);
	lists(&c.packages_own, expected_own);
	assert_int_equal(c.packages_line, 4);
	assert_string_equal(c.packages_file, "devenv.ini");
	assert_int_equal(c.packages_own_line, c.packages_own.count ? 4 : 0);
	config_release(&c);
}

/* What devenv.local.ini adds is one person's; what everybody has is everybody's. */
static void test_own(void **state)
{
	static const char below[] = BASE "[packages]\napt = jq\n", bare[] = BASE;
	static const char removal[] = "[packages]\napt = tree\n  !jq\n", twice[] = "[packages]\napt = tree=1 tree=2\n";
	struct config_text texts[] = { { "devenv.ini", bare, sizeof(bare) - 1, false },
				       { "devenv.local.ini", twice, sizeof(twice) - 1, true } };
	struct err e = ERR_INIT;
	struct config c;

	(void)state;
	own_lists("jq curl", "tree jq htop", "curl jq", "htop tree");
	own_lists("jq=1", "jq tree", "jq=1", "tree");
	own_lists("jq", "jq=2 jqq", "jq", "jq=2 jqq"); /* a version of one's own */
	own_lists("jq", "jq", "jq", "");
	assert_int_equal(config_parse_texts(texts, 2, true, &c, &e), -1);
	assert_string_equal(e.msg, "devenv.local.ini:2: [packages] apt: 'tree=1' and 'tree=2' are two versions of one package");
	texts[0] = (struct config_text){ "devenv.ini", below, sizeof(below) - 1, false };
	texts[1] = (struct config_text){ "devenv.local.ini", removal, sizeof(removal) - 1, true };
	e = ERR_INIT;
	assert_int_equal(config_parse_texts(texts, 2, true, &c, &e), -1);
	assert_string_equal(e.msg, "devenv.local.ini:2: [packages] apt: '!jq' would take away what everybody shares");
	texts[0] = (struct config_text){ "devenv.ini", bare, sizeof(bare) - 1, false };
	texts[1].text = "[packages]\napt = tree\n";
	texts[1].len = strlen(texts[1].text);
	assert_int_equal(config_parse_texts(texts, 2, true, &c, &e), 0);
	lists(&c.packages_apt, "");
	lists(&c.packages_own, "tree");
	config_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_packages),
		cmocka_unit_test(test_platforms),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests_name("config_packages", tests, NULL, NULL);
}
