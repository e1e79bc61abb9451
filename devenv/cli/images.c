/* SPDX-License-Identifier: Apache-2.0 */
/* images.c - the store's images: opened, listed, found by what a person types. */
#include "cli/images.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/reference.h"

#define DIGEST_PREFIX_MIN 4

int images_open(struct cli *c, struct images *i, struct err *e)
{
	if (cli_open_user(c, &i->env, e) < 0)
		return -1;
	if (env_store(&i->env, &i->store, e) < 0)
		goto fail;
	i->live = i->requests = STRLIST_INIT;
	if (env_live_images(&i->env, &i->live, &i->requests, e) == 0 &&
	    store_list(&i->store, &i->items, &i->count, e) == 0)
		return 0;
	strlist_release(&i->live);
	strlist_release(&i->requests);
	store_close(&i->store);
fail:
	env_release(&i->env);
	return -1;
}

void images_close(struct images *i)
{
	store_list_free(i->items, i->count);
	strlist_release(&i->live);
	strlist_release(&i->requests);
	store_close(&i->store);
	env_release(&i->env);
}

/* With docker's defaults filled in; as typed when it is no reference at all. */
static char *full_name(const char *text)
{
	struct err ignored = ERR_INIT;
	struct reference ref;
	char *full;

	if (reference_parse(text, &ref, &ignored) < 0)
		return mem_strdup(text);
	full = reference_format(&ref);
	reference_release(&ref);
	return full;
}

static const struct store_list_item *find_name(const struct images *i, const char *text)
{
	cleanup_free char *full = full_name(text);

	for (size_t n = 0; n < i->count; n++) {
		const char *name = i->items[n].reference;

		if (name && (strcmp(name, text) == 0 || strcmp(name, full) == 0))
			return &i->items[n];
	}
	return NULL;
}

static bool has_digest_prefix(const char *digest, const char *text)
{
	const char *colon = strchr(digest, ':');

	return text_starts(digest, text) || (colon && text_starts(colon + 1, text));
}

static const struct store_list_item *nothing_found(const struct images *i, const char *text, struct err *e)
{
	cleanup_free const char **names = mem_array(i->count + 1, sizeof(*names));
	cleanup_free char *full = full_name(text);
	const char *nearest;
	size_t count = 0;

	for (size_t n = 0; n < i->count; n++)
		if (i->items[n].reference)
			names[count++] = i->items[n].reference;
	nearest = text_nearest(full, names);
	err_set_(e, ERR_NOT_FOUND, "no image '%s' in the store", text_safe(text));
	if (nearest)
		err_hint_(e, "did you mean '%s'?", text_safe(nearest));
	else
		err_hint_(e, "`devenv image ls` lists them, `devenv image pull` fetches one");
	return NULL;
}

const struct store_list_item *images_find(const struct images *i, const char *text, struct err *e)
{
	const struct store_list_item *found = find_name(i, text);
	const char *digits = text_starts(text, "sha256:") ? text + 7 : text;

	if (found)
		return found;
	if (strlen(digits) < DIGEST_PREFIX_MIN || strspn(digits, "0123456789abcdef") != strlen(digits))
		return nothing_found(i, text, e);
	for (size_t n = 0; n < i->count; n++) {
		if (!has_digest_prefix(i->items[n].digest, text))
			continue;
		if (found && strcmp(found->digest, i->items[n].digest) != 0) {
			err_set_(e, ERR_USAGE, "several images begin with '%s'", text_safe(text));
			return NULL;
		}
		found = found ? found : &i->items[n];
	}
	return found ? found : nothing_found(i, text, e);
}
