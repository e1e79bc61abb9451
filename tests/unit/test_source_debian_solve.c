/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of Debian's versions, control data, dependencies and the resolver, on small archives written here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/debian_depends.h"
#include "source/debian_solve.h"
#include "source/debian_version.h"

/* ---- versions ---- */

static void test_versions_order(void **state)
{
	/* ascending; the cases are those that policy 5.6.12 names and that dpkg's own tests are about */
	static const char *const ascending[] = {
		"0~~", "0~~a", "0~", "0", "0a", "0+", "0.1", "1.0~rc1", "1.0~rc1-1", "1.0", "1.0-0.1", "1.0-1", "1.0-1+b1",
		"1.0-1+deb12u1", "1.0-1.1", "1.0+dfsg-1", "1.0.1", "1.2", "1.10", "1.10a", "9", "10", "0:11", "1:0", "1:0.1", "2:0~",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ascending); i++)
		for (size_t k = 0; k < ARRAY_SIZE(ascending); k++) {
			int order = debian_version_compare(DEBIAN_TEXT(ascending[i]), DEBIAN_TEXT(ascending[k]));

			if ((order > 0) - (order < 0) != (i > k) - (i < k))
				fail_msg("%s and %s compare as %d", ascending[i], ascending[k], order);
		}
}

