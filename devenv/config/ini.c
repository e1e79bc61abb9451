/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ini.c - the guarded INI reader.
 *
 * Theory of operation. inih asks for lines through a callback (feed_line) and reports what it understood
 * through another (take_value); both work on one `struct feed`. feed_line reads and checks the real lines and
 * hands inih only lines that it can't damage:
 *
 *   "[12]"            a section, by its number in ini->sections: no length limit, no ']' to trip over
 *   "key=" KEY        a key; its value follows in lines of its own
 *   " " LINE ... END  the next line of the value; " " MORE ... END goes on with the same line
 *
 * KEY, LINE, MORE, END and SEMICOLON are control characters, which the input can't contain because
 * feed_line rejects them. END keeps inih from trimming blanks. SEMICOLON stands for ';', which later
 * versions of inih take for a comment in continuation lines too. They also take a line that fills their
 * buffer for the start of a longer one, so one byte is always spared. feed_line counts what it hands out
 * and take_value what arrives, so that an inih built with other limits is an error and not a loss.
 */
#include "config/ini.h"

#include <ini.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum { KEY = 1, LINE, MORE, END, SEMICOLON };

struct feed {
	const char *name, *text;
	size_t len, pos;
	unsigned int line; /* of the line read last */
	struct ini *ini;

	const char *rest; /* what is left to hand out of the line read last; NULL: nothing */
	size_t rest_len;
	char mark;
	size_t blanks; /* blank lines that belong to the value once it goes on */
	bool in_value; /* an indented line continues something */

	struct buf value; /* of the last entry, as it arrives */
	size_t sent, received;
	struct err *e;
	bool failed;
};

/* Fail; evaluates to -1. */
#define bad(f, ...) ((f)->failed = true, err_set((f)->e, ERR_CONFIG, __VA_ARGS__))
#define AT          "%s:%u: "

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_name_char(char c, const char *others)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       strchr(others, c);
}

/* Bytes of the UTF-8 sequence at s; 0 when it is not one, as overlong forms and surrogates are not. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t want = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : 4;

	if (want > n || s[0] > 0xf4 || (s[0] >= 0x80 && s[0] < 0xc2))
		return 0;
	for (size_t i = 1; i < want; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return want;
}

static int check_bytes(struct feed *f, const char *line, size_t n)
{
	const unsigned char *s = (const unsigned char *)line;
	size_t step;

	for (size_t i = 0; i < n; i += step) {
		step = utf8_length(s + i, n - i);
		if (s[i] == 0)
			return bad(f, AT "there is a NUL byte in this line", text_safe(f->name), f->line);
		if (step == 0)
			return bad(f, AT "this line is not valid UTF-8", text_safe(f->name), f->line);
		if ((s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f ||
		    (step == 2 && s[i] == 0xc2 && s[i + 1] < 0xa0))
			return bad(f, AT "there is a control character (0x%02x) in this line",
			           text_safe(f->name), f->line, step == 2 ? s[i + 1] : s[i]);
	}
	return 0;
}

static int check_conflict(struct feed *f, const char *line, size_t n)
{
	bool marker = n >= 7 && (!memcmp(line, "<<<<<<<", 7) || !memcmp(line, ">>>>>>>", 7) ||
	                         !memcmp(line, "|||||||", 7) || (n == 7 && !memcmp(line, "=======", 7)));

	if (!marker)
		return 0;
	bad(f, AT "there is a conflict marker of an unfinished merge", text_safe(f->name), f->line);
	return err_hint(f->e, "resolve the conflict, then try again");
}

/* The next line without its end and blanks at its end. 1, 0 at the end of the text, -1. */
static int read_line(struct feed *f, const char **line, size_t *len)
{
	const char *start = f->text + f->pos, *end;
	size_t n;

	if (f->pos == f->len)
		return 0;
	end = memchr(start, '\n', f->len - f->pos);
	n = end ? (size_t)(end - start) : f->len - f->pos;
	f->pos += n + (end ? 1 : 0);
	f->line++;
	if (n > 0 && start[n - 1] == '\r' && end)
		n--;
	if (check_bytes(f, start, n) || check_conflict(f, start, n))
		return -1;
	while (n > 0 && is_blank(start[n - 1]))
		n--;
	*line = start;
	*len = n;
	return 1;
}

