/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_stream.c - http_stream(): resuming, sizes, closing early, against a server that misbehaves on demand. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fetch/http.h"
#include "unit/fault_server.h"

#define SIZE (3u << 20)
#define MANY 1000000

static char content[SIZE + 1];

struct script {
	enum fault fault;
	size_t cut;	/* bytes of the body sent before it; each answer a bit more */
	int bad;	/* so many answers have the fault; then the rest comes */
	int bad_status; /* status of the bad ones; 0: 200 */
	bool ranges, lie; /* lie: 206 with another range */
	long long length;
	size_t len;
	const char *headers;
	const char *token; /* required */
	int tokens_used;
	unsigned int random;
	unsigned int with_range;
};

static void serve(void *data, const struct fault_request *q, struct fault_reply *a)
{
	struct script *s = data;

	a->body = content;
	a->len = s->len ? s->len : SIZE;
	a->ranges = s->ranges;
	a->length = s->length;
	s->with_range += q->has_range;
	if (s->token && strcmp(q->authorization, s->token) != 0) {
		a->status = 401;
		a->headers = "WWW-Authenticate: Bearer realm=x\r\n";
		a->len = 0;
		return;
	}
	if (s->token && ++s->tokens_used == 1)
		s->token = "two"; /* the first has run out when the transfer is taken up again */
	if ((int)q->count > s->bad)
		return;
	a->fault = s->fault;
	a->cut = s->cut;
	a->headers = s->headers;
	if (s->bad == MANY && s->random) {
		s->random = s->random * 1664525u + 1013904223u;
		a->cut = s->random % SIZE;
		if (s->random >> 30 == 0)
			a->fault = FAULT_NONE;
		else if (s->random >> 30 == 1)
			a->status = 503;
	}
	if (s->bad_status)
		a->status = s->bad_status;
	if (a->status >= 300)
		a->len = 1000;
	if (s->lie && q->has_range) {
		a->status = 206;
		a->ranges = false;
		a->headers = "Content-Range: bytes 99999999-99999999/999999999\r\n";
	}
}

static int open_stream(struct fault_server *s, const struct http_settings *settings, size_t window,
		       struct stream **out, struct err *e)
{
	static const struct http_settings quick = { .tries = 5, .stall_timeout_ms = 300 };
	struct http *h = http_new(settings ? settings : &quick);
	cleanup_free char *url = mem_printf("%s/blob", fault_server_url(s));
	struct http_request q = { .url = url };
	int rc;

	*e = ERR_INIT;
	rc = http_stream(h, &q, SIZE, window, out, e);
	http_free(h); /* the stream does not need it */
	return rc;
}

/* Read to the end: how many bytes, or -1. All bytes must be the right ones. */
static long long drain(struct stream *st, size_t chunk, struct err *e)
{
	char *buf = mem_alloc(chunk);
	long long total = 0;
	ssize_t n;

	while ((n = st->read(st, buf, chunk, e)) > 0) {
		assert_true((size_t)total + (size_t)n <= SIZE);
		if (memcmp(buf, content + total, (size_t)n) != 0)
			fail_msg("wrong bytes near %lld", total);
		total += n;
	}
	free(buf);
	return n < 0 ? -1 : total;
}

static void expect_whole(struct script *script, size_t window, size_t chunk)
{
	struct fault_server *s = fault_server_start(serve, script);
	struct stream *st;
	struct err e;

	if (open_stream(s, NULL, window, &st, &e) < 0)
		fail_msg("%s", e.msg);
	if (drain(st, chunk, &e) != SIZE)
		fail_msg("%s", e.msg);
	assert_int_equal(st->read(st, &e, 1, &e), 0); /* the end stays the end */
	stream_close(st);
	fault_server_stop(s);
}

static void whole(void **state)
{
	static const size_t windows[] = { 0, 1, 100000, 1u << 20, SIZE * 2 }, chunks[] = { 1000, 65536, SIZE + 5 };
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(windows); i++)
		for (size_t j = 0; j < ARRAY_SIZE(chunks); j++) {
			struct script script = { 0 };

			expect_whole(&script, windows[i], chunks[j]);
		}
}

static void resuming(void **state)
{
	static const enum fault faults[] = { FAULT_TRUNCATE, FAULT_BREAK, FAULT_STALL };
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		/* four times broken off, each time 500,001 bytes further */
		struct script script = { .fault = faults[i], .cut = 500001, .bad = 4, .ranges = true };

		expect_whole(&script, 0, 65536);
		assert_int_equal(script.with_range, 4);
		/* the server begins anew each time: the bytes had are skipped */
		script = (struct script){ .fault = faults[i], .cut = 500001, .bad = 2 };
		expect_whole(&script, 200000, 65536);
		assert_int_equal(script.with_range, 2);
	}
}

