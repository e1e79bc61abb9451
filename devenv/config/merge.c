/* SPDX-License-Identifier: Apache-2.0 */
/* merge.c - one configuration of several files. */
#include "config/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/keys.h"

/* Laying one file over another looks each line up: more than anybody writes would only keep us busy. */
#define LINES_MAX 10000
#define BLANKS    " \t\n"

static const struct {
	const char *section, *key;
} lists[] = {
	{ "devenv", "platforms" }, { "base", "components" },   { "packages", "apt" },
	{ "build", "inputs" },     { "build", "cache" },       { "setup", "inputs" },
	{ "workspace", "path" },   { "env-file", "required" }, { "env-file", "optional" },
	{ "pass-env", "names" },   { "sandbox", "devices" },   { "service.*", "env-file" },
	{ "service.*", "needs" },  { "task.*", "needs" },
};

bool merge_is_list(const char *section, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (keys_match(lists[i].section, section) && !strcmp(lists[i].key, key))
			return true;
	return false;
}

bool merge_is_base(const char *key)
{
	static const char *const keys[] = { "image", "debian", "dockerfile", "oci", "archive" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

static bool is_of(const struct config_line *line, const char *section, const char *key)
{
	return !strcmp(line->section, section) && (!key || !strcmp(line->key, key));
}

static void line_release(struct config_line *line)
{
	free(line->section);
	free(line->key);
	free(line->value);
}

static void remove_at(struct merge *m, size_t at)
{
	line_release(&m->lines[at]);
	memmove(&m->lines[at], &m->lines[at + 1], (m->count - at - 1) * sizeof(*m->lines));
	m->count--;
}

/* After the last line of that key or, where there is none, of that section, or at the end. */
static size_t place_for(const struct merge *m, const char *section, const char *key)
{
	size_t of_section = m->count, of_key = m->count;

	for (size_t i = 0; i < m->count; i++) {
		if (is_of(&m->lines[i], section, NULL))
			of_section = i + 1;
		if (is_of(&m->lines[i], section, key))
			of_key = i + 1;
	}
	return of_key < m->count || (m->count && is_of(&m->lines[m->count - 1], section, key)) ? of_key
	                                                                                       : of_section;
}

static void insert(struct merge *m, size_t at, const char *file, const struct ini_entry *entry,
                   const char *value, bool item)
{
	m->lines = mem_grow(m->lines, m->count, &m->cap, sizeof(*m->lines));
	memmove(&m->lines[at + 1], &m->lines[at], (m->count - at) * sizeof(*m->lines));
	m->lines[at] = (struct config_line){ .section = mem_strdup(entry->section),
		                             .key = mem_strdup(entry->key),
		                             .value = mem_strdup(value),
		                             .file = file,
		                             .line = entry->line,
		                             .item = item };
	m->count++;
}

static size_t find(const struct merge *m, const char *section, const char *key, const char *item)
{
	for (size_t i = 0; i < m->count; i++)
		if (is_of(&m->lines[i], section, key) && (!item || !strcmp(m->lines[i].value, item)))
			return i;
	return m->count;
}

static int add_item(struct merge *m, const char *file, const struct ini_entry *entry, const char *item,
                    bool first, struct err *e)
{
	size_t at;

	if (item[0] != '!') {
		/* What a base lists already stays where it is. A file by itself may say a thing twice, as ever. */
		if (first || find(m, entry->section, entry->key, item) == m->count)
			insert(m, first ? m->count : place_for(m, entry->section, entry->key), file, entry,
			       item, true);
		return 0;
	}
	at = find(m, entry->section, entry->key, item + 1);
	if ((first || at == m->count) && m->incomplete)
		return 0;
	if (first || at == m->count) {
		err_set(e, ERR_CONFIG, "%s:%u: [%s] %s: '%s' removes nothing: no base lists '%s'",
		        text_safe(file), entry->line, text_safe(entry->section), text_safe(entry->key),
		        text_safe(item), text_safe(item + 1));
		return err_hint(e,
		                "an item that begins with '!' takes out what a file named by extends lists");
	}
	remove_at(m, at);
	return 0;
}

static int add_list(struct merge *m, const char *file, const struct ini_entry *entry, bool first,
                    struct err *e)
{
	cleanup_strlist struct strlist items = STRLIST_INIT;

	strlist_split(&items, entry->value, BLANKS);
	if (!items.count && first)
		insert(m, m->count, file, entry, "",
		       true); /* whoever reads the key says what is wrong with it */
	for (size_t i = 0; i < items.count; i++)
		if (add_item(m, file, entry, items.items[i], first, e) < 0)
			return -1;
	return 0;
}

static void add_scalar(struct merge *m, const char *file, const struct ini_entry *entry, bool first)
{
	size_t at = first ? m->count : find(m, entry->section, entry->key, NULL);

	if (at < m->count) {
		if (!strcmp(entry->section, "devenv") && !strcmp(entry->key, "requires") &&
		    config_version_at_least(m->lines[at].value, entry->value) == 1)
			return;
		remove_at(m, at);
	} else {
		at = first ? m->count : place_for(m, entry->section, entry->key);
	}
	insert(m, at, file, entry, entry->value, false);
}

static void add_sections(struct merge *m, const char *file, const struct ini *ini, bool first)
{
	for (size_t i = 0; i < ini->section_count; i++) {
		const struct ini_section *section = &ini->sections[i];
		bool known = false;

		for (size_t k = 0; !first && !known && k < m->section_count; k++)
			known = !strcmp(m->sections[k].name, section->name);
		if (known)
			continue;
		m->sections = mem_grow(m->sections, m->section_count, &m->section_cap, sizeof(*m->sections));
		m->sections[m->section_count++] = (struct ini_section){ .name = mem_strdup(section->name),
			                                                .line = section->line,
			                                                .file = file };
	}
}

/* Another base, nothing that belonged to the one below. */
static void drop_base(struct merge *m, const struct ini *ini)
{
	bool chosen = false;

	for (size_t i = 0; i < ini->count; i++)
		chosen = chosen ||
		         (!strcmp(ini->entries[i].section, "base") && merge_is_base(ini->entries[i].key));
	for (size_t i = m->count; chosen && i-- > 0;)
		if (is_of(&m->lines[i], "base", NULL))
			remove_at(m, i);
}

int merge_add(struct merge *m, const char *file, const struct ini *ini, struct err *e)
{
	bool first = m->section_count == 0;

	if (!first && m->count + ini->count + m->section_count + ini->section_count > LINES_MAX)
		return err_set(e, ERR_CONFIG,
		               "%s: it and what it is laid over have more than %d lines together",
		               text_safe(file), LINES_MAX);
	m->layered = !first;
	add_sections(m, file, ini, first);
	if (!first)
		drop_base(m, ini);
	for (size_t i = 0; i < ini->count; i++) {
		const struct ini_entry *entry = &ini->entries[i];

		if (!merge_is_list(entry->section, entry->key))
			add_scalar(m, file, entry, first);
		else if (add_list(m, file, entry, first, e) < 0)
			return -1;
	}
	return 0;
}

/* One entry of all lines of a key from *next on. */
static void result_entry(const struct merge *m, size_t *next, struct ini *out)
{
	const struct config_line *first = &m->lines[*next], *last = first;
	struct buf value = BUF_INIT;

	buf_adds(&value, first->value);
	while (++*next < m->count && first->item && is_of(&m->lines[*next], first->section, first->key)) {
		last = &m->lines[*next];
		buf_addf(&value, "\n%s", last->value);
	}
	out->entries = mem_grow(out->entries, out->count, &out->cap, sizeof(*out->entries));
	out->entries[out->count++] = (struct ini_entry){ .section = mem_strdup(first->section),
		                                         .key = mem_strdup(first->key),
		                                         .value = buf_steal(&value),
		                                         .line = last->line,
		                                         .file = last->file };
}

void merge_result(const struct merge *m, struct ini *out)
{
	size_t next = 0;

	*out = (struct ini){ 0 };
	for (size_t i = 0; i < m->section_count; i++) {
		const struct ini_section *s = &m->sections[i];

		out->sections = mem_grow(out->sections, out->section_count, &out->section_cap,
		                         sizeof(*out->sections));
		out->sections[out->section_count++] =
			(struct ini_section){ .name = mem_strdup(s->name), .line = s->line, .file = s->file };
		/* The first file's lines are in the order of its sections; a later one may have filled an empty section. */
		if (m->layered)
			next = find(m, s->name, NULL, NULL);
		while (next < m->count && is_of(&m->lines[next], s->name, NULL))
			result_entry(m, &next, out);
	}
}

void merge_release(struct merge *m)
{
	for (size_t i = 0; i < m->count; i++)
		line_release(&m->lines[i]);
	for (size_t i = 0; i < m->section_count; i++)
		free(m->sections[i].name);
	free(m->lines);
	free(m->sections);
	*m = (struct merge){ 0 };
}
