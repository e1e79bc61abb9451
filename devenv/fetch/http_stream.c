/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_stream.c - a response body as a stream, downloaded in the background.
 *
 * Theory of operation: http_stream() starts one thread per stream. The thread (the writer) makes tries of the request
 * (http_try.c), each asking for what is still missing, and puts the bytes into a ring buffer; stream->read (the
 * reader) takes them out. `lock` guards the counters only: the part of the ring between them belongs to one side at a
 * time, so bytes are copied without holding it. Waking the other side costs more than copying 16 KiB, therefore the
 * writer wakes a waiting reader when a batch has gathered, or when it is itself about to wait for the network
 * (`idle`); the reader wakes a waiting writer when a quarter of the ring is free.
 *
 * The end: the writer sets `finished` (with `failure` when the body is not complete). The reader gets what is in
 * the ring first. Closing early sets `stop` and writes to `stop_fd`, which the writer watches wherever it waits; then
 * the thread is joined. Signals are blocked in the thread, so handlers run where the program expects them.
 */
#include "fetch/http_internal.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/mem.h"
#include "base/text.h"

#define WINDOW_DEFAULT (4u << 20)
#define WINDOW_MIN (64u << 10)
#define PROGRESS (64u << 10) /* so many bytes are worth a fresh count of failures */

struct http_body {
	struct stream stream;
	pthread_t thread;
	int stop_fd;

	struct http *http;
	struct http_request request; /* its strings are ours */
	uint64_t size;

	/* The writer's own. */
	uint64_t received; /* bytes put into the ring, ever */
	uint64_t skip;	   /* bytes at the start of this answer that we have already */
	uint64_t progress; /* `received` at the last failure */
	bool no_range;	   /* this server's ranges are no good */
	int refusals;	   /* 401 answered with a new authorization, without progress */
	char *authorization;

	pthread_mutex_t lock;
	pthread_cond_t readable, writable, begun;
	char *ring;
	size_t cap, head, len; /* len bytes from head on are full */
	size_t batch;
	bool reader_waits, writer_waits;
	bool started;  /* the first answer is the right one, or the thread has ended */
	bool finished; /* nothing more will come */
	bool stop;
	struct err failure;
	struct http_response refusal;
};

static void wake_reader(struct http_body *b)
{
	if (b->reader_waits && b->len > 0)
		pthread_cond_signal(&b->readable);
}

static void set_started(struct http_body *b)
{
	pthread_mutex_lock(&b->lock);
	if (!b->started) {
		b->started = true;
		pthread_cond_signal(&b->begun);
	}
	pthread_mutex_unlock(&b->lock);
}

static const char *host_of(const struct http_try *t)
{
	cleanup_free char *host = http_url_host(t->url);

	return text_safe(host);
}

/* 206: does the answer begin where we are, or before? */
static int begin_range(struct http_body *b, struct http_try *t)
{
	if (t->from == 0 || t->range_start < 0 || (uint64_t)t->range_start > b->received) {
		b->no_range = true;
		return http_try_fail(t, HTTP_FAULT_BROKEN, ERR_NETWORK, "%s %s answers with another range than asked for",
				     http_error_what(t->request), host_of(t));
	}
	if (t->range_total >= 0 && (uint64_t)t->range_total != b->size)
		return http_try_fail(t, HTTP_FATAL, ERR_INTEGRITY, "%s %s says the file has %lld bytes, expected %llu",
				     http_error_what(t->request), host_of(t), (long long)t->range_total,
				     (unsigned long long)b->size);
	b->skip = b->received - (uint64_t)t->range_start;
	return 0;
}

static int on_begin(struct http_try *t)
{
	struct http_body *b = t->data;

	if (t->response.status == 206) {
		if (begin_range(b, t) < 0)
			return -1;
	} else if (t->response.status != 200) {
		return http_try_fail(t, HTTP_FATAL, ERR_NETWORK, "%s %s answered with HTTP status %ld instead of a file",
				     http_error_what(t->request), host_of(t), t->response.status);
	} else {
		if (t->content_length >= 0 && (uint64_t)t->content_length != b->size)
			return http_try_fail(t, HTTP_FATAL, ERR_INTEGRITY, "%s %s sends %lld bytes, expected %llu",
					     http_error_what(t->request), host_of(t), (long long)t->content_length,
					     (unsigned long long)b->size);
		b->skip = b->received;
	}
	set_started(b);
	return 0;
}

/* Wait for room in the ring; how much there is in one piece, 0 when the stream is being closed. */
static size_t wait_room(struct http_body *b, size_t *tail)
{
	size_t room, contiguous;

	pthread_mutex_lock(&b->lock);
	while (b->len == b->cap && !b->stop) {
		wake_reader(b);
		b->writer_waits = true;
		pthread_cond_wait(&b->writable, &b->lock);
		b->writer_waits = false;
	}
	room = b->stop ? 0 : b->cap - b->len;
	*tail = (b->head + b->len) % b->cap;
	pthread_mutex_unlock(&b->lock);
	contiguous = b->cap - *tail;
	return room < contiguous ? room : contiguous;
}

