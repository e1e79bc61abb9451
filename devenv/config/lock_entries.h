/* SPDX-License-Identifier: Apache-2.0 */
/* lock_entries.h - what images and extended files have in common in the lock: named entries, in a list. Internal to config/. */
#ifndef DEVENV_CONFIG_LOCK_ENTRIES_H
#define DEVENV_CONFIG_LOCK_ENTRIES_H

#include "config/ini.h"
#include "config/lock.h"

/* A list of entries of one kind, by where the lock has it. Each entry begins with its name (char *). */
struct lock_entries {
	void **items;
	size_t *count, *cap;
	size_t size; /* of an entry */
	void (*release)(void *entry);
};
struct lock_entries lock_entries_images(const struct lock *l);
struct lock_entries lock_entries_extends(const struct lock *l);

void *lock_entries_find(struct lock_entries list, const char *name);
/* Replace the one of that name or add it; takes the contents of `entry`. */
void lock_entries_put(struct lock_entries list, void *entry);
void lock_entries_remove(struct lock_entries list, const char *name);
void lock_entries_release(struct lock_entries list);
/* A copy of the list sorted by name, whose entries belong to the list. malloc'ed. */
void *lock_entries_sorted(struct lock_entries list);

/* Read a section into `entry`, key by key. */
int lock_entries_read(const char *name, const struct ini *ini, const struct ini_section *section,
                      int (*take)(const char *name, const struct ini_entry *key, void *entry, struct err *e), void *entry,
                      struct err *e);
/* The section lacks a key that it must have: the error. */
int lock_entries_missing(const char *name, const struct ini_section *section, const char *key, struct err *e);

#endif
