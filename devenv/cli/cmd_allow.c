/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_allow.c - `devenv allow` and `devenv deny`: grant or withdraw the powers a project asks for. */
#include <jansson.h>

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/option_ids.h"

struct question {
	struct environment env;
	struct env_powers asked, missing;
	bool known;
	bool extended; /* what is extended was fetched just now, and that much granted */
};

static void question_release(struct question *q)
{
	env_powers_release(&q->asked);
	env_powers_release(&q->missing);
	env_release(&q->env);
}

static bool is_missing(const struct question *q, const char *key)
{
	for (size_t i = 0; i < q->missing.count; i++)
		if (strcmp(q->missing.items[i].key, key) == 0)
			return true;
	return false;
}

static json_t *question_json(const struct question *q, bool granted)
{
	json_t *root = json_object(), *list = json_array();

	for (size_t i = 0; i < q->asked.count; i++) {
		const struct env_power *p = &q->asked.items[i];

		json_array_append_new(list, json_pack("{s:o,s:o,s:b}", "key", output_json_text(p->key),
		                                      "text", output_json_text(p->text), "granted",
		                                      granted || !is_missing(q, p->key)));
	}
	json_object_set_new(root, "project", output_json_text(q->env.project));
	json_object_set_new(root, "allowed", json_boolean(granted || (q->known && q->missing.count == 0)));
	json_object_set_new(root, "powers", list);
	return root;
}

static int show(struct cli *c, const struct question *q, struct err *e)
{
	cleanup_buf struct buf safe = BUF_INIT;

	if (c->json)
		return output_json(c, question_json(q, false), e);
	text_escape(&safe, q->env.project);
	printf("%s%s%s asks for%s\n", output_begin(c, stdout, STYLE_BOLD), safe.data, output_end(c, stdout),
	       q->asked.count ? ":" : " nothing outside its sandbox.");
	for (size_t i = 0; i < q->asked.count; i++) {
		bool missing = is_missing(q, q->asked.items[i].key);

		printf("  %s%-11s%s %s\n", output_begin(c, stdout, missing ? STYLE_YELLOW : STYLE_GREEN),
		       missing ? "not granted" : "granted", output_end(c, stdout), q->asked.items[i].text);
	}
	if (q->missing.count || !q->known)
		printf("\n  %snext:%s devenv allow\n", output_begin(c, stdout, STYLE_CYAN),
		       output_end(c, stdout));
	return 0;
}

static int refuse_unasked(const struct question *q, struct err *e)
{
	cleanup_buf struct buf list = BUF_INIT;

	for (size_t i = 0; i < q->missing.count; i++)
		buf_addf(&list, "\n  %s", q->missing.items[i].text);
	err_set_(e, ERR_NOT_ALLOWED, "there is no terminal to ask on; the project asks for%s%s",
	         q->missing.count ? ":" : " nothing outside its sandbox", list.data);
	return err_hint(e, "grant it with `devenv allow --yes`");
}

static int grant(struct cli *c, struct question *q, struct err *e)
{
	cleanup_strlist struct strlist texts = STRLIST_INIT;

	if (q->known && q->missing.count == 0 && !q->extended) {
		if (c->json)
			return output_json(c, question_json(q, true), e);
		output_notice(c, "%s was allowed before", text_safe(q->env.project));
		return 0;
	}
	for (size_t i = 0; i < q->missing.count; i++)
		strlist_add(&texts, q->missing.items[i].text);
	if (!c->yes && !(q->extended && q->missing.count == 0)) {
		if (!c->ui.interactive)
			return refuse_unasked(q, e);
		if (!ask_powers(c, q->env.project, &texts, q->known))
			return err_set(e, ERR_NOT_ALLOWED, "not allowed; nothing was changed");
	}
	if (env_allow(&q->env, &q->asked, e) < 0)
		return -1;
	if (c->json)
		return output_json(c, question_json(q, true), e);
	output_notice(c, "allowed %s: %s", text_safe(q->env.project),
	              output_count(q->asked.count, "power", "powers"));
	return 0;
}

int cmd_allow(struct cli *c, struct err *e)
{
	struct question q = { 0 };
	int result;

	if (cli_open(c, &q.env, e) < 0)
		return -1;
	/* What is extended has to be here before it can be said what it asks for. */
	q.extended = q.env.incomplete;
	if (!cli_has(c, OPTION_SHOW) && !c->dry_run && env_extend(&q.env, &c->options, e) < 0) {
		env_release(&q.env);
		return -1;
	}
	if (env_powers(&q.env, &q.asked, e) < 0 ||
	    env_powers_missing(&q.env, &q.asked, &q.missing, &q.known, e) < 0)
		result = -1;
	else if (cli_has(c, OPTION_SHOW) || c->dry_run)
		result = show(c, &q, e);
	else
		result = grant(c, &q, e);
	question_release(&q);
	return result;
}

int cmd_deny(struct cli *c, struct err *e)
{
	struct environment env;
	int result;

	if (cli_open(c, &env, e) < 0)
		return -1;
	result = env_deny(&env, e);
	if (result == 0 && c->json)
		result = output_json(
			c, json_pack("{s:o,s:b}", "project", output_json_text(env.project), "allowed", 0), e);
	else if (result == 0)
		output_notice(c, "denied %s: the next enter asks again", text_safe(env.project));
	env_release(&env);
	return result;
}
