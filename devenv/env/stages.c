/* SPDX-License-Identifier: Apache-2.0 */
/* stages.c - the stages of an environment's image, in their order. */
#include "env/stages.h"

#include <stdio.h>

#include "env/building.h"
#include "env/fetching.h"
#include "env/packages_stage.h"

/* [0] the base, [1] packages on it. */
static int base_digests(const struct environment *env, char base[DIGEST_MAX], char below[DIGEST_MAX], struct err *e)
{
	const char *found;

	if (env->config.base == CONFIG_BASE_DEBIAN) {
		if (packages_stage_base_digest(&env->lock, oci_platform(), base, e) < 0)
			return -1;
	} else {
		found = fetching_digest(env, e);
		if (!found)
			return -1;
		snprintf(base, DIGEST_MAX, "%s", found);
	}
	packages_stage_added_digest(&env->lock, oci_platform(), base, below);
	return 0;
}

int stages_digest(struct environment *env, char digest[DIGEST_MAX], struct err *e)
{
	char base[DIGEST_MAX], below[DIGEST_MAX];

	if (base_digests(env, base, below, e) < 0)
		return -1;
	return building_digest(env, below, digest, e);
}

int stages_make(struct environment *env, struct store *s, const struct env_options *o, struct err *e)
{
	char base[DIGEST_MAX], below[DIGEST_MAX], last[DIGEST_MAX];

	/* First what can be said from the files alone: before a download, and not after it. */
	if (base_digests(env, base, below, e) < 0 || stages_digest(env, last, e) < 0)
		return -1;
	if ((env->config.base == CONFIG_BASE_DEBIAN ? packages_stage_make_base(env, s, o, e) : fetching_base(env, s, o, e)) < 0)
		return -1;
	if (packages_stage_make_added(env, s, base, o, e) < 0)
		return -1;
	return building_make(env, s, below, o, e);
}

int env_fetch(struct environment *env, struct store *s, const struct env_options *o, struct err *e)
{
	return stages_make(env, s, o, e);
}
