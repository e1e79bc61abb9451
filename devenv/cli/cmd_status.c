/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_status.c - `devenv status`: where this project stands, on one screen, and the command that comes next.
 *
 * Reads only: no network, nothing created, no lock of the store waited for unless the image is there to be looked up.
 */
#include <jansson.h>

#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/limits_shown.h"
#include "env/building_failed.h"
#include "env/git_hooks.h"
#include "env/live.h"
#include "env/packages.h"
#include "env/stages.h"
#include "plan/plan.h"
#include "plan/running.h"

struct status {
	struct environment env;
	struct env_powers asked, missing;
	bool known; /* it was allowed before, if perhaps with fewer powers */
	struct env_gaps gaps;
	const char *digest; /* of the image that the lock, and what is built on it, come to; NULL */
	char digest_text[DIGEST_MAX];
	struct stage_state stages[STAGES_MAX];
	int stage_count;
	bool build_failed; /* and what it left is there */
	bool fetched;
	bool prepared;
	char *stale; /* the file that changed since; NULL */
	pid_t pid;
	bool lingers; /* it has no session */
	size_t earlier; /* environments of an earlier configuration that still run */
	pid_t earlier_pid;
	char *plan_id;
	struct strlist limits; /* a sentence each */
};

static void status_release(struct status *s)
{
	env_powers_release(&s->asked);
	env_powers_release(&s->missing);
	env_gaps_release(&s->gaps);
	env_release(&s->env);
	free(s->stale);
	free(s->plan_id);
	strlist_release(&s->limits);
}

/* What of the image is there. Opening a store makes it; asking should not. */
static void look_at_stages(struct status *s)
{
	struct store store;
	struct err unknown = ERR_INIT;
	bool opened = file_exists(AT_FDCWD, s->env.dirs.store) && env_store(&s->env, &store, &unknown) == 0;
	int count = s->gaps.count ? 0 : stages_look(&s->env, opened ? &store : NULL, s->stages, &unknown);

	s->fetched = count > 0;
	for (int i = 0; i < count; i++)
		s->fetched = s->fetched && s->stages[i].ready;
	s->stage_count = count < 0 ? 0 : count;
	if (count > 0) {
		snprintf(s->digest_text, sizeof(s->digest_text), "%s", s->stages[count - 1].digest);
		s->digest = s->digest_text;
	}
	s->build_failed = opened && s->env.config.build && building_failed_exists(&s->env, &store);
	if (opened)
		store_close(&store);
}

static void look_at_plan(struct status *s)
{
	cleanup_free char *path = path_join(s->env.state, "plan");
	struct plan plan;
	struct err e = ERR_INIT;
	const char *stale;

	plan_init(&plan);
	if (plan_load(&plan, path, &e) == 0) {
		/* a file that was young then is asked about again at the next enter; it has not changed for that */
		for (size_t i = 0; i < plan.watch_count; i++)
			plan.watches[i].young = false;
		stale = plan_stale(&plan);
		if (!stale && strcmp(plan.store, s->env.store_found) != 0)
			stale = "the place of the store";
		s->stale = stale ? mem_strdup(stale) : NULL;
		s->prepared = !stale;
		s->plan_id = mem_strdup(plan.id);
		s->pid = running_pid(&s->env.dirs, plan.id);
		limits_shown_plan(&plan, &s->env.dirs, &s->limits);
		s->lingers = running_lingers(&s->env.dirs, plan.id);
	}
	plan_release(&plan);
	s->earlier = live_earlier(&s->env.dirs, s->env.state, s->plan_id ? s->plan_id : "", true,
	                          &s->earlier_pid);
}

static int collect(struct cli *c, struct status *s, struct err *e)
{
	if (cli_open(c, &s->env, e) < 0)
		return -1;
	if (env_powers(&s->env, &s->asked, e) < 0 ||
	    env_powers_missing(&s->env, &s->asked, &s->missing, &s->known, e) < 0) {
		status_release(s);
		return -1;
	}
	env_gaps_find(&s->env, &s->gaps);
	env_gaps_find_needs(&s->env, &s->gaps);
	look_at_stages(s);
	look_at_plan(s);
	return 0;
}

static const char *base_text(const struct config *config)
{
	static const char *const prefixes[] = {
		[CONFIG_BASE_OCI] = "oci:", [CONFIG_BASE_ARCHIVE] = "archive:", [CONFIG_BASE_DEBIAN] = "debian:"
	};
	const char *prefix = config->base < ARRAY_SIZE(prefixes) ? prefixes[config->base] : NULL;
	static char text[512];

	if (config->base == CONFIG_BASE_NONE)
		return "none";
	snprintf(text, sizeof(text), "%s%s", prefix ? prefix : "", config->base_value);
	return text;
}

static bool is_allowed(const struct status *s)
{
	return s->known && s->missing.count == 0;
}

static bool is_locked(const struct status *s)
{
	return s->env.lock_error.code == ERR_NONE && s->gaps.count == 0; /* a malformed devenv.local.lock is a gap */
}

enum mark { MARK_NONE, MARK_DONE, MARK_MISSING };

