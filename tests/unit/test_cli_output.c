/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_output.c - colours, ages, counts, progress. */
#include "unit/cli_fixture.h"

#include <jansson.h>
#include <locale.h>

#define DIGEST "sha256:1111111111111111111111111111111111111111111111111111111111111111"

static void check_color(const char *no_color, const char *force, enum color_when when, bool expected)
{
	struct cli c = { .color = when };

	unsetenv("NO_COLOR");
	unsetenv("CLICOLOR_FORCE");
	if (no_color)
		setenv("NO_COLOR", no_color, 1);
	if (force)
		setenv("CLICOLOR_FORCE", force, 1);
	output_setup(&c);
	assert_int_equal(c.color_stderr, expected);
	assert_int_equal(strlen(output_begin(&c, stderr, STYLE_RED)) > 0, expected);
	assert_int_equal(strlen(output_end(&c, stderr)) > 0, expected);
	unsetenv("NO_COLOR");
	unsetenv("CLICOLOR_FORCE");
}

static void test_color(void **state)
{
	int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	dup2(null, STDERR_FILENO);
	check_color(NULL, NULL, COLOR_AUTO, false);
	check_color(NULL, "1", COLOR_AUTO, true);
	check_color(NULL, "0", COLOR_AUTO, false);
	check_color("1", "1", COLOR_AUTO, false);
	check_color("", "1", COLOR_AUTO, true);
	check_color("1", NULL, COLOR_ALWAYS, true);
	check_color(NULL, "1", COLOR_NEVER, false);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(null);
}

static void test_ages(void **state)
{
	(void)state;
	assert_string_equal(output_age(0, 1000), "never");
	assert_string_equal(output_age(1000, 1000), "just now");
	assert_string_equal(output_age(2000, 1000), "just now");
	assert_string_equal(output_age(1000, 1000 + 60), "1 minute ago");
	assert_string_equal(output_age(1000, 1000 + 7200), "2 hours ago");
	assert_string_equal(output_age(1000, 1000 + 86400), "1 day ago");
	assert_string_equal(output_age(1000, 1000 + 15 * 86400), "2 weeks ago");
	assert_string_equal(output_age(1000, 1000 + 800LL * 86400), "2 years ago");
}

static void test_counts_and_digests(void **state)
{
	(void)state;
	assert_string_equal(output_count(1, "layer", "layers"), "1 layer");
	assert_string_equal(output_count(0, "layer", "layers"), "0 layers");
	assert_string_equal(output_short_digest(DIGEST), "111111111111");
	assert_string_equal(output_short_digest(""), "");
}

static void test_json_text(void **state)
{
	json_t *text;

	(void)state;
	text = output_json_text("a\xff");
	assert_string_equal(json_string_value(text), "a\\xff");
	json_decref(text);
	text = output_json_text(NULL);
	assert_true(json_is_null(text));
	json_decref(text);
}

/* What a fetch prints, with stderr in a file. */
static void fetch(struct cli *c, bool ok)
{
	char *path = mem_printf("%s/stderr", tempdir);
	int saved = dup(STDERR_FILENO), file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct oci_progress callbacks;

	fflush(stderr);
	dup2(file, STDERR_FILENO);
	c->progress = progress_new(c);
	callbacks = progress_callbacks(c->progress);
	progress_title(c->progress, "a\033b");
	callbacks.plan(callbacks.data, 3, 1, 3000000, 5000000000ULL);
	callbacks.layer(callbacks.data, 1, DIGEST, 0, 1000000);
	callbacks.layer(callbacks.data, 1, DIGEST, 500000, 1000000);
	callbacks.layer(callbacks.data, 2, "sha256:2222222222222222", 1000000, 2000000);
	callbacks.layer(callbacks.data, 1, DIGEST, 1000000, 1000000);
	callbacks.layer(callbacks.data, 1, DIGEST, 1000000, 1000000);
	if (ok)
		callbacks.layer(callbacks.data, 2, "sha256:2222222222222222", 2000000, 2000000);
	progress_end(c->progress, ok);
	progress_free(c->progress);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(file);
	free(path);
}

static size_t count(const struct buf *b, const char *text)
{
	size_t n = 0;

	for (const char *p = b->data; (p = strstr(p, text)); p++)
		n++;
	return n;
}

static void test_progress_in_a_log(void **state)
{
	struct cli c = { 0 };
	struct buf text;

	(void)state;
	fetch(&c, true);
	fixture_read("stderr", &text);
	fixture_has(&text, "devenv: fetching a\\x1bb: 2 layers, 3MB (5GB free)\n");
	fixture_has(&text, "devenv: fetched layer 1 of 2: 111111111111, 1MB\n");
	fixture_has(&text, "devenv: fetched layer 2 of 2: 222222222222, 2MB\n");
	fixture_has(&text, "devenv: fetched 3MB in ");
	fixture_lacks(&text, "\033");
	assert_int_equal(count(&text, "111111111111"), 1);
	buf_release(&text);
	fetch(&c, false);
	fixture_read("stderr", &text);
	fixture_lacks(&text, "fetched 3MB");
	buf_release(&text);
}

