/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c - reading manifests and indexes; see manifest.h. */
#include "source/manifest.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/document.h"

#define SIZE_ABSURD (1ULL << 40)

static const struct {
	const char *type;
	enum manifest_kind kind;
} kinds[] = {
	{ MANIFEST_TYPE_IMAGE, MANIFEST_IMAGE },
	{ "application/vnd.docker.distribution.manifest.v2+json", MANIFEST_IMAGE },
	{ MANIFEST_TYPE_INDEX, MANIFEST_INDEX },
	{ "application/vnd.docker.distribution.manifest.list.v2+json", MANIFEST_INDEX },
};

static const struct {
	const char *type;
	enum layer_compression compression;
} layer_types[] = {
	{ MANIFEST_TYPE_LAYER, LAYER_PLAIN },
	{ "application/vnd.oci.image.layer.v1.tar+gzip", LAYER_GZIP },
	{ "application/vnd.oci.image.layer.v1.tar+zstd", LAYER_ZSTD },
	{ "application/vnd.docker.image.rootfs.diff.tar", LAYER_PLAIN },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip", LAYER_GZIP },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", LAYER_ZSTD },
};

static bool is_kind(const char *type, enum manifest_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].type, type) == 0) {
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

static bool is_schema1(const char *type)
{
	return text_starts(type, "application/vnd.docker.distribution.manifest.v1+");
}

static int refuse_schema1(struct err *e)
{
	err_set_(e, ERR_UNSUPPORTED,
	         "the image has a docker schema 1 manifest, a format without verifiable layers");
	return err_hint(e, "push the image again with a current docker, podman or skopeo");
}

static void part_release(struct manifest_part *p)
{
	free(p->media_type);
	free(p->digest);
	free(p->platform);
}

void manifest_release(struct manifest *m)
{
	if (!m)
		return;
	part_release(&m->config);
	for (size_t i = 0; i < m->count; i++)
		part_release(&m->parts[i]);
	free(m->parts);
	*m = (struct manifest){ 0 };
}

/* Fill a zeroed part from a descriptor. `what` is for messages: "layer 3", "config". */
static int part_parse(const json_t *j, const char *what, uint64_t max, struct manifest_part *p, struct err *e)
{
	const char *type, *digest;
	const json_t *size;
	json_t *urls;

	if (!json_is_object(j))
		return err_set(e, ERR_INTEGRITY, "the manifest is malformed: %s is not a descriptor", what);
	if (document_string(j, what, "mediaType", &type, e) < 0 ||
	    document_string(j, what, "digest", &digest, e) < 0 ||
	    document_member(j, what, "urls", JSON_ARRAY, &urls, e) < 0)
		return -1;
	if (!type)
		return err_set(e, ERR_INTEGRITY, "the manifest is malformed: %s has no mediaType", what);
	if (!digest || !digest_is_valid(digest))
		return err_set(e, ERR_INTEGRITY, "the manifest is malformed: %s has no valid digest: '%s'",
		               what, text_safe(digest ? digest : ""));
	if (json_array_size(urls) > 0)
		return err_set(e, ERR_UNSUPPORTED,
		               "%s is to be fetched from another place (a foreign layer): %s", what,
		               text_safe(digest));
	size = json_object_get(j, "size");
	if (!json_is_integer(size) || json_integer_value(size) < 0 ||
	    (uint64_t)json_integer_value(size) > max)
		return err_set(e, ERR_INTEGRITY,
		               "the manifest is malformed: the size of %s is not a number from 0 to %llu",
		               what, (unsigned long long)max);
	p->media_type = mem_strdup(type);
	p->digest = mem_strdup(digest);
	p->size = (uint64_t)json_integer_value(size);
	return 0;
}

static int layer_type(struct manifest_part *p, const char *what, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(layer_types); i++) {
		if (strcmp(layer_types[i].type, p->media_type) == 0) {
			p->compression = layer_types[i].compression;
			return 0;
		}
	}
	return err_set(e, ERR_UNSUPPORTED, "%s has the type '%s', which devenv can't unpack", what,
	               text_safe(p->media_type));
}

static int image_parse(const json_t *root, struct manifest *m, struct err *e)
{
	json_t *layers, *j;
	size_t i;

	if (document_member(root, "manifest", "layers", JSON_ARRAY, &layers, e) < 0)
		return -1;
	if (!layers)
		return err_set(e, ERR_INTEGRITY, "the manifest is malformed: it has no 'layers'");
	if (part_parse(json_object_get(root, "config"), "the config", DOCUMENT_MAX, &m->config, e) < 0)
		return -1;
	if (strcmp(m->config.media_type, MANIFEST_TYPE_CONFIG) != 0 &&
	    strcmp(m->config.media_type, "application/vnd.docker.container.image.v1+json") != 0)
		return err_set(e, ERR_UNSUPPORTED,
		               "it is not an image that can be run: its config has the type '%s'",
		               text_safe(m->config.media_type));
	if (json_array_size(layers) > MANIFEST_LAYERS_MAX)
		return err_set(e, ERR_INTEGRITY, "the image has %zu layers; at most %d are possible",
		               json_array_size(layers), MANIFEST_LAYERS_MAX);
	m->parts = mem_array(json_array_size(layers) + 1, sizeof(*m->parts));
	json_array_foreach(layers, i, j) {
		char what[32];

		snprintf(what, sizeof(what), "layer %zu", i + 1);
		m->count = i + 1;
		if (part_parse(j, what, SIZE_ABSURD, &m->parts[i], e) < 0 ||
		    layer_type(&m->parts[i], what, e) < 0)
			return -1;
	}
	return 0;
}

