/* SPDX-License-Identifier: Apache-2.0 */
/* listing.c - see listing.h. The first half is that of unpacking: a thread inflates into a ring. */
#include "layer/listing.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "base/mem.h"
#include "layer/feed.h"
#include "layer/name.h"
#include "layer/ring.h"
#include "layer/tarstream.h"

static int tell(struct archive_entry *entry, struct name *name, layer_member_seen *seen, void *data, struct err *e)
{
	cleanup_free char *path = NULL;

	if (!archive_entry_pathname(entry) || name_parse(name, archive_entry_pathname(entry), e) < 0)
		return e->code ? -1 : err_set(e, ERR_INTEGRITY, "the archive has an entry without a name");
	if (name->kind == NAME_ROOT)
		path = mem_strdup(".");
	else if (name->kind == NAME_ENTRY)
		path = mem_printf("%s%s%s", name->dir, *name->dir ? "/" : "", name->base);
	if (path)
		seen(data, &(struct layer_member){ path, archive_entry_filetype(entry) == AE_IFDIR && !archive_entry_hardlink(entry),
						   (uint64_t)archive_entry_uid(entry), (uint64_t)archive_entry_gid(entry) });
	return 0;
}

static int each(struct tarstream *t, layer_member_seen *seen, void *data, struct err *e)
{
	cleanup_free struct name *name = mem_alloc(sizeof(*name));
	char diff_id[DIGEST_MAX];
	struct archive_entry *entry;
	int more;

	while ((more = tarstream_next(t, &entry, e)) > 0)
		if (tell(entry, name, seen, data, e) < 0)
			return -1;
	return more < 0 ? -1 : tarstream_finish(t, diff_id, e);
}

int layer_each_member(const struct layer_spec *spec, struct stream *in, layer_member_seen *seen, layer_progress *progress, void *data,
		      struct err *e)
{
	struct tarstream_params params = { .ring = ring_new(), .max_bytes = spec->max_bytes, .progress = progress, .data = data };
	struct feed *feed = feed_start(spec, in, params.ring, e);
	struct tarstream *t = NULL;
	char digest[DIGEST_MAX];
	int result = -1;

	params.feed = feed;
	if (feed)
		t = tarstream_new(&params, e);
	if (t)
		result = each(t, seen, data, e);
	ring_stop(params.ring);
	feed_end(feed, digest);
	tarstream_free(t);
	ring_free(params.ring);
	return result;
}
