/* SPDX-License-Identifier: Apache-2.0 */
/* fetching.h - what env.h doesn't show of fetching.c. */
#ifndef DEVENV_ENV_FETCHING_H
#define DEVENV_ENV_FETCHING_H

#include "env/env.h"

struct fetching_source { /* an oci_source that owns its strings */
	struct oci_source source;
	char *location, *request;
};
/* What the config asks for, as the lock writes it; malloc'ed. NULL: ERR_CONFIG, the config has no base. */
char *fetching_request(const struct environment *env, struct err *e);
/* Where the base comes from; a layout or an archive is opened, once and without leaving what was granted. */
int fetching_source(const struct environment *env, struct fetching_source *out, struct err *e);
void fetching_source_release(struct fetching_source *s);

/* The manifest digest the lock names for this machine, or NULL with ERR_LOCK. Points into env->lock. */
const char *fetching_digest(const struct environment *env, struct err *e);
/* Fetch the base, unless it is there: the first stage (env/stages.h). */
int fetching_base(struct environment *env, struct store *s, const struct env_options *o, struct err *e);

/* Fetch an image of the base by its manifest, if the store lacks it. */
int fetching_image(struct environment *env, struct store *s, const char *digest, const struct env_options *o,
		   struct err *e);

#endif