/* Attestations wear the manifest's media type; buildkit marks them by an unknown platform and a note. */
static int child_parse(const json_t *j, const char *what, struct manifest_part *p, struct err *e)
{
	const char *os, *architecture, *variant, *reference_type;
	json_t *platform, *annotations;
	enum manifest_kind kind;

	if (part_parse(j, what, SIZE_ABSURD, p, e) < 0)
		return -1;
	p->child = MANIFEST_CHILD_OTHER;
	if (!is_kind(p->media_type, &kind))
		return 0;
	if (p->size > DOCUMENT_MAX)
		return err_set(e, ERR_INTEGRITY,
		               "the manifest is malformed: %s has %llu bytes, more than the %u allowed", what,
		               (unsigned long long)p->size, DOCUMENT_MAX);
	if (document_member(j, what, "platform", JSON_OBJECT, &platform, e) < 0 ||
	    document_member(j, what, "annotations", JSON_OBJECT, &annotations, e) < 0 ||
	    document_string(annotations, what, "vnd.docker.reference.type", &reference_type, e) < 0 ||
	    document_string(platform, what, "os", &os, e) < 0 ||
	    document_string(platform, what, "architecture", &architecture, e) < 0 ||
	    document_string(platform, what, "variant", &variant, e) < 0)
		return -1;
	if (reference_type && strcmp(reference_type, "attestation-manifest") == 0)
		return 0;
	if (platform && kind == MANIFEST_IMAGE) {
		p->platform = manifest_platform(os, architecture, variant);
		if (!p->platform)
			return 0;
	}
	p->child = kind == MANIFEST_INDEX ? MANIFEST_CHILD_INDEX : MANIFEST_CHILD_IMAGE;
	return 0;
}

static int index_parse(const json_t *root, struct manifest *m, struct err *e)
{
	json_t *children, *j;
	size_t i;

	if (document_member(root, "index", "manifests", JSON_ARRAY, &children, e) < 0)
		return -1;
	if (!children)
		return err_set(e, ERR_INTEGRITY, "the index is malformed: it has no 'manifests'");
	m->parts = mem_array(json_array_size(children) + 1, sizeof(*m->parts));
	json_array_foreach(children, i, j) {
		char what[48];

		snprintf(what, sizeof(what), "entry %zu of the index", i + 1);
		m->count = i + 1;
		if (child_parse(j, what, &m->parts[i], e) < 0)
			return -1;
	}
	return 0;
}

/* What it is: by its own mediaType and by what it was served as, which must agree; by its content where both
 * are silent (index.json and manifests of OCI 1.0 need not say). */
static int find_kind(const json_t *root, const char *served, enum manifest_kind *kind, struct err *e)
{
	bool layers = json_object_get(root, "layers"), manifests = json_object_get(root, "manifests");
	const char *own, *type;

	if (document_string(root, "manifest", "mediaType", &own, e) < 0)
		return -1;
	if (own && served && strcmp(own, served) != 0)
		return err_set(e, ERR_INTEGRITY, "the manifest calls itself '%s' but was served as '%s'",
		               text_safe(own), text_safe(served));
	type = own ? own : served;
	if ((type && is_schema1(type)) || json_integer_value(json_object_get(root, "schemaVersion")) == 1)
		return refuse_schema1(e);
	if (json_integer_value(json_object_get(root, "schemaVersion")) != 2)
		return err_set(e, ERR_INTEGRITY, "the manifest is malformed: 'schemaVersion' is not 2");
	if (layers && manifests)
		return err_set(e, ERR_INTEGRITY,
		               "the manifest has both 'layers' and 'manifests', so it has two meanings");
	if (!type) {
		*kind = manifests ? MANIFEST_INDEX : MANIFEST_IMAGE;
		return 0;
	}
	if (!is_kind(type, kind))
		return err_set(e, ERR_UNSUPPORTED, "'%s' is not a type of image manifest", text_safe(type));
	return 0;
}

int manifest_parse(const char *json, size_t len, const char *media_type, struct manifest *out, struct err *e)
{
	struct manifest m = { 0 };
	json_t *root = document_load("manifest", json, len, e);
	int r;

	if (!root)
		return -1;
	if (!json_is_object(root))
		r = err_set(e, ERR_INTEGRITY, "the manifest is not a JSON object");
	else
		r = find_kind(root, media_type, &m.kind, e);
	if (r == 0)
		r = m.kind == MANIFEST_INDEX ? index_parse(root, &m, e) : image_parse(root, &m, e);
	json_decref(root);
	if (r < 0)
		manifest_release(&m);
	else
		*out = m;
	return r;
}
