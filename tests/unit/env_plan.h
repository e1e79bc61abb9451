/* SPDX-License-Identifier: Apache-2.0 */
/* env_plan.h - for the tests of env/: preparing the fixture's project, and asking the plan. */
#ifndef TESTS_UNIT_ENV_PLAN_H
#define TESTS_UNIT_ENV_PLAN_H

#include "unit/env_fixture.h"

#define OFFLINE "[sandbox]\nnetwork = none\n"
#define LAYOUT "[base]\noci = layout\n"

UNUSED_FUNCTION static void prepare(const char *config)
{
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui, .yes = true };
	struct err e = ERR_INIT;
	struct environment env;

	if (config)
		fixture_write("devenv.ini", config);
	fixture_open(&env);
	assert_done(env_prepare(&env, ENV_FOR_RUN, &o, &e), e);
	env_release(&env);
}

UNUSED_FUNCTION static void prepare_fails(const char *config, enum err_code code, const char *says)
{
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui, .yes = true };
	struct err e = ERR_INIT;
	struct environment env;

	fixture_write("devenv.ini", config);
	fixture_open(&env);
	assert_error(env_prepare(&env, ENV_FOR_RUN, &o, &e), e, code, says);
	env_release(&env);
}

UNUSED_FUNCTION static char *plan_path(void)
{
	struct environment env;
	char *path;

	fixture_open(&env);
	path = path_join(env.state, "plan");
	env_release(&env);
	return path;
}

UNUSED_FUNCTION static void load(struct plan *p)
{
	cleanup_free char *path = plan_path();
	struct err e = ERR_INIT;

	assert_done(plan_load(p, path, &e), e);
}

UNUSED_FUNCTION static const char *variable(const struct plan *p, const char *name)
{
	size_t len = strlen(name);
	const char *found = NULL;

	for (size_t i = 0; i < p->env_count; i++) {
		if (strncmp(p->env[i], name, len) == 0 && p->env[i][len] == '=') {
			assert_null(found); /* once each */
			found = p->env[i] + len + 1;
		}
	}
	return found;
}

UNUSED_FUNCTION static const struct plan_mount *mount_at(const struct plan *p, const char *target)
{
	for (size_t i = 0; i < p->mount_count; i++)
		if (strcmp(p->mounts[i].target, target) == 0)
			return &p->mounts[i];
	return NULL;
}

/* In whichever of the two generated layers it is. */
static char *skeleton_path(const struct plan *p, const char *path)
{
	char *full = mem_printf("%s%s", p->layers[0], path);

	if (file_exists(AT_FDCWD, full))
		return full;
	free(full);
	return mem_printf("%s%s", p->layers[1], path);
}

UNUSED_FUNCTION static char *skeleton_text(const struct plan *p, const char *path)
{
	cleanup_free char *full = skeleton_path(p, path);
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_done(file_read(AT_FDCWD, full, 1 << 20, O_NOFOLLOW, &b, NULL, &e), e);
	return buf_steal(&b);
}

UNUSED_FUNCTION static mode_t skeleton_mode(const struct plan *p, const char *path)
{
	cleanup_free char *full = skeleton_path(p, path);
	struct stat st;

	return lstat(full, &st) < 0 ? 0 : st.st_mode;
}

#endif
