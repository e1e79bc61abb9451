/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_inrelease.c - the InRelease of a suite: kept as it came, and verified whenever it is used, so that the cache is
 * trusted no more than the mirror.
 *
 * Who answers for a mirror can't forge, but can answer with what was true last year. Two things stand against it: a release that
 * is older than the one that lies in the cache is refused, and so is one whose Valid-Until is over. Without a cache the first
 * answer is believed.
 */
#include "source/debian_archive_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/debian_fetch.h"
#include "source/debian_signature.h"

enum { FRESH_SECONDS = 3600 };

char *debian_inrelease_name(const struct debian_suite *s)
{
	uint64_t hash = text_hash_add(text_hash(s->uri, strlen(s->uri) + 1), s->suite, strlen(s->suite));
	char *name = mem_printf("%s-%016llx", s->suite, (unsigned long long)hash);

	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '_';
	return name;
}

static char *date_of(int64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[64] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
	return mem_strdup(text);
}

/* "the InRelease of bookworm from HOST". malloc'ed. */
static char *name_of(const struct debian_suite *s)
{
	cleanup_free char *place = debian_fetch_place(s->uri);

	return mem_printf("the InRelease of %s from %s", text_safe(s->suite), text_safe(place));
}

static int check_name(const struct debian_suite *s, const struct debian_release *r, const char *what, struct err *e)
{
	cleanup_free char *codename = NULL, *suite = NULL;

	if (debian_release_is_of(r, s->suite))
		return 0;
	codename = debian_text_dup(r->codename);
	suite = debian_text_dup(r->suite);
	err_set(e, ERR_INTEGRITY, "%s is of another suite: '%s' (%s)", what, text_safe(codename), text_safe(suite));
	return err_hint(e, "the mirror is wrong or somebody on the way changes its answers: try another one ([debian] mirror in your "
			   "config.ini)");
}

static int parse(const struct debian_suite *s, const struct buf *signed_text, const char *what, struct debian_inrelease *r,
		 struct err *e)
{
	if (debian_signature_verify(signed_text, s->keyring, what, &r->text, e) < 0)
		return -1;
	if (debian_release_parse((struct debian_text){ r->text.data, r->text.len }, &r->release, e) < 0)
		return err_wrap(e, "%s", what);
	return check_name(s, &r->release, what, e);
}

/* What lies in the cache. false: nothing that can be used. */
static bool read_cached(int directory, const char *name, struct buf *text, bool *fresh)
{
	cleanup_free char *path = mem_printf("releases/%s", name);
	struct err ignored = ERR_INIT;
	struct stat st;
	int64_t age;

	if (directory < 0 || file_read(directory, path, DEBIAN_SIGNED_MAX, O_NOFOLLOW, text, &st, &ignored) < 0)
		return false;
	age = (int64_t)time(NULL) - (int64_t)st.st_mtime;
	*fresh = age >= 0 && age < FRESH_SECONDS;
	return true;
}

static int not_there(const struct debian_suite *s, struct err *e)
{
	cleanup_free char *place = debian_fetch_place(s->uri), *codename = debian_mirror_codename(s->suite);
	const char *nearest = debian_mirror_nearest(codename);

	err_set(e, ERR_NOT_FOUND, "the mirror %s has no suite %s", text_safe(place), text_safe(s->suite));
	if (debian_mirror_is_security(s->suite) && nearest && strcmp(nearest, codename) == 0)
		return err_hint(e, "say where the security suites are: security = ADDRESS in [debian] of your config.ini; a release that has "
				   "left the mirrors is in an archive of old releases (mirror = and security = there)");
	if (nearest && strcmp(nearest, codename) != 0)
		return err_hint(e, "did you mean %s?", nearest);
	return err_hint(e, "releases leave the mirrors some years after they came out: name an archive of old ones as mirror in [debian] of "
			   "your config.ini, or take a newer release");
}

static int ask(struct debian_context *c, const struct debian_suite *s, struct buf *text, struct err *e)
{
	cleanup_free char *path = mem_printf("dists/%s/InRelease", s->suite), *url = debian_fetch_url(s->uri, path);

	if (debian_fetch_text(c->http, url, DEBIAN_SIGNED_MAX, text, e) == 0)
		return 0;
	if (e->code == ERR_NOT_FOUND)
		return not_there(s, e);
	return err_wrap(e, "can't read the index of %s", text_safe(s->suite));
}

