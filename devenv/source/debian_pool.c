/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_pool.c - many packages at once.
 *
 * Theory of operation: the caller's thread starts up to 8 others and then only waits and reports progress, so that callbacks are
 * called from one thread. Each of the others has an http session, that is a connection, of its own, takes the next package of the
 * list and writes it into a staging directory of the store under the name of its hash once it is verified. At the end, however that
 * comes about, what is complete is made durable by one syncfs and gets its name in debs/; the rest goes with the staging directory.
 * So a fetch that was interrupted goes on where it was, package by package.
 *
 * A package that is nowhere doesn't stop the others, but a full disk, ^C and a network that is gone do.
 */
#include "source/debian_pool_internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/debian_control.h"
#include "source/debian_deb.h"

enum { CONNECTIONS = 8, FAILURES_MAX = 4, SPARE = 16 << 20 };

struct fetching {
	struct debian_pool *pool;
	struct store_stage stage;
	const struct lock_package **wanted; /* those that the store lacks */
	size_t count;
	uint64_t total;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t next, running, failures;
	int64_t done; /* bytes */
	bool stop;
	struct err failure; /* of the first package, in their order, that failed */
	size_t failed;
};

static void came(void *data, int64_t bytes)
{
	struct fetching *f = data;

	pthread_mutex_lock(&f->lock);
	f->done += bytes;
	pthread_mutex_unlock(&f->lock);
}

static bool is_fatal(const struct err *e)
{
	return e->code != ERR_NOT_FOUND && e->code != ERR_INTEGRITY && e->code != ERR_OFFLINE;
}

static void record(struct fetching *f, size_t which, const struct err *why)
{
	pthread_mutex_lock(&f->lock);
	f->failures++;
	/* An interruption ends the transfers of the others in ways of their own. */
	if (f->failed > which || why->code == ERR_INTERRUPTED || why->code == ERR_SPACE) {
		f->failure = *why;
		f->failed = which;
	}
	/* Without a network the rest costs nothing, and it is known how many are missing. */
	if (is_fatal(why) || (f->failures >= FAILURES_MAX && !f->pool->context->offline))
		f->stop = true;
	pthread_mutex_unlock(&f->lock);
}

static bool take(struct fetching *f, size_t *which)
{
	bool there;

	pthread_mutex_lock(&f->lock);
	there = !f->stop && !http_interrupted() && f->next < f->count;
	if (there)
		*which = f->next++;
	pthread_mutex_unlock(&f->lock);
	return there;
}

static int fetch_one(struct fetching *f, struct http *http, const struct lock_package *p, struct err *e)
{
	struct debian_search search = { .pool = f->pool, .package = p, .http = http, .came = came, .data = f };
	char part[80];
	int result;

	snprintf(part, sizeof(part), ".%s", p->sha256);
	search.fd = openat(f->stage.fd, part, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (search.fd < 0)
		return err_sys(e, "can't make a file for %s in the store", text_safe(p->name));
	result = debian_search_run(&search, e);
	close(search.fd);
	if (result == 0 && renameat(f->stage.fd, part, f->stage.fd, p->sha256) < 0)
		result = err_sys(e, "can't keep %s in the store", text_safe(p->name));
	if (result < 0)
		unlinkat(f->stage.fd, part, 0);
	return result;
}

static void *work(void *data)
{
	struct fetching *f = data;
	struct http *http = f->pool->context->offline ? NULL : http_clone(f->pool->context->http);
	size_t which;

	while (take(f, &which)) {
		struct err why = ERR_INIT;

		if (fetch_one(f, http, f->wanted[which], &why) < 0)
			record(f, which, &why);
	}
	http_free(http);
	pthread_mutex_lock(&f->lock);
	f->running--;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static void report(struct fetching *f)
{
	struct debian_context *c = f->pool->context;
	uint64_t done;

	pthread_mutex_lock(&f->lock);
	done = f->done > 0 ? (uint64_t)f->done : 0;
	pthread_mutex_unlock(&f->lock);
	if (c->progress)
		c->progress(c->data, "packages", done, f->total);
}

/* Until all threads are at their end. */
static void wait_for_all(struct fetching *f)
{
	for (;;) {
		struct timespec until;
		bool running;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 100 * 1000 * 1000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_mutex_lock(&f->lock);
		if (f->running)
			pthread_cond_timedwait(&f->changed, &f->lock, &until);
		running = f->running > 0;
		pthread_mutex_unlock(&f->lock);
		report(f);
		if (!running)
			return;
	}
}

/* Signals are the caller's thread's business. */
static int start(struct fetching *f, pthread_t threads[CONNECTIONS], size_t *started, struct err *e)
{
	sigset_t all, old;
	int failure = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (*started < CONNECTIONS && *started < f->count && !failure) {
		pthread_mutex_lock(&f->lock);
		failure = pthread_create(&threads[*started], NULL, work, f);
		if (!failure) {
			f->running++;
			++*started;
		}
		pthread_mutex_unlock(&f->lock);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (*started > 0)
		return 0;
	errno = failure;
	return err_sys(e, "can't start a thread");
}

int debian_pool_hint(const struct debian_pool *p, const char *name, struct err *e)
{
	const struct user_config *user = p->context->user;
	bool snapshot = user && user->debian.snapshot;

	if (snapshot)
		return err_hint(e, "`devenv update%s%s` locks what the mirrors have now", *name ? " " : "", name);
	return err_hint(e, "`devenv update%s%s` locks what the mirrors have now; old versions are had from a directory of packages or a "
			   "snapshot service (vendor = DIR, snapshot = ADDRESS in [debian] of %s)", *name ? " " : "", name,
			dirs_shown_config());
}

/* Somebody else took what was free when it began. */
static int ran_full(const struct fetching *f, struct err *e)
{
	const struct store *s = f->pool->store;
	uint64_t needed = f->total - (uint64_t)f->done + SPARE, there = store_free_bytes(s);

	err_set(e, ERR_SPACE, "the store %s ran full while %zu packages were fetched: %s more are needed", text_safe(s->path), f->count,
		text_bytes(needed > there ? needed - there : SPARE));
	return err_hint(e, "free some space on its file system, for example with `devenv gc`; what came is kept");
}

static int fetch_all(struct fetching *f, struct err *e)
{
	pthread_t threads[CONNECTIONS];
	size_t started = 0;

	if (start(f, threads, &started, e) < 0)
		return -1;
	wait_for_all(f);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (http_interrupted())
		return err_set(e, ERR_INTERRUPTED, "interrupted");
	if (!f->failures)
		return 0;
	*e = f->failure;
	if (e->code == ERR_SPACE)
		return ran_full(f, e);
	if (f->failures == 1 || is_fatal(e))
		return -1;
	if (e->code == ERR_NOT_FOUND || e->code == ERR_INTEGRITY)
		(void)debian_pool_hint(f->pool, "", e);
	return err_wrap(e, "%s%zu of %zu packages can't be had; the first", f->stop ? "at least " : "", f->failures, f->count);
}

static void announce(const struct fetching *f)
{
	const struct debian_context *c = f->pool->context;
	cleanup_free char *line = mem_printf("fetching %zu package%s (%s, %s free)", f->count, f->count == 1 ? "" : "s",
					     text_bytes(f->total), text_bytes(store_free_bytes(f->pool->store)));

	if (c->notice && !c->offline)
		c->notice(c->data, line);
}

static int stage_all(struct fetching *f, struct err *e)
{
	struct store *s = f->pool->store;
	struct err other = ERR_INIT;
	int result;

	if (store_stage_new(s, &f->stage, e) < 0)
		return -1;
	announce(f);
	result = fetch_all(f, e);
	/* What did arrive is good, whatever became of the rest. */
	if (store_debs_publish(s, &f->stage, &other) < 0 && result == 0) {
		*e = other;
		result = -1;
	}
	store_stage_drop(s, &f->stage);
	return result;
}

static int check_space(const struct fetching *f, struct err *e)
{
	uint64_t there = store_free_bytes(f->pool->store);

	if (there >= f->total + SPARE)
		return 0;
	err_set(e, ERR_SPACE, "%zu packages take %s, and the store %s has %s left: %s more are needed", f->count, text_bytes(f->total),
		text_safe(f->pool->store->path), text_bytes(there), text_bytes(f->total + SPARE - there));
	return err_hint(e, "free some space on the store's file system, for example with `devenv gc`");
}

static bool is_listed(const struct fetching *f, const char *sha256)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->wanted[i]->sha256, sha256) == 0)
			return true;
	return false;
}