static void print_line(struct cli *c, const char *label, enum mark mark, const char *text)
{
	static const struct {
		const char *utf8, *ascii;
		enum style style;
	} marks[] = {
		[MARK_NONE] = { " ", " ", STYLE_NONE },
		[MARK_DONE] = { "✓", "+", STYLE_GREEN },
		[MARK_MISSING] = { "✗", "-", STYLE_YELLOW },
	};
	cleanup_buf struct buf safe = BUF_INIT;

	text_escape(&safe, text);
	printf("  %s%-8s%s %s%s%s %s\n", output_begin(c, stdout, STYLE_DIM), label, output_end(c, stdout),
	       output_begin(c, stdout, marks[mark].style), c->utf8 ? marks[mark].utf8 : marks[mark].ascii,
	       output_end(c, stdout), safe.data);
}

/* One line with a mark: done, or not with what is missing. */
static void print_step(struct cli *c, const char *label, bool done, const char *text)
{
	print_line(c, label, done ? MARK_DONE : MARK_MISSING, text);
}

static void print_locked(struct cli *c, const struct status *s)
{
	const struct err *bad = &s->env.lock_error;

	if (bad->code != ERR_NONE) {
		print_step(c, "locked", false, bad->msg);
		return;
	}
	if (s->gaps.count == 0)
		print_step(c, "locked", true, s->digest && *s->digest ? s->digest : "yes");
	for (size_t i = 0; i < s->gaps.count; i++) {
		cleanup_free char *line = env_gap_text(&s->gaps.items[i], true);

		print_step(c, i == 0 ? "locked" : "", false, line);
	}
}

/* What devenv.local.ini adds, as it says it. */
static void print_own(struct cli *c, const struct status *s)
{
	const struct strlist *own = &s->env.config.packages_own;
	cleanup_buf struct buf words = BUF_INIT;

	for (size_t i = 0; i < own->count; i++)
		buf_addf(&words, "%s%s", i ? " " : "", own->items[i]);
	if (own->count)
		print_line(c, PACKAGES_OWN, MARK_NONE, words.data);
}

static void print_allowed(struct cli *c, const struct status *s)
{
	cleanup_free char *line = NULL;

	if (is_allowed(s))
		line = mem_strdup(s->asked.count ? output_count(s->asked.count, "power", "powers")
		                                 : "asks for nothing outside its sandbox");
	else if (s->known)
		line = mem_printf("%s not granted yet", output_count(s->missing.count, "power", "powers"));
	else
		line = mem_printf("not asked yet (%s)", output_count(s->asked.count, "power", "powers"));
	print_step(c, "allowed", is_allowed(s), line);
}

static void print_stage(struct cli *c, const struct stage_state *stage, const char *label)
{
	cleanup_free char *count = mem_printf(", %zu package%s", stage->packages, stage->packages == 1 ? "" : "s");
	const char *pending = strcmp(stage->name, "build") == 0 ? "to be built" : stage->packages ? "to be made" : "to be fetched";
	cleanup_free char *line = mem_printf("%s: %s%s", stage->name, stage->ready ? "ready" : pending,
					     stage->packages ? count : "");

	print_step(c, label, stage->ready, line);
}

/* An image that is only fetched has one stage, and "fetched" says all. */
static void print_stages(struct cli *c, const struct status *s)
{
	bool several = s->stage_count > 1 || (s->stage_count == 1 && s->stages[0].packages);

	for (int i = 0; several && i < s->stage_count; i++)
		print_stage(c, &s->stages[i], i ? "" : "image");
	if (s->build_failed)
		print_step(c, several ? "" : "image", false, "the last build failed: `devenv build --shell` opens a shell where it stopped");
	if (several)
		return;
	print_step(c, "fetched", s->fetched,
	           !s->fetched       ? "no"
	           : s->gaps.count   ? "what the lock answered is; devenv.ini asks for something else now"
	                             : "in the store");
}

static void print_prepared(struct cli *c, const struct status *s)
{
	const char *below = s->stale && s->env.project ? path_below(s->stale, s->env.project) : NULL;
	cleanup_free char *line = NULL;

	if (s->prepared)
		line = mem_strdup("up to date");
	else if (s->stale)
		line = mem_printf("%s has changed since", below && *below ? below : s->stale);
	else
		line = mem_strdup("not yet");
	print_step(c, "prepared", s->prepared, line);
}

static const char *next_command(const struct status *s)
{
	if (s->env.lock_error.code != ERR_NONE || (s->env.has_lock && env_gaps_count(&s->gaps, false)))
		return "devenv lock";
	if (!is_allowed(s))
		return "devenv enter, which asks for its powers first";
	return "devenv enter";
}

/* Whose sessions: of the configuration as it is now, or as it was when they started. */
static char *running_text(const struct status *s)
{
	if (!s->pid && !s->earlier)
		return mem_strdup("no");
	if (!s->earlier)
		return mem_printf("%s, its pid 1 is %d", s->lingers ? "lingering after its last session" : "yes", (int)s->pid);
	return mem_printf("yes, %s%zu of an earlier configuration (pid 1 is %d)", s->pid ? "and " : "", s->earlier,
	                  (int)s->earlier_pid);
}

