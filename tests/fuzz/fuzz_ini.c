/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_ini.c - the INI reader and what is built on it: devenv.ini, the user's configuration, trust records,
 * env files.
 *
 * Besides crashes: what inih hands on must be what was in the text, so the values are written out again in
 * the plainest form and must come back the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/config.h"
#include "config/ini.h"
#include "config/trust.h"
#include "config/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every line of a value indented by one blank: what needs no guessing to read. */
static void write_plainly(const struct ini *ini, struct buf *out)
{
	size_t next = 0;

	for (size_t i = 0; i < ini->section_count; i++) {
		buf_addf(out, "[%s]\n", ini->sections[i].name);
		for (; next < ini->count && !strcmp(ini->entries[next].section, ini->sections[i].name);
		     next++) {
			buf_addf(out, "%s=\n ", ini->entries[next].key);
			for (const char *s = ini->entries[next].value; *s; s++) {
				buf_addch(out, *s);
				if (*s == '\n' && s[1] != '\n')
					buf_addch(out, ' ');
			}
			buf_addch(out, '\n');
		}
	}
	if (next != ini->count)
		abort();
}

static void check_same(const struct ini *a, const struct ini *b)
{
	if (a->count != b->count || a->section_count != b->section_count)
		abort();
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->entries[i].section, b->entries[i].section) ||
		    strcmp(a->entries[i].key, b->entries[i].key) ||
		    strcmp(a->entries[i].value, b->entries[i].value))
			abort();
}

/* Blanks at the start of a value can't be told from its indentation when it is written this way. */
static int has_indented_line(const struct ini *ini)
{
	for (size_t i = 0; i < ini->count; i++)
		if (strchr(" \t", ini->entries[i].value[0]) && ini->entries[i].value[0])
			return 1;
	return 0;
}

static void round_trip(const struct ini *ini)
{
	struct buf out = BUF_INIT;
	struct ini again;
	struct err e = ERR_INIT;

	write_plainly(ini, &out);
	if (ini_read("again", out.data, out.len, &again, &e))
		abort();
	if (!has_indented_line(ini))
		check_same(ini, &again);
	ini_release(&again);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct err e = ERR_INIT;
	struct config_pair *pairs = NULL;
	size_t count = 0, cap = 0;
	struct user_config u;
	struct config c;
	struct trust t;
	struct ini ini;

	if (!ini_read("fuzz", text, size, &ini, &e)) {
		round_trip(&ini);
		ini_release(&ini);
	}
	if (!config_parse("devenv.ini", text, size, &c, &e)) {
		if (c.base == CONFIG_BASE_NONE || !c.base_value)
			abort();
		config_release(&c);
	}
	if (!user_config_parse("config.ini", text, size, &u, &e))
		user_config_release(&u);
	if (!trust_parse("trust", text, size, &t, &e))
		trust_release(&t);
	config_parse_env_file(".env", text, size, &pairs, &count, &cap, &e);
	config_pairs_release(pairs, count);
	return 0;
}
