/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.c - paths of the host that a config names.
 *
 * A path is resolved once, when the config is read, and the result is both what is asked for as a power and what is
 * opened later: a place inside with RESOLVE_BENEATH from the project, a place outside by its link-free path with
 * RESOLVE_NO_SYMLINKS. So a link swapped in between makes the opening fail; it never opens something else.
 */
#include "env/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/text.h"
#include "env/around.h"
#include "env/checkout.h"

static char *expand(const struct environment *env, const char *written)
{
	cleanup_free char *joined = NULL;

	if (strcmp(written, "~") == 0)
		return path_clean(env->dirs.home);
	if (text_starts(written, "~/"))
		joined = path_join(env->dirs.home, written + 2);
	else
		joined = path_join(env->project, written);
	return path_clean(joined);
}

static void resolve(const struct environment *env, const char *written, struct env_place *out)
{
	char *lexical = expand(env, written);
	cleanup_free char *real = realpath(lexical, NULL);
	cleanup_free char *project = realpath(env->project, NULL);
	const char *rest;

	out->outside = false;
	out->path = lexical;
	if (!real || !project) {
		/* Missing: opening it decides. An outside path keeps its links, which the opening refuses. */
		out->outside = !path_is_below(lexical, env->project);
		return;
	}
	rest = path_below(real, project);
	if (rest && path_is_below(lexical, env->project))
		return;
	free(out->path);
	out->outside = !rest;
	out->path = rest ? path_join(env->project, rest) : mem_steal(real);
}

/* `dir` as it is written and as it really is: home directories and stores lie behind links on many machines. */
static bool touches(const char *path, const char *dir, bool above)
{
	cleanup_free char *real = realpath(dir, NULL);

	if (above)
		return path_is_below(dir, path) || (real && path_is_below(real, path));
	return path_is_below(path, dir) || (real && path_is_below(path, real));
}

/* Through any of these everything the user may do on this machine can be done: so neither they nor what holds them. */
static const char *control_socket(const struct environment *env, const char *path)
{
	static const char *const places[] = { "/run/docker.sock", "/run/docker", "/run/podman", "/run/containerd",
					      "/run/crio", "/run/buildkit", "/run/libvirt", "/run/dbus", "/run/systemd" };
	static const char *const names[] = { "docker.sock", "podman.sock", "containerd.sock", "crio.sock", "buildkitd.sock" };
	cleanup_free char *login = mem_printf("/run/user/%u", (unsigned int)getuid());
	cleanup_free char *session = path_parent(env->dirs.runtime);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(path_base(path), names[i]) == 0)
			return "the socket of a container engine";
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (touches(path, places[i], true))
			return "where container engines and the system have their sockets";
	if (touches(path, login, true) || (strcmp(session, env->dirs.state) != 0 && touches(path, session, true)))
		return "where your login session has its sockets";
	return NULL;
}

/* What no repository can ask for: everything the user has, or what decides over trust. */
static const char *forbidden(const struct environment *env, const char *path)
{
	static const char *const kernel[] = { "/proc", "/sys", "/dev" };
	const struct dirs *d = &env->dirs;
	const char *const own[] = { d->state, d->config, d->runtime };

	if (strchr(path, '\n'))
		return "a path with a line break in it";
	if (touches(path, d->home, true))
		return "all of your home directory";
	if (touches(path, d->store, false) || touches(path, d->store, true))
		return "the store";
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (touches(path, own[i], false) || touches(path, own[i], true))
			return "where devenv has its settings and records";
	for (size_t i = 0; i < ARRAY_SIZE(kernel); i++)
		if (path_is_below(path, kernel[i]))
			return "the kernel's own";
	return control_socket(env, path);
}

