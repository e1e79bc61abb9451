/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - what the launcher prints. */
#include "launcher/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

static void write_buf(int fd, const struct buf *b)
{
	size_t done = 0;

	while (done < b->len) {
		ssize_t n = write(fd, b->data + done, b->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

/* Messages are escaped already where strangers had a hand in them; here only what JSON itself needs. */
static void add_json_string(struct buf *b, const char *s)
{
	buf_addch(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c < 0x20)
			buf_addf(b, "\\u%04x", c);
		else
			buf_addch(b, *s);
	}
	buf_addch(b, '"');
}

static void report_json(const struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;

	buf_adds(&b, "{\"schema\":1,\"error\":{\"code\":");
	add_json_string(&b, err_code_name(e->code));
	buf_adds(&b, ",\"message\":");
	add_json_string(&b, e->msg);
	if (*e->hint) {
		buf_adds(&b, ",\"hint\":");
		add_json_string(&b, e->hint);
	}
	buf_adds(&b, "}}\n");
	write_buf(1, &b);
}

void report_error(const struct err *e, bool json)
{
	cleanup_buf struct buf b = BUF_INIT;

	if (json) {
		report_json(e);
		return;
	}
	buf_addf(&b, "devenv: %s\n", e->msg);
	if (*e->hint)
		buf_addf(&b, "  hint: %s\n", e->hint);
	write_buf(2, &b);
}

void report_warning(const char *line)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool color = isatty(2) && !(no_color && *no_color) && term && strcmp(term, "dumb");
	cleanup_buf struct buf b = BUF_INIT;

	buf_addf(&b, "%sdevenv: %s%s\n", color ? "\033[31m" : "", line, color ? "\033[0m" : "");
	write_buf(2, &b);
}

void report_line(const char *line)
{
	cleanup_buf struct buf b = BUF_INIT;

	buf_addf(&b, "devenv: %s\n", line);
	write_buf(2, &b);
}
