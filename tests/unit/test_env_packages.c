/* SPDX-License-Identifier: Apache-2.0 */
/* test_env_packages.c - packages against the lock, offline; names of stages; the order for dpkg; what is resolved stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "env/packages.h"
#include "env/packages_dpkg.h"
#include "env/packages_internal.h"
#include "env/packages_order.h"
#include "env/packages_stage.h"
#include "env/resolve.h"
#include "source/debian_archive.h"

#define HEX    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define REST   "sha256 = " HEX "\nsize = 1\nsuite = bookworm\nversion = "
#define BASE   "[base]\nrequest = debian:bookworm minimal main\n"
#define IMAGE  "[base]\nmanifest.%s = sha256:" HEX "\nrequest = docker.io/library/debian:12\n"

static const char *arch(void)
{
	return debian_arch(oci_platform());
}

static void open_env(struct environment *env, const char *config, const char *lock)
{
	struct err e = ERR_INIT;

	memset(env, 0, sizeof(*env));
	env->lock_text = BUF_INIT;
	if (config_parse("devenv.ini", config, strlen(config), &env->config, &e) ||
	    lock_parse("devenv.lock", lock, strlen(lock), &env->lock, &e))
		fail_msg("%s", e.msg);
	env->has_lock = true;
}

static void close_env(struct environment *env)
{
	config_release(&env->config);
	lock_release(&env->lock);
}

static char *package(const char *architecture, const char *name, const char *more, const char *version)
{
	return mem_printf("[package.%s.%s]\n%spath = pool/%s_%s.deb\n" REST "%s\n", architecture, name, more, name, version, version);
}

static void gaps_are(const char *config, const char *lock, const char *expected)
{
	struct environment env;
	struct env_gaps gaps = { 0 };
	struct buf b = BUF_INIT;

	open_env(&env, config, lock);
	packages_gaps(&env, &gaps);
	for (size_t i = 0; i < gaps.count; i++) {
		cleanup_free char *text = env_gap_text(&gaps.items[i], true);

		assert_non_null(gaps.items[i].platform);
		buf_addf(&b, "%s%s", i ? "; " : "", text);
	}
	assert_string_equal(b.data, expected);
	buf_release(&b);
	env_gaps_release(&gaps);
	close_env(&env);
}

static void test_gaps(void **state)
{
	cleanup_free char *libc = package(arch(), "libc6", "in = base\n", "1"), *jq = package(arch(), "jq", "request = jq\n", "1");
	cleanup_free char *onig = package(arch(), "libonig5", "", "1");
	cleanup_free char *whole = mem_printf(BASE "%s%s%s", libc, jq, onig), *base_only = mem_printf(BASE "%s", libc);
	cleanup_free char *image = mem_printf(IMAGE "%s[packages]\non.%s = sha256:" HEX "\npresent.%s = curl\n", oci_platform(), jq,
					      oci_platform(), oci_platform());
	cleanup_free char *other = mem_printf(IMAGE "%s", oci_platform(), jq);

	(void)state;
	gaps_are("[base]\ndebian = bookworm\n[packages]\napt = jq\n", whole, "");
	gaps_are("[base]\ndebian = bookworm\n", base_only, "");
	gaps_are("[base]\ndebian = bookworm\n", "", "base: not locked");
	gaps_are("[base]\ndebian = trixie\n", base_only,
		 "base: devenv.ini asks for debian:trixie minimal main, the lock answers debian:bookworm minimal main");
	gaps_are("[base]\ndebian = bookworm\ncomponents = contrib\n", base_only,
		 "base: devenv.ini asks for debian:bookworm minimal contrib main, the lock answers debian:bookworm minimal main");
	gaps_are("[base]\ndebian = bookworm\n[packages]\napt = jq tree\n", whole, "tree: not locked");
	gaps_are("[base]\ndebian = bookworm\n[packages]\napt = jq=1\n", whole, "jq: not locked; jq: devenv.ini no longer asks for jq");
	gaps_are("[base]\ndebian = bookworm\n", whole,
		 "jq: devenv.ini no longer asks for jq; packages: devenv.ini no longer asks for any");
	gaps_are("[base]\nimage = debian:12\n[packages]\napt = jq curl\n", image, "");
	gaps_are("[base]\nimage = debian:12\n[packages]\napt = jq\n", image, "curl: devenv.ini no longer asks for it");
	gaps_are("[base]\nimage = debian:12\n[packages]\napt = jq\n", "", "jq: not locked");
	{
		/* what several platforms lack is said once, and where only another lacks it, which */
		const char *foreign = strcmp(oci_platform(), "linux/arm64") == 0 ? "linux/amd64" : "linux/arm64";
		cleanup_free char *two = mem_printf("[devenv]\nplatforms = linux/amd64 linux/arm64\n[base]\ndebian = bookworm\n[packages]\n"
						    "apt = jq\n");
		cleanup_free char *expected = mem_printf("base: no packages for %s; jq: not locked for %s", foreign, foreign);

		gaps_are(two, "", "base: not locked; jq: not locked");
		gaps_are(two, whole, expected);
	}
	{
		cleanup_free char *expected = mem_printf("packages: the lock has them for another image of %s", oci_platform());

		gaps_are("[base]\nimage = debian:12\n[packages]\napt = jq\n", other, expected);
	}
}

