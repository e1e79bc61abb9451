/* SPDX-License-Identifier: Apache-2.0 */
/* gitrepo_clone.c - clones for people, and what their checkouts track. */
#include <git2.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "fetch/gitrepo_internal.h"

/* A tag is checked out as `git clone --branch TAG` does it: the head stands on its commit, on no branch. */
static int check_out_commit(git_repository *repo, const char *commit, struct err *e)
{
	git_checkout_options options = GIT_CHECKOUT_OPTIONS_INIT;
	git_object *object = NULL;
	int r = git_revparse_single(&object, repo, commit);

	options.checkout_strategy = GIT_CHECKOUT_SAFE;
	if (r == 0)
		r = git_checkout_tree(repo, object, &options);
	if (r == 0)
		r = git_repository_set_head_detached(repo, git_object_id(object));
	git_object_free(object);
	return r < 0 ? gitrepo_error(NULL, r, e, "can't check out", commit) : 0;
}

static int clone(struct gitrepo_session *s, const char *ref, const char *dir, struct err *e)
{
	git_clone_options options = GIT_CLONE_OPTIONS_INIT;
	git_repository *repo = NULL;
	cleanup_free char *name = NULL;
	char commit[GITREPO_COMMIT];
	const char *branch;
	int r;

	if (ref && gitrepo_find_ref(s, NULL, ref, &name, commit, e) < 0)
		return -1;
	branch = name && text_starts(name, "refs/heads/") ? name + strlen("refs/heads/") : NULL;
	gitrepo_callbacks(s, &options.fetch_opts.callbacks);
	options.fetch_opts.proxy_opts.type = GIT_PROXY_AUTO;
	options.fetch_opts.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
	options.checkout_branch = branch;
	options.checkout_opts.checkout_strategy = name && !branch ? GIT_CHECKOUT_NONE : GIT_CHECKOUT_SAFE;
	s->asked = 0;
	r = git_clone(&repo, s->url, dir, &options);
	if (r < 0)
		return gitrepo_error(s, r, e, "can't clone", s->url);
	gitrepo_approve(s);
	r = name && !branch ? check_out_commit(repo, commit, e) : 0;
	git_repository_free(repo);
	return r;
}

int gitrepo_clone(const struct gitrepo *g, const char *url, const char *ref, const char *dir, struct err *e)
{
	struct gitrepo_session s = { .g = g, .url = url };
	int r;

	if (gitrepo_check_online(g, url, e) < 0 || gitrepo_begin(e) < 0)
		return -1;
	r = clone(&s, ref, dir, e);
	gitrepo_session_release(&s);
	return r;
}

enum standing { UNKNOWN, TRACKED, IGNORED, UNTRACKED };

static enum standing standing_of(git_repository *repo, const char *path)
{
	git_index *index = NULL;
	int ignored = 0;
	bool tracked;

	if (git_repository_index(&index, repo) < 0)
		return UNKNOWN;
	tracked = git_index_get_bypath(index, path, 0) != NULL;
	git_index_free(index);
	if (tracked)
		return TRACKED;
	if (git_ignore_path_is_ignored(&ignored, repo, path) < 0)
		return UNKNOWN;
	return ignored ? IGNORED : UNTRACKED;
}

static enum standing look_up(const char *dir, const char *name)
{
	git_repository *repo = NULL;
	struct err ignored = ERR_INIT;
	enum standing found = UNKNOWN;

	if (gitrepo_begin(&ignored) < 0 || git_repository_open_ext(&repo, dir, 0, NULL) < 0)
		return UNKNOWN;
	if (git_repository_workdir(repo)) {
		cleanup_free char *workdir = path_clean(git_repository_workdir(repo));
		cleanup_free char *real = realpath(dir, NULL);
		const char *below = real ? path_below(real, workdir) : NULL;
		cleanup_free char *path = below && *below ? path_join(below, name) : mem_strdup(name);

		if (below)
			found = standing_of(repo, path);
	}
	git_repository_free(repo);
	return found;
}

bool gitrepo_tracks(const char *dir, const char *name)
{
	return look_up(dir, name) == TRACKED;
}

bool gitrepo_would_add(const char *dir, const char *name)
{
	return look_up(dir, name) == UNTRACKED;
}
