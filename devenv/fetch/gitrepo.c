/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gitrepo.c - one file of one commit of somebody's repository.
 *
 * A clone in the cache holds what was ever fetched of one address; refs below refs/devenv keep it. Processes that fetch into
 * the same clone take turns (a lock beside it); readers need none, because git's objects only ever come.
 */
#include <git2.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/dirs.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "fetch/gitrepo_internal.h"
#include "fetch/http.h"

/* Extensions of repositories that change nothing for who reads the index. */
static const char *const extensions[] = { "worktreeconfig", "partialclone", "preciousobjects" };

/* http.sslCAInfo of the user and the machine, as git reads it; a repository that we happen to be in is not asked. */
static char *configured_authorities(void)
{
	git_config *config = NULL;
	git_buf path = { 0 };
	char *found = NULL;

	if (git_config_open_default(&config) == 0 && git_config_get_path(&path, config, "http.sslCAInfo") == 0)
		found = mem_strdup(path.ptr);
	git_buf_dispose(&path);
	git_config_free(config);
	return found;
}

int gitrepo_begin(struct err *e)
{
	static bool begun;
	const char *ca = getenv("GIT_SSL_CAINFO");
	cleanup_free char *configured = NULL;

	if (begun)
		return 0;
	if (git_libgit2_init() < 0)
		return gitrepo_error(NULL, -1, e, "can't start libgit2", NULL);
	begun = true;
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, ARRAY_SIZE(extensions));
	if (!ca || !*ca)
		ca = getenv("SSL_CERT_FILE");
	if (!ca || !*ca) {
		configured = configured_authorities();
		ca = configured;
	}
	if (ca && *ca && git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, ca, NULL) < 0)
		return gitrepo_error(NULL, -1, e, "can't read certificates from", ca);
	return 0;
}

static enum err_code code_of(int code, const git_error *why)
{
	const char *message = why && why->message ? why->message : "";

	if (code == GIT_EAUTH || strstr(message, "status code: 401") || strstr(message, "status code: 403"))
		return ERR_AUTH;
	if (code == GIT_ENOTFOUND || strstr(message, "status code: 404"))
		return ERR_NOT_FOUND;
	if (why && (why->klass == GIT_ERROR_NET || why->klass == GIT_ERROR_SSL ||
	            why->klass == GIT_ERROR_SSH || why->klass == GIT_ERROR_HTTP))
		return ERR_NETWORK;
	return ERR_FAILED;
}

/* Some of libgit2's reasons are several lines. */
static char *one_line(const char *message)
{
	cleanup_buf struct buf out = BUF_INIT;
	cleanup_strlist struct strlist lines = STRLIST_INIT;

	strlist_split(&lines, message, "\r\n");
	for (size_t i = 0; i < lines.count; i++)
		buf_addf(&out, "%s%s", i ? "; " : "", lines.items[i]);
	return mem_strdup(out.data);
}

int gitrepo_error(const struct gitrepo_session *s, int code, struct err *e, const char *what, const char *on)
{
	const git_error *why = git_error_last();
	cleanup_free char *message = one_line(why && why->message ? why->message : "no reason was given");

	if (http_interrupted())
		return err_set(e, ERR_INTERRUPTED, "interrupted");
	if (s && s->why.code) {
		*e = s->why;
		return err_wrap(e, "%s%s%s", what, on ? " " : "", on ? text_safe(on) : "");
	}
	err_set(e, code_of(code, why), "%s%s%s: %s", what, on ? " " : "", on ? text_safe(on) : "",
	        text_safe(message));
	if (code == GIT_ECERTIFICATE && s && text_starts(s->url, "ssh://"))
		err_hint(e, "connect to the server with ssh once, so that its key is in ~/.ssh/known_hosts");
	else if (code == GIT_ECERTIFICATE)
		err_hint(e, "if it is of an authority of your own: git config --global http.sslCAInfo FILE, or SSL_CERT_FILE=FILE");
	else if (code == GIT_EOWNER)
		err_hint(e, "if you trust it: git config --global --add safe.directory DIRECTORY");
	else if (strstr(message, "redirect"))
		err_hint(e, "name the address that it leads to");
	return -1;
}

