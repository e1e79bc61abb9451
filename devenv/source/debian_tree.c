/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_tree.c - which file of the tree is whose. See debian_tree.h.
 *
 * dpkg's rules: a directory that is there stays as it is, whoever has it too; a directory's entry may meet a link that
 * leads to a directory, and what is in it goes there; a link gives way to a directory. Files are another matter:
 * one package must have said Replaces. With merged /usr, /bin/x and /usr/bin/x are one file under two names, which dpkg doesn't
 * see: there the real file is kept before a link to it.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/debian_depends.h"
#include "source/debian_tree_internal.h"

enum { LINKS_MAX = 40 };

/* ---- nodes ---- */

static size_t bucket_of(const struct debian_tree *t, const struct debian_node *parent, const char *name)
{
	uint64_t h = text_hash_add(TEXT_HASH_INIT, &parent, sizeof(parent));

	return text_hash_add(h, name, strlen(name)) & (t->bucket_count - 1);
}

static void put_in_bucket(struct debian_tree *t, struct debian_node *n)
{
	size_t b = bucket_of(t, n->parent, n->name);

	n->chain = t->buckets[b];
	t->buckets[b] = n;
}

static struct debian_node *find(const struct debian_tree *t, const struct debian_node *parent, const char *name)
{
	struct debian_node *n = t->buckets[bucket_of(t, parent, name)];

	while (n && (n->parent != parent || strcmp(n->name, name) != 0))
		n = n->chain;
	return n;
}

static struct debian_node *add(struct debian_tree *t, struct debian_node *parent, const char *name, mode_t mode)
{
	struct debian_node *n = mem_alloc(sizeof(*n));

	*n = (struct debian_node){ .parent = parent, .name = mem_strdup(name), .mode = mode, .entry = UNPACKED_ROOT };
	t->nodes = mem_grow(t->nodes, t->count, &t->cap, sizeof(struct debian_node *));
	t->nodes[t->count++] = n;
	if (t->count > t->bucket_count) {
		t->bucket_count *= 4;
		free(t->buckets);
		t->buckets = mem_array(t->bucket_count, sizeof(struct debian_node *));
		for (size_t i = 0; i < t->count; i++)
			put_in_bucket(t, t->nodes[i]);
	} else {
		put_in_bucket(t, n);
	}
	return n;
}

struct debian_tree *debian_tree_new(void)
{
	struct debian_tree *t = mem_alloc(sizeof(*t));

	t->bucket_count = 1 << 14;
	t->buckets = mem_array(t->bucket_count, sizeof(struct debian_node *));
	add(t, NULL, "", S_IFDIR | 0755);
	return t;
}

void debian_tree_free(struct debian_tree *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++) {
		free(t->nodes[i]->name);
		free(t->nodes[i]->link);
		free(t->nodes[i]);
	}
	free(t->nodes);
	free(t->buckets);
	free(t);
}

void debian_node_path(const struct debian_node *n, struct buf *out)
{
	if (!n->parent) {
		buf_adds(out, ".");
		return;
	}
	if (n->parent->parent) {
		debian_node_path(n->parent, out);
		buf_addch(out, '/');
	}
	buf_adds(out, n->name);
}

/* ---- links to directories ---- */

/* The directory that a link's target leads to from `dir`, or NULL. *links: how many were followed on the way, as the kernel counts
 * them: links in the targets of links are no more than that either. */
static struct debian_node *follow(const struct debian_tree *t, struct debian_node *dir, const char *target, int *links)
{
	struct debian_node *at = *target == '/' ? t->nodes[0] : dir;

	while (at && *target) {
		size_t len = strcspn(target, "/");
		cleanup_free char *part = mem_strndup(target, len);

		if (strcmp(part, "..") == 0)
			at = at->parent ? at->parent : at;
		else if (len > 0 && strcmp(part, ".") != 0)
			at = find(t, at, part);
		if (at && at->link)
			at = (*links)++ < LINKS_MAX ? follow(t, at->parent, at->link, links) : NULL;
		if (at && !S_ISDIR(at->mode))
			return NULL;
		target += len + (target[len] == '/');
	}
	return at;
}

/* ---- laying a package over the tree ---- */

static bool says_replaces(const struct unpacked *u, const struct unpacked *other)
{
	struct debian_text rest, group, version = DEBIAN_TEXT(other->package->version);
	struct debian_dependency d;

	if (!unpacked_field(u, "Replaces", &rest))
		return false;
	while (debian_depends_group(&rest, &group))
		while (debian_depends_next(&group, u->package->arch, &d))
			if (debian_text_is(d.name, other->package->name) && debian_depends_allows(&d, version))
				return true;
	return false;
}

