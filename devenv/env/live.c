/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.c - what the environments of this machine use, so that gc keeps it.
 *
 * An environment is live while its project still has a devenv.ini; then what its lock and its plan name is kept. Apart
 * from that, whatever a running holder stands on is kept, even when its plan has been replaced since: holders hold a
 * lock (plan/running.h), and asking for it tells.
 */
#include "env/live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/dirs.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/text.h"
#include "env/inputs.h"
#include "env/locking.h"
#include "env/packages_stage.h"
#include "env/skeleton.h"
#include "fetch/gitrepo.h"
#include "plan/plan.h"
#include "plan/running.h"

#define RECORD_MAX (256u << 10)

struct use { /* one line of a `used` file; points into the line */
	char *plan, *digest, *skeletons[2]; /* earlier versions made one */
};

static bool parse_use(char *line, struct use *out)
{
	char *save = NULL;

	out->plan = strtok_r(line, " ", &save);
	out->digest = out->plan ? strtok_r(NULL, " ", &save) : NULL;
	out->skeletons[0] = out->digest ? strtok_r(NULL, " ", &save) : NULL;
	out->skeletons[1] = out->skeletons[0] ? strtok_r(NULL, " ", &save) : NULL;
	return out->skeletons[0] && text_is_hex(out->plan, 64) &&
	       digest_is_valid(out->digest);
}

/* The lines of a small text file below dir; none when it is missing. */
static void read_lines(const char *dir, const char *name, struct strlist *lines)
{
	cleanup_free char *path = path_join(dir, name);
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (file_read(AT_FDCWD, path, RECORD_MAX, O_NOFOLLOW, &text, NULL, &ignored) == 0)
		strlist_split(lines, text.data, "\n");
}

static int write_text(const char *dir, const char *name, const struct buf *text, struct err *e)
{
	cleanup_free char *path = path_join(dir, name);

	return file_replace(AT_FDCWD, path, text->data, text->len, 0600, FILE_FAST, e);
}

/* Of a plan that lies in the state directory: the ordinary one, or that of untrusted sessions. */
static bool is_prepared(const char *state, const char *plan_id)
{
	static const char *const names[] = { "plan", "plan-untrusted" };
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *path = path_join(state, names[i]);
		struct err ignored = ERR_INIT;
		struct plan plan;

		plan_init(&plan);
		found = found || (plan_load(&plan, path, &ignored) == 0 && strcmp(plan.id, plan_id) == 0);
		plan_release(&plan);
	}
	return found;
}

int live_record_project(const struct environment *env, struct err *e)
{
	cleanup_free char *known = live_project(env->state);
	cleanup_buf struct buf text = BUF_INIT;

	if (!env->project || (known && strcmp(known, env->project) == 0))
		return 0;
	if (dirs_private(env->state, e) < 0)
		return -1;
	buf_addf(&text, "%s\n", env->project);
	return write_text(env->state, "project", &text, e);
}

int live_record(const struct environment *env, const char *plan_id, const char *digest, const char *skeletons,
		struct err *e)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;
	cleanup_buf struct buf text = BUF_INIT;

	if (live_record_project(env, e) < 0)
		return -1;
	buf_addf(&text, "%s %s %s\n", plan_id, digest, skeletons);
	read_lines(env->state, "used", &lines);
	for (size_t i = 0; i < lines.count; i++) {
		cleanup_free char *line = mem_strdup(lines.items[i]);
		struct use use;

		if (parse_use(line, &use) && strcmp(use.plan, plan_id) != 0 &&
		    (is_prepared(env->state, use.plan) || running_in_use(&env->dirs, use.plan)))
			buf_addf(&text, "%s\n", lines.items[i]);
	}
	return write_text(env->state, "used", &text, e);
}

/* ---- reading all of them ---- */

struct survey {
	const struct environment *env;
	const struct store *store; /* needed for `skeletons` */
	const struct strlist *images_gone; /* taken for not stored; NULL: none */
	struct strlist *digests, *skeletons, *dead; /* each may be NULL */
	struct strlist *clones; /* of what is extended; NULL: not wanted */
	struct strlist *requests; /* beside `digests`; NULL: not wanted */
	struct strlist *packages; /* with `digests`; NULL: not wanted. Digests too */
};

static void note(struct strlist *l, const char *s)
{
	if (l && s && !strlist_has(l, s))
		strlist_add(l, s);
}

static void note_skeletons(const struct survey *s, const struct use *use)
{
	note(s->skeletons, use->skeletons[0]);
	note(s->skeletons, use->skeletons[1]);
}

/* A plan says only the digest; a lock also by what name. */
static void note_image(const struct survey *s, const char *digest, const char *request)
{
	struct strlist *l = s->digests;
	size_t i = 0;

	while (l && i < l->count && strcmp(l->items[i], digest) != 0)
		i++;
	if (!l)
		return;
	if (i == l->count) {
		strlist_add(l, digest);
		if (s->requests)
			strlist_add(s->requests, request);
	} else if (s->requests && !*s->requests->items[i]) {
		free(s->requests->items[i]);
		s->requests->items[i] = mem_strdup(request);
	}
}

