/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_try.c - one try of one request, redirects included.
 *
 * curl runs in its multi interface with a single transfer, so that this loop does the waiting: it can then watch the
 * interrupt and stop descriptors beside the sockets, and measure silence without counting the time in which the reader
 * of a stream is the slow one. curl never follows a redirect by itself: the rules of security.md 13 are in
 * follow_redirect() and nowhere else.
 */
#include "fetch/http_internal.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"

#define RECEIVE_BUFFER (512L << 10) /* the most curl 7.88 allows */

int64_t http_clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void http_try_init(struct http_try *t, struct http *http, const struct http_request *r)
{
	*t = (struct http_try){ .http = http, .request = r, .authorization = r->authorization, .stop_fd = -1 };
	t->response.body = BUF_INIT;
	t->err = ERR_INIT;
	http_header_reset(t);
}

static void forget(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(mem_steal(*secret));
}

static void drop_route(struct http_try *t)
{
	struct http_route *r = &t->route;

	forget(&r->proxy); /* may have a login in it */
	forget(&r->authorization);
	free(r->ca_file);
	free(r->reach_hint);
	free(r->trust_hint);
	*r = (struct http_route){ 0 };
}

static void find_route(struct http_try *t)
{
	const struct http_options *o = &t->http->options;

	drop_route(t);
	if (o->route)
		o->route(o->route_data, t->url, &t->route);
}

void http_try_release(struct http_try *t)
{
	http_header_reset(t);
	drop_route(t);
	free(t->url);
	t->url = NULL;
}

static void heard(struct http_try *t)
{
	t->deadline_ms = http_clock_ms() + t->http->options.stall_ms;
	if (t->limit_ms > 0 && t->deadline_ms > t->limit_ms)
		t->deadline_ms = t->limit_ms;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *a)
{
	(void)data;
	(void)purpose;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static bool is_success(const struct http_try *t)
{
	return t->response.status >= 200 && t->response.status < 300;
}

/* The empty line after the headers. Informational answers (1xx) are followed by the real one. */
static int headers_end(struct http_try *t)
{
	curl_easy_getinfo(t->http->easy, CURLINFO_RESPONSE_CODE, &t->response.status);
	if (t->response.status < 200)
		return 0;
	t->begun = true;
	return is_success(t) && t->begin ? t->begin(t) : 0;
}

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
	struct http_try *t = data;
	size_t len = size * n;

	heard(t);
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len >= 5 && strncasecmp(line, "HTTP/", 5) == 0) {
		http_header_reset(t);
	} else if (len > 0) {
		if (!t->begun) /* not trailers */
			http_header_line(t, line, len);
	} else if (!t->begun && headers_end(t) < 0) {
		t->callback_failed = true;
		return 0;
	}
	return size * n;
}

static int keep_body(struct http_try *t, const char *bytes, size_t n)
{
	size_t max = is_success(t) ? t->request->max_body : HTTP_ERROR_BODY_MAX;

	if (n > max || t->response.body.len > max - n) {
		cleanup_free char *host = http_url_host(t->url);

		return http_try_fail(t, HTTP_FATAL, ERR_INTEGRITY, "%s %s sends more than the %zu bytes allowed here",
				     http_error_what(t->request), text_safe(host), max);
	}
	buf_add(&t->response.body, bytes, n);
	return 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *data)
{
	struct http_try *t = data;
	size_t len = size * n;
	int rc = is_success(t) && t->write ? t->write(t, bytes, len) : keep_body(t, bytes, len);

	heard(t); /* only now: a slow reader is not a silent server */
	if (rc < 0) {
		t->callback_failed = true;
		return len + 1;
	}
	return len;
}

static void must(CURLcode code)
{
	if (code == CURLE_OUT_OF_MEMORY)
		abort();
}

static void set_connection(struct http_try *t, CURL *easy)
{
	const struct http_request *r = t->request;
	const char *ca = r->ca_file ? r->ca_file : t->route.ca_file ? t->route.ca_file : getenv("SSL_CERT_FILE");

	must(curl_easy_setopt(easy, CURLOPT_URL, t->url));
	must(curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"));
	must(curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L));
	must(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
	must(curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L)); /* don't wait for a resolver that hangs */
	must(curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, t->http->options.connect_ms));
	must(curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L));
	must(curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER));
	must(curl_easy_setopt(easy, CURLOPT_USERAGENT, t->http->options.user_agent));
	must(curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L));
	must(curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket));
	must(curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
	if (t->route.proxy || http_url_is_loopback(t->url)) /* a proxy is for what is elsewhere */
		must(curl_easy_setopt(easy, CURLOPT_PROXY, http_url_is_loopback(t->url) ? "" : t->route.proxy));
	if (ca && *ca)
		must(curl_easy_setopt(easy, CURLOPT_CAINFO, ca));
	if (r->insecure) {
		must(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L));
		must(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L));
	}
}

