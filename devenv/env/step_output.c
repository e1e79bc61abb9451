/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_output.c - see step_output.h.
 *
 * Interpreters name the script in their messages, each in its own way; who wrote it knows it as some lines of a configuration.
 */
#include "env/step_output.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define LINE_MAX_BYTES 65536
#define LAST_LINES 20
#define LAST_LINE_BYTES 400 /* more of one are not shown in a message */

/* ---- places in the script ---- */

/* dash, busybox and bash, zsh, mksh, Python: what stands around the number, and what behind the place that takes its place. */
static const struct {
	const char *before, *after, *closing;
} places[] = {
	{ ": ", ":", ":" }, { ": line ", ":", ":" }, { ":", ":", ":" }, { "[", "]:", ":" }, { "\", line ", "", "\"" },
};

/* The line with the place where it was written instead of one in the script; false: it names none. */
static bool locate(const struct step *step, const char *line, struct buf *out)
{
	const char *name = step->locate ? strstr(line, STEP_SCRIPT) : NULL, *behind;

	if (!name)
		return false;
	behind = name + strlen(STEP_SCRIPT);
	buf_add(out, line, (size_t)(name - line));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *number = behind + strlen(places[i].before);
		char *rest;
		unsigned long n;

		if (!text_starts(behind, places[i].before) || *number < '1' || *number > '9')
			continue;
		n = strtoul(number, &rest, 10);
		if (n > UINT32_MAX || !text_starts(rest, places[i].after) || !step->locate(step->data, (unsigned int)n, out))
			continue;
		buf_addf(out, "%s%s", places[i].closing, rest + strlen(places[i].after));
		return true;
	}
	return false;
}

/* ---- lines ---- */

static void keep(struct step_output *o, const char *line, size_t len)
{
	struct buf text = BUF_INIT;

	text_escape_output(&text, line, len < LAST_LINE_BYTES ? len : LAST_LINE_BYTES, false);
	if (len > LAST_LINE_BYTES)
		buf_adds(&text, "...");
	if (o->last.count < LAST_LINES) {
		strlist_add_take(&o->last, buf_steal(&text));
	} else {
		free(o->last.items[o->next]);
		o->last.items[o->next] = buf_steal(&text);
	}
	o->next = (o->next + 1) % LAST_LINES;
}

/* Of a line that was written over and over, such as a progress bar, what stood there in the end. */
static void end_line(struct step_output *o)
{
	cleanup_buf struct buf located = BUF_INIT;
	const char *line = o->line.data;
	size_t len = o->line.len;
	const char *again;

	if (len && line[len - 1] == '\r')
		o->line.data[--len] = '\0';
	again = memrchr(line, '\r', len);
	if (again) {
		len -= (size_t)(again + 1 - line);
		line = again + 1;
	}
	if (locate(o->step, line, &located)) {
		line = located.data;
		len = located.len;
	}
	o->no_space = o->no_space || strstr(line, "No space left on device");
	o->no_quota = o->no_quota || strstr(line, "Disk quota exceeded");
	if (o->step->output)
		o->step->output(o->step->data, line, len);
	keep(o, line, len);
	buf_clear(&o->line);
}

void step_output_take(struct step_output *o, const char *data, size_t len)
{
	while (len) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len;

		buf_add(&o->line, data, n);
		if (end || o->line.len > LINE_MAX_BYTES)
			end_line(o);
		n += end != NULL;
		data += n;
		len -= n;
	}
}

void step_output_end(struct step_output *o)
{
	if (o->line.len)
		end_line(o);
}

void step_output_explain(const struct step_output *o, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	size_t room = sizeof(e->msg) - strlen(e->msg) - 2, count = o->last.count, first = 0;

	if (o->step->output || !count)
		return;
	for (size_t i = 0, used = 0; i < count; i++) {
		used += strlen(o->last.items[(o->next + count - 1 - i) % count]) + 3;
		if (used < room)
			first = i + 1;
	}
	for (size_t i = first; i-- > 0;)
		buf_addf(&text, "\n  %s", o->last.items[(o->next + count - 1 - i) % count]);
	memcpy(e->msg + strlen(e->msg), text.data, text.len + 1);
}

void step_output_release(struct step_output *o)
{
	buf_release(&o->line);
	strlist_release(&o->last);
}
