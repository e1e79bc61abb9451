/* SPDX-License-Identifier: Apache-2.0 */
/* test_env_packages_own.c - the packages of devenv.local.ini: their lock, who may fill it, their stage, what they are resolved on. */
#include "unit/env_fixture.h"

#include "env/live.h"
#include "env/locking.h"
#include "env/packages.h"
#include "env/packages_stage.h"
#include "env/resolve.h"
#include "env/stages.h"

#define HEX    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define CONFIG "[base]\ndebian = bookworm\n[packages]\napt = jq\n[sandbox]\nnetwork = none\n"
#define OWN    "[packages]\napt = tree\n"

static char *package(const char *arch, const char *name, const char *more, const char *version, const char *sha256)
{
	return mem_printf("[package.%s.%s]\n%spath = pool/%s_%s.deb\nsha256 = %s\nsize = 1\nsuite = bookworm\nversion = %s\n", arch,
			  name, more, name, version, sha256, version);
}

static void write_shared(const char *version)
{
	const char *arch = debian_arch(oci_platform());
	cleanup_free char *libc = package(arch, "libc6", "in = base\n", version, HEX);
	cleanup_free char *jq = package(arch, "jq", "request = jq\n", "1", HEX);
	cleanup_free char *text = mem_printf("[base]\nrequest = debian:bookworm minimal main\n%s%s", jq, libc);

	fixture_write("devenv.lock", text);
}

/* `on`: NULL: what devenv.lock has now. */
static void write_own(const char *request, const char *on)
{
	cleanup_free char *more = mem_printf("request = %s\n", request), *text = NULL;
	cleanup_free char *tree = package(debian_arch(oci_platform()), request, more, "2", OTHER);
	struct err e = ERR_INIT;
	struct environment env;
	char below[DIGEST_MAX];

	fixture_open(&env);
	assert_done(stages_below_build(&env, below, &e), e);
	env_release(&env);
	text = mem_printf("%s[packages]\non.%s = %s\n", tree, oci_platform(), on ? on : below);
	fixture_write("devenv.local.lock", text);
}

static void forget(const char *name)
{
	cleanup_free char *path = mem_printf("home/src/shop/%s", name);

	unlinkat(tempfd, path, 0);
}

static void gaps_are(const char *expected)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct environment env;
	struct env_gaps gaps;

	fixture_open(&env);
	env_gaps_find(&env, &gaps);
	for (size_t i = 0; i < gaps.count; i++)
		buf_addf(&b, "%s%s%s: %s", i ? "; " : "", gaps.items[i].own ? "own " : "", gaps.items[i].name, gaps.items[i].reason);
	assert_string_equal(b.data, expected);
	env_gaps_release(&gaps);
	env_release(&env);
}

static void test_gaps(void **state)
{
	(void)state;
	fixture_write("devenv.ini", CONFIG);
	write_shared("1");
	gaps_are("");
	fixture_write("devenv.local.ini", OWN);
	gaps_are("own tree: not locked");
	write_own("tree", NULL);
	gaps_are("");
	/* what lies below has moved */
	write_own("tree", "sha256:" OTHER);
	gaps_are("own personal: the base or the packages below them are others now");
	write_own("tree", NULL);
	write_shared("2");
	gaps_are("own personal: the base or the packages below them are others now");
	write_own("tree", NULL);
	gaps_are("");
	/* another word; none at all; one that everybody has now */
	write_own("htop", NULL);
	gaps_are("own tree: not locked; own htop: devenv.local.ini no longer asks for htop");
	forget("devenv.local.ini");
	gaps_are("");
	fixture_write("devenv.local.ini", "[packages]\napt = jq\n");
	gaps_are("");
	fixture_write("devenv.local.ini", "[packages]\napt = jq tree\n");
	write_own("jq", NULL);
	gaps_are("own tree: not locked; own jq: devenv.ini asks for jq too, now");
	/* what everybody shares is not there, and not for one */
	fixture_write("devenv.local.ini", OWN);
	fixture_write("devenv.local.lock", "[base]\nrequest = debian:bookworm minimal main\n");
	gaps_are("own devenv.local.lock: devenv.local.lock has more than packages of devenv.local.ini");
	fixture_write("devenv.local.lock", "nonsense\n");
	gaps_are("own devenv.local.lock: devenv.local.lock:1: 'nonsense' is neither 'key = value' nor a [section]");
}

