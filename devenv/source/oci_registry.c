/* SPDX-License-Identifier: Apache-2.0 */
/* oci_registry.c - a registry as an origin. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/version.h"
#include "config/reference.h"
#include "fetch/http.h"
#include "fetch/registry.h"
#include "source/origin.h"

struct registry_origin {
	struct origin origin;
	struct user_config defaults; /* in force when the context has none */
	struct reference reference;
	struct http *http;
	struct registry *registry;
};

static int registry_get_manifest(struct origin *o, const char *digest, struct buf *body, char **media_type,
                                 char found[DIGEST_MAX], struct err *e)
{
	struct registry_origin *r = (struct registry_origin *)o;
	const char *which = digest;

	*media_type = NULL;
	if (!which)
		which = r->reference.digest ? r->reference.digest : r->reference.tag;
	if (registry_manifest(r->registry, which, body, media_type, found, e) < 0)
		return -1;
	if (!(*media_type)[0]) { /* it didn't say; then the manifest itself must */
		free(*media_type);
		*media_type = NULL;
	}
	return 0;
}

static int registry_get_blob(struct origin *o, const char *digest, uint64_t size, struct buf *body,
                             struct err *e)
{
	return registry_blob(((struct registry_origin *)o)->registry, digest, size, body, e);
}

static int registry_get_stream(struct origin *o, const char *digest, uint64_t size, struct stream **out,
                               struct err *e)
{
	return registry_blob_stream(((struct registry_origin *)o)->registry, digest, size, out, e);
}

static void registry_close(struct origin *o)
{
	struct registry_origin *r = (struct registry_origin *)o;

	registry_free(r->registry);
	http_free(r->http);
	reference_release(&r->reference);
	user_config_release(&r->defaults);
	free(r);
}

int oci_registry_open(struct oci_context *c, const char *location, struct origin **out, struct err *e)
{
	struct http_settings settings = { .user_agent = "devenv/" DEVENV_VERSION };
	struct registry_origin *r;
	struct reference ref;

	if (reference_parse(location, &ref, e) < 0)
		return -1;
	r = mem_alloc(sizeof(*r));
	r->origin = (struct origin){
		.manifest = registry_get_manifest,
		.blob = registry_get_blob,
		.stream = registry_get_stream,
		.close = registry_close,
	};
	user_config_init(&r->defaults);
	r->reference = ref;
	r->http = http_new(&settings);
	r->registry = registry_new(r->http, c->user ? c->user : &r->defaults, &r->reference);
	*out = &r->origin;
	return 0;
}
