/* SPDX-License-Identifier: Apache-2.0 */
/* lock_entries.c - lists of named entries, whatever else an entry holds. */
#include "config/lock_entries.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static void release_image(void *entry)
{
	lock_image_release(entry);
}

static void release_extends(void *entry)
{
	lock_extends_release(entry);
}

/* The lock is only read through a list that came from one that may only be read. */
struct lock_entries lock_entries_images(const struct lock *from)
{
	struct lock *l = (struct lock *)(uintptr_t)from;

	return (struct lock_entries){ (void **)&l->images, &l->image_count, &l->image_cap, sizeof(*l->images), release_image };
}

struct lock_entries lock_entries_extends(const struct lock *from)
{
	struct lock *l = (struct lock *)(uintptr_t)from;

	return (struct lock_entries){ (void **)&l->extends, &l->extends_count, &l->extends_cap, sizeof(*l->extends),
		                      release_extends };
}

static void *at(struct lock_entries list, size_t i)
{
	return (char *)*list.items + i * list.size;
}

static const char *name_of(const void *entry)
{
	return *(char *const *)entry;
}

void *lock_entries_find(struct lock_entries list, const char *name)
{
	for (size_t i = 0; i < *list.count; i++)
		if (!strcmp(name_of(at(list, i)), name))
			return at(list, i);
	return NULL;
}

void lock_entries_put(struct lock_entries list, void *entry)
{
	void *there = lock_entries_find(list, name_of(entry));

	if (there) {
		list.release(there);
	} else {
		*list.items = mem_grow(*list.items, *list.count, list.cap, list.size);
		there = at(list, (*list.count)++);
	}
	memcpy(there, entry, list.size);
	memset(entry, 0, list.size);
}

void lock_entries_remove(struct lock_entries list, const char *name)
{
	void *there = lock_entries_find(list, name), *last;

	if (!there)
		return;
	list.release(there);
	last = at(list, --(*list.count));
	if (there != last)
		memcpy(there, last, list.size);
	memset(last, 0, list.size);
}

void lock_entries_release(struct lock_entries list)
{
	for (size_t i = 0; i < *list.count; i++)
		list.release(at(list, i));
	free(*list.items);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(name_of(a), name_of(b));
}

void *lock_entries_sorted(struct lock_entries list)
{
	void *sorted = mem_array(*list.count + 1, list.size);

	if (*list.count)
		memcpy(sorted, *list.items, *list.count * list.size);
	qsort(sorted, *list.count, list.size, by_name);
	return sorted;
}

int lock_entries_read(const char *name, const struct ini *ini, const struct ini_section *section,
                      int (*take)(const char *name, const struct ini_entry *key, void *entry, struct err *e), void *entry,
                      struct err *e)
{
	for (size_t i = 0; i < ini->count; i++)
		if (!strcmp(ini->entries[i].section, section->name) && take(name, &ini->entries[i], entry, e))
			return -1;
	return 0;
}

int lock_entries_missing(const char *name, const struct ini_section *section, const char *key, struct err *e)
{
	err_set(e, ERR_LOCK, "%s:%u: [%s] has no %s", text_safe(name), section->line, text_safe(section->name), key);
	return err_hint(e, "take the file from git again, or delete it and run `devenv lock`");
}
