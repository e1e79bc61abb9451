/* SPDX-License-Identifier: Apache-2.0 */
/* debian_sources.c - see debian_sources.h. */
#include "source/debian_sources.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/debian_control.h"

/* Every address with every suite is a source, which has all else that the entry says: a small file can ask for any amount. */
enum { BYTES_MAX = 16 << 20, SOURCE_BYTES = 256, WORD_BYTES = 32 };

/* What both formats come to. */
struct entry {
	struct strlist uris, suites, components, architectures, signed_by;
	char *key;
	enum debian_trust trust;
	bool any_age;
};

static void entry_release(struct entry *n)
{
	strlist_release(&n->uris);
	strlist_release(&n->suites);
	strlist_release(&n->components);
	strlist_release(&n->architectures);
	strlist_release(&n->signed_by);
	free(n->key);
	*n = (struct entry){ 0 };
}

static void copy(struct strlist *to, const struct strlist *from)
{
	for (size_t i = 0; i < from->count; i++)
		strlist_add(to, from->items[i]);
}

static char *without_slashes(const char *s)
{
	size_t len = strlen(s);

	while (len > 1 && s[len - 1] == '/')
		len--;
	return mem_strndup(s, len);
}

static void add_source(struct debian_sources *out, const struct entry *n, const char *uri, const char *suite)
{
	bool flat = text_ends(suite, "/");
	struct debian_source *s;

	/* A suite has components or a slash at its end, never both or neither; an address has a scheme. */
	if (flat == (n->components.count > 0) || !strchr(uri, ':'))
		return;
	out->items = mem_grow(out->items, out->count, &out->cap, sizeof(*out->items));
	s = &out->items[out->count++];
	*s = (struct debian_source){
		.uri = without_slashes(uri), .suite = without_slashes(suite), .flat = flat, .key = n->key ? mem_strdup(n->key) : NULL,
		.trust = n->trust, .any_age = n->any_age
	};
	copy(&s->components, &n->components);
	copy(&s->architectures, &n->architectures);
	copy(&s->signed_by, &n->signed_by);
}

static size_t bytes_of(const struct strlist *l)
{
	size_t bytes = 0;

	for (size_t i = 0; i < l->count; i++)
		bytes += strlen(l->items[i]) + WORD_BYTES;
	return bytes;
}

static bool has_room(struct debian_sources *out, const struct entry *n)
{
	size_t bytes = SOURCE_BYTES + (n->key ? strlen(n->key) : 0) + bytes_of(&n->uris) + bytes_of(&n->suites) + bytes_of(&n->components) +
		       bytes_of(&n->architectures) + bytes_of(&n->signed_by);
	size_t most = (BYTES_MAX - out->bytes) / bytes;

	/* One after the other: their product may be no number any more. */
	if (n->uris.count > most || (n->uris.count && n->suites.count > most / n->uris.count)) {
		out->too_many = true;
		return false;
	}
	out->bytes += n->uris.count * n->suites.count * bytes;
	return true;
}

static void add_sources(struct debian_sources *out, const struct entry *n)
{
	if (out->too_many || !has_room(out, n))
		return;
	for (size_t i = 0; i < n->uris.count; i++)
		for (size_t j = 0; j < n->suites.count; j++)
			add_source(out, n, n->uris.items[i], n->suites.items[j]);
}