/* The same lock has the same names; a version more, another release, another order of lines. */
static void test_stage_names(void **state)
{
	cleanup_free char *libc = package(arch(), "libc6", "in = base\n", "1"), *newer = package(arch(), "libc6", "in = base\n", "2");
	cleanup_free char *jq = package(arch(), "jq", "request = jq\n", "1"), *same = package(arch(), "jq", "", "1");
	const char *const texts[][2] = { { libc, jq }, { jq, libc }, { libc, same }, { newer, jq }, { libc, "" } };
	char base[5][DIGEST_MAX], added[5][DIGEST_MAX];
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		cleanup_free char *text = mem_printf(BASE "%s%s", texts[i][0], texts[i][1]);
		struct lock l;

		assert_int_equal(lock_parse("devenv.lock", text, strlen(text), &l, &e), 0);
		assert_int_equal(packages_stage_base_digest(&l, oci_platform(), base[i], &e), 0);
		packages_stage_added_digest(&l, oci_platform(), base[i], added[i]);
		assert_int_equal(packages_stage_base_digest(&l, "linux/s390x", added[4], &e), -1);
		lock_release(&l);
	}
	assert_string_equal(base[0], base[1]);
	assert_string_equal(added[0], added[1]);
	assert_string_equal(added[0], added[2]); /* who asks for it changes nothing */
	assert_string_not_equal(base[0], base[3]);
	assert_string_not_equal(added[0], added[3]);
	assert_string_not_equal(added[0], base[0]);
	assert_string_equal(base[4], base[0]);
}

static void test_order(void **state)
{
	static const char *const stanzas[] = {
		"Package: app\nPre-Depends: runtime (>= 1)\nDepends: data\n",
		"Package: data\n",
		"Package: lib\nProvides: runtime-lib\n",
		"Package: runtime\nDepends: runtime-lib | other\n",
		"Package: top\nPre-Depends: app\n",
		"Package: circle-a\nPre-Depends: circle-b\n",
		"Package: circle-b\nPre-Depends: circle-a\n",
	};
	struct packages_control c[ARRAY_SIZE(stanzas)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stanzas); i++) {
		c[i] = (struct packages_control){ .stanza = DEBIAN_TEXT(stanzas[i]) };
		debian_control_field(c[i].stanza, "Package", &c[i].name);
	}
	assert_int_equal(packages_order(c, ARRAY_SIZE(stanzas), "amd64"), 3);
	assert_int_equal(c[3].batch, 0); /* runtime, with lib that it depends on, before app; app before top */
	assert_int_equal(c[2].batch, 0);
	assert_int_equal(c[0].batch, 1);
	assert_int_equal(c[1].batch, 1);
	assert_int_equal(c[4].batch, 2);
	assert_int_equal(c[5].batch, c[6].batch);
	for (size_t i = 0; i < ARRAY_SIZE(stanzas); i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(c[i].place, c[k].place);
	assert_true(c[2].place < c[3].place && c[3].place < c[1].place); /* lib, runtime; data, then app, which depends on it; top */
	assert_true(c[1].place < c[0].place && c[0].place < c[4].place);
	assert_int_equal(packages_order(c, 0, "amd64"), 1);
}

