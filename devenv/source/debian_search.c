/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_search.c - one locked package, from the first place that still has it: vendor directories, the mirrors of its suite,
 * the other mirrors, the snapshot service. Nobody is believed: the size and hash of the lock decide, so a place that has
 * something else under the name is passed over like one that has nothing.
 */
#include "source/debian_pool_internal.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "source/debian_fetch.h"

enum { SERVICE_ANSWER_MAX = 1 << 20 };

struct account { /* of the places that were asked */
	struct buf text;
	struct strlist asked; /* URLs */
	bool wrong, missing, unreachable; /* some place had something else, had nothing, gave no answer */
	struct err last;
};

struct progress {
	struct debian_search *search;
	int64_t bytes;
};

static void came(void *data, uint64_t bytes)
{
	struct progress *p = data;

	p->bytes += (int64_t)bytes;
	if (p->search->came)
		p->search->came(p->search->data, (int64_t)bytes);
}

/* No other place helps when the disk is full or somebody pressed ^C. */
static bool is_final(const struct err *e)
{
	return e->code == ERR_SPACE || e->code == ERR_INTERRUPTED || e->code == ERR_STORE;
}

static void note(struct account *a, const char *kind, const char *place, const struct err *why)
{
	a->wrong = a->wrong || why->code == ERR_INTEGRITY;
	a->missing = a->missing || why->code == ERR_NOT_FOUND;
	a->unreachable = a->unreachable || why->code == ERR_NETWORK;
	a->last = *why;
	buf_addf(&a->text, "; %s %s: %s", kind, text_safe(place), why->code == ERR_NOT_FOUND ? "not there" : why->msg);
}

/* 1: it was there; 0: go on; -1: it makes no sense to. */
static int try_url(struct debian_search *s, struct account *a, const char *kind, const char *place, const char *url,
		   struct err *e)
{
	struct progress p = { .search = s };
	const struct debian_fetch f = {
		.http = s->http, .url = url, .sha256 = s->package->sha256, .size = s->package->size, .came = came, .data = &p
	};
	struct err why = ERR_INIT;

	if (strlist_has(&a->asked, url))
		return 0;
	strlist_add(&a->asked, url);
	if (debian_fetch_file(&f, s->fd, &why) == 0)
		return 1;
	if (s->came)
		s->came(s->data, -p.bytes);
	if (is_final(&why)) {
		*e = why;
		return -1;
	}
	note(a, kind, place, &why);
	return 0;
}

/* ---- vendor directories ---- */

