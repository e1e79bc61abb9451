/* SPDX-License-Identifier: Apache-2.0 */
/*
 * distrust.c - `enter --untrusted`: an environment that gets nothing and can keep nothing.
 *
 * Everything that is a power, runs by itself or outlives the session is taken out of the config as it was read, so that
 * what plans it needs to know of two things only: the home is empty, and the project is a view. A base that lies outside
 * the project stays: without it there is nothing to enter, and the gate of trust.c asks for it as ever.
 */
#include "env/env.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"

static void drop_text(char **text)
{
	free(*text);
	*text = NULL;
}

static void drop_mounts_and_volumes(struct config *c)
{
	for (size_t i = 0; i < c->mount_count; i++) {
		free(c->mounts[i].name);
		free(c->mounts[i].source);
		free(c->mounts[i].target);
	}
	for (size_t i = 0; i < c->volume_count; i++) {
		free(c->volumes[i].name);
		free(c->volumes[i].target);
	}
	c->mount_count = c->volume_count = 0;
}

static bool is_kept(const struct env_place *place)
{
	return place->kind == ENV_PLACE_BASE || (place->kind == ENV_PLACE_ENV_FILE && !place->outside);
}

static void drop_places(struct environment *env)
{
	size_t kept = 0;

	for (size_t i = 0; i < env->place_count; i++) {
		struct env_place *place = &env->places[i];

		if (is_kept(place)) {
			env->places[kept++] = *place;
			continue;
		}
		free(place->written);
		free(place->path);
		free(place->tag);
	}
	env->place_count = kept;
}

void env_distrust(struct environment *env)
{
	struct config *c = &env->config;

	env->untrusted = true;
	c->network = CONFIG_NETWORK_NONE;
	c->persist = false;
	c->linger = 0;
	c->protect = CONFIG_PROTECT_OFF;
	c->nested = c->perf = c->ssh_agent = false;
	memset(c->devices, 0, sizeof(c->devices));
	c->repository = CONFIG_REPOSITORY_NO;
	drop_text(&c->setup);
	drop_text(&c->hook_start);
	drop_text(&c->hook_enter);
	strlist_release(&c->setup_inputs);
	strlist_release(&c->pass_env);
	drop_mounts_and_volumes(c);
	drop_places(env);
}

char *env_plan_path(const struct environment *env)
{
	return path_join(env->state, env->untrusted ? "plan-untrusted" : "plan");
}