static void odd_beginnings(void **state)
{
	struct script script = { .fault = FAULT_RESET, .bad = 3, .ranges = true };
	(void)state;

	expect_whole(&script, 0, 65536);
	script = (struct script){ .bad_status = 503, .bad = 3, .ranges = true };
	expect_whole(&script, 0, 65536);
	/* a range that nobody asked for: from then on without */
	script = (struct script){ .fault = FAULT_TRUNCATE, .cut = 70000, .bad = 2, .ranges = true, .lie = true };
	expect_whole(&script, 0, 65536);
	assert_int_equal(script.with_range, 1);
	/* no Content-Length at all */
	script = (struct script){ .length = -1 };
	expect_whole(&script, 0, 65536);
}

/* Three answers of four are cut short at random places or fail, as often as it takes. */
static void many_faults(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 5; seed++) {
		struct script script = { .fault = FAULT_TRUNCATE, .bad = MANY, .ranges = true, .random = seed * 77 };
		struct http_settings patient = { .stall_timeout_ms = 1000 };
		struct fault_server *s = fault_server_start(serve, &script);
		struct stream *st;
		struct err e;

		assert_int_equal(open_stream(s, &patient, 0, &st, &e), 0);
		assert_int_equal(drain(st, 65536, &e), SIZE);
		stream_close(st);
		fault_server_stop(s);
	}
}

/* The stream must fail with this code, at the start or while reading. */
static void expect_failure(struct script *script, enum err_code code, const char *text)
{
	struct fault_server *s = fault_server_start(serve, script);
	struct stream *st = NULL;
	struct err e;

	if (open_stream(s, NULL, 0, &st, &e) == 0)
		assert_int_equal(drain(st, 65536, &e), -1);
	if (e.code != code || !strstr(e.msg, text))
		fail_msg("%s: %s", err_code_name(e.code), e.msg);
	stream_close(st);
	fault_server_stop(s);
}

static void failures(void **state)
{
	struct script script = { .len = SIZE - 1 };
	(void)state;

	expect_failure(&script, ERR_INTEGRITY, "expected 3145728");
	script.length = -1;
	expect_failure(&script, ERR_INTEGRITY, "only 3145727 of 3145728");
	script = (struct script){ .len = SIZE + 1 };
	expect_failure(&script, ERR_INTEGRITY, "expected 3145728");
	script.length = -1;
	expect_failure(&script, ERR_INTEGRITY, "more than the expected");
	script = (struct script){ .length = SIZE + 5 };
	expect_failure(&script, ERR_INTEGRITY, "expected 3145728");

	script = (struct script){ .bad = MANY, .bad_status = 404 };
	expect_failure(&script, ERR_NOT_FOUND, "404");
	script.bad_status = 403;
	expect_failure(&script, ERR_AUTH, "403");
	script.bad_status = 401;
	expect_failure(&script, ERR_AUTH, "401");
	script.bad_status = 204;
	expect_failure(&script, ERR_NETWORK, "instead of a file");
	script.bad_status = 500;
	expect_failure(&script, ERR_NETWORK, "500");

	script = (struct script){ .bad = MANY, .fault = FAULT_RESET };
	expect_failure(&script, ERR_NETWORK, "broke off");
	script.fault = FAULT_STALL;
	expect_failure(&script, ERR_NETWORK, "sent nothing");
	script.cut = 100000; /* it sends the same 100,000 bytes again and again */
	expect_failure(&script, ERR_NETWORK, "sent nothing");
	script = (struct script){ .bad = MANY, .fault = FAULT_TRUNCATE, .cut = 100, .ranges = true };
	expect_failure(&script, ERR_NETWORK, "broke off"); /* 100 bytes are no progress */
}

static void refusal(void **state)
{
	struct script script = { .bad = MANY, .bad_status = 404, .headers = "Content-Type: text/plain\r\n", .len = 1000 };
	struct fault_server *s = fault_server_start(serve, &script);
	struct http *h = http_new(NULL);
	cleanup_free char *url = mem_printf("%s/blob", fault_server_url(s));
	struct http_response answer;
	struct http_request q = { .url = url, .refusal = &answer };
	struct stream *st;
	struct err e;
	(void)state;

	assert_int_equal(http_stream(h, &q, SIZE, 0, &st, &e), -1);
	assert_int_equal(answer.status, 404);
	assert_int_equal(answer.body.len, 1000);
	assert_string_equal(answer.content_type, "text/plain");
	http_response_release(&answer);
	http_free(h);
	fault_server_stop(s);
}

struct authorizer {
	int calls;
	char refused[32];
};

