/* SPDX-License-Identifier: Apache-2.0 */
/* gitkeys.c - which settings of a repository make git run something, and a reader that finds them. */
#include "plan/gitkeys.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum when {
	ALWAYS,
	UNLESS_BOOLEAN, /* true and false are harmless, anything else is a program */
	WITH_BANG,	/* "!command" is for the shell */
	ODD_URL,	/* "helper::address" runs git-remote-helper, "-option" is taken for one */
};

/* Key "*": every key of the section. A subsection may be there or not: it is only a name. */
static const struct rule {
	const char *section, *key;
	enum when when;
} rules[] = {
	{ "alias", "*", WITH_BANG },
	{ "browser", "cmd", ALWAYS }, { "browser", "path", ALWAYS },
	{ "core", "alternaterefscommand", ALWAYS }, { "core", "askpass", ALWAYS }, { "core", "editor", ALWAYS },
	{ "core", "fsmonitor", UNLESS_BOOLEAN }, { "core", "gitproxy", ALWAYS }, { "core", "hookspath", ALWAYS },
	{ "core", "pager", ALWAYS }, { "core", "sshcommand", ALWAYS }, { "core", "worktree", ALWAYS },
	{ "credential", "helper", ALWAYS },
	{ "diff", "command", ALWAYS }, { "diff", "external", ALWAYS }, { "diff", "textconv", ALWAYS },
	{ "difftool", "cmd", ALWAYS }, { "difftool", "path", ALWAYS },
	{ "filter", "clean", ALWAYS }, { "filter", "process", ALWAYS }, { "filter", "smudge", ALWAYS },
	{ "gc", "recentobjectshook", ALWAYS },
	{ "gpg", "defaultkeycommand", ALWAYS }, { "gpg", "program", ALWAYS },
	{ "guitool", "cmd", ALWAYS },
	{ "hook", "command", ALWAYS },
	{ "http", "proxy", ALWAYS }, { "http", "sslcainfo", ALWAYS }, { "http", "sslverify", ALWAYS },
	{ "imap", "tunnel", ALWAYS },
	{ "include", "path", ALWAYS }, { "includeif", "path", ALWAYS },
	{ "init", "templatedir", ALWAYS },
	{ "interactive", "difffilter", ALWAYS },
	{ "lfs", "path", ALWAYS }, { "lfs", "clean", ALWAYS }, { "lfs", "smudge", ALWAYS },
	{ "man", "cmd", ALWAYS }, { "man", "path", ALWAYS },
	{ "merge", "driver", ALWAYS },
	{ "mergetool", "cmd", ALWAYS }, { "mergetool", "path", ALWAYS },
	{ "pager", "*", UNLESS_BOOLEAN },
	{ "protocol", "allow", ALWAYS },
	{ "remote", "proxy", ALWAYS }, { "remote", "pushurl", ODD_URL }, { "remote", "receivepack", ALWAYS },
	{ "remote", "uploadpack", ALWAYS }, { "remote", "url", ODD_URL }, { "remote", "vcs", ALWAYS },
	{ "sendemail", "cccmd", ALWAYS }, { "sendemail", "headercmd", ALWAYS }, { "sendemail", "sendmailcmd", ALWAYS },
	{ "sendemail", "smtpserver", ALWAYS }, { "sendemail", "tocmd", ALWAYS },
	{ "sequence", "editor", ALWAYS },
	{ "ssh", "variant", ALWAYS },
	{ "submodule", "update", WITH_BANG }, { "submodule", "url", ODD_URL },
	{ "tar", "command", ALWAYS },
	{ "trailer", "cmd", ALWAYS }, { "trailer", "command", ALWAYS },
	{ "uploadpack", "packobjectshook", ALWAYS },
	{ "url", "insteadof", ALWAYS }, { "url", "pushinsteadof", ALWAYS },
	{ "web", "browser", ALWAYS },
};

