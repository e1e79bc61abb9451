/* SPDX-License-Identifier: Apache-2.0 */
/* binding.c - what a config binds into its environment: volumes, and paths of the host. */
#include "env/binding.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/place.h"

/* A target as the config writes it. Below home and project the mount hides what the image has there, links included. */
static const char *inside(struct draft *d, const char *written, const char *what, struct err *e)
{
	const struct plan *p = &d->plan;
	cleanup_free char *joined = NULL, *path = NULL;
	const char *rest;

	if (text_starts(written, "~/"))
		joined = path_join(p->home, written + 2);
	else if (strcmp(written, "~") == 0)
		joined = mem_strdup(p->home);
	else
		joined = path_join(p->project_target, written);
	path = path_clean(joined);
	if (path_is_below(path, p->project_target) || path_is_below(path, p->home))
		return draft_copy(d, path);
	rest = path_is_below(p->project_target, BINDING_WORKSPACE) ? NULL : path_below(path, BINDING_WORKSPACE);
	if (rest)
		return draft_keep(d, path_join(p->project_target, rest));
	return draft_target(d, path, what, e);
}

static char *volume_host(const struct draft *d, const struct config_volume *v)
{
	const struct environment *env = d->env;

	if (!v->project_scope)
		return mem_printf("%s/volumes/%s/%s", d->store->path, path_base(env->state), v->name);
	return mem_printf("%s/volumes/clone-%.32s/%s", d->store->path, env->clone, v->name);
}

/* "FILE:LINE" of a key of [KIND.NAME], wherever in the files of the configuration that is. Kept by the draft. */
static const char *origin(struct draft *d, const char *kind, const char *name, const char *key)
{
	cleanup_free char *section = mem_printf("%s.%s", kind, name);
	struct buf at = BUF_INIT;

	config_origin(&d->env->config, section, key, NULL, &at);
	return draft_keep(d, buf_steal(&at));
}

/* Where [KIND.NAME] is mounted. It must not hide what every session stands on. */
static const char *find_target(struct draft *d, const char *kind, const char *name, const char *written, struct err *e)
{
	cleanup_free char *what = mem_printf("[%s.%s]", kind, name);
	const char *target = inside(d, written, what, e), *at = origin(d, kind, name, "target"), *below;
	const struct plan *p = &d->plan;

	if (!target) {
		err_wrap(e, "%s", at);
		return NULL;
	}
	below = path_below(target, p->project_target);
	if (strcmp(target, p->project_target) == 0 || strcmp(target, p->home) == 0) {
		err_set(e, ERR_CONFIG, "%s: %s target: %s would hide the %s", at, what, text_safe(target),
			strcmp(target, p->home) == 0 ? "home directory" : "project");
		return NULL;
	}
	if (below && path_is_below(below, ".git")) {
		err_set(e, ERR_CONFIG, "%s: %s target: git needs %s", at, what, text_safe(target));
		return NULL;
	}
	return target;
}

static int mount_volume(struct draft *d, const struct config_volume *v, struct err *e)
{
	const char *target;

	if (!*v->name || v->name[0] == '.' || strchr(v->name, '/'))
		return err_set(e, ERR_CONFIG, "%s:%u: '%s' can't be the name of a volume", text_safe(v->file), v->line,
			       text_safe(v->name));
	target = find_target(d, "volume", v->name, v->target, e);
	if (!target)
		return -1;
	plan_add_mount(&d->plan, (struct plan_mount){ .kind = PLAN_BIND,
						      .flags = PLAN_MOUNT_MAKE_HOST,
						      .host = draft_keep(d, volume_host(d, v)),
						      .target = target });
	return 0;
}

static int no_source(struct draft *d, const struct config_mount *m, const struct env_place *place, struct err *e)
{
	int sys = errno;
	const char *at = origin(d, "mount", m->name, "source");

	errno = sys;
	if (errno == ENOENT || errno == ENOTDIR) {
		err_set(e, ERR_CONFIG, "%s: [mount.%s] source: there is no %s on this machine", at,
			m->name, text_safe(place->path));
		return err_hint(e, "make it, or take the section out");
	}
	if (errno == ELOOP || errno == EXDEV)
		return err_set(e, ERR_CONFIG, "%s: [mount.%s] source: %s lies behind a symbolic link that changed just now",
			       at, m->name, text_safe(place->path));
	err_sys(e, "%s: [mount.%s] source: can't open %s", at, m->name, text_safe(place->path));
	return -1;
}

/* What was asked about is what is opened here, and the launcher compares it with what it mounts (security rule 18). */
static int mount_place(struct draft *d, const struct env_place *place, struct err *e)
{
	const struct config_mount *m = &d->env->config.mounts[place->index];
	cleanup_close int fd = place_open(d->env, place);
	struct plan_mount mount = { .kind = PLAN_BIND, .host = place->path };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return no_source(d, m, place, e);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(e, ERR_CONFIG, "%s: [mount.%s] source: %s is neither a directory nor a regular file",
			       origin(d, "mount", m->name, "source"), m->name, text_safe(place->path));
	mount.target = find_target(d, "mount", m->name, m->target, e);
	if (!mount.target)
		return -1;
	mount.dev = st.st_dev;
	mount.ino = st.st_ino;
	mount.flags = (m->read_only ? PLAN_MOUNT_READ_ONLY : 0) | (S_ISDIR(st.st_mode) ? 0 : PLAN_MOUNT_FILE);
	plan_add_mount(&d->plan, mount);
	return 0;
}

int binding_mount_all(struct draft *d, struct err *e)
{
	const struct environment *env = d->env;

	for (size_t i = 0; i < env->config.volume_count; i++)
		if (mount_volume(d, &env->config.volumes[i], e) < 0)
			return -1;
	for (size_t i = 0; i < env->place_count; i++)
		if (env->places[i].kind == ENV_PLACE_MOUNT && mount_place(d, &env->places[i], e) < 0)
			return -1;
	return 0;
}
