/* SPDX-License-Identifier: Apache-2.0 */
/* http_url.c - questions about URLs, answered by curl's own parser: a second parser would disagree some day. */
#include "fetch/http.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/mem.h"

/* Names in URLs are refused: they are credentials, and old tricks (https://good.example@evil.example/). */
#define PARSE_FLAGS CURLU_DISALLOW_USER

static CURLU *parse(const char *url)
{
	CURLU *u = curl_url();

	if (!u)
		abort();
	if (curl_url_set(u, CURLUPART_URL, url, PARSE_FLAGS) != CURLUE_OK) {
		curl_url_cleanup(u);
		return NULL;
	}
	return u;
}

/* One part as a malloc'ed string, or NULL. */
static char *part(CURLU *u, CURLUPart what, unsigned int flags)
{
	char *s = NULL, *copy = NULL;

	if (u && curl_url_get(u, what, &s, flags) == CURLUE_OK)
		copy = mem_strdup(s);
	curl_free(s);
	return copy;
}

static bool is_web(const char *scheme)
{
	return scheme && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
}

char *http_url_origin(const char *url)
{
	CURLU *u = parse(url);
	cleanup_free char *scheme = part(u, CURLUPART_SCHEME, 0);
	cleanup_free char *host = part(u, CURLUPART_HOST, 0);
	cleanup_free char *port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);

	curl_url_cleanup(u);
	if (!is_web(scheme) || !host || !port)
		return NULL;
	for (char *p = host; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return mem_printf("%s://%s:%s", scheme, host, port);
}

char *http_url_host(const char *url)
{
	CURLU *u = parse(url);
	cleanup_free char *host = part(u, CURLUPART_HOST, 0);
	cleanup_free char *port = part(u, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);

	curl_url_cleanup(u);
	if (!host)
		return mem_strdup("an unknown host");
	return port ? mem_printf("%s:%s", host, port) : mem_strdup(host);
}

bool http_url_is_https(const char *url)
{
	CURLU *u = parse(url);
	cleanup_free char *scheme = part(u, CURLUPART_SCHEME, 0);

	curl_url_cleanup(u);
	return scheme && strcmp(scheme, "https") == 0;
}

bool http_url_is_loopback(const char *url)
{
	CURLU *u = parse(url);
	cleanup_free char *host = part(u, CURLUPART_HOST, 0);
	struct in_addr v4;

	curl_url_cleanup(u);
	if (!host)
		return false;
	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

char *http_url_resolve(const char *base, const char *location)
{
	CURLU *u = parse(base);
	cleanup_free char *scheme = NULL;
	char *full = NULL;

	/* Locations with spaces and other bytes that should have been encoded exist in the wild: curl encodes those. */
	if (u && curl_url_set(u, CURLUPART_URL, location, PARSE_FLAGS | CURLU_URLENCODE) == CURLUE_OK) {
		scheme = part(u, CURLUPART_SCHEME, 0);
		if (is_web(scheme))
			full = part(u, CURLUPART_URL, 0);
	}
	curl_url_cleanup(u);
	return full;
}