int debian_pool_fetch(struct debian_pool *p, const struct lock_package *const *packages, size_t count, struct err *e)
{
	struct fetching f = { .pool = p, .failed = SIZE_MAX, .stage = { .fd = -1 } };
	int result = 0;

	f.wanted = mem_array(count + 1, sizeof(struct lock_package *));
	for (size_t i = 0; i < count; i++) {
		if (!text_is_hex(packages[i]->sha256, 64))
			result = err_set(e, ERR_LOCK, "the lock has no good sha256 of %s", text_safe(packages[i]->name));
		if (store_has_deb(p->store, packages[i]->sha256, packages[i]->size) || is_listed(&f, packages[i]->sha256))
			continue;
		f.wanted[f.count++] = packages[i];
		f.total += packages[i]->size;
	}
	pthread_mutex_init(&f.lock, NULL);
	pthread_cond_init(&f.changed, NULL);
	if (result == 0 && f.count > 0)
		result = check_space(&f, e) < 0 ? -1 : stage_all(&f, e);
	pthread_cond_destroy(&f.changed);
	pthread_mutex_destroy(&f.lock);
	free(f.wanted);
	return result;
}

int debian_pool_open(const struct store *s, const char *sha256, struct err *e)
{
	return store_deb_open(s, sha256, e);
}

int debian_pool_check(const struct lock_package *p, struct debian_text control, struct err *e)
{
	struct debian_text name, version, arch;
	cleanup_free char *is = NULL;

	debian_control_field(control, "Package", &name);
	debian_control_field(control, "Version", &version);
	debian_control_field(control, "Architecture", &arch);
	if (debian_text_is(name, p->name) && debian_text_is(version, p->version) &&
	    (debian_text_is(arch, p->arch) || debian_text_is(arch, "all")))
		return 0;
	is = mem_printf("%.*s %.*s", (int)(name.len < 64 ? name.len : 64), name.at, (int)(version.len < 64 ? version.len : 64), version.at);
	err_set(e, ERR_INTEGRITY, "the lock's package %s %s for %s is another one in its .deb file: %s", text_safe(p->name),
		text_safe(p->version), text_safe(p->arch), text_safe(is));
	return err_hint(e, "`devenv update %s`", text_safe(p->name));
}

int debian_pool_stanza(const struct store *s, const struct lock_package *p, struct buf *out, struct err *e)
{
	cleanup_close int fd = debian_pool_open(s, p->sha256, e);
	const struct deb_file *control;
	struct debian_text t;
	struct deb deb;

	if (fd < 0 || deb_read(fd, p->name, &deb, e) < 0)
		return -1;
	control = deb_find(&deb, "control");
	t = debian_text_trim((struct debian_text){ control->data.data, control->data.len });
	buf_add(out, t.at, t.len);
	buf_adds(out, "\n\n");
	deb_release(&deb);
	return 0;
}
