/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locales.c - which locales a root knows.
 *
 * glibc keeps them as directories or in one locale-archive: a header of thirteen 32-bit numbers and a hash table whose
 * used slots hold the offset of a name. Only the header, the table and the names are read, each within bounds: the
 * file is an image's and can be hundreds of megabytes.
 */
#include "env/locales.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define LOCALES "/usr/lib/locale"
#define ARCHIVE_MAGIC 0xde020109u
#define SLOTS_MAX (1u << 16)
#define STRINGS_MAX (1u << 20)
#define NAME_MAX_LEN 64

struct archive_header {
	uint32_t magic, serial, name_table, names_used, name_slots, strings, strings_used, strings_size;
	uint32_t rest[5]; /* record table and checksum table: not needed */
};
struct archive_slot {
	uint32_t hash, name, record;
};

static bool is_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n < NAME_MAX_LEN &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-") == n;
}

static void add(struct strlist *out, const char *name)
{
	const char *dot = strchr(name, '.');

	if (!is_name(name))
		return;
	strlist_add(out, name);
	if (dot && text_starts(dot, ".utf8"))
		strlist_addf(out, "%.*s.UTF-8%s", (int)(dot - name), name, dot + strlen(".utf8"));
}

static bool read_at(int fd, void *data, size_t len, uint32_t offset)
{
	return pread(fd, data, len, (off_t)offset) == (ssize_t)len;
}

static void read_archive(int fd, struct strlist *out)
{
	cleanup_free struct archive_slot *slots = NULL;
	cleanup_free char *strings = NULL;
	struct archive_header h;

	if (!read_at(fd, &h, sizeof(h), 0) || h.magic != ARCHIVE_MAGIC || h.name_slots > SLOTS_MAX ||
	    h.strings_used > STRINGS_MAX || !h.name_slots || !h.strings_used)
		return;
	slots = mem_array(h.name_slots, sizeof(*slots));
	strings = mem_alloc(h.strings_used + 1);
	if (!read_at(fd, slots, h.name_slots * sizeof(*slots), h.name_table) ||
	    !read_at(fd, strings, h.strings_used, h.strings))
		return;
	for (uint32_t i = 0; i < h.name_slots; i++) {
		const struct archive_slot *slot = &slots[i];

		if (slot->record && slot->name >= h.strings && slot->name - h.strings < h.strings_used)
			add(out, strings + (slot->name - h.strings));
	}
}

static void keep_unique(struct strlist *l)
{
	size_t n = 0;

	strlist_sort(l);
	for (size_t i = 0; i < l->count; i++) {
		if (n && strcmp(l->items[n - 1], l->items[i]) == 0)
			free(l->items[i]);
		else
			l->items[n++] = l->items[i];
	}
	l->count = n;
	if (l->items)
		l->items[n] = NULL;
}

int locales_find(const struct root *r, struct strlist *out, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err none = ERR_INIT;
	int fd;

	strlist_add(out, "C");
	strlist_add(out, "POSIX");
	strlist_add(out, "C.UTF-8");
	if (root_list(r, LOCALES, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (strcmp(names.items[i], "locale-archive") != 0)
			add(out, names.items[i]);
	fd = root_open(r, LOCALES "/locale-archive", &none);
	if (fd >= 0) {
		read_archive(fd, out);
		close(fd);
	}
	keep_unique(out);
	return 0;
}