static void set_callbacks(struct http_try *t, CURL *easy)
{
	t->curl_text[0] = '\0';
	must(curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->curl_text));
	must(curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header));
	must(curl_easy_setopt(easy, CURLOPT_HEADERDATA, t));
	must(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body));
	must(curl_easy_setopt(easy, CURLOPT_WRITEDATA, t));
}

static void add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		abort();
	*list = longer;
}

static struct curl_slist *make_headers(const struct http_try *t, bool authorized)
{
	struct curl_slist *list = NULL;

	for (const char *const *h = t->request->headers; h && *h; h++)
		add_header(&list, *h);
	if ((authorized && t->authorization) || t->route.authorization) {
		char *line = mem_printf("Authorization: %s",
					authorized && t->authorization ? t->authorization : t->route.authorization);

		add_header(&list, line);
		explicit_bzero(line, strlen(line));
		free(line);
	}
	if (t->from > 0) {
		cleanup_free char *line = mem_printf("Range: bytes=%llu-", (unsigned long long)t->from);

		add_header(&list, line);
	}
	return list;
}

static enum http_fault interrupted(struct http_try *t)
{
	t->fault = HTTP_FATAL;
	err_set(&t->err, ERR_INTERRUPTED, "interrupted");
	return HTTP_FATAL;
}

static bool must_stop(const struct curl_waitfd *extra)
{
	return http_interrupted() || extra[0].revents || extra[1].revents;
}

/* After which it is told: 3 s of the usual 30. */
static int64_t silence_ms(const struct http *h)
{
	return h->options.stall_ms / 10;
}

/* Wait until the network, an interrupt or the clock has something for us. */
static void wait_for_news(struct http_try *t, struct curl_waitfd extra[2])
{
	int64_t most = t->http->options.waits && !t->http->told ? silence_ms(t->http) : 1000;
	int64_t left = t->deadline_ms - http_clock_ms();
	unsigned int n = 0;

	extra[0].fd = extra[1].fd = -1;
	extra[0].events = extra[1].events = CURL_WAIT_POLLIN;
	extra[0].revents = extra[1].revents = 0;
	if (http_interrupt_fd() >= 0)
		extra[n++].fd = http_interrupt_fd();
	if (t->stop_fd >= 0)
		extra[n++].fd = t->stop_fd;
	if (t->idle)
		t->idle(t);
	curl_multi_poll(t->http->multi, extra, n, left < 0 ? 0 : left > most ? (int)most : (int)left, NULL);
}

static enum http_fault stalled(struct http_try *t)
{
	cleanup_free char *host = http_url_host(t->url);

	t->fault = HTTP_FAULT_STALL;
	if (t->limit_ms > 0 && http_clock_ms() >= t->limit_ms)
		err_set(&t->err, ERR_NETWORK, "%s %s is too slow: no whole answer within %ld ms",
			http_error_what(t->request), text_safe(host), HTTP_FETCH_STALLS * t->http->options.stall_ms);
	else
		err_set(&t->err, ERR_NETWORK, "%s %s sent nothing for %ld ms", http_error_what(t->request),
			text_safe(host), t->http->options.stall_ms);
	err_hint(&t->err, "try again; if it stays so, look for a proxy or firewall on the way");
	return HTTP_FAULT_STALL;
}

static void tell_silence(struct http_try *t)
{
	struct http *h = t->http;
	cleanup_free char *host = NULL;

	if (!h->options.waits || h->told || t->deadline_ms - http_clock_ms() > h->options.stall_ms - silence_ms(h))
		return;
	h->told = true;
	host = http_url_host(t->url);
	h->options.waits(h->options.waits_data, text_safe(host));
}

/* Until curl is done with the transfer: its code, or a fault that we found. */
static enum http_fault perform(struct http_try *t)
{
	struct curl_waitfd extra[2] = { 0 };
	CURLM *multi = t->http->multi;
	int running = 0, queued;