static void take(struct debian_node *n, struct unpacked *u, size_t entry)
{
	const struct unpacked_entry *e = &u->entries[entry];
	cleanup_buf struct buf path = BUF_INIT;

	unpacked_path(u, entry, &path);
	free(n->link);
	n->link = e->link ? mem_strdup(e->link) : NULL;
	n->mode = e->mode;
	n->mtime = e->mtime;
	n->owner = u;
	n->entry = entry;
	n->record = owners_find(&u->owners, path.data);
}

static void lose(struct unpacked *u, const char *path)
{
	strlist_addf(&u->lost, "/%s", path);
}

/* Two names that merged /usr made one. */
static void settle_alias(struct debian_node *n, struct unpacked *u, size_t entry)
{
	if (n->link && !u->entries[entry].link)
		take(n, u, entry);
}

static int conflict(struct debian_node *n, struct unpacked *u, size_t entry, struct err *e)
{
	cleanup_buf struct buf mine = BUF_INIT, theirs = BUF_INIT;

	unpacked_path(u, entry, &mine);
	if (n->owner)
		unpacked_path(n->owner, n->entry, &theirs);
	if (n->owner && !S_ISDIR(n->mode) && !S_ISDIR(u->entries[entry].mode)) {
		if (u->files_only)
			return 0;
		if (n->owner->files_only) {
			take(n, u, entry);
			return 0;
		}
		if (says_replaces(u, n->owner)) {
			lose(n->owner, theirs.data);
			take(n, u, entry);
			return 0;
		}
		if (says_replaces(n->owner, u)) {
			lose(u, mine.data);
			return 0;
		}
		if (strcmp(mine.data, theirs.data) != 0) {
			settle_alias(n, u, entry);
			return 0;
		}
	}
	err_set(e, ERR_CONFIG, "the packages %s and %s both have /%s and neither replaces the other", text_safe(u->package->name),
		n->owner ? text_safe(n->owner->package->name) : "of the root's links", text_safe(mine.data));
	return err_hint(e, "they can't be installed together: leave one of them out");
}

/* The directory of the tree that an entry's directory is. */
static int add_directory(struct debian_tree *t, struct debian_node *dir, struct unpacked *u, size_t entry, struct debian_node **out,
			 struct err *e)
{
	const struct unpacked_entry *it = &u->entries[entry];
	struct debian_node *n = find(t, dir, it->name);
	int links = 0;

	if (!n) {
		n = add(t, dir, it->name, it->mode);
		take(n, u, entry);
	} else if (n->link) {
		n = follow(t, n->parent, n->link, &links);
	} else if (S_ISDIR(n->mode) && !n->owner) {
		take(n, u, entry);
	}
	*out = n;
	if (n && S_ISDIR(n->mode))
		return 0;
	return conflict(find(t, dir, it->name), u, entry, e);
}

static int add_file(struct debian_tree *t, struct debian_node *dir, struct unpacked *u, size_t entry, struct err *e)
{
	const struct unpacked_entry *it = &u->entries[entry];
	struct debian_node *n = find(t, dir, it->name);

	if (!n) {
		take(add(t, dir, it->name, it->mode), u, entry);
		return 0;
	}
	if (it->link && S_ISDIR(n->mode))
		return 0;
	if (!n->owner && n->link && it->link && strcmp(n->link, it->link) == 0) {
		take(n, u, entry);
		return 0;
	}
	return conflict(n, u, entry, e);
}

int debian_tree_add(struct debian_tree *t, struct unpacked *u, struct err *e)
{
	cleanup_free struct debian_node **at = mem_array(u->count + 1, sizeof(struct debian_node *));
	struct debian_node *root = t->nodes[0];

	if (!root->owner) {
		root->owner = u;
		root->mode = u->root_mode;
		root->mtime = u->root_mtime;
		root->record = owners_find(&u->owners, ".");
	}
	for (size_t i = 0; i < u->count; i++) {
		struct debian_node *dir = u->entries[i].parent == UNPACKED_ROOT ? root : at[u->entries[i].parent];
		int result = S_ISDIR(u->entries[i].mode) ? add_directory(t, dir, u, i, &at[i], e) : add_file(t, dir, u, i, e);

		if (result < 0)
			return -1;
	}
	return 0;
}

void debian_tree_add_link(struct debian_tree *t, const char *name, const char *target)
{
	cleanup_strlist struct strlist parts = STRLIST_INIT;
	struct debian_node *at = t->nodes[0], *link;

	strlist_split(&parts, target, "/");
	for (size_t i = 0; i < parts.count; i++) {
		struct debian_node *n = find(t, at, parts.items[i]);

		at = n ? n : add(t, at, parts.items[i], S_IFDIR | 0755);
	}
	link = add(t, t->nodes[0], name, S_IFLNK | 0777);
	link->link = mem_strdup(target);
}
