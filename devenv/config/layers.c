/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layers.c - one configuration of one or more files.
 *
 * Each file is first checked by itself, its values included, so that a mistake is found in the file that makes it and
 * not where files meet; then they are merged, and the result is what counts.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/fill.h"
#include "config/ini.h"
#include "config/keys.h"
#include "config/merge.h"

/* What devenv.local.ini may set. Everything else makes the environment another one for one person only. */
static const struct {
	const char *section, *key;
} local_keys[] = {
	{ "env", "*" },     { "env-file", "*" },      { "pass-env", "*" },     { "mount.*", "*" },
	{ "sandbox", "*" }, { "workspace", "shell" }, { "workspace", "path" }, { "packages", "apt" },
};

/* What everybody shares is in their lock: it can't be taken away for one. */
static int check_own_packages(const char *file, const struct ini_entry *entry, struct err *e)
{
	cleanup_strlist struct strlist items = STRLIST_INIT;

	if (strcmp(entry->section, "packages") != 0)
		return 0;
	strlist_split(&items, entry->value, " \t\n");
	for (size_t i = 0; i < items.count; i++) {
		if (items.items[i][0] != '!')
			continue;
		err_set(e, ERR_CONFIG, "%s:%u: [packages] apt: '%s' would take away what everybody shares", text_safe(file),
		        entry->line, text_safe(items.items[i]));
		return err_hint(e, "this file can only add packages; the others are devenv.ini's");
	}
	return 0;
}

static int check_local(const char *file, const struct ini *ini, struct err *e)
{
	for (size_t i = 0; i < ini->count; i++) {
		const struct ini_entry *entry = &ini->entries[i];
		bool ok = false;

		for (size_t k = 0; !ok && k < ARRAY_SIZE(local_keys); k++)
			ok = keys_match(local_keys[k].section, entry->section) &&
			     keys_match(local_keys[k].key, entry->key);
		if (ok && check_own_packages(file, entry, e) < 0)
			return -1;
		if (ok)
			continue;
		err_set(e, ERR_CONFIG, "%s:%u: [%s] %s is not for this file to set", text_safe(file),
		        entry->line, text_safe(entry->section), text_safe(entry->key));
		return err_hint(
			e,
			"it can set [env], [env-file], [pass-env], [mount.NAME], [sandbox], apt of [packages] and shell and "
			"path of [workspace]; the rest is for devenv.ini, which everybody shares");
	}
	return 0;
}

static void name_file(struct ini *ini, const char *file)
{
	for (size_t i = 0; i < ini->count; i++)
		ini->entries[i].file = file;
	for (size_t i = 0; i < ini->section_count; i++)
		ini->sections[i].file = file;
}

static bool add_kept(const char *value, struct buf *kept)
{
	cleanup_strlist struct strlist items = STRLIST_INIT;

	strlist_split(&items, value, " \t\n");
	for (size_t i = 0; i < items.count; i++)
		if (items.items[i][0] != '!')
			buf_addf(kept, "%s%s", kept->len ? "\n" : "", items.items[i]);
	return items.count > 0;
}

/* "!name" is for the merge; what is left is what this file adds. Keys that only remove are left out. */
static void drop_removals(struct ini *ini)
{
	size_t kept_count = 0;

	for (size_t i = 0; i < ini->count; i++) {
		struct ini_entry entry = ini->entries[i];
		struct buf kept = BUF_INIT;

		if (merge_is_list(entry.section, entry.key) && add_kept(entry.value, &kept)) {
			free(entry.value);
			entry.value = kept.len ? buf_steal(&kept) : NULL;
		}
		buf_release(&kept);
		if (entry.value) {
			ini->entries[kept_count++] = entry;
			continue;
		}
		free(entry.section);
		free(entry.key);
	}
	ini->count = kept_count;
}

/* One file by itself. */
static int check_alone(const char *file, const struct config_text *t, struct err *e)
{
	struct config scratch = { .file = (char *)file };
	struct ini ini;
	int rc;

	if (ini_read(t->name, t->text, t->len, &ini, e))
		return -1;
	name_file(&ini, file);
	drop_removals(&ini);
	rc = fill_config(&scratch, &ini, e);
	scratch.file = NULL;
	config_release(&scratch);
	ini_release(&ini);
	return rc;
}

static int add_text(struct merge *m, const char *file, const struct config_text *t, bool alone, struct err *e)
{
	struct ini ini;
	int rc;

	if (ini_read(t->name, t->text, t->len, &ini, e))
		return -1;
	rc = fill_check(t->name, &ini, e);
	if (rc == 0 && t->local)
		rc = check_local(t->name, &ini, e);
	if (rc == 0 && !alone)
		rc = check_alone(file, t, e);
	if (rc == 0)
		rc = merge_add(m, file, &ini, e);
	ini_release(&ini);
	return rc;
}

int config_parse_texts(const struct config_text *texts, size_t count, bool whole, struct config *out,
                       struct err *e)
{
	struct config c = { 0 };
	struct merge m = { .incomplete = !whole };
	struct ini merged = { 0 };
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		strlist_add(&c.files, texts[i].name);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = add_text(&m, c.files.items[i], &texts[i], count == 1, e);
		if (texts[i].local) {
			c.local = c.files.items[i];
		} else {
			free(c.file);
			c.file = mem_strdup(texts[i].name);
		}
	}
	if (rc == 0)
		merge_result(&m, &merged);
	c.lines = mem_steal(m.lines);
	c.line_count = m.count;
	m.count = 0;
	if (rc == 0)
		rc = fill_config(&c, &merged, e);
	if (rc == 0)
		rc = fill_check_all(&c, whole, e);
	merge_release(&m);
	ini_release(&merged);
	if (rc)
		config_release(&c);
	else
		*out = c;
	return rc;
}

int config_parse(const char *name, const char *text, size_t len, struct config *out, struct err *e)
{
	return config_parse_texts(&(struct config_text){ name, text, len, false }, 1, true, out, e);
}

int config_parse_extends(const char *name, const char *text, size_t len, struct strlist *items,
                         unsigned int *line, struct err *e)
{
	struct ini ini;

	if (ini_read(name, text, len, &ini, e))
		return -1;
	for (size_t i = 0; i < ini.count; i++)
		if (!strcmp(ini.entries[i].section, "devenv") && !strcmp(ini.entries[i].key, "extends")) {
			strlist_split(items, ini.entries[i].value, " \t\n");
			*line = ini.entries[i].line;
		}
	ini_release(&ini);
	return 0;
}

void config_origin(const struct config *c, const char *section, const char *key, const char *item,
                   struct buf *out)
{
	for (size_t i = c->line_count; i-- > 0;) {
		const struct config_line *line = &c->lines[i];

		if (strcmp(line->section, section) || strcmp(line->key, key) ||
		    (item && strcmp(line->value, item)))
			continue;
		buf_addf(out, "%s:%u", line->file, line->line);
		return;
	}
	buf_adds(out, "default");
}
