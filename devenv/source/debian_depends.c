/* SPDX-License-Identifier: Apache-2.0 */
/* debian_depends.c - relationship fields. */
#include "source/debian_depends.h"

#include <string.h>

#include "source/debian_version.h"

static bool take_until(struct debian_text *rest, char separator, struct debian_text *part)
{
	while (rest->len) {
		const char *end = memchr(rest->at, separator, rest->len);
		size_t n = end ? (size_t)(end - rest->at) : rest->len;

		*part = debian_text_trim((struct debian_text){ rest->at, n });
		n += end != NULL;
		rest->at += n;
		rest->len -= n;
		if (part->len)
			return true;
	}
	return false;
}

bool debian_depends_group(struct debian_text *rest, struct debian_text *group)
{
	return take_until(rest, ',', group);
}

/* What stands between two brackets, cut out of *t; empty when there are none. */
static struct debian_text cut_out(struct debian_text *t, char open, char close)
{
	struct debian_text inner = { "", 0 };
	const char *from = t->len ? memchr(t->at, open, t->len) : NULL;
	const char *to = from ? memchr(from, close, t->len - (size_t)(from - t->at)) : NULL;

	if (!to)
		return inner;
	inner = debian_text_trim((struct debian_text){ from + 1, (size_t)(to - from) - 1 });
	t->len = (size_t)(from - t->at);
	return inner;
}

static bool is_for(struct debian_text list, const char *arch)
{
	struct debian_text word;
	bool negated = false;

	if (list.len == 0)
		return true;
	while (debian_control_word(&list, &word)) {
		bool excluded = *word.at == '!';

		if (excluded)
			word = (struct debian_text){ word.at + 1, word.len - 1 };
		if (debian_text_is(word, arch) || debian_text_is(word, "any") || debian_text_is(word, "linux-any"))
			return !excluded;
		negated |= excluded;
	}
	return negated;
}

static bool parse_version(struct debian_text text, struct debian_dependency *out)
{
	static const struct {
		const char *sign;
		enum debian_relation relation;
	} signs[] = { { "<<", DEBIAN_EARLIER }, { "<=", DEBIAN_EARLIER_EQUAL }, { ">=", DEBIAN_LATER_EQUAL },
		      { ">>", DEBIAN_LATER },	{ "=", DEBIAN_EQUAL },
		      /* obsolete, and meaning what they meant then */
		      { "<", DEBIAN_EARLIER_EQUAL }, { ">", DEBIAN_LATER_EQUAL } };

	out->relation = DEBIAN_ANY;
	out->version = text;
	if (text.len == 0)
		return true;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		size_t n = strlen(signs[i].sign);

		if (text.len > n && memcmp(text.at, signs[i].sign, n) == 0) {
			out->relation = signs[i].relation;
			out->version = debian_text_trim((struct debian_text){ text.at + n, text.len - n });
			return out->version.len > 0;
		}
	}
	return false;
}

static bool parse(struct debian_text t, const char *arch, struct debian_dependency *out)
{
	struct debian_text whole = t, version, archs;
	const char *colon;

	/* "name:arch (>= version) [archs] <profiles>": each cut from what is left of it, the version first because a '<' in it
	 * is no profile. */
	version = cut_out(&t, '(', ')');
	if (version.len) {
		struct debian_text behind = { version.at + version.len, whole.len - (size_t)(version.at + version.len - whole.at) };

		archs = cut_out(&behind, '[', ']');
	} else {
		archs = cut_out(&t, '[', ']');
		cut_out(&t, '<', '>');
	}
	t = debian_text_trim(t);
	colon = t.len ? memchr(t.at, ':', t.len) : NULL;
	out->name = t;
	out->arch = (struct debian_text){ "", 0 };
	if (colon) {
		out->name.len = (size_t)(colon - t.at);
		out->arch = (struct debian_text){ colon + 1, t.len - out->name.len - 1 };
	}
	return is_for(archs, arch) && parse_version(version, out) && debian_name_is_valid(out->name);
}

bool debian_depends_next(struct debian_text *rest, const char *arch, struct debian_dependency *out)
{
	struct debian_text part;

	while (take_until(rest, '|', &part))
		if (parse(part, arch, out))
			return true;
	return false;
}

bool debian_depends_allows(const struct debian_dependency *d, struct debian_text version)
{
	int order;

	if (d->relation == DEBIAN_ANY)
		return true;
	order = debian_version_compare(version, d->version);
	switch (d->relation) {
	case DEBIAN_EARLIER:
		return order < 0;
	case DEBIAN_EARLIER_EQUAL:
		return order <= 0;
	case DEBIAN_EQUAL:
		return order == 0;
	case DEBIAN_LATER_EQUAL:
		return order >= 0;
	default:
		return order > 0;
	}
}
