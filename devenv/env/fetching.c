/* SPDX-License-Identifier: Apache-2.0 */
/* fetching.c - from a locked environment to one that is in the store. */
#include "env/fetching.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/project.h"
#include "base/sys.h"
#include "base/text.h"
#include "env/checkout.h"
#include "env/locking.h"
#include "env/place.h"

char *fetching_request(const struct environment *env, struct err *e)
{
	char *request = locking_request(env, e);

	if (!request && !e->code) {
		err_set(e, ERR_CONFIG, "%s: no base: it says nothing about where the environment comes from",
			env->config.file);
		err_hint(e, "add a section [base] with image = REFERENCE");
	}
	return request;
}

/* What was granted, or what is inside the project: nothing that a link of the last moment leads to. */
static int open_place(const struct environment *env, const struct env_place *place, bool directory, struct err *e)
{
	struct checkout_way way = checkout_way(env, place);
	const char *what = directory ? "OCI layout" : "archive";
	int fd = sys_openat2(way.dirfd, way.name,
			     directory ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, way.resolve);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "there is no %s %s", what, text_safe(place->path));
	if (errno == ELOOP || errno == EXDEV)
		return err_set(e, ERR_CONFIG, "the %s %s lies behind a link that leads out of the project: it is not followed",
			       what, text_safe(place->path));
	return err_sys(e, "can't open the %s %s", what, text_safe(place->path));
}

int fetching_source(const struct environment *env, struct fetching_source *out, struct err *e)
{
	const struct env_place *place = place_base(env);
	bool is_layout = env->config.base == CONFIG_BASE_OCI;
	cleanup_free char *request = fetching_request(env, e);
	int fd = -1;

	if (!request)
		return -1;
	if (place) {
		fd = open_place(env, place, is_layout, e);
		if (fd < 0)
			return -1;
	}
	*out = (struct fetching_source){ .request = mem_steal(request) };
	out->location = mem_strdup(place ? place->path : out->request);
	out->source = (struct oci_source){
		.kind = is_layout ? OCI_LAYOUT : env->config.base == CONFIG_BASE_ARCHIVE ? OCI_ARCHIVE : OCI_REGISTRY,
		.location = out->location,
		.request = out->request,
		.opened = place != NULL,
		.fd = fd,
		.tag = place && place->tag && place->tag[1] ? place->tag + 1 : NULL,
	};
	return 0;
}

void fetching_source_release(struct fetching_source *s)
{
	if (s->source.opened)
		close(s->source.fd);
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

int fetching_image(struct environment *env, struct store *s, const char *digest, const struct env_options *o,
		   struct err *e)
{
	struct fetching_source from;
	struct oci_context context = {
		.store = s, .user = &env->user, .offline = o->offline, .progress = o->ui->progress
	};
	struct store_image present;
	int r;

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
	fetching_source_release(&from);
	return r;
}

int fetching_base(struct environment *env, struct store *s, const struct env_options *o, struct err *e)
{
	const char *digest = fetching_digest(env, e);

	return digest ? fetching_image(env, s, digest, o, e) : -1;
}