/* As long a chain as a lock may have: no stack may be as deep. */
static void test_order_of_many(void **state)
{
	enum { COUNT = 20000 };
	struct packages_control *c = mem_array(COUNT, sizeof(*c));
	char **texts = mem_array(COUNT, sizeof(*texts));
	const struct rlimit little = { 512 << 10, RLIM_INFINITY };
	int status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		texts[i] = mem_printf("Package: p%zu\nProvides: v%zu\nDepends: v%zu, p%zu\n", i, i, i + 1, i / 2);
		c[i] = (struct packages_control){ .stanza = DEBIAN_TEXT(texts[i]) };
		debian_control_field(c[i].stanza, "Package", &c[i].name);
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_STACK, &little);
		if (packages_order(c, COUNT, "amd64") != 1)
			_exit(1);
		for (size_t i = 0; i < COUNT; i++)
			if (c[i].place != COUNT - 1 - i)
				_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < COUNT; i++)
		free(texts[i]);
	free(texts);
	free(c);
}

/* ---- what dpkg is told ---- */

#define DPKG "dpkg --force-unsafe-io --force-confdef --force-confold --log=/dev/null"
#define DEB(name) " /run/devenv-debs/" name "_aaaaaaaaaaaa.deb"

/* The script of a base of these packages, of which those named in `by_dpkg` are dpkg's to unpack. */
static char *base_script(const char *const *stanzas, size_t count, const char *by_dpkg)
{
	struct packages_control *c = mem_array(count + 1, sizeof(*c));
	const struct lock_package **locked = mem_array(count + 1, sizeof(*locked));
	struct lock_package *packages = mem_array(count + 1, sizeof(*packages));
	char *script;

	for (size_t i = 0; i < count; i++) {
		c[i].stanza = DEBIAN_TEXT(stanzas[i]);
		debian_control_field(c[i].stanza, "Package", &c[i].name);
		packages[i].name = debian_text_dup(c[i].name);
		packages[i].sha256 = (char *)HEX;
		locked[i] = &packages[i];
		c[i].by_dpkg = strstr(by_dpkg, packages[i].name) != NULL;
	}
	script = packages_dpkg_base(locked, c, count, "amd64");
	for (size_t i = 0; i < count; i++)
		free(packages[i].name);
	free(packages);
	free(locked);
	free(c);
	return script;
}

static void script_is(const char *const *stanzas, size_t count, const char *by_dpkg, const char *expected)
{
	char *script = base_script(stanzas, count, by_dpkg);

	assert_string_equal(script, expected);
	free(script);
}

/* Essential, and all that those need, however far. */
static void test_order_system(void **state)
{
	static const char *const stanzas[] = {
		"Package: bash\nEssential: yes\nDepends: debianutils\nPre-Depends: runtime-lib\n",
		"Package: debianutils\nDepends: deeper\n",
		"Package: deeper\n",
		"Package: lib\nProvides: runtime-lib\n",
		"Package: apt\nDepends: deeper\nEssential: no\n",
	};
	struct packages_control c[ARRAY_SIZE(stanzas)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stanzas); i++) {
		c[i] = (struct packages_control){ .stanza = DEBIAN_TEXT(stanzas[i]) };
		debian_control_field(c[i].stanza, "Package", &c[i].name);
	}
	packages_order_system(c, ARRAY_SIZE(stanzas), "amd64");
	for (size_t i = 0; i < 4; i++)
		assert_true(c[i].in_system);
	assert_false(c[4].in_system);
}

static void test_base_script(void **state)
{
	static const char *const stanzas[] = {
		"Package: app\nPre-Depends: runtime\n",
		"Package: base-files\nEssential: yes\n",
		"Package: base-passwd\nEssential: yes\nDepends: libc\n",
		"Package: libc\n",
		"Package: other\n",
		"Package: runtime\nDepends: libc\n",
	};

	(void)state;
	script_is(stanzas, 6, "", DPKG " --configure -a\n");
	/* the system by its own order, accounts first, and no turn of its own where nothing follows */
	script_is(stanzas, 6, "base-files base-passwd libc",
		  DPKG " --force-depends --no-triggers --unpack" DEB("base-passwd") DEB("base-files") DEB("libc") "\n" DPKG
		       " --configure -a\n");
	/* what it pre-depends on is configured before, and the system before all that */
	script_is(stanzas, 6, "app other",
		  DPKG " --no-triggers --configure base-files base-passwd libc\n" DPKG " --no-triggers --configure runtime\n" DPKG
		       " --no-triggers --unpack" DEB("app") DEB("other") "\n" DPKG " --configure -a\n");
}

