/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c - see ring.h.
 *
 * Theory of operation: `head` counts buffers committed, `tail` buffers given back. The writer may fill slot
 * head % RING_BUFFERS while head - tail < RING_BUFFERS; the reader holds slot tail % RING_BUFFERS while `borrowed`. One
 * mutex guards the counters, never the copying or hashing of data: a buffer belongs to exactly one side at a time.
 */
#include "layer/ring.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "base/mem.h"

struct ring {
	pthread_mutex_t mutex;
	pthread_cond_t filled, freed;
	unsigned char *buffers[RING_BUFFERS]; /* allocated when first used: small layers touch one */
	size_t lengths[RING_BUFFERS];
	unsigned long head, tail;
	bool borrowed, finished, failed, stopped;
	struct err failure;
};

struct ring *ring_new(void)
{
	struct ring *r = mem_alloc(sizeof(*r));
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&r->mutex, NULL);
	pthread_cond_init(&r->filled, &attributes);
	pthread_cond_init(&r->freed, NULL);
	pthread_condattr_destroy(&attributes);
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	for (int i = 0; i < RING_BUFFERS; i++)
		free(r->buffers[i]);
	pthread_cond_destroy(&r->filled);
	pthread_cond_destroy(&r->freed);
	pthread_mutex_destroy(&r->mutex);
	free(r);
}

unsigned char *ring_reserve(struct ring *r)
{
	unsigned char **slot = NULL;

	pthread_mutex_lock(&r->mutex);
	while (!r->stopped && r->head - r->tail == RING_BUFFERS)
		pthread_cond_wait(&r->freed, &r->mutex);
	if (!r->stopped)
		slot = &r->buffers[r->head % RING_BUFFERS];
	pthread_mutex_unlock(&r->mutex);
	if (!slot)
		return NULL;
	if (!*slot)
		*slot = mem_resize(NULL, RING_BUFFER_SIZE, 1);
	return *slot;
}

void ring_commit(struct ring *r, size_t len)
{
	pthread_mutex_lock(&r->mutex);
	r->lengths[r->head % RING_BUFFERS] = len;
	r->head++;
	pthread_cond_signal(&r->filled);
	pthread_mutex_unlock(&r->mutex);
}

void ring_finish(struct ring *r, const struct err *failure)
{
	pthread_mutex_lock(&r->mutex);
	r->finished = true;
	if (failure) {
		r->failed = true;
		r->failure = *failure;
	}
	pthread_cond_signal(&r->filled);
	pthread_mutex_unlock(&r->mutex);
}

static void deadline(struct timespec *ts)
{
	clock_gettime(CLOCK_MONOTONIC, ts);
	ts->tv_nsec += 100000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		ts->tv_sec++;
	}
}

ssize_t ring_next(struct ring *r, const unsigned char **data, struct err *e)
{
	struct timespec until;
	ssize_t result;
	int timed_out = 0;

	deadline(&until);
	pthread_mutex_lock(&r->mutex);
	if (r->borrowed) {
		r->borrowed = false;
		r->tail++;
		pthread_cond_signal(&r->freed);
	}
	while (!r->failed && r->head == r->tail && !r->finished && !timed_out)
		timed_out = pthread_cond_timedwait(&r->filled, &r->mutex, &until);
	if (r->failed) {
		*e = r->failure;
		result = -1;
	} else if (r->head != r->tail) {
		*data = r->buffers[r->tail % RING_BUFFERS];
		result = (ssize_t)r->lengths[r->tail % RING_BUFFERS];
		r->borrowed = true;
	} else {
		result = r->finished ? 0 : RING_WAITING;
	}
	pthread_mutex_unlock(&r->mutex);
	return result;
}

void ring_stop(struct ring *r)
{
	pthread_mutex_lock(&r->mutex);
	r->stopped = true;
	pthread_cond_signal(&r->freed);
	pthread_mutex_unlock(&r->mutex);
}
