/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_doctor.c - `devenv doctor`: run every check, show each with its remedy, fail when something must be mended. */
#include <jansson.h>

#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/doctor.h"
#include "cli/option_ids.h"
#include "env/machine.h"

static const char *const level_names[] = {
	[DOCTOR_OK] = "ok",     [DOCTOR_WARN] = "warn", [DOCTOR_FAIL] = "fail",
	[DOCTOR_INFO] = "info", [DOCTOR_SKIP] = "skip",
};

static void print_result(const struct cli *c, const struct doctor_check *check, const struct doctor_result *r)
{
	static const struct {
		const char *utf8, *ascii;
		enum style style;
	} marks[] = {
		[DOCTOR_OK] = { "✓", "ok  ", STYLE_GREEN }, [DOCTOR_WARN] = { "!", "warn", STYLE_YELLOW },
		[DOCTOR_FAIL] = { "✗", "FAIL", STYLE_RED }, [DOCTOR_INFO] = { "·", "info", STYLE_DIM },
		[DOCTOR_SKIP] = { "·", "skip", STYLE_DIM },
	};

	printf("  %s%s%s %-18s %s\n", output_begin(c, stdout, marks[r->level].style),
	       c->utf8 ? marks[r->level].utf8 : marks[r->level].ascii, output_end(c, stdout), check->title,
	       r->text);
	if (r->remedy[0])
		printf("      %s%s%s %s\n", output_begin(c, stdout, STYLE_CYAN),
		       r->level == DOCTOR_INFO ? "note:" : "mend:", output_end(c, stdout), r->remedy);
}

static json_t *result_json(const struct doctor_check *check, const struct doctor_result *r)
{
	return json_pack("{s:s,s:s,s:o,s:o}", "id", check->id, "level", level_names[r->level], "text",
	                 output_json_text(r->text), "remedy",
	                 r->remedy[0] ? output_json_text(r->remedy) : json_null());
}

/* `lacking`: what kinds of environments are not to be had, while others are. */
static void say_sum(struct cli *c, const size_t counts[DOCTOR_LEVELS], const struct strlist *lacking)
{
	cleanup_buf struct buf but = BUF_INIT;

	for (size_t i = 0; i < lacking->count; i++)
		buf_addf(&but, "%s%s", i ? ", " : " but none with ", lacking->items[i]);
	if (counts[DOCTOR_FAIL])
		output_notice(c, "%s to be mended before environments can run here",
		              counts[DOCTOR_FAIL] == 1
		                      ? "1 thing has"
		                      : output_count(counts[DOCTOR_FAIL], "thing has", "things have"));
	else if (counts[DOCTOR_WARN])
		output_notice(c, "environments run here,%s%s with %s", but.data ? but.data : "", but.len ? ";" : "",
		              output_count(counts[DOCTOR_WARN], "warning", "warnings"));
	else
		output_notice(c, "this machine has everything devenv needs");
}

static bool is_wanted(const struct cli *c, enum doctor_level level)
{
	if (c->quiet)
		return level == DOCTOR_WARN || level == DOCTOR_FAIL;
	return level != DOCTOR_SKIP || c->verbose;
}

/* What the remedy says, after asking; then the check is run again. 0: nothing changed, 1: mended or tried. */
static int mend(struct cli *c, const struct doctor_machine *m, const struct doctor_check *check,
                struct doctor_result *r, struct err *e)
{
	cleanup_free char *question = mem_printf("  %s: do that now?", r->remedy);
	int yes;

	if (!r->fix || (r->level != DOCTOR_WARN && r->level != DOCTOR_FAIL))
		return 0;
	if (c->dry_run) {
		output_notice(c, "would do: %s", r->remedy);
		return 1;
	}
	yes = ask_confirm(c, question, e);
	if (yes <= 0)
		return yes;
	if (r->fix(c, m, e) < 0)
		return -1;
	*r = (struct doctor_result){ .level = DOCTOR_OK };
	check->run(m, r);
	print_result(c, check, r);
	return 1;
}

/* What only root can do, for copying: on stdout, a command to a line. */
static void say_commands(struct cli *c, const struct strlist *commands)
{
	if (!commands->count)
		return;
	output_notice(c, "%s", commands->count == 1 ? "this needs root:" : "these need root:");
	for (size_t i = 0; i < commands->count; i++)
		printf("%s\n", commands->items[i]);
}

static int run_checks(struct cli *c, const struct doctor_machine *m, struct err *e)
{
	json_t *list = c->json ? json_array() : NULL;
	size_t counts[DOCTOR_LEVELS] = { 0 };
	cleanup_strlist struct strlist commands = STRLIST_INIT, lacking = STRLIST_INIT;
	int mended = 0;

	for (size_t i = 0; i < doctor_check_count; i++) {
		struct doctor_result r = { .level = DOCTOR_OK };

		doctor_checks[i].run(m, &r);
		if (list)
			json_array_append_new(list, result_json(&doctor_checks[i], &r));
		else if (is_wanted(c, r.level))
			print_result(c, &doctor_checks[i], &r);
		if (cli_has(c, OPTION_FIX)) {
			int did = mend(c, m, &doctor_checks[i], &r, e);

			if (did < 0)
				return -1;
			mended += did;
			if (r.as_root && (r.level == DOCTOR_FAIL || r.level == DOCTOR_WARN) && !strlist_has(&commands, r.remedy))
				strlist_add(&commands, r.remedy);
		}
		counts[r.level]++;
		if (r.lacking && !strlist_has(&lacking, r.lacking))
			strlist_add(&lacking, r.lacking);
	}
	say_commands(c, &commands);
	if (cli_has(c, OPTION_FIX) && !mended && !commands.count && counts[DOCTOR_FAIL] + counts[DOCTOR_WARN])
		output_notice(c, "nothing of that can be mended from here: what to do is said above");
	if (list) {
		if (output_json(c, json_pack("{s:b,s:o}", "ok", !counts[DOCTOR_FAIL], "checks", list), e) < 0)
			return -1;
	} else {
		say_sum(c, counts, &lacking);
	}
	return counts[DOCTOR_FAIL] ? 1 : 0;
}

int cmd_doctor(struct cli *c, struct err *e)
{
	const char *root = getenv("DEVENV_DOCTOR_ROOT");
	cleanup_close int root_fd = -1;
	struct err config = ERR_INIT;
	struct environment env;
	struct machine found;
	int result;

	if (cli_has(c, OPTION_FIX) && c->json)
		return err_set(e, ERR_USAGE, "doctor --fix has no JSON output: mend first, then `devenv doctor --json`");
	root_fd = file_open_dir(AT_FDCWD, root && *root ? root : "/", e);
	if (root_fd < 0)
		return -1;
	/* A config.ini that can't be read is a finding like others; what it would say is then left out. */
	if (cli_open_user(c, &env, &config) < 0) {
		env = (struct environment){ .lock_text = BUF_INIT };
		if (dirs_find(&env.dirs, e) < 0)
			return -1;
	}
	machine_look(&found, &env.dirs);
	result = run_checks(c, &(struct doctor_machine){ root_fd, &env.dirs, env.dirs.store, &config, &found,
	                                                c->offline ? NULL : &env.user }, e);
	env_release(&env);
	return result;
}
