/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of apt's policy: preferences, suites that are not automatic, packages that are held, and what of that a resolver does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/debian_solve.h"

enum { STABLE, BACKPORTS, EXPERIMENTAL, OTHERS, SOURCES };

static struct debian_origin origins[SOURCES] = {
	[STABLE] = { .archive = (char *)"stable", .codename = (char *)"bookworm", .origin = (char *)"Debian", .label = (char *)"Debian",
		     .version = (char *)"12.5", .component = (char *)"main", .site = (char *)"deb.example.org", .priority = 500 },
	[BACKPORTS] = { .archive = (char *)"stable-backports", .codename = (char *)"bookworm-backports", .origin = (char *)"Debian Backports",
			.label = (char *)"Debian Backports", .component = (char *)"main", .site = (char *)"deb.example.org", .priority = 100 },
	[EXPERIMENTAL] = { .archive = (char *)"experimental", .codename = (char *)"rc-buggy", .origin = (char *)"Debian",
			   .component = (char *)"main", .site = (char *)"deb.example.org", .priority = 1 },
	[OTHERS] = { .archive = (char *)"stable", .codename = (char *)"stable", .origin = (char *)"Others", .component = (char *)"contrib",
		     .site = (char *)"packages.example.com", .priority = 500 },
};

struct world {
	struct debian_universe u;
	struct debian_preferences preferences;
	struct strlist warnings;
};

#define P(name, version, more) "Package: " name "\nVersion: " version "\nArchitecture: amd64\n" more "\n"
#define I(name, version, more) "Package: " name "\nStatus: install ok installed\nVersion: " version "\nArchitecture: amd64\n" more "\n"
#define HELD(name, version) "Package: " name "\nStatus: hold ok installed\nVersion: " version "\nArchitecture: amd64\n\n"

static void begin(struct world *w, const char *const texts[SOURCES], const char *status, const char *preferences)
{
	*w = (struct world){ .warnings = STRLIST_INIT };
	debian_universe_init(&w->u, "amd64");
	debian_preferences_parse("etc/apt/preferences", DEBIAN_TEXT(preferences), &w->preferences, &w->warnings);
	w->u.policy = (struct debian_policy){ &w->preferences, origins, SOURCES };
	for (unsigned int i = 0; i < SOURCES; i++)
		if (texts[i])
			debian_universe_add(&w->u, DEBIAN_TEXT(texts[i]), i);
	debian_universe_add_installed(&w->u, DEBIAN_TEXT(status));
	debian_universe_sort(&w->u);
}

static void end(struct world *w)
{
	debian_universe_release(&w->u);
	debian_preferences_release(&w->preferences);
	strlist_release(&w->warnings);
}

static void check(struct world *w, const char *words, const char *expected)
{
	cleanup_strlist struct strlist wanted = STRLIST_INIT;
	cleanup_buf struct buf b = BUF_INIT;
	struct debian_goal goal = { .wanted = &wanted, .priority = -1 };
	struct debian_solution s = { 0 };
	struct err e = ERR_INIT;

	strlist_split(&wanted, words, " ");
	if (debian_solve(&w->u, &goal, &s, &e) < 0)
		buf_addf(&b, "! %s", e.msg);
	for (size_t i = 0; i < s.count; i++) {
		const struct debian_package *p = &w->u.packages[s.packages[i]];

		buf_addf(&b, "%s%.*s=%.*s", i ? " " : "", (int)p->name.len, p->name.at, (int)p->version.len, p->version.at);
	}
	debian_solution_release(&s);
	assert_string_equal(b.data ? b.data : "", expected);
}

static const char *const archive[SOURCES] = {
	[STABLE] = P("lib", "1", "") P("app", "1", "Depends: lib\n") P("needy", "1", "Depends: lib (>= 2)\n") P("old", "1", ""),
	[BACKPORTS] = P("lib", "2", "") P("app", "2", "Depends: lib (>= 2)\n") P("only-back", "1", "Depends: lib (>= 2)\n"),
	[EXPERIMENTAL] = P("lib", "3", "") P("app", "3", "Depends: lib (>= 3)\n") P("only-exp", "1", ""),
	[OTHERS] = P("app", "1.5", "") P("old", "0.5", ""),
};

