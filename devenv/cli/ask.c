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

#define POWERS_SHOWN_MAX 24

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

bool ask_powers(void *cli, const char *project, const struct strlist *texts, bool growth)
{
	struct cli *c = cli;
	cleanup_buf struct buf safe = BUF_INIT;
	size_t shown = texts->count > POWERS_SHOWN_MAX ? POWERS_SHOWN_MAX - 1 : texts->count;

	progress_clear(c->progress);
	text_escape(&safe, project);
	fprintf(stderr, "%s%s%s %s\n", output_begin(c, stderr, STYLE_BOLD), safe.data, output_end(c, stderr),
	        growth ? "now also asks for:" : "asks for:");
	for (size_t i = 0; i < shown; i++) {
		buf_clear(&safe);
		text_escape(&safe, texts->items[i]);
		fprintf(stderr, "  %s%s%s %s\n", output_begin(c, stderr, STYLE_YELLOW), c->utf8 ? "•" : "*",
		        output_end(c, stderr), safe.data);
	}
	if (shown < texts->count)
		fprintf(stderr, "  and %zu more: see `devenv allow --show`\n", texts->count - shown);
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
