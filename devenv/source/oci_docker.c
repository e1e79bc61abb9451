/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_docker.c - what `docker save` wrote before it wrote OCI layouts, as an origin: manifest.json, a config
 * and layers by name. It has no manifest, so one is made: the config's diff ids are the digests of layers
 * that lie there uncompressed; a compressed one is read once for its digest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "fetch/http.h"
#include "source/document.h"
#include "source/made.h"
#include "source/manifest.h"
#include "source/members.h"
#include "source/origin.h"

struct docker_origin {
	struct made_origin made; /* first */
	struct members *members;
	struct manifest_docker image;
	struct manifest_part *layers; /* image.layers.count */
};

static int docker_get_stream(struct origin *o, const char *digest, uint64_t size, struct stream **out,
                             struct err *e)
{
	struct docker_origin *d = (struct docker_origin *)o;

	for (size_t i = 0; i < d->image.layers.count; i++) {
		if (d->layers[i].size == size && strcmp(d->layers[i].digest, digest) == 0)
			return members_stream(d->members, d->image.layers.items[i], out, e);
	}
	return err_set(e, ERR_NOT_FOUND, "it has no layer %s", digest);
}

static void docker_close(struct origin *o)
{
	struct docker_origin *d = (struct docker_origin *)o;

	for (size_t i = 0; i < d->image.layers.count; i++) {
		free(d->layers[i].digest);
		free(d->layers[i].media_type);
	}
	free(d->layers);
	members_free(d->members);
	manifest_docker_release(&d->image);
	made_release(&d->made);
	free(d);
}

static int hash_stream(struct stream *s, char out[DIGEST_MAX], struct err *e)
{
	cleanup_free char *chunk = mem_alloc(256 << 10);
	struct digest *d = digest_new(NULL);
	ssize_t n;

	while ((n = s->read(s, chunk, 256 << 10, e)) > 0) {
		if (http_interrupted()) {
			n = err_set(e, ERR_INTERRUPTED, "interrupted while reading the archive");
			break;
		}
		digest_add(d, chunk, (size_t)n);
	}
	if (n < 0) {
		digest_free(d);
		return -1;
	}
	digest_end(d, out);
	return 0;
}

static const char *type_by_magic(const unsigned char *magic, size_t len)
{
	if (len >= 2 && magic[0] == 0x1f && magic[1] == 0x8b)
		return MANIFEST_TYPE_LAYER "+gzip";
	if (len >= 4 && memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
		return MANIFEST_TYPE_LAYER "+zstd";
	return MANIFEST_TYPE_LAYER;
}

static int describe_layer(struct docker_origin *d, size_t i, const char *diff_id, struct err *e)
{
	const char *name = d->image.layers.items[i], *type;
	char digest[DIGEST_MAX];
	struct stream *s;
	unsigned char magic[4];
	ssize_t n;
	int r = 0;

	if (members_size(d->members, name, &d->layers[i].size, e) < 0 ||
	    members_stream(d->members, name, &s, e) < 0)
		return -1;
	n = s->read(s, magic, sizeof(magic), e);
	stream_close(s);
	if (n < 0)
		return -1;
	type = type_by_magic(magic, (size_t)n);
	if (strcmp(type, MANIFEST_TYPE_LAYER) == 0) {
		snprintf(digest, sizeof(digest), "%s", diff_id);
	} else {
		if (members_stream(d->members, name, &s, e) < 0)
			return -1;
		r = hash_stream(s, digest, e);
		stream_close(s);
	}
	if (r == 0) {
		d->layers[i].digest = mem_strdup(digest);
		d->layers[i].media_type = mem_strdup(type);
	}
	return r;
}

/* The config's name is usually its digest; then it must be right. */
static int check_config_name(const struct docker_origin *d, struct err *e)
{
	const char *slash = strrchr(d->image.config, '/'), *base = slash ? slash + 1 : d->image.config;
	cleanup_free char *named = mem_printf("sha256:%.64s", base);

	if (digest_is_valid(named) && strcmp(named, d->made.config_digest) != 0)
		return err_set(e, ERR_INTEGRITY, "the image config '%s' has the digest %s",
		               text_safe(d->image.config), d->made.config_digest);
	return 0;
}

static int docker_load(struct docker_origin *d, struct err *e)
{
	cleanup_buf struct buf list = BUF_INIT;
	struct buf *config = &d->made.config;
	struct oci_config parsed = { 0 };
	int r = 0;

	if (members_read(d->members, "manifest.json", DOCUMENT_MAX, &list, e) < 0 ||
	    manifest_docker_parse(list.data, list.len, &d->image, e) < 0)
		return -1;
	d->layers = mem_array(d->image.layers.count + 1, sizeof(*d->layers));
	if (members_read(d->members, d->image.config, DOCUMENT_MAX, config, e) < 0)
		return -1;
	made_have_config(&d->made);
	if (check_config_name(d, e) < 0 || oci_config_parse(config->data, config->len, &parsed, e) < 0)
		return -1;
	if (parsed.diff_ids.count != d->image.layers.count)
		r = err_set(e, ERR_INTEGRITY, "the archive has %zu layers but the image config describes %zu",
		            d->image.layers.count, parsed.diff_ids.count);
	for (size_t i = 0; r == 0 && i < parsed.diff_ids.count; i++)
		r = describe_layer(d, i, parsed.diff_ids.items[i], e);
	oci_config_release(&parsed);
	if (r < 0)
		return -1;
	made_have_layers(&d->made, d->layers, d->image.layers.count);
	return 0;
}

int oci_docker_over(struct members *m, const char *name, struct origin **out, struct err *e)
{
	struct docker_origin *d = mem_alloc(sizeof(*d));

	d->made.origin = (struct origin){
		.manifest = made_manifest,
		.blob = made_blob,
		.stream = docker_get_stream,
		.close = docker_close,
	};
	d->members = m;
	d->made.config = d->made.manifest = BUF_INIT;
	if (docker_load(d, e) < 0) {
		docker_close(&d->made.origin);
		return err_wrap(e, "%s", text_safe(name));
	}
	*out = &d->made.origin;
	return 0;
}
