/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup.c - [setup]: the script that makes a checkout ready, and the key that says when it has to run again.
 *
 * The key is a hash over the script, the image's layers and the content of the inputs. The inputs are on the freshness
 * list, so a changed one brings us here, and the launcher only has to compare the key in the plan with the one that
 * the last successful run left in <state>/setup-done.
 */
#include "env/setup.h"

#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "env/checkout.h"
#include "env/inputs.h"

static void add_text(struct digest *h, const char *text)
{
	digest_add(h, text, strlen(text) + 1);
}

/* Absent ones count too: that they appear is a change. */
static int add_input(struct draft *d, const struct env_place *place, struct digest *h, struct err *e)
{
	struct checkout_way way = checkout_way(d->env, place);
	struct input in = { .path = place->path, .dirfd = way.dirfd, .name = way.name, .resolve = way.resolve };

	if (inputs_read(d->env, &in, ERR_CONFIG, NULL, e) < 0)
		return err_wrap(e, "%s:%u: [setup] inputs", d->env->config.file, d->env->config.setup_inputs_line);
	add_text(h, place->written);
	add_text(h, inputs_content(d->env, place->path));
	return 0;
}

static int add_inputs(struct draft *d, struct digest *h, struct err *e)
{
	const struct environment *env = d->env;

	for (size_t i = 0; i < env->place_count; i++)
		if (env->places[i].kind == ENV_PLACE_SETUP_INPUT && add_input(d, &env->places[i], h, e) < 0)
			return -1;
	return 0;
}

int setup_plan(struct draft *d, struct err *e)
{
	const struct config *c = &d->env->config;
	struct digest *h;
	char digest[DIGEST_MAX];
	int r;

	if (!c->setup)
		return 0;
	h = digest_new(NULL);
	add_text(h, "setup 1");
	add_text(h, c->setup);
	for (size_t i = 0; i < d->image.chain_ids.count; i++)
		add_text(h, d->image.chain_ids.items[i]);
	r = add_inputs(d, h, e);
	digest_end(h, digest);
	if (r < 0)
		return -1;
	d->plan.setup = c->setup;
	d->plan.setup_key = draft_copy(d, digest_hex(digest));
	return 0;
}