static bool is_boolean(const char *value)
{
	static const char *const words[] = { "", "true", "false", "yes", "no", "on", "off", "1", "0" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

static bool counts(const char *section, const char *key, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *r = &rules[i];

		if (strcmp(r->section, section) != 0 || (strcmp(r->key, key) != 0 && strcmp(r->key, "*") != 0))
			continue;
		switch (r->when) {
		case ALWAYS:
			return true;
		case UNLESS_BOOLEAN:
			return !is_boolean(value);
		case WITH_BANG:
			return value[0] == '!';
		case ODD_URL:
			return value[0] == '-' || strstr(value, "::");
		}
	}
	return false;
}

/* ---- the reader ---- */

struct reader {
	const char *at, *end;
	struct buf section, subsection, key, value;
};

static int peek(const struct reader *r)
{
	return r->at < r->end ? (unsigned char)*r->at : '\n';
}

static void skip_line(struct reader *r)
{
	while (r->at < r->end && *r->at != '\n')
		r->at++;
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r'))
		r->at++;
}

static bool is_name(int c)
{
	return isalnum(c) || c == '-';
}

static void read_subsection(struct reader *r)
{
	for (r->at++; peek(r) != '"' && peek(r) != '\n'; r->at++) {
		if (*r->at == '\\' && r->at + 1 < r->end && r->at[1] != '\n')
			r->at++;
		if (*r->at)
			buf_addch(&r->subsection, *r->at);
	}
}

/* [section], [section "Subsection"] and, of old, [section.subsection] */
static void read_header(struct reader *r)
{
	buf_clear(&r->section);
	buf_clear(&r->subsection);
	r->at++;
	skip_blanks(r);
	while (is_name(peek(r)))
		buf_addch(&r->section, (char)tolower((unsigned char)*r->at++));
	if (peek(r) == '.') {
		for (r->at++; is_name(peek(r)) || peek(r) == '.'; r->at++)
			buf_addch(&r->subsection, (char)tolower((unsigned char)*r->at));
	}
	skip_blanks(r);
	if (peek(r) == '"')
		read_subsection(r);
	while (peek(r) != ']' && peek(r) != '\n')
		r->at++;
	if (peek(r) == ']')
		r->at++;
}

/* Up to the end of the line: quotes, comments, escapes, and lines that go on. */
static void read_value(struct reader *r)
{
	bool quoted = false;

	skip_blanks(r);
	for (; peek(r) != '\n'; r->at++) {
		char c = *r->at;

		if (!quoted && (c == '#' || c == ';')) {
			skip_line(r);
			break;
		}
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (c == '\\' && r->at + 1 < r->end) {
			c = *++r->at;
			if (c == '\r' && r->at + 1 < r->end && r->at[1] == '\n')
				c = *++r->at;
			if (c == '\n')
				continue;
		}
		if (c)
			buf_addch(&r->value, c);
	}
	while (!quoted && r->value.len && isspace((unsigned char)r->value.data[r->value.len - 1]))
		r->value.data[--r->value.len] = '\0';
}

static void read_entry(struct reader *r)
{
	buf_clear(&r->key);
	buf_clear(&r->value);
	while (is_name(peek(r)))
		buf_addch(&r->key, (char)tolower((unsigned char)*r->at++));
	skip_blanks(r);
	if (peek(r) == '=') {
		r->at++;
		read_value(r);
	} else {
		skip_line(r);
	}
}

void gitkeys_scan(const char *text, size_t len, void (*take)(void *data, const char *name, const char *value), void *data)
{
	struct reader r = { text, text + len, BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT };
	cleanup_buf struct buf name = BUF_INIT;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.at += 3;
	while (r.at < r.end) {
		if (isspace((unsigned char)*r.at)) {
			r.at++;
		} else if (*r.at == '[') {
			read_header(&r);
		} else if (isalpha((unsigned char)*r.at)) {
			read_entry(&r);
			if (!counts(r.section.data, r.key.data, r.value.data))
				continue;
			buf_clear(&name);
			buf_adds(&name, r.section.data);
			if (r.subsection.len)
				buf_addf(&name, ".%s", r.subsection.data);
			buf_addf(&name, ".%s", r.key.data);
			take(data, name.data, r.value.data);
		} else {
			skip_line(&r);
		}
	}
	buf_release(&r.section);
	buf_release(&r.subsection);
	buf_release(&r.key);
	buf_release(&r.value);
}
