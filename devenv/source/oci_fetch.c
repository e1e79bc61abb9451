/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_fetch.c - an image into the store. See oci.h.
 *
 * Layers are unpacked one after the other, bottom first, each straight from its stream into a staging
 * directory that gets the layer's name when everything about it is verified and on disk, for which the next one does not
 * wait (oci_publish.h); the image record comes last.
 * While one is unpacked, the transfers of the next AHEAD missing ones are under way already, each as far as
 * its window goes, so that several connections fill at once and memory stays bounded.
 *
 * A layer's lock is taken before its transfer begins, for those ahead too, and always in chain order. So of
 * many pulls of one image one downloads and the others wait for it, none overtakes, and since any two
 * processes meet the layers that they share in the same order, none waits for another in a circle.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "fetch/http.h"
#include "layer/layer.h"
#include "source/manifest.h"
#include "source/oci.h"
#include "source/oci_publish.h"
#include "source/origin.h"

#define AHEAD 3

struct pull_layer {
	const struct manifest_part *part;
	const char *diff_id;
	char chain_id[DIGEST_MAX];
	bool present;          /* in the store */
	int lock_fd;           /* -1: not held */
	struct stream *stream; /* NULL: not begun */
};

struct pull {
	struct oci_context *context;
	struct origin *origin;
	const char *digest;
	struct buf manifest_text, config_text;
	struct manifest manifest;
	struct oci_config config;
	struct pull_layer *layers; /* manifest.count */
	int *trees; /* manifest.count; filled from the end, so that the topmost one so far comes first */
	struct oci_publish *publish; /* NULL: no layer was missing so far */
	uint64_t bytes_left; /* of the limit for an image */
	size_t current;
};

static int pull_read_image(struct pull *p, struct err *e)
{
	cleanup_free char *media_type = NULL;
	char found[DIGEST_MAX];

	if (p->origin->manifest(p->origin, p->digest, &p->manifest_text, &media_type, found, e) < 0 ||
	    manifest_parse(p->manifest_text.data, p->manifest_text.len, media_type, &p->manifest, e) < 0)
		return -1;
	if (p->manifest.kind != MANIFEST_IMAGE)
		return err_set(e, ERR_INTEGRITY, "%s is an index, not the manifest of one platform",
		               p->digest);
	if (p->origin->blob(p->origin, p->manifest.config.digest, p->manifest.config.size, &p->config_text,
	                    e) < 0 ||
	    oci_config_parse(p->config_text.data, p->config_text.len, &p->config, e) < 0)
		return -1;
	if (p->config.diff_ids.count != p->manifest.count)
		return err_set(e, ERR_INTEGRITY, "its manifest has %zu layers but its config describes %zu",
		               p->manifest.count, p->config.diff_ids.count);
	return 0;
}

static void pull_name_layers(struct pull *p)
{
	p->layers = mem_array(p->manifest.count + 1, sizeof(*p->layers));
	p->trees = mem_array(p->manifest.count + 1, sizeof(*p->trees));
	for (size_t i = 0; i < p->manifest.count; i++) {
		struct pull_layer *layer = &p->layers[i];

		layer->part = &p->manifest.parts[i];
		layer->diff_id = p->config.diff_ids.items[i];
		layer->lock_fd = -1;
		p->trees[i] = -1;
		store_chain_id(i ? p->layers[i - 1].chain_id : NULL, layer->diff_id, layer->chain_id);
		layer->present = store_has_layer(p->context->store, layer->chain_id);
	}
}

/* Say what is to come, and don't begin what can't end: unpacked, a layer is about twice its compressed size
 * and more. */
static int pull_check_space(struct pull *p, struct err *e)
{
	const struct oci_progress *progress = &p->context->progress;
	struct store *store = p->context->store;
	uint64_t bytes = 0, needed = 0, available = store_free_bytes(store);
	size_t missing = 0;

	for (size_t i = 0; i < p->manifest.count; i++) {
		const struct manifest_part *part = p->layers[i].part;

		if (!p->layers[i].present) {
			missing++;
			bytes += part->size; /* at most 127 times 1 TiB */
			needed += part->compression == LAYER_PLAIN ? part->size : 2 * part->size;
		}
	}
	if (progress->plan)
		progress->plan(progress->data, missing, p->manifest.count - missing, bytes, available);
	if (available >= needed)
		return 0;
	err_set_(e, ERR_SPACE, "unpacking it needs at least %llu bytes (%s), but %s has only %llu (%s) free",
	         (unsigned long long)needed, text_bytes(needed), text_safe(store->path),
	         (unsigned long long)available, text_bytes(available));
	return err_hint(e, "free some space, run `devenv gc`, or set DEVENV_STORE to a larger file system");
}