static int refuse_downgrade(const char *what, int64_t date, int64_t seen, struct err *e)
{
	cleanup_free char *old = date_of(date), *new = date_of(seen);

	err_set(e, ERR_INTEGRITY, "%s is of %s, older than the one seen before (%s): refused", what, old, new);
	return err_hint(e, "the mirror lags behind or somebody replays old answers: try again later or another mirror ([debian] mirror in your "
			   "config.ini). To go back on purpose, delete the directory $XDG_CACHE_HOME/devenv/debian/releases");
}

/* Is it older than the one we had, should that one still be good? */
static int check_downgrade(const struct debian_suite *s, const struct buf *cached, const char *what,
			   const struct debian_inrelease *now, struct err *e)
{
	struct debian_inrelease before = { .text = BUF_INIT };
	struct err ignored = ERR_INIT;
	int result = 0;

	if (parse(s, cached, what, &before, &ignored) == 0 && now->release.date < before.release.date)
		result = refuse_downgrade(what, now->release.date, before.release.date, e);
	debian_inrelease_release(&before);
	return result;
}

/* Over, and nobody said that it does not matter. */
static bool is_expired(const struct debian_context *c, const struct debian_release *r)
{
	return r->valid_until && (int64_t)time(NULL) > r->valid_until && !c->ignore_expiry && !c->offline &&
	       !(c->user && c->user->debian.ignore_expiry);
}

static int check_expiry(const struct debian_context *c, const char *what, const struct debian_release *r, struct strlist *warnings,
			struct err *e)
{
	cleanup_free char *until = date_of(r->valid_until);

	if (r->valid_until == 0 || (int64_t)time(NULL) <= r->valid_until)
		return 0;
	if (!is_expired(c, r)) {
		if (warnings)
			strlist_addf(warnings, "%s was valid until %s only: it may lack corrections that are known since", what, until);
		return 0;
	}
	err_set(e, ERR_INTEGRITY, "%s was valid until %s only", what, until);
	return err_hint(e, "the mirror lags behind, or the clock here is wrong: try another mirror ([debian] mirror in your config.ini). "
			   "ignore-expiry = yes in [debian] takes it as it is");
}

static int keep(int directory, const char *name, const struct buf *text, struct err *e)
{
	cleanup_free char *path = mem_printf("releases/%s", name);

	if (directory < 0)
		return 0;
	return file_replace(directory, path, text->data, text->len, 0600, FILE_FAST, e) < 0 ? err_wrap(e, "the cache of indexes") : 0;
}

static int get(struct debian_context *c, const struct debian_suite *s, int directory, bool force, struct strlist *warnings,
	       struct debian_inrelease *r, struct err *e)
{
	cleanup_free char *name = debian_inrelease_name(s), *what = name_of(s);
	cleanup_buf struct buf cached = BUF_INIT, text = BUF_INIT;
	bool fresh = false, have = read_cached(directory, name, &cached, &fresh);
	struct err why = ERR_INIT;

	if (have && (c->offline || (fresh && !force))) {
		bool good = parse(s, &cached, what, r, &why) == 0;

		if (good && !is_expired(c, &r->release)) {
			r->cached = true;
			return check_expiry(c, what, &r->release, warnings, e);
		}
		*e = why;
		if (c->offline)
			return -1;
		/* No good any more - other keys, a damaged disk, its time over: the mirror has a better one. */
	}
	if (c->offline) {
		err_set(e, ERR_OFFLINE, "the index of %s was not fetched yet", text_safe(s->suite));
		return err_hint(e, "do it once without --offline");
	}
	debian_inrelease_release(r);
	if (ask(c, s, &text, e) < 0 || parse(s, &text, what, r, e) < 0)
		return -1;
	if (have && check_downgrade(s, &cached, what, r, e) < 0)
		return -1;
	if (check_expiry(c, what, &r->release, warnings, e) < 0)
		return -1;
	return keep(directory, name, &text, e);
}

int debian_inrelease_get(struct debian_context *c, const struct debian_suite *s, int directory, bool force,
			 struct strlist *warnings, struct debian_inrelease *out, struct err *e)
{
	struct debian_inrelease r = { .text = BUF_INIT };

	if (get(c, s, directory, force, warnings, &r, e) == 0) {
		*out = r;
		return 0;
	}
	debian_inrelease_release(&r);
	return -1;
}

void debian_inrelease_release(struct debian_inrelease *r)
{
	debian_release_release(&r->release);
	buf_release(&r->text);
	*r = (struct debian_inrelease){ .text = BUF_INIT };
}