/* One whose own name has a colon wins over a tag. */
static bool is_directory(const struct environment *env, const char *written)
{
	cleanup_free char *path = expand(env, written);
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int add_indexed(struct environment *env, enum env_place_kind kind, size_t index, const char *written, bool optional,
		       const char *section, const char *key, struct err *e)
{
	cleanup_buf struct buf origin = BUF_INIT;
	struct env_place place = { .kind = kind, .optional = optional, .written = mem_strdup(written) };
	cleanup_free char *path = mem_strdup(written);
	const char *slash, *colon, *why;

	place.index = index;
	if (kind == ENV_PLACE_BASE && env->config.base == CONFIG_BASE_OCI) {
		slash = strrchr(path, '/');
		colon = strrchr(path, ':');
		if (colon && (!slash || colon > slash) && !is_directory(env, path)) {
			place.tag = mem_strdup(colon);
			path[colon - path] = '\0';
		}
	}
	resolve(env, path, &place);
	env->places = mem_grow(env->places, env->place_count, &env->place_cap, sizeof(*env->places));
	env->places[env->place_count++] = place;
	why = place.outside ? forbidden(env, place.path) : NULL;
	if (!why)
		return 0;
	config_origin(&env->config, section, key, written, &origin);
	return err_set(e, ERR_CONFIG, "%s: '%s' is %s: no project can ask for that", text_safe(origin.data),
		       text_safe(written), why);
}

static int add(struct environment *env, enum env_place_kind kind, const char *written, bool optional, const char *section,
	       const char *key, struct err *e)
{
	return add_indexed(env, kind, 0, written, optional, section, key, e);
}

static int add_mount(struct environment *env, size_t index, struct err *e)
{
	const struct config_mount *m = &env->config.mounts[index];
	cleanup_free char *section = mem_printf("mount.%s", m->name);

	return add_indexed(env, ENV_PLACE_MOUNT, index, m->source, false, section, "source", e);
}

/* All of the work tree that the project is a subdirectory of. */
static int add_repository(struct environment *env, struct err *e)
{
	cleanup_free char *top = around_find(env->project);

	return top ? add(env, ENV_PLACE_REPOSITORY, top, false, "sandbox", "repository", e) : 0;
}

int place_find_all(struct environment *env, struct err *e)
{
	const struct config *c = &env->config;

	if (c->base == CONFIG_BASE_OCI || c->base == CONFIG_BASE_ARCHIVE)
		if (add(env, ENV_PLACE_BASE, c->base_value, false, "base",
			c->base == CONFIG_BASE_OCI ? "oci" : "archive", e) < 0)
			return -1;
	for (size_t i = 0; i < c->env_files.count; i++)
		if (add(env, ENV_PLACE_ENV_FILE, c->env_files.items[i], false, "env-file", "required", e) < 0)
			return -1;
	for (size_t i = 0; i < c->env_files_optional.count; i++)
		if (add(env, ENV_PLACE_ENV_FILE, c->env_files_optional.items[i], true, "env-file", "optional", e) < 0)
			return -1;
	for (size_t i = 0; i < c->setup_inputs.count; i++)
		if (add(env, ENV_PLACE_SETUP_INPUT, c->setup_inputs.items[i], true, "setup", "inputs", e) < 0)
			return -1;
	for (size_t i = 0; i < c->mount_count; i++)
		if (add_mount(env, i, e) < 0)
			return -1;
	return c->repository == CONFIG_REPOSITORY_YES ? add_repository(env, e) : 0;
}

void place_release_all(struct environment *env)
{
	for (size_t i = 0; i < env->place_count; i++) {
		free(env->places[i].written);
		free(env->places[i].path);
		free(env->places[i].tag);
	}
	free(env->places);
	env->places = NULL;
	env->place_count = env->place_cap = 0;
}

static const struct env_place *first(const struct environment *env, enum env_place_kind kind)
{
	for (size_t i = 0; i < env->place_count; i++)
		if (env->places[i].kind == kind)
			return &env->places[i];
	return NULL;
}

const struct env_place *place_base(const struct environment *env)
{
	return first(env, ENV_PLACE_BASE);
}

const struct env_place *place_repository(const struct environment *env)
{
	return first(env, ENV_PLACE_REPOSITORY);
}

int place_open(const struct environment *env, const struct env_place *place)
{
	struct checkout_way way = checkout_way(env, place);

	return sys_openat2(way.dirfd, way.name, O_PATH, 0, way.resolve);
}