static int read_section(struct feed *f, const char *line, size_t n)
{
	struct ini *ini = f->ini;
	const char *close = memrchr(line, ']', n);
	cleanup_free char *text = mem_strndup(line, n);

	if (!close) {
		bad(f, AT "section '%s' has no closing ']'", text_safe(f->name), f->line, text_safe(text));
		return -1;
	}
	if (close != line + n - 1) {
		bad(f, AT "there is something after the ']' of '%s'", text_safe(f->name), f->line,
		    text_safe(text));
		return err_hint(f->e, "a comment stands on a line of its own and starts in the first column");
	}
	if (n == 2)
		return bad(f, AT "a section needs a name", text_safe(f->name), f->line);
	if (n - 2 > INI_SECTION_MAX)
		return bad(f, AT "the name of a section can have %d bytes at most, this one has %zu",
		           text_safe(f->name), f->line, INI_SECTION_MAX, n - 2);
	for (size_t i = 1; i < n - 1; i++)
		if (!is_name_char(line[i], "._:[]/@+-"))
			return bad(f, AT "section '%s' has a character in its name that no section has",
			           text_safe(f->name), f->line, text_safe(text));
	ini->sections = mem_grow(ini->sections, ini->section_count, &ini->section_cap,
	                         sizeof(*ini->sections));
	ini->sections[ini->section_count].name = mem_strndup(line + 1, n - 2);
	ini->sections[ini->section_count++].line = f->line;
	f->in_value = false;
	f->blanks = 0;
	return 0;
}

/* Does " ;" or " #" stand anywhere in it? */
static bool looks_commented(const char *s, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if ((s[i] == ';' || s[i] == '#') && is_blank(s[i - 1]))
			return true;
	return false;
}

/* A "key = value" line: *key_len receives the length of the key, the value goes to f->rest. */
static int read_key(struct feed *f, const char *line, size_t n, size_t *key_len)
{
	const char *equals = memchr(line, '=', n), *value, *end = line + n;
	cleanup_free char *text = mem_strndup(line, n);
	size_t len = equals ? (size_t)(equals - line) : 0;

	if (!equals) {
		bad(f, AT "'%s' is neither 'key = value' nor a [section]", text_safe(f->name), f->line,
		    text_safe(text));
		return err_hint(
			f->e,
			"a line that continues a value is indented; a comment starts with ; or # in the "
			"first column");
	}
	while (len > 0 && is_blank(line[len - 1]))
		len--;
	text[len] = '\0';
	if (len == 0)
		return bad(f, AT "there is no key before the '='", text_safe(f->name), f->line);
	for (size_t i = 0; i < len; i++)
		if (!is_name_char(line[i], "._/@+-"))
			return bad(f, AT "key '%s' has a character that no key has", text_safe(f->name),
			           f->line, text_safe(text));
	if (len > INI_KEY_MAX)
		return bad(f, AT "a key can have %d bytes at most, this one has %zu", text_safe(f->name),
		           f->line, INI_KEY_MAX, len);
	if (f->ini->section_count == 0)
		return bad(f, AT "key '%s' stands before the first [section]", text_safe(f->name), f->line,
		           text_safe(text));
	value = equals + 1;
	if (looks_commented(value, (size_t)(end - value))) {
		bad(f, AT "the value of '%s' has ' ;' or ' #' in it: is that a comment?", text_safe(f->name),
		    f->line, text_safe(text));
		return err_hint(
			f->e,
			"a comment stands on a line of its own; a value with ' ;' or ' #' is written on "
			"an indented line below 'key ='");
	}
	while (value < end && is_blank(*value))
		value++;
	*key_len = len;
	f->rest = value < end ? value : NULL;
	f->rest_len = (size_t)(end - value);
	f->mark = MORE;
	f->in_value = true;
	f->blanks = 0;
	return 0;
}

