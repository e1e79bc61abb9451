/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c - questions to the person at the terminal. The safe answer is always the default. */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define SCREEN_ROWS 24
#define POWER_ROWS 3 /* of one power */
#define HEADLINE_ROWS 2
#define MORE_ROWS 2

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNCLEAR };

/* Read one line. Nothing, the end of the input and Ctrl-C are no. */
static enum answer read_answer(void)
{
	cleanup_close int tty = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int fd = tty >= 0 ? tty : STDIN_FILENO;
	char line[16];
	size_t len = 0;
	char byte;
	ssize_t n;

	while ((n = read(fd, &byte, 1)) == 1 && byte != '\n')
		if (len < sizeof(line) - 1 && byte != ' ' && byte != '\t' && byte != '\r')
			line[len++] = byte;
	line[len] = '\0';
	if (n != 1) {
		fputc('\n', stderr);
		return ANSWER_NO;
	}
	if (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0)
		return ANSWER_YES;
	return len == 0 || strcasecmp(line, "n") == 0 || strcasecmp(line, "no") == 0 ? ANSWER_NO : ANSWER_UNCLEAR;
}

static bool ask(const struct cli *c, const char *question)
{
	enum answer answer = ANSWER_UNCLEAR;

	fflush(stdout);
	for (int i = 0; answer == ANSWER_UNCLEAR && i < 2; i++) {
		fprintf(stderr, "%s%s%s%s [y/N] ", i ? "Please answer yes or no. " : "",
		        output_begin(c, stderr, STYLE_BOLD), question, output_end(c, stderr));
		fflush(stderr);
		answer = read_answer();
	}
	return answer == ANSWER_YES;
}

/* ---- the list of powers: one screen, whatever a project asks for ---- */

/* How many bytes of `text` fit into so many columns; never less than one character. */
static size_t fitting(const char *text, int columns)
{
	size_t end = 0;

	while (text[end]) {
		size_t next = end + 1;
		cleanup_free char *head = NULL;

		while ((text[next] & 0xc0) == 0x80)
			next++;
		head = mem_strndup(text, next);
		if (end && output_columns(head) > columns)
			break;
		end = next;
	}
	return end;
}

/* The end of `text` that fits. */
static const char *fitting_end(const char *text, int columns)
{
	while (output_columns(text) > columns)
		for (text++; (*text & 0xc0) == 0x80; text++)
			;
	return text;
}

/* Broken at spaces where that is possible. Of what is too long the beginning and the end are shown. */
static void wrap(const char *text, int columns, size_t most, const char *gap, struct strlist *rows)
{
	size_t first = rows->count;

	while (output_columns(text) > columns) {
		size_t len = fitting(text, columns), at = len;

		if (rows->count - first + 1 == most) {
			strlist_addf(rows, "%s%s", gap, fitting_end(text, columns - (int)strlen(gap)));
			return;
		}
		while (at > len / 2 && text[at] != ' ')
			at--;
		if (at > len / 2)
			len = at;
		strlist_addf(rows, "%.*s", (int)len, text);
		text += len + (text[len] == ' ');
	}
	strlist_add(rows, text);
}

/* "38 mount, 3 environment": by what each line begins with. */
static void add_kinds(const struct strlist *texts, size_t from, struct buf *out)
{
	cleanup_strlist struct strlist kinds = STRLIST_INIT;
	size_t count = 0;

	for (size_t i = from; i < texts->count; i++)
		strlist_addf(&kinds, "%.*s", (int)strcspn(texts->items[i], ":"), texts->items[i]);
	strlist_sort(&kinds);
	for (size_t i = 0; i < kinds.count; i++) {
		count++;
		if (i + 1 < kinds.count && strcmp(kinds.items[i], kinds.items[i + 1]) == 0)
			continue;
		buf_addf(out, "%s%zu %s", out->len ? ", " : "", count, kinds.items[i]);
		count = 0;
	}
}

static void print_rows(const struct cli *c, const struct strlist *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		fprintf(stderr, "  %s%s%s %s\n", output_begin(c, stderr, STYLE_YELLOW), i ? " " : c->utf8 ? "•" : "*",
		        output_end(c, stderr), rows->items[i]);
}

/* The powers that fit between the headline and the question; the rest is counted. Texts are escaped already (env.h). */
static void list_powers(const struct cli *c, const struct strlist *texts, size_t rows_left, int columns)
{
	cleanup_buf struct buf kinds = BUF_INIT;
	cleanup_strlist struct strlist rest = STRLIST_INIT;
	cleanup_free char *more = NULL;
	size_t shown;

	for (shown = 0; shown < texts->count; shown++) {
		cleanup_strlist struct strlist rows = STRLIST_INIT;

		wrap(texts->items[shown], columns - 4, POWER_ROWS, "...", &rows);
		if (rows.count + (shown + 1 < texts->count ? MORE_ROWS : 0) > rows_left)
			break;
		rows_left -= rows.count;
		print_rows(c, &rows);
	}
	if (shown == texts->count)
		return;
	add_kinds(texts, shown, &kinds);
	more = mem_printf("and %zu more (%s): `devenv allow --show` lists them all", texts->count - shown, kinds.data);
	wrap(more, columns - 2, MORE_ROWS, "...", &rest);
	for (size_t i = 0; i < rest.count; i++)
		fprintf(stderr, "  %s\n", rest.items[i]);
}

bool ask_powers(void *cli, const char *project, const struct strlist *texts, bool growth)
{
	struct cli *c = cli;
	cleanup_buf struct buf safe = BUF_INIT;
	cleanup_strlist struct strlist headline = STRLIST_INIT;
	int columns = output_width();

	progress_clear(c->progress);
	text_escape(&safe, project);
	wrap(safe.data, columns - (int)strlen(" now also asks for:"), HEADLINE_ROWS, "...", &headline);
	for (size_t i = 0; i < headline.count; i++)
		fprintf(stderr, "%s%s%s%s\n", output_begin(c, stderr, STYLE_BOLD), headline.items[i], output_end(c, stderr),
		        i + 1 < headline.count ? "" : growth ? " now also asks for:" : " asks for:");
	/* Below: the question, and once more after an answer that is none. */
	list_powers(c, texts, SCREEN_ROWS - headline.count - 2, columns);
	if (texts->count == 0)
		fprintf(stderr, "  nothing outside its sandbox\n");
	return ask(c, "Allow?");
}

int ask_confirm(struct cli *c, const char *question, struct err *e)
{
	if (c->yes)
		return 1;
	if (!c->ui.interactive) {
		err_set_(e, ERR_FAILED, "this needs an answer and there is no terminal to ask on");
		return err_hint(e, "add --yes to go ahead");
	}
	progress_clear(c->progress);
	if (ask(c, question))
		return 1;
	return cli_signal() ? err_set(e, ERR_INTERRUPTED, "interrupted") : 0;
}
