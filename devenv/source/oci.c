/* SPDX-License-Identifier: Apache-2.0 */
/* oci.c - what a source is now: from a tag over indexes to one manifest digest per platform. See oci.h. */
#include "source/oci.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/manifest.h"
#include "source/origin.h"

/* Manifests and configs read because an index did not say what they are for. */
#define LOOKUPS_MAX 64

struct resolution {
	struct origin *origin;
	struct lock_image image;
	struct strlist others; /* platforms offered for other systems, for the message */
	unsigned int lookups;
};

const char *oci_platform(void)
{
#if defined(__x86_64__)
	return "linux/amd64";
#elif defined(__aarch64__)
	return "linux/arm64";
#elif defined(__riscv)
	return "linux/riscv64";
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return "linux/ppc64le";
#elif defined(__s390x__)
	return "linux/s390x";
#else
#error "this architecture has no name in an image index yet"
#endif
}

/* The first of one platform counts, as with containerd. */
static void add_manifest(struct resolution *r, const char *platform, const char *digest)
{
	struct lock_image *image = &r->image;

	if (!text_starts(platform, "linux/")) {
		if (!strlist_has(&r->others, platform))
			strlist_add(&r->others, platform);
		return;
	}
	if (lock_manifest_digest(image, platform))
		return;
	image->manifests = mem_grow(image->manifests, image->manifest_count, &image->manifest_cap,
	                            sizeof(*image->manifests));
	image->manifests[image->manifest_count++] = (struct lock_manifest){
		.platform = mem_strdup(platform),
		.digest = mem_strdup(digest),
	};
}

/* A manifest of which nobody said what it runs on: its config knows. One that doesn't say is taken for this
 * machine's. */
static int resolve_image(struct resolution *r, const struct manifest *m, const char *digest, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct oci_config config;
	char *platform;

	if (r->origin->blob(r->origin, m->config.digest, m->config.size, &text, e) < 0 ||
	    oci_config_parse(text.data, text.len, &config, e) < 0)
		return -1;
	if (!config.os[0] && !config.architecture[0])
		platform = mem_strdup(oci_platform());
	else
		platform = manifest_platform(config.os, config.architecture, NULL);
	if (platform)
		add_manifest(r, platform, digest);
	free(platform);
	oci_config_release(&config);
	return 0;
}

static int resolve_index(struct resolution *r, const struct manifest *m, int depth, struct err *e);

static int resolve_text(struct resolution *r, const struct buf *text, const char *media_type,
                        const char *digest, int depth, struct err *e)
{
	struct manifest m;
	int result;

	if (manifest_parse(text->data, text->len, media_type, &m, e) < 0)
		return -1;
	if (m.kind == MANIFEST_IMAGE)
		result = resolve_image(r, &m, digest, e);
	else if (depth >= MANIFEST_DEPTH_MAX)
		result = err_set(e, ERR_INTEGRITY, "its indexes are nested more than %d deep",
		                 MANIFEST_DEPTH_MAX);
	else
		result = resolve_index(r, &m, depth + 1, e);
	manifest_release(&m);
	return result;
}

static int resolve_child(struct resolution *r, const struct manifest_part *child, int depth, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_free char *media_type = NULL;
	char found[DIGEST_MAX];

	if (++r->lookups > LOOKUPS_MAX)
		return err_set(e, ERR_INTEGRITY,
		               "its index lists more than %d manifests without saying what for", LOOKUPS_MAX);
	if (r->origin->manifest(r->origin, child->digest, &text, &media_type, found, e) < 0)
		return -1;
	if (text.len != child->size)
		return err_set(e, ERR_INTEGRITY, "the manifest %s has %zu bytes, not %llu", child->digest,
		               text.len, (unsigned long long)child->size);
	return resolve_text(r, &text, media_type ? media_type : child->media_type, child->digest, depth, e);
}

static int resolve_index(struct resolution *r, const struct manifest *m, int depth, struct err *e)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct manifest_part *child = &m->parts[i];

		if (child->child == MANIFEST_CHILD_OTHER)
			continue;
		if (child->child == MANIFEST_CHILD_IMAGE && child->platform)
			add_manifest(r, child->platform, child->digest);
		else if (resolve_child(r, child, depth, e) < 0)
			return -1;
	}
	return 0;
}

static int refuse_platform(const struct resolution *r, struct err *e)
{
	struct buf list = BUF_INIT;

	for (size_t i = 0; i < r->image.manifest_count; i++)
		buf_addf(&list, "%s%s", list.len ? ", " : "", r->image.manifests[i].platform);
	for (size_t i = 0; i < r->others.count; i++)
		buf_addf(&list, "%s%s", list.len ? ", " : "", r->others.items[i]);
	if (list.len)
		err_set_(e, ERR_NOT_FOUND, "it is not offered for %s; it has %.600s", oci_platform(),
		         list.data);
	else
		err_set_(e, ERR_NOT_FOUND, "it is not offered for %s nor for any other platform",
		         oci_platform());
	buf_release(&list);
	return -1;
}

static int resolve(struct resolution *r, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_free char *media_type = NULL;
	char found[DIGEST_MAX];
	struct manifest m;
	bool is_index;

	if (r->origin->manifest(r->origin, NULL, &text, &media_type, found, e) < 0 ||
	    resolve_text(r, &text, media_type, found, 0, e) < 0)
		return -1;
	if (!lock_manifest_digest(&r->image, oci_platform()))
		return refuse_platform(r, e);
	if (manifest_parse(text.data, text.len, media_type, &m, e) < 0)
		return -1;
	is_index = m.kind == MANIFEST_INDEX;
	manifest_release(&m);
	if (is_index && found[0])
		r->image.index = mem_strdup(found);
	return 0;
}

int oci_resolve(struct oci_context *c, const struct oci_source *src, struct lock_image *out, struct err *e)
{
	struct resolution r = { .image = { .request = mem_strdup(src->request) } };
	int result = origin_open(c, src, &r.origin, e);

	if (result == 0) {
		result = resolve(&r, e);
		if (result < 0)
			err_wrap_(e, "can't resolve the image %s", text_safe(src->request));
	}
	origin_close(r.origin);
	strlist_release(&r.others);
	if (result < 0)
		lock_image_release(&r.image);
	else
		*out = r.image;
	return result;
}
