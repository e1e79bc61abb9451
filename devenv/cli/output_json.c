/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_json.c - results and errors as JSON: one object on stdout, "schema": 1.
 *
 * Everything beyond ASCII is written as \u escapes, so that no text of a repository can act on the terminal it is shown
 * on.
 */
#include <jansson.h>

#include "cli/cli.h"

#include "base/text.h"

static int write_object(const struct cli *c, json_t *root)
{
	size_t flags = JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER |
	               (c->stdout_tty ? JSON_INDENT(2) : JSON_COMPACT);
	int failed = json_dumpf(root, stdout, flags) < 0;

	json_decref(root);
	return failed || fputc('\n', stdout) == EOF ? -1 : 0;
}

/* The schema number comes first, whatever the command put in. */
static json_t *with_schema(json_t *root /* takes */)
{
	json_t *all = json_object();

	json_object_set_new(all, "schema", json_integer(1));
	json_object_update(all, root);
	json_decref(root);
	return all;
}

int output_json(struct cli *c, json_t *root, struct err *e)
{
	if (!root)
		return err_set(e, ERR_FAILED, "can't make the JSON output");
	return write_object(c, with_schema(root)) < 0 ? err_sys(e, "can't write to standard output") : 0;
}

json_t *output_json_text(const char *s)
{
	cleanup_buf struct buf safe = BUF_INIT;
	json_t *text;

	if (!s)
		return json_null();
	text = json_string(s);
	if (text)
		return text;
	text_escape(&safe, s);
	return json_string(safe.data);
}

json_t *output_json_gaps(const struct env_gaps *gaps)
{
	json_t *list = json_array();

	for (size_t i = 0; i < gaps->count; i++)
		json_array_append_new(list,
		                      json_pack("{s:o,s:o,s:b,s:s?}", "name", output_json_text(gaps->items[i].name),
		                                "reason", output_json_text(gaps->items[i].reason), "personal",
		                                gaps->items[i].own, "platform", gaps->items[i].platform));
	return list;
}

void output_json_error(struct cli *c, const struct err *e)
{
	json_t *error = json_object();

	json_object_set_new(error, "code", json_string(err_code_name(e->code)));
	json_object_set_new(error, "message", output_json_text(e->msg));
	if (e->hint[0])
		json_object_set_new(error, "hint", output_json_text(e->hint));
	/* nothing more can be said when even this fails; close_stdout notices */
	(void)write_object(c, with_schema(json_pack("{s:o}", "error", error)));
}
