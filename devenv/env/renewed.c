/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewed.c - is what runs in an environment still what ran in it last time?
 *
 * A pull may bring another image or script that asks for no new power. It runs without a question, because it gets nothing
 * that was not granted; that it is another one is said.
 */
#include "env/renewed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "env/skeleton.h"
#include "plan/plan.h"

/* <store>/skeletons/<name>/fs */
static bool is_generated(const char *layer)
{
	cleanup_free char *named = path_parent(layer), *kind = path_parent(named);

	return strcmp(path_base(kind), SKELETON_DIR) == 0;
}

void renewed_look(const struct environment *env, struct renewed *c)
{
	cleanup_free char *path = env_plan_path(env);
	cleanup_buf struct buf image = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct plan p;

	*c = (struct renewed){ 0 };
	if (plan_load(&p, path, &ignored) < 0)
		return;
	c->known = strcmp(p.project, env->project) == 0;
	for (size_t i = 0; i < p.layer_count; i++)
		if (!is_generated(p.layers[i]))
			buf_addf(&image, "%s\n", p.layers[i]);
	c->image = buf_steal(&image);
	c->hooks = mem_printf("%s\n[enter]\n%s", p.hook_start, p.hook_enter);
	c->setup = mem_strdup(p.setup);
	plan_release(&p);
}

/* Layers are written topmost first, and those of the last stages are the topmost: what is below one? */
static const char *below_top(const char *image)
{
	const char *end = strchr(image, '\n');

	return end ? end + 1 : image;
}

/* Is `now`, a stage of what it is called by, all that changed? It may have been there before. */
static bool is_only(const char *before, const char *now)
{
	return strcmp(below_top(before), below_top(now)) == 0 || strcmp(before, below_top(now)) == 0;
}

/* The personal packages, or the build, alone; or the image too? */
static const char *name_image(const struct environment *env, const char *before, const char *now)
{
	if (env->config.packages_own.count) {
		if (is_only(before, now))
			return "personal packages";
		/* Theirs is another one on another image. */
		now = below_top(now);
		if (env->config.build && (is_only(before, now) || is_only(below_top(before), now)))
			return "build";
		return "image";
	}
	if (env->config.build && strcmp(below_top(before), now) == 0)
		return "personal packages"; /* there are none any more */
	return env->config.build && is_only(before, now) ? "build" : "image";
}

/* Files of a kept layer hide those of any image below, and dpkg's database among them is one of its own. */
static void say_kept(const struct environment *env, const struct env_ui *ui)
{
	cleanup_free char *upper = path_join(env->state, "persist/upper");
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	if (env->config.persist && file_names(AT_FDCWD, upper, false, &names, &ignored) == 0 && names.count)
		ui->notice(ui->data, "what persist keeps was written over the image before, and hides what is another in this one; "
				     "`devenv diff` shows it, `devenv reset` starts anew");
}

void renewed_say(const struct environment *env, const struct renewed *before, const struct env_ui *ui)
{
	cleanup_buf struct buf line = BUF_INIT;
	struct renewed now;

	renewed_look(env, &now);
	if (before->known && now.known) {
		if (strcmp(before->image, now.image) != 0)
			buf_adds(&line, name_image(env, before->image, now.image));
		if (strcmp(before->hooks, now.hooks) != 0)
			buf_addf(&line, "%shooks", line.len ? ", " : "");
		if (strcmp(before->setup, now.setup) != 0)
			buf_addf(&line, "%ssetup", line.len ? ", " : "");
	}
	if (line.len && ui->notice) {
		cleanup_free char *text = mem_printf("changed since the last session here: %s", line.data);

		ui->notice(ui->data, text);
		if (strcmp(before->image, now.image) != 0)
			say_kept(env, ui);
	}
	renewed_release(&now);
}

void renewed_release(struct renewed *c)
{
	free(c->image);
	free(c->hooks);
	free(c->setup);
	*c = (struct renewed){ 0 };
}