static bool project_lives(const char *dir, char **project)
{
	cleanup_free char *path = live_project(dir);
	cleanup_free char *config = path ? path_join(path, PROJECT_CONFIG) : NULL;

	if (!config || access(config, F_OK) < 0)
		return false;
	*project = mem_steal(path);
	return true;
}

static void note_clone(const struct survey *s, const char *request)
{
	cleanup_free char *name = NULL;
	struct extends_git git;
	struct err ignored = ERR_INIT;

	if (!s->clones || extends_parse_git(request, &git, &ignored) < 0)
		return;
	name = gitrepo_clone_name(git.url);
	note(s->clones, name);
	extends_git_release(&git);
}

/* Images that are made of the lock's packages, here or with what another machine left in the store. `own`: of devenv.local.lock. What
 * a build makes below those is known to the record of the plan alone. */
static void note_stages(const struct survey *s, const struct lock *l, const struct lock *own)
{
	const struct lock_image *base = lock_find(l, LOCKING_BASE);
	char digest[DIGEST_MAX], added[DIGEST_MAX], unpacked[DIGEST_MAX];
	struct err ignored = ERR_INIT;
	struct packages_addition personal = { .kind = PACKAGES_STAGE_OWN, .lock = own, .below = added };
	cleanup_free char *raw = NULL, *with = NULL, *personally = NULL;
	const char *manifest = base ? lock_manifest_digest(base, oci_platform()) : NULL;

	if (!base || (!l->package_count && !own->package_count))
		return;
	raw = mem_printf("%s, unpacked", base->request);
	with = mem_printf("%s, with packages", base->request);
	personally = mem_printf("%s, with personal packages", base->request);
	if (manifest)
		snprintf(digest, sizeof(digest), "%s", manifest);
	else if (packages_stage_base_digest(l, oci_platform(), digest, &ignored) < 0)
		return;
	else if (packages_stage_unpacked_digest(l, oci_platform(), unpacked) == 0)
		note_image(s, unpacked, raw);
	note_image(s, digest, base->request);
	packages_stage_added_digest(l, oci_platform(), digest, added);
	note_image(s, added, with);
	packages_stage_addition_digest(&personal, oci_platform(), digest);
	note_image(s, digest, personally);
}

static int read_lock(const char *project, const char *name, struct lock *lock)
{
	cleanup_free char *path = path_join(project, name);
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	*lock = (struct lock){ 0 };
	if (file_read(AT_FDCWD, path, INPUTS_MAX, O_NOFOLLOW, &text, NULL, &ignored) < 0)
		return -1;
	return lock_parse(name, text.data, text.len, lock, &ignored);
}

static void note_packages(const struct survey *s, const struct lock *l)
{
	for (size_t i = 0; i < l->package_count && s->packages; i++)
		strlist_addf(s->packages, "sha256:%s", l->packages[i].sha256);
}

static void survey_lock(const struct survey *s, const char *project)
{
	struct lock lock, own;

	if (read_lock(project, PROJECT_LOCK, &lock) < 0)
		return;
	read_lock(project, PROJECT_LOCAL_LOCK, &own);
	for (size_t i = 0; i < lock.image_count; i++)
		for (size_t j = 0; j < lock.images[i].manifest_count; j++)
			note_image(s, lock.images[i].manifests[j].digest,
				   lock.images[i].request ? lock.images[i].request : "");
	for (size_t i = 0; i < lock.extends_count; i++)
		note_clone(s, lock.extends[i].request);
	note_stages(s, &lock, &own);
	note_packages(s, &lock);
	note_packages(s, &own);
	lock_release(&lock);
	lock_release(&own);
}

/* `run --image`: names decide whether the image stays; its generated layer stays as long. */
static bool image_is_stored(const struct survey *s, const char *digest)
{
	cleanup_free char *record = mem_printf("images/%s", digest_hex(digest));

	return s->store && !(s->images_gone && strlist_has(s->images_gone, digest)) &&
	       file_exists(s->store->fd, record);
}

static void survey_state(const struct survey *s, const char *dir)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;
	cleanup_free char *project = NULL, *record = path_join(dir, "project");
	bool lives = project_lives(dir, &project), has_project = file_exists(AT_FDCWD, record), used = lives;

	if (lives && (s->digests || s->clones))
		survey_lock(s, project);
	read_lines(dir, "used", &lines);
	for (size_t i = 0; i < lines.count; i++) {
		struct use use;

		if (!parse_use(lines.items[i], &use))
			continue;
		/* The first line is of the plan that was made last. */
		if ((lives && (i == 0 || is_prepared(dir, use.plan))) || running_in_use(&s->env->dirs, use.plan)) {
			note_image(s, use.digest, "");
			note_skeletons(s, &use);
			used = true;
		} else if (i == 0 && !has_project && image_is_stored(s, use.digest)) {
			note_skeletons(s, &use);
			used = true;
		}
	}
	if (!used && (lines.count || (s->store && has_project && live_is_worthless(s->store, dir))))
		note(s->dead, dir);
}

