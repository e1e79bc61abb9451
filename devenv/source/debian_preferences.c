/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_preferences.c - /etc/apt/preferences and preferences.d as structs. What apt would do and this does not - expressions,
 * packages by their source, words of a release that are not known - is never taken for something else: the entry is left out,
 * and that is said.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/debian_archive_internal.h"

enum {
	STARS_MAX = 3,	     /* of one pattern: what makes matching slow; an image is anybody's */
	ENTRIES_MAX = 10000, /* of all files */
};

struct reader {
	const char *name; /* of the file */
	const char *start;
	struct debian_preferences *out;
	struct strlist *warnings;
};

struct entry { /* one paragraph */
	struct debian_text package, pin, priority;
	size_t line;
	bool any; /* it says something */
};

static void leave_out(const struct reader *r, const struct entry *x, const char *why, struct debian_text what)
{
	cleanup_free char *text = mem_strndup(what.at, what.len > 80 ? 80 : what.len);

	strlist_addf(r->warnings, "/%s:%zu of the image: this preference is left out: %s%s%s%s", r->name, x->line, why,
		     *text ? " '" : "", *text ? text_safe(text) : "", *text ? "'" : "");
}

static size_t line_of(const struct reader *r, const char *at)
{
	size_t line = 1;

	for (const char *p = r->start; p < at; p++)
		line += *p == '\n';
	return line;
}

static struct entry read_entry(const struct reader *r, struct debian_text paragraph)
{
	struct entry x = { 0 };
	struct debian_text name, value;

	while (debian_control_each(&paragraph, &name, &value)) {
		if (!name.len || *name.at == '#' || debian_text_is(name, "Explanation"))
			continue;
		if (!x.any)
			x.line = line_of(r, name.at);
		x.any = true;
	}
	return x;
}

/* Lines that are no fields, and no comments: does it say anything at all? */
static bool has_text(const struct reader *r, struct debian_text paragraph, struct entry *x)
{
	struct debian_text line;

	while (debian_control_line(&paragraph, &line))
		if (line.len && *line.at != '#' && !memchr(line.at, ':', line.len)) {
			x->line = line_of(r, line.at);
			return true;
		}
	return false;
}

/* Numbers as apt has them: with a sign, and of 16 bits. */
static bool read_priority(struct debian_text t, int *out)
{
	bool negative = t.len && *t.at == '-';
	uint64_t n;

	if (debian_text_is(t, "never")) {
		*out = DEBIAN_PRIORITY_NEVER;
		return true;
	}
	if (t.len && (*t.at == '-' || *t.at == '+'))
		t = (struct debian_text){ t.at + 1, t.len - 1 };
	if (debian_text_number(t, 32767, &n) < 0 || n == 0)
		return false;
	*out = negative ? -(int)n : (int)n;
	return true;
}

/* "a=stable, n = bookworm" -> a line each. NULL: a word that is not known. */
static char *read_release(struct debian_text t)
{
	cleanup_free char *text = debian_text_dup(t);
	cleanup_strlist struct strlist words = STRLIST_INIT;
	struct buf b = BUF_INIT;

	strlist_split(&words, text, ",");
	for (size_t i = 0; i < words.count; i++) {
		struct debian_text word = debian_text_trim(DEBIAN_TEXT(words.items[i]));
		const char *equals = memchr(word.at, '=', word.len);
		struct debian_text key = debian_text_trim((struct debian_text){ word.at, equals ? (size_t)(equals - word.at) : 0 });
		struct debian_text value = equals ? debian_text_trim((struct debian_text){ equals + 1, word.len - (size_t)(equals + 1 - word.at) })
						  : word;

		if (!value.len || *value.at == '/' || (equals && (key.len != 1 || !strchr("anolcv", *key.at)))) {
			buf_release(&b);
			return NULL;
		}
		buf_addf(&b, "%s%.*s%s%.*s", b.len ? "\n" : "", (int)key.len, key.at ? key.at : "", equals ? "=" : "", (int)value.len,
			 value.at);
	}
	return b.len ? buf_steal(&b) : NULL;
}

/* "HOST", with the quotes or without. */
static char *read_site(struct debian_text t)
{
	if (t.len >= 2 && *t.at == '"' && t.at[t.len - 1] == '"')
		t = (struct debian_text){ t.at + 1, t.len - 2 };
	return t.len && (*t.at == '/' || memchr(t.at, '"', t.len)) ? NULL : debian_text_dup(t);
}

static bool has_few_stars(struct debian_text t)
{
	size_t stars = 0;

	for (size_t i = 0; i < t.len; i++)
		stars += t.at[i] == '*';
	return stars <= STARS_MAX;
}