static void test_versions_equal(void **state)
{
	static const char *const pairs[][2] = { { "1.0", "0:1.0" }, { "1.0", "1.0-0" }, { "1.00", "1.0" }, { "01", "1" }, { "1-01", "1-1" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_int_equal(debian_version_compare(DEBIAN_TEXT(pairs[i][0]), DEBIAN_TEXT(pairs[i][1])), 0);
	assert_true(debian_version_is_valid(DEBIAN_TEXT("1:2.3~rc1+dfsg-4")));
	assert_false(debian_version_is_valid(DEBIAN_TEXT("")));
	assert_false(debian_version_is_valid(DEBIAN_TEXT("a1")));
	assert_false(debian_version_is_valid(DEBIAN_TEXT("1/../2")));
	assert_false(debian_version_is_valid(DEBIAN_TEXT("1\n2")));
}

/* ---- control data ---- */

static void test_paragraphs(void **state)
{
	struct debian_text rest = DEBIAN_TEXT("\n\nPackage: a\nDescription: short\n long\n .\n more\nversion: 1\n \n\nPackage:b\n# no\nnonsense\nDepends:\n x,\n y\n");
	struct debian_text p, value, line;

	(void)state;
	assert_true(debian_control_next(&rest, &p));
	assert_true(debian_control_field(p, "package", &value));
	assert_true(debian_text_is(value, "a"));
	assert_true(debian_control_field(p, "Description", &value));
	assert_true(debian_control_line(&value, &line) && debian_text_is(line, "short"));
	assert_true(debian_control_line(&value, &line) && debian_text_is(line, "long"));
	assert_true(debian_control_field(p, "Version", &value) && debian_text_is(value, "1"));
	assert_true(debian_control_next(&rest, &p));
	assert_true(debian_control_field(p, "Depends", &value) && debian_text_is(value, "x,\n y"));
	assert_false(debian_control_field(p, "Version", &value));
	assert_int_equal(value.len, 0);
	assert_false(debian_control_next(&rest, &p));
}

static void test_names(void **state)
{
	(void)state;
	assert_true(debian_name_is_valid(DEBIAN_TEXT("libstdc++6")));
	assert_false(debian_name_is_valid(DEBIAN_TEXT("a")));
	assert_false(debian_name_is_valid(DEBIAN_TEXT("-ab")));
	assert_false(debian_name_is_valid(DEBIAN_TEXT("a/b")));
	assert_false(debian_name_is_valid(DEBIAN_TEXT("Ab")));
	assert_false(debian_name_is_valid((struct debian_text){ "a\0b", 3 }));
}

static void test_dependencies(void **state)
{
	struct debian_text rest = DEBIAN_TEXT("aa (>= 1:2.0), bb:any | cc [!amd64] | dd (<< 3) [amd64 arm64], ee <!nocheck>, , ff [linux-any]");
	struct debian_text group;
	struct debian_dependency d;

	(void)state;
	assert_true(debian_depends_group(&rest, &group) && debian_depends_next(&group, "amd64", &d));
	assert_true(debian_text_is(d.name, "aa") && d.relation == DEBIAN_LATER_EQUAL && debian_text_is(d.version, "1:2.0"));
	assert_false(debian_depends_next(&group, "amd64", &d));
	assert_true(debian_depends_group(&rest, &group) && debian_depends_next(&group, "amd64", &d));
	assert_true(debian_text_is(d.name, "bb") && debian_text_is(d.arch, "any"));
	assert_true(debian_depends_next(&group, "amd64", &d)); /* c is for others */
	assert_true(debian_text_is(d.name, "dd"));
	assert_true(debian_depends_group(&rest, &group) && debian_depends_next(&group, "amd64", &d));
	assert_true(debian_text_is(d.name, "ee") && d.relation == DEBIAN_ANY);
	assert_true(debian_depends_group(&rest, &group) && debian_depends_next(&group, "amd64", &d));
	assert_true(debian_text_is(d.name, "ff"));
	assert_false(debian_depends_group(&rest, &group));
}

/* ---- the resolver ---- */

struct world {
	struct debian_universe u;
	struct strlist wanted;
	struct debian_goal goal;
	struct err e;
};

static void begin(struct world *w, const char *index, const char *status)
{
	*w = (struct world){ .goal = { .priority = -1 } };
	debian_universe_init(&w->u, "amd64");
	debian_universe_add(&w->u, DEBIAN_TEXT(index), 0);
	debian_universe_add_installed(&w->u, DEBIAN_TEXT(status));
	debian_universe_sort(&w->u);
}

/* What is chosen, as "name=version" words. */
static char *solve(struct world *w, const char *wanted)
{
	struct debian_solution s = { 0 };
	cleanup_buf struct buf b = BUF_INIT;

	strlist_release(&w->wanted);
	strlist_split(&w->wanted, wanted, " ");
	w->goal.wanted = &w->wanted;
	w->e = ERR_INIT;
	if (debian_solve(&w->u, &w->goal, &s, &w->e) < 0)
		return mem_printf("! %s | %s", w->e.msg, w->e.hint);
	for (size_t i = 0; i < s.count; i++) {
		const struct debian_package *p = &w->u.packages[s.packages[i]];

		buf_addf(&b, "%s%.*s=%.*s", i ? " " : "", (int)p->name.len, p->name.at, (int)p->version.len, p->version.at);
	}
	debian_solution_release(&s);
	return buf_steal(&b);
}

static void check(struct world *w, const char *wanted, const char *expected)
{
	cleanup_free char *got = solve(w, wanted);

	assert_string_equal(got, expected);
}

static void end(struct world *w)
{
	debian_universe_release(&w->u);
	strlist_release(&w->wanted);
}

#define P(name, version, more) "Package: " name "\nVersion: " version "\nArchitecture: amd64\n" more "\n"

static void test_newest_and_pinned(void **state)
{
	static const struct debian_pin pin[] = { { "lib", "1" }, { "gone", "7" } };
	struct world w;

	(void)state;
	begin(&w, P("app", "1", "Depends: lib (>= 1)\n") P("lib", "1", "") P("lib", "2", "") P("foreign", "1", "") "Package: foreign\nVersion: 9\nArchitecture: arm64\n\n", "");
	check(&w, "app", "app=1 lib=2");
	check(&w, "app lib=1", "app=1 lib=1");
	check(&w, "foreign", "foreign=1");
	w.goal.pins = pin;
	w.goal.pin_count = ARRAY_SIZE(pin);
	check(&w, "app", "app=1 lib=1");
	end(&w);
}

/* What is pinned moves when there is no other way: also when it is wanted itself. */
static void test_pinned_and_in_the_way(void **state)
{
	static const struct debian_pin pin[] = { { "app", "1" }, { "other", "1" } };
	struct world w;

	(void)state;
	begin(&w, P("app", "1", "Depends: lib (= 1)\n") P("app", "2", "Depends: lib (= 2)\n") P("lib", "2", "") P("other", "1", "")
		  P("other", "2", ""), "");
	w.goal.pins = pin;
	w.goal.pin_count = ARRAY_SIZE(pin);
	check(&w, "app other", "app=2 lib=2 other=1");
	{
		cleanup_free char *got = solve(&w, "app=1 other");

		assert_string_equal(got, "! app can't be installed: app 1 needs lib (= 1), and the newest is 2 | ");
	}
	end(&w);
}

static void test_alternatives(void **state)
{
	struct world w;

	(void)state;
	begin(&w, P("app", "1", "Depends: a1 | b1\n") P("a1", "1", "") P("b1", "1", "") P("mail", "1", "Depends: mta\n")
		  P("exim", "1", "Provides: mta\n") P("smtp", "1", "Provides: mta\nPriority: important\n")
		  P("java", "1", "Depends: jre (>= 8)\n") P("jre17", "17", "Provides: jre (= 17)\n") P("gcj", "4", "Provides: jre\n"), "");
	check(&w, "app", "a1=1 app=1");
	check(&w, "app b1", "app=1 b1=1");
	check(&w, "mail", "mail=1 smtp=1");
	check(&w, "mail exim", "exim=1 mail=1");
	check(&w, "java", "java=1 jre17=17"); /* a provision without a version meets no version */
	end(&w);
}

static void test_goes_back(void **state)
{
	struct world w;

	(void)state;
	/* a's own dependency can't be had, so b; and what is needed anyway rules alternatives out */
	begin(&w, P("app", "1", "Depends: a1 | b1\n") P("a1", "1", "Depends: missing\n") P("b1", "1", "")
		  P("suite", "1", "Depends: base, core\n") P("base", "1", "Depends: core-lite | core\n")
		  P("core", "1", "Conflicts: core-lite\n") P("core-lite", "1", "")
		  P("deep", "1", "Depends: x1 | y1, z1\n") P("x1", "1", "Depends: q1 (= 1)\n") P("y1", "1", "") P("z1", "1", "Depends: q1 (= 2) | r1\n")
		  P("q1", "1", "") P("q1", "2", "") P("r1", "1", "Breaks: x1\n"), "");
	check(&w, "app", "app=1 b1=1");
	check(&w, "suite", "base=1 core=1 suite=1");
	check(&w, "deep", "deep=1 q1=2 y1=1 z1=1");
	end(&w);
}

static void test_says_why(void **state)
{
	struct world w;

	(void)state;
	begin(&w, P("app", "1", "Depends: lib (>= 2)\n") P("lib", "1", "") P("left", "1", "Conflicts: right\n") P("right", "1", "")
		  P("one", "1", "Provides: mta\n") P("two", "1", "Provides: mta\n"), "");
	check(&w, "app", "! app can't be installed: app 1 needs lib (>= 2), and the newest is 1 | ");
	check(&w, "left right", "! these packages can't be installed together: left 1 (asked for) conflicts with right 1 (asked for) | ");
	check(&w, "ap", "! there is no package 'ap' in the distribution | did you mean 'app'?");
	check(&w, "lib=3", "! there is no version 3 of lib; there is 1 | ");
	check(&w, "mta", "! 'mta' is no package but what several packages provide | name one of: one, two");
	end(&w);
}

#define I(name, version, more) "Package: " name "\nStatus: install ok installed\nVersion: " version "\nArchitecture: amd64\n" more "\n"

static void test_installed(void **state)
{
	struct world w;

	(void)state;
	begin(&w, P("app", "1", "Depends: lib\n") P("new", "1", "Depends: lib (>= 2)\n") P("lib", "2", "Breaks: tool (<< 2)\n")
		  P("tool", "2", "Depends: lib (= 2)\n") P("hostile", "1", "Conflicts: tool\n"),
	      I("lib", "1", "") I("tool", "1", "Depends: lib (= 1)\n")
	      "Package: old\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: amd64\n\n");
	check(&w, "app", "app=1");			/* what is there is good enough */
	check(&w, "new", "lib=2 new=1 tool=2");		/* and what relies on it moves along */
	check(&w, "old", "! there is no package 'old' in the distribution | ");
	{
		cleanup_free char *got = solve(&w, "hostile");

		assert_non_null(strstr(got, "hostile can't be installed: hostile 1 (asked for) conflicts with tool 1 (of the base)"));
	}
	end(&w);
}

static void test_base(void **state)
{
	struct world w;

	(void)state;
	begin(&w, P("libc6", "2", "") P("bash", "5", "Essential: yes\nPre-Depends: libc6\n") P("tzdata", "1", "Priority: required\n")
		  P("nano", "1", "Priority: important\n") P("man", "1", "Priority: standard\n") P("mawk", "1", "Provides: awk\n")
		  P("base-files", "12", "Essential: yes\nPre-Depends: awk\n")
		  P("systemd-sysv", "1", "Protected: yes\nConflicts: sysvinit\n") P("sysvinit", "1", "Protected: yes\n"), "");
	w.goal.priority = DEBIAN_REQUIRED;
	check(&w, "", "base-files=12 bash=5 libc6=2 mawk=1 tzdata=1");
	w.goal.priority = DEBIAN_IMPORTANT;
	check(&w, "man", "base-files=12 bash=5 libc6=2 man=1 mawk=1 nano=1 tzdata=1");
	end(&w);
}

/* Circles are ordinary (libc6 and libgcc-s1), and so are chains longer than any stack. */
static void test_circles_and_chains(void **state)
{
	cleanup_buf struct buf index = BUF_INIT;
	struct world w;

	(void)state;
	buf_adds(&index, P("aa", "1", "Depends: bb\n") P("bb", "1", "Depends: aa\n"));
	for (int i = 0; i < 20000; i++)
		buf_addf(&index, "Package: c%d\nVersion: 1\nArchitecture: all\nDepends: c%d\n\n", i, i + 1);
	buf_adds(&index, P("c20000", "1", ""));
	begin(&w, index.data, "");
	check(&w, "aa", "aa=1 bb=1");
	{
		cleanup_free char *got = solve(&w, "c0");

		assert_non_null(strstr(got, "c20000=1"));
	}
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions_order), cmocka_unit_test(test_versions_equal), cmocka_unit_test(test_paragraphs),
		cmocka_unit_test(test_names),	       cmocka_unit_test(test_dependencies),   cmocka_unit_test(test_newest_and_pinned),
		cmocka_unit_test(test_alternatives),   cmocka_unit_test(test_goes_back),      cmocka_unit_test(test_says_why),
		cmocka_unit_test(test_installed),      cmocka_unit_test(test_pinned_and_in_the_way),      cmocka_unit_test(test_base),	      cmocka_unit_test(test_circles_and_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
