/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_template.c - `devenv template ls`: what `devenv init TEMPLATE` can start from. */
#include <jansson.h>

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "cli/template.h"

static int print_all(struct cli *c, const struct strlist *names, json_t *list, struct err *e)
{
	int width = 0;

	for (size_t i = 0; i < names->count; i++)
		if ((int)strlen(names->items[i]) > width)
			width = (int)strlen(names->items[i]);
	for (size_t i = 0; i < names->count; i++) {
		struct template_file t;

		if (template_load(names->items[i], &t, e) < 0)
			return -1;
		if (list)
			json_array_append_new(list, json_pack("{s:o,s:o}", "name", output_json_text(t.name),
			                                      "summary", output_json_text(t.summary)));
		else
			printf("%s%-*s%s  %s\n", output_begin(c, stdout, STYLE_CYAN), width, t.name,
			       output_end(c, stdout), t.summary);
		template_release(&t);
	}
	return 0;
}

int cmd_template_ls(struct cli *c, struct err *e)
{
	struct strlist names = STRLIST_INIT;
	json_t *list = c->json ? json_array() : NULL;
	int result = template_names(&names, e);

	if (result == 0)
		result = print_all(c, &names, list, e);
	if (result == 0 && list)
		result = output_json(c, json_pack("{s:O}", "templates", list), e);
	json_decref(list);
	strlist_release(&names);
	return result;
}