bool live_is_worthless(const struct store *s, const char *state)
{
	cleanup_free char *home = path_join(state, "home"), *persist = path_join(state, "persist");
	cleanup_free char *volumes = mem_printf("volumes/%s", path_base(state));

	return !file_exists(AT_FDCWD, home) && !file_exists(AT_FDCWD, persist) && !file_exists(s->fd, volumes);
}

static int survey_below(const struct survey *s, const char *kind, struct err *e)
{
	cleanup_free char *path = path_join(s->env->dirs.state, kind);
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err why = ERR_INIT;

	if (file_names(AT_FDCWD, path, false, &names, &why) < 0 && why.sys != ENOENT) {
		*e = why;
		return -1;
	}
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *state = path_join(path, names.items[i]);

		survey_state(s, state);
	}
	return 0;
}

static int survey(const struct survey *s, struct err *e)
{
	return survey_below(s, "checkouts", e) < 0 ? -1 : survey_below(s, "images", e);
}

int env_live_digests(const struct environment *env, struct strlist *digests, struct err *e)
{
	cleanup_strlist struct strlist packages = STRLIST_INIT;

	if (survey(&(struct survey){ .env = env, .digests = digests, .packages = &packages }, e) < 0)
		return -1;
	for (size_t i = 0; i < packages.count; i++)
		strlist_add(digests, packages.items[i]);
	return 0;
}

int env_live_images(const struct environment *env, struct strlist *digests, struct strlist *requests, struct err *e)
{
	return survey(&(struct survey){ .env = env, .digests = digests, .requests = requests }, e);
}

int live_survey(const struct environment *env, const struct store *s, const struct strlist *images_gone,
		struct strlist *skeletons, struct strlist *dead, struct err *e)
{
	struct survey all = {
		.env = env, .store = s, .images_gone = images_gone, .skeletons = skeletons, .dead = dead
	};

	return survey(&all, e);
}

int live_clones(const struct environment *env, struct strlist *clones, struct err *e)
{
	return survey(&(struct survey){ .env = env, .clones = clones }, e);
}

void live_running(const struct dirs *d, const char *state, struct strlist *plans)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;

	read_lines(state, "used", &lines);
	for (size_t i = 0; i < lines.count; i++) {
		struct use use;

		if (parse_use(lines.items[i], &use) && running_in_use(d, use.plan))
			strlist_add(plans, use.plan);
	}
}

size_t live_earlier(const struct dirs *d, const char *state, const char *plan_id, bool lingering, pid_t *pid)
{
	cleanup_strlist struct strlist plans = STRLIST_INIT;
	size_t count = 0;

	live_running(d, state, &plans);
	for (size_t i = 0; i < plans.count; i++) {
		bool present = strcmp(plans.items[i], plan_id) == 0 || is_prepared(state, plans.items[i]);
		pid_t found = present ? 0 : running_pid(d, plans.items[i]);

		if (found > 0 && (lingering || running_has_sessions(d, plans.items[i]))) {
			*pid = found;
			count++;
		}
	}
	return count;
}

static int add_layers(const struct environment *env, const struct use *use, struct strlist *layers, struct err *e)
{
	struct store_image image;
	struct store store;
	int r;

	if (env_store(env, &store, e) < 0)
		return -1;
	r = store_image_load(&store, use->digest, &image, e);
	if (r == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(use->skeletons) && use->skeletons[i]; i++)
			strlist_addf(layers, "%s/" SKELETON_DIR "/%s/fs", store.path, use->skeletons[i]);
		for (size_t i = image.chain_ids.count; i-- > 0;)
			strlist_add_take(layers, store_layer_path(&store, image.chain_ids.items[i]));
		store_image_release(&image);
	}
	store_close(&store);
	return r;
}

int live_layers(const struct environment *env, const char *plan_id, struct strlist *layers, struct err *e)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;

	read_lines(env->state, "used", &lines);
	for (size_t i = 0; i < lines.count; i++) {
		struct use use;

		if (parse_use(lines.items[i], &use) && strcmp(use.plan, plan_id) == 0)
			return add_layers(env, &use, layers, e);
	}
	return err_set(e, ERR_NOT_FOUND, "what the environment stands on is not recorded any more");
}

void live_end_lingering(const struct dirs *d, const char *state, const char *plan_id)
{
	cleanup_strlist struct strlist plans = STRLIST_INIT;
	struct err busy = ERR_INIT;

	live_running(d, state, &plans);
	for (size_t i = 0; i < plans.count; i++)
		if (strcmp(plans.items[i], plan_id) != 0)
			running_end(d, plans.items[i], &busy);
}

char *live_project(const char *state)
{
	cleanup_free char *path = path_join(state, "project");
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (file_read(AT_FDCWD, path, RECORD_MAX, O_NOFOLLOW, &text, NULL, &ignored) < 0 || text.len < 2 ||
	    text.data[0] != '/' || text.data[text.len - 1] != '\n')
		return NULL;
	/* Only the last newline is ours: a path may have some of its own. */
	return mem_strndup(text.data, text.len - 1);
}
