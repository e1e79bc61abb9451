/* SPDX-License-Identifier: Apache-2.0 */
/*
 * created.c - the "created" time of an image config, without a JSON library: the list of images wants this one value of
 * a text that was parsed and checked when it was fetched. A scanner that knows strings and nesting finds it, and not the
 * "created" of a history entry.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/layout.h"

/* Past the string that starts at p (at its opening quote); at most to the end of the text. */
static const char *past_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : p;
}

static const char *past_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* The value of the outermost object's member `key` (quoted, as it stands in the text); NULL: none. */
static const char *member(const char *json, const char *key)
{
	int depth = 0;

	for (const char *p = json; *p;) {
		const char *after;

		if (*p != '"') {
			depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
			p++;
			continue;
		}
		after = past_string(p);
		if (depth == 1 && (size_t)(after - p) == strlen(key) && strncmp(p, key, strlen(key)) == 0) {
			after = past_space(after);
			if (*after == ':')
				return past_space(after + 1);
		}
		p = after;
	}
	return NULL;
}

int64_t store_created(const char *config_json)
{
	const char *value = member(config_json, "\"created\"");
	struct tm tm = { 0 };
	int hours = 0, minutes = 0;
	char sign = '+';
	int end = 0;

	/* RFC 3339: 2024-05-14T01:02:03.123456789Z, or +02:00 for Z */
	if (!value || sscanf(value, "\"%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
	                     &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) != 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	value += end;
	if (*value == '.')
		value += 1 + strspn(value + 1, "0123456789");
	if (*value != 'Z' && *value != 'z' && sscanf(value, "%c%2d:%2d", &sign, &hours, &minutes) != 3)
		return 0;
	return (int64_t)timegm(&tm) - (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}
