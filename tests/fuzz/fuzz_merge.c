/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_merge.c - configurations of several files (divided by 0x1e; one that begins with 'l' is local) and what they extend.
 *
 * Besides crashes: every line of the result names its file, and the lines of a section follow each other.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/extends.h"
#include "config/ini.h"

#define TEXTS_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(const struct config *c)
{
	for (size_t i = 0; i < c->line_count; i++) {
		const struct config_line *line = &c->lines[i];
		bool gap = false;

		if (!strlist_has(&c->files, line->file) || !line->line || !line->value)
			abort();
		for (size_t k = i + 1; k < c->line_count && c->line_count < 200; k++) {
			bool same = !strcmp(c->lines[k].section, line->section);

			if (same && gap)
				abort();
			gap = gap || !same;
		}
	}
}

static void check_extends(const struct config *c)
{
	for (size_t i = 0; i < c->extends.count; i++) {
		struct extends_git g, again;
		struct err e = ERR_INIT;
		char *text, *name;

		if (!extends_is_git(c->extends.items[i]))
			continue;
		if (extends_parse_git(c->extends.items[i], &g, &e))
			abort(); /* the configuration was taken */
		text = extends_format_git(&g);
		name = extends_lock_name(&g);
		if (extends_parse_git(text, &again, &e) || strcmp(again.url, g.url) || strcmp(again.path, g.path) ||
		    strlen(name) > INI_SECTION_MAX)
			abort();
		free(text);
		free(name);
		extends_git_release(&g);
		extends_git_release(&again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	struct config_text texts[TEXTS_MAX];
	const char *next = (const char *)data, *end = next + size;
	struct err e = ERR_INIT;
	struct config c;
	size_t count = 0;

	while (count < TEXTS_MAX && (next < end || count == 0)) {
		const char *stop = count == TEXTS_MAX - 1 || next == end ? end : memchr(next, 0x1e, (size_t)(end - next));

		stop = stop ? stop : end;
		texts[count] = (struct config_text){ names[count], next, (size_t)(stop - next), false };
		if (next < stop && *next == 'l') {
			texts[count].text++;
			texts[count].len--;
			texts[count].local = true;
		}
		count++;
		next = stop < end ? stop + 1 : end;
	}
	for (int whole = 0; whole < 2; whole++) {
		if (config_parse_texts(texts, count, whole, &c, &e))
			continue;
		check_lines(&c);
		check_extends(&c);
		config_release(&c);
	}
	return 0;
}
