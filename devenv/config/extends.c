/* SPDX-License-Identifier: Apache-2.0 */
/* extends.c - what [devenv] extends may name. */
#include "config/extends.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "config/ini.h"
#include "config/value.h"

#define DEFAULT_PATH "devenv.ini"
#define LOCK_PREFIX  "extends."

static const char *const schemes[] = { "https://", "ssh://", "file:///", "http://" };

bool extends_is_git(const char *text)
{
	return text_starts(text, "git+") && strstr(text, "://");
}

/* git's rules for names of refs, as far as they matter to us; commit ids fit as well. */
static bool is_ref(const char *ref)
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+@#%=,";

	return strspn(ref, chars) == strlen(ref) && !strchr("-/.", ref[0]) && !strstr(ref, "..") &&
	       !strstr(ref, "//") && !strstr(ref, "@{") && !text_ends(ref, "/") && !text_ends(ref, ".lock");
}

static bool is_loopback(const char *host, size_t n)
{
	return (n == 9 && !strncmp(host, "localhost", 9)) || (n == 9 && !strncmp(host, "127.0.0.1", 9)) ||
	       (n == 5 && !strncmp(host, "[::1]", 5));
}

static int check_authority(const char *url, const char *scheme, struct err *e)
{
	const char *authority = url + strlen(scheme), *end = authority + strcspn(authority, "/"), *host, *at;
	size_t n;

	if (!strcmp(scheme, "file:///"))
		return 0;
	at = memrchr(authority, '@', (size_t)(end - authority));
	if (at && memchr(authority, ':', (size_t)(at - authority))) {
		err_set(e, ERR_CONFIG, "there is a password in the address");
		return err_hint(
			e, "leave it out: git's credential helpers, ssh keys and the ssh agent are asked");
	}
	host = at ? at + 1 : authority;
	n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	if (host >= end || n == 0 || *host == '-' || *authority == '-')
		return err_set(e, ERR_CONFIG, "there is no host in the address");
	if (end[0] != '/' || !end[1])
		return err_set(e, ERR_CONFIG, "there is no repository in the address");
	if (!strcmp(scheme, "http://") && !is_loopback(host, n)) {
		err_set(e, ERR_CONFIG, "git+http is for servers of this machine itself only");
		return err_hint(e, "use git+https");
	}
	return 0;
}

static int check_url(const char *url, struct err *e)
{
	for (const unsigned char *s = (const unsigned char *)url; *s; s++)
		if (*s <= 0x20 || *s == 0x7f || *s == '\\' || *s == '"')
			return err_set(e, ERR_CONFIG, "there is a character in the address that none has");
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (text_starts(url, schemes[i]))
			return check_authority(url, schemes[i], e);
	err_set(e, ERR_CONFIG, "the address is of no kind that is known here");
	return err_hint(e, "it begins with git+https://, git+ssh:// or git+file:///");
}

static int check_path(const char *path, struct err *e)
{
	if (!*path || *path == '/' || value_path_climbs(path) || strlen(path) > VALUE_PATH_MAX)
		return err_set(e, ERR_CONFIG, "'%s' is not a path in a repository", text_safe(path));
	return 0;
}

int extends_parse_git(const char *text, struct extends_git *out, struct err *e)
{
	const char *address = text + strlen("git+"), *fragment = strchr(address, '#'), *colon;
	cleanup_free char *url = NULL, *ref = NULL, *path = NULL;

	if (!extends_is_git(text))
		return err_set(e, ERR_CONFIG, "'%s' is not the address of a git repository", text_safe(text));
	url = mem_strndup(address, strcspn(address, "#"));
	while (text_ends(url, "/"))
		url[strlen(url) - 1] = '\0';
	colon = fragment ? strchr(fragment, ':') : NULL;
	if (fragment)
		ref = mem_strndup(fragment + 1,
		                  colon ? (size_t)(colon - fragment - 1) : strlen(fragment + 1));
	if (check_url(url, e)) /* which is not repeated: it may hold a password */
		return -1;
	if (ref && *ref && !is_ref(ref))
		return err_set(e, ERR_CONFIG, "%s: '%s' can't be a branch, a tag or a commit",
		               text_safe(text), text_safe(ref));
	if (check_path(colon ? colon + 1 : DEFAULT_PATH, e))
		return err_wrap(e, "%s", text_safe(text));
	path = path_clean(colon ? colon + 1 : DEFAULT_PATH);
	*out = (struct extends_git){ .url = mem_steal(url),
		                     .ref = ref && *ref ? mem_steal(ref) : NULL,
		                     .path = mem_steal(path) };
	return 0;
}

int extends_check(const char *text, struct err *e)
{
	struct extends_git g;

	if (extends_is_git(text)) {
		if (extends_parse_git(text, &g, e))
			return -1;
		extends_git_release(&g);
		return 0;
	}
	if (strstr(text, "://")) {
		err_set(e, ERR_CONFIG, "'%s' is not the address of a git repository", text_safe(text));
		return err_hint(e, "it begins with git+https://, git+ssh:// or git+file:///");
	}
	if (text[0] == '/' || text[0] == '~' || text[0] == '!' || strlen(text) > VALUE_PATH_MAX) {
		err_set(e, ERR_CONFIG, "'%s' is not a path relative to this file", text_safe(text));
		return err_hint(
			e,
			"what lies elsewhere on this machine can be shared as git+file:///REPOSITORY#REF:PATH");
	}
	return 0;
}

void extends_git_release(struct extends_git *g)
{
	free(g->url);
	free(g->ref);
	free(g->path);
	*g = (struct extends_git){ 0 };
}

char *extends_format_git(const struct extends_git *g)
{
	return mem_printf("git+%s#%s:%s", g->url, g->ref ? g->ref : "", g->path);
}

bool extends_is_pinned(const struct extends_git *g)
{
	return g->ref && text_is_hex(g->ref, 40);
}

char *extends_lock_name(const struct extends_git *g)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+-";
	cleanup_free char *request = extends_format_git(g);
	const char *url = text_starts(g->url, "https://") ? g->url + strlen("https://") : g->url;
	struct buf name = BUF_INIT;
	bool exact = true;

	buf_addf(&name, LOCK_PREFIX "%s:%s%s%s", url, g->path, g->ref ? "@" : "", g->ref ? g->ref : "");
	for (char *s = name.data; *s; s++)
		if (!strchr(chars, *s)) {
			*s = '-';
			exact = false;
		}
	/* Two requests must not share a name because a character is none of a section's, or for length. */
	if (!exact || name.len > INI_SECTION_MAX - 20) {
		unsigned long long hash = text_hash(request, strlen(request));

		if (name.len > INI_SECTION_MAX - 20) {
			name.len = INI_SECTION_MAX - 20;
			name.data[name.len] = '\0';
		}
		buf_addf(&name, "+%016llx", hash);
	}
	return buf_steal(&name);
}

char *extends_join(const char *from, const char *item)
{
	cleanup_free char *dir = path_parent(from);
	cleanup_free char *joined = mem_printf("%s/%s", dir, item);
	char *clean = path_clean(joined);

	if (clean[0] != '/' && strcmp(clean, "..") != 0 && !text_starts(clean, "../") &&
	    strcmp(clean, ".") != 0)
		return clean;
	free(clean);
	return NULL;
}
