/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - sessions, interruption, when to try again, and answers kept in memory. See http.h and http_internal.h. */
#include "fetch/http_internal.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"

static atomic_bool interrupt_flag; /* lock-free, so fit for a signal handler as well as for threads */
static int interrupt_event = -1; /* written and never read: it wakes every poll from then on */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A child made by fork would share the counter, and interrupting one would stop the other. */
static void own_event(void)
{
	if (interrupt_event >= 0)
		close(interrupt_event);
	interrupt_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void start(void)
{
	own_event();
	pthread_atfork(NULL, NULL, own_event);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

void http_interrupt(void)
{
	int saved = errno;
	uint64_t one = 1;

	atomic_store(&interrupt_flag, true);
	/* Should the write fail: the flag is looked at once a second anyway. */
	if (interrupt_event >= 0 && write(interrupt_event, &one, sizeof(one)) < 0)
		atomic_store(&interrupt_flag, true);
	errno = saved;
}

bool http_interrupted(void)
{
	return atomic_load(&interrupt_flag);
}

int http_interrupt_fd(void)
{
	return interrupt_event;
}

static struct http *open_session(void)
{
	struct http *h = mem_alloc(sizeof(*h));

	pthread_once(&once, start);
	h->multi = curl_multi_init();
	h->easy = curl_easy_init();
	if (!h->multi || !h->easy)
		abort();
	return h;
}

struct http *http_new(const struct http_settings *s)
{
	static const struct http_settings defaults;
	struct http *h = open_session();
	struct http_options *o = &h->options;

	if (!s)
		s = &defaults;
	o->user_agent = mem_strdup(s->user_agent ? s->user_agent : "devenv");
	o->connect_ms = s->connect_timeout_ms > 0 ? s->connect_timeout_ms : 10000;
	o->stall_ms = s->stall_timeout_ms > 0 ? s->stall_timeout_ms : 30000;
	o->tries = s->tries > 0 ? s->tries : 12;
	o->route = s->route;
	o->route_data = s->route_data;
	o->waits = s->waits;
	o->waits_data = s->waits_data;
	return h;
}

struct http *http_clone(const struct http *h)
{
	struct http *copy = open_session();

	copy->options = h->options;
	copy->options.user_agent = mem_strdup(h->options.user_agent);
	copy->options.waits = NULL;
	return copy;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	free(h->options.user_agent);
	free(h);
}

static int tries_for(enum http_fault fault, int tries)
{
	int most = 0;

	switch (fault) {
	case HTTP_FAULT_BROKEN:
		most = tries;
		break;
	case HTTP_FAULT_CONNECT:
		most = 5;
		break;
	case HTTP_FAULT_RATE:
		most = 4;
		break;
	case HTTP_FAULT_STALL:
		most = 3;
		break;
	case HTTP_DONE:
	case HTTP_FATAL:
		break;
	}
	return most < tries ? most : tries;
}

/* Sleep unless something ends it: false then. */
static bool pause_ms(int64_t ms, int stop_fd)
{
	struct pollfd fds[2] = { { .fd = interrupt_event, .events = POLLIN }, { .fd = stop_fd, .events = POLLIN } };
	int64_t end = http_clock_ms() + ms;

	for (;;) {
		int64_t left = end - http_clock_ms();

		if (http_interrupted() || fds[0].revents || fds[1].revents)
			return false;
		if (left <= 0)
			return true;
		poll(fds, 2, left > 1000 ? 1000 : (int)left);
	}
}

/* Between half and all of `ms`, so that many clients of one failing server don't come back at the same moment. */
static int64_t jitter(int64_t ms)
{
	uint32_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != (ssize_t)sizeof(r))
		r = (uint32_t)http_clock_ms() * 2654435761u;
	return ms / 2 + (int64_t)(r % (uint32_t)(ms / 2 + 1));
}

bool http_retry_wait(struct http_retry *r, const struct http_options *o, const struct http_try *t)
{
	int64_t ms;

	r->failures++;
	if (r->failures >= tries_for(t->fault, o->tries))
		return false;
	ms = r->failures > 6 ? 2000 : 50LL << (r->failures - 1);
	if (ms > 2000)
		ms = 2000;
	ms = jitter(ms);
	if (t->response.retry_after > 60)
		return false;
	if (t->response.retry_after > 0)
		ms = t->response.retry_after * 1000LL;
	return pause_ms(ms, t->stop_fd);
}

static void move_response(struct http_response *out, struct http_response *from)
{
	*out = *from;
	*from = (struct http_response){ .body = BUF_INIT };
}

int http_fetch(struct http *h, const struct http_request *r, struct http_response *out, struct err *e)
{
	struct http_retry retry = { 0 };
	struct http_try t;
	int rc = 0;

	http_try_init(&t, h, r);
	do {
		t.limit_ms = http_clock_ms() + HTTP_FETCH_STALLS * h->options.stall_ms;
		http_try_run(&t);
	} while (t.fault != HTTP_DONE && t.fault != HTTP_FATAL && http_retry_wait(&retry, &h->options, &t));
	if (http_interrupted()) {
		rc = err_set(e, ERR_INTERRUPTED, "interrupted");
	} else if (t.answered) {
		move_response(out, &t.response);
	} else {
		*e = t.err;
		rc = -1;
	}
	http_try_release(&t);
	return rc;
}

void http_response_release(struct http_response *r)
{
	if (!r)
		return;
	buf_release(&r->body);
	free(r->content_type);
	free(r->www_authenticate);
	free(r->docker_digest);
	*r = (struct http_response){ .body = BUF_INIT };
}
