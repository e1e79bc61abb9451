/* SPDX-License-Identifier: Apache-2.0 */
/* name.c - see name.h. Security rule 14. */
#include "layer/name.h"

#include <string.h>

#include "base/text.h"

#define WHITEOUT        ".wh."
#define WHITEOUT_META   ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

enum { NAME_LONGEST = 255 };

static int refuse(const char *raw, const char *why, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, "the layer has an entry '%s': %s", text_safe(raw), why);
}

/* Clean `raw` into n->storage. */
static int clean(struct name *n, const char *raw, struct err *e)
{
	char *out = n->storage;
	size_t len = 0;

	if (!*raw)
		return refuse(raw, "its name is empty", e);
	for (const char *p = raw; *p;) {
		size_t part = strcspn(p, "/");
		const char *next = p + part;

		if (part == 2 && p[0] == '.' && p[1] == '.') {
			if (len == 0)
				return refuse(raw, "it leads out of the root", e);
			while (len > 0 && out[len - 1] != '/')
				len--;
			len -= len > 0;
		} else if (part > 0 && !(part == 1 && p[0] == '.')) {
			if (part > NAME_LONGEST || len + 1 + part >= sizeof(n->storage))
				return refuse(raw, "its name is too long", e);
			if (len > 0)
				out[len++] = '/';
			memcpy(out + len, p, part);
			len += part;
		}
		p = next + strspn(next, "/");
	}
	out[len] = '\0';
	return 0;
}

static void split(struct name *n)
{
	const char *slash = strrchr(n->storage, '/');
	size_t len = slash ? (size_t)(slash - n->storage) : 0;

	memcpy(n->dir, n->storage, len);
	n->dir[len] = '\0';
	n->base = slash ? slash + 1 : n->storage;
	n->kind = *n->storage ? NAME_ENTRY : NAME_ROOT;
}

static int classify_base(struct name *n, const char *raw, struct err *e)
{
	if (!text_starts(n->base, WHITEOUT))
		return 0;
	if (text_starts(n->base, WHITEOUT_META)) {
		n->kind = strcmp(n->base, WHITEOUT_OPAQUE) == 0 ? NAME_OPAQUE : NAME_IGNORED;
		n->base = "";
		return 0;
	}
	n->base += strlen(WHITEOUT);
	if (!*n->base || strcmp(n->base, ".") == 0 || strcmp(n->base, "..") == 0)
		return refuse(raw, "a whiteout of nothing that can be named", e);
	n->kind = NAME_WHITEOUT;
	return 0;
}

int name_parse_target(struct name *n, const char *raw, struct err *e)
{
	if (clean(n, raw, e) < 0)
		return -1;
	split(n);
	return 0;
}

int name_parse(struct name *n, const char *raw, struct err *e)
{
	const char *part;

	if (name_parse_target(n, raw, e) < 0)
		return -1;
	for (part = n->dir; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (text_starts(part, WHITEOUT_META)) {
			n->kind = NAME_IGNORED;
			return 0;
		}
		if (text_starts(part, WHITEOUT))
			return refuse(raw, "a whiteout is used as a directory", e);
	}
	return classify_base(n, raw, e);
}
