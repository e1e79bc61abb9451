/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ini.h - the guarded INI reader: everything inih 55 would do silently wrong is right, or an error with file:line, here.
 *
 * inih as Debian builds it cuts lines at 199 bytes and section names at 49, and drops " ;..." inside values. So bytes
 * are fed through ini_parse_stream by a line reader of ours that counts lines, splits long values into continuation
 * lines, protects ';' and rejects: section names over 255 bytes and keys over 128, duplicate keys and sections, NUL
 * bytes, invalid UTF-8, control characters, lines without '=', values with " ;" or " #" on the line of their key, keys
 * outside any section. There is no other limit on the length of a line.
 *
 * Grammar: comments (';' or '#') only in the first column; "[section]" ; "key = value"; a value goes on over indented
 * lines, joined here with '\n'. An indented '#' or ';' is therefore text of the value (a script's own comment), and a
 * comment or blank line does not end a value. Surrounding blanks are trimmed. No interpolation. CRLF is accepted and
 * means LF, a byte order mark is skipped. Section names consist of letters, digits and ._:[]/@+-, keys of letters,
 * digits and ._/@+-
 *
 * This is the only file pair that knows <ini.h>. The function is not called ini_parse because inih has one.
 */
#ifndef DEVENV_CONFIG_INI_H
#define DEVENV_CONFIG_INI_H

#include <stddef.h>

#include "base/err.h"

struct ini_entry {
	char *section;	/* "volume.cache" */
	char *key;
	char *value;	/* lines joined with '\n', each trimmed on the right, less the blanks that all indented lines begin
			 * with: a script keeps relative indents. An empty first line and blank lines at the ends are dropped */
	unsigned int line; /* of the key, from 1 */
	const char *file;  /* where it came from, set by who merges several files; NULL */
};

struct ini {
	struct ini_entry *entries; /* in file order */
	size_t count, cap;
	struct ini_section {
		char *name;
		unsigned int line;
		const char *file; /* as above */
	} *sections; /* in file order, each once, empty ones included */
	size_t section_count, section_cap;
};

#define INI_SECTION_MAX 255
#define INI_KEY_MAX 128

/* Parse `len` bytes; `name` is what messages call the file ("devenv.ini"). *out must be released even for an empty
 * file; untouched on failure. Errors are ERR_CONFIG "name:line: ...". Conflict markers (<<<<<<<) get their own message. */
int ini_read(const char *name, const char *text, size_t len, struct ini *out, struct err *e);
void ini_release(struct ini *ini);

#endif