/* Nothing comes from experimental or backports by itself; what only they have does, and what is asked for by number. */
static void test_not_automatic(void **state)
{
	struct world w;

	(void)state;
	begin(&w, archive, "", "");
	check(&w, "lib", "lib=1");
	check(&w, "app", "app=1.5");
	check(&w, "only-exp", "only-exp=1");
	check(&w, "lib=3", "lib=3");
	check(&w, "app=2", "app=2 lib=2"); /* what a backport needs is one too */
	check(&w, "app=3", "app=3 lib=3");
	check(&w, "only-back", "lib=2 only-back=1");
	check(&w, "needy", "! needy can't be installed: needy 1 needs lib (>= 2), and of it apt would take 1, as 2 has the priority 100: ask for lib=2");
	check(&w, "needy lib=2", "lib=2 needy=1");
	end(&w);
}

/* A backport that is installed is kept up to date as one; nothing goes back without a priority of 1000. */
static void test_installed(void **state)
{
	struct world w;

	(void)state;
	begin(&w, archive, I("lib", "1.9", ""), "");
	check(&w, "lib", "lib=2");
	end(&w);
	begin(&w, archive, I("lib", "2.5", "") I("old", "0.9", ""), "");
	check(&w, "lib", "");
	check(&w, "old", "old=1");
	check(&w, "old=0.5", "! old can't be installed: it would be old 0.5, and the base has 0.9, which is not downgraded");
	end(&w);
	begin(&w, archive, I("lib", "2.5", ""), "Package: lib\nPin: release n=bookworm\nPin-Priority: 1001\n");
	check(&w, "lib", "lib=1");
	end(&w);
	begin(&w, archive, I("lib", "2.5", ""), "Package: lib\nPin: release n=bookworm\nPin-Priority: 999\n");
	check(&w, "lib", "");
	end(&w);
}