/* ---- resolving ---- */

#define STANZA(name, version, more)                                                                          \
	"Package: " name "\nVersion: " version "\nArchitecture: all\nPriority: optional\nFilename: pool/" name "_" version \
	".deb\nSize: 9\nSHA256: " HEX "\n" more "\n"
#define NEEDED(name, version) STANZA(name, version, "Essential: yes\n")

static char *solved(const char *index, const char *config, const char *lock, bool all_moving)
{
	struct environment env;
	struct debian_text text = DEBIAN_TEXT(index);
	unsigned int source = 0;
	char suite[] = "bookworm";
	struct debian_suite suites[] = { { .suite = suite } };
	struct debian_archive archive = { .suites = suites, .count = 1 };
	struct debian_indexes indexes = { .texts = &text, .sources = &source, .count = 1 };
	struct resolved locked = { 0 }, base = { 0 }, added = { 0 }, again = { 0 };
	struct resolve r = { .env = &env, .arch = "amd64", .archive = &archive, .indexes = &indexes, .locked = &locked,
			     .apt = &env.config.packages_apt, .all_moving = all_moving };
	struct strlist present = STRLIST_INIT;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;

	open_env(&env, config, lock);
	for (size_t i = 0; i < env.lock.package_count; i++)
		resolved_put(&locked, &env.lock.packages[i]);
	env.lock.package_count = 0;
	if (resolve_base(&r, &base, &e) || resolve_packages(&r, &base, &added, &present, &again, &e))
		buf_addf(&b, "%s (%s)", e.msg, e.hint);
	for (size_t i = 0; i < base.count; i++)
		buf_addf(&b, "%s=%s%s%s ", base.items[i].name, base.items[i].version, strcmp(base.items[i].sha256, HEX) == 0 ? "" : "*",
			 base.items[i].request ? "!" : "");
	for (size_t i = 0; i < added.count; i++)
		buf_addf(&b, "+%s=%s%s ", added.items[i].name, added.items[i].version, added.items[i].request ? "!" : "");
	for (size_t i = 0; i < again.count; i++)
		buf_addf(&b, "again:%s=%s ", again.items[i].name, again.items[i].version);
	resolved_release(&locked);
	resolved_release(&base);
	resolved_release(&added);
	resolved_release(&again);
	strlist_release(&present);
	close_env(&env);
	return buf_steal(&b);
}

static void solves(const char *index, const char *config, const char *lock, bool moving, const char *expected)
{
	cleanup_free char *got = solved(index, config, lock, moving);

	assert_string_equal(got, expected);
}

static void test_resolve(void **state)
{
	static const char config[] = "[base]\ndebian = bookworm\n[packages]\napt = tool\n";
	static const char index[] = NEEDED("libc", "2") STANZA("apt", "2", "Depends: libc\n")
		STANZA("tool", "2", "Depends: part, libc (>= 1)\n") STANZA("part", "2", "");
	cleanup_free char *libc = package("amd64", "libc", "in = base\n", "1"), *part = package("amd64", "part", "", "1");
	cleanup_free char *apt = package("amd64", "apt", "in = base\n", "2");
	cleanup_free char *lock = mem_printf(BASE "%s%s%s", libc, apt, part);

	(void)state;
	solves(index, config, "", false, "apt=2 libc=2 +part=2 +tool=2! ");
	/* what is locked stays, though the archive has forgotten it; unless it may move */
	solves(index, config, lock, false, "apt=2 libc=1 +part=1 +tool=2! ");
	solves(index, config, lock, true, "apt=2 libc=2 +part=2 +tool=2! ");
	/* a word that the base answers is marked there; one that is provided, on who provides it */
	solves(index, "[base]\ndebian = bookworm\n[packages]\napt = libc\n", "", false, "apt=2 libc=2! ");
	solves(NEEDED("libc", "2") STANZA("apt", "2", "") STANZA("mawk", "1", "Provides: awk\n"),
	       "[base]\ndebian = bookworm\n[packages]\napt = awk\n", "", false, "apt=2 libc=2 +mawk=1! ");
}

