/* SPDX-License-Identifier: Apache-2.0 */
/* accounts.c - passwd and group texts of an image. */
#include "env/accounts.h"

#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

enum { PASSWD_FIELDS = 7, GROUP_FIELDS = 4 };

void account_release(struct account *a)
{
	free(a->name);
	free(a->home);
	free(a->shell);
	*a = (struct account){ 0 };
}

/* The next line of *text as a string of its own, or NULL at the end. */
static char *next_line(const char **text)
{
	size_t len = strcspn(*text, "\n");
	char *line;

	if (!**text)
		return NULL;
	line = mem_strndup(*text, len);
	*text += len + ((*text)[len] == '\n');
	return line;
}

/* Cut a line at its colons. The number of fields; at most `max` are stored. */
static size_t split(char *line, char **fields, size_t max)
{
	size_t n = 0;

	for (char *p = line; p;) {
		char *colon = strchr(p, ':');

		if (colon)
			*colon = '\0';
		if (n < max)
			fields[n] = p;
		n++;
		p = colon ? colon + 1 : NULL;
	}
	return n;
}

static bool parse_id(const char *s, uint32_t *out)
{
	uint64_t n;

	if (text_number(s, ACCOUNTS_ID_MAX, &n) < 0)
		return false;
	*out = (uint32_t)n;
	return true;
}

/* ---- looking up ---- */

static bool find_passwd(const char *passwd, const char *name, uint32_t uid, struct account *out)
{
	bool found = false;
	char *line;

	while (!found && (line = next_line(&passwd))) {
		char *f[PASSWD_FIELDS];
		uint32_t u, g;

		if (split(line, f, PASSWD_FIELDS) == PASSWD_FIELDS && *f[0] && parse_id(f[2], &u) &&
		    parse_id(f[3], &g) && (name ? strcmp(f[0], name) == 0 : u == uid)) {
			*out = (struct account){ mem_strdup(f[0]), mem_strdup(f[5]), mem_strdup(f[6]), u, g };
			found = true;
		}
		free(line);
	}
	return found;
}

bool accounts_by_name(const char *passwd, const char *name, struct account *out)
{
	return find_passwd(passwd, name, 0, out);
}

bool accounts_by_uid(const char *passwd, uint32_t uid, struct account *out)
{
	return find_passwd(passwd, NULL, uid, out);
}

static bool find_group(const char *group, const char *name, uint32_t gid, uint32_t *out)
{
	bool found = false;
	char *line;

	while (!found && (line = next_line(&group))) {
		char *f[GROUP_FIELDS];
		uint32_t g;

		if (split(line, f, GROUP_FIELDS) == GROUP_FIELDS && *f[0] && parse_id(f[2], &g) &&
		    (name ? strcmp(f[0], name) == 0 : g == gid)) {
			*out = g;
			found = true;
		}
		free(line);
	}
	return found;
}

bool accounts_group_by_name(const char *group, const char *name, uint32_t *gid)
{
	return find_group(group, name, 0, gid);
}

bool accounts_has_gid(const char *group, uint32_t gid)
{
	uint32_t ignored;

	return find_group(group, NULL, gid, &ignored);
}

/* ---- User of an image ---- */

static bool is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

static int parse_uid(const char *user, const char *passwd, struct account *out, struct err *e)
{
	uint32_t uid = 0;

	if (!*user)
		user = "0";
	if (is_number(user)) {
		if (!parse_id(user, &uid))
			return err_set(e, ERR_INTEGRITY, "the image's user id %s is out of range", text_safe(user));
		if (!accounts_by_uid(passwd, uid, out))
			*out = (struct account){ mem_strdup(""), mem_strdup("/"), mem_strdup(""), uid, 0 };
		return 0;
	}
	if (strcmp(user, "root") == 0 && !accounts_by_name(passwd, user, out)) {
		*out = (struct account){ mem_strdup("root"), mem_strdup("/root"), mem_strdup(""), 0, 0 };
		return 0;
	}
	if (!out->name && !accounts_by_name(passwd, user, out))
		return err_set(e, ERR_NOT_FOUND, "the image runs as user '%s', but its /etc/passwd has no such user",
			       text_safe(user));
	return 0;
}

static int parse_gid(const char *name, const char *group, uint32_t *gid, struct err *e)
{
	if (is_number(name)) {
		if (!parse_id(name, gid))
			return err_set(e, ERR_INTEGRITY, "the image's group id %s is out of range", text_safe(name));
		return 0;
	}
	if (!accounts_group_by_name(group, name, gid))
		return err_set(e, ERR_NOT_FOUND, "the image runs as group '%s', but its /etc/group has no such group",
			       text_safe(name));
	return 0;
}

int accounts_parse_user(const char *spec, const char *passwd, const char *group, struct account *out, struct err *e)
{
	cleanup_free char *user = mem_strdup(spec);
	char *colon = strchr(user, ':');

	*out = (struct account){ 0 };
	if (colon)
		*colon = '\0';
	if (colon && (!colon[1] || strchr(colon + 1, ':')))
		return err_set(e, ERR_INTEGRITY, "the image's user '%s' is malformed", text_safe(spec));
	if (parse_uid(user, passwd, out, e) < 0)
		return -1;
	if (colon && parse_gid(colon + 1, group, &out->gid, e) < 0) {
		account_release(out);
		return -1;
	}
	if (!*out->home) {
		free(out->home);
		out->home = mem_strdup("/");
	}
	return 0;
}

/* ---- formatting ---- */

/* A field that would end its line or itself early is left empty. */
static const char *field(const char *s)
{
	return strpbrk(s, ":\n") ? "" : s;
}

void accounts_format_passwd(const char *passwd, const struct account *ours, struct buf *out)
{
	cleanup_buf struct buf rest = BUF_INIT;
	size_t len = strlen(ours->name);
	struct account root;
	char *line;

	while ((line = next_line(&passwd))) {
		if (*line && !(strncmp(line, ours->name, len) == 0 && line[len] == ':'))
			buf_addf(&rest, "%s\n", line);
		free(line);
	}
	buf_addf(out, "%s:x:%u:%u::%s:%s\n", ours->name, ours->uid, ours->gid, field(ours->home), field(ours->shell));
	if (ours->uid != 0 && !accounts_by_uid(rest.data, 0, &root))
		buf_adds(out, "root:x:0:0:root:/root:/bin/sh\n");
	else if (ours->uid != 0)
		account_release(&root);
	buf_add(out, rest.data, rest.len);
}

void accounts_format_group(const char *group, const char *name, uint32_t gid, struct buf *out)
{
	cleanup_free char *numbered = mem_printf("gid%u", gid);
	uint32_t ignored;
	char *line;

	if (!accounts_has_gid(group, gid))
		buf_addf(out, "%s:x:%u:\n", accounts_group_by_name(group, name, &ignored) ? numbered : name, gid);
	while ((line = next_line(&group))) {
		if (*line)
			buf_addf(out, "%s\n", line);
		free(line);
	}
}

static bool is_login(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > 32 || !(isalpha((unsigned char)s[0]) || s[0] == '_'))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("_.-", s[i]))
			return false;
	return true;
}

char *accounts_login(void)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *user = getenv("USER");

	if (pw && is_login(pw->pw_name))
		return mem_strdup(pw->pw_name);
	return mem_strdup(user && is_login(user) ? user : "me");
}
