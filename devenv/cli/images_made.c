/* SPDX-License-Identifier: Apache-2.0 */
/* images_made.c - see images_made.h. */
#include "cli/images_made.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { STAGES_MAX = 16, NAMES_SHOWN = 4 };

/* "name version sha256" */
static bool is_package(const char *part)
{
	const char *last = strrchr(part, ' ');

	return last && text_is_hex(last + 1, 64) && memchr(part, ' ', (size_t)(last - part));
}

static const char *part_after(const struct strlist *parts, const char *word)
{
	for (size_t i = 0; i < parts->count; i++)
		if (text_starts(parts->items[i], word))
			return parts->items[i] + strlen(word);
	return "";
}

/* The first line of a script that says something, and whether there are more. */
static char *first_line(const char *script)
{
	size_t length;

	script += strspn(script, " \t\n");
	length = strcspn(script, "\n");
	return mem_printf("%.*s%s", (int)length, script, script[length] && script[length + 1] ? " ..." : "");
}

static char *names_of(const struct strlist *parts)
{
	struct buf b = BUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < parts->count; i++) {
		const char *part = parts->items[i];

		if (!is_package(part))
			continue;
		if (count < NAMES_SHOWN)
			buf_addf(&b, "%s%.*s", count ? ", " : "", (int)strcspn(part, " "), part);
		count++;
	}
	buf_adds(&b, count > NAMES_SHOWN ? ", ..." : "");
	return buf_steal(&b);
}

static void describe(struct made_stage *stage, const struct recipe_record *r)
{
	const char *script = part_after(&r->parts, "run "), *codename = part_after(&r->parts, "codename ");
	cleanup_free char *names = names_of(&r->parts), *line = first_line(script);

	for (size_t i = 0; i < r->parts.count; i++)
		stage->packages += is_package(r->parts.items[i]);
	if (strcmp(r->kind, "build") == 0) {
		stage->script = mem_strdup(script);
		stage->packages = 0;
		stage->text = mem_printf("[build] %s", line);
	} else if (*codename) {
		stage->text = mem_printf("debian %s: %zu packages %s", codename, stage->packages,
					 strcmp(r->kind, "unpacked") == 0 ? "unpacked" : "configured");
	} else {
		stage->text = mem_printf("[packages]%s %zu package%s: %s", strcmp(r->kind, "packages") == 0 ? "" : " of one's own,",
					 stage->packages, stage->packages == 1 ? "" : "s", names);
	}
}

static void reverse(struct made_stages *m)
{
	for (size_t i = 0; i < m->count / 2; i++) {
		struct made_stage other = m->items[i];

		m->items[i] = m->items[m->count - 1 - i];
		m->items[m->count - 1 - i] = other;
	}
}

void made_stages_find(const struct store *s, const char *digest, struct made_stages *out)
{
	char next[DIGEST_MAX];
	struct err ignored = ERR_INIT;

	*out = (struct made_stages){ 0 };
	snprintf(next, sizeof(next), "%s", digest);
	while (*next && out->count < STAGES_MAX) {
		struct store_image image;
		struct recipe_record record;

		if (store_image_load(s, next, &image, &ignored) < 0)
			break;
		if (recipe_parse(image.manifest, &record)) {
			struct made_stage stage = { .kind = mem_strdup(record.kind) };

			snprintf(stage.digest, sizeof(stage.digest), "%s", next);
			describe(&stage, &record);
			out->items = mem_grow(out->items, out->count, &out->cap, sizeof(*out->items));
			out->items[out->count++] = stage;
			snprintf(next, sizeof(next), "%s", record.below);
		} else {
			*next = '\0';
		}
		recipe_record_release(&record);
		store_image_release(&image);
	}
	reverse(out);
}

void made_stages_release(struct made_stages *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->items[i].kind);
		free(m->items[i].text);
		free(m->items[i].script);
	}
	free(m->items);
	*m = (struct made_stages){ 0 };
}
