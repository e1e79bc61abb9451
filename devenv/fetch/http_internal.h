/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_internal.h - shared by http*.c and nobody else: one try of one request, and when to try again.
 *
 * A try (http_try.c) is a request with the redirects it leads to. http.c makes tries until one gives an answer and keeps
 * the body in memory; http_stream.c makes them until the whole body went through a ring buffer.
 */
#ifndef DEVENV_FETCH_HTTP_INTERNAL_H
#define DEVENV_FETCH_HTTP_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "fetch/http.h"

struct http_options { /* http_settings with the defaults filled in */
	char *user_agent;
	long connect_ms, stall_ms;
	int tries;
	http_router *route;
	void *route_data;
	void (*waits)(void *data, const char *host);
	void *waits_data;
};

struct http {
	struct http_options options;
	CURLM *multi;
	CURL *easy;
	bool told; /* that we wait */
};

enum http_fault {
	HTTP_DONE,	    /* there is an answer, complete */
	HTTP_FAULT_BROKEN,  /* reset, cut short, or a status that says: try again */
	HTTP_FAULT_CONNECT, /* nobody there */
	HTTP_FAULT_RATE,    /* 429 */
	HTTP_FAULT_STALL,   /* silence */
	HTTP_FATAL,	    /* no use trying again */
};

#define HTTP_FETCH_STALLS 4 /* a body for memory is small: the whole try may take so many stall time-outs */

struct http_try {
	struct http *http;
	const struct http_request *request;
	const char *authorization;
	struct http_route route; /* of the exchange */
	uint64_t from; /* > 0: ask for the bytes from here to the end */
	int stop_fd;   /* readable: give up; -1: none */
	int64_t limit_ms; /* > 0: when, on the monotonic clock, the try must have ended */

	/* Where the body of a 2xx answer goes; all NULL: into response.body. begin and write return 0, or -1 to end the
	 * try with t->fault and t->err set. idle is called before waiting for the network. */
	int (*begin)(struct http_try *t);
	int (*write)(struct http_try *t, const char *bytes, size_t n);
	void (*idle)(struct http_try *t);
	void *data;

	/* The outcome. */
	struct http_response response;
	enum http_fault fault;
	struct err err; /* filled whenever there is no answer */

	/* Of the answer being received. */
	char *url; /* after redirects */
	char *location;
	int64_t content_length; /* -1: not said */
	int64_t range_start;	/* of Content-Range; -1: none */
	int64_t range_total;	/* -1: not said */
	bool begun;		/* its headers are complete */
	bool answered;		/* it was received whole, whatever its status */
	bool callback_failed;
	int64_t deadline_ms;	/* of the silence, on the monotonic clock */
	char curl_text[CURL_ERROR_SIZE];
};

void http_try_init(struct http_try *t, struct http *http, const struct http_request *r);
/* Run it once; the handles keep their connections. Returns t->fault. */
enum http_fault http_try_run(struct http_try *t);
void http_try_release(struct http_try *t);
/* End the try from a callback; gives -1. */
#define http_try_fail(t, why, code, ...) ((t)->fault = (why), err_set(&(t)->err, (code), __VA_ARGS__))

/* A line of the answer's headers, or the empty line at their end (http_header.c). */
void http_header_line(struct http_try *t, const char *line, size_t len);
void http_header_reset(struct http_try *t);

/* Fill t->err from what curl says, and give the kind of fault (http_error.c). */
enum http_fault http_error_from_curl(struct http_try *t, CURLcode code);
/* A status that is no success, as an error. */
void http_error_from_status(const struct http_try *t, struct err *e);
const char *http_error_what(const struct http_request *r);

struct http_retry {
	int failures; /* in a row */
};
/* Wait before the next try. False: enough, or interrupted. */
bool http_retry_wait(struct http_retry *r, const struct http_options *o, const struct http_try *t);

int64_t http_clock_ms(void);
/* Readable once http_interrupt was called; -1 when there is none. */
int http_interrupt_fd(void);

#endif
