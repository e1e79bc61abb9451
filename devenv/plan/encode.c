/* SPDX-License-Identifier: Apache-2.0 */
/* encode.c - from a plan in memory to the bytes of its file. Deterministic: the same plan gives the same bytes. */
#include <string.h>

#include "plan/format.h"
#include "plan/plan.h"

/* A word at a time: a plan that watches many files has megabytes. */
uint64_t plan_checksum(const void *data, size_t len)
{
	const char *p = data;
	uint64_t hash = 0xcbf29ce484222325ULL, word;
	size_t i;

	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32; /* or high bits would never reach low ones */
	}
	return hash;
}

static void pad(struct buf *b)
{
	static const char zeros[8];

	buf_add(b, zeros, (8 - b->len % 8) % 8);
}

/* One record out of up to three parts. */
static void add_record(struct buf *b, enum plan_tag tag, const void *head, size_t head_len, const char *s1,
		       const char *s2)
{
	size_t len1 = s1 ? strlen(s1) + 1 : 0, len2 = s2 ? strlen(s2) + 1 : 0;
	struct plan_record r = { .tag = tag, .length = (uint32_t)(head_len + len1 + len2) };

	buf_add(b, &r, sizeof(r));
	buf_add(b, head, head_len);
	buf_add(b, s1, len1);
	buf_add(b, s2, len2);
	pad(b);
}

static void add_identity(struct buf *b, const struct plan *p)
{
	struct plan_numbers n = { .uid = p->uid, .gid = p->gid, .root = p->root, .network = p->network, .scratch = p->scratch,
				  .nested = p->nested, .cpus = p->cpus, .pids = p->pids, .linger = p->linger, .become_uid = p->become_uid, .become_gid = p->become_gid,
				  .memory = p->memory };
	size_t i, j;

	add_record(b, PLAN_TAG_NUMBERS, &n, sizeof(n), NULL, NULL);
	for (i = 0; i < plan_string_field_count; i++)
		add_record(b, plan_string_fields[i].tag, NULL, 0,
			   *(const char *const *)((const char *)p + plan_string_fields[i].offset), NULL);
	for (i = 0; i < plan_list_field_count; i++) {
		const char *const *items = *(const char *const *const *)((const char *)p + plan_list_fields[i].items);
		size_t count = *(const size_t *)((const char *)p + plan_list_fields[i].count);

		for (j = 0; j < count; j++)
			add_record(b, plan_list_fields[i].tag, NULL, 0, items[j], NULL);
	}
	for (i = 0; i < p->mount_count; i++) {
		const struct plan_mount *m = &p->mounts[i];
		struct plan_mount_head h = { .kind = m->kind, .flags = m->flags, .dev = m->dev, .ino = m->ino };

		add_record(b, PLAN_TAG_MOUNT, &h, sizeof(h), m->host, m->target);
	}
	for (i = 0; i < p->uid_range_count; i++)
		add_record(b, PLAN_TAG_UID_RANGE, &p->uid_ranges[i], sizeof(p->uid_ranges[i]), NULL, NULL);
	for (i = 0; i < p->gid_range_count; i++)
		add_record(b, PLAN_TAG_GID_RANGE, &p->gid_ranges[i], sizeof(p->gid_ranges[i]), NULL, NULL);
	add_record(b, PLAN_TAG_FILTER, p->filter, p->filter_size, NULL, NULL);
	add_record(b, PLAN_TAG_ROOT_FILTER, p->root_filter, p->root_filter_size, NULL, NULL);
}

static void add_watches(struct buf *b, const struct plan *p)
{
	size_t i;

	for (i = 0; i < p->watch_count; i++) {
		const struct plan_watch *w = &p->watches[i];
		struct plan_watch_head h = { .absent = w->absent, .young = w->young, .dev = w->dev, .ino = w->ino,
					     .size = w->size, .mtime_ns = w->mtime_ns, .ctime_ns = w->ctime_ns };

		add_record(b, PLAN_TAG_WATCH, &h, sizeof(h), w->path, w->content);
	}
}

void plan_encode(const struct plan *p, struct buf *identity, struct buf *all)
{
	struct plan_header h = { .version = PLAN_VERSION, .header_size = sizeof(h) };
	size_t start;

	if (identity)
		add_identity(identity, p);
	if (!all)
		return;
	start = all->len;
	buf_add(all, &h, sizeof(h));
	add_record(all, PLAN_TAG_ID, NULL, 0, p->id, NULL);
	add_record(all, PLAN_TAG_SETUP, NULL, 0, p->setup, NULL);
	add_record(all, PLAN_TAG_SETUP_KEY, NULL, 0, p->setup_key, NULL);
	add_identity(all, p);
	add_watches(all, p);
	memcpy(h.magic, PLAN_MAGIC, sizeof(h.magic));
	h.length = all->len - start;
	h.checksum = plan_checksum(all->data + start + sizeof(h), h.length - sizeof(h));
	memcpy(all->data + start, &h, sizeof(h));
}
