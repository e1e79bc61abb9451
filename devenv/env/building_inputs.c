/* SPDX-License-Identifier: Apache-2.0 */
/*
 * building_inputs.c - what [build] declares of the project: found, hashed, copied.
 *
 * Hashing and copying is one pass over the same bytes: what is edited meanwhile can't be built under a key that is not
 * its own. Directories are watched too, because what appears in them is a change. Links are never followed below what was
 * declared; that itself is opened as env/place.c decided. Nor are they in the copy: what an input was a link to a moment ago may be a
 * directory for the next one that is declared, and a file of it would be written where the link leads on this machine.
 */
#include "env/building_inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/text.h"
#include "env/inputs.h"
#include "env/place.h"
#include "env/step.h"

#define DEPTH_MAX 128
#define LINK_MAX_BYTES 4096

struct entry {
	char *path; /* in /workspace */
	char kind;  /* f, x (may be executed), l, d */
	char *content; /* digest of a file, text of a link, "" of a directory */
};

struct reading {
	struct environment *env;
	int copy_fd;
	struct entry *entries;
	size_t count, cap;
	unsigned int depth;
};

static const struct timespec stamps[2] = { { STEP_EPOCH, 0 }, { STEP_EPOCH, 0 } };

static void add_entry(struct reading *r, const char *path, char kind, const char *content)
{
	r->entries = mem_grow(r->entries, r->count, &r->cap, sizeof(*r->entries));
	r->entries[r->count++] = (struct entry){ mem_strdup(path), kind, mem_strdup(content) };
}

/* ---- one thing ---- */

/* The directory of the copy that `path` lies in. */
static int open_above(const struct reading *r, const char *path)
{
	cleanup_free char *parent = strchr(path, '/') ? path_parent(path) : mem_strdup(".");

	return sys_openat2(r->copy_fd, parent, O_PATH | O_DIRECTORY, 0, SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS);
}

