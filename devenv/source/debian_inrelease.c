/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_inrelease.c - the InRelease of a suite: kept as it came, and verified whenever it is used, so that the cache is
 * trusted no more than the mirror.
 *
 * Who answers for a mirror can't forge, but can answer with what was true last year. Two things stand against it: a release that
 * is older than the one that lies in the cache is refused, and so is one whose Valid-Until is over or whose Date is yet to come. Without a cache the first
 * answer is believed.
 */
#include "source/debian_archive_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/debian_fetch.h"
#include "source/debian_signature.h"

enum { FRESH_SECONDS = 3600, CLOCKS_DIFFER = 600 };

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

	if (s->flat || debian_release_is_of(r, s->suite)) /* a flat archive's name is a path */
		return 0;
	codename = debian_text_dup(r->codename);
	suite = debian_text_dup(r->suite);
	err_set(e, ERR_INTEGRITY, "%s is of another suite: '%s' (%s)", what, text_safe(codename), text_safe(suite));
	return err_hint(e, "the mirror is wrong or somebody on the way changes its answers: try another one ([debian] mirror in %s)",
			dirs_shown_config());
}

static int parse(const struct debian_suite *s, const struct buf *signed_text, const char *what, struct debian_inrelease *r,
		 struct err *e)
{
	if (debian_signature_verify(signed_text, s->keyring, &s->fingerprints, what, &r->text, e) < 0)
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

/* "http://HOST" without a path: a mirror's has one. */
static bool lacks_path(const char *uri)
{
	const char *host = strstr(uri, "://");

	return host && !strchr(host + 3, '/');
}

static int hint_not_there(const struct debian_suite *s, struct err *e)
{
	cleanup_free char *codename = debian_mirror_codename(s->suite);
	const char *nearest = debian_mirror_nearest(codename), *config = dirs_shown_config();
	bool known = nearest && strcmp(nearest, codename) == 0;

	if (debian_mirror_is_security(s->suite) && known)
		return err_hint(e, "say where the security suites are: security = ADDRESS in [debian] of %s; a release that has "
				   "left the mirrors is in an archive of old releases (mirror = and security = there)", config);
	if (known && strcmp(s->suite, codename) != 0)
		return err_hint(e, "a whole mirror has it beside %s: name one as mirror in [debian] of %s", codename, config);
	if (nearest && !known)
		return err_hint(e, "did you mean %s?", nearest);
	if (lacks_path(s->uri))
		return err_hint(e, "the address of a mirror has a path, most often /debian: mirror = %s/debian in [debian] of %s. A release that "
				   "has left the mirrors is in an archive of old ones", text_safe(s->uri), config);
	return err_hint(e, "is the address right (mirror in [debian] of %s)? Releases leave the mirrors some years after they came out: then "
			   "name an archive of old ones there, or take a newer release", config);
}

static int not_there(const struct debian_suite *s, struct err *e)
{
	cleanup_free char *place = debian_fetch_place(s->uri), *path = debian_archive_path(s, "InRelease");
	cleanup_free char *url = debian_fetch_url(s->uri, path);

	err_set(e, ERR_NOT_FOUND, "the mirror %s has no suite %s: %s is not there%s", text_safe(place), text_safe(s->suite), text_safe(url),
		text_starts(s->uri, "file:") ? "" : " (HTTP status 404)");
	return hint_not_there(s, e);
}

static int ask_for(struct debian_context *c, const struct debian_suite *s, const char *file, struct buf *text, struct err *e)
{
	cleanup_free char *path = debian_archive_path(s, file), *url = debian_fetch_url(s->uri, path);

	return debian_fetch_text(c->http, url, DEBIAN_SIGNED_MAX, text, e);
}

/* An archive of the old form: its signature and what it signs, one behind the other. */
static int ask_for_both(struct debian_context *c, const struct debian_suite *s, struct buf *text, struct err *e)
{
	cleanup_buf struct buf release = BUF_INIT;
	cleanup_free char *place = debian_fetch_place(s->uri);
	struct err unsigned_too = ERR_INIT;

	if (ask_for(c, s, "Release", &release, e) < 0)
		return -1;
	if (ask_for(c, s, "Release.gpg", text, &unsigned_too) < 0) {
		*e = unsigned_too;
		if (e->code != ERR_NOT_FOUND)
			return -1;
		err_set(e, ERR_INTEGRITY, "%s from %s is not signed: there is neither InRelease nor Release.gpg", text_safe(s->suite),
			text_safe(place));
		return err_hint(e, "nothing unsigned is used, also where apt is told to trust it; its owner has to sign it");
	}
	if (text->len && text->data[text->len - 1] != '\n')
		buf_addch(text, '\n');
	buf_add(text, release.data, release.len);
	return 0;
}

static int ask(struct debian_context *c, const struct debian_suite *s, struct buf *text, struct err *e)
{
	if (ask_for(c, s, "InRelease", text, e) == 0)
		return 0;
	if (e->code == ERR_NOT_FOUND && ask_for_both(c, s, text, e) == 0)
		return 0;
	if (e->code == ERR_NOT_FOUND)
		return not_there(s, e);
	return err_wrap(e, "can't read the index of %s", text_safe(s->suite));
}

static int refuse_downgrade(const char *what, int64_t date, int64_t seen, struct err *e)
{
	cleanup_free char *old = date_of(date), *new = date_of(seen);

	err_set(e, ERR_INTEGRITY, "%s is of %s, older than the one seen before (%s): refused", what, old, new);
	return err_hint(e, "the mirror lags behind or somebody replays old answers: try again later or another mirror ([debian] mirror in %s). "
			   "To go back on purpose: rm -r %s", dirs_shown_config(), dirs_shown_cache("debian/releases"));
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

/* Nobody said that its time does not matter. */
static bool time_matters(const struct debian_context *c)
{
	return !c->ignore_expiry && !c->offline && !(c->user && c->user->debian.ignore_expiry);
}

/* Over, and that matters. */
static bool is_expired(const struct debian_context *c, const struct debian_suite *s, const struct debian_release *r)
{
	return r->valid_until && (int64_t)time(NULL) > r->valid_until && time_matters(c) && !s->any_age;
}

/* From the future: then the clock here is wrong, and what it says of Valid-Until worth nothing. */
static bool is_early(const struct debian_context *c, const struct debian_release *r)
{
	return r->date > (int64_t)time(NULL) + CLOCKS_DIFFER && time_matters(c);
}

static int refuse_early(const char *what, int64_t date, struct err *e)
{
	cleanup_free char *made = date_of(date), *now = date_of((int64_t)time(NULL));

	err_set(e, ERR_INTEGRITY, "%s is of %s, which is yet to come: the clock here says %s", what, made, now);
	return err_hint(e, "set the clock of this machine. ignore-expiry = yes in [debian] of %s takes it as it is", dirs_shown_config());
}

static int refuse_late(const char *what, const char *until, struct err *e)
{
	cleanup_free char *now = date_of((int64_t)time(NULL));

	err_set(e, ERR_INTEGRITY, "%s was valid until %s only, and the clock here says %s", what, until, now);
	return err_hint(e, "if that is the time, the mirror lags behind: try another one ([debian] mirror in %s); "
			   "ignore-expiry = yes there takes it as it is. If not, set the clock of this machine", dirs_shown_config());
}

static int check_times(const struct debian_context *c, const struct debian_suite *s, const char *what, const struct debian_release *r,
		       struct strlist *warnings, struct err *e)
{
	cleanup_free char *until = date_of(r->valid_until);

	if (is_early(c, r))
		return refuse_early(what, r->date, e);
	if (is_expired(c, s, r))
		return refuse_late(what, until, e);
	if (warnings && r->valid_until && (int64_t)time(NULL) > r->valid_until)
		strlist_addf(warnings, "%s was valid until %s only: it may lack corrections that are known since", what, until);
	return 0;
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

		if (good && !is_expired(c, s, &r->release)) {
			r->cached = true;
			return check_times(c, s, what, &r->release, warnings, e);
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
	if (check_times(c, s, what, &r->release, warnings, e) < 0)
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