static int put(struct http_body *b, const char *bytes, size_t n)
{
	while (n > 0) {
		size_t tail, room = wait_room(b, &tail);

		if (room == 0)
			return -1;
		if (room > n)
			room = n;
		memcpy(b->ring + tail, bytes, room);
		bytes += room;
		n -= room;
		b->received += room;
		pthread_mutex_lock(&b->lock);
		b->len += room;
		if (b->len >= b->batch)
			wake_reader(b);
		pthread_mutex_unlock(&b->lock);
	}
	return 0;
}

static int on_write(struct http_try *t, const char *bytes, size_t n)
{
	struct http_body *b = t->data;

	if (b->skip > 0) {
		size_t known = n < b->skip ? n : (size_t)b->skip;

		b->skip -= known;
		bytes += known;
		n -= known;
	}
	if (n > b->size - b->received)
		return http_try_fail(t, HTTP_FATAL, ERR_INTEGRITY, "%s %s sends more than the expected %llu bytes",
				     http_error_what(t->request), host_of(t), (unsigned long long)b->size);
	if (put(b, bytes, n) < 0)
		return http_try_fail(t, HTTP_FATAL, ERR_INTERRUPTED, "the download was stopped");
	return 0;
}

static void on_idle(struct http_try *t)
{
	struct http_body *b = t->data;

	pthread_mutex_lock(&b->lock);
	wake_reader(b);
	pthread_mutex_unlock(&b->lock);
}

/* 401: ask for a new authorization. Twice without a byte in between means that it is not for us. */
static bool authorize_again(struct http_body *b, struct http_try *t)
{
	char *fresh = NULL;

	if (t->response.status != 401 || !t->response.www_authenticate || !b->request.authorize ||
	    b->refusals++ >= 2)
		return false;
	if (b->request.authorize(b->request.authorize_data, t->response.www_authenticate, b->authorization, &fresh,
				 &t->err) < 0) {
		t->fault = HTTP_FATAL;
		t->answered = false; /* what went wrong is not in the answer */
		return false;
	}
	free(b->authorization);
	b->authorization = fresh;
	return true;
}

/* One try over: is there anything left to be done about it? False: no, b->failure says how it went. */
static bool again(struct http_body *b, struct http_try *t, struct http_retry *retry)
{
	bool whole = b->received == b->size && b->started;

	on_idle(t); /* the reader need not wait for what comes next */
	if (whole && t->fault != HTTP_FATAL) /* that the connection broke after the last byte is no matter */
		return false;
	if (b->received - b->progress >= PROGRESS) {
		retry->failures = 0;
		b->refusals = 0;
	}
	b->progress = b->received;
	if (t->fault == HTTP_DONE) {
		if (t->response.status >= 200 && t->response.status < 300) {
			t->fault = HTTP_FAULT_BROKEN;
			err_set(&t->err, ERR_INTEGRITY, "%s %s sent only %llu of %llu bytes", http_error_what(t->request),
				host_of(t), (unsigned long long)b->received, (unsigned long long)b->size);
		} else if (t->response.status == 416 && !b->no_range) {
			b->no_range = true;
			return true;
		} else if (authorize_again(b, t)) {
			return true;
		} else if (t->fault == HTTP_DONE) {
			t->fault = HTTP_FATAL;
			http_error_from_status(t, &t->err);
		}
	}
	if (t->fault != HTTP_FATAL && http_retry_wait(retry, &b->http->options, t))
		return true;
	b->failure = t->err;
	if (http_interrupted())
		err_set(&b->failure, ERR_INTERRUPTED, "interrupted");
	return false;
}

static void *run(void *data)
{
	struct http_body *b = data;
	struct http_retry retry = { 0 };
	struct http_try t;

	http_try_init(&t, b->http, &b->request);
	t.begin = on_begin;
	t.write = on_write;
	t.idle = on_idle;
	t.data = b;
	t.stop_fd = b->stop_fd;
	do {
		t.authorization = b->authorization;
		t.from = b->no_range ? 0 : b->received;
		b->skip = 0;
		http_try_run(&t);
	} while (again(b, &t, &retry));

	pthread_mutex_lock(&b->lock);
	if (t.answered && b->failure.code != ERR_NONE) {
		b->refusal = t.response;
		t.response = (struct http_response){ .body = BUF_INIT };
	}
	b->started = b->finished = true;
	pthread_cond_signal(&b->begun);
	pthread_cond_signal(&b->readable);
	pthread_mutex_unlock(&b->lock);
	http_try_release(&t);
	return NULL;
}

