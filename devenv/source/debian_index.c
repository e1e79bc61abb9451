/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_index.c - the Packages files of an archive, by the hashes of its InReleases.
 *
 * The cache, debian/ of the cache directory:
 *
 *   releases/SUITE-HASH         an InRelease as it came (debian_inrelease.c); its time says when it was asked for
 *   releases/SUITE-HASH.lock    held by whoever reads that suite: of many at once one fetches, the others find what it fetched
 *   packages/SHA256             a Packages file, decompressed, named by the hash of the compressed file that InRelease names
 *
 * Files come under their names by rename, and are checked when they are used: so nothing in there is believed, and all of it
 * may be deleted at any time. A mapped file that is deleted stays readable.
 */
#include "source/debian_archive_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/dirs.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "layer/expand.h"
#include "source/debian_fetch.h"
#include "source/oci.h"

enum { COMPRESSED_MAX = 512 << 20, KEPT_SECONDS = 14 * 24 * 3600 };
#define PACKAGES_MAX (2ULL << 30) /* Packages of all of sid: 60 MB */

struct reading { /* of one suite */
	struct debian_context *c;
	const struct debian_suite *suite;
	unsigned int number;
	const char *arch;
	int directory; /* of the cache */
	struct debian_inrelease inrelease;
	struct debian_indexes *out;
};

struct index { /* one file of it */
	char *path;	/* below dists/SUITE, with its ending */
	struct debian_index_file file;
	struct debian_index_file plain; /* the same decompressed; size 0 and no hash: not said */
	bool has_plain;
};

/* ---- finding it in the release ---- */

/* The smallest form that is there; component NULL: of a flat archive. false: the release has no such index. */
static bool find_index(const struct debian_release *r, const char *component, const char *arch, struct index *out)
{
	static const char *const endings[] = { ".xz", ".gz", "" };
	cleanup_free char *base = component ? mem_printf("%s/binary-%s/Packages", component, arch) : mem_strdup("Packages");

	*out = (struct index){ .has_plain = false };
	out->has_plain = debian_release_find(r, base, &out->plain);
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		out->path = mem_printf("%s%s", base, endings[i]);
		if (debian_release_find(r, out->path, &out->file))
			return true;
		free(mem_steal(out->path));
	}
	return false;
}

static char *joined(const struct strlist *l)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < l->count; i++)
		buf_addf(&b, "%s%s", i ? " " : "", text_safe(l->items[i]));
	return buf_steal(&b);
}

static int no_component(const struct reading *r, const char *component, struct err *e)
{
	cleanup_free char *there = joined(&r->inrelease.release.components);
	const char *nearest = text_nearest(component, r->inrelease.release.components.count ?
		(const char *const *)r->inrelease.release.components.items : (const char *const[]){ NULL });

	err_set(e, ERR_CONFIG, "%s has no component '%s'", text_safe(r->suite->suite), text_safe(component));
	if (nearest && strcmp(nearest, component) != 0)
		return err_hint(e, "did you mean %s? It has: %s", text_safe(nearest), there);
	return err_hint(e, "it has: %s", there);
}

static int no_architecture(const struct reading *r, struct err *e)
{
	cleanup_free char *there = joined(&r->inrelease.release.architectures);

	err_set(e, ERR_UNSUPPORTED, "%s has no packages for %s", text_safe(r->suite->suite), r->arch);
	return err_hint(e, "it has: %s", there);
}

/* ---- the cache ---- */

static char *packages_path(const struct index *x)
{
	return mem_printf("packages/%s", x->file.sha256);
}

/* Does the file hold what the release says? Where that gives no hash of the plain form, its having been written here is all
 * there is to know. */
static bool is_good(const struct index *x, int fd, uint64_t size)
{
	char digest[DIGEST_MAX];
	struct err ignored = ERR_INIT;

	if (!x->has_plain)
		return true;
	return size == x->plain.size && digest_fd(fd, digest, NULL, &ignored) == 0 &&
	       strcmp(digest_hex(digest), x->plain.sha256) == 0;
}

static char *said(struct debian_text t)
{
	return t.len ? debian_text_dup(t) : NULL;
}

static struct debian_origin origin_of(const struct reading *r, const struct index *x)
{
	const struct debian_release *release = &r->inrelease.release;

	return (struct debian_origin){
		.archive = said(release->suite),
		.codename = said(release->codename),
		.origin = said(release->origin),
		.label = said(release->label),
		.version = said(release->version),
		.component = r->suite->flat ? NULL : mem_strndup(x->path, strcspn(x->path, "/")),
		.site = r->suite->site ? mem_strdup(r->suite->site) : debian_fetch_site(r->suite->uri),
		.priority = !release->not_automatic ? DEBIAN_PRIORITY : release->automatic_upgrades ? 100 : 1,
	};
}

