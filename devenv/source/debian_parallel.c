/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_parallel.c - see debian_parallel.h.
 *
 * A counter says what is next; every thread, the caller's too, takes from it until there is nothing left or one failed. Threads
 * have all signals blocked: signals are the caller's thread's business.
 */
#include "source/debian_parallel.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/mem.h"

enum { THREADS_MAX = 32 };

struct parallel {
	size_t count;
	atomic_size_t next;
	atomic_bool failed;
	int (*one)(void *data, size_t i, struct err *e);
	void *data;
	pthread_mutex_t mutex; /* of the failure */
	struct err failure;
};

static void *work(void *data)
{
	struct parallel *p = data;

	while (!atomic_load(&p->failed)) {
		size_t i = atomic_fetch_add(&p->next, 1);
		struct err e = ERR_INIT;

		if (i >= p->count)
			break;
		if (p->one(p->data, i, &e) == 0)
			continue;
		pthread_mutex_lock(&p->mutex);
		if (p->failure.code == ERR_NONE)
			p->failure = e;
		pthread_mutex_unlock(&p->mutex);
		atomic_store(&p->failed, true);
	}
	return NULL;
}

static size_t processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (size_t)n;
}

int debian_parallel(size_t count, int (*one)(void *data, size_t i, struct err *e), void *data, struct err *e)
{
	struct parallel p = { .count = count, .one = one, .data = data, .mutex = PTHREAD_MUTEX_INITIALIZER, .failure = ERR_INIT };
	size_t wanted = processors(), begun = 0;
	pthread_t threads[THREADS_MAX];
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (begun + 1 < wanted && begun + 1 < count && pthread_create(&threads[begun], NULL, work, &p) == 0)
		begun++; /* fewer are slower, nothing else */
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	work(&p);
	while (begun > 0)
		pthread_join(threads[--begun], NULL);
	if (!atomic_load(&p.failed))
		return 0;
	*e = p.failure;
	return -1;
}
