/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resolver beside apt-get -s, on the archives that apt on this machine knows: the same packages in the same versions.
 *
 * DEVENV_RESOLVER_SETS: how many sets of packages for each suite, 8 unless told (make test-resolver: 60); the first ones are
 * named here, the others drawn from the archive by a fixed rule. DEVENV_RESOLVER_SUITES: "bookworm trixie" unless told.
 * Skipped where there is no apt-get or no network.
 */
#include "debian_apt.h"

static const char *const named_sets[] = {
	"libpq-dev gettext", "python3-django", "build-essential", "postgresql", "libreoffice-writer", "default-jdk-headless",
	"cups", "nginx redis-server", "podman", "git vim tmux", "golang", "php", "ruby-full", "nodejs npm", "gnome-core",
	"texlive-latex-base", "default-mta", "mawk gawk", "apache2 mariadb-server", "r-base", "cmake ninja-build clang",
	"ffmpeg imagemagick", "libgtk-3-dev", "python3-numpy python3-scipy", "openssh-server", "docker.io", "rustc cargo", "emacs-nox",
};

/* "name version" of what apt would install. */
static bool ask_apt(const struct suite *s, const char *wanted, struct strlist *out)
{
	cleanup_free char *command = mem_printf("APT_CONFIG=%s/apt.conf LC_ALL=C apt-get -s -q -y install %s 2>/dev/null | "
						"sed -n 's/^Inst \\([^ :]*\\)[^ ]* \\(\\[[^]]*\\] \\)\\{0,1\\}(\\([^ ]*\\).*/\\1 \\3/p'", s->dir, wanted);

	lines_of(command, out);
	strlist_sort(out);
	return out->count > 0;
}

static bool ask_ours(const struct suite *s, const char *wanted, struct strlist *out, struct err *e)
{
	cleanup_strlist struct strlist words = STRLIST_INIT;
	struct debian_goal goal = { .wanted = &words, .priority = -1 };
	struct debian_solution solution;

	strlist_split(&words, wanted, " ");
	if (debian_solve(&s->u, &goal, &solution, e) < 0)
		return false;
	for (size_t i = 0; i < solution.count; i++) {
		const struct debian_package *p = &s->u.packages[solution.packages[i]];

		strlist_addf(out, "%.*s %.*s", (int)p->name.len, p->name.at, (int)p->version.len, p->version.at);
	}
	strlist_sort(out);
	debian_solution_release(&solution);
	return out->count > 0;
}

/* What one has and the other has not. */
static void add_difference(struct buf *b, const char *who, const struct strlist *x, const struct strlist *y)
{
	for (size_t i = 0; i < x->count; i++)
		if (!strlist_has(y, x->items[i]))
			buf_addf(b, " %s:%s", who, x->items[i]);
}

static bool agree(const struct suite *s, const char *wanted)
{
	cleanup_strlist struct strlist theirs = STRLIST_INIT, ours = STRLIST_INIT;
	cleanup_buf struct buf difference = BUF_INIT;
	struct err e = ERR_INIT;
	bool apt = ask_apt(s, wanted, &theirs), we = ask_ours(s, wanted, &ours, &e);

	add_difference(&difference, "apt", &theirs, &ours);
	add_difference(&difference, "devenv", &ours, &theirs);
	if (apt == we && difference.len == 0)
		return true;
	print_message("%s: %s:%s %s\n", s->name, wanted, difference.data, we ? "" : e.msg);
	return false;
}

/* One to three names, by a rule that gives the same ones for the same archive. */
static char *draw(const struct suite *s, size_t n)
{
	struct buf b = BUF_INIT;

	for (size_t k = 0; k <= n % 3; k++) {
		const struct debian_package *p = &s->u.packages[(n * 7919 + k * 104729 + 17) * 2654435761u % s->u.count];

		buf_addf(&b, "%s%.*s", k ? " " : "", (int)p->name.len, p->name.at);
	}
	return buf_steal(&b);
}

static void compare_suite(const char *name, size_t sets, const char *archive, const char *security)
{
	struct suite s = { .name = name, .dir = mem_printf("%s/%s", tempdir, name) };
	size_t same = 0;

	if (!set_up_apt(&s, archive, security)) {
		print_message("skipped: apt-get can't read the index of %s\n", name);
		skip();
	}
	read_universe(&s);
	assert_true(s.u.count > 10000);
	for (size_t n = 0; n < sets; n++) {
		cleanup_free char *wanted = n < ARRAY_SIZE(named_sets) ? mem_strdup(named_sets[n]) : draw(&s, n);

		same += agree(&s, wanted);
	}
	print_message("%s: %zu of %zu sets of packages as apt chooses them\n", name, same, sets);
	/* apt's last choice between providers is by the order of its cache, which is not anybody's to know. */
	assert_true(same * 100 >= sets * 98);
	release_suite(&s);
}

static void test_chooses_what_apt_chooses(void **state)
{
	const char *sets = getenv("DEVENV_RESOLVER_SETS"), *suites = getenv("DEVENV_RESOLVER_SUITES");
	char *archive = NULL, *security = NULL;
	cleanup_strlist struct strlist names = STRLIST_INIT;

	(void)state;
	if (!find_archives(&archive, &security)) {
		print_message("skipped: apt on this machine has no Debian archive\n");
		skip();
	}
	strlist_split(&names, suites ? suites : "bookworm trixie", " ");
	for (size_t i = 0; i < names.count; i++)
		compare_suite(names.items[i], sets ? (size_t)strtoul(sets, NULL, 10) : 8, archive, security);
	free(archive);
	free(security);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_chooses_what_apt_chooses) };

	return cmocka_run_group_tests(tests, tempdir_setup, tempdir_teardown);
}
