/* SPDX-License-Identifier: Apache-2.0 */
/* http_header.c - the response headers that mean something to us. Repeats of a single-valued one: the first counts. */
#include "fetch/http_internal.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

void http_header_reset(struct http_try *t)
{
	struct http_response *r = &t->response;

	http_response_release(r);
	free(t->location);
	t->location = NULL;
	t->content_length = t->range_start = t->range_total = -1;
	t->begun = false;
}

/* The value when the line is this header: without blanks around it; NULL otherwise. malloc'ed. */
static char *value_of(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return NULL;
	for (n++; n < len && (line[n] == ' ' || line[n] == '\t'); n++)
		;
	while (len > n && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	return mem_strndup(line + n, len - n);
}

static void keep_first(char **field, char *value /* takes */)
{
	if (*field)
		free(value);
	else
		*field = value;
}

static void join(char **field, char *value /* takes */)
{
	char *both;

	if (!*field) {
		*field = value;
		return;
	}
	both = mem_printf("%s, %s", *field, value);
	free(*field);
	free(value);
	*field = both;
}

static char *media_type(char *value /* takes */)
{
	value[strcspn(value, "; \t")] = '\0';
	for (char *p = value; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return value;
}

/* "bytes 100-199/1000"; anything else leaves range_start at -1. */
static void content_range(struct http_try *t, char *value)
{
	char *dash, *slash;
	uint64_t start, total;

	if (t->range_start >= 0 || strncasecmp(value, "bytes ", 6) != 0)
		return;
	value += 6;
	dash = strchr(value, '-');
	slash = strchr(value, '/');
	if (!dash || !slash || slash < dash)
		return;
	*dash = '\0';
	if (text_number(value, INT64_MAX, &start) < 0)
		return;
	t->range_start = (int64_t)start;
	if (text_number(slash + 1, INT64_MAX, &total) == 0)
		t->range_total = (int64_t)total;
}

void http_header_line(struct http_try *t, const char *line, size_t len)
{
	struct http_response *r = &t->response;
	uint64_t number;
	char *value;

	if ((value = value_of(line, len, "content-type"))) {
		keep_first(&r->content_type, media_type(value));
	} else if ((value = value_of(line, len, "www-authenticate"))) {
		join(&r->www_authenticate, value);
	} else if ((value = value_of(line, len, "docker-content-digest"))) {
		keep_first(&r->docker_digest, value);
	} else if ((value = value_of(line, len, "location"))) {
		keep_first(&t->location, value);
	} else if ((value = value_of(line, len, "content-length"))) {
		if (t->content_length < 0 && text_number(value, INT64_MAX, &number) == 0)
			t->content_length = (int64_t)number;
		free(value);
	} else if ((value = value_of(line, len, "content-range"))) {
		content_range(t, value);
		free(value);
	}
}