/* ---- a conversation ---- */

static int on_progress(const git_indexer_progress *p, void *data)
{
	const struct gitrepo_session *s = data;

	if (http_interrupted())
		return GIT_EUSER;
	if (s->g->progress)
		s->g->progress(s->g->data, p->received_objects, p->total_objects, p->received_bytes);
	return 0;
}

static int on_sideband(const char *text, int len, void *data)
{
	(void)text;
	(void)len;
	(void)data;
	return http_interrupted() ? GIT_EUSER : 0;
}

void gitrepo_callbacks(struct gitrepo_session *s, git_remote_callbacks *out)
{
	out->credentials = gitrepo_credentials;
	out->transfer_progress = on_progress;
	out->sideband_progress = on_sideband;
	out->payload = s;
}

int gitrepo_check_online(const struct gitrepo *g, const char *url, struct err *e)
{
	if (!g->offline || text_starts(url, "file://"))
		return 0;
	err_set(e, ERR_OFFLINE, "%s would have to be fetched, and --offline forbids that", text_safe(url));
	return err_hint(e, "try again without --offline");
}

/* Tags before branches, as git does it; what a tag is of before the tag itself. */
static const git_remote_head *choose(const git_remote_head **heads, size_t count, const char *ref)
{
	static const struct {
		const char *before, *after;
	} forms[] = { { "", "^{}" },
		      { "", "" },
		      { "refs/tags/", "^{}" },
		      { "refs/tags/", "" },
		      { "refs/heads/", "" } };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		cleanup_free char *name = mem_printf("%s%s%s", forms[i].before, ref, forms[i].after);

		/* A bare word is no full name of a ref, but for HEAD. */
		if (!*forms[i].before && !text_starts(ref, "refs/") && strcmp(ref, "HEAD") != 0)
			continue;
		for (size_t k = 0; k < count; k++)
			if (!strcmp(heads[k]->name, name))
				return heads[k];
	}
	return NULL;
}

static int list_refs(struct gitrepo_session *s, git_remote *remote, const char *ref, char **name,
                     char commit[GITREPO_COMMIT], struct err *e)
{
	git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
	git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;
	const git_remote_head **heads, *head;
	size_t count;
	int r;

	s->asked = 0;
	gitrepo_callbacks(s, &callbacks);
	options.callbacks = callbacks;
	options.proxy_opts.type = GIT_PROXY_AUTO;
	options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
	r = git_remote_connect_ext(remote, GIT_DIRECTION_FETCH, &options);
	if (r < 0)
		return gitrepo_error(s, r, e, "can't reach", s->url);
	r = git_remote_ls(&heads, &count, remote);
	if (r < 0)
		return gitrepo_error(s, r, e, "can't list what there is in", s->url);
	head = choose(heads, count, ref ? ref : "HEAD");
	if (!head) {
		err_set(e, ERR_NOT_FOUND, "%s has no branch or tag '%s'", text_safe(s->url),
		        text_safe(ref ? ref : "HEAD"));
		return ref ? -1 : err_hint(e, "name one behind '#'");
	}
	git_oid_tostr(commit, GITREPO_COMMIT, &head->oid);
	*name = mem_strndup(head->name,
	                    text_ends(head->name, "^{}") ? strlen(head->name) - 3 : strlen(head->name));
	git_remote_disconnect(remote);
	return 0;
}

int gitrepo_find_ref(struct gitrepo_session *s, struct git_repository *repo, const char *ref, char **name,
                     char commit[GITREPO_COMMIT], struct err *e)
{
	git_remote *remote = NULL;
	int r;

	if (gitrepo_check_online(s->g, s->url, e) < 0)
		return -1;
	r = repo ? git_remote_create_anonymous(&remote, repo, s->url)
	         : git_remote_create_detached(&remote, s->url);
	if (r < 0)
		return gitrepo_error(s, r, e, "can't use the address", s->url);
	r = list_refs(s, remote, ref, name, commit, e);
	git_remote_free(remote);
	if (r == 0)
		gitrepo_approve(s);
	return r;
}

static bool is_commit(const char *ref)
{
	return ref && text_is_hex(ref, 40);
}

