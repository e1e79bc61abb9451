/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer.c - applying one layer: the two threads and the order of checks. See layer.h.
 *
 * Theory of operation: feed.c's thread reads, hashes and inflates into the ring; this thread computes the diff id, reads
 * tar entries and writes them. The thread reports its end through the ring, so an error of either side ends both: ours by
 * ring_stop, which the thread sees at its next buffer, the thread's by overtaking what is queued. Nothing of the tree
 * has a name yet, so everything may be written before it is verified.
 */
#include "layer/layer.h"

#include <archive_entry.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "layer/unpack.h"

#define ENTRIES_MAX   2000000ull
#define BYTES_DEFAULT (20ull << 30)
#define HEADERS_ROOM                                                                                         \
	(4ull << 30) /* tar may be so much larger than its files: headers of ENTRIES_MAX entries */

static void record_implied(void *data, const struct node *n)
{
	cleanup_buf struct buf path = BUF_INIT;
	struct owners_record r = { .kind = 'i' };
	struct unpack *u = data;

	tree_path(n, &path);
	r.path = path.len ? path.data : (char[]){ "." };
	owners_write(&u->owners, &r);
	u->out->bytes += 4096;
}

static int apply_entries(struct unpack *u, struct err *e)
{
	struct archive_entry *entry;
	int more;

	while ((more = tarstream_next(u->stream, &entry, e)) > 0) {
		if (++u->out->entries > ENTRIES_MAX)
			return err_set(e, ERR_INTEGRITY, "the layer has more than %llu entries", ENTRIES_MAX);
		if (entry_apply(u, entry, e) < 0)
			return -1;
	}
	return more;
}

static int check_diff_id(const struct layer_spec *spec, const struct layer_result *out, struct err *e)
{
	if (spec->diff_id && strcmp(spec->diff_id, out->diff_id) != 0)
		return err_set(e, ERR_INTEGRITY,
		               "the unpacked layer's digest (diff id) is %s, its image says %s", out->diff_id,
		               text_safe(spec->diff_id));
	return 0;
}

/* Full disk: which, and how much is probably missing, by what was unpacked so far of what share of the blob. */
static void explain_space(const struct unpack *u, const struct layer_spec *spec, uint64_t compressed,
                          int tree_fd_, struct err *e)
{
	uint64_t unpacked = u->stream ? tarstream_bytes(u->stream) : 0;
	char link[40], path[512];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", tree_fd_);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	if (spec->size > compressed && compressed > 0)
		err_hint(e, "about %s more are needed at %s: free them, for example with 'devenv gc'",
		         text_bytes((uint64_t)((double)unpacked / (double)compressed *
		                               (double)(spec->size - compressed)) +
		                    1),
		         text_safe(path));
	else
		err_hint(e, "free some space at %s, for example with 'devenv gc'", text_safe(path));
}

/* When the archive seems damaged, whether the blob is the one that was asked for is the better question. */
static void blame_stream(struct unpack *u, const struct layer_spec *spec, struct err *e)
{
	struct err other = ERR_INIT;

	if (tarstream_is_malformed(u->stream) && spec->digest && tarstream_drain(u->stream, &other) < 0)
		*e = other;
}

static int unpack_stream(struct unpack *u, const struct layer_spec *spec,
                         const struct tarstream_params *params, struct err *e)
{
	u->stream = tarstream_new(params, e);
	if (!u->stream)
		return -1;
	if (apply_entries(u, e) < 0) {
		blame_stream(u, spec, e);
		return -1;
	}
	if (tarstream_finish(u->stream, u->out->diff_id, e) < 0)
		return -1;
	return check_diff_id(spec, u->out, e) < 0 ? -1 : finish_tree(u, e);
}

static int check_spec(const struct layer_spec *spec, struct err *e)
{
	if ((spec->digest && !digest_is_valid(spec->digest)) ||
	    (spec->diff_id && !digest_is_valid(spec->diff_id)))
		return err_set(e, ERR_INTEGRITY, "the layer's digest '%s' is malformed",
		               text_safe(spec->digest && !digest_is_valid(spec->digest) ? spec->digest
		                                                                        : spec->diff_id));
	return 0;
}

int layer_apply(const struct layer_spec *spec, struct stream *in, int tree_fd_, int owners_fd,
                layer_progress *progress, void *data, struct layer_result *out, struct err *e)
{
	const struct below below = { spec->below, spec->below_count };
	struct tarstream_params params = { .digest_like = spec->diff_id, .progress = progress, .data = data };
	struct unpack *u;
	struct feed *feed = NULL;
	int result;

	*out = (struct layer_result){ 0 };
	if (check_spec(spec, e) < 0)
		return -1;
	u = mem_alloc(sizeof(*u));
	u->out = out;
	u->max_bytes = spec->max_bytes ? spec->max_bytes : BYTES_DEFAULT;
	params.max_bytes = u->max_bytes > UINT64_MAX - HEADERS_ROOM ? 0 : u->max_bytes + HEADERS_ROOM;
	owners_writer_begin(&u->owners, owners_fd);
	params.ring = ring_new();
	result = tree_init(&u->tree, tree_fd_, &below, e);
	u->tree.implied = record_implied;
	u->tree.data = u;
	if (result == 0) {
		feed = feed_start(spec, in, params.ring, e);
		params.feed = feed;
		result = feed ? unpack_stream(u, spec, &params, e) : -1;
	}
	out->compressed = feed ? feed_bytes(feed) : 0;
	out->unpacked = u->stream ? tarstream_bytes(u->stream) : 0;
	if (owners_writer_end(&u->owners, result == 0 ? e : NULL) < 0)
		result = -1;
	if (result < 0 && e->code == ERR_SPACE)
		explain_space(u, spec, out->compressed, tree_fd_, e);
	ring_stop(params.ring);
	feed_end(feed, out->digest);
	tarstream_free(u->stream);
	ring_free(params.ring);
	tree_release(&u->tree);
	free(u);
	return result;
}