/* Hand out a piece of f->rest, or one of the blank lines before it. */
static char *feed_piece(struct feed *f, char *out, size_t size)
{
	size_t room = size - 5, n = 0, len = 0; /* " ", mark, END, NUL, one to spare */

	out[n++] = ' ';
	if (f->blanks > 0) {
		f->blanks--;
		out[n++] = LINE;
	} else {
		len = f->rest_len < room ? f->rest_len : room;
		out[n++] = f->mark;
		for (size_t i = 0; i < len; i++)
			out[n++] = (char)(f->rest[i] == ';' ? SEMICOLON : f->rest[i]);
		f->rest_len -= len;
		f->rest = f->rest_len > 0 ? f->rest + len : NULL;
		f->mark = MORE;
	}
	out[n++] = END;
	out[n] = '\0';
	f->sent++;
	return out;
}

/* inih's fgets: the next line for it, or NULL at the end and after an error. */
static char *feed_line(char *out, int size, void *data)
{
	struct feed *f = data;
	const char *line;
	size_t n, key_len = 0;
	int more;

	if (size < INI_KEY_MAX + 8) {
		f->failed = true;
		err_set(f->e, ERR_FAILED,
		        "can't read %s: the inih library here is built for lines of %d bytes only",
		        text_safe(f->name), size);
	}
	while (!f->failed) {
		if (f->rest)
			return feed_piece(f, out, (size_t)size);
		more = read_line(f, &line, &n);
		if (more <= 0)
			return NULL;
		if (n == 0) {
			f->blanks += f->in_value;
		} else if (line[0] == ';' || line[0] == '#') {
			continue;
		} else if (is_blank(line[0])) {
			if (!f->in_value) {
				bad(f,
				    AT "this line is indented, but there is no value before it to continue",
				    text_safe(f->name), f->line);
				err_hint(f->e, "sections, keys and comments start in the first column");
			}
			f->rest = line;
			f->rest_len = n;
			f->mark = LINE;
		} else if (line[0] == '[') {
			if (read_section(f, line, n))
				return NULL;
			snprintf(out, (size_t)size, "[%zu]", f->ini->section_count - 1);
			return out;
		} else {
			if (read_key(f, line, n, &key_len))
				return NULL;
			snprintf(out, (size_t)size, "%.*s=%c", (int)key_len, line, KEY);
			f->sent++;
			return out;
		}
	}
	return NULL;
}

/* How many of the first bytes all indented lines of the value have in common, blanks only. */
static size_t common_indent(const char *lines)
{
	const char *first = NULL;
	size_t common = SIZE_MAX;

	for (const char *s = lines; s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL) {
		size_t indent = strspn(s, " \t"), same = 0;

		if (s[indent] == '\n' || s[indent] == '\0')
			continue;
		if (!first)
			first = s;
		while (same < indent && same < common && s[same] == first[same])
			same++;
		common = same;
	}
	return common;
}

/* The value is complete: lay its lines out as the header says. */
static void finish_value(struct feed *f)
{
	struct buf out = BUF_INIT;
	const char *next = strchr(f->value.data, '\n');
	size_t first = next ? (size_t)(next - f->value.data) : f->value.len, indent;

	if (f->ini->count == 0)
		return;
	buf_add(&out, f->value.data, first);
	indent = next ? common_indent(next + 1) : 0;
	while (next) {
		const char *s = next + 1;
		size_t n = strcspn(s, "\n");

		next = s[n] == '\n' ? s + n : NULL;
		if (n == 0 && out.len == 0)
			continue;
		if (out.len > 0)
			buf_addch(&out, '\n');
		if (n > 0)
			buf_add(&out, s + indent, n - indent);
	}
	f->ini->entries[f->ini->count - 1].value = buf_steal(&out);
	buf_clear(&f->value);
}

