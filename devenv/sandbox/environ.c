/* SPDX-License-Identifier: Apache-2.0 */
/* environ.c - the environment block of a session, built from nothing. */
#include "sandbox/environ.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/terminfo.h"
#include "base/text.h"

extern char **environ;

/* Replace the entry of that name, or add it: later wins and no name comes twice. */
static void set(struct strlist *out, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	size_t i, name_len;

	if (!equals)
		return;
	name_len = (size_t)(equals - assignment) + 1;
	for (i = 0; i < out->count; i++)
		if (!strncmp(out->items[i], assignment, name_len)) {
			free(out->items[i]);
			out->items[i] = mem_strdup(assignment);
			return;
		}
	strlist_add(out, assignment);
}

static void set_pair(struct strlist *out, const char *name, const char *value)
{
	cleanup_free char *assignment = mem_printf("%s=%s", name, value);

	set(out, assignment);
}

static bool has(const struct strlist *out, const char *assignment, size_t name_len)
{
	size_t i;

	for (i = 0; i < out->count; i++)
		if (!strncmp(out->items[i], assignment, name_len))
			return true;
	return false;
}

static bool may_pass(const struct plan *p, const char *assignment, size_t name_len)
{
	size_t i;

	for (i = 0; i < p->pass_count; i++) {
		const char *name = p->pass[i];
		size_t len = strlen(name);

		if (len && name[len - 1] == '*' ? name_len >= len - 1 && !strncmp(name, assignment, len - 1)
						: name_len == len && !strncmp(name, assignment, len))
			return true;
	}
	return false;
}

static bool has_locale(const struct plan *p, const char *locale)
{
	size_t i;

	for (i = 0; i < p->locale_count; i++)
		if (!strcasecmp(p->locales[i], locale))
			return true;
	return false;
}

static bool is_locale_name(const char *assignment)
{
	return !strncmp(assignment, "LANG=", 5) || !strncmp(assignment, "LC_", 3);
}

static void pass_caller(const struct plan *p, struct strlist *out)
{
	char **v;

	for (v = environ; *v; v++) {
		const char *equals = strchr(*v, '=');
		size_t len = equals ? (size_t)(equals - *v) : 0;

		if (!len || !may_pass(p, *v, len) || has(out, *v, len + 1))
			continue;
		if (is_locale_name(*v) && equals[1] && !has_locale(p, equals + 1)) {
			if (!strncmp(*v, "LANG=", 5))
				set(out, "LANG=C.UTF-8");
			continue;
		}
		set(out, *v);
	}
}

static const char *get(const struct strlist *out, const char *name_and_equals)
{
	size_t i, len = strlen(name_and_equals);

	for (i = 0; i < out->count; i++)
		if (!strncmp(out->items[i], name_and_equals, len))
			return out->items[i] + len;
	return NULL;
}

static void add_base64(struct buf *b, const unsigned char *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;

	for (i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)data[i] << 16 | (i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0) |
				(i + 2 < len ? data[i + 2] : 0);

		buf_addch(b, digits[bits >> 18]);
		buf_addch(b, digits[bits >> 12 & 63]);
		buf_addch(b, i + 1 < len ? digits[bits >> 6 & 63] : '=');
		buf_addch(b, i + 2 < len ? digits[bits & 63] : '=');
	}
}

/*
 * The plan brought the descriptions of the usual terminals. One that it can't know, or that only this caller's $TERMINFO
 * has, comes along in the variable itself (ncurses(3), TERMINFO).
 */
static void pass_terminal(struct strlist *out)
{
	const char *term = get(out, "TERM=");
	cleanup_buf struct buf description = BUF_INIT, value = BUF_INIT;

	if (!term || get(out, "TERMINFO="))
		return;
	if (terminfo_is_usual(term) ? !terminfo_read_own(term, &description)
				    : !terminfo_read(term, getenv("HOME"), &description))
		return;
	buf_adds(&value, "TERMINFO=b64:");
	add_base64(&value, (const unsigned char *)description.data, description.len);
	set(out, value.data);
}

void environ_build(const struct plan *p, const struct session *s, const char *workdir, struct strlist *out)
{
	size_t i;
	char **v;

	for (i = 0; i < p->env_count; i++)
		set(out, p->env[i]);
	pass_caller(p, out);
	if (!has(out, "LANG=", 5))
		set(out, "LANG=C.UTF-8");
	if (s->root) {
		set_pair(out, "HOME", p->root_home);
		set_pair(out, "SHELL", p->root_shell);
		set(out, "USER=root");
		set(out, "LOGNAME=root");
	}
	pass_terminal(out);
	set_pair(out, "PWD", workdir);
	for (v = s->extra_env; v && *v; v++)
		set(out, *v);
}
