/* SPDX-License-Identifier: Apache-2.0 */
/* fetching.c - from a locked environment to one that is in the store. */
#include "env/fetching.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/project.h"
#include "base/text.h"
#include "env/locking.h"
#include "env/place.h"

int fetching_source(const struct environment *env, struct fetching_source *out, struct err *e)
{
	const struct env_place *place = place_base(env);
	char *request = locking_request(env, e);

	if (!request) {
		if (e->code)
			return -1;
		err_set(e, ERR_CONFIG, "%s: no base: it says nothing about where the environment comes from",
			env->config.file);
		return err_hint(e, "add a section [base] with image = REFERENCE");
	}
	out->request = request;
	if (place)
		out->location = mem_printf("%s%s", place->path, place->tag ? place->tag : "");
	else
		out->location = mem_strdup(request);
	out->source = (struct oci_source){
		.kind = env->config.base == CONFIG_BASE_OCI	? OCI_LAYOUT :
			env->config.base == CONFIG_BASE_ARCHIVE ? OCI_ARCHIVE :
								  OCI_REGISTRY,
		.location = out->location,
		.request = out->request,
	};
	return 0;
}

void fetching_source_release(struct fetching_source *s)
{
	free(s->location);
	free(s->request);
	*s = (struct fetching_source){ 0 };
}

const char *fetching_digest(const struct environment *env, struct err *e)
{
	const struct lock_image *entry = lock_find(&env->lock, LOCKING_BASE);
	const char *digest = entry ? lock_manifest_digest(entry, oci_platform()) : NULL;

	if (!digest) {
		err_set(e, ERR_LOCK, "%s names no base for %s", PROJECT_LOCK, oci_platform());
		err_hint(e, "run `devenv lock`");
	}
	return digest;
}

int env_fetch(struct environment *env, struct store *s, const struct env_options *o, struct err *e)
{
	struct fetching_source from;
	struct oci_context context = {
		.store = s, .user = &env->user, .offline = o->offline, .progress = o->ui->progress
	};
	struct store_image present;
	const char *digest = fetching_digest(env, e);
	int r;

	if (!digest)
		return -1;
	if (store_image_load(s, digest, &present, e) == 0) {
		store_image_release(&present);
		return 0;
	}
	if (e->code != ERR_NOT_FOUND)
		return -1;
	*e = ERR_INIT;
	if (env_require_allowed(env, o, e) < 0 || fetching_source(env, &from, e) < 0)
		return -1;
	r = oci_fetch(&context, &from.source, digest, e);
	if (r < 0)
		err_wrap(e, "can't fetch %s", text_safe(from.request));
	fetching_source_release(&from);
	return r;
}
