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

static void say_sum(struct cli *c, const size_t counts[DOCTOR_LEVELS])
{
	if (counts[DOCTOR_FAIL])
		output_notice(c, "%s to be mended before environments can run here",
		              counts[DOCTOR_FAIL] == 1
		                      ? "1 thing has"
		                      : output_count(counts[DOCTOR_FAIL], "thing has", "things have"));
	else if (counts[DOCTOR_WARN])
		output_notice(c, "environments run here, with %s",
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

static int run_checks(struct cli *c, const struct doctor_machine *m, struct err *e)
{
	json_t *list = c->json ? json_array() : NULL;
	size_t counts[DOCTOR_LEVELS] = { 0 };

	for (size_t i = 0; i < doctor_check_count; i++) {
		struct doctor_result r = { .level = DOCTOR_OK };

		doctor_checks[i].run(m, &r);
		counts[r.level]++;
		if (list)
			json_array_append_new(list, result_json(&doctor_checks[i], &r));
		else if (is_wanted(c, r.level))
			print_result(c, &doctor_checks[i], &r);
	}
	if (list) {
		if (output_json(c, json_pack("{s:b,s:o}", "ok", !counts[DOCTOR_FAIL], "checks", list), e) < 0)
			return -1;
	} else {
		say_sum(c, counts);
	}
	return counts[DOCTOR_FAIL] ? 1 : 0;
}

int cmd_doctor(struct cli *c, struct err *e)
{
	const char *root = getenv("DEVENV_DOCTOR_ROOT");
	cleanup_close int root_fd = -1;
	struct err config = ERR_INIT;
	struct environment env;
	int result;

	if (cli_has(c, OPTION_FIX))
		return err_set(e, ERR_UNSUPPORTED, "devenv doctor --fix is not supported yet");
	root_fd = file_open_dir(AT_FDCWD, root && *root ? root : "/", e);
	if (root_fd < 0)
		return -1;
	/* A config.ini that can't be read is a finding like others; what it would say is then left out. */
	if (cli_open_user(c, &env, &config) < 0) {
		env = (struct environment){ .lock_text = BUF_INIT };
		if (dirs_find(&env.dirs, e) < 0)
			return -1;
	}
	result = run_checks(c, &(struct doctor_machine){ root_fd, &env.dirs, env.dirs.store, &config }, e);
	env_release(&env);
	return result;
}
