/* SPDX-License-Identifier: Apache-2.0 */
/* manifest_docker.c - the manifest.json of `docker save`, and manifests made for images without one; see
 * manifest.h. */
#include "source/manifest.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/document.h"

void manifest_docker_release(struct manifest_docker *d)
{
	if (!d)
		return;
	free(d->config);
	strlist_release(&d->layers);
	*d = (struct manifest_docker){ 0 };
}

static int refuse_several(const json_t *root, struct err *e)
{
	struct buf names = BUF_INIT;
	const json_t *image, *tag;
	size_t i, j;

	json_array_foreach((json_t *)root, i, image) {
		json_array_foreach(json_object_get(image, "RepoTags"), j, tag) {
			if (names.len < 300 && json_is_string(tag)) {
				buf_adds(&names, names.len ? ", " : ": ");
				text_escape(&names, json_string_value(tag));
			}
		}
	}
	err_set_(e, ERR_UNSUPPORTED, "the archive holds %zu images%s", json_array_size(root), names.data);
	buf_release(&names);
	return err_hint(e, "save one image per archive");
}

static int docker_image(const json_t *image, struct manifest_docker *d, struct err *e)
{
	static const char what[] = "archive's manifest.json";
	const char *config;

	if (!json_is_object(image))
		return err_set(e, ERR_INTEGRITY, "the %s is malformed: it lists no object", what);
	if (document_string(image, what, "Config", &config, e) < 0 ||
	    document_strings(image, what, "Layers", &d->layers, e) < 0)
		return -1;
	if (!config)
		return err_set(e, ERR_INTEGRITY, "the %s is malformed: it names no Config", what);
	if (d->layers.count > MANIFEST_LAYERS_MAX)
		return err_set(e, ERR_INTEGRITY, "the image has %zu layers; at most %d are possible",
		               d->layers.count, MANIFEST_LAYERS_MAX);
	d->config = mem_strdup(config);
	return 0;
}

int manifest_docker_parse(const char *json, size_t len, struct manifest_docker *out, struct err *e)
{
	struct manifest_docker d = { 0 };
	json_t *root = document_load("archive's manifest.json", json, len, e);
	int r;

	if (!root)
		return -1;
	if (!json_is_array(root) || json_array_size(root) == 0)
		r = err_set(e, ERR_INTEGRITY, "the archive's manifest.json lists no image");
	else if (json_array_size(root) > 1)
		r = refuse_several(root, e);
	else
		r = docker_image(json_array_get(root, 0), &d, e);
	json_decref(root);
	if (r < 0)
		manifest_docker_release(&d);
	else
		*out = d;
	return r;
}

static void format_part(const struct manifest_part *p, struct buf *out)
{
	buf_addf(out, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu}", p->media_type, p->digest,
	         (unsigned long long)p->size);
}

void manifest_format(const struct manifest_part *config, const struct manifest_part *layers, size_t count,
                     struct buf *out)
{
	buf_adds(out, "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE_IMAGE "\",\"config\":");
	format_part(config, out);
	buf_adds(out, ",\"layers\":[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_addch(out, ',');
		format_part(&layers[i], out);
	}
	buf_adds(out, "]}");
}
