/* SPDX-License-Identifier: Apache-2.0 */
/* made.c - the manifest and config of an image that came without a manifest. */
#include "source/made.h"

#include <string.h>

#include "base/mem.h"

void made_have_config(struct made_origin *m)
{
	digest_bytes(m->config.data, m->config.len, m->config_digest);
}

void made_have_layers(struct made_origin *m, const struct manifest_part *layers, size_t count)
{
	char type[] = MANIFEST_TYPE_CONFIG;
	struct manifest_part config = {
		.media_type = type,
		.digest = m->config_digest,
		.size = m->config.len,
	};

	manifest_format(&config, layers, count, &m->manifest);
	digest_bytes(m->manifest.data, m->manifest.len, m->manifest_digest);
}

void made_release(struct made_origin *m)
{
	buf_release(&m->config);
	buf_release(&m->manifest);
}

int made_manifest(struct origin *o, const char *digest, struct buf *body, char **media_type, char found[DIGEST_MAX],
                  struct err *e)
{
	struct made_origin *m = (struct made_origin *)o;

	*media_type = NULL;
	if (digest && strcmp(digest, m->manifest_digest) != 0)
		return err_set(e, ERR_NOT_FOUND, "it holds the image %s, not %s", m->manifest_digest, digest);
	buf_add(body, m->manifest.data, m->manifest.len);
	*media_type = mem_strdup(MANIFEST_TYPE_IMAGE);
	memcpy(found, m->manifest_digest, DIGEST_MAX);
	return 0;
}

int made_blob(struct origin *o, const char *digest, uint64_t size, struct buf *body, struct err *e)
{
	struct made_origin *m = (struct made_origin *)o;

	if (strcmp(digest, m->config_digest) != 0 || size != m->config.len)
		return err_set(e, ERR_NOT_FOUND, "it has no config %s", digest);
	buf_add(body, m->config.data, m->config.len);
	return 0;
}