static void add_text(struct reading *r, const struct index *x, const char *at, size_t len)
{
	struct debian_indexes *o = r->out;

	if (o->count == o->cap) {
		o->cap = o->cap ? 2 * o->cap : 8;
		o->texts = mem_resize(o->texts, o->cap, sizeof(*o->texts));
		o->sources = mem_resize(o->sources, o->cap, sizeof(*o->sources));
		o->origins = mem_resize(o->origins, o->cap, sizeof(*o->origins));
	}
	o->texts[o->count] = (struct debian_text){ at, len };
	o->origins[o->count] = origin_of(r, x);
	o->sources[o->count++] = r->number;
}

/* 1: it is there, and mapped; 0: it has to be fetched. */
static int map_cached(struct reading *r, const struct index *x, struct err *e)
{
	cleanup_free char *path = packages_path(x);
	cleanup_close int fd = openat(r->directory, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	void *at;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !is_good(x, fd, (uint64_t)st.st_size))
		return 0;
	futimens(fd, NULL); /* used now: see prune */
	if (st.st_size == 0)
		return 1;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return err_sys(e, "can't read the index %s", path);
	add_text(r, x, at, (size_t)st.st_size);
	return 1;
}

/* What was not used for long goes, and what a process that was killed left behind. */
static void prune(int directory)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;
	int64_t now = (int64_t)time(NULL);

	if (file_names(directory, "packages", true, &names, &ignored) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = mem_printf("packages/%s", names.items[i]);
		int64_t most = names.items[i][0] == '.' ? 24 * 3600 : KEPT_SECONDS;
		struct stat st;

		if (fstatat(directory, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && now - (int64_t)st.st_mtime > most)
			unlinkat(directory, path, 0);
	}
}

static int make_temporary(const struct reading *r, char path[64], struct err *e)
{
	static unsigned int count;
	int fd;

	snprintf(path, 64, "packages/.%ld-%u", (long)getpid(), __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED));
	unlinkat(r->directory, path, 0); /* of a process that had our number and was killed */
	fd = openat(r->directory, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(e, "can't make a file in the cache of indexes") : fd;
}

/* ---- fetching it ---- */

struct arrival {
	struct reading *r;
	char *what;
	uint64_t done, total;
};

static void came(void *data, uint64_t bytes)
{
	struct arrival *a = data;

	a->done += bytes;
	if (a->r->c->progress)
		a->r->c->progress(a->r->c->data, a->what, a->done, a->total);
}

/* "bookworm", with the architecture where that isn't this machine's. malloc'ed. */
static char *name_of(const struct reading *r)
{
	const char *own = debian_arch(oci_platform());
	bool foreign = !own || strcmp(own, r->arch) != 0;

	return mem_printf("%s%s%s", text_safe(r->suite->suite), foreign ? " for " : "", foreign ? r->arch : "");
}

static void notice(const struct reading *r, const struct index *x)
{
	cleanup_free char *name = name_of(r), *line = mem_printf("reading the index of %s (%s)", name, text_bytes(x->file.size));

	if (r->c->notice)
		r->c->notice(r->c->data, line);
}

static int fetch_from(struct reading *r, const struct index *x, const char *path, struct arrival *a, int fd, struct err *e)
{
	cleanup_free char *below = debian_archive_path(r->suite, path), *url = debian_fetch_url(r->suite->uri, below);
	const struct debian_fetch f = {
		.http = r->c->http, .url = url, .sha256 = x->file.sha256, .size = x->file.size, .came = came, .data = a
	};

	a->done = 0;
	return debian_fetch_file(&f, fd, e);
}

/* By hash first: that name has the right bytes also while the mirror is being renewed. */
static int fetch_compressed(struct reading *r, const struct index *x, int fd, struct err *e)
{
	cleanup_free char *name = name_of(r), *what = mem_printf("index of %s", name), *parent = path_parent(x->path);
	cleanup_free char *by_hash = mem_printf("%s/by-hash/SHA256/%s", parent, x->file.sha256);
	struct arrival a = { .r = r, .what = what, .total = x->file.size };

	if (r->inrelease.release.by_hash && fetch_from(r, x, by_hash, &a, fd, e) == 0)
		return 0;
	if (r->inrelease.release.by_hash && e->code != ERR_NOT_FOUND && e->code != ERR_AUTH && e->code != ERR_INTEGRITY)
		return err_wrap(e, "can't fetch the index of %s", text_safe(r->suite->suite));
	if (fetch_from(r, x, x->path, &a, fd, e) == 0)
		return 0;
	err_wrap(e, "the index %s of %s can't be used", text_safe(x->path), text_safe(r->suite->suite));
	if (e->code == ERR_INTEGRITY || e->code == ERR_NOT_FOUND) {
		e->code = ERR_INTEGRITY;
		return err_hint(e, "the mirror is being renewed, or its files were changed: try again in some minutes, or another mirror "
				   "([debian] mirror in %s)", dirs_shown_config());
	}
	return -1;
}