/* Lock the missing layers from `at` on that fit the look-ahead and begin their transfers. Another process may
 * have made one by the time we have its lock. */
static int pull_begin_transfers(struct pull *p, size_t at, struct err *e)
{
	size_t begun = 0;

	for (size_t i = at; i < p->manifest.count && begun <= AHEAD; i++) {
		struct pull_layer *layer = &p->layers[i];

		if (layer->present)
			continue;
		if (layer->lock_fd < 0) {
			layer->lock_fd = store_layer_lock(p->context->store, layer->chain_id, e);
			if (layer->lock_fd < 0)
				return -1;
			if (store_has_layer(p->context->store, layer->chain_id)) {
				layer->present = true;
				close(mem_steal_fd(layer->lock_fd));
				continue;
			}
		}
		begun++;
		if (!layer->stream) {
			struct err local = ERR_INIT;

			if (p->origin->stream(p->origin, layer->part->digest, layer->part->size,
			                      &layer->stream, &local) == 0)
				continue;
			layer->stream = NULL;
			if (i == at) {
				*e = local;
				return -1;
			}
			return 0; /* what fails ahead is tried again when its turn comes, and told then */
		}
	}
	return 0;
}

static int pull_progress(void *data, uint64_t compressed)
{
	struct pull *p = data;
	const struct oci_progress *progress = &p->context->progress;
	const struct pull_layer *layer = &p->layers[p->current];

	/* done == total means verified, so that is said by us at the end */
	if (progress->layer && compressed < layer->part->size)
		progress->layer(progress->data, p->current, layer->part->digest, compressed,
		                layer->part->size);
	return http_interrupted();
}

static int pull_unpack(struct pull *p, size_t i, struct store_stage *stage, struct layer_result *result,
                       struct err *e)
{
	const struct pull_layer *layer = &p->layers[i];
	struct layer_spec spec = {
		.digest = layer->part->digest,
		.size = layer->part->size,
		.diff_id = layer->diff_id,
		.compression = layer->part->compression,
		.below = &p->trees[p->manifest.count - i],
		.below_count = i,
		.max_bytes = p->bytes_left ? p->bytes_left : 1, /* 0 would mean the default */
	};
	int *tree = &p->trees[p->manifest.count - 1 - i];
	cleanup_close int owners = -1;

