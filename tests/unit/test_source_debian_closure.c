/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of source/debian_closure.c and debian_preinst.c: is a set of packages whole; does a script have anything to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/debian_closure.h"
#include "source/debian_preinst.h"

#define P(name, version, more) "Package: " name "\nVersion: " version "\nArchitecture: amd64\n" more "\n"
#define I(name, version, more) "Package: " name "\nStatus: install ok installed\nVersion: " version "\nArchitecture: amd64\n" more "\n"

struct told {
	const struct debian_universe *u;
	struct buf text;
};

static void note(void *data, const struct debian_fault *f)
{
	struct told *t = data;
	const struct debian_package *p = &t->u->packages[f->package];

	buf_addf(&t->text, "%s%.*s ", t->text.len ? "; " : "", (int)p->name.len, p->name.at);
	debian_closure_explain(t->u, f, &t->text);
}

static void faults_are(const char *packages, const char *installed, const char *expected)
{
	struct debian_universe u;
	struct told t = { &u, BUF_INIT };
	size_t count;

	debian_universe_init(&u, "amd64");
	debian_universe_add(&u, DEBIAN_TEXT(packages), 0);
	debian_universe_add_installed(&u, DEBIAN_TEXT(installed));
	debian_universe_sort(&u);
	count = debian_closure_check(&u, note, &t);
	assert_string_equal(t.text.len ? t.text.data : "", expected);
	assert_int_equal(count > 0, *expected != '\0');
	assert_int_equal(debian_closure_check(&u, NULL, NULL), count);
	buf_release(&t.text);
	debian_universe_release(&u);
}

static void test_needed(void **state)
{
	(void)state;
	faults_are("", "", "");
	faults_are(P("aa", "1", "Depends: bb (>= 2), cc [arm64]\nPre-Depends: dd\n") P("bb", "2", "") P("dd", "1", ""), "", "");
	faults_are(P("aa", "1", "Depends: bb (>= 2)\n"), "", "aa needs bb (>= 2), and no package that is it");
	faults_are(P("aa", "1", "Depends: bb (>= 2) | cc\n") P("bb", "1", ""), "", "aa needs bb (>= 2) or cc, and no package that is it");
	faults_are(P("aa", "1", "Pre-Depends: bb\nDepends: cc\n"), "",
		   "aa needs bb, and no package that is it; aa needs cc, and no package that is it");
	faults_are(P("aa", "1", "Depends: bb:any\n") P("bb", "1", "") P("cc", "1", "Recommends: xx\nSuggests: yy\n"), "", "");
	/* provided, with a version where one is asked for; also by the package itself */
	faults_are(P("aa", "1", "Depends: mta\n") P("bb", "1", "Provides: mta\n"), "", "");
	faults_are(P("aa", "1", "Depends: mta (>= 1)\n") P("bb", "1", "Provides: mta\n"), "",
		   "aa needs mta (>= 1), and no package that is it");
	faults_are(P("aa", "1", "Depends: mta (>= 1)\n") P("bb", "1", "Provides: mta (= 2)\n"), "", "");
	faults_are(P("aa", "1", "Provides: mta\nDepends: mta\n"), "", "");
}

static void test_excluded(void **state)
{
	(void)state;
	faults_are(P("aa", "1", "Conflicts: bb\n") P("bb", "1", ""), "", "aa excludes bb, and bb 1");
	faults_are(P("aa", "1", "Breaks: bb (<< 2)\n") P("bb", "1", ""), "", "aa excludes bb (<< 2), and bb 1");
	faults_are(P("aa", "1", "Breaks: bb (<< 2)\n") P("bb", "2", ""), "", "");
	/* oneself never: that is how a package says that there is one of its kind */
	faults_are(P("aa", "1", "Provides: mta\nConflicts: mta\n"), "", "");
	faults_are(P("aa", "1", "Provides: mta\nConflicts: mta\n") P("bb", "1", "Provides: mta\n"), "", "aa excludes mta, and bb 1");
}

static void test_installed(void **state)
{
	(void)state;
	faults_are(P("aa", "1", "Depends: bb (>= 2)\n"), I("bb", "2", ""), "");
	/* what a newer version comes of is not there any more */
	faults_are(P("aa", "1", "Depends: bb (= 1)\n") P("bb", "2", ""), I("bb", "1", ""), "aa needs bb (= 1), and no package that is it");
	/* what was there before is not judged, but what it excludes is */
	faults_are(P("aa", "1", ""), I("bb", "1", "Depends: gone\nConflicts: cc\n") I("cc", "1", ""), "");
	faults_are(P("aa", "1", ""), I("bb", "1", "Breaks: aa (<< 2)\n"), "bb excludes aa (<< 2), and aa 1");
}

/* ---- scripts ---- */

static bool matters(const char *script)
{
	struct deb_file files[] = { { .name = (char *)"control", .data = BUF_INIT }, { .name = (char *)"preinst", .data = BUF_INIT } };
	struct deb d = { .files = files, .count = script ? 2 : 1 };
	bool result;

	if (script)
		buf_adds(&files[1].data, script);
	result = debian_preinst_matters(&d);
	buf_release(&files[1].data);
	return result;
}

static void test_preinst(void **state)
{
	(void)state;
	assert_false(matters(NULL));
	assert_false(matters("#!/bin/sh\nset -e\n# comment $(x)\n\n"
			     "dpkg-maintscript-helper rm_conffile /etc/a 1.0-3\\~ a -- \"$@\"\n"
			     "dpkg-maintscript-helper dir_to_symlink /usr/share/doc/a b 1 -- \"$@\"\nexit 0\n"));
	assert_true(matters("#!/bin/sh\nset -e\ndpkg-divert --add /bin/x\n"));
	assert_true(matters("#!/bin/sh\ndpkg-maintscript-helper rm_conffile /etc/a 1 -- \"$@\"; touch /x\n"));
	assert_true(matters("#!/bin/sh\ndpkg-maintscript-helper rm_conffile `touch /x` 1 -- \"$@\"\n"));
	assert_true(matters("#!/bin/sh\ndpkg-maintscript-helper rm_conffile /etc/a $x -- \"$@\"\n"));
	assert_true(matters("#!/bin/sh\ndpkg-maintscript-helper rm_conffile /etc/a 1 -- \"$@\" \\\n"));
	assert_true(matters("#!/bin/sh\ndpkg-maintscript-helper supports rm_conffile\n"));
	assert_true(matters("#!/bin/sh\nif true; then\nfi\n"));
	assert_true(matters("\177ELF\nset -e\n"));
	assert_true(matters("#!/usr/bin/perl\nexit 0\n"));
	assert_true(matters(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needed),
		cmocka_unit_test(test_excluded),
		cmocka_unit_test(test_installed),
		cmocka_unit_test(test_preinst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