static int authorize(void *data, const char *challenge, const char *refused, char **authorization, struct err *e)
{
	struct authorizer *a = data;

	assert_string_equal(challenge, "Bearer realm=x");
	snprintf(a->refused, sizeof(a->refused), "%s", refused ? refused : "");
	if (++a->calls > 2)
		return err_set(e, ERR_AUTH, "no more");
	*authorization = mem_strdup(a->calls == 1 ? "one" : "two");
	return 0;
}

/* 401 at the start, and again when the transfer is taken up after a break. */
static void new_tokens(void **state)
{
	struct script script = { .token = "one", .fault = FAULT_TRUNCATE, .cut = 1000000, .bad = 2, .ranges = true };
	struct fault_server *s = fault_server_start(serve, &script);
	struct http *h = http_new(NULL);
	cleanup_free char *url = mem_printf("%s/blob", fault_server_url(s));
	struct authorizer authorizer = { 0 };
	struct http_request q = { .url = url, .authorize = authorize, .authorize_data = &authorizer };
	struct stream *st;
	struct err e = ERR_INIT;
	(void)state;

	assert_int_equal(http_stream(h, &q, SIZE, 0, &st, &e), 0);
	assert_int_equal(drain(st, 10000, &e), SIZE);
	assert_int_equal(authorizer.calls, 2);
	assert_string_equal(authorizer.refused, "one");
	stream_close(st);

	script = (struct script){ .token = "three" };
	authorizer.calls = 0;
	assert_int_equal(http_stream(h, &q, SIZE, 0, &st, &e), -1);
	assert_int_equal(e.code, ERR_AUTH);
	http_free(h);
	fault_server_stop(s);
}

static void closing_early(void **state)
{
	struct script script = { .fault = FAULT_STALL, .cut = 1000, .bad = MANY };
	static const struct http_settings slow = { .stall_timeout_ms = 1000000 };
	struct fault_server *s = fault_server_start(serve, &script);
	struct stream *st;
	struct err e;
	char byte;
	(void)state;

	/* while the network is silent; while the ring is full; while waiting for another try */
	assert_int_equal(open_stream(s, &slow, 0, &st, &e), 0);
	assert_int_equal(st->read(st, &byte, 1, &e), 1);
	stream_close(st);
	script.bad = 0;
	assert_int_equal(open_stream(s, &slow, 65536, &st, &e), 0);
	assert_int_equal(st->read(st, &byte, 1, &e), 1);
	stream_close(st);
	assert_int_equal(open_stream(s, &slow, 65536, &st, &e), 0);
	stream_close(st);
	fault_server_stop(s);
}

/* Interruption can't be taken back, so it happens in a child. */
static void interruption(void **state)
{
	pid_t pid = fork();
	int status;
	(void)state;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct script script = { .fault = FAULT_STALL, .cut = 1000, .bad = MANY };
		static const struct http_settings slow = { .stall_timeout_ms = 1000000 };
		struct fault_server *s = fault_server_start(serve, &script);
		struct stream *st;
		struct err e;

		signal(SIGALRM, (void (*)(int))http_interrupt);
		alarm(1);
		if (open_stream(s, &slow, 0, &st, &e) < 0 || drain(st, 100, &e) != -1 || e.code != ERR_INTERRUPTED)
			_exit(1);
		stream_close(st);
		fault_server_stop(s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Four at once, as layers are fetched. */
static void side_by_side(void **state)
{
	struct script script = { .ranges = true };
	struct fault_server *s = fault_server_start(serve, &script);
	struct stream *st[4];
	char buf[30000];
	long long total[4] = { 0 };
	struct err e;
	int open = 4;
	(void)state;

	for (int i = 0; i < 4; i++)
		assert_int_equal(open_stream(s, NULL, 100000, &st[i], &e), 0);
	while (open > 0) {
		for (int i = 0; i < 4; i++) {
			ssize_t n = st[i] ? st[i]->read(st[i], buf, sizeof(buf), &e) : -2;

			if (n == -2)
				continue;
			assert_true(n >= 0);
			assert_memory_equal(buf, content + total[i], (size_t)n);
			total[i] += n;
			if (n > 0)
				continue;
			assert_int_equal(total[i], SIZE);
			stream_close(st[i]);
			st[i] = NULL;
			open--;
		}
	}
	fault_server_stop(s);
}

static int fill(void **state)
{
	unsigned int x = 1;
	(void)state;

	for (size_t i = 0; i < sizeof(content); i++) {
		x = x * 1664525u + 1013904223u;
		content[i] = (char)(x >> 24);
	}
	unsetenv("http_proxy");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),	 cmocka_unit_test(resuming),	  cmocka_unit_test(odd_beginnings),
		cmocka_unit_test(many_faults),	 cmocka_unit_test(failures),	  cmocka_unit_test(refusal),
		cmocka_unit_test(new_tokens),	 cmocka_unit_test(closing_early), cmocka_unit_test(interruption),
		cmocka_unit_test(side_by_side),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
