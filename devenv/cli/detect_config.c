/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_config.c - the text of a first devenv.ini.
 *
 * The text is written as if every key worked; then sections with a key that this program does not support are taken
 * out, so that what is written always parses. A section's comments stand below its heading, so they go with it.
 */
#include "cli/detect.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"

static bool matches(const char *pattern, const char *name, size_t len)
{
	size_t n = strlen(pattern);

	if (strcmp(pattern, "*") == 0)
		return true;
	if (n > 2 && strcmp(pattern + n - 2, ".*") == 0)
		return len >= n && memcmp(pattern, name, n - 1) == 0;
	return n == len && memcmp(pattern, name, n) == 0;
}

static bool is_supported(const char *section, size_t section_len, const char *key, size_t key_len)
{
	for (size_t i = 0; i < config_key_count; i++)
		if (matches(config_keys[i].section, section, section_len) &&
		    matches(config_keys[i].key, key, key_len))
			return config_keys[i].supported;
	return false;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : line + strlen(line);
}

static bool begins_section(const char *line)
{
	return line[0] == '[' || (line[0] == ';' && line[1] == '[');
}

/* One section from its heading to the next, with keys that are commented out counting too. */
static bool section_is_supported(const char *heading, const char *end)
{
	const char *name = strchr(heading, '[') + 1;
	size_t len = strcspn(name, "]\n");

	for (const char *line = next_line(heading); line < end; line = next_line(line)) {
		const char *key = line[0] == ';' && line[1] != ' ' ? line + 1 : line;
		size_t width = strcspn(key, " \t=\n");

		if (width == 0 || strchr(";#", *key) || key + strcspn(key, "=\n") >= end ||
		    key[strcspn(key, "=\n")] != '=')
			continue;
		if (!is_supported(name, len, key, width))
			return false;
	}
	return true;
}

void detect_config_supported(const char *text, struct buf *out)
{
	const char *end;

	for (const char *at = text; *at; at = end) {
		end = next_line(at);
		while (*end && !begins_section(end))
			end = next_line(end);
		if (!begins_section(at) || section_is_supported(at, end))
			buf_add(out, at, (size_t)(end - at));
	}
	while (out->len > 1 && out->data[out->len - 1] == '\n' && out->data[out->len - 2] == '\n')
		out->data[--out->len] = '\0';
}

static void add_release(const struct detected *d, struct buf *b)
{
	const struct detect_rule *r = d->rule;

	buf_adds(b, "; Debian's own packages. `devenv lock` pins the version and hash of each, `devenv update` moves them.\n");
	for (size_t i = 0; i < d->also.count; i++)
		buf_addf(b, "; %s is here too, and not covered by the packages below.\n", d->also.items[i]);
	buf_addf(b, "debian = %s\n\n", d->release);
	if (*r->apt)
		buf_addf(b, "[packages]\n; %s%s, because of %s.\napt = %s\n\n", r->language->name, d->settings ? " and Django" : "",
			 r->marker, r->apt);
	else
		buf_adds(b, ";[packages]\n; what else it takes, by the names that apt has for it\n;apt = git build-essential\n\n");
}

static void add_base(const struct detected *d, struct buf *b)
{
	const struct detect_rule *r = d->rule;

	buf_adds(b, "[base]\n");
	if (d->release) {
		add_release(d, b);
		return;
	}
	if (!r->marker) {
		buf_adds(b, "; Any image of an OCI registry will do.\n");
	} else {
		buf_addf(b, "; %s%s%s, because of %s", r->language->name, d->settings ? " and Django" : "",
		         r->tool && strcmp(r->tool, "uv") == 0 ? " with uv" : "", r->marker);
		if (d->written)
			buf_addf(b, "; %s says %s", d->version_file, d->written);
		buf_adds(b, ".\n");
	}
	if (d->written && strcmp(d->written, d->version) != 0)
		buf_addf(b, "; There is no image of exactly %s; this is the newest of %s.\n", d->written, d->version);
	for (size_t i = 0; i < d->also.count; i++)
		buf_addf(b, "; %s is here too, and not covered by this image.\n", d->also.items[i]);
	buf_addf(b, "; `devenv lock` pins the tag to a digest, `devenv update` moves to what it is then.\n"
	            "image = %s\n\n", d->image);
}

static void add_setup(const struct detected *d, struct buf *b)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;

	if (!d->rule->setup)
		return;
	buf_adds(b, "[setup]\n; What a new checkout needs, once, and again when one of these files changes.\ninputs =");
	for (size_t i = 0; i < d->inputs.count; i++)
		buf_addf(b, " %s", d->inputs.items[i]);
	buf_adds(b, "\nrun =");
	strlist_split(&lines, d->rule->setup, "\n");
	for (size_t i = 0; i < lines.count; i++)
		buf_addf(b, lines.count > 1 ? "\n    %s" : " %s", lines.items[i]);
	buf_adds(b, "\n\n");
}

static void add_env(const struct detected *d, struct buf *b)
{
	if (!d->rule->env && !d->settings) {
		buf_adds(b, ";[env]\n;NAME = value\n\n");
		return;
	}
	buf_adds(b, "[env]\n");
	if (d->rule->env)
		buf_adds(b, d->rule->env);
	if (d->settings)
		buf_addf(b, "DJANGO_SETTINGS_MODULE = %s\n", d->settings);
	buf_adds(b, "\n");
}

static void add_volume(const struct detected *d, struct buf *b)
{
	cleanup_strlist struct strlist words = STRLIST_INIT;

	if (!d->rule->volume) {
		buf_adds(b, ";[volume.cache]\n; a directory that outlives the environment, kept outside the project\n;target = ~/.cache\n\n");
		return;
	}
	strlist_split(&words, d->rule->volume, " ");
	buf_addf(b, "[volume.%s]\n; Downloads are kept, and shared by the worktrees of this clone.\n"
	            "target = %s\nscope = project\n\n", words.items[0], words.items[1]);
}

void detect_config(const struct detected *d, struct buf *out)
{
	cleanup_buf struct buf text = BUF_INIT;

	buf_adds(&text, "; The development environment of this project. Commit this file and devenv.lock.\n"
	                "; `devenv enter` gives a shell in it; `devenv help devenv.ini` lists every key.\n\n");
	add_base(d, &text);
	add_setup(d, &text);
	if (d->rule->path)
		buf_addf(&text, "[workspace]\n; Put first on PATH: what the project itself installed.\npath = %s\n\n",
		         d->rule->path);
	else
		buf_adds(&text, ";[workspace]\n; put first on PATH\n;path = bin\n\n");
	add_env(d, &text);
	if (d->env_file)
		buf_adds(&text, "[env-file]\n; Read where it exists; it stays out of git.\noptional = .env\n\n");
	add_volume(d, &text);
	if (d->settings)
		buf_adds(&text, "[ports]\n; `python3 manage.py runserver 0.0.0.0:8000` shows at http://localhost:8000\n"
		                "web = 8000\n\n");
	buf_adds(&text, ";[sandbox]\n; auto (the network of this machine) or none (only loopback)\n;network = auto\n"
	                "; yes: keep what is written outside project, home and volumes\n;persist = no\n");
	detect_config_supported(text.data, out);
}
