/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planning.c - the plan of a project: everything its config, its lock and its image decide, decided once.
 *
 * Later values of a variable win: the image's, ours, env files (required, then optional), [env].
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/text.h"
#include "env/accounts.h"
#include "env/binding.h"
#include "env/checkout.h"
#include "env/devices.h"
#include "env/draft.h"
#include "env/fetching.h"
#include "env/git_hooks.h"
#include "env/gitconfig.h"
#include "env/inputs.h"
#include "env/inside.h"
#include "env/packages.h"
#include "env/place.h"
#include "env/repository.h"
#include "env/setup.h"
#include "env/stages.h"
#include "env/trust.h"

#define WORKSPACE BINDING_WORKSPACE

/* ---- places inside ---- */

static int place_home_and_project(struct draft *d, struct err *e)
{
	const struct environment *env = d->env;
	const struct config *c = &env->config;
	const char *target = c->workspace_target;
	struct plan *p = &d->plan;

	if (!target || strcmp(target, "same") == 0)
		target = env->project;
	p->home = draft_target(d, c->user_root ? "/root" : env->dirs.home, "the home directory", e);
	p->project_target = p->home ? draft_target(d, target, "the project", e) : NULL;
	if (!p->project_target)
		return -1;
	if (strcmp(p->home, p->project_target) == 0) {
		cleanup_buf struct buf origin = BUF_INIT;

		config_origin(c, "workspace", "target", NULL, &origin);
		return err_set(e, ERR_CONFIG, "%s: [workspace] target: %s is the home directory inside",
			       text_safe(origin.data), text_safe(target));
	}
	p->workdir = p->project_target;
	/* Not where the image's own /workspace, or a parent of the project, is meant. */
	if (path_is_below(p->project_target, WORKSPACE))
		return 0;
	if (skeleton_add_link(&d->skeleton, WORKSPACE, p->project_target, e) < 0)
		return -1;
	skeleton_own(&d->skeleton, WORKSPACE);
	return 0;
}

static int mount_home_and_project(struct draft *d, struct err *e)
{
	struct environment *env = d->env;
	struct plan *p = &d->plan;
	struct stat st;

	if (checkout_is_there(env, &st, e) < 0)
		return -1;
	if (env->untrusted)
		plan_add_mount(p, (struct plan_mount){ .kind = PLAN_TMPFS, .host = "", .target = p->home });
	else
		plan_add_mount(p, (struct plan_mount){ .kind = PLAN_BIND,
						       .flags = PLAN_MOUNT_MAKE_HOST,
						       .host = draft_keep(d, path_join(env->state, "home")),
						       .target = p->home });
	if (place_repository(env))
		return 0; /* repository.c mounts what it lies in */
	plan_add_mount(p, (struct plan_mount){ .kind = env->untrusted ? PLAN_VIEW : PLAN_BIND,
					       .host = env->project,
					       .target = p->project_target,
					       .dev = st.st_dev,
					       .ino = st.st_ino });
	return 0;
}

/* ---- who ---- */

static int set_accounts(struct draft *d, struct err *e)
{
	struct plan *p = &d->plan;
	bool root = d->env->config.user_root;
	cleanup_free char *login = root ? mem_strdup("root") : accounts_login();
	cleanup_buf struct buf passwd = BUF_INIT, group = BUF_INIT;
	struct account ours = { .name = login, .home = (char *)p->home, .shell = (char *)p->shell };

	p->uid = ours.uid = root ? 0 : getuid();
	p->root = root;
	p->gid = ours.gid = root ? 0 : getgid();
	accounts_format_passwd(d->passwd.data, &ours, &passwd);
	accounts_format_group(d->group.data, login, p->gid, &group);
	if (skeleton_add_file(&d->skeleton, "/etc/passwd", passwd.data, e) < 0)
		return -1;
	return skeleton_add_file(&d->skeleton, "/etc/group", group.data, e);
}

static int choose_shell(struct draft *d, struct err *e)
{
	const struct environment *env = d->env;
	const char *const wanted[] = { env->user.shell, env->config.shell, "bash", "sh" };
	const char *found = NULL;

	for (size_t i = 0; !found && i < ARRAY_SIZE(wanted); i++) {
		if (!wanted[i])
			continue;
		found = draft_find_program(d, wanted[i], e);
		if (!found && e->code)
			return -1;
		if (!found && i == 1) {
			cleanup_buf struct buf origin = BUF_INIT;

			config_origin(&env->config, "workspace", "shell", NULL, &origin);
			err_set(e, ERR_CONFIG, "%s: [workspace] shell = %s: %s has no such program",
				text_safe(origin.data), text_safe(wanted[i]), text_safe(d->plan.image));
			return err_hint(e, "name a shell that the image has, or leave the key out");
		}
	}
	d->plan.shell = found ? found : "/bin/sh";
	return 0;
}

/* ---- variables ---- */

/* [workspace] path first, then what the image says. */
static void set_path(struct draft *d)
{
	const struct config *c = &d->env->config;
	const char *image = variables_get(&d->variables, "PATH");
	cleanup_buf struct buf path = BUF_INIT;

	for (size_t i = 0; i < c->path.count; i++) {
		const char *entry = c->path.items[i];
		cleanup_free char *joined = NULL, *clean = NULL;

		if (text_starts(entry, "~/"))
			joined = path_join(d->plan.home, entry + 2);
		else
			joined = path_join(d->plan.project_target, entry);
		clean = path_clean(joined);
		buf_addf(&path, "%s:", clean);
	}
	buf_adds(&path, image && *image ? image : DRAFT_DEFAULT_PATH);
	variables_set(&d->variables, "PATH", path.data);
}

