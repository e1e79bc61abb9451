/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the one parser of command lines; the tables are in options_tables.c and beside each command. */
#include "base/options.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

void options_begin(struct options *o, int argc, char **argv, int first, const struct option_spec *table,
		   const struct option_spec *more)
{
	*o = (struct options){ .argv = argv, .argc = argc, .index = first, .tables = { table, more } };
}

/* By letter, or by the first `len` bytes of `name` when that is not NULL. */
static const struct option_spec *find(const struct options *o, const char *name, size_t len, char letter)
{
	for (size_t t = 0; t < ARRAY_SIZE(o->tables); t++) {
		for (const struct option_spec *s = o->tables[t]; s && s->name; s++) {
			if (name ? strlen(s->name) == len && !memcmp(s->name, name, len) : s->letter == letter)
				return s;
		}
	}
	return NULL;
}

static int unknown(const struct options *o, const char *name, size_t len, struct err *e)
{
	cleanup_free char *word = mem_strndup(name, len);
	cleanup_free const char **names = NULL;
	size_t count = 0, cap = 0;
	const char *nearest;

	names = mem_grow(NULL, 1, &cap, sizeof(*names));
	for (size_t t = 0; t < ARRAY_SIZE(o->tables); t++) {
		for (const struct option_spec *s = o->tables[t]; s && s->name; s++) {
			names = mem_grow(names, count + 1, &cap, sizeof(*names));
			names[count++] = s->name;
		}
	}
	names[count] = NULL;
	nearest = text_nearest(word, names);
	if (nearest)
		return err_set(e, ERR_USAGE, "unknown option '--%s'; did you mean '--%s'?", text_safe(word), nearest);
	return err_set(e, ERR_USAGE, "unknown option '--%s'", text_safe(word));
}

/* The value of `s` is `attached`, or the next argument where nothing is attached. */
static int take_value(struct options *o, const struct option_spec *s, const char *attached, bool is_long,
		      const char **value, struct err *e)
{
	if (attached) {
		*value = attached;
	} else if (o->index < o->argc) {
		*value = o->argv[o->index++];
	} else if (is_long) {
		return err_set(e, ERR_USAGE, "option '--%s' needs a value: %s", s->name, s->argument);
	} else {
		return err_set(e, ERR_USAGE, "option '-%c' needs a value: %s", s->letter, s->argument);
	}
	return s->id;
}

static int next_long(struct options *o, const char *text, const char **value, struct err *e)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	const struct option_spec *s = find(o, text, len, 0);

	if (!s)
		return unknown(o, text, len, e);
	if (s->argument)
		return take_value(o, s, equals ? equals + 1 : NULL, true, value, e);
	if (equals)
		return err_set(e, ERR_USAGE, "option '--%s' takes no value", s->name);
	return s->id;
}

static int next_short(struct options *o, const char **value, struct err *e)
{
	char letter = *o->cluster++;
	const char *rest = *o->cluster ? o->cluster : NULL;
	const struct option_spec *s = find(o, NULL, 0, letter);
	char shown[2] = { letter, '\0' };

	if (!s || s->argument)
		o->cluster = NULL;
	else
		o->cluster = rest;
	if (!s)
		return err_set(e, ERR_USAGE, "unknown option '-%s'", text_safe(shown));
	return s->argument ? take_value(o, s, rest, false, value, e) : s->id;
}

int options_next(struct options *o, const char **value, struct err *e)
{
	const char *text;

	*value = NULL;
	if (o->cluster)
		return next_short(o, value, e);
	if (o->index >= o->argc)
		return 0;
	text = o->argv[o->index];
	if (text[0] != '-' || !text[1])
		return 0;
	o->index++;
	if (text[1] != '-') {
		o->cluster = text + 1;
		return next_short(o, value, e);
	}
	return text[2] ? next_long(o, text + 2, value, e) : 0;
}