/* ---- the cache ---- */

static char *clone_path(const struct gitrepo *g, const char *url)
{
	cleanup_free char *name = gitrepo_clone_name(url);

	return path_join(g->cache, name);
}

static int open_clone(const struct gitrepo *g, const char *url, git_repository **out, struct err *e)
{
	cleanup_free char *path = clone_path(g, url);
	int r;

	if (dirs_private(g->cache, e) < 0)
		return -1;
	r = git_repository_open_bare(out, path);
	if (r == GIT_ENOTFOUND)
		r = git_repository_init(out, path, 1);
	return r < 0 ? gitrepo_error(NULL, r, e, "can't use the clone", path) : 0;
}

int gitrepo_resolve(const struct gitrepo *g, const char *url, const char *ref, char commit[GITREPO_COMMIT],
                    struct err *e)
{
	struct gitrepo_session s = { .g = g, .url = url };
	git_repository *repo = NULL;
	char *name = NULL;
	int r;

	if (is_commit(ref)) {
		memcpy(commit, ref, GITREPO_COMMIT);
		return 0;
	}
	if (gitrepo_check_online(g, url, e) < 0 || gitrepo_begin(e) < 0 || open_clone(g, url, &repo, e) < 0)
		return -1;
	r = gitrepo_find_ref(&s, repo, ref, &name, commit, e);
	gitrepo_session_release(&s);
	git_repository_free(repo);
	free(name);
	return r;
}

static bool has_commit(git_repository *repo, const char *commit)
{
	git_commit *found = NULL;
	git_oid id;

	if (git_oid_fromstr(&id, commit) < 0 || git_commit_lookup(&found, repo, &id) < 0)
		return false;
	git_commit_free(found);
	return true;
}

static int fetch_refs(struct gitrepo_session *s, git_repository *repo, char **refspecs, size_t count,
                      struct err *e)
{
	git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
	git_strarray specs = { refspecs, count };
	git_remote *remote = NULL;
	int r;

	gitrepo_callbacks(s, &options.callbacks);
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0;
	options.proxy_opts.type = GIT_PROXY_AUTO;
	options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
#if LIBGIT2_VER_MAJOR > 1 || (LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR >= 7)
	if (!text_starts(s->url, "file://"))
		options.depth = count == 1 ? 1 : GIT_FETCH_DEPTH_FULL;
#endif
	s->asked = 0;
	r = git_remote_create_anonymous(&remote, repo, s->url);
	if (r == 0)
		r = git_remote_fetch(remote, &specs, &options, NULL);
	git_remote_free(remote);
	if (r < 0)
		return gitrepo_error(s, r, e, "can't fetch", s->url);
	gitrepo_approve(s);
	return 0;
}

static int fetch_commit(struct gitrepo_session *s, git_repository *repo, const char *ref, const char *commit,
                        struct err *e)
{
	static char heads[] = "+refs/heads/*:refs/devenv/heads/*", tags[] = "+refs/tags/*:refs/devenv/tags/*",
		    head[] = "+HEAD:refs/devenv/HEAD";
	char *everything[] = { heads, tags, head };
	cleanup_free char *name = NULL, *spec = NULL;
	char now[GITREPO_COMMIT];

	if (!is_commit(ref)) {
		if (gitrepo_find_ref(s, repo, ref, &name, now, e) < 0) {
			if (e->code != ERR_NOT_FOUND)
				return -1;
		} else {
			spec = mem_printf("+%s:refs/devenv/%s", name,
			                  text_starts(name, "refs/") ? name + 5 : name);
			if (fetch_refs(s, repo, &spec, 1, e) < 0)
				return -1;
		}
	}
	if (has_commit(repo, commit))
		return 0;
	if (fetch_refs(s, repo, everything, ARRAY_SIZE(everything), e) < 0)
		return -1;
	if (has_commit(repo, commit))
		return 0;
	err_set(e, ERR_NOT_FOUND, "%s has no commit %s any more", text_safe(s->url), commit);
	return err_hint(e, "`devenv update` takes what it has now");
}