/* inih's handler. */
static int take_value(void *user, const char *section, const char *key, const char *value)
{
	struct feed *f = user;
	struct ini *ini = f->ini;
	struct ini_entry *entry;
	uint64_t number;

	if (!value)
		return 1; /* an inih built to announce sections */
	f->received++;
	if (value[0] == KEY) {
		if (text_number(section, ini->section_count - 1, &number))
			return 0;
		finish_value(f);
		ini->entries = mem_grow(ini->entries, ini->count, &ini->cap, sizeof(*ini->entries));
		entry = &ini->entries[ini->count++];
		*entry = (struct ini_entry){ .section = mem_strdup(ini->sections[number].name),
			                     .key = mem_strdup(key),
			                     .line = f->line };
		return 1;
	}
	if (value[0] == LINE)
		buf_addch(&f->value, '\n');
	for (const char *s = value + 1; *s && *s != END; s++)
		buf_addch(&f->value, (char)(*s == SEMICOLON ? ';' : *s));
	return 1;
}

static int compare_sections(const void *a, const void *b)
{
	const struct ini_section *x = *(const struct ini_section *const *)a,
				 *y = *(const struct ini_section *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int compare_entries(const void *a, const void *b)
{
	const struct ini_entry *x = *(const struct ini_entry *const *)a,
			       *y = *(const struct ini_entry *const *)b;
	int order = strcmp(x->section, y->section);

	order = order ? order : strcmp(x->key, y->key);
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* Sorting finds twins without comparing each with each: a hostile file can have many lines. */
static int check_twins(const char *name, const struct ini *ini, struct err *e)
{
	cleanup_free const struct ini_section **sections = mem_array(ini->section_count + 1,
	                                                             sizeof(*sections));
	cleanup_free const struct ini_entry **entries = mem_array(ini->count + 1, sizeof(*entries));
	const struct ini_section *section = NULL, *section_before = NULL;
	const struct ini_entry *entry = NULL, *entry_before = NULL;

	for (size_t i = 0; i < ini->section_count; i++)
		sections[i] = &ini->sections[i];
	qsort(sections, ini->section_count, sizeof(*sections), compare_sections);
	for (size_t i = 1; i < ini->section_count; i++)
		if (!strcmp(sections[i]->name, sections[i - 1]->name) &&
		    (!section || sections[i]->line < section->line)) {
			section = sections[i];
			section_before = sections[i - 1];
		}
	if (section)
		return err_set(e, ERR_CONFIG, AT "section [%s] is there already, at line %u", text_safe(name),
		               section->line, text_safe(section->name), section_before->line);
	for (size_t i = 0; i < ini->count; i++)
		entries[i] = &ini->entries[i];
	qsort(entries, ini->count, sizeof(*entries), compare_entries);
	for (size_t i = 1; i < ini->count; i++)
		if (!strcmp(entries[i]->section, entries[i - 1]->section) &&
		    !strcmp(entries[i]->key, entries[i - 1]->key) &&
		    (!entry || entries[i]->line < entry->line)) {
			entry = entries[i];
			entry_before = entries[i - 1];
		}
	if (entry)
		return err_set(e, ERR_CONFIG, AT "[%s] %s is set already, at line %u", text_safe(name),
		               entry->line, text_safe(entry->section), text_safe(entry->key),
		               entry_before->line);
	return 0;
}

int ini_read(const char *name, const char *text, size_t len, struct ini *out, struct err *e)
{
	struct ini ini = { 0 };
	struct feed f = { .name = name, .text = text, .len = len, .ini = &ini, .value = BUF_INIT, .e = e };
	int rc;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		f.pos = 3;
	rc = ini_parse_stream(feed_line, &f, take_value, &f);
	finish_value(&f);
	if (!f.failed && (rc || f.sent != f.received)) {
		f.failed = true;
		err_set(e, ERR_FAILED,
		        "can't read %s: the inih library here loses lines (%zu of %zu arrived)",
		        text_safe(name), f.received, f.sent);
	}
	if (!f.failed && check_twins(name, &ini, e))
		f.failed = true;
	buf_release(&f.value);
	if (f.failed) {
		ini_release(&ini);
		return -1;
	}
	*out = ini;
	return 0;
}

void ini_release(struct ini *ini)
{
	for (size_t i = 0; i < ini->count; i++) {
		free(ini->entries[i].section);
		free(ini->entries[i].key);
		free(ini->entries[i].value);
	}
	for (size_t i = 0; i < ini->section_count; i++)
		free(ini->sections[i].name);
	free(ini->entries);
	free(ini->sections);
	*ini = (struct ini){ 0 };
}