static ssize_t body_read(struct stream *s, void *buf, size_t n, struct err *e)
{
	struct http_body *b = (struct http_body *)s;
	size_t first;

	pthread_mutex_lock(&b->lock);
	while (b->len == 0 && !b->finished) {
		b->reader_waits = true;
		pthread_cond_wait(&b->readable, &b->lock);
		b->reader_waits = false;
	}
	if (n > b->len)
		n = b->len;
	if (http_interrupted() || (b->len == 0 && b->failure.code != ERR_NONE)) {
		if (http_interrupted())
			err_set(e, ERR_INTERRUPTED, "interrupted");
		else
			*e = b->failure;
		pthread_mutex_unlock(&b->lock);
		return -1;
	}
	pthread_mutex_unlock(&b->lock);

	first = b->cap - b->head;
	if (first > n)
		first = n;
	memcpy(buf, b->ring + b->head, first);
	memcpy((char *)buf + first, b->ring, n - first);

	pthread_mutex_lock(&b->lock);
	b->head = (b->head + n) % b->cap;
	b->len -= n;
	if (b->writer_waits && b->cap - b->len >= b->cap / 4)
		pthread_cond_signal(&b->writable);
	pthread_mutex_unlock(&b->lock);
	return (ssize_t)n;
}

static char *copy_or_null(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

static void copy_request(struct http_body *b, const struct http_request *r)
{
	struct strlist headers = STRLIST_INIT;

	for (const char *const *h = r->headers; h && *h; h++)
		strlist_add(&headers, *h);
	b->request = *r;
	b->request.url = mem_strdup(r->url);
	b->request.method = NULL;
	b->request.form = NULL;
	b->request.headers = (const char *const *)headers.items;
	b->request.authorization = NULL;
	b->request.ca_file = copy_or_null(r->ca_file);
	b->request.what = copy_or_null(r->what);
	b->request.refusal = NULL;
	b->authorization = copy_or_null(r->authorization);
}

static void release_request(struct http_body *b)
{
	char **headers = (char **)(uintptr_t)b->request.headers;

	for (size_t i = 0; headers && headers[i]; i++)
		free(headers[i]);
	free(headers);
	free((char *)(uintptr_t)b->request.url);
	free((char *)(uintptr_t)b->request.ca_file);
	free((char *)(uintptr_t)b->request.what);
	free(b->authorization);
}

static void release(struct http_body *b)
{
	release_request(b);
	http_response_release(&b->refusal);
	http_free(b->http);
	if (b->stop_fd >= 0)
		close(b->stop_fd);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->readable);
	pthread_cond_destroy(&b->writable);
	pthread_cond_destroy(&b->begun);
	free(b->ring);
}

/* The struct itself is freed by stream_close(). */
static void body_close(struct stream *s)
{
	struct http_body *b = (struct http_body *)s;
	uint64_t one = 1;

	pthread_mutex_lock(&b->lock);
	b->stop = true;
	pthread_cond_signal(&b->writable);
	pthread_mutex_unlock(&b->lock);
	if (write(b->stop_fd, &one, sizeof(one)) < 0)
		abort(); /* one write to a fresh eventfd can't fail */
	pthread_join(b->thread, NULL);
	release(b);
}

static int start_thread(struct http_body *b, struct err *e)
{
	sigset_t all, before;
	int rc;

	b->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->stop_fd < 0)
		return err_sys(e, "can't start a download");
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&b->thread, NULL, run, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		errno = rc;
		return err_sys(e, "can't start a thread for a download");
	}
	return 0;
}

static size_t choose_window(uint64_t size, size_t window)
{
	size_t cap = window ? window : WINDOW_DEFAULT;

	if (size < cap)
		cap = (size_t)size;
	return cap < WINDOW_MIN ? WINDOW_MIN : cap;
}

int http_stream(struct http *h, const struct http_request *r, uint64_t size, size_t window, struct stream **out,
		struct err *e)
{
	struct http_body *b = mem_alloc(sizeof(*b));
	bool failed;

	if (r->refusal)
		*r->refusal = (struct http_response){ .body = BUF_INIT };
	b->stream = (struct stream){ .read = body_read, .close = body_close };
	b->http = http_clone(h);
	b->size = size;
	b->cap = choose_window(size, window);
	b->batch = b->cap / 8 < 256u << 10 ? b->cap / 8 : 256u << 10;
	b->ring = mem_alloc(b->cap);
	b->refusal.body = BUF_INIT;
	b->failure = ERR_INIT;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->readable, NULL);
	pthread_cond_init(&b->writable, NULL);
	pthread_cond_init(&b->begun, NULL);
	copy_request(b, r);
	if (start_thread(b, e) < 0) {
		release(b);
		free(b);
		return -1;
	}
	pthread_mutex_lock(&b->lock);
	while (!b->started)
		pthread_cond_wait(&b->begun, &b->lock);
	failed = b->finished && b->failure.code != ERR_NONE && b->received == 0;
	pthread_mutex_unlock(&b->lock);
	if (!failed) {
		*out = &b->stream;
		return 0;
	}
	*e = b->failure;
	if (r->refusal) {
		*r->refusal = b->refusal;
		b->refusal = (struct http_response){ .body = BUF_INIT };
	}
	stream_close(&b->stream);
	return -1;
}