/* What came along as an answer to alternatives stays when something new is another one; not what is in its way, nor what nobody names. */
static void test_resolve_keeps_answers(void **state)
{
	static const char one[] = "[base]\ndebian = bookworm\n[packages]\napt = tool\n", two[] = "[base]\ndebian = bookworm\n[packages]\napt = more tool\n";
	static const char common[] = NEEDED("libc", "2") STANZA("apt", "2", "") STANZA("tool", "1", "Depends: part | big\n") STANZA("part", "1", "");
	cleanup_free char *index = mem_printf("%s%s", common, STANZA("big", "1", "") STANZA("more", "1", "Depends: big\n"));
	cleanup_free char *apart = mem_printf("%s%s", common, STANZA("big", "1", "Conflicts: part\n") STANZA("more", "1", "Depends: big\n"));
	cleanup_free char *libc = package("amd64", "libc", "in = base\n", "2"), *apt = package("amd64", "apt", "in = base\n", "2");
	cleanup_free char *part = package("amd64", "part", "", "1"), *tool = package("amd64", "tool", "request = tool\n", "1");
	cleanup_free char *lock = mem_printf(BASE "%s%s%s%s", libc, apt, part, tool);

	(void)state;
	solves(index, two, "", false, "apt=2 libc=2 +big=1 +more=1! +tool=1! ");
	solves(index, two, lock, false, "apt=2 libc=2 +big=1 +more=1! +part=1 +tool=1! ");
	solves(index, two, lock, true, "apt=2 libc=2 +big=1 +more=1! +tool=1! ");
	solves(apart, two, lock, false, "apt=2 libc=2 +big=1 +more=1! +tool=1! ");
	solves(index, "[base]\ndebian = bookworm\n[packages]\napt = more\n", lock, false, "apt=2 libc=2 +big=1 +more=1! ");
	solves(index, one, lock, false, "apt=2 libc=2 +part=1 +tool=1! ");
}

/* The base follows when what stands on it can't do without. */
static void test_resolve_moves_the_base(void **state)
{
	static const char index[] = NEEDED("libc", "2") STANZA("apt", "2", "") STANZA("tool", "2", "Depends: libc (= 2)\n");
	cleanup_free char *libc = package("amd64", "libc", "in = base\n", "1"), *apt = package("amd64", "apt", "in = base\n", "2");
	cleanup_free char *lock = mem_printf(BASE "%s%s", libc, apt);

	(void)state;
	solves(index, "[base]\ndebian = bookworm\n[packages]\napt = tool\n", lock, false,
	       "apt=2 libc=1 +libc=2 +tool=2! again:libc=2 ");
}

#define OTHER_HEX "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* What may move is what the archive has now, also when that is lower, or another file of the same version. */
static void test_update(void **state)
{
	static const char config[] = "[base]\ndebian = bookworm\n[packages]\napt = tool\n";
	static const char index[] = NEEDED("libc", "2") STANZA("apt", "2", "Depends: libc\n") STANZA("tool", "2", "Depends: libc (>= 1)\n");
	cleanup_free char *libc = package("amd64", "libc", "in = base\n", "3"), *tool = package("amd64", "tool", "request = tool\n", "2.1");
	cleanup_free char *apt = package("amd64", "apt", "in = base\n", "2"), *lock = mem_printf(BASE "%s%s%s", libc, apt, tool);
	static const char damaged[] = BASE "[package.amd64.libc]\nin = base\npath = pool/libc_2.deb\nsha256 = " OTHER_HEX
				      "\nsize = 1\nsuite = bookworm\nversion = 2\n";

	(void)state;
	solves(index, config, lock, false, "apt=2 libc=3 +tool=2.1! ");
	solves(index, config, lock, true, "apt=2 libc=2 +tool=2! ");
	solves(index, config, damaged, false, "apt=2 libc=2* +tool=2! ");
	solves(index, config, damaged, true, "apt=2 libc=2 +tool=2! ");
}

/* name=version of a package that the base has moves the base. */
static void test_pins_of_the_base(void **state)
{
	static const char index[] = NEEDED("libc", "2") NEEDED("libc", "1") STANZA("apt", "2", "");

	(void)state;
	solves(index, "[base]\ndebian = bookworm\n[packages]\napt = libc=1\n", "", false, "apt=2 libc=1! ");
	solves(index, "[base]\ndebian = bookworm\n[packages]\napt = libc=7\n", "", false,
	       ":0: [packages] apt: there is no version 7 of libc; there are 2, 1 ()apt=2 libc=2 ");
}

