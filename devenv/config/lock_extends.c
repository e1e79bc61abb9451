/* SPDX-License-Identifier: Apache-2.0 */
/* lock_extends.c - the sections of devenv.lock for files of git repositories that a configuration extends. */
#include "config/lock_extends.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

#define EXTENDS_MAX 1000 /* env/ reads far fewer; each is looked for among the others */

bool lock_commit_is_valid(const char *commit)
{
	return text_is_hex(commit, 40);
}

static int take_entry(const char *name, const struct ini_entry *entry, struct lock_extends *out,
                      struct err *e)
{
	if (!strcmp(entry->key, "request")) {
		if (entry->value[0] == '\0' || strchr(entry->value, '\n'))
			return lock_bad_value(name, entry, "a request", e);
		out->request = mem_strdup(entry->value);
	} else if (!strcmp(entry->key, "commit")) {
		if (!lock_commit_is_valid(entry->value))
			return lock_bad_value(name, entry, "a commit", e);
		out->commit = mem_strdup(entry->value);
	} else if (!strcmp(entry->key, "content")) {
		if (!digest_is_valid(entry->value))
			return lock_bad_value(name, entry, "a digest", e);
		out->content = mem_strdup(entry->value);
	} else {
		return lock_unknown_key(name, entry, e);
	}
	return 0;
}

int lock_take_extends(const char *name, const struct ini *ini, const struct ini_section *section,
                      struct lock *l, struct err *e)
{
	struct lock_extends entry = { .name = mem_strdup(section->name) };
	const char *missing;

	if (l->extends_count == EXTENDS_MAX) {
		lock_extends_release(&entry);
		return err_set(e, ERR_LOCK, "%s:%u: more than %d files are extended", text_safe(name),
		               section->line, EXTENDS_MAX),
		       err_hint(e, "delete the file and run `devenv lock`");
	}
	for (size_t i = 0; i < ini->count; i++)
		if (!strcmp(ini->entries[i].section, section->name) &&
		    take_entry(name, &ini->entries[i], &entry, e)) {
			lock_extends_release(&entry);
			return -1;
		}
	missing = !entry.request ? "request" : !entry.commit ? "commit" : !entry.content ? "content" : NULL;
	if (missing) {
		err_set(e, ERR_LOCK, "%s:%u: [%s] has no %s", text_safe(name), section->line,
		        text_safe(section->name), missing);
		lock_extends_release(&entry);
		return err_hint(e, "take the file from git again, or delete it and run `devenv lock`");
	}
	lock_put_extends(l, &entry);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct lock_extends *)a)->name, ((const struct lock_extends *)b)->name);
}

void lock_format_extends(const struct lock *l, struct buf *out)
{
	cleanup_free struct lock_extends *sorted = mem_array(l->extends_count + 1, sizeof(*sorted));

	if (l->extends_count)
		memcpy(sorted, l->extends, l->extends_count * sizeof(*sorted));
	qsort(sorted, l->extends_count, sizeof(*sorted), by_name);
	for (size_t i = 0; i < l->extends_count; i++) {
		buf_addf(out, "\n[%s]\ncommit = %s\ncontent = %s\n", sorted[i].name, sorted[i].commit,
		         sorted[i].content);
		lock_add_value(out, "request", sorted[i].request);
	}
}

struct lock_extends *lock_find_extends(const struct lock *l, const char *name)
{
	for (size_t i = 0; i < l->extends_count; i++)
		if (!strcmp(l->extends[i].name, name))
			return &l->extends[i];
	return NULL;
}

void lock_put_extends(struct lock *l, struct lock_extends *entry)
{
	struct lock_extends *there = lock_find_extends(l, entry->name);

	if (there) {
		lock_extends_release(there);
	} else {
		l->extends = mem_grow(l->extends, l->extends_count, &l->extends_cap, sizeof(*l->extends));
		there = &l->extends[l->extends_count++];
	}
	*there = *entry;
	*entry = (struct lock_extends){ 0 };
}

void lock_remove_extends(struct lock *l, const char *name)
{
	struct lock_extends *there = lock_find_extends(l, name);

	if (!there)
		return;
	lock_extends_release(there);
	*there = l->extends[--l->extends_count];
	l->extends[l->extends_count] = (struct lock_extends){ 0 };
}

void lock_extends_release(struct lock_extends *entry)
{
	free(entry->name);
	free(entry->request);
	free(entry->commit);
	free(entry->content);
	*entry = (struct lock_extends){ 0 };
}