static int open_copy(const struct reading *r, const char *path, mode_t mode)
{
	cleanup_close int above = open_above(r, path);

	return above < 0 ? -1 : openat(above, path_base(path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
}

static int copy_link(const struct reading *r, const char *path, const char *text)
{
	cleanup_close int above = open_above(r, path);

	if (above < 0 || (symlinkat(text, above, path_base(path)) < 0 && errno != EEXIST))
		return -1;
	utimensat(above, path_base(path), stamps, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int copy_directory(const struct reading *r, const char *path)
{
	cleanup_close int above = open_above(r, path);

	return above < 0 || (mkdirat(above, path_base(path), 0755) < 0 && errno != EEXIST) ? -1 : 0;
}

static void stamp_directory(const struct reading *r, const char *path)
{
	cleanup_close int above = open_above(r, path);

	if (above >= 0)
		utimensat(above, path_base(path), stamps, AT_SYMLINK_NOFOLLOW);
}

static int copy_bytes(int from, int to, struct digest *h, struct err *e)
{
	char data[65536];
	ssize_t n;

	while ((n = read(from, data, sizeof(data))) > 0) {
		digest_add(h, data, (size_t)n);
		if (to >= 0 && file_write_all(to, data, (size_t)n, e) < 0)
			return -1;
	}
	return n < 0 ? err_sys(e, "can't read it") : 0;
}

/* Declared twice, it is there already. */
static int read_file(struct reading *r, int fd, const struct stat *st, const char *path, const char *host, struct err *e)
{
	bool executable = st->st_mode & 0111;
	cleanup_close int to = r->copy_fd < 0 ? -1 : open_copy(r, path, executable ? 0755 : 0644);
	struct digest *h;
	char content[DIGEST_MAX];
	int result;

	if (r->copy_fd >= 0 && to < 0 && errno != EEXIST)
		return err_sys(e, "can't copy %s", text_safe(host));
	h = digest_new(NULL);
	result = copy_bytes(fd, to, h, e);
	digest_end(h, content);
	if (result < 0)
		return err_wrap(e, "%s", text_safe(host));
	if (to >= 0 && (fchmod(to, executable ? 0755 : 0644) < 0 || futimens(to, stamps) < 0))
		return err_sys(e, "can't copy %s", text_safe(host));
	add_entry(r, path, executable ? 'x' : 'f', content);
	inputs_add(r->env, host, st, content);
	return 0;
}

static int read_link(struct reading *r, int dirfd, const char *name, const char *path, const char *host, struct err *e)
{
	char text[LINK_MAX_BYTES];
	ssize_t n = readlinkat(dirfd, name, text, sizeof(text) - 1);

	if (n < 0)
		return err_sys(e, "can't read %s", text_safe(host));
	text[n] = '\0';
	if (r->copy_fd >= 0 && copy_link(r, path, text) < 0)
		return err_sys(e, "can't copy %s", text_safe(host));
	add_entry(r, path, 'l', text);
	return 0;
}

static int read_directory(struct reading *r, int fd, const struct stat *st, const char *path, const char *host, struct err *e);

static int read_child(struct reading *r, int dirfd, const char *name, const char *path, const char *host, struct err *e)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return read_link(r, dirfd, name, path, host, e);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "can't open %s", text_safe(host));
	if (S_ISDIR(st.st_mode))
		return read_directory(r, fd, &st, path, host, e);
	if (S_ISREG(st.st_mode))
		return read_file(r, fd, &st, path, host, e);
	return err_set(e, ERR_CONFIG, "%s is no file, directory or link", text_safe(host));
}

static int read_directory(struct reading *r, int fd, const struct stat *st, const char *path, const char *host, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	int result = 0;

	if (r->depth == DEPTH_MAX)
		return err_set(e, ERR_CONFIG, "%s lies more than %d directories deep", text_safe(host), DEPTH_MAX);
	inputs_add(r->env, host, st, "");
	if (*path && r->copy_fd >= 0 && copy_directory(r, path) < 0)
		return err_sys(e, "can't copy %s", text_safe(host));
	if (*path)
		add_entry(r, path, 'd', "");
	if (file_names(fd, ".", true, &names, e) < 0)
		return err_wrap(e, "%s", text_safe(host));
	r->depth++;
	for (size_t i = 0; result == 0 && i < names.count; i++) {
		const char *name = names.items[i];
		cleanup_free char *below = *path ? path_join(path, name) : mem_strdup(name), *child = path_join(host, name);

		if (strcmp(name, ".git") != 0)
			result = read_child(r, fd, name, below, child, e);
	}
	r->depth--;
	if (result == 0 && *path && r->copy_fd >= 0)
		stamp_directory(r, path);
	return result;
}

/* ---- what was declared ---- */

static int make_parents(const struct reading *r, const char *path, struct err *e)
{
	cleanup_free char *parent = path_parent(path);
	cleanup_close int fd = -1;

	if (r->copy_fd < 0 || !strchr(path, '/'))
		return 0;
	fd = file_open_dirs_beneath(r->copy_fd, parent, 0755, e);
	return fd < 0 ? -1 : 0;
}

/* Where it is in /workspace: as it is written, below the project; from elsewhere by its own name. "~/" is elsewhere, and no
 * directory of that name. */
static char *place_inside(const struct environment *env, const struct env_place *place)
{
	cleanup_free char *joined = path_join(env->project, place->written), *clean = path_clean(joined);
	const char *below = text_starts(place->written, "~/") ? NULL : path_below(clean, env->project);

	if (!below && !place->outside)
		below = path_below(place->path, env->project);
	return mem_strdup(below ? below : path_base(place->path));
}

static int read_place(struct reading *r, const struct env_place *place, struct err *e)
{
	cleanup_close int found = place_open(r->env, place), fd = -1;
	cleanup_free char *path = place_inside(r->env, place), *handle = NULL;
	struct stat st;

	if (found < 0)
		return errno == ENOENT || errno == ENOTDIR ?
			       err_set(e, ERR_CONFIG, "there is no %s", text_safe(place->written)) :
			       err_sys(e, "can't open %s", text_safe(place->path));
	handle = mem_printf("/proc/self/fd/%d", found);
	if (fstat(found, &st) < 0 || make_parents(r, path, e) < 0)
		return e->code ? -1 : err_sys(e, "can't look at %s", text_safe(place->path));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(e, ERR_CONFIG, "%s is no file or directory", text_safe(place->path));
	fd = open(handle, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "can't open %s", text_safe(place->path));
	return S_ISDIR(st.st_mode) ? read_directory(r, fd, &st, path, place->path, e) :
				     read_file(r, fd, &st, path, place->path, e);
}

bool building_inputs_is_pattern(const char *written)
{
	return strpbrk(written, "*?[") != NULL;
}

struct matching {
	struct reading *r;
	char **parts; /* of the pattern, NULL-terminated */
	size_t found;
};

static int match(struct matching *m, size_t part, int dirfd, const char *path, const char *host, struct err *e);

static int match_name(struct matching *m, size_t part, int dirfd, const char *name, const char *path, const char *host,
		      struct err *e)
{
	const char *pattern = m->parts[part];
	bool any_depth = strcmp(pattern, "**") == 0;
	cleanup_close int fd = -1;

	/* A pattern means hidden names only when it says so. */
	if (strcmp(name, ".git") == 0 || (any_depth ? name[0] == '.' : fnmatch(pattern, name, FNM_PERIOD) != 0))
		return 0;
	if (!any_depth && !m->parts[part + 1]) {
		m->found++;
		return make_parents(m->r, path, e) < 0 ? -1 : read_child(m->r, dirfd, name, path, host, e);
	}
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? 0 : err_sys(e, "can't open %s", text_safe(host));
	return match(m, any_depth ? part : part + 1, fd, path, host, e);
}

/* "**" is any number of directories, none included. */
static int match(struct matching *m, size_t part, int dirfd, const char *path, const char *host, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	bool any_depth = strcmp(m->parts[part], "**") == 0;
	struct stat st;
	int result = 0;

	if (m->r->depth == DEPTH_MAX)
		return err_set(e, ERR_CONFIG, "%s lies more than %d directories deep", text_safe(host), DEPTH_MAX);
	if (fstat(dirfd, &st) < 0 || file_names(dirfd, ".", true, &names, e) < 0)
		return e->code ? err_wrap(e, "%s", text_safe(host)) : err_sys(e, "can't list %s", text_safe(host));
	inputs_add(m->r->env, host, &st, "");
	if (any_depth && match(m, part + 1, dirfd, path, host, e) < 0)
		return -1;
	m->r->depth++;
	for (size_t i = 0; result == 0 && i < names.count; i++) {
		cleanup_free char *below = *path ? path_join(path, names.items[i]) : mem_strdup(names.items[i]);
		cleanup_free char *child = path_join(host, names.items[i]);

		result = match_name(m, part, dirfd, names.items[i], below, child, e);
	}
	m->r->depth--;
	return result;
}

static int read_pattern(struct reading *r, const char *written, struct err *e)
{
	cleanup_strlist struct strlist parts = STRLIST_INIT;
	cleanup_free char *clean = path_clean(written), **list = NULL;
	cleanup_close int fd = -1;
	struct matching m = { .r = r };

	strlist_split(&parts, clean, "/");
	list = mem_array(parts.count + 1, sizeof(*list));
	for (size_t i = 0; i < parts.count; i++)
		list[i] = parts.items[i];
	if (parts.count && strcmp(list[parts.count - 1], "**") == 0)
		list[parts.count - 1] = (char *)"*"; /* a last one is everything */
	m.parts = list;
	fd = openat(r->env->project_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "can't open the project's directory");
	if (match(&m, 0, fd, "", r->env->project, e) < 0)
		return -1;
	return m.found ? 0 : err_set(e, ERR_CONFIG, "nothing matches %s", text_safe(written));
}

static const struct env_place *find_place(const struct environment *env, size_t index)
{
	for (size_t i = 0; i < env->place_count; i++)
		if (env->places[i].kind == ENV_PLACE_BUILD_INPUT && env->places[i].index == index)
			return &env->places[i];
	return NULL;
}

static int read_input(struct reading *r, size_t index, struct err *e)
{
	const struct config *c = &r->env->config;
	const struct env_place *place = find_place(r->env, index);
	const char *written = c->build_inputs.items[index];
	cleanup_buf struct buf origin = BUF_INIT;
	int result = place ? read_place(r, place, e) : read_pattern(r, written, e);

	if (result == 0)
		return 0;
	config_origin(c, "build", "inputs", written, &origin);
	return err_wrap(e, "%s: [build] inputs", text_safe(origin.data));
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static void hash(struct reading *r, char digest[DIGEST_MAX])
{
	struct digest *h = digest_new(NULL);

	if (r->count)
		qsort(r->entries, r->count, sizeof(*r->entries), by_path);
	for (size_t i = 0; i < r->count; i++) {
		const struct entry *entry = &r->entries[i];

		if (i && strcmp(entry->path, r->entries[i - 1].path) == 0)
			continue; /* declared twice */
		digest_add(h, &entry->kind, 1);
		digest_add(h, entry->path, strlen(entry->path) + 1);
		digest_add(h, entry->content, strlen(entry->content) + 1);
	}
	digest_end(h, digest);
}

int building_inputs_read(struct environment *env, int copy_fd, char digest[DIGEST_MAX], struct err *e)
{
	struct reading r = { .env = env, .copy_fd = copy_fd };
	int result = 0;

	inputs_forget_added(env);
	for (size_t i = 0; result == 0 && i < env->config.build_inputs.count; i++)
		result = read_input(&r, i, e);
	if (result == 0)
		hash(&r, digest);
	for (size_t i = 0; i < r.count; i++) {
		free(r.entries[i].path);
		free(r.entries[i].content);
	}
	free(r.entries);
	return result;
}