static int try_directory(struct debian_search *s, struct account *a, const char *directory, struct err *e)
{
	const struct lock_package *p = s->package;
	char *names[] = { mem_strdup(p->sha256), mem_printf("%s.deb", p->sha256), mem_strdup(path_base(p->path)),
			  mem_strdup(p->path) };
	int result = 0;
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(names) && result == 0; i++) {
		cleanup_free char *file = path_join(directory, names[i]), *url = NULL;

		if (file_exists(AT_FDCWD, file)) {
			url = mem_printf("file:%s", file);
			any = true;
			result = try_url(s, a, "file", file, url, e);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		free(names[i]);
	if (!any)
		note(a, "vendor directory", directory, &(struct err){ .code = ERR_NOT_FOUND });
	return result;
}

static int try_vendors(struct debian_search *s, struct account *a, struct err *e)
{
	const struct strlist *vendors = s->pool->vendors;
	int result = 0;

	for (size_t i = 0; vendors && i < vendors->count && result == 0; i++)
		result = try_directory(s, a, vendors->items[i], e);
	return result;
}

/* ---- mirrors ---- */

static int try_below(struct debian_search *s, struct account *a, const char *kind, const char *address, struct err *e)
{
	cleanup_free char *url = debian_fetch_url(address, s->package->path), *place = debian_fetch_place(address);

	return try_url(s, a, kind, place, url, e);
}

/* The suite that the lock names comes first; then the others, for what moved from security or updates into the release. */
static int try_mirrors(struct debian_search *s, struct account *a, struct err *e)
{
	const struct debian_archive *archive = s->pool->archive;
	int result = 0;

	for (int own = 1; own >= 0; own--)
		for (size_t i = 0; archive && i < archive->count && result == 0; i++)
			if ((strcmp(archive->suites[i].suite, s->package->suite) == 0) == (own == 1))
				result = try_below(s, a, "mirror", archive->suites[i].uri, e);
	return result;
}

/* ---- the snapshot service ---- */

#define SNAPSHOT "snapshot service"

/* The hash under which the service keeps the file of this architecture; its own choice, and no more than a name here. */
static char *hash_of(const struct lock_package *p, const json_t *answer)
{
	const json_t *found = NULL, *file;
	size_t i;

	json_array_foreach(json_object_get(answer, "result"), i, file) {
		const char *arch = json_string_value(json_object_get(file, "architecture"));
		const char *hash = json_string_value(json_object_get(file, "hash"));

		if (arch && hash && text_is_hex(hash, 40) && (strcmp(arch, p->arch) == 0 || strcmp(arch, "all") == 0))
			found = file;
	}
	return found ? mem_strdup(json_string_value(json_object_get(found, "hash"))) : NULL;
}

/* What the machine interface says of the package: its file's hash, or NULL. */
static char *ask_service(struct debian_search *s, const char *address, struct err *why)
{
	const struct lock_package *p = s->package;
	cleanup_free char *path = mem_printf("mr/binary/%s/%s/binfiles", p->name, p->version);
	cleanup_free char *url = debian_fetch_url(address, path);
	cleanup_buf struct buf text = BUF_INIT;
	json_t *answer;
	char *hash;

	if (debian_fetch_text(s->http, url, SERVICE_ANSWER_MAX, &text, why) < 0)
		return NULL;
	answer = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	hash = answer ? hash_of(p, answer) : NULL;
	json_decref(answer);
	if (!hash)
		(void)err_set(why, ERR_NOT_FOUND, "not there");
	return hash;
}

static int try_snapshot(struct debian_search *s, struct account *a, struct err *e)
{
	const char *address = s->pool->context->user ? s->pool->context->user->debian.snapshot : NULL;
	cleanup_free char *place = address ? debian_fetch_place(address) : NULL, *hash = NULL;
	struct err why = ERR_INIT;
	int result;

	if (!address)
		return 0;
	result = try_below(s, a, SNAPSHOT, address, e);
	if (result != 0)
		return result;
	hash = ask_service(s, address, &why);
	if (hash) {
		cleanup_free char *path = mem_printf("file/%s", hash), *url = debian_fetch_url(address, path);

		return try_url(s, a, SNAPSHOT, place, url, e);
	}
	if (is_final(&why)) {
		*e = why;
		return -1;
	}
	if (why.code != ERR_NOT_FOUND)
		note(a, SNAPSHOT, place, &why);
	return 0;
}

/* ---- all of them ---- */

static int nowhere(const struct debian_search *s, const struct account *a, struct err *e)
{
	const struct lock_package *p = s->package;
	enum err_code code = a->wrong ? ERR_INTEGRITY : a->unreachable && !a->missing ? ERR_NETWORK : ERR_NOT_FOUND;

	if (!s->http)
		code = ERR_OFFLINE;
	err_set(e, code, "%s %s is nowhere to be had: not in the store%s", text_safe(p->name), text_safe(p->version), a->text.data);
	if (!s->http)
		return err_hint(e, "fetch it once without --offline");
	if (code == ERR_NETWORK)
		return err_hint(e, "%s", a->last.hint[0] ? a->last.hint : "try again when the network is there");
	return debian_pool_hint(s->pool, text_safe(p->name), e);
}

int debian_search_run(struct debian_search *s, struct err *e)
{
	struct account a = { .text = BUF_INIT, .last = ERR_INIT };
	int result;

	if (!lock_package_path_is_valid(s->package->path))
		return err_set(e, ERR_LOCK, "the lock has no good path of %s: '%s'", text_safe(s->package->name), text_safe(s->package->path));
	result = try_vendors(s, &a, e);
	if (result == 0 && s->http)
		result = try_mirrors(s, &a, e);
	if (result == 0 && s->http)
		result = try_snapshot(s, &a, e);
	if (result == 0)
		nowhere(s, &a, e);
	buf_release(&a.text);
	strlist_release(&a.asked);
	return result == 1 ? 0 : -1;
}
