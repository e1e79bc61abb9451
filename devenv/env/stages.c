/* SPDX-License-Identifier: Apache-2.0 */
/* stages.c - the stages of an environment's image, in their order. */
#include "env/stages.h"

#include <stdio.h>
#include <string.h>

#include "env/building.h"
#include "env/fetching.h"
#include "env/live.h"
#include "env/packages.h"
#include "env/packages_own_stage.h"
#include "env/packages_stage.h"
#include "source/debian_archive.h"

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

int stages_below_build(const struct environment *env, char digest[DIGEST_MAX], struct err *e)
{
	char base[DIGEST_MAX];

	return base_digests(env, base, digest, e);
}

int stages_digest(struct environment *env, char digest[DIGEST_MAX], struct err *e)
{
	char below[DIGEST_MAX], built[DIGEST_MAX];

	if (stages_below_build(env, below, e) < 0 || building_digest(env, below, built, e) < 0)
		return -1;
	packages_own_stage_digest(env, built, digest);
	return 0;
}

static int make_added(struct environment *env, struct store *s, const char *base, const struct env_options *o, struct err *e)
{
	struct packages_addition a = { .kind = PACKAGES_STAGE_ADDED, .title = "packages", .lock = &env->lock, .below = base };

	a.sources = env->config.base == CONFIG_BASE_DEBIAN ? NULL : base;
	return packages_stage_make_addition(env, s, &a, o, e);
}

static size_t count_packages(const struct lock *l, bool in_base)
{
	const char *arch = debian_arch(oci_platform());
	size_t count = 0;

	for (size_t i = 0; arch && i < l->package_count; i++)
		count += l->packages[i].in_base == in_base && strcmp(l->packages[i].arch, arch) == 0;
	return count;
}

static void look_at(const struct store *s, struct stage_state *stage)
{
	struct store_image image;
	struct err missing = ERR_INIT;

	stage->ready = s && store_image_load(s, stage->digest, &image, &missing) == 0;
	if (stage->ready)
		store_image_release(&image);
}

int stages_look(struct environment *env, const struct store *s, struct stage_state out[STAGES_MAX], struct err *e)
{
	struct stage_state base = { .name = "base" }, packages = { .name = "packages" }, build = { .name = "build" },
			   personal = { .name = PACKAGES_OWN };
	int count = 0;

	if (base_digests(env, base.digest, packages.digest, e) < 0 || building_digest(env, packages.digest, build.digest, e) < 0)
		return -1;
	base.packages = count_packages(&env->lock, true);
	packages.packages = count_packages(&env->lock, false);
	personal.packages = count_packages(&env->local_lock, false);
	out[count++] = base;
	if (packages.packages)
		out[count++] = packages;
	if (env->config.build)
		out[count++] = build;
	packages_own_stage_digest(env, build.digest, personal.digest);
	if (strcmp(personal.digest, build.digest) != 0)
		out[count++] = personal;
	for (int i = 0; i < count; i++)
		look_at(s, &out[i]);
	return count;
}

int stages_make(struct environment *env, struct store *s, const struct env_options *o, struct err *e)
{
	char base[DIGEST_MAX], below[DIGEST_MAX], built[DIGEST_MAX], last[DIGEST_MAX];

	/* First what can be said from the files alone: before a download, and not after it. */
	if (base_digests(env, base, below, e) < 0 || stages_digest(env, last, e) < 0)
		return -1;
	if ((env->config.base == CONFIG_BASE_DEBIAN ? packages_stage_make_base(env, s, o, e) : fetching_base(env, s, o, e)) < 0)
		return -1;
	if (make_added(env, s, base, o, e) < 0 || building_make(env, s, below, o, e) < 0)
		return -1;
	/* Again: inputs that changed while they were copied have made it another one. */
	if (building_digest(env, below, built, e) < 0)
		return -1;
	return packages_own_stage_make(env, s, &(struct packages_own_below){ base, below, built }, o, e);
}

int env_fetch(struct environment *env, struct store *s, const struct env_options *o, struct err *e)
{
	return live_record_project(env, e) < 0 ? -1 : stages_make(env, s, o, e);
}