static void print_screen(struct cli *c, const struct status *s)
{
	cleanup_buf struct buf name = BUF_INIT, project = BUF_INIT;
	cleanup_free char *running = NULL;

	text_escape(&name, s->env.name);
	text_escape(&project, s->env.project);
	printf("%s%s%s  %s\n", output_begin(c, stdout, STYLE_BOLD), name.data, output_end(c, stdout),
	       project.data);
	print_line(c, "base", MARK_NONE, base_text(&s->env.config));
	print_own(c, s);
	print_allowed(c, s);
	print_locked(c, s);
	print_stages(c, s);
	print_prepared(c, s);
	running = running_text(s);
	print_line(c, "running", MARK_NONE, running);
	for (size_t i = 0; i < s->limits.count; i++)
		print_line(c, i ? "" : "limits", MARK_NONE, s->limits.items[i]);
	if (s->env.config.git_hook_count && git_hooks_are_missing(&s->env))
		print_step(c, "hooks", false, "[git-hooks] are not installed: devenv git-hooks install");
	if (c->verbose) {
		print_line(c, "state", MARK_NONE, s->env.state);
		print_line(c, "store", MARK_NONE, s->env.dirs.store);
		print_line(c, "plan", MARK_NONE, s->plan_id ? s->plan_id : "none");
	}
	if (!s->pid)
		printf("\n  %snext:%s %s\n", output_begin(c, stdout, STYLE_CYAN), output_end(c, stdout),
		       next_command(s));
}

static json_t *powers_json(const struct env_powers *powers)
{
	json_t *list = json_array();

	for (size_t i = 0; i < powers->count; i++)
		json_array_append_new(list,
		                      json_pack("{s:o,s:o}", "key", output_json_text(powers->items[i].key),
		                                "text", output_json_text(powers->items[i].text)));
	return list;
}

static json_t *own_json(const struct status *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->env.config.packages_own.count; i++)
		json_array_append_new(list, output_json_text(s->env.config.packages_own.items[i]));
	return list;
}

static json_t *stages_json(const struct status *s)
{
	json_t *list = json_array();

	for (int i = 0; i < s->stage_count; i++)
		json_array_append_new(list, json_pack("{s:s,s:o,s:I,s:b}", "name", s->stages[i].name, "digest",
		                                      output_json_text(s->stages[i].digest), "packages",
		                                      (json_int_t)s->stages[i].packages, "ready", s->stages[i].ready));
	return list;
}

static json_t *status_json(const struct status *s)
{
	const struct err *bad = &s->env.lock_error;
	json_t *root = json_object(), *limits = json_array();

	json_object_set_new(root, "name", output_json_text(s->env.name));
	json_object_set_new(root, "project", output_json_text(s->env.project));
	json_object_set_new(root, "base", output_json_text(base_text(&s->env.config)));
	json_object_set_new(root, "personal_packages", own_json(s));
	json_object_set_new(root, "allowed", json_boolean(is_allowed(s)));
	json_object_set_new(root, "powers", powers_json(&s->asked));
	json_object_set_new(root, "powers_missing", powers_json(&s->missing));
	json_object_set_new(root, "locked", json_boolean(is_locked(s)));
	json_object_set_new(root, "lock_gaps", output_json_gaps(&s->gaps));
	json_object_set_new(root, "lock_error",
	                    bad->code == ERR_NONE ? json_null() : output_json_text(bad->msg));
	json_object_set_new(root, "digest", output_json_text(s->digest));
	json_object_set_new(root, "fetched", json_boolean(s->fetched));
	json_object_set_new(root, "stages", stages_json(s));
	json_object_set_new(root, "build_failed", json_boolean(s->build_failed));
	json_object_set_new(root, "prepared", json_boolean(s->prepared));
	json_object_set_new(root, "stale", output_json_text(s->stale));
	json_object_set_new(root, "git_hooks_missing",
	                    json_boolean(s->env.config.git_hook_count && git_hooks_are_missing(&s->env)));
	for (size_t i = 0; i < s->limits.count; i++)
		json_array_append_new(limits, output_json_text(s->limits.items[i]));
	json_object_set_new(root, "limits", limits);
	json_object_set_new(root, "running", json_boolean(s->pid > 0 || s->earlier > 0));
	json_object_set_new(root, "lingering", json_boolean(s->lingers));
	json_object_set_new(root, "running_earlier", json_integer((json_int_t)s->earlier));
	json_object_set_new(root, "pid", s->pid > 0 ? json_integer(s->pid) : json_null());
	json_object_set_new(root, "plan", output_json_text(s->plan_id));
	json_object_set_new(root, "state", output_json_text(s->env.state));
	json_object_set_new(root, "store", output_json_text(s->env.dirs.store));
	return root;
}

int cmd_status(struct cli *c, struct err *e)
{
	struct status s = { 0 };
	int result = 0;

	if (collect(c, &s, e) < 0)
		return -1;
	if (c->json)
		result = output_json(c, status_json(&s), e);
	else
		print_screen(c, &s);
	status_release(&s);
	return result;
}
