/* SPDX-License-Identifier: Apache-2.0 */
/* output.c - how devenv speaks: colours, messages, fields of a screen, counts, ages. */
#include "cli/cli.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/text.h"

static bool env_is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

/* https://no-color.org, https://bixense.com/clicolors; a flag beats them, a dumb terminal is never coloured by guess. */
static bool wants_color(const struct cli *c, bool tty)
{
	const char *force = getenv("CLICOLOR_FORCE");

	if (c->color != COLOR_AUTO)
		return c->color == COLOR_ALWAYS;
	if (env_is_set("NO_COLOR"))
		return false;
	if (force && *force && strcmp(force, "0") != 0)
		return true;
	return tty;
}

void output_setup(struct cli *c)
{
	const char *term = getenv("TERM");
	bool smart = term && *term && strcmp(term, "dumb") != 0;

	c->stdout_tty = smart && isatty(STDOUT_FILENO);
	c->stderr_tty = smart && isatty(STDERR_FILENO);
	c->color_stdout = wants_color(c, c->stdout_tty);
	c->color_stderr = wants_color(c, c->stderr_tty);
	c->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

const char *output_begin(const struct cli *c, const FILE *to, enum style style)
{
	static const char *const sequences[] = {
		[STYLE_NONE] = "",          [STYLE_BOLD] = "\033[1m",   [STYLE_DIM] = "\033[2m",
		[STYLE_RED] = "\033[1;31m", [STYLE_GREEN] = "\033[32m", [STYLE_YELLOW] = "\033[33m",
		[STYLE_CYAN] = "\033[36m",
	};

	return (to == stdout ? c->color_stdout : c->color_stderr) ? sequences[style] : "";
}

const char *output_end(const struct cli *c, const FILE *to)
{
	return (to == stdout ? c->color_stdout : c->color_stderr) ? "\033[0m" : "";
}

void output_error(struct cli *c, const struct err *e)
{
	if (c->progress)
		progress_clear(c->progress);
	if (c->json) {
		output_json_error(c, e);
		return;
	}
	fprintf(stderr, "%sdevenv:%s %s\n", output_begin(c, stderr, STYLE_RED), output_end(c, stderr),
	        e->msg[0] ? e->msg : "failed");
	if (e->hint[0])
		fprintf(stderr, "  %shint:%s %s\n", output_begin(c, stderr, STYLE_CYAN),
		        output_end(c, stderr), e->hint);
}

/* Lines that belong together (the powers of an error, a list) come in one message: further lines are indented. */
__attribute__((format(printf, 4, 0))) static void message_line(struct cli *c, enum style style,
                                                               const char *label, const char *fmt,
                                                               va_list args)
{
	if (c->progress)
		progress_clear(c->progress);
	fprintf(stderr, "%sdevenv:%s ", output_begin(c, stderr, STYLE_BOLD), output_end(c, stderr));
	if (label)
		fprintf(stderr, "%s%s:%s ", output_begin(c, stderr, style), label, output_end(c, stderr));
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void output_notice(struct cli *c, const char *fmt, ...)
{
	va_list args;

	if (c->quiet)
		return;
	va_start(args, fmt);
	message_line(c, STYLE_NONE, NULL, fmt, args);
	va_end(args);
}

void output_warning(struct cli *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message_line(c, STYLE_YELLOW, "warning", fmt, args);
	va_end(args);
}

#define PARAGRAPH_WIDTH 98

static void format_safe(struct buf *out, const char *fmt, va_list args)
{
	cleanup_free char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		abort();
	text_escape(out, text);
}

void output_field(struct cli *c, int width, const char *label, const char *fmt, ...)
{
	cleanup_buf struct buf safe = BUF_INIT;
	va_list args;

	va_start(args, fmt);
	format_safe(&safe, fmt, args);
	va_end(args);
	printf("  %s%-*s%s  %s\n", output_begin(c, stdout, STYLE_DIM), width, label, output_end(c, stdout),
	       safe.data);
}

void output_paragraph(struct cli *c, int width, const char *label, const char *fmt, ...)
{
	cleanup_buf struct buf safe = BUF_INIT;
	int column = width + 4;
	va_list args;

	va_start(args, fmt);
	format_safe(&safe, fmt, args);
	va_end(args);
	printf("  %s%-*s%s ", output_begin(c, stdout, STYLE_DIM), width, label, output_end(c, stdout));
	for (const char *word = safe.data; *word;) {
		int length = (int)strcspn(word, " ");

		if (column + length + 1 > PARAGRAPH_WIDTH) {
			printf("\n%*s", width + 3, "");
			column = width + 3;
		}
		printf(" %.*s", length, word);
		column += length + 1;
		word += length + strspn(word + length, " ");
	}
	putchar('\n');
}

const char *output_count(uint64_t n, const char *one, const char *many)
{
	static char texts[4][48];
	static unsigned int next;
	char *text = texts[next++ % ARRAY_SIZE(texts)];

	snprintf(text, sizeof(texts[0]), "%llu %s", (unsigned long long)n, n == 1 ? one : many);
	return text;
}

const char *output_age(int64_t then, int64_t now)
{
	static const struct {
		int64_t seconds;
		const char *one, *many;
	} units[] = {
		{ 365 * 86400LL, "year", "years" }, { 30 * 86400LL, "month", "months" },
		{ 7 * 86400LL, "week", "weeks" },   { 86400, "day", "days" },
		{ 3600, "hour", "hours" },          { 60, "minute", "minutes" },
	};
	static char texts[4][40];
	static unsigned int next;
	char *text = texts[next++ % ARRAY_SIZE(texts)];

	if (then <= 0)
		return "never";
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (now - then >= units[i].seconds) {
			int64_t n = (now - then) / units[i].seconds;

			snprintf(text, sizeof(texts[0]), "%lld %s ago", (long long)n,
			         n == 1 ? units[i].one : units[i].many);
			return text;
		}
	return "just now";
}

const char *output_short_digest(const char *digest)
{
	static char texts[4][16];
	static unsigned int next;
	char *text = texts[next++ % ARRAY_SIZE(texts)];
	const char *colon = strchr(digest, ':');

	snprintf(text, 13, "%s", colon ? colon + 1 : digest);
	return text;
}

int output_columns(const char *text)
{
	mbstate_t state = { 0 };
	size_t left = strlen(text);
	int columns = 0;

	while (left) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, left, &state);
		int width;

		if (n == 0 || n > left) /* not of this locale: a column each */
			return columns + (int)left;
		width = wcwidth(c);
		columns += width > 0 ? width : 0;
		text += n;
		left -= n;
	}
	return columns;
}

int output_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return 80;
}
