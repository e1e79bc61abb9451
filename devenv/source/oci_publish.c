/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_publish.c - see oci_publish.h.
 *
 * Theory of operation: one thread takes all layers that wait, in the order they were given, which is the image's; one
 * syncfs is for all of them, then each gets its name and its lock is let go. Meanwhile others may be given, which are
 * the next batch. After a failure nothing is published any more, so that never a layer has a name whose parent has none.
 */
#include "source/oci_publish.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"

struct batch {
	struct store_staged *layers;
	int *locks;
	size_t count, cap, lock_cap;
};

struct oci_publish {
	struct store *store;
	pthread_t thread;
	pthread_mutex_t mutex; /* of all below */
	pthread_cond_t changed;
	struct batch waiting;
	bool ended, failed;
	struct err failure;
};

static void release(struct store *s, struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		store_stage_drop(s, &b->layers[i].stage);
		close(b->locks[i]);
	}
	free(b->layers);
	free(b->locks);
	*b = (struct batch){ 0 };
}

/* What waits; false: nothing does, and nothing will. */
static bool take(struct oci_publish *p, struct batch *out, bool *failed)
{
	pthread_mutex_lock(&p->mutex);
	while (!p->waiting.count && !p->ended)
		pthread_cond_wait(&p->changed, &p->mutex);
	*out = p->waiting;
	p->waiting = (struct batch){ 0 };
	*failed = p->failed;
	pthread_mutex_unlock(&p->mutex);
	return out->count > 0;
}

static void *work(void *data)
{
	struct oci_publish *p = data;
	struct batch batch;
	bool failed;

	while (take(p, &batch, &failed)) {
		struct err why = ERR_INIT;

		if (!failed && store_staged_publish(p->store, batch.layers, batch.count, &why) < 0) {
			pthread_mutex_lock(&p->mutex);
			p->failed = true;
			p->failure = why;
			pthread_mutex_unlock(&p->mutex);
		}
		release(p->store, &batch);
	}
	return NULL;
}

struct oci_publish *oci_publish_start(struct store *s, struct err *e)
{
	struct oci_publish *p = mem_alloc(sizeof(*p));
	sigset_t all, old;
	int failure;

	p->store = s;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->changed, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the caller's thread's business */
	failure = pthread_create(&p->thread, NULL, work, p);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failure == 0)
		return p;
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->mutex);
	free(p);
	errno = failure;
	err_sys(e, "can't start a thread");
	return NULL;
}

int oci_publish_give(struct oci_publish *p, struct store_stage *stage, int lock_fd, const char *chain_id, struct err *e)
{
	struct batch *b = &p->waiting;
	bool failed;

	pthread_mutex_lock(&p->mutex);
	b->layers = mem_grow(b->layers, b->count, &b->cap, sizeof(*b->layers));
	b->locks = mem_grow(b->locks, b->count, &b->lock_cap, sizeof(*b->locks));
	b->layers[b->count] = (struct store_staged){ .stage = *stage };
	snprintf(b->layers[b->count].chain_id, DIGEST_MAX, "%s", chain_id);
	b->locks[b->count++] = lock_fd;
	failed = p->failed;
	if (failed)
		*e = p->failure;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->mutex);
	*stage = (struct store_stage){ .fd = -1 };
	return failed ? -1 : 0;
}

int oci_publish_end(struct oci_publish *p, struct err *e)
{
	int result = 0;

	if (!p)
		return 0;
	pthread_mutex_lock(&p->mutex);
	p->ended = true;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->mutex);
	pthread_join(p->thread, NULL);
	if (p->failed) {
		*e = p->failure;
		result = -1;
	}
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->mutex);
	free(p);
	return result;
}