static int expand(const struct reading *r, const struct index *x, int in, int out, struct err *e)
{
	cleanup_free char *what = mem_printf("the index %s of %s", text_safe(x->path), text_safe(r->suite->suite));
	uint64_t max = x->has_plain ? x->plain.size : PACKAGES_MAX, size;
	char digest[DIGEST_MAX];

	if (lseek(in, 0, SEEK_SET) < 0)
		return err_sys(e, "can't read %s", what);
	if (expand_file(in, out, max < PACKAGES_MAX ? max : PACKAGES_MAX, what, digest, &size, e) < 0)
		return -1;
	if (x->has_plain && (size != x->plain.size || strcmp(digest_hex(digest), x->plain.sha256) != 0))
		return err_set(e, ERR_INTEGRITY, "%s is not what the InRelease says once it is decompressed", what);
	return 0;
}

static int fetch_into(struct reading *r, const struct index *x, int in, int out, struct err *e)
{
	if (fetch_compressed(r, x, in, e) < 0)
		return -1;
	return expand(r, x, in, out, e);
}

static int fetch(struct reading *r, const struct index *x, struct err *e)
{
	char compressed[64], plain[64];
	cleanup_free char *path = packages_path(x);
	cleanup_close int in = make_temporary(r, compressed, e), out = in < 0 ? -1 : make_temporary(r, plain, e);
	int result;

	if (in >= 0)
		unlinkat(r->directory, compressed, 0);
	if (out < 0)
		return -1;
	notice(r, x);
	result = fetch_into(r, x, in, out, e);
	if (result == 0 && renameat(r->directory, plain, r->directory, path) < 0)
		result = err_sys(e, "can't keep an index in the cache");
	if (result < 0)
		unlinkat(r->directory, plain, 0);
	if (result < 0 && e->code == ERR_SPACE)
		err_hint(e, "the indexes are kept in %s/debian: free some space there, or set XDG_CACHE_HOME to another place",
			 text_safe(r->c->cache));
	return result;
}

static int read_index(struct reading *r, const struct index *x, struct err *e)
{
	int there;

	if (x->has_plain && x->plain.size == 0)
		return 0;
	if (x->file.size > COMPRESSED_MAX)
		return err_set(e, ERR_INTEGRITY, "the index %s of %s would be %s large", text_safe(x->path),
			       text_safe(r->suite->suite), text_bytes(x->file.size));
	there = map_cached(r, x, e);
	if (there != 0)
		return there < 0 ? -1 : 0;
	if (r->c->offline) {
		err_set(e, ERR_OFFLINE, "the index of %s for %s was not fetched yet", text_safe(r->suite->suite), r->arch);
		return err_hint(e, "do it once without --offline");
	}
	if (fetch(r, x, e) < 0)
		return -1;
	there = map_cached(r, x, e);
	if (there == 0)
		return err_set(e, ERR_FAILED, "the index %s vanished from the cache while it was used", x->file.sha256);
	return there < 0 ? -1 : 0;
}

/* ---- a suite ---- */

static int read_component(struct reading *r, const char *component, const char *arch, bool *found, struct err *e)
{
	struct index x;
	int result;

	if (!find_index(&r->inrelease.release, component, arch, &x))
		return 0;
	*found = true;
	result = read_index(r, &x, e);
	free(x.path);
	return result;
}

/* Its packages may be for any architecture: those of others are passed over by who reads it. */
static int read_flat(struct reading *r, struct err *e)
{
	cleanup_free char *place = debian_fetch_place(r->suite->uri);
	bool found = false;

	if (read_component(r, NULL, r->arch, &found, e) < 0)
		return -1;
	return found ? 0 : err_set(e, ERR_INTEGRITY, "the Release of the archive at %s names no Packages", text_safe(place));
}

