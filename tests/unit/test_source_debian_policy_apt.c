/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preferences beside apt-cache policy, on suites written here: the same candidate for every package. What apt and we are told is the
 * same: Release files, Packages, a status file, preferences. Skipped where there is no apt.
 */
#include "debian_apt.h"

#include "source/debian_policy.h"

#define P(name, version) "Package: " name "\nVersion: " version "\nArchitecture: all\nMaintainer: t\nDescription: t\nFilename: x\nSize: 1\n\n"
#define I(name, version) "Package: " name "\nStatus: install ok installed\nVersion: " version "\nArchitecture: all\nMaintainer: t\nDescription: t\n\n"

static const struct {
	const char *suite, *fields, *packages;
} suites[] = {
	{ "stable", "Codename: bookworm\nOrigin: Debian\nLabel: Debian\nVersion: 12.5\n", P("aa", "1") P("bb", "1") P("ab", "2:1") P("ee", "5") },
	{ "backports", "Codename: bookworm-backports\nOrigin: Debian Backports\nNotAutomatic: yes\nButAutomaticUpgrades: yes\n",
	  P("aa", "2") P("bb", "2") P("cc", "2") },
	{ "experimental", "Codename: rc-buggy\nOrigin: Debian\nNotAutomatic: yes\n", P("aa", "3") P("bb", "3") P("dd", "3") P("ab", "2:3") P("ee", "5") },
	{ "others", "Codename: others\nOrigin: Others\nLabel: debian\n", P("aa", "1.5") P("bb", "0.5") P("ab", "9") P("ee", "4.9") },
};

static struct debian_origin origins[] = {
	{ .archive = (char *)"stable", .codename = (char *)"bookworm", .origin = (char *)"Debian", .label = (char *)"Debian",
	  .version = (char *)"12.5", .component = (char *)"main", .site = (char *)"", .priority = 500 },
	{ .archive = (char *)"backports", .codename = (char *)"bookworm-backports", .origin = (char *)"Debian Backports",
	  .component = (char *)"main", .site = (char *)"", .priority = 100 },
	{ .archive = (char *)"experimental", .codename = (char *)"rc-buggy", .origin = (char *)"Debian", .component = (char *)"main",
	  .site = (char *)"", .priority = 1 },
	{ .archive = (char *)"others", .codename = (char *)"others", .origin = (char *)"Others", .label = (char *)"debian",
	  .component = (char *)"main", .site = (char *)"", .priority = 500 },
};

static const char status[] = I("bb", "1.7") I("dd", "2");

static const char *const preferences[] = {
	"",
	"Package: *\nPin: release a=backports\nPin-Priority: 600\n",
	"Package: *\nPin: release a=backports\nPin-Priority: 100\n\nPackage: *\nPin: release o=Debian\nPin-Priority: 800\n",
	"Package: *\nPin: release n=bookworm*\nPin-Priority: 900\n",
	"Package: *\nPin: release l=debian\nPin-Priority: 900\n",
	"Package: *\nPin: release v=12*\nPin-Priority: 1001\n",
	"Package: *\nPin: release v=12\nPin-Priority: 1001\n",
	"Package: *\nPin: release 12.5\nPin-Priority: 1001\n",
	"Package: *\nPin: release rc-buggy\nPin-Priority: 900\n",
	"Package: *\nPin: release experimental\nPin-Priority: 900\n",
	"Package: *\nPin: release o=Debian Backports, c=main\nPin-Priority: 900\n",
	"Package: *\nPin: release c=contrib\nPin-Priority: 900\n",
	"Package: *\nPin: release o=Others\nPin-Priority: -1\n",
	"Package: *\nPin: release o=*\nPin-Priority: -1\n",
	"Package: *\nPin: origin \"\"\nPin-Priority: 50\n",
	"Package: *\nPin: origin \"x.example.org\"\nPin-Priority: 990\n",
	"Package: aa\nPin: version 1\nPin-Priority: 501\n",
	"Package: aa bb\nPin: version 0.5\nPin-Priority: 999\n",
	"Package: aa bb\nPin: version 0.5\nPin-Priority: 1000\n",
	"Package: a*\nPin: version *3*\nPin-Priority: 700\n",
	"Package: a? b?\nPin: release n=rc-buggy\nPin-Priority: 700\n",
	"Package: a[b]\nPin: release o=Others\nPin-Priority: 700\n",
	"Package: aa\nPin: release o=Debian\nPin-Priority: -5\n",
	"Package: ee\nPin: release n=rc-buggy\nPin-Priority: -1\n",
	"Package: ee\nPin: release n=rc-buggy\nPin-Priority: 400\n",
	"Package: ee\nPin: release n=rc-buggy\nPin-Priority: 400\n\nPackage: e*\nPin: release n=bookworm\nPin-Priority: 600\n",
	"Package: e*\nPin: release n=bookworm\nPin-Priority: 600\n\nPackage: ee\nPin: release n=rc-buggy\nPin-Priority: 400\n",
	"Package: bb\nPin: version 1.7\nPin-Priority: 700\n",
	"Package: bb\nPin: version 1.7\nPin-Priority: -1\n",
	"Package: *\nPin: release o=Others\nPin-Priority: 990\n\nPackage: a*\nPin: version 1\nPin-Priority: 10\n\nPackage: aa\nPin: version 1\nPin-Priority: 995\n",
	"# nothing\n\nExplanation: words\nPackage: aa\n# between\nPin: version 2\nPin-Priority: 501\n",
};

