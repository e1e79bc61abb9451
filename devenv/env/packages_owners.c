/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_owners.c - see packages_owners.h.
 *
 * Nearly everything is root's. So of the packages only those members are kept that are not, and those that the layers below say
 * something about. The archives are inflated once more for it, by a thread while the step runs; nothing else touches what it fills in
 * until it has ended. It looks at the layers below only, which don't change.
 */
#include "env/packages_owners.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "layer/listing.h"
#include "layer/owners.h"
#include "source/debian_deb.h"
#include "source/debian_pool.h"

enum { TEXT_MAX = 4 << 20 };

struct owned {
	char *path;
	uint64_t uid, gid;
	size_t order; /* of several with one path the last holds */
};
struct owned_list {
	struct owned *items;
	size_t count, cap;
};

struct below {
	int fs_fd;
	struct owners owners;
};

/* Names that merged /usr made links. */
static const char *const alias_names[] = { "bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32" };

struct packages_owners {
	struct store *store;
	const struct lock_package *const *packages;
	size_t package_count;
	pthread_t thread;
	bool running;
	atomic_bool stop;
	struct err failure;		    /* of the thread */
	struct owned_list files;	    /* of packages, by the thread; then sorted by path */
	struct owned_list overrides;	    /* sorted by path */
	struct below *below;		    /* topmost first */
	size_t below_count;
	char *aliases[ARRAY_SIZE(alias_names)]; /* where they lead; NULL: no link */
	int fs_fd, record_fd;
	struct owners_writer record;
};

/* ---- lists ---- */

static void add(struct owned_list *l, char *path, uint64_t uid, uint64_t gid)
{
	l->items = mem_grow(l->items, l->count, &l->cap, sizeof(*l->items));
	l->items[l->count] = (struct owned){ path, uid, gid, l->count };
	l->count++;
}

static void release(struct owned_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i].path);
	free(l->items);
	*l = (struct owned_list){ 0 };
}

static int compare(const void *a, const void *b)
{
	const struct owned *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : x->order < y->order ? -1 : 1;
}

