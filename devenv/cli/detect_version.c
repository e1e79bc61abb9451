/* SPDX-License-Identifier: Apache-2.0 */
/* detect_version.c - versions written down in a project: .python-version, .nvmrc, .tool-versions, go.mod and so on. */
#include "cli/detect.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define DIGITS "0123456789"

/* Names that Node.js gives to its long-term releases. */
static const struct {
	const char *name, *version;
} node_names[] = {
	{ "lts/gallium", "16" }, { "lts/hydrogen", "18" }, { "lts/iron", "20" },
	{ "lts/jod", "22" },     { "lts/krypton", "24" },
};

/* The dotted number that `text` begins with, after an optional v and quotes; NULL: there is none. */
static char *leading_version(const char *text)
{
	const char *end;

	text += strspn(text, " \t=:\"'");
	if (text_starts(text, "lts/")) {
		for (size_t i = 0; i < ARRAY_SIZE(node_names); i++)
			if (text_starts(text, node_names[i].name))
				return mem_strdup(node_names[i].version);
		return NULL;
	}
	text += *text == 'v';
	if (!*text || !strchr(DIGITS, *text))
		return NULL;
	for (end = text; *end && strchr(DIGITS, *end);) {
		end += strspn(end, DIGITS);
		if (*end == '.' && end[1] && strchr(DIGITS, end[1]))
			end++;
	}
	/* 3.13.0rc1, 3.13t and 21-ea are other things than their number */
	if (*end && !strchr(" \t\r\"'#.", *end))
		return NULL;
	return end - text > 24 ? NULL : mem_strndup(text, (size_t)(end - text));
}

static char *version_of_line(const char *line, const char *before)
{
	line += strspn(line, " \t");
	if (*line == '#' || text_starts(line, "//"))
		return NULL;
	if (before) {
		char end;

		if (!text_starts(line, before))
			return NULL;
		line += strlen(before);
		end = before[strlen(before) - 1];
		/* "go" is not the beginning of "golang", but "toolchain go" goes on with the number */
		if (*line && !strchr(" \t=", *line) && !(strchr(DIGITS, *line) && (strchr(before, ' ') || end == '-')))
			return NULL;
	}
	return leading_version(line);
}

static char *version_in(int dirfd, const struct detect_version_file *file)
{
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_strlist struct strlist lines = STRLIST_INIT;
	struct err ignored = ERR_INIT;
	char *found = NULL;

	if (file_read(dirfd, file->file, 1 << 20, O_NOFOLLOW, &text, NULL, &ignored) < 0)
		return NULL;
	strlist_split(&lines, text.data, "\r\n");
	for (size_t i = 0; i < lines.count && !found; i++)
		found = version_of_line(lines.items[i], file->before);
	return found;
}

char *detect_version(int dirfd, const struct detect_language *language, const char **file)
{
	for (const struct detect_version_file *f = language->files; f->file; f++) {
		char *version = version_in(dirfd, f);

		if (version) {
			*file = f->file;
			return version;
		}
	}
	*file = NULL;
	return NULL;
}

char *detect_version_series(const char *version, int parts)
{
	const char *end = version;

	while (*end && !(*end == '.' && --parts == 0))
		end++;
	return mem_strndup(version, (size_t)(end - version));
}

int detect_version_compare(const char *a, const char *b)
{
	while (*a || *b) {
		size_t na = strspn(a, DIGITS), nb = strspn(b, DIGITS);
		uint64_t va = 0, vb = 0;

		for (size_t i = 0; i < na; i++)
			va = va * 10 + (uint64_t)(a[i] - '0');
		for (size_t i = 0; i < nb; i++)
			vb = vb * 10 + (uint64_t)(b[i] - '0');
		if (va != vb)
			return va < vb ? -1 : 1;
		a += na + (a[na] != '\0');
		b += nb + (b[nb] != '\0');
	}
	return 0;
}
