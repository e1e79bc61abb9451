/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_image_show.c - `devenv image inspect` and `devenv image history`: what one image is made of. */
#include <jansson.h>

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/images.h"
#include "cli/images_made.h"

struct shown {
	struct images images;
	const struct store_list_item *item;
	struct store_image image;
	struct oci_config config;
	struct made_stages made; /* over what the config tells of */
};

static int shown_open(struct cli *c, struct shown *s, struct err *e)
{
	if (images_open(c, &s->images, e) < 0)
		return -1;
	s->item = images_find(&s->images, c->operands[0], e);
	if (!s->item || store_image_load(&s->images.store, s->item->digest, &s->image, e) < 0)
		goto fail;
	if (oci_config_parse(s->image.config, strlen(s->image.config), &s->config, e) == 0) {
		made_stages_find(&s->images.store, s->item->digest, &s->made);
		return 0;
	}
	store_image_release(&s->image);
fail:
	images_close(&s->images);
	return -1;
}

static void shown_close(struct shown *s)
{
	made_stages_release(&s->made);
	oci_config_release(&s->config);
	store_image_release(&s->image);
	images_close(&s->images);
}

static json_t *list_json(const struct strlist *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, output_json_text(list->items[i]));
	return array;
}

static json_t *layers_json(const struct shown *s)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->image.chain_ids.count; i++) {
		cleanup_free char *path = store_layer_path(&s->images.store, s->image.chain_ids.items[i]);

		json_array_append_new(array,
		                      json_pack("{s:o,s:o,s:I,s:o}", "chain_id",
		                                output_json_text(s->image.chain_ids.items[i]), "diff_id",
		                                i < s->config.diff_ids.count
		                                        ? output_json_text(s->config.diff_ids.items[i])
		                                        : json_null(),
		                                "bytes",
		                                (json_int_t)store_layer_bytes(&s->images.store,
		                                                              s->image.chain_ids.items[i]),
		                                "path", output_json_text(path)));
	}
	return array;
}

static json_t *stage_json(const struct shown *s, const struct made_stage *stage)
{
	return json_pack("{s:o,s:o,s:I,s:o,s:o,s:I}", "digest", output_json_text(stage->digest), "kind", output_json_text(stage->kind),
	                 "packages", (json_int_t)stage->packages, "made_by", output_json_text(stage->text), "script",
	                 stage->script ? output_json_text(stage->script) : json_null(), "bytes",
	                 (json_int_t)store_layer_bytes(&s->images.store, stage->digest));
}

static json_t *stages_json(const struct shown *s)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->made.count; i++)
		json_array_append_new(array, stage_json(s, &s->made.items[i]));
	return array;
}

static json_t *inspect_json(const struct shown *s)
{
	const struct oci_config *k = &s->config;
	json_t *root = json_object();

	json_object_set_new(root, "name", output_json_text(s->item->reference));
	json_object_set_new(root, "digest", output_json_text(s->item->digest));
	json_object_set_new(root, "os", output_json_text(k->os));
	json_object_set_new(root, "architecture", output_json_text(k->architecture));
	json_object_set_new(root, "created", output_json_text(k->created));
	json_object_set_new(root, "bytes", json_integer((json_int_t)s->item->bytes));
	json_object_set_new(root, "env", list_json(&k->env));
	json_object_set_new(root, "entrypoint", list_json(&k->entrypoint));
	json_object_set_new(root, "cmd", list_json(&k->cmd));
	json_object_set_new(root, "user", output_json_text(k->user));
	json_object_set_new(root, "workdir", output_json_text(k->workdir));
	json_object_set_new(root, "stop_signal", output_json_text(k->stop_signal));
	json_object_set_new(root, "layers", layers_json(s));
	json_object_set_new(root, "stages", stages_json(s));
	return root;
}

static char *command_line(const struct strlist *words)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < words->count; i++)
		buf_addf(&b, strpbrk(words->items[i], " \t\n\"'") ? "%s'%s'" : "%s%s", i ? " " : "",
		         words->items[i]);
	return buf_steal(&b);
}

static void field(struct cli *c, const char *label, const char *value)
{
	if (*value)
		output_field(c, 12, label, "%s", value);
}

static void inspect_screen(struct cli *c, const struct shown *s)
{
	const struct oci_config *k = &s->config;
	cleanup_free char *entrypoint = command_line(&k->entrypoint), *cmd = command_line(&k->cmd);

	printf("%s%s%s\n", output_begin(c, stdout, STYLE_BOLD),
	       s->item->reference ? text_safe(s->item->reference) : "<no name>", output_end(c, stdout));
	field(c, "digest", s->item->digest);
	output_field(c, 12, "platform", "%s/%s", k->os, k->architecture);
	field(c, "created", k->created);
	output_field(c, 12, "size", "%s", text_bytes(s->item->bytes));
	field(c, "user", k->user);
	field(c, "workdir", k->workdir);
	field(c, "entrypoint", entrypoint);
	field(c, "cmd", cmd);
	field(c, "stop signal", k->stop_signal);
	for (size_t i = 0; i < k->env.count; i++)
		output_field(c, 12, i ? "" : "env", "%s", k->env.items[i]);
	for (size_t i = 0; i < s->made.count; i++) {
		cleanup_free char *line = mem_printf("%s  %s", output_short_digest(s->made.items[i].digest), s->made.items[i].text);

		field(c, i ? "" : "made of", line);
	}
	for (size_t i = 0; i < s->image.chain_ids.count; i++)
		output_field(c, 12, i ? "" : "layers", "%s %9s",
		             output_short_digest(s->image.chain_ids.items[i]),
		             text_bytes(store_layer_bytes(&s->images.store, s->image.chain_ids.items[i])));
}