	if (mkdirat(stage->fd, "fs", 0755) < 0)
		return err_sys(e, "can't make a directory in the store");
	*tree = openat(stage->fd, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	owners = openat(stage->fd, "owners", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*tree < 0 || owners < 0)
		return err_sys(e, "can't open a new layer in the store");
	return layer_apply(&spec, layer->stream, *tree, owners, pull_progress, p, result, e);
}

/* From here on the lock is not ours. */
static int pull_give(struct pull *p, struct pull_layer *layer, struct store_stage *stage, struct err *e)
{
	if (!p->publish)
		p->publish = oci_publish_start(p->context->store, e);
	if (!p->publish)
		return -1;
	return oci_publish_give(p->publish, stage, mem_steal_fd(layer->lock_fd), layer->chain_id, e);
}

static int pull_make_layer(struct pull *p, size_t i, uint64_t *bytes, struct err *e)
{
	struct pull_layer *layer = &p->layers[i];
	struct store *store = p->context->store;
	struct layer_result result = { 0 };
	struct store_stage stage;
	int r;

	if (store_stage_new(store, &stage, e) < 0)
		return -1;
	r = pull_unpack(p, i, &stage, &result, e);
	if (r == 0) {
		struct store_layer_meta meta = {
			.diff_id = layer->diff_id,
			.parent = i ? p->layers[i - 1].chain_id : NULL,
			.bytes = result.bytes,
			.files = result.entries,
		};

		r = store_layer_meta_write(&stage, &meta, e);
	}
	if (r == 0)
		r = pull_give(p, layer, &stage, e);
	store_stage_drop(store, &stage);
	stream_close(mem_steal(layer->stream));
	if (r < 0)
		return err_wrap(e, "layer %zu of %zu", i + 1, p->manifest.count);
	layer->present = true;
	*bytes = result.bytes;
	if (p->context->progress.layer)
		p->context->progress.layer(p->context->progress.data, i, layer->part->digest,
		                           layer->part->size, layer->part->size);
	return 0;
}

static int pull_present_layer(struct pull *p, size_t i, uint64_t *bytes, struct err *e)
{
	const char *chain_id = p->layers[i].chain_id;
	int tree = store_layer_open(p->context->store, chain_id, e);

	p->trees[p->manifest.count - 1 - i] = tree;
	*bytes = store_layer_bytes(p->context->store, chain_id);
	return tree < 0 ? -1 : 0;
}

static int pull_layers(struct pull *p, struct err *e)
{
	for (size_t i = 0; i < p->manifest.count; i++) {
		uint64_t bytes = 0;

		p->current = i;
		if (http_interrupted())
			return err_set(e, ERR_INTERRUPTED, "interrupted");
		if (!p->layers[i].present && pull_begin_transfers(p, i, e) < 0)
			return -1;
		if (p->layers[i].present && pull_present_layer(p, i, &bytes, e) < 0)
			return -1;
		if (!p->layers[i].present && pull_make_layer(p, i, &bytes, e) < 0)
			return -1;
		p->bytes_left -= bytes < p->bytes_left ? bytes : p->bytes_left;
	}
	return oci_publish_end(mem_steal(p->publish), e);
}

static int pull_publish(struct pull *p, struct err *e)
{
	struct store_image image = {
		.manifest = p->manifest_text.data,
		.config = p->config_text.data,
	};
	int r;

	snprintf(image.digest, sizeof(image.digest), "%s", p->digest);
	for (size_t i = 0; i < p->manifest.count; i++)
		strlist_add(&image.chain_ids, p->layers[i].chain_id);
	r = store_image_publish(p->context->store, &image, e);
	strlist_release(&image.chain_ids);
	return r;
}

static void pull_release(struct pull *p)
{
	struct err late = ERR_INIT;

	oci_publish_end(p->publish, &late); /* another failure was first */
	for (size_t i = 0; p->layers && i < p->manifest.count; i++) {
		stream_close(p->layers[i].stream);
		if (p->layers[i].lock_fd >= 0)
			close(p->layers[i].lock_fd);
		if (p->trees[i] >= 0)
			close(p->trees[i]);
	}
	free(p->layers);
	free(p->trees);
	oci_config_release(&p->config);
	manifest_release(&p->manifest);
	buf_release(&p->manifest_text);
	buf_release(&p->config_text);
	origin_close(p->origin);
}

static int pull_run(struct pull *p, struct err *e)
{
	if (pull_read_image(p, e) < 0)
		return -1;
	pull_name_layers(p);
	if (pull_check_space(p, e) < 0 || pull_layers(p, e) < 0)
		return -1;
	return pull_publish(p, e);
}

int oci_fetch(struct oci_context *c, const struct oci_source *src, const char *manifest_digest, struct err *e)
{
	struct pull p = {
		.context = c, .digest = manifest_digest, .manifest_text = BUF_INIT, .config_text = BUF_INIT
	};
	struct err local = ERR_INIT;
	struct store_image known;
	int r;

	if (!digest_is_valid(manifest_digest))
		return err_set(e, ERR_INTEGRITY, "'%s' is not a digest", text_safe(manifest_digest));
	if (store_image_load(c->store, manifest_digest, &known, &local) == 0) {
		store_image_release(&known);
		return 0;
	}
	if (local.code != ERR_NOT_FOUND) {
		*e = local;
		return -1;
	}
	p.bytes_left = c->user && c->user->max_image_size ? c->user->max_image_size : USER_CONFIG_MAX_IMAGE;
	r = origin_open(c, src, &p.origin, e);
	if (r == 0) {
		r = pull_run(&p, e);
		if (r < 0)
			err_wrap_(e, "can't fetch the image %s", text_safe(src->request));
		if (r < 0 && e->code == ERR_NOT_FOUND && src->kind != OCI_REGISTRY && !e->hint[0])
			err_hint_(e, "if it was meant to change, run `devenv update`");
	}
	pull_release(&p);
	return r;
}