/* Nobody else's stage has another name for what one person adds; and [build] lies below it. */
static void test_stages(void **state)
{
	char plain[DIGEST_MAX], with[DIGEST_MAX], built[DIGEST_MAX], built_with[DIGEST_MAX], below[DIGEST_MAX], again[DIGEST_MAX];
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", CONFIG);
	write_shared("1");
	fixture_open(&env);
	assert_done(stages_digest(&env, plain, &e), e);
	assert_done(stages_below_build(&env, below, &e), e);
	assert_string_equal(plain, below);
	env_release(&env);
	fixture_write("devenv.local.ini", OWN);
	write_own("tree", NULL);
	fixture_open(&env);
	assert_done(stages_digest(&env, with, &e), e);
	assert_done(stages_below_build(&env, again, &e), e);
	assert_string_not_equal(with, plain);
	assert_string_equal(again, below);
	env_release(&env);
	fixture_write("devenv.ini", CONFIG "[build]\nrun = true\n");
	gaps_are(""); /* the build is nothing that they were resolved on */
	fixture_open(&env);
	assert_done(stages_digest(&env, built_with, &e), e);
	env_release(&env);
	forget("devenv.local.ini"); /* the lock alone changes nothing */
	fixture_open(&env);
	assert_done(stages_digest(&env, built, &e), e);
	assert_int_equal(env.local_lock.package_count, 0);
	env_release(&env);
	assert_string_not_equal(built, built_with);
	assert_string_not_equal(built, plain);
	assert_string_not_equal(built_with, with);
}

static void session(enum env_purpose purpose, bool interactive, bool locked, enum err_code code, const char *says)
{
	struct person p = { 0 };
	struct env_ui ui = person_ui(&p, interactive);
	struct env_options o = { .ui = &ui, .locked = locked, .yes = true, .offline = true };
	struct err e = ERR_INIT;
	struct environment env;
	int r;

	fixture_open(&env);
	r = locking_for_session(&env, purpose, &o, &e);
	if (code)
		assert_error(r, e, code, says);
	else
		assert_done(r, e);
	person_release(&p);
	env_release(&env);
}

/* Every session fills it in, with a terminal or without; but not where nothing is to be written. */
static void test_who_writes(void **state)
{
	static const char refused[] = "devenv.local.lock does not cover devenv.local.ini: tree: not locked";

	(void)state;
	fixture_write("devenv.ini", CONFIG);
	fixture_write("devenv.local.ini", OWN);
	write_shared("1");
	session(ENV_FOR_RUN, false, true, ERR_LOCK, refused);
	session(ENV_FOR_ENTER, true, true, ERR_LOCK, refused);
	assert_int_equal(setenv("CI", "true", 1), 0);
	session(ENV_FOR_ENTER, true, false, ERR_LOCK, refused);
	unsetenv("CI");
	/* offline that needs an index, which is as far as it can come here */
	session(ENV_FOR_RUN, false, false, ERR_OFFLINE, "");
	session(ENV_FOR_ENTER, false, false, ERR_OFFLINE, "");
	write_own("tree", NULL);
	session(ENV_FOR_RUN, false, true, ERR_NONE, NULL);
	session(ENV_FOR_RUN, false, false, ERR_NONE, NULL);
	fixture_write("devenv.local.lock", "nonsense\n");
	session(ENV_FOR_RUN, false, false, ERR_LOCK, "devenv.local.lock:1: ");
	/* What nothing asks for is in nobody's way, and goes where something may be written. */
	fixture_write("devenv.local.ini", "[env]\nA = 1\n");
	session(ENV_FOR_RUN, false, false, ERR_NONE, NULL);
	assert_true(file_exists(tempfd, "home/src/shop/devenv.local.lock")); /* nonsense is not ours */
	write_own("tree", NULL);
	session(ENV_FOR_RUN, false, true, ERR_NONE, NULL);
	assert_true(file_exists(tempfd, "home/src/shop/devenv.local.lock"));
	session(ENV_FOR_RUN, false, false, ERR_NONE, NULL);
	assert_false(file_exists(tempfd, "home/src/shop/devenv.local.lock"));
}

/* Only while devenv.local.ini asks for packages is the lock one of the files that a plan watches. */
static void test_watched(void **state)
{
	cleanup_free char *path = path_join(fixture_project, "devenv.local.lock");

	(void)state;
	fixture_write("devenv.ini", CONFIG);
	write_shared("1");
	for (int own = 0; own < 2; own++) {
		struct environment env;
		bool watched = false;

		if (own)
			fixture_write("devenv.local.ini", OWN);
		fixture_open(&env);
		for (size_t i = 0; i < env.file_count; i++)
			watched = watched || strcmp(env.files[i].path, path) == 0;
		assert_int_equal(watched, own);
		env_release(&env);
	}
}

static void test_names_and_live(void **state)
{
	cleanup_strlist struct strlist names = STRLIST_INIT, live = STRLIST_INIT;
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", CONFIG);
	fixture_write("devenv.local.ini", OWN);
	write_shared("1");
	write_own("tree", NULL);
	fixture_open(&env);
	packages_names(&env, &names);
	assert_true(strlist_has(&names, "personal"));
	assert_true(strlist_has(&names, "tree"));
	fixture_mkdir("state/devenv/checkouts");
	assert_done(dirs_private(env.state, &e), e);
	assert_done(live_record(&env, "0", "sha256:" HEX, "none", &e), e);
	assert_done(env_live_digests(&env, &live, &e), e);
	assert_true(strlist_has(&live, "sha256:" HEX));
	assert_true(strlist_has(&live, "sha256:" OTHER)); /* the package, not yet installed */
	env_release(&env);
}