int debian_sources_bool(struct debian_text value)
{
	static const char *const words[] = { "no",  "false", "without", "off", "disable", "0",
					     "yes", "true",  "with",	"on",  "enable",  "1" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (value.len == strlen(words[i]) && strncasecmp(value.at, words[i], value.len) == 0)
			return i >= ARRAY_SIZE(words) / 2;
	return -1;
}

/* How far an entry wants to be believed. */
static void set_trust(struct entry *n, const char *name, struct debian_text value)
{
	int yes = debian_sources_bool(value);

	if (strcasecmp(name, "trusted") == 0 && yes >= 0)
		n->trust = yes ? DEBIAN_SOURCE_UNSIGNED : DEBIAN_SOURCE_NEVER;
	else if (strcasecmp(name, "allow-insecure") == 0 && yes == 1 && n->trust == DEBIAN_SOURCE_SIGNED)
		n->trust = DEBIAN_SOURCE_UNSIGNED;
	else if (strcasecmp(name, "check-valid-until") == 0 && yes == 0)
		n->any_age = true;
}

/* ---- deb [options] URI SUITE COMPONENT... ---- */

static void set_option(struct entry *n, const char *name, const char *value)
{
	/* arch= sets, arch+= adds to all there are: then nothing is left out by it. */
	if (strcmp(name, "arch") == 0)
		strlist_split(&n->architectures, value, ",");
	else if (strcmp(name, "signed-by") == 0)
		strlist_split(&n->signed_by, value, ",");
	else
		set_trust(n, name, DEBIAN_TEXT(value));
}

static void parse_options(struct entry *n, struct debian_text options)
{
	struct debian_text word;

	while (debian_control_word(&options, &word)) {
		cleanup_free char *option = debian_text_dup(word);
		char *equals = strchr(option, '=');

		if (!equals)
			continue;
		*equals = '\0';
		set_option(n, option, equals + 1);
	}
}

/* The end of a bracketed range of `rest`, which then begins behind it; false: there is none. */
static bool take_brackets(struct debian_text *rest, struct debian_text *inside)
{
	const char *end;

	*rest = debian_text_trim(*rest);
	if (!rest->len || *rest->at != '[')
		return false;
	end = memchr(rest->at, ']', rest->len);
	if (!end)
		return false;
	*inside = (struct debian_text){ rest->at + 1, (size_t)(end - rest->at) - 1 };
	rest->len -= (size_t)(end - rest->at) + 1;
	rest->at = end + 1;
	return true;
}

/* apt lets an address have blanks inside brackets ("cdrom:[Debian 12 _Bookworm_]/"): such a one is none for us. */
static void parse_line(struct debian_text line, struct debian_sources *out)
{
	const char *comment = line.len ? memchr(line.at, '#', line.len) : NULL;
	struct debian_text word, options;
	struct entry n = { 0 };

	if (comment)
		line.len = (size_t)(comment - line.at);
	if (!debian_control_word(&line, &word) || !debian_text_is(word, "deb"))
		return;
	if (take_brackets(&line, &options))
		parse_options(&n, options);
	if (debian_control_word(&line, &word) && !memchr(word.at, '[', word.len)) {
		strlist_add_take(&n.uris, debian_text_dup(word));
		if (debian_control_word(&line, &word))
			strlist_add_take(&n.suites, debian_text_dup(word));
		while (debian_control_word(&line, &word))
			strlist_add_take(&n.components, debian_text_dup(word));
		add_sources(out, &n);
	}
	entry_release(&n);
}

/* ---- deb822 ---- */

static void add_words(struct strlist *l, struct debian_text value)
{
	struct debian_text line, word;

	while (debian_control_line(&value, &line)) {
		if (line.len && *line.at == '#')
			continue;
		while (debian_control_word(&line, &word))
			strlist_add_take(l, debian_text_dup(word));
	}
}

/* A key inside: each line has a blank before it, and an empty one is a dot. */
static char *key_of(struct debian_text value)
{
	struct buf key = BUF_INIT;
	struct debian_text line;

	while (debian_control_line(&value, &line)) {
		if (!debian_text_is(line, "."))
			buf_add(&key, line.at, line.len);
		buf_addch(&key, '\n');
	}
	return buf_steal(&key);
}

/* Between files and fingerprints there may be commas as well. */
static void add_keys(struct strlist *l, struct debian_text value)
{
	cleanup_free char *text = debian_text_dup(value);

	strlist_split(l, text, " \t\r\n,");
}

static void parse_paragraph(struct debian_text paragraph, struct debian_sources *out)
{
	static const char *const trusts[] = { "Trusted", "Allow-Insecure", "Check-Valid-Until" };
	cleanup_strlist struct strlist types = STRLIST_INIT;
	struct debian_text value;
	struct entry n = { 0 };

	if (debian_control_field(paragraph, "Enabled", &value) && debian_sources_bool(value) == 0)
		return;
	debian_control_field(paragraph, "Types", &value);
	add_words(&types, value);
	if (!strlist_has(&types, "deb"))
		return;
	debian_control_field(paragraph, "URIs", &value);
	add_words(&n.uris, value);
	debian_control_field(paragraph, "Suites", &value);
	add_words(&n.suites, value);
	debian_control_field(paragraph, "Components", &value);
	add_words(&n.components, value);
	debian_control_field(paragraph, "Architectures", &value);
	add_words(&n.architectures, value);
	debian_control_field(paragraph, "Signed-By", &value);
	if (value.len > 10 && memcmp(value.at, "-----BEGIN", 10) == 0)
		n.key = key_of(value);
	else
		add_keys(&n.signed_by, value);
	for (size_t i = 0; i < ARRAY_SIZE(trusts); i++)
		if (debian_control_field(paragraph, trusts[i], &value))
			set_trust(&n, trusts[i], value);
	add_sources(out, &n);
	entry_release(&n);
}

/* A line of a paragraph that is a comment is nothing, not the end of it. */
static void without_comments(const char *text, size_t len, struct buf *out)
{
	struct debian_text rest = { text, len };

	while (rest.len) {
		const char *newline = memchr(rest.at, '\n', rest.len);
		size_t n = newline ? (size_t)(newline - rest.at) + 1 : rest.len;

		if (*rest.at != '#')
			buf_add(out, rest.at, n);
		rest.at += n;
		rest.len -= n;
	}
}

void debian_sources_parse(const char *name, const char *text, size_t len, struct debian_sources *out)
{
	cleanup_buf struct buf plain = BUF_INIT;
	struct debian_text rest, part;

	if (memchr(text, '\0', len))
		return; /* no text: and what is read are strings */
	if (!text_ends(name, ".sources")) {
		rest = (struct debian_text){ text, len };
		while (debian_control_line(&rest, &part))
			parse_line(part, out);
		return;
	}
	without_comments(text, len, &plain);
	rest = (struct debian_text){ plain.data, plain.len };
	while (debian_control_next(&rest, &part))
		parse_paragraph(part, out);
}

void debian_sources_release(struct debian_sources *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct debian_source *x = &s->items[i];

		free(x->uri);
		free(x->suite);
		free(x->key);
		strlist_release(&x->components);
		strlist_release(&x->architectures);
		strlist_release(&x->signed_by);
	}
	free(s->items);
	*s = (struct debian_sources){ 0 };
}