static void test_progress_is_silent(void **state)
{
	struct cli c = { .quiet = true };
	struct buf text;

	(void)state;
	fetch(&c, true);
	fixture_read("stderr", &text);
	assert_string_equal(text.data, "");
	buf_release(&text);
	c = (struct cli){ .quiet = true, .stderr_tty = true };
	fetch(&c, true);
	fixture_read("stderr", &text);
	assert_string_equal(text.data, "");
	buf_release(&text);
}

/* Play what a terminal would show: cursor up, erase to the end of line and of screen are all that is used. */
static void play(const struct buf *b, struct strlist *screen)
{
	size_t row = 0;
	struct buf line = BUF_INIT;
	char *rows[64] = { 0 };

	for (const char *p = b->data; *p; p++) {
		if (*p == '\n') {
			free(rows[row]);
			rows[row++] = buf_steal(&line);
			assert_true(row < 63);
		} else if (*p == '\033') {
			int n = (int)strtol(p + 2, (char **)&p, 10);

			assert_true(*p == 'A' || *p == 'J' || *p == 'K');
			if (*p == 'A') {
				assert_true((size_t)n <= row);
				row -= (size_t)n;
			}
			for (size_t i = row; *p == 'J' && i < 64; i++) {
				free(rows[i]);
				rows[i] = NULL;
			}
		} else if (*p != '\r' || line.len) { /* at the start of a line it does nothing */
			buf_addch(&line, *p);
		}
	}
	for (size_t i = 0; i < 64; i++) {
		if (rows[i])
			strlist_add_take(screen, rows[i]);
	}
	buf_release(&line);
}

static void test_progress_on_a_terminal(void **state)
{
	struct cli c = { .stderr_tty = true };
	struct strlist screen = STRLIST_INIT;
	struct buf text;

	(void)state;
	fetch(&c, true);
	fixture_read("stderr", &text);
	play(&text, &screen);
	assert_int_equal(screen.count, 4);
	assert_string_equal(screen.items[0], "devenv: fetching a\\x1bb: 2 layers, 3MB (5GB free)");
	assert_string_equal(screen.items[1], "  + 111111111111       1MB");
	assert_string_equal(screen.items[2], "  + 222222222222       2MB");
	assert_true(strncmp(screen.items[3], "devenv: fetched 3MB in ", 23) == 0);
	strlist_release(&screen);
	buf_release(&text);

	/* after a failure only what is finished stays */
	fetch(&c, false);
	fixture_read("stderr", &text);
	play(&text, &screen);
	assert_int_equal(screen.count, 2);
	strlist_release(&screen);
	buf_release(&text);
}

/* Packages: bytes with what is left of them, and things that are counted. `live`: what is written at all, `screen`: what stays. */
static void test_packages_on_a_terminal(void **state)
{
	struct cli c = { .stderr_tty = true };
	struct strlist screen = STRLIST_INIT;
	char *path = mem_printf("%s/stderr", tempdir);
	int saved = dup(STDERR_FILENO), file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct buf text;

	(void)state;
	fflush(stderr);
	dup2(file, STDERR_FILENO);
	c.progress = progress_new(&c);
	progress_packages(c.progress, "packages", 0, 40000000);
	usleep(600000); /* as long as a rate takes */
	progress_packages(c.progress, "packages", 10000000, 40000000);
	progress_packages(c.progress, "packages", 40000000, 40000000);
	progress_packages(c.progress, "configuring", 31, 78);
	progress_packages(c.progress, "configuring", 78, 78);
	progress_free(c.progress);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(file);
	free(path);
	fixture_read("stderr", &text);
	fixture_has(&text, "10MB / 40MB");
	fixture_has(&text, "MB/s  ");
	fixture_has(&text, "s left");
	fixture_has(&text, "  configuring: 31 of 78\033[K\n");
	play(&text, &screen);
	assert_int_equal(screen.count, 0);
	strlist_release(&screen);
	buf_release(&text);
}

static void test_error_and_hint(void **state)
{
	struct outcome o = fixture_run("--color always lokc");

	(void)state;
	assert_int_equal(o.status, 2);
	fixture_has(&o.err,
	            "\033[1;31mdevenv:\033[0m unknown command 'lokc'\n  \033[36mhint:\033[0m did you mean");
	fixture_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_color),
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_counts_and_digests),
		cmocka_unit_test(test_json_text),
		tempdir_test(test_progress_in_a_log),
		tempdir_test(test_progress_is_silent),
		tempdir_test(test_progress_on_a_terminal),
		tempdir_test(test_packages_on_a_terminal),
		tempdir_test(test_error_and_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
