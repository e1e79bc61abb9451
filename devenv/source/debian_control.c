/* SPDX-License-Identifier: Apache-2.0 */
/* debian_control.c - a scanner over control data. Nothing is allocated but what debian_text_dup returns. */
#include "source/debian_control.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct debian_text debian_text_trim(struct debian_text t)
{
	while (t.len && is_blank(t.at[t.len - 1]))
		t.len--;
	while (t.len && is_blank(*t.at)) {
		t.at++;
		t.len--;
	}
	return t;
}

/* A whole line with its newline; an empty range at the end. */
static struct debian_text take_line(struct debian_text *rest)
{
	struct debian_text line = *rest;
	const char *newline = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;

	if (newline)
		line.len = (size_t)(newline - rest->at) + 1;
	rest->at += line.len;
	rest->len -= line.len;
	return line;
}

bool debian_control_next(struct debian_text *rest, struct debian_text *paragraph)
{
	struct debian_text before, line;

	do {
		before = *rest;
		if (rest->len == 0)
			return false;
		line = take_line(rest);
	} while (debian_text_trim(line).len == 0);
	paragraph->at = before.at;
	for (;;) {
		paragraph->len = (size_t)(rest->at - paragraph->at);
		if (rest->len == 0)
			return true;
		if (*rest->at == '\n' || *rest->at == '\r' || is_blank(*rest->at)) {
			struct debian_text ahead = *rest;

			if (debian_text_trim(take_line(&ahead)).len == 0)
				return true;
		}
		take_line(rest);
	}
}

bool debian_control_each(struct debian_text *rest, struct debian_text *name, struct debian_text *value)
{
	while (rest->len) {
		struct debian_text line = take_line(rest);
		const char *colon = memchr(line.at, ':', line.len);

		while (rest->len && (*rest->at == ' ' || *rest->at == '\t'))
			line.len += take_line(rest).len;
		if (!colon || is_blank(*line.at) || *line.at == '#')
			continue;
		*name = debian_text_trim((struct debian_text){ line.at, (size_t)(colon - line.at) });
		*value = debian_text_trim((struct debian_text){ colon + 1, line.len - (size_t)(colon + 1 - line.at) });
		return true;
	}
	return false;
}

/* Fields are asked for in stanzas of an index of 50 MB, so lines that can't be it are passed over by memchr alone. */
bool debian_control_field(struct debian_text paragraph, const char *name, struct debian_text *value)
{
	struct debian_text rest = paragraph;
	size_t n = strlen(name);

	while (rest.len) {
		if (rest.len > n && rest.at[n] == ':' && strncasecmp(rest.at, name, n) == 0) {
			struct debian_text found;

			if (!debian_control_each(&rest, &found, value))
				break;
			return true;
		}
		take_line(&rest);
	}
	*value = (struct debian_text){ "", 0 };
	return false;
}

bool debian_control_line(struct debian_text *rest, struct debian_text *line)
{
	if (rest->len == 0)
		return false;
	*line = debian_text_trim(take_line(rest));
	return true;
}

bool debian_control_word(struct debian_text *rest, struct debian_text *word)
{
	*rest = debian_text_trim(*rest);
	if (rest->len == 0)
		return false;
	word->at = rest->at;
	word->len = 0;
	while (word->len < rest->len && !is_blank(rest->at[word->len]))
		word->len++;
	rest->at += word->len;
	rest->len -= word->len;
	return true;
}

bool debian_text_is(struct debian_text t, const char *s)
{
	return strlen(s) == t.len && (t.len == 0 || memcmp(t.at, s, t.len) == 0);
}

int debian_text_compare(struct debian_text a, struct debian_text b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.at, b.at, n) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

char *debian_text_dup(struct debian_text t)
{
	return mem_strndup(t.at, t.len);
}

int debian_text_number(struct debian_text t, uint64_t max, uint64_t *out)
{
	char digits[24];

	if (t.len == 0 || t.len >= sizeof(digits))
		return -1;
	memcpy(digits, t.at, t.len);
	digits[t.len] = '\0';
	return text_number(digits, max, out);
}

bool debian_name_is_valid(struct debian_text name)
{
	if (name.len < 2 || name.len > 200)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i && strchr("+.-", c) && c)))
			return false;
	}
	return true;
}
