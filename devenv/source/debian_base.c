/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_base.c - see debian_base.h.
 *
 * Packages that the store has no layer of are unpacked into one stage, the largest first and as many at once as there are
 * processors, then published together: one syncfs for all. Two processes that unpack the same package both do the work, and one
 * of the results is kept. The tree is made of the published layers only.
 */
#include "source/debian_base.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/debian_dpkg.h"
#include "source/debian_parallel.h"
#include "source/debian_tree.h"

struct base {
	struct store *store;
	struct store_stage *stage; /* of the result */
	struct store_stage scratch; /* of packages' layers */
	const char *codename;
	struct unpacked *packages; /* sorted by name */
	size_t count;
	size_t *missing; /* indexes of those to be unpacked, the largest first */
	size_t missing_count;
	pthread_mutex_t mutex; /* of the progress */
	size_t done;
	void (*progress)(void *data, size_t done, size_t total);
	void *data;
	int64_t time; /* the latest of all packages */
};

static void report(struct base *b, size_t more)
{
	pthread_mutex_lock(&b->mutex);
	b->done += more;
	if (b->progress)
		b->progress(b->data, b->done, b->count);
	pthread_mutex_unlock(&b->mutex);
}

/* ---- packages into the store ---- */

static int by_name(const void *a, const void *b)
{
	const struct lock_package *x = ((const struct unpacked *)a)->package, *y = ((const struct unpacked *)b)->package;

	return strcmp(x->name, y->name);
}

static int by_size(const void *a, const void *b, void *data)
{
	const struct unpacked *packages = data;
	uint64_t x = packages[*(const size_t *)a].package->size, y = packages[*(const size_t *)b].package->size;

	return x < y ? 1 : x > y ? -1 : 0;
}

static int find_packages(struct base *b, const struct debian_base_item *items, struct err *e)
{
	for (size_t i = 0; i < b->count; i++) {
		struct unpacked *u = &b->packages[i];

		*u = (struct unpacked){ .package = items[i].package, .files_only = items[i].files_only, .fd = -1, .fs_fd = -1,
					.status = BUF_INIT };
		snprintf(u->id, sizeof(u->id), "sha256:%s", items[i].package->sha256);
	}
	qsort(b->packages, b->count, sizeof(*b->packages), by_name);
	for (size_t i = 0; i < b->count; i++) {
		if (i > 0 && strcmp(b->packages[i].package->name, b->packages[i - 1].package->name) == 0)
			return err_set(e, ERR_LOCK, "the base has the package %s twice", text_safe(b->packages[i].package->name));
		if (!store_has_layer(b->store, b->packages[i].id))
			b->missing[b->missing_count++] = i;
	}
	qsort_r(b->missing, b->missing_count, sizeof(*b->missing), by_size, b->packages);
	return 0;
}

static int unpack_one(void *data, size_t i, struct err *e)
{
	struct base *b = data;

	if (unpacked_make(b->store, &b->scratch, &b->packages[b->missing[i]], e) < 0)
		return -1;
	report(b, 1);
	return 0;
}

static int unpack_missing(struct base *b, struct err *e)
{
	cleanup_strlist struct strlist ids = STRLIST_INIT;

	report(b, b->count - b->missing_count);
	if (b->missing_count == 0)
		return 0;
	if (store_stage_new(b->store, &b->scratch, e) < 0 || debian_parallel(b->missing_count, unpack_one, b, e) < 0)
		return -1;
	for (size_t i = 0; i < b->missing_count; i++)
		strlist_add(&ids, b->packages[b->missing[i]].id);
	return store_layers_publish(b->store, &b->scratch, &ids, e);
}

static int load_one(void *data, size_t i, struct err *e)
{
	struct base *b = data;

	return unpacked_load(b->store, &b->packages[i], e);
}

/* ---- the tree ---- */

/* What /bin and others are since merged /usr, which every supported suite has. Later base-files brings them itself. */
static void add_links(const struct base *b, struct debian_tree *t)
{
	static const char *const always[] = { "bin", "sbin", "lib" };
	bool foreign = strcmp(b->codename, "bullseye") == 0 || strcmp(b->codename, "bookworm") == 0;
	bool amd64 = strcmp(b->packages[0].package->arch, "amd64") == 0;

	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		cleanup_free char *target = mem_printf("usr/%s", always[i]);

		debian_tree_add_link(t, always[i], target);
	}
	if (amd64)
		debian_tree_add_link(t, "lib64", "usr/lib64");
	if (amd64 && foreign) {
		debian_tree_add_link(t, "lib32", "usr/lib32");
		debian_tree_add_link(t, "libx32", "usr/libx32");
	}
}

/* base-files says what the directories of the root are like; after it the alphabet decides. */
static int lay_out(const struct base *b, struct debian_tree *t, struct err *e)
{
	add_links(b, t);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < b->count; i++)
			if ((strcmp(b->packages[i].package->name, "base-files") == 0) == (pass == 0) && debian_tree_add(t, &b->packages[i], e) < 0)
				return -1;
	return 0;
}

static int fill(const struct base *b, const struct debian_tree *t, int fs_fd, int owners_fd, struct err *e)
{
	if (debian_tree_make(t, fs_fd, e) < 0 || debian_dpkg_write(fs_fd, b->packages, b->count, b->time, e) < 0)
		return -1;
	return debian_tree_finish(t, fs_fd, b->time, e) < 0 ? -1 : debian_tree_owners(t, owners_fd, e);
}

static int make_tree(struct base *b, struct err *e)
{
	cleanup_close int fs = -1, owners = -1;
	struct debian_tree *t;
	int result;

	if (mkdirat(b->stage->fd, "fs", 0755) < 0 && errno != EEXIST)
		return err_sys(e, "can't make the tree of the base");
	fs = openat(b->stage->fd, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	owners = openat(b->stage->fd, "owners", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fs < 0 || owners < 0)
		return err_sys(e, "can't make the tree of the base");
	t = debian_tree_new();
	result = lay_out(b, t, e);
	for (size_t i = 0; i < b->count; i++)
		b->time = b->packages[i].time > b->time ? b->packages[i].time : b->time;
	if (result == 0)
		result = fill(b, t, fs, owners, e);
	debian_tree_free(t);
	return result;
}

int debian_base_unpack(struct store *s, struct store_stage *stage, const char *codename, const struct debian_base_item *items,
		       size_t count, void (*progress)(void *data, size_t done, size_t total), void *data, struct err *e)
{
	struct base b = { .store = s, .stage = stage, .scratch = { .fd = -1 }, .codename = codename, .count = count,
			  .progress = progress, .data = data, .mutex = PTHREAD_MUTEX_INITIALIZER };
	int result = 0;

	if (count == 0)
		return err_set(e, ERR_LOCK, "the lock has no packages of the base");
	b.packages = mem_array(count, sizeof(*b.packages));
	b.missing = mem_array(count, sizeof(*b.missing));
	if (find_packages(&b, items, e) < 0 || unpack_missing(&b, e) < 0 || debian_parallel(count, load_one, &b, e) < 0 || make_tree(&b, e) < 0)
		result = -1;
	store_stage_drop(s, &b.scratch);
	for (size_t i = 0; i < count; i++)
		unpacked_release(&b.packages[i]);
	free(b.packages);
	free(b.missing);
	return result;
}