/* Sorted, one of a path. */
static void settle(struct owned_list *l)
{
	size_t kept = 0;

	if (l->count)
		qsort(l->items, l->count, sizeof(*l->items), compare);
	for (size_t i = 0; i < l->count; i++) {
		if (i + 1 < l->count && strcmp(l->items[i].path, l->items[i + 1].path) == 0)
			free(l->items[i].path);
		else
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
}

static int compare_key(const void *path, const void *item)
{
	return strcmp(path, ((const struct owned *)item)->path);
}

static const struct owned *find(const struct owned_list *l, const char *path)
{
	return l->count ? bsearch(path, l->items, l->count, sizeof(*l->items), compare_key) : NULL;
}

/* ---- what is below, and what is seen over it ---- */

static int load_below(struct packages_owners *o, const char *digest, struct err *e)
{
	struct store_image image = { 0 };
	int result = 0;

	if (store_image_load(o->store, digest, &image, e) < 0)
		return -1;
	o->below = mem_array(image.chain_ids.count + 1, sizeof(*o->below));
	for (size_t i = image.chain_ids.count; i-- > 0 && result == 0;) {
		struct below *b = &o->below[o->below_count++];
		cleanup_close int fd = -1;

		*b = (struct below){ store_layer_open(o->store, image.chain_ids.items[i], e), { 0 } };
		if (b->fs_fd >= 0)
			fd = openat(b->fs_fd, "../owners", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		/* A layer that a script made has no record. */
		if (b->fs_fd < 0 || (fd < 0 && errno != ENOENT))
			result = e->code ? -1 : err_sys(e, "can't read whom the files below belong to");
		else if (fd >= 0)
			result = owners_load(&b->owners, fd, e);
	}
	store_image_release(&image);
	return result;
}

/* O_PATH, of the path itself, never through a link; -1: there is none. */
static int open_entry(int fs_fd, const char *path)
{
	return sys_openat2(fs_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS);
}

static bool is_there(int fs_fd, const char *path, struct stat *st)
{
	cleanup_close int fd = open_entry(fs_fd, path);

	return fd >= 0 && fstat(fd, st) == 0;
}

/* What the layers below have under a path: false when nothing, or a mark that it is deleted. */
static bool is_below(const struct packages_owners *o, const char *path, struct stat *st)
{
	for (size_t i = 0; i < o->below_count; i++)
		if (is_there(o->below[i].fs_fd, path, st))
			return !S_ISCHR(st->st_mode);
	return false;
}

static bool is_named_below(const struct packages_owners *o, const char *path)
{
	for (size_t i = 0; i < o->below_count; i++)
		if (owners_find(&o->below[i].owners, path))
			return true;
	return false;
}

/* The topmost layer that has it speaks, unless it has it only for what is in it. */
static const struct owners_record *find_below(const struct packages_owners *o, const char *path)
{
	struct stat st;

	if (!is_named_below(o, path))
		return NULL;
	for (size_t i = 0; i < o->below_count; i++) {
		const struct owners_record *r = owners_find(&o->below[i].owners, path);

		if (r && r->kind == 'i')
			continue;
		if (r || is_there(o->below[i].fs_fd, path, &st))
			return r && r->kind ? r : NULL;
	}
	return NULL;
}

/* ---- names ---- */

static bool read_merged(const struct packages_owners *o, const char *path, struct buf *out)
{
	struct err ignored = ERR_INIT;
	struct stat st;

	for (size_t i = 0; i <= o->below_count; i++) {
		int root = i ? o->below[i - 1].fs_fd : o->fs_fd;
		cleanup_close int fd = -1;

		if (!is_there(root, path, &st))
			continue;
		if (S_ISREG(st.st_mode))
			fd = sys_openat2(root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0, SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS);
		return fd >= 0 && file_read_fd(fd, TEXT_MAX, out, &ignored) == 0;
	}
	return false;
}

/* The third field of NAME's line in a text like etc/passwd; or "#1000". */
static bool find_id(const char *text, const char *name, uint64_t *id)
{
	size_t len = strlen(name);

	if (*name == '#')
		return text_number(name + 1, UINT32_MAX, id) == 0;
	for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
		const char *number;
		cleanup_free char *field = NULL;

		if (strncmp(line, name, len) != 0 || line[len] != ':' || !(number = strchr(line + len + 1, ':')))
			continue;
		number++;
		field = mem_strndup(number, strcspn(number, ":\n"));
		return text_number(field, UINT32_MAX, id) == 0;
	}
	return false;
}

/* Lines "USER GROUP MODE /PATH". Who has no number any more is left out: dpkg couldn't do it either. */
static void read_overrides(struct packages_owners *o)
{
	cleanup_buf struct buf text = BUF_INIT, users = BUF_INIT, groups = BUF_INIT;
	cleanup_strlist struct strlist lines = STRLIST_INIT;

	if (!read_merged(o, "var/lib/dpkg/statoverride", &text) || !text.len)
		return;
	read_merged(o, "etc/passwd", &users);
	read_merged(o, "etc/group", &groups);
	strlist_split(&lines, text.data, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		cleanup_strlist struct strlist words = STRLIST_INIT;
		const char *path = strchr(lines.items[i], '/');
		uint64_t uid, gid;

		strlist_split(&words, lines.items[i], " ");
		if (words.count >= 4 && path && path[1] && find_id(users.data ? users.data : "", words.items[0], &uid) &&
		    find_id(groups.data ? groups.data : "", words.items[1], &gid))
			add(&o->overrides, mem_strdup(path + 1), uid, gid);
	}
}

static char *link_target(int fs_fd, const char *name)
{
	cleanup_close int fd = open_entry(fs_fd, name);
	char target[256];
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target));

	return n <= 0 || n == sizeof(target) ? NULL : target[0] == '/' ? mem_strndup(target + 1, (size_t)n - 1) : mem_strndup(target, (size_t)n);
}

static void find_aliases(struct packages_owners *o)
{
	for (size_t a = 0; a < ARRAY_SIZE(alias_names); a++)
		for (size_t i = 0; i < o->below_count && !o->aliases[a]; i++)
			o->aliases[a] = link_target(o->below[i].fs_fd, alias_names[a]);
}

/* Where dpkg puts a member: lib/x in usr/lib/x. malloc'ed. */
static char *place_of(const struct packages_owners *o, const char *path)
{
	size_t len = strcspn(path, "/");

	for (size_t a = 0; path[len] && a < ARRAY_SIZE(alias_names); a++)
		if (o->aliases[a] && strlen(alias_names[a]) == len && memcmp(path, alias_names[a], len) == 0)
			return mem_printf("%s%s", o->aliases[a], path + len);
	return mem_strdup(path);
}

/* ---- packages ---- */

static void see_member(void *data, const struct layer_member *m)
{
	struct packages_owners *o = data;
	cleanup_free char *path = place_of(o, m->path);
	struct stat st;

	if (!m->uid && !m->gid && (m->directory || !is_named_below(o, path)))
		return;
	if (m->directory && is_below(o, path, &st) && S_ISDIR(st.st_mode))
		return;
	add(&o->files, mem_steal(path), m->uid, m->gid);
}