/* The release itself must have what is asked for; its updates and security, and what others have for it, need not. */
static int read_components(struct reading *r, struct err *e)
{
	const struct debian_release *release = &r->inrelease.release;
	bool additional = r->suite->foreign || r->suite->suite[strcspn(r->suite->suite, "-/")] != '\0';

	if (r->suite->flat)
		return read_flat(r, e);
	if (!strlist_has(&release->architectures, r->arch) && release->architectures.count) {
		if (!additional)
			return no_architecture(r, e);
		strlist_addf(&r->out->warnings, "%s has no packages for %s", text_safe(r->suite->suite), r->arch);
		return 0;
	}
	for (size_t i = 0; i < r->suite->components.count; i++) {
		const char *component = r->suite->components.items[i];
		bool found = false;

		if (read_component(r, component, r->arch, &found, e) < 0)
			return -1;
		if (release->all_apart && read_component(r, component, "all", &found, e) < 0)
			return -1;
		if (!found && !additional)
			return no_component(r, component, e);
		if (!found && r->suite->foreign)
			strlist_addf(&r->out->warnings, "%s has no component '%s'", text_safe(r->suite->suite), text_safe(component));
	}
	return 0;
}

static void drop_last(struct debian_indexes *i)
{
	const struct debian_text *t = &i->texts[--i->count];

	munmap((void *)(uintptr_t)t->at, t->len);
	debian_origin_release(&i->origins[i->count]);
}

/* One of the two times: with what the cache has of the release while that is fresh, or asking the mirror. */
static int read_once(struct reading *r, bool again, struct err *e)
{
	size_t count = r->out->count, warnings = r->out->warnings.count;
	int result = debian_inrelease_get(r->c, r->suite, r->directory, again, &r->out->warnings, &r->inrelease, e);

	if (result == 0)
		result = read_components(r, e);
	if (result == 0)
		return 0;
	while (r->out->count > count)
		drop_last(r->out);
	while (r->out->warnings.count > warnings) {
		char **last = &r->out->warnings.items[--r->out->warnings.count];

		free(mem_steal(*last));
	}
	return -1;
}

static int lock_suite(const struct reading *r, struct err *e)
{
	cleanup_free char *name = debian_inrelease_name(r->suite), *path = mem_printf("releases/%s.lock", name);
	int fd = openat(r->directory, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "can't lock the cache of indexes");
	if (file_lock(fd, true, true, e) == 0)
		return fd;
	close(fd);
	return -1;
}

static int read_suite(struct reading *r, bool again, struct err *e)
{
	cleanup_close int lock = lock_suite(r, e);
	int result;

	if (lock < 0)
		return -1;
	r->inrelease = (struct debian_inrelease){ .text = BUF_INIT };
	result = read_once(r, again, e);
	/* The mirror was renewed since we asked: what it had then is gone. */
	if (result < 0 && e->code == ERR_INTEGRITY && r->inrelease.cached && !r->c->offline) {
		debian_inrelease_release(&r->inrelease);
		result = read_once(r, true, e);
	}
	r->out->cached = r->out->cached || r->inrelease.cached;
	debian_inrelease_release(&r->inrelease);
	return result;
}

static bool is_for(const struct debian_suite *s, const char *arch)
{
	return s->architectures.count == 0 || strlist_has(&s->architectures, arch);
}

static int open_cache(const struct debian_context *c, struct err *e)
{
	cleanup_free char *path = path_join(c->cache, "debian"), *releases = path_join(path, "releases");
	cleanup_free char *packages = path_join(path, "packages");
	int fd;

	if (file_mkdirs(AT_FDCWD, releases, 0700, e) < 0 || file_mkdirs(AT_FDCWD, packages, 0700, e) < 0)
		return err_wrap(e, "the cache of indexes");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "can't open %s", text_safe(path)) : fd;
}

int debian_indexes_read(struct debian_context *c, const struct debian_archive *a, const char *arch, bool again,
			struct debian_indexes *out, struct err *e)
{
	cleanup_close int directory = open_cache(c, e);
	struct debian_indexes all = { 0 };

	if (directory < 0)
		return -1;
	for (size_t i = 0; i < a->count; i++) {
		struct reading r = {
			.c = c, .suite = &a->suites[i], .number = (unsigned int)i, .arch = arch, .directory = directory, .out = &all
		};

		if (is_for(r.suite, arch) && read_suite(&r, again, e) < 0) {
			debian_indexes_release(&all);
			return -1;
		}
	}
	prune(directory);
	*out = all;
	return 0;
}

void debian_indexes_release(struct debian_indexes *i)
{
	while (i->count)
		drop_last(i);
	free(i->texts);
	free(i->origins);
	free(i->sources);
	strlist_release(&i->warnings);
	*i = (struct debian_indexes){ 0 };
}