static void test_preferences(void **state)
{
	static const struct {
		const char *preferences, *app;
	} cases[] = {
		{ "Package: *\nPin: release a=stable-backports\nPin-Priority: 600\n", "app=2 lib=2" },
		{ "Package: *\nPin: release n=rc-buggy\nPin-Priority: 600\n", "app=3 lib=3" },
		{ "Package: *\nPin: release o=Debian,a=stable\nPin-Priority: 900\n", "app=1 lib=1" },
		{ "Package: *\nPin: release l=Debian Backports , c = main\nPin-Priority: 900\n", "app=2 lib=2" },
		{ "Package: *\nPin: release v=12*\nPin-Priority: 900\n", "app=1 lib=1" },
		{ "Package: *\nPin: release bookworm\nPin-Priority: 900\n", "app=1 lib=1" },
		{ "Package: *\nPin: release c=contrib\nPin-Priority: -10\n", "app=1 lib=1" },
		{ "Package: *\nPin: origin \"packages.example.com\"\nPin-Priority: never\n", "app=1 lib=1" },
		{ "Package: *\nPin: origin packages.example.com\nPin-Priority: -1\n", "app=1 lib=1" },
		{ "Package: app\nPin: version 1\nPin-Priority: 501\n", "app=1 lib=1" },
		{ "Package: ap?\nPin: version 1\nPin-Priority: 501\n", "app=1 lib=1" },
		{ "Package: lib app\nPin: version 3*\nPin-Priority: 501\n", "app=3 lib=3" },
		{ "Package: lib app:any\nPin: release o=Debian Backports\nPin-Priority: 501\n", "app=2 lib=2" },
		/* what names a package counts more, whatever the order; of its like the first */
		{ "Package: *\nPin: release o=Others\nPin-Priority: 990\n\nPackage: app\nPin: version 1\nPin-Priority: 991\n\n"
		  "Package: a*\nPin: version 1\nPin-Priority: 1\n", "app=1 lib=1" },
		{ "Package: *\nPin: release o=Others\nPin-Priority: 600\n\nPackage: *\nPin: release c=contrib\nPin-Priority: 1\n", "app=1.5" },
		{ "# a comment\n\nExplanation: of nothing\n\nPackage: app\n# in it\nPin: version 1\nPin-Priority: 501\n", "app=1 lib=1" },
		{ "Package: b*\nPin: version 1\nPin-Priority: 501\n", "app=1.5" },
		{ "Package: app\nPin: version *\nPin-Priority: -1\n",
		  "! app has a negative Pin-Priority in the image's preferences of apt: it is never installed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		begin(&w, archive, "", cases[i].preferences);
		assert_int_equal(w.warnings.count, 0);
		check(&w, "app", cases[i].app);
		end(&w);
	}
}

/* What isn't understood has no effect and says so, by file and line. */
static void test_not_understood(void **state)
{
#define LEFT(line) "/etc/apt/preferences:" line " of the image: this preference is left out: "
	static const struct {
		const char *preferences, *warning;
	} cases[] = {
		{ "\nPackage: /^ap/\nPin: version 1\nPin-Priority: 501\n", LEFT("2") "packages are named here, or meant by * and ?; not so '/^ap/'" },
		{ "Package: src:app\nPin: version 1\nPin-Priority: 501\n", LEFT("1") "packages are named here, or meant by * and ?; not so 'src:app'" },
		{ "Package: *a*b*c*\nPin: version 1\nPin-Priority: 501\n",
		  LEFT("1") "packages are named here, or meant by * and ?; not so '*a*b*c*'" },
		{ "Package: app\nPin: version *1*1*1*\nPin-Priority: 501\n", LEFT("1") "this Pin is not supported: 'version *1*1*1*'" },
		{ "Package: *\nPin: version 1\nPin-Priority: 501\n", LEFT("1") "a version is one of a package, not of '*'" },
		{ "Package: *\nPin: release b=amd64\nPin-Priority: 501\n", LEFT("1") "this Pin is not supported: 'release b=amd64'" },
		{ "Package: *\nPin: release a=/sta/\nPin-Priority: 501\n", LEFT("1") "this Pin is not supported: 'release a=/sta/'" },
		{ "Package: app\nPin: version /1/\nPin-Priority: 501\n", LEFT("1") "this Pin is not supported: 'version /1/'" },
		{ "Package: app\nPin: phase 1\nPin-Priority: 501\n", LEFT("1") "this Pin is not supported: 'phase 1'" },
		{ "Package: app\nPin-Priority: 501\n", LEFT("1") "it has no Pin" },
		{ "Package: app\nPin: version 1\n", LEFT("1") "it has no Pin-Priority" },
		{ "Package: app\nPin: version 1\nPin-Priority: much\n", LEFT("1") "this is no Pin-Priority: 'much'" },
		{ "Package: app\nPin: version 1\nPin-Priority: 0\n", LEFT("1") "this is no Pin-Priority: '0'" },
		{ "Pin: version 1\nPin-Priority: 501\n", LEFT("1") "it names no package" },
		{ "# fine\n\nnonsense\n", LEFT("3") "it names no package" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		begin(&w, archive, "", cases[i].preferences);
		assert_int_equal(w.warnings.count, 1);
		assert_string_equal(w.warnings.items[0], cases[i].warning);
		check(&w, "app", "app=1.5");
		end(&w);
	}
}

/* A held package is there, and stays what it is. */
static void test_held(void **state)
{
	static const char *const newer[SOURCES] = {
		[STABLE] = P("lib", "2", "") P("lib", "0.1", "") P("app", "1", "Depends: lib\n") P("new", "1", "Depends: lib (>= 2)\n")
			   P("back", "1", "Depends: lib (<< 1)\n") P("enemy", "1", "Breaks: lib (<< 2)\n") P("either", "1", "Depends: new | app\n"),
	};
	struct world w;

	(void)state;
	begin(&w, newer, HELD("lib", "1"), "");
	check(&w, "lib", "");
	check(&w, "app", "app=1");
	check(&w, "either", "app=1 either=1");
	check(&w, "new", "! new can't be installed: new 1 needs lib (>= 2), and lib is held at 1 by the image (apt-mark hold)");
	check(&w, "back", "! back can't be installed: back 1 needs lib (<< 1), and lib is held at 1 by the image (apt-mark hold)");
	check(&w, "lib=2", "! lib can't be installed: it would be lib 2, and lib is held at 1 by the image (apt-mark hold)");
	check(&w, "enemy", "! enemy can't be installed: enemy 1 (asked for) conflicts with lib 1 (of the base): not with lib (<< 2), and lib is "
			   "held at 1 by the image (apt-mark hold)");
	end(&w);
	begin(&w, newer, I("lib", "1", ""), ""); /* as it is without the hold */
	check(&w, "new", "lib=2 new=1");
	check(&w, "enemy", "enemy=1 lib=2");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_automatic), cmocka_unit_test(test_installed), cmocka_unit_test(test_preferences),
		cmocka_unit_test(test_not_understood), cmocka_unit_test(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
