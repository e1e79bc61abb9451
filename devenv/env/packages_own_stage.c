/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_own_stage.c - the packages of devenv.local.ini, on what everybody shares.
 *
 * They were resolved on base and [packages], and stand on what [build] made of them. Where the build left dpkg's list alone
 * that is no difference. Where it installed something itself, the packages of the lock are held against what is there:
 * what it has brought already, in the same version or a later one, is left out, and what does not go together with it is an error
 * that says why. No other version than the lock's ever comes; so the image below and the lock decide what the stage is.
 */
#include "env/packages_own_stage.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/project.h"
#include "env/packages.h"
#include "env/packages_stage.h"
#include "source/debian_solve.h"

struct against {
	const struct environment *env;
	struct store *store;
	const struct packages_own_below *below;
};

static struct packages_addition addition(const struct environment *env, const char *below)
{
	return (struct packages_addition){ .kind = PACKAGES_STAGE_OWN, .lock = &env->local_lock, .below = below };
}

void packages_own_stage_digest(const struct environment *env, const char *below, char digest[DIGEST_MAX])
{
	struct packages_addition a = addition(env, below);

	if (env->config.packages_own.count)
		packages_stage_addition_digest(&a, oci_platform(), digest);
	else
		snprintf(digest, DIGEST_MAX, "%s", below);
}

static void mark(const struct debian_universe *u, const struct debian_solution *solution, const struct packages_control *items,
		 size_t count, bool *lacking)
{
	for (size_t i = 0; i < count; i++) {
		lacking[i] = false;
		for (size_t k = 0; !lacking[i] && k < solution->count; k++)
			lacking[i] = debian_text_compare(u->packages[solution->packages[k]].name, items[i].name) == 0;
	}
}

/* Nothing is there to choose from but what is installed and what the lock has. */
static int match(const struct against *a, struct debian_text status, const struct packages_control *items, size_t count,
		 bool *lacking, struct err *e)
{
	struct debian_goal goal = { .wanted = &a->env->config.packages_own, .priority = (int)DEBIAN_REQUIRED - 1 };
	struct debian_solution solution = { 0 };
	struct debian_universe u;
	int result;

	debian_universe_init(&u, debian_arch(oci_platform()));
	for (size_t i = 0; i < count; i++)
		debian_universe_add(&u, items[i].stanza, 0);
	debian_universe_add_installed(&u, status);
	debian_universe_sort(&u);
	result = debian_solve(&u, &goal, &solution, e);
	if (result == 0) {
		mark(&u, &solution, items, count, lacking);
	} else {
		err_wrap(e, "what [build] installed and the packages of " PROJECT_LOCAL " don't go together");
		err_hint(e, "take out of " PROJECT_LOCAL " what the message names, or have it installed by [packages] of devenv.ini");
	}
	debian_solution_release(&solution);
	debian_universe_release(&u);
	return result;
}

static int lacks(void *data, const struct packages_control *items, size_t count, bool *lacking, struct err *e)
{
	const struct against *a = data;
	cleanup_buf struct buf before = BUF_INIT, now = BUF_INIT;

	if (strcmp(a->below->packages, a->below->build) == 0)
		return 0;
	if (packages_read_status(a->store, a->below->packages, &before, e) < 0 ||
	    packages_read_status(a->store, a->below->build, &now, e) < 0)
		return -1;
	if (before.len == now.len && memcmp(before.data, now.data, now.len) == 0)
		return 0;
	return match(a, (struct debian_text){ now.data, now.len }, items, count, lacking, e);
}

int packages_own_stage_make(struct environment *env, struct store *s, const struct packages_own_below *below,
			    const struct env_options *o, struct err *e)
{
	struct against against = { env, s, below };
	struct packages_addition a = addition(env, below->build);

	if (!env->config.packages_own.count)
		return 0;
	a.title = "personal packages";
	a.sources = env->config.base == CONFIG_BASE_DEBIAN ? NULL : below->base;
	a.lacks = lacks;
	a.data = &against;
	return packages_stage_make_addition(env, s, &a, o, e);
}