static void write_suite(const char *dir, size_t i)
{
	cleanup_free char *at = mem_printf("%s/www/dists/%s", dir, suites[i].suite), *make = mem_printf("mkdir -p %s/main/binary-amd64", at);
	cleanup_free char *sum = mem_printf("cd %s && printf 'Suite: %s\\n%sDate: Sat, 01 Jan 2022 00:00:00 UTC\\nArchitectures: amd64 all\\nComponents: main\\nSHA256:\\n %%s %%s main/binary-amd64/Packages\\n' "
					    "$(sha256sum <main/binary-amd64/Packages | cut -d' ' -f1) $(stat -c %%s main/binary-amd64/Packages) >Release",
					    at, suites[i].suite, suites[i].fields);

	assert_int_equal(system(make), 0);
	write_text(at, "main/binary-amd64/Packages", suites[i].packages);
	assert_int_equal(system(sum), 0);
}

static bool set_up(const char *dir)
{
	cleanup_free char *make = mem_printf("mkdir -p %s/etc/apt.conf.d %s/etc/preferences.d %s/state/lists/partial %s/cache/archives/partial", dir, dir, dir, dir);
	cleanup_free char *conf = mem_printf("Dir \"%s\";\nDir::State \"%s/state\";\nDir::State::status \"%s/status\";\nDir::Cache \"%s/cache\";\n"
					     "Dir::Etc \"%s/etc\";\nAPT::Architecture \"amd64\";\nAPT::Architectures { \"amd64\"; };\n"
					     "Acquire::Languages \"none\";\nAcquire::GzipIndexes \"false\";\nAPT::Sandbox::User \"\";\n", dir, dir, dir, dir, dir);
	cleanup_free char *update = mem_printf("APT_CONFIG=%s/apt.conf apt-get update -q >%s/log 2>&1", dir, dir);
	cleanup_buf struct buf sources = BUF_INIT;

	if (system(make) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(suites); i++) {
		write_suite(dir, i);
		buf_addf(&sources, "deb [trusted=yes] file:%s/www %s main\n", dir, suites[i].suite);
	}
	write_text(dir, "apt.conf", conf);
	write_text(dir, "etc/sources.list", sources.data);
	write_text(dir, "status", status);
	return system(update) == 0;
}

static const char *const names[] = { "aa", "ab", "bb", "cc", "dd", "ee" };

/* "aa=1 bb=2 ..." of what apt would take. */
static char *ask_apt(const char *dir)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;
	cleanup_free char *command = mem_printf("APT_CONFIG=%s/apt.conf LC_ALL=C apt-cache policy aa ab bb cc dd ee | sed -n 's/^  Candidate: //p'", dir);
	struct buf b = BUF_INIT;

	lines_of(command, &lines);
	assert_int_equal(lines.count, ARRAY_SIZE(names));
	for (size_t i = 0; i < lines.count; i++)
		buf_addf(&b, "%s=%s ", names[i], lines.items[i]);
	return buf_steal(&b);
}

/* The version that one of ours would become, or is. */
static void add_ours(const struct debian_universe *u, const char *name, struct buf *b)
{
	cleanup_strlist struct strlist wanted = STRLIST_INIT;
	struct debian_goal goal = { .wanted = &wanted, .priority = -1 };
	struct debian_solution s = { 0 };
	struct debian_text version = DEBIAN_TEXT("(none)");
	struct err e = ERR_INIT;
	size_t first, n = debian_universe_find(u, DEBIAN_TEXT(name), &first);

	strlist_add(&wanted, name);
	for (size_t i = first; i < first + n; i++)
		if (u->packages[i].installed)
			version = u->packages[i].version;
	if (debian_solve(u, &goal, &s, &e) == 0 && s.count)
		version = u->packages[s.packages[0]].version;
	buf_addf(b, "%s=%.*s ", name, (int)version.len, version.at);
	debian_solution_release(&s);
}

static char *ask_ours(const char *text)
{
	struct debian_preferences p = { 0 };
	struct strlist warnings = STRLIST_INIT;
	struct debian_universe u;
	struct buf b = BUF_INIT;

	debian_preferences_parse("preferences", DEBIAN_TEXT(text), &p, &warnings);
	assert_int_equal(warnings.count, 0);
	debian_universe_init(&u, "amd64");
	u.policy = (struct debian_policy){ &p, origins, ARRAY_SIZE(origins) };
	for (unsigned int i = 0; i < ARRAY_SIZE(suites); i++)
		debian_universe_add(&u, DEBIAN_TEXT(suites[i].packages), i);
	debian_universe_add_installed(&u, DEBIAN_TEXT(status));
	debian_universe_sort(&u);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_ours(&u, names[i], &b);
	debian_universe_release(&u);
	debian_preferences_release(&p);
	strlist_release(&warnings);
	return buf_steal(&b);
}

static void test_candidates_of_apt(void **state)
{
	cleanup_free char *dir = mem_printf("%s/apt", tempdir);
	size_t different = 0;

	(void)state;
	if (system("command -v apt-cache >/dev/null") != 0 || !set_up(dir)) {
		print_message("skipped: apt can't be used here\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(preferences); i++) {
		cleanup_free char *theirs = NULL, *ours = NULL;

		write_text(dir, "etc/preferences", preferences[i]);
		theirs = ask_apt(dir);
		ours = ask_ours(preferences[i]);
		if (strcmp(theirs, ours) != 0) {
			print_message("%s  apt: %s\n  devenv: %s\n", preferences[i], theirs, ours);
			different++;
		}
	}
	assert_int_equal(different, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_candidates_of_apt) };

	return cmocka_run_group_tests(tests, tempdir_setup, tempdir_teardown);
}