/* Fetching into one clone is done by one process at a time. */
static int fetch_alone(const struct gitrepo *g, const char *url, const char *ref, const char *commit,
                       git_repository *repo, struct err *e)
{
	cleanup_free char *path = clone_path(g, url);
	cleanup_free char *lock = mem_printf("%s.lock", path);
	cleanup_close int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct gitrepo_session s = { .g = g, .url = url };
	int r;

	if (fd < 0)
		return err_sys(e, "can't open %s", text_safe(lock));
	if (file_lock(fd, true, true, e) < 0)
		return -1;
	r = has_commit(repo, commit) ? 0 : fetch_commit(&s, repo, ref, commit, e);
	gitrepo_session_release(&s);
	return r;
}

/* ---- reading ---- */

static int take_blob(git_repository *repo, const git_tree_entry *entry, const char *where, size_t max,
                     struct buf *out, struct err *e)
{
	git_filemode_t mode = git_tree_entry_filemode(entry);
	git_blob *blob = NULL;
	int r;

	if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE)
		return err_set(e, ERR_CONFIG, "%s is not a regular file", where);
	r = git_blob_lookup(&blob, repo, git_tree_entry_id(entry));
	if (r < 0)
		return gitrepo_error(NULL, r, e, "can't read", where);
	if ((size_t)git_blob_rawsize(blob) > max)
		r = err_set(e, ERR_CONFIG, "%s is too large: %lld bytes, at most %zu are read", where,
		            (long long)git_blob_rawsize(blob), max);
	else
		buf_add(out, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	git_blob_free(blob);
	return r;
}

static int take_file(git_repository *repo, const char *url, const char *commit, const char *path, size_t max,
                     struct buf *out, struct err *e)
{
	cleanup_free char *where = mem_printf("%s in %s (commit %.12s)", text_safe(path), text_safe(url),
	                                      commit);
	git_commit *found = NULL;
	git_tree *tree = NULL;
	git_tree_entry *entry = NULL;
	git_oid id;
	int r = git_oid_fromstr(&id, commit);

	if (r == 0)
		r = git_commit_lookup(&found, repo, &id);
	if (r == 0)
		r = git_commit_tree(&tree, found);
	if (r < 0) {
		r = gitrepo_error(NULL, r, e, "can't read", where);
	} else {
		r = git_tree_entry_bypath(&entry, tree, path);
		if (r == GIT_ENOTFOUND)
			r = err_set(e, ERR_NOT_FOUND, "there is no %s", where);
		else
			r = r < 0 ? gitrepo_error(NULL, r, e, "can't read", where)
			          : take_blob(repo, entry, where, max, out, e);
	}
	git_tree_entry_free(entry);
	git_tree_free(tree);
	git_commit_free(found);
	return r;
}

int gitrepo_read_cached(const struct gitrepo *g, const char *url, const char *commit, const char *path,
                        size_t max, struct buf *out, struct err *e)
{
	cleanup_free char *clone = clone_path(g, url);
	git_repository *repo = NULL;
	int r;

	if (!file_exists(AT_FDCWD, clone))
		return 0;
	if (gitrepo_begin(e) < 0)
		return -1;
	/* A clone that can't be opened is one to fetch again: the cache may be deleted at any time. */
	if (git_repository_open_bare(&repo, clone) < 0)
		return 0;
	r = 0;
	if (has_commit(repo, commit))
		r = take_file(repo, url, commit, path, max, out, e) < 0 ? -1 : 1;
	git_repository_free(repo);
	return r;
}

int gitrepo_read(const struct gitrepo *g, const char *url, const char *ref, const char *commit,
                 const char *path, size_t max, struct buf *out, struct err *e)
{
	git_repository *repo = NULL;
	int r = gitrepo_read_cached(g, url, commit, path, max, out, e);

	if (r)
		return r < 0 ? -1 : 0;
	if (gitrepo_check_online(g, url, e) < 0 || gitrepo_begin(e) < 0 || open_clone(g, url, &repo, e) < 0)
		return -1;
	r = fetch_alone(g, url, ref, commit, repo, e);
	if (r == 0)
		r = take_file(repo, url, commit, path, max, out, e);
	git_repository_free(repo);
	return r;
}