static int read_env_file(struct draft *d, const struct env_place *place, struct err *e)
{
	struct environment *env = d->env;
	struct checkout_way way = checkout_way(env, place);
	struct input in = { .path = place->path, .dirfd = way.dirfd, .name = way.name, .resolve = way.resolve };
	const char *key = place->optional ? "optional" : "required";
	cleanup_buf struct buf text = BUF_INIT, origin = BUF_INIT;
	struct config_pair *pairs = NULL;
	size_t count = 0, cap = 0;
	int got = inputs_read(env, &in, ERR_CONFIG, &text, e);

	config_origin(&env->config, "env-file", key, place->written, &origin);
	if (got < 0)
		return err_wrap(e, "%s: [env-file] %s", text_safe(origin.data), key);
	if (got == 0 && place->optional)
		return 0;
	if (got == 0) {
		err_set(e, ERR_CONFIG, "%s: [env-file] required: there is no %s", text_safe(origin.data),
			text_safe(place->written));
		return err_hint(e, "write it, or list it under optional");
	}
	got = config_parse_env_file(place->written, text.data, text.len, &pairs, &count, &cap, e);
	for (size_t i = 0; got == 0 && i < count; i++)
		variables_set(&d->variables, pairs[i].name, pairs[i].value);
	config_pairs_release(pairs, count);
	return got;
}

static int set_variables_of_config(struct draft *d, struct err *e)
{
	const struct environment *env = d->env;

	for (size_t i = 0; i < env->place_count; i++)
		if (env->places[i].kind == ENV_PLACE_ENV_FILE && read_env_file(d, &env->places[i], e) < 0)
			return -1;
	for (size_t i = 0; i < env->config.env_count; i++)
		variables_set(&d->variables, env->config.env[i].name, env->config.env[i].value);
	return 0;
}

static int set_variables(struct draft *d, struct err *e)
{
	struct plan *p = &d->plan;
	struct variables *v = &d->variables;
	cleanup_free char *login = d->env->config.user_root ? mem_strdup("root") : accounts_login();

	for (size_t i = 0; i < d->config.env.count; i++)
		variables_put(v, d->config.env.items[i]);
	set_path(d);
	if (choose_shell(d, e) < 0)
		return -1;
	variables_set(v, "HOME", d->env->config.user_root ? "/root" : d->env->dirs.home);
	variables_set(v, "USER", login);
	variables_set(v, "LOGNAME", login);
	variables_set(v, "SHELL", p->shell);
	variables_set(v, "container", "devenv");
	variables_set(v, "DEVENV", "1");
	variables_set(v, "DEVENV_NAME", p->name);
	return set_variables_of_config(d, e);
}

/* ---- all of it ---- */

/* Withdrawing what was granted makes the plan stale. First the stamps, then the question: so the answer is not older. */
static int watch_trust(struct environment *env, struct err *e)
{
	cleanup_free char *path = trust_path(env), *earlier = trust_path_of_project(env);
	struct input in = { .path = path, .dirfd = AT_FDCWD, .name = path };

	if (inputs_read(env, &in, ERR_FAILED, NULL, e) < 0)
		return -1;
	in.path = in.name = earlier;
	if (inputs_read(env, &in, ERR_FAILED, NULL, e) < 0)
		return -1;
	return trust_check(env, e);
}

static int fill(struct draft *d, struct err *e)
{
	const struct environment *env = d->env;
	const struct config *c = &env->config;
	struct plan *p = &d->plan;

	p->name = env->name;
	p->project = env->project;
	p->network = c->network == CONFIG_NETWORK_NONE ? PLAN_NETWORK_NONE : PLAN_NETWORK_HOST;
	p->memory = c->memory;
	p->cpus = c->cpus;
	p->pids = c->pids;
	for (size_t i = 0; i < c->pass_env.count; i++)
		plan_add_pass(p, c->pass_env.items[i]);
	p->hook_start = c->hook_start ? c->hook_start : "";
	p->hook_enter = c->hook_enter ? c->hook_enter : "";
	if (place_home_and_project(d, e) < 0 || set_variables(d, e) < 0 || set_accounts(d, e) < 0)
		return -1;
	if (devices_plan(d, e) < 0 || mount_home_and_project(d, e) < 0 || binding_mount_all(d, e) < 0 || git_hooks_plan(d, e) < 0)
		return -1;
	/* In an untrusted session .git is a part of the view, and nothing is told of who you are. */
	if (!env->untrusted && (repository_plan(d, e) < 0 || gitconfig_plan(d, e) < 0))
		return -1;
	if (setup_plan(d, e) < 0 || inside_put_certificates(d, e) < 0 || packages_put_sources(d, e) < 0 ||
	    inside_put_terminals(d, e) < 0 || inside_put_programs(d, e) < 0)
		return -1;
	return draft_standard_files(d, e) < 0 ? -1 : draft_standard_session(d, e);
}

int env_write_plan(struct environment *env, struct store *s, struct err *e)
{
	char digest[DIGEST_MAX];
	cleanup_free char *request = fetching_request(env, e);
	struct draft d;
	int r;

	if (!request || stages_digest(env, digest, e) < 0)
		return -1;
	if (watch_trust(env, e) < 0 || draft_open(&d, env, s, digest, request, e) < 0)
		return -1;
	r = fill(&d, e);
	if (r == 0)
		r = draft_write(&d, e);
	draft_release(&d);
	return r;
}
