/* SPDX-License-Identifier: Apache-2.0 */
/* stages.c - the stages of an environment's image, in their order. */
#include "env/stages.h"

#include <stdio.h>

#include "env/building.h"
#include "env/fetching.h"

static int base_digest(const struct environment *env, char digest[DIGEST_MAX], struct err *e)
{
	const char *found = fetching_digest(env, e);

	if (!found)
		return -1;
	snprintf(digest, DIGEST_MAX, "%s", found);
	return 0;
}

int stages_digest(struct environment *env, char digest[DIGEST_MAX], struct err *e)
{
	char below[DIGEST_MAX];

	if (base_digest(env, below, e) < 0)
		return -1;
	return building_digest(env, below, digest, e);
}

int stages_make(struct environment *env, struct store *s, const struct env_options *o, struct err *e)
{
	char below[DIGEST_MAX], last[DIGEST_MAX];

	/* First what can be said from the files alone: before a download, and not after it. */
	if (base_digest(env, below, e) < 0 || stages_digest(env, last, e) < 0 || fetching_base(env, s, o, e) < 0)
		return -1;
	return building_make(env, s, below, o, e);
}

int env_fetch(struct environment *env, struct store *s, const struct env_options *o, struct err *e)
{
	return stages_make(env, s, o, e);
}