/* The step has ended badly: nobody waits for the rest of a large package. */
static int is_stopped(void *data, uint64_t bytes)
{
	struct packages_owners *o = data;

	(void)bytes;
	return atomic_load(&o->stop);
}

static int read_package(struct packages_owners *o, const struct lock_package *p, struct err *e)
{
	cleanup_close int fd = debian_pool_open(o->store, p->sha256, e);
	struct layer_spec spec;
	struct stream *in;
	struct deb deb;
	int result;

	if (fd < 0 || deb_read(fd, p->name, &deb, e) < 0)
		return -1;
	spec = (struct layer_spec){ .compression = deb.data_compression };
	result = lseek(fd, deb.data_offset, SEEK_SET) < 0 ? err_sys(e, "can't read the package %s", text_safe(p->name)) : 0;
	if (result == 0) {
		in = stream_from_fd(mem_steal_fd(fd), deb.data_size);
		result = layer_each_member(&spec, in, see_member, is_stopped, o, e);
		stream_close(in);
	}
	deb_release(&deb);
	return result < 0 && e->code == ERR_INTEGRITY ? err_wrap(e, "package %s", text_safe(p->name)) : result;
}

static void *read_packages(void *data)
{
	struct packages_owners *o = data;

	for (size_t i = 0; i < o->package_count && !atomic_load(&o->stop); i++)
		if (read_package(o, o->packages[i], &o->failure) < 0)
			break;
	return NULL;
}

/* Signals are for the thread that waits for the step. */
static int start(struct packages_owners *o, struct err *e)
{
	sigset_t all, old;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	failed = pthread_create(&o->thread, NULL, read_packages, o);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	o->running = !failed;
	errno = failed;
	return failed ? err_sys(e, "can't start a thread") : 0;
}

static void await(struct packages_owners *o)
{
	if (o->running)
		pthread_join(o->thread, NULL);
	o->running = false;
}

/* ---- all of it ---- */

struct packages_owners *packages_owners_begin(struct store *s, const char *below, const struct lock_package *const *packages, size_t count,
					      struct err *e)
{
	struct packages_owners *o = mem_alloc(sizeof(*o));

	o->store = s;
	o->packages = packages;
	o->package_count = count;
	o->fs_fd = o->record_fd = -1;
	o->failure = ERR_INIT;
	if (load_below(o, below, e) == 0) {
		find_aliases(o);
		if (start(o, e) == 0)
			return o;
	}
	packages_owners_free(o);
	return NULL;
}

int packages_owners_open(struct packages_owners *o, const struct store_stage *stage, struct err *e)
{
	await(o);
	if (o->failure.code != ERR_NONE) {
		*e = o->failure;
		return -1;
	}
	o->fs_fd = openat(stage->fd, "fs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	o->record_fd = openat(stage->fd, "owners", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (o->fs_fd < 0 || o->record_fd < 0)
		return err_sys(e, "can't write down whom the files belong to");
	read_overrides(o);
	settle(&o->overrides);
	settle(&o->files);
	owners_writer_begin(&o->record, o->record_fd);
	return 0;
}

void packages_owners_free(struct packages_owners *o)
{
	if (!o)
		return;
	atomic_store(&o->stop, true);
	await(o);
	release(&o->overrides);
	release(&o->files);
	for (size_t i = 0; i < o->below_count; i++) {
		owners_release(&o->below[i].owners);
		if (o->below[i].fs_fd >= 0)
			close(o->below[i].fs_fd);
	}
	free(o->below);
	for (size_t a = 0; a < ARRAY_SIZE(alias_names); a++)
		free(o->aliases[a]);
	if (o->fs_fd >= 0)
		close(o->fs_fd);
	if (o->record_fd >= 0)
		close(o->record_fd);
	owners_writer_end(&o->record, NULL);
	free(o);
}

void packages_owners_add(void *data, const char *path, const struct stat *st)
{
	struct packages_owners *o = data;
	cleanup_free char *shown = mem_strdup(*path ? path : ".");
	struct owners_record r = { .kind = 'e', .mode = st->st_mode & 07777, .path = shown };
	const struct owned *known = find(&o->overrides, shown);
	const struct owners_record *below;

	if (!known)
		known = find(&o->files, shown);
	if (known) {
		r.uid = known->uid;
		r.gid = known->gid;
	} else if ((below = find_below(o, shown))) {
		r.uid = below->uid;
		r.gid = below->gid;
	}
	if (r.uid || r.gid || (r.mode & 07000))
		owners_write(&o->record, &r);
}

int packages_owners_end(struct packages_owners *o, struct err *e)
{
	return owners_writer_end(&o->record, e);
}