/* ---- what they are resolved on ---- */

#define STANZA(name, version, more)                                                                          \
	"Package: " name "\nVersion: " version "\nArchitecture: all\nPriority: optional\nFilename: pool/" name "_" version \
	".deb\nSize: 9\nSHA256: " HEX "\n" more "\n"

static void put(struct resolved *list, const char *name, const char *version)
{
	struct lock_package p = { mem_strdup("amd64"), mem_strdup(name), false, mem_strdup(version), mem_strdup("pool/x.deb"),
				  mem_strdup("bookworm"), mem_strdup(HEX), NULL, 9 };

	resolved_put(list, &p);
}

struct question {
	const char *index, *status, *words;
	const char *below[2][2], *locked[2]; /* name and version */
};

static char *answer(const struct question *q)
{
	cleanup_strlist struct strlist words = STRLIST_INIT, present = STRLIST_INIT;
	struct debian_text text = DEBIAN_TEXT(q->index), status = DEBIAN_TEXT(q->status);
	unsigned int source = 0;
	char suite[] = "bookworm";
	struct debian_suite suites[] = { { .suite = suite } };
	struct debian_archive archive = { .suites = suites, .count = 1 };
	struct debian_indexes indexes = { .texts = &text, .sources = &source, .count = 1 };
	struct resolved below = { 0 }, locked = { 0 }, added = { 0 }, none = { 0 };
	struct resolve r = { .apt = &words, .apt_file = "devenv.local.ini", .apt_line = 2, .arch = "amd64", .archive = &archive,
			     .indexes = &indexes, .installed = &status, .below = &below, .locked = &locked };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;

	strlist_split(&words, q->words, " ");
	for (size_t i = 0; i < 2 && q->below[i][0]; i++)
		put(&below, q->below[i][0], q->below[i][1]);
	if (q->locked[0])
		put(&locked, q->locked[0], q->locked[1]);
	if (resolve_packages(&r, NULL, &added, &present, &none, &e))
		buf_addf(&b, "%s ", e.msg);
	for (size_t i = 0; i < added.count; i++)
		buf_addf(&b, "%s=%s%s ", added.items[i].name, added.items[i].version, added.items[i].request ? "!" : "");
	for (size_t i = 0; i < present.count; i++)
		buf_addf(&b, "(%s) ", present.items[i]);
	assert_int_equal(none.count, 0);
	resolved_release(&below);
	resolved_release(&locked);
	resolved_release(&added);
	return buf_steal(&b);
}

static void answers(struct question q, const char *expected)
{
	cleanup_free char *got = answer(&q);

	assert_string_equal(got, expected);
}

static void test_resolve(void **state)
{
	static const char index[] = STANZA("lib", "2", "") STANZA("lib", "3", "") STANZA("tool", "1", "Depends: lib\n")
		STANZA("new", "1", "Depends: lib (>= 2)\n") STANZA("other", "1", "") STANZA("old", "1", "Depends: lib (<< 1)\n");
	static const char image[] = "Package: lib\nStatus: install ok installed\nVersion: 0\nArchitecture: all\n\n"
				    "Package: base\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n";

	(void)state;
	/* nothing of what is below comes again, and a word that it answers is there */
	answers((struct question){ index, "", "tool", { { "lib", "2" } }, { NULL } }, "tool=1! ");
	answers((struct question){ index, "", "lib other", { { "lib", "2" } }, { NULL } }, "other=1! (lib) ");
	/* not even where the archive has forgotten it */
	answers((struct question){ index, "", "tool", { { "lib", "1" } }, { NULL } }, "tool=1! ");
	/* what needs a later one brings it along, over the one that everybody has: the newest, or the one that was locked */
	answers((struct question){ index, "", "new", { { "lib", "1" } }, { NULL } }, "lib=3 new=1! ");
	answers((struct question){ index, "", "new", { { "lib", "1" } }, { "lib", "2" } }, "lib=2 new=1! ");
	answers((struct question){ index, "", "tool", { { "lib", "1" } }, { "lib", "2" } }, "tool=1! ");
	/* on an image: its own packages, but for those that [packages] has put others over */
	answers((struct question){ index, image, "base new", { { "lib", "2" } }, { NULL } }, "new=1! (base) ");
	answers((struct question){ index, image, "old", { { NULL } }, { NULL } }, "old=1! ");
	answers((struct question){ index, image, "old", { { "lib", "2" } }, { NULL } },
		"devenv.local.ini:2: [packages] apt: old can't be installed: old 1 needs lib (<< 1), and the newest is 3 ");
	answers((struct question){ index, image, "tool=2", { { "lib", "2" } }, { NULL } },
		"devenv.local.ini:2: [packages] apt: there is no version 2 of tool; there is 1 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_gaps),    fixture_test(test_stages),		fixture_test(test_who_writes),
		fixture_test(test_watched), fixture_test(test_names_and_live), fixture_test(test_resolve),
	};

	return cmocka_run_group_tests_name("env_packages_own", tests, NULL, NULL);
}
