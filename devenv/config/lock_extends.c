/* SPDX-License-Identifier: Apache-2.0 */
/* lock_extends.c - the sections of devenv.lock for files of git repositories that a configuration extends. */
#include "config/lock_extends.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/lock_entries.h"

#define EXTENDS_MAX 1000 /* env/ reads far fewer; each is looked for among the others */

bool lock_commit_is_valid(const char *commit)
{
	return text_is_hex(commit, 40);
}

static int take_entry(const char *name, const struct ini_entry *entry, void *extends, struct err *e)
{
	struct lock_extends *out = extends;

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
	if (lock_entries_read(name, ini, section, take_entry, &entry, e) < 0) {
		lock_extends_release(&entry);
		return -1;
	}
	missing = !entry.request ? "request" : !entry.commit ? "commit" : !entry.content ? "content" : NULL;
	if (missing) {
		lock_extends_release(&entry);
		return lock_entries_missing(name, section, missing, e);
	}
	lock_put_extends(l, &entry);
	return 0;
}

void lock_format_extends(const struct lock *l, struct buf *out)
{
	cleanup_free struct lock_extends *sorted = lock_entries_sorted(lock_entries_extends(l));

	for (size_t i = 0; i < l->extends_count; i++) {
		buf_addf(out, "\n[%s]\ncommit = %s\ncontent = %s\n", sorted[i].name, sorted[i].commit,
		         sorted[i].content);
		lock_add_value(out, "request", sorted[i].request);
	}
}

struct lock_extends *lock_find_extends(const struct lock *l, const char *name)
{
	return lock_entries_find(lock_entries_extends(l), name);
}

void lock_put_extends(struct lock *l, struct lock_extends *entry)
{
	lock_entries_put(lock_entries_extends(l), entry);
}

void lock_remove_extends(struct lock *l, const char *name)
{
	lock_entries_remove(lock_entries_extends(l), name);
}

void lock_extends_release(struct lock_extends *entry)
{
	free(entry->name);
	free(entry->request);
	free(entry->commit);
	free(entry->content);
	*entry = (struct lock_extends){ 0 };
}