int cmd_image_inspect(struct cli *c, struct err *e)
{
	struct shown s;
	int result = 0;

	if (shown_open(c, &s, e) < 0)
		return -1;
	if (c->json)
		result = output_json(c, inspect_json(&s), e);
	else
		inspect_screen(c, &s);
	shown_close(&s);
	return result;
}

/* ---- history ---- */

/* Steps that made no layer have no size. `layer` counts those that did, bottom first. */
struct step {
	const char *text;
	bool empty;
	const char *chain_id; /* NULL where empty or unknown */
	const struct made_stage *stage; /* NULL: not made here */
};

/* What made the stages that stand on it comes after what the config tells. */
static struct step made_step(const struct shown *s, size_t n)
{
	return (struct step){ .text = s->made.items[n].text, .chain_id = s->made.items[n].digest, .stage = &s->made.items[n] };
}

static struct step step_at(const struct shown *s, size_t n, size_t *layer)
{
	struct step step = { .text = s->config.history.items[n], .empty = s->config.history_empty[n] != 0 };

	if (!step.empty && *layer < s->image.chain_ids.count)
		step.chain_id = s->image.chain_ids.items[(*layer)++];
	return step;
}

static uint64_t step_bytes(const struct shown *s, const struct step *step)
{
	return step->chain_id ? store_layer_bytes(&s->images.store, step->chain_id) : 0;
}

/* What build tools put around a command says nothing. */
static const char *without_noise(const char *text)
{
	static const char *const noise[] = { "/bin/sh -c #(nop) ", "/bin/sh -c ", "|0 " };

	for (size_t i = 0; i < ARRAY_SIZE(noise); i++)
		if (text_starts(text, noise[i]))
			text += strlen(noise[i]);
	while (*text == ' ')
		text++;
	return text;
}

static void print_step(const struct cli *c, const struct shown *s, const struct step *step)
{
	cleanup_buf struct buf line = BUF_INIT, safe = BUF_INIT;
	bool space = false;

	for (const char *p = without_noise(step->text); *p; p++) {
		bool blank = *p == ' ' || *p == '\t' || *p == '\n';

		if (!blank && space && line.len)
			buf_addch(&line, ' ');
		if (!blank)
			buf_addch(&line, *p);
		space = blank;
	}
	text_escape(&safe, line.data);
	if (!c->verbose && safe.len > 100) {
		size_t cut = 99;

		while (cut > 0 && ((unsigned char)safe.data[cut] & 0xc0) == 0x80)
			cut--;
		safe.data[cut] = '\0';
		printf("%-12s  %9s  %s%s\n", step->chain_id ? output_short_digest(step->chain_id) : "",
		       step->empty ? "" : text_bytes(step_bytes(s, step)), safe.data, c->utf8 ? "…" : "...");
		return;
	}
	printf("%-12s  %9s  %s\n", step->chain_id ? output_short_digest(step->chain_id) : "",
	       step->empty ? "" : text_bytes(step_bytes(s, step)), safe.data);
}

static json_t *step_json(const struct shown *s, const struct step *step)
{
	const char *text = step->stage && step->stage->script ? step->stage->script : step->text;

	return json_pack("{s:o,s:b,s:o,s:I,s:o,s:o}", "created_by", output_json_text(text), "empty", step->empty, "chain_id",
	                 output_json_text(step->chain_id), "bytes", (json_int_t)step_bytes(s, step), "kind",
	                 step->stage ? output_json_text(step->stage->kind) : json_null(), "packages",
	                 step->stage && step->stage->packages ? json_integer((json_int_t)step->stage->packages) : json_null());
}

int cmd_image_history(struct cli *c, struct err *e)
{
	json_t *list = c->json ? json_array() : NULL;
	struct shown s;
	size_t layer = 0;
	int result = 0;

	if (shown_open(c, &s, e) < 0) {
		json_decref(list);
		return -1;
	}
	if (!list)
		printf("%s%-12s  %9s  %s%s\n", output_begin(c, stdout, STYLE_DIM), "LAYER", "SIZE",
		       "STEP, the first one first", output_end(c, stdout));
	for (size_t i = 0; i < s.config.history.count + s.made.count; i++) {
		size_t own = s.config.history.count;
		struct step step = i < own ? step_at(&s, i, &layer) : made_step(&s, i - own);

		if (list)
			json_array_append_new(list, step_json(&s, &step));
		else
			print_step(c, &s, &step);
	}
	if (list)
		result = output_json(c, json_pack("{s:s,s:o}", "digest", s.item->digest, "history", list), e);
	shown_close(&s);
	return result;
}