static char *read_pin(struct debian_text pin, enum debian_preference_kind *kind)
{
	struct debian_text word;

	if (!debian_control_word(&pin, &word) || memchr(pin.at, '\n', pin.len) || !has_few_stars(pin))
		return NULL;
	pin = debian_text_trim(pin);
	if (debian_text_is(word, "release")) {
		*kind = DEBIAN_PREFERENCE_RELEASE;
		return read_release(pin);
	}
	if (debian_text_is(word, "origin")) {
		*kind = DEBIAN_PREFERENCE_SITE;
		return read_site(pin);
	}
	*kind = DEBIAN_PREFERENCE_VERSION;
	return debian_text_is(word, "version") && pin.len && *pin.at != '/' ? debian_text_dup(pin) : NULL;
}

/* Small letters, digits, what names may have, and what makes a pattern of them. */
static bool is_pattern(struct debian_text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789+.-*?[]", t.at[i]) || !t.at[i])
			return false;
	return t.len > 0 && has_few_stars(t);
}

static void add_packages(const struct reader *r, const struct entry *x, enum debian_preference_kind kind, const char *value, int priority)
{
	struct debian_text rest = x->package, word;

	while (debian_control_word(&rest, &word)) {
		bool all = debian_text_is(word, "*");
		const char *colon = memchr(word.at, ':', word.len);

		if (colon && debian_text_is((struct debian_text){ colon, word.len - (size_t)(colon - word.at) }, ":any"))
			word.len = (size_t)(colon - word.at);
		if (!is_pattern(word)) {
			leave_out(r, x, "packages are named here, or meant by * and ?; not so", word);
			continue;
		}
		if (all && kind == DEBIAN_PREFERENCE_VERSION) {
			leave_out(r, x, "a version is one of a package, not of", word);
			continue;
		}
		if (r->out->count == ENTRIES_MAX) {
			leave_out(r, x, "there are too many:", word);
			return;
		}
		r->out->items = mem_grow(r->out->items, r->out->count, &r->out->cap, sizeof(*r->out->items));
		r->out->items[r->out->count++] = (struct debian_preference){ .package = all ? NULL : debian_text_dup(word), .kind = kind,
									     .value = mem_strdup(value), .priority = priority };
	}
}

static void add_entry(const struct reader *r, struct debian_text paragraph)
{
	struct entry x = read_entry(r, paragraph);
	enum debian_preference_kind kind;
	cleanup_free char *value = NULL;
	int priority;

	if (!x.any && !has_text(r, paragraph, &x))
		return;
	debian_control_field(paragraph, "Package", &x.package);
	debian_control_field(paragraph, "Pin", &x.pin);
	debian_control_field(paragraph, "Pin-Priority", &x.priority);
	value = read_pin(x.pin, &kind);
	if (!x.package.len)
		leave_out(r, &x, "it names no package", (struct debian_text){ "", 0 });
	else if (!value)
		leave_out(r, &x, x.pin.len ? "this Pin is not supported:" : "it has no Pin", x.pin);
	else if (!read_priority(x.priority, &priority))
		leave_out(r, &x, x.priority.len ? "this is no Pin-Priority:" : "it has no Pin-Priority", x.priority);
	else
		add_packages(r, &x, kind, value, priority);
}

void debian_preferences_parse(const char *name, struct debian_text text, struct debian_preferences *out, struct strlist *warnings)
{
	const struct reader r = { name, text.at, out, warnings };
	struct debian_text paragraph;

	while (debian_control_next(&text, &paragraph))
		add_entry(&r, paragraph);
}

/* apt passes over other files: letters, digits, - _ and a dot; no ending, or .pref. */
static bool is_preferences_name(const char *name)
{
	const char *dot = strchr(name, '.');

	for (const char *p = name; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("_.-", *p)))
			return false;
	return name[0] != '.' && (!dot || text_ends(name, ".pref"));
}

static int read_file(const struct debian_root *r, const char *path, struct debian_preferences *out, struct strlist *warnings, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err why = ERR_INIT;

	if (debian_root_read(r, path, &text, &why) == 0) {
		debian_preferences_parse(path, (struct debian_text){ text.data ? text.data : "", text.len }, out, warnings);
		return 0;
	}
	if (why.code == ERR_NOT_FOUND)
		return 0;
	*e = why;
	return -1;
}

int debian_root_preferences(const struct debian_root *r, struct debian_preferences *out, struct strlist *warnings, struct err *e)
{
	static const char directory[] = "etc/apt/preferences.d";
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err why = ERR_INIT;

	if (read_file(r, "etc/apt/preferences", out, warnings, e) < 0)
		return -1;
	if (debian_root_list(r, directory, &names, &why) < 0 && why.code != ERR_NOT_FOUND) {
		*e = why;
		return -1;
	}
	strlist_sort(&names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = mem_printf("%s/%s", directory, names.items[i]);

		if (is_preferences_name(names.items[i]) && read_file(r, path, out, warnings, e) < 0)
			return -1;
	}
	return 0;
}
