/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - HTTP with the rules of security.md 12-13 built in. The only files that know <curl/curl.h> are http*.
 *
 * One `struct http` is a session (connection cache, per-host settings) used from one thread; streams run in threads of
 * their own. Redirects are followed here, not by curl: at most 5, https never to http, Authorization never across
 * scheme, host or port. Ctrl-C: transfers end when http_interrupted() says so (ERR_INTERRUPTED).
 *
 * Retries, with back-off from 50 ms doubling to 2 s and jitter: `tries` in a row for resets, truncated bodies, 500, 502,
 * 503, 504; at most 5 for a host that refuses the connection or has no address; 4 for 429 (Retry-After is honoured up to
 * 60 s; more ends the tries at once); 3 for silence. So with the defaults a server that only fails is given up after about
 * 13 s, one that refuses after 1 s, one that accepts and says nothing after 3 x 30 s, one that can't be reached at all
 * after 3 x 10 s. A stream that has received at least 64 KiB since its last failure starts counting anew.
 */
#ifndef DEVENV_FETCH_HTTP_H
#define DEVENV_FETCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/stream.h"

#define HTTP_REDIRECTS_MAX 5
#define HTTP_ERROR_BODY_MAX (1u << 20) /* bodies of answers other than 2xx */

struct http;

struct http_route { /* how to get to an address */
	char *proxy;	     /* URL; "": none; NULL: what the environment says ($https_proxy...) */
	char *ca_file;	     /* PEM file to trust instead of the system's; NULL: as the request says */
	char *authorization; /* for this address and no other; NULL: none. A request's own goes before it */
	char *reach_hint, *trust_hint; /* what to do when it can't be reached, or its certificate is no good; may be NULL */
};
/* Fills *out, which is all NULL, with malloc'ed strings. Called from the threads of transfers, several at once. */
typedef void http_router(void *data, const char *url, struct http_route *out);

struct http_settings {
	const char *user_agent;
	long connect_timeout_ms; /* 0: 10 s */
	long stall_timeout_ms;	 /* no byte for so long is a failed try; 0: 30 s */
	int tries;		 /* 0: 12 */
	http_router *route;	 /* asked before every exchange, so for every redirect anew; NULL: none */
	void *route_data;	 /* must stay until the session and the streams it began have ended */
	/* Called once in a session, from its thread, when a server was silent for some seconds; not of clones and streams. */
	void (*waits)(void *data, const char *host);
	void *waits_data;
};
struct http *http_new(const struct http_settings *s); /* s may be NULL: all defaults */
struct http *http_clone(const struct http *h); /* the same settings, no connections: for another thread */
void http_free(struct http *h);
/* Set from a signal handler (async-signal-safe): every transfer ends soon. */
void http_interrupt(void);
bool http_interrupted(void);

struct http_response {
	long status;
	struct buf body;
	char *content_type;    /* without parameters, lower case; NULL when absent */
	char *www_authenticate; /* all values joined by ", "; NULL when absent or when a redirect led to another origin */
	char *docker_digest;   /* Docker-Content-Digest; NULL */
	long retry_after;      /* seconds, 0 when absent */
};

struct http_request {
	const char *url;
	const char *method;	   /* NULL: GET (POST with a form) */
	const char *form;	   /* an application/x-www-form-urlencoded body, or NULL; such answers are never redirected */
	const char *const *headers; /* "Accept: ...", NULL-terminated; may be NULL */
	const char *authorization; /* header value or NULL; dropped on redirect to another origin */
	const char *ca_file;	   /* extra trust anchor or NULL */
	bool insecure;		   /* don't verify TLS */
	size_t max_body;	   /* more is ERR_INTEGRITY */
	const char *what;	   /* what messages call the server: "registry"; NULL: "server" */

	/* The rest is for http_stream only. */

	/* Asked, in the stream's own thread, when the server answers 401, be it at the start or when a token has run out in
	 * the middle: gives a new header value (malloc'ed). `refused` is the one that was not accepted, or NULL. */
	int (*authorize)(void *data, const char *www_authenticate, const char *refused, char **authorization,
			 struct err *e);
	void *authorize_data;
	/* When not NULL: receives the answer that made http_stream fail, if there was one (status 0 otherwise). The caller
	 * releases it. */
	struct http_response *refusal;
};
/* Any HTTP status is success here; -1 only when no response was had. */
int http_fetch(struct http *h, const struct http_request *r, struct http_response *out, struct err *e);
void http_response_release(struct http_response *r);

/*
 * Start a GET whose body is read as a stream, in the background with a bounded buffer (at most `window` bytes ahead of
 * the reader, 0: 4 MiB). Broken transfers resume with Range from the last byte received. `size`: the length that is
 * expected; another length is ERR_INTEGRITY. Returns when the response has begun (status checked) or failed: 401 and 403
 * are ERR_AUTH, 404 and 410 ERR_NOT_FOUND. The http session may be freed before the stream is closed.
 */
int http_stream(struct http *h, const struct http_request *r, uint64_t size, size_t window, struct stream **out,
		struct err *e);

/* URLs as curl reads them, so that what is checked is what is used. */
/* "scheme://host:port", the port always there; NULL when it is not an absolute http or https URL, or names a user. */
char *http_url_origin(const char *url);
/* For messages: "host", or "host:port" where the port is not the scheme's own. Never NULL; malloc'ed. */
char *http_url_host(const char *url);
bool http_url_is_https(const char *url);
/* Is the host localhost, in 127.0.0.0/8, or [::1]? */
bool http_url_is_loopback(const char *url);
/* Where `location` leads from `base`; NULL when that is not an http or https URL. malloc'ed. */
char *http_url_resolve(const char *base, const char *location);

#endif