	heard(t);
	for (;;) {
		CURLMcode code = curl_multi_perform(multi, &running);
		CURLMsg *msg = curl_multi_info_read(multi, &queued);

		if (code != CURLM_OK) {
			http_try_fail(t, HTTP_FATAL, ERR_FAILED, "can't transfer: %s", curl_multi_strerror(code));
			return t->fault;
		}
		if (msg && msg->msg == CURLMSG_DONE) {
			if (t->callback_failed)
				return t->fault;
			if (msg->data.result != CURLE_OK)
				return http_error_from_curl(t, msg->data.result);
			return HTTP_DONE;
		}
		if (must_stop(extra))
			return interrupted(t);
		if (http_clock_ms() >= t->deadline_ms)
			return stalled(t);
		tell_silence(t);
		wait_for_news(t, extra);
	}
}

/* One exchange with t->url. */
static enum http_fault exchange(struct http_try *t, bool authorized)
{
	const struct http_request *r = t->request;
	CURL *easy = t->http->easy;
	struct curl_slist *headers;
	curl_off_t retry_after = 0;

	find_route(t);
	headers = make_headers(t, authorized);
	curl_easy_reset(easy);
	set_connection(t, easy);
	set_callbacks(t, easy);
	must(curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers));
	if (r->form)
		must(curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, r->form));
	if (r->method)
		must(curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method));
	http_header_reset(t);
	t->callback_failed = false;
	t->answered = false;
	curl_multi_add_handle(t->http->multi, easy);
	t->fault = perform(t);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
	t->response.retry_after = retry_after > 0 && retry_after < 1L << 30 ? (long)retry_after : 0;
	curl_multi_remove_handle(t->http->multi, easy);
	/* Nothing of ours may stay in the handle: the list and t go away. */
	curl_easy_reset(easy);
	curl_slist_free_all(headers);
	return t->fault;
}

static bool is_redirect(const struct http_try *t)
{
	long s = t->response.status;

	return t->location && !t->request->form && (s == 301 || s == 302 || s == 303 || s == 307 || s == 308);
}

/* Go where the answer points, when that is allowed; *authorized stays only within one scheme, host and port. */
static int follow_redirect(struct http_try *t, bool *authorized)
{
	cleanup_free char *from = http_url_host(t->url);
	cleanup_free char *here = http_url_origin(t->url);
	cleanup_free char *next = http_url_resolve(t->url, t->location);
	cleanup_free char *there = next ? http_url_origin(next) : NULL;

	if (!here || !there)
		return http_try_fail(t, HTTP_FATAL, ERR_NETWORK, "%s %s redirects to something that is no http address",
				     http_error_what(t->request), text_safe(from));
	if (http_url_is_https(t->url) && !http_url_is_https(next)) {
		cleanup_free char *to = http_url_host(next);

		return http_try_fail(t, HTTP_FATAL, ERR_NETWORK, "%s %s redirects from https to plain http (%s): refused",
				     http_error_what(t->request), text_safe(from), text_safe(to));
	}
	if (strcmp(here, there) != 0)
		*authorized = false; /* for good: coming back does not bring it back */
	free(t->url);
	t->url = mem_steal(next);
	return 0;
}

static enum http_fault kind_of_status(long status)
{
	switch (status) {
	case 500:
	case 502:
	case 503:
	case 504:
		return HTTP_FAULT_BROKEN;
	case 429:
		return HTTP_FAULT_RATE;
	default:
		return HTTP_DONE;
	}
}

enum http_fault http_try_run(struct http_try *t)
{
	bool authorized = true;

	free(t->url);
	t->url = mem_strdup(t->request->url);
	t->err = ERR_INIT;
	for (int hops = 0;; hops++) {
		if (http_interrupted())
			return interrupted(t);
		if (exchange(t, authorized) != HTTP_DONE)
			return t->fault;
		if (!is_redirect(t))
			break;
		if (hops == HTTP_REDIRECTS_MAX) {
			cleanup_free char *host = http_url_host(t->request->url);

			http_try_fail(t, HTTP_FATAL, ERR_NETWORK, "%s %s redirects more than %d times",
				      http_error_what(t->request), text_safe(host), HTTP_REDIRECTS_MAX);
			return t->fault;
		}
		if (follow_redirect(t, &authorized) < 0)
			return t->fault;
	}
	t->answered = true;
	if (!authorized) {
		/* A challenge from another origin must never be answered with what belongs to this one. */
		free(t->response.www_authenticate);
		t->response.www_authenticate = NULL;
	}
	t->fault = kind_of_status(t->response.status);
	if (t->fault != HTTP_DONE)
		http_error_from_status(t, &t->err);
	return t->fault;
}
