/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference.c - image references.
 *
 * The grammar is that of the distribution project (its package "reference"), the defaults are docker's: what
 * comes before the first slash is a host when it holds a dot, a colon or a capital, or is "localhost".
 */
#include "config/reference.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

#define PATH_LONGEST 255
#define HOST_LONGEST 255
#define TAG_LONGEST  128
#define TEXT_LONGEST 1024

static const char lower_digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char alnum_dash[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
static const char tag_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

/* The name or address of a host without its port; NULL when the port is wrong. malloc'ed. */
static char *host_without_port(const char *host)
{
	const char *colon = strrchr(host, ':');
	uint64_t port;

	if (!colon || (host[0] == '[' && colon < strchrnul(host, ']')))
		return mem_strdup(host);
	if (text_number(colon + 1, 65535, &port) || port == 0)
		return NULL;
	return mem_strndup(host, (size_t)(colon - host));
}

static bool is_ipv6(const char *bracketed, struct in6_addr *address)
{
	size_t n = strlen(bracketed);
	cleanup_free char *inner = n > 2 ? mem_strndup(bracketed + 1, n - 2) : NULL;

	return inner && bracketed[0] == '[' && bracketed[n - 1] == ']' &&
	       inet_pton(AF_INET6, inner, address) == 1;
}

bool reference_host_is_valid(const char *host)
{
	cleanup_free char *name = host_without_port(host);
	struct in6_addr address;

	if (!name || !*name || strlen(host) > HOST_LONGEST)
		return false;
	if (name[0] == '[')
		return is_ipv6(name, &address);
	for (const char *s = name; *s;) {
		size_t n = strspn(s, alnum_dash);

		if (n == 0 || s[0] == '-' || s[n - 1] == '-')
			return false;
		s += n;
		if (*s == '.' && s[1])
			s++;
		else if (*s)
			return false;
	}
	return true;
}

/* One component: runs of lower-case letters and digits, joined by '.', '_', "__" or dashes. */
static bool component_is_valid(const char *s, size_t len)
{
	const char *end = s + len;

	while (s < end) {
		size_t n = strspn(s, lower_digits);

		if (n == 0)
			return false;
		s += n;
		if (s == end)
			return true;
		if (*s == '-')
			s += strspn(s, "-");
		else if (*s == '_')
			s += s[1] == '_' ? 2 : 1;
		else if (*s == '.')
			s++;
		else
			return false;
	}
	return false;
}

bool reference_path_is_valid(const char *path)
{
	if (strlen(path) > PATH_LONGEST)
		return false;
	for (const char *s = path; s; s = strchr(s, '/') ? strchr(s, '/') + 1 : NULL)
		if (!component_is_valid(s, strcspn(s, "/")))
			return false;
	return true;
}

bool reference_tag_is_valid(const char *tag)
{
	size_t n = strlen(tag);

	return n > 0 && n <= TAG_LONGEST && strspn(tag, tag_chars) == n && tag[0] != '.' && tag[0] != '-';
}

/* Does the text before the first slash name a host? */
static bool is_host(const char *first)
{
	if (strpbrk(first, ".:") || !strcmp(first, "localhost"))
		return true;
	for (; *first; first++)
		if (*first >= 'A' && *first <= 'Z')
			return true;
	return false;
}

static int check_path(const char *text, const struct reference *r, struct err *e)
{
	const char *s;
	size_t n = strlen(r->path);

	if (n == 0)
		return err_set(e, ERR_USAGE, "image reference '%s' has no repository name", text_safe(text));
	if (n > PATH_LONGEST)
		return err_set(e, ERR_USAGE,
		               "image reference '%s': repository name can have %d characters at most",
		               text_safe(text), PATH_LONGEST);
	for (s = r->path; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			return err_set(e, ERR_USAGE,
			               "image reference '%s': repository name must be lower case",
			               text_safe(text));
	s = text_starts(r->path, "library/") && !strstr(text, "library/") ? r->path + strlen("library/")
	                                                                  : r->path;
	if (!reference_path_is_valid(r->path))
		return err_set(e, ERR_USAGE, "image reference '%s': '%s' is not a repository name",
		               text_safe(text), text_safe(s));
	if (text_is_hex(r->path, 64)) {
		err_set(e, ERR_USAGE, "image reference '%s': 64 hex digits are not a repository name",
		        text_safe(text));
		return err_hint(e, "an image is named by its digest as NAME@sha256:%s", r->path);
	}
	return 0;
}

static int check(const char *text, const struct reference *r, struct err *e)
{
	if (!reference_host_is_valid(r->host))
		return err_set(e, ERR_USAGE, "image reference '%s': '%s' is not a registry host",
		               text_safe(text), text_safe(r->host));
	if (check_path(text, r, e))
		return -1;
	if (r->tag && !reference_tag_is_valid(r->tag))
		return err_set(e, ERR_USAGE, "image reference '%s': '%s' is not a tag", text_safe(text),
		               text_safe(r->tag));
	if (r->digest && !digest_is_valid(r->digest)) {
		err_set(e, ERR_USAGE, "image reference '%s': '%s' is not a digest", text_safe(text),
		        text_safe(r->digest));
		return err_hint(e, "a digest is sha256: and 64 hex digits in lower case");
	}
	return 0;
}

/* Split into host, path, tag and digest as they are written; nothing is checked. */
static void split(const char *text, struct reference *r)
{
	cleanup_free char *name = mem_strdup(text);
	char *at = strchr(name, '@'), *slash, *colon, *path = name;

	if (at) {
		*at = '\0';
		r->digest = mem_strdup(at + 1);
	}
	slash = strchr(name, '/');
	if (slash) {
		*slash = '\0';
		if (is_host(name)) {
			r->host = mem_strdup(name);
			path = slash + 1;
		} else {
			*slash = '/';
		}
	}
	colon = strchr(path, ':');
	if (colon) {
		*colon = '\0';
		r->tag = mem_strdup(colon + 1);
	}
	r->path = mem_strdup(path);
}

static void fill_defaults(struct reference *r)
{
	if (!r->host)
		r->host = mem_strdup("docker.io");
	if (!strcmp(r->host, "index.docker.io")) {
		free(r->host);
		r->host = mem_strdup("docker.io");
	}
	if (!strcmp(r->host, "docker.io") && r->path[0] && !strchr(r->path, '/')) {
		char *path = mem_printf("library/%s", r->path);

		free(r->path);
		r->path = path;
	}
	if (!r->tag && !r->digest)
		r->tag = mem_strdup("latest");
}

int reference_parse(const char *text, struct reference *out, struct err *e)
{
	struct reference r = { 0 };
	const char *scheme = strstr(text, "://");

	if (!*text)
		return err_set(e, ERR_USAGE, "an image reference can't be empty");
	if (strlen(text) > TEXT_LONGEST)
		return err_set(e, ERR_USAGE, "an image reference can't have more than %d bytes",
		               TEXT_LONGEST);
	if (scheme) {
		err_set(e, ERR_USAGE, "image reference '%s' is written like a URL", text_safe(text));
		return err_hint(e, "leave out '%.*s://'", (int)(scheme - text), text_safe(text));
	}
	split(text, &r);
	if (!r.host && text_is_hex(r.path, 64)) {
		int rc = check_path(text, &r, e);

		reference_release(&r);
		return rc;
	}
	fill_defaults(&r);
	if (check(text, &r, e)) {
		reference_release(&r);
		return -1;
	}
	*out = r;
	return 0;
}

void reference_release(struct reference *r)
{
	free(r->host);
	free(r->path);
	free(r->tag);
	free(r->digest);
	*r = (struct reference){ 0 };
}

char *reference_format(const struct reference *r)
{
	return mem_printf("%s/%s%s%s%s%s", r->host, r->path, r->tag ? ":" : "", r->tag ? r->tag : "",
	                  r->digest ? "@" : "", r->digest ? r->digest : "");
}

bool reference_is_loopback(const struct reference *r)
{
	cleanup_free char *name = host_without_port(r->host);
	struct in_addr four;
	struct in6_addr six;

	if (!name)
		return false;
	if (!strcasecmp(name, "localhost"))
		return true;
	if (inet_pton(AF_INET, name, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return is_ipv6(name, &six) && IN6_IS_ADDR_LOOPBACK(&six);
}
