/* SPDX-License-Identifier: Apache-2.0 */
/* debian_release.c - see debian_release.h. */
#include "source/debian_release.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"

static bool number_of(struct debian_text t, uint64_t max, uint64_t *out)
{
	return debian_text_number(t, max, out) == 0;
}

static bool month_of(struct debian_text t, int *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (t.len == 3 && memcmp(t.at, names + 3 * i, 3) == 0) {
			*month = i;
			return true;
		}
	return false;
}

static bool clock_of(struct debian_text t, struct tm *tm)
{
	uint64_t hour, minute, second;

	if ((t.len != 8 && t.len != 7) || t.at[t.len - 3] != ':' || t.at[t.len - 6] != ':')
		return false;
	if (!number_of((struct debian_text){ t.at, t.len - 6 }, 23, &hour) ||
	    !number_of((struct debian_text){ t.at + t.len - 5, 2 }, 59, &minute) ||
	    !number_of((struct debian_text){ t.at + t.len - 2, 2 }, 60, &second))
		return false;
	tm->tm_hour = (int)hour;
	tm->tm_min = (int)minute;
	tm->tm_sec = (int)second;
	return true;
}

static bool is_utc(struct debian_text zone)
{
	return debian_text_is(zone, "UTC") || debian_text_is(zone, "GMT") || debian_text_is(zone, "Z") ||
	       debian_text_is(zone, "+0000");
}

/* Not strptime: it reads the names of months in the caller's language. */
int64_t debian_release_time(struct debian_text value)
{
	struct debian_text words[6], extra;
	struct tm tm = { 0 };
	uint64_t day, year;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!debian_control_word(&value, &words[i]))
			return -1;
	if (debian_control_word(&value, &extra))
		return -1;
	if (!number_of(words[1], 31, &day) || day == 0 || !month_of(words[2], &tm.tm_mon) || !number_of(words[3], 9999, &year) ||
	    year < 1970 || !clock_of(words[4], &tm) || !is_utc(words[5]))
		return -1;
	tm.tm_mday = (int)day;
	tm.tm_year = (int)year - 1900;
	return (int64_t)timegm(&tm);
}

static bool has_word(struct debian_text list, const char *word)
{
	struct debian_text found;

	while (debian_control_word(&list, &found))
		if (debian_text_is(found, word))
			return true;
	return false;
}

static void add_words(struct strlist *l, struct debian_text value)
{
	struct debian_text word;

	while (debian_control_word(&value, &word))
		strlist_add_take(l, debian_text_dup(word));
}

int debian_release_parse(struct debian_text text, struct debian_release *out, struct err *e)
{
	struct debian_release r = { 0 };
	struct debian_text paragraph, value;

	if (!debian_control_next(&text, &paragraph))
		return err_set(e, ERR_INTEGRITY, "it is empty");
	debian_control_field(paragraph, "Suite", &r.suite);
	debian_control_field(paragraph, "Codename", &r.codename);
	debian_control_field(paragraph, "Label", &r.label);
	debian_control_field(paragraph, "Origin", &r.origin);
	debian_control_field(paragraph, "Version", &r.version);
	r.not_automatic = debian_control_field(paragraph, "NotAutomatic", &value) && debian_text_is(value, "yes");
	r.automatic_upgrades = debian_control_field(paragraph, "ButAutomaticUpgrades", &value) && debian_text_is(value, "yes");
	debian_control_field(paragraph, "Date", &value);
	r.date = debian_release_time(value);
	if (r.date <= 0)
		return err_set(e, ERR_INTEGRITY, "it has no date that can be read");
	if (debian_control_field(paragraph, "Valid-Until", &value)) {
		r.valid_until = debian_release_time(value);
		if (r.valid_until <= 0)
			return err_set(e, ERR_INTEGRITY, "its Valid-Until can't be read");
	}
	if (!debian_control_field(paragraph, "SHA256", &r.files))
		return err_set(e, ERR_INTEGRITY, "it has no SHA256 of its indexes");
	r.by_hash = debian_control_field(paragraph, "Acquire-By-Hash", &value) && debian_text_is(value, "yes");
	debian_control_field(paragraph, "Components", &value);
	add_words(&r.components, value);
	debian_control_field(paragraph, "Architectures", &value);
	add_words(&r.architectures, value);
	debian_control_field(paragraph, "No-Support-for-Architecture-all", &value);
	r.all_apart = strlist_has(&r.architectures, "all") && !has_word(value, "Packages");
	*out = r;
	return 0;
}

void debian_release_release(struct debian_release *r)
{
	strlist_release(&r->components);
	strlist_release(&r->architectures);
	*r = (struct debian_release){ 0 };
}

static bool parse_file(struct debian_text line, struct debian_text *path, struct debian_index_file *out)
{
	struct debian_text hash, size, extra;

	if (!debian_control_word(&line, &hash) || !debian_control_word(&line, &size) || !debian_control_word(&line, path) ||
	    debian_control_word(&line, &extra) || hash.len != 64)
		return false;
	memcpy(out->sha256, hash.at, 64);
	out->sha256[64] = '\0';
	return text_is_hex(out->sha256, 64) && number_of(size, INT64_MAX, &out->size);
}

bool debian_release_find(const struct debian_release *r, const char *path, struct debian_index_file *out)
{
	struct debian_text rest = r->files, line, found;
	struct debian_index_file file;

	while (debian_control_line(&rest, &line))
		if (parse_file(line, &found, &file) && debian_text_is(found, path)) {
			*out = file;
			return true;
		}
	return false;
}

bool debian_release_is_of(const struct debian_release *r, const char *suite)
{
	struct debian_text name = DEBIAN_TEXT(suite);

	if (r->suite.len == 0 && r->codename.len == 0)
		return true; /* archives of others need not say */
	if (debian_text_is(r->suite, suite) || debian_text_is(r->codename, suite))
		return true;
	/* Until bullseye the security archive had suites such as buster/updates, with the codename buster. */
	return text_ends(suite, "/updates") && debian_text_is(r->label, "Debian-Security") &&
	       r->codename.len == name.len - strlen("/updates") && memcmp(r->codename.at, suite, r->codename.len) == 0;
}