static void changes_are(const char *before, const char *after, const char *expected)
{
	struct resolved old = { 0 }, new = { 0 }, *const lists[] = { &old, &new };
	const char *const texts[] = { before, after };
	struct env_changes changes = { 0 };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;

	for (size_t k = 0; k < 2; k++) {
		struct lock l;

		if (lock_parse("devenv.lock", texts[k], strlen(texts[k]), &l, &e) < 0)
			fail_msg("%s", e.msg);
		for (size_t i = 0; i < l.package_count; i++)
			resolved_put(lists[k], &l.packages[i]);
		l.package_count = 0;
		lock_release(&l);
	}
	packages_note_changes(&changes, oci_platform(), &old, &new);
	for (size_t i = 0; i < changes.count; i++)
		buf_addf(&b, "%s: %s -> %s;", changes.items[i].name, changes.items[i].before, changes.items[i].after);
	assert_string_equal(b.data ? b.data : "", expected);
	buf_release(&b);
	env_changes_release(&changes);
	resolved_release(&old);
	resolved_release(&new);
}

static void test_changes(void **state)
{
#define ENTRY(more) "[package.amd64.jq]\n" more
#define JQ(path, sha, size, suite, version) \
	ENTRY("path = " path "\nsha256 = " sha "\nsize = " size "\nsuite = " suite "\nversion = " version "\n")
	static const char jq[] = JQ("pool/jq.deb", HEX, "1", "bookworm", "1");

	(void)state;
	changes_are(jq, jq, "");
	changes_are(jq, JQ("pool/jq.deb", HEX, "1", "bookworm", "2"), "jq: 1 -> 2;");
	changes_are(jq, JQ("pool/jq.deb", OTHER_HEX, "1", "bookworm", "1"), "jq: 1 sha256:aaaaaaaaaaaa -> 1 sha256:bbbbbbbbbbbb;");
	changes_are(jq, JQ("pool/jq.deb", HEX, "2", "bookworm", "1"), "jq: 1 of 1 bytes -> 1 of 2 bytes;");
	changes_are(jq, JQ("pool/other.deb", HEX, "1", "bookworm", "1"), "jq: 1 pool/jq.deb -> 1 pool/other.deb;");
	changes_are(jq, JQ("pool/jq.deb", HEX, "1", "bookworm-security", "1"), "jq: 1 of bookworm -> 1 of bookworm-security;");
	changes_are(jq, "", "jq: 1 -> ;");
	changes_are("", jq, "jq:  -> 1;");
}

/* Architectures that `platforms` does not name any more leave the lock. */
static void test_platforms_that_left(void **state)
{
	cleanup_free char *here = package("amd64", "jq", "", "1"), *there = package("arm64", "jq", "", "1");
	cleanup_free char *base = package("arm64", "libc6", "in = base\n", "1");
	cleanup_free char *text = mem_printf(BASE "%s%s%s[packages]\non.linux/amd64 = sha256:" HEX "\non.linux/arm64 = sha256:" HEX "\n", here,
					     there, base);
	cleanup_strlist struct strlist platforms = STRLIST_INIT;
	struct env_changes changes = { 0 };
	struct err e = ERR_INIT;
	struct lock l;

	(void)state;
	assert_int_equal(lock_parse("devenv.lock", text, strlen(text), &l, &e), 0);
	strlist_add(&platforms, "linux/amd64");
	strlist_add(&platforms, "linux/arm64");
	packages_drop_platforms(&l, &platforms, &changes);
	assert_int_equal(l.package_count, 3);
	strlist_release(&platforms);
	strlist_add(&platforms, "linux/amd64");
	packages_drop_platforms(&l, &platforms, &changes);
	assert_int_equal(l.package_count, 1);
	assert_non_null(lock_find_package(&l, "amd64", "jq"));
	assert_non_null(lock_packages_on(&l, "linux/amd64"));
	assert_null(lock_packages_on(&l, "linux/arm64"));
	assert_int_equal(changes.count, 2); /* the base as a whole */
	env_changes_release(&changes);
	lock_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_stage_names),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_of_many),
		cmocka_unit_test(test_order_system),
		cmocka_unit_test(test_base_script),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_resolve_keeps_answers),
		cmocka_unit_test(test_resolve_moves_the_base),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_pins_of_the_base),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_platforms_that_left),
	};

	return cmocka_run_group_tests_name("env_packages", tests, NULL, NULL);
}
