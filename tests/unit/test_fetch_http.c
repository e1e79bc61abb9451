/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_http.c - answers in memory, redirects, retries, TLS, against a server that misbehaves on demand. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "fetch/http.h"
#include "unit/fault_server.h"

static const char *const accept_header[] = { "Accept: text/x-test", NULL };

/* What a test told its server to do, and what that saw. */
struct script {
	enum fault fault;
	size_t cut;
	int status, bad_answers;
	const char *headers;
	size_t len;
	unsigned int random;
	char authorization[256], form[256], accept[256], method[16];
	char *other; /* where /away redirects to */
	bool saw_authorization_there;
};

static char big[2u << 20];

static unsigned int next_random(unsigned int *x)
{
	*x = *x * 1664525u + 1013904223u;
	return *x >> 16;
}

static void redirect(struct fault_reply *a, const char *to)
{
	a->status = 302;
	snprintf(a->text, sizeof(a->text), "Location: %s\r\n", to);
	a->headers = a->text;
	a->body = "moved";
	a->len = 5;
}

static void serve(void *data, const struct fault_request *q, struct fault_reply *a)
{
	struct script *s = data;

	snprintf(s->authorization, sizeof(s->authorization), "%.255s", q->authorization);
	snprintf(s->form, sizeof(s->form), "%.255s", q->body);
	snprintf(s->accept, sizeof(s->accept), "%.255s", q->accept);
	snprintf(s->method, sizeof(s->method), "%s", q->method);
	a->body = "hello";
	a->len = 5;
	if (strcmp(q->target, "/loop") == 0) {
		redirect(a, "/loop");
	} else if (strcmp(q->target, "/here") == 0) {
		redirect(a, "plain?x=1");
	} else if (strcmp(q->target, "/away") == 0) {
		redirect(a, s->other);
	} else if (strcmp(q->target, "/four") == 0) {
		redirect(a, "/4a");
	} else if (q->target[0] == '/' && q->target[1] == '4' && q->target[2] < 'd') {
		char to[8];

		snprintf(to, sizeof(to), "/4%c", q->target[2] + 1);
		redirect(a, to);
	} else if (strcmp(q->target, "/file") == 0) {
		redirect(a, "file:///etc/passwd");
	} else if (strcmp(q->target, "/half") == 0) {
		if (next_random(&s->random) & 1)
			a->status = 500 + (int)(next_random(&s->random) % 2) * 3;
	} else if ((int)q->count <= s->bad_answers || s->bad_answers < 0) {
		a->fault = s->fault;
		a->cut = s->cut;
		a->status = s->status;
		a->headers = s->headers;
		if (s->len > 0) {
			a->body = big;
			a->len = s->len;
		}
	} else {
		a->headers = "Content-Type: Text/X-Test; charset=utf-8\r\nDocker-Content-Digest: sha256:0\r\n"
			     "WWW-Authenticate: Basic realm=a\r\nwww-authenticate:  Bearer realm=b \r\n";
	}
}

static int fetch_with(const struct http_settings *settings, struct http_request *q, struct http_response *a,
		      struct err *e)
{
	struct http *h = http_new(settings);
	int rc;

	*a = (struct http_response){ .body = BUF_INIT };
	*e = ERR_INIT;
	rc = http_fetch(h, q, a, e);
	http_free(h);
	return rc;
}

static int fetch_path(struct fault_server *s, const char *path, struct http_response *a, struct err *e)
{
	static const struct http_settings settings = { .tries = 4, .stall_timeout_ms = 300 };
	cleanup_free char *url = mem_printf("%s%s", fault_server_url(s), path);
	struct http_request q = { .url = url, .max_body = 1000, .headers = accept_header, .authorization = "Basic c2VjcmV0" };

	return fetch_with(&settings, &q, a, e);
}

static void answers(void **state)
{
	struct script script = { 0 };
	struct fault_server *s = fault_server_start(serve, &script);
	struct http_response a;
	struct err e;
	(void)state;

	assert_int_equal(fetch_path(s, "/x", &a, &e), 0);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body.data, "hello");
	assert_string_equal(a.content_type, "text/x-test");
	assert_string_equal(a.docker_digest, "sha256:0");
	assert_string_equal(a.www_authenticate, "Basic realm=a, Bearer realm=b");
	assert_string_equal(script.accept, "text/x-test");
	assert_string_equal(script.authorization, "Basic c2VjcmV0");
	http_response_release(&a);
	http_response_release(&a);

	script = (struct script){ .bad_answers = -1, .status = 404 };
	assert_int_equal(fetch_path(s, "/y", &a, &e), 0);
	assert_int_equal(a.status, 404);
	assert_null(a.content_type);
	http_response_release(&a);
	fault_server_stop(s);
}

static void post_form(void **state)
{
	struct script script = { 0 };
	struct fault_server *s = fault_server_start(serve, &script);
	cleanup_free char *url = mem_printf("%s/post", fault_server_url(s));
	struct http_request q = { .url = url, .max_body = 1000, .form = "grant_type=refresh_token&x=%20" };
	struct http_response a;
	struct err e;
	(void)state;

	assert_int_equal(fetch_with(NULL, &q, &a, &e), 0);
	assert_string_equal(script.method, "POST");
	assert_string_equal(script.form, q.form);
	http_response_release(&a);
	fault_server_stop(s);
}

/* The fault for two requests, then a right answer. */
static void mended(enum fault fault, size_t cut, int status)
{
	struct script script = { .fault = fault, .cut = cut, .status = status, .bad_answers = 2 };
	struct fault_server *s = fault_server_start(serve, &script);
	struct http_response a;
	struct err e;

	if (fetch_path(s, "/x", &a, &e) < 0)
		fail_msg("fault %d: %s", fault, e.msg);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body.data, "hello");
	assert_int_equal(fault_server_requests(s), 3);
	http_response_release(&a);
	fault_server_stop(s);
}

static void retries(void **state)
{
	(void)state;
	mended(FAULT_RESET, 0, 0);
	mended(FAULT_TRUNCATE, 0, 0);
	mended(FAULT_TRUNCATE, 3, 0);
	mended(FAULT_BREAK, 3, 0);
	mended(FAULT_STALL, 0, 0);
	mended(FAULT_STALL, 3, 0);
	mended(FAULT_STALL, SIZE_MAX, 0);
	mended(FAULT_NONE, 0, 500);
	mended(FAULT_NONE, 0, 502);
	mended(FAULT_NONE, 0, 503);
	mended(FAULT_NONE, 0, 504);
	mended(FAULT_NONE, 0, 429);
}

static void given_up(void **state)
{
	struct script script = { .fault = FAULT_STALL, .cut = 2, .bad_answers = -1 };
	struct fault_server *s = fault_server_start(serve, &script);
	struct http_response a;
	struct err e;
	(void)state;

	assert_int_equal(fetch_path(s, "/x", &a, &e), -1);
	assert_int_equal(e.code, ERR_NETWORK);
	assert_non_null(strstr(e.msg, "sent nothing for 300 ms"));
	assert_int_equal(fault_server_requests(s), 3);

	script.fault = FAULT_RESET;
	assert_int_equal(fetch_path(s, "/y", &a, &e), -1);
	assert_int_equal(e.code, ERR_NETWORK);
	assert_int_equal(fault_server_requests(s), 3 + 4);

	/* the last answer is handed out as it is */
	script = (struct script){ .bad_answers = -1, .status = 503 };
	assert_int_equal(fetch_path(s, "/z", &a, &e), 0);
	assert_int_equal(a.status, 503);
	assert_int_equal(fault_server_requests(s), 3 + 4 + 4);
	http_response_release(&a);

	script = (struct script){ .bad_answers = -1, .status = 400 };
	assert_int_equal(fetch_path(s, "/w", &a, &e), 0);
	assert_int_equal(fault_server_requests(s), 3 + 4 + 4 + 1);
	http_response_release(&a);

	script = (struct script){ .bad_answers = -1, .fault = FAULT_GARBAGE };
	assert_int_equal(fetch_path(s, "/v", &a, &e), -1);
	fault_server_stop(s);
}

static void half_of_answers_bad(void **state)
{
	struct script script = { .random = 4711 };
	struct fault_server *s = fault_server_start(serve, &script);
	cleanup_free char *url = mem_printf("%s/half", fault_server_url(s));
	struct http_request q = { .url = url, .max_body = 1000 };
	(void)state;

	for (int i = 0; i < 30; i++) {
		struct http_response a;
		struct err e;

		assert_int_equal(fetch_with(NULL, &q, &a, &e), 0);
		assert_int_equal(a.status, 200);
		http_response_release(&a);
	}
	assert_true(fault_server_requests(s) > 35);
	fault_server_stop(s);
}

static void rate_limit(void **state)
{
	struct script script = { .status = 429, .headers = "Retry-After: 1\r\n", .bad_answers = 1 };
	struct fault_server *s = fault_server_start(serve, &script);
	struct http_response a;
	struct err e;
	(void)state;

	assert_int_equal(fetch_path(s, "/x", &a, &e), 0);
	assert_int_equal(a.status, 200);
	assert_int_equal(fault_server_requests(s), 2);
	http_response_release(&a);

	script.bad_answers = -1;
	script.headers = "Retry-After: 3600\r\n";
	assert_int_equal(fetch_path(s, "/y", &a, &e), 0);
	assert_int_equal(a.status, 429);
	assert_int_equal(a.retry_after, 3600);
	assert_int_equal(fault_server_requests(s), 3);
	http_response_release(&a);
	fault_server_stop(s);
}

static void body_limits(void **state)
{
	struct script script = { .bad_answers = -1, .len = 1001 };
	struct fault_server *s = fault_server_start(serve, &script);
	struct http_response a;
	struct err e;
	(void)state;

	assert_int_equal(fetch_path(s, "/x", &a, &e), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	assert_int_equal(fault_server_requests(s), 1);
	script.len = 1000;
	assert_int_equal(fetch_path(s, "/x", &a, &e), 0);
	assert_int_equal(a.body.len, 1000);
	http_response_release(&a);

	script.status = 404; /* what an error says may be longer than what was asked for, up to 1 MiB */
	script.len = HTTP_ERROR_BODY_MAX;
	assert_int_equal(fetch_path(s, "/x", &a, &e), 0);
	http_response_release(&a);
	script.len++;
	assert_int_equal(fetch_path(s, "/x", &a, &e), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	fault_server_stop(s);
}

static void redirects(void **state)
{
	struct script script = { 0 }, there = { 0 };
	struct fault_server *s = fault_server_start(serve, &script), *other = fault_server_start(serve, &there);
	struct http_response a;
	struct err e;
	(void)state;

	assert_int_equal(fetch_path(s, "/here", &a, &e), 0);
	assert_int_equal(a.status, 200);
	assert_string_equal(script.authorization, "Basic c2VjcmV0");
	http_response_release(&a);

	assert_int_equal(fetch_path(s, "/four", &a, &e), 0);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body.data, "hello");
	http_response_release(&a);

	assert_int_equal(fetch_path(s, "/file", &a, &e), -1);
	assert_int_equal(e.code, ERR_NETWORK);

	/* another port: no Authorization, and no challenge that could be answered */
	script.other = mem_printf("%s/x", fault_server_url(other));
	assert_int_equal(fetch_path(s, "/away", &a, &e), 0);
	assert_int_equal(a.status, 200);
	assert_int_equal(fault_server_requests(other), 1);
	assert_string_equal(there.authorization, "");
	assert_null(a.www_authenticate);
	http_response_release(&a);

	/* and none after coming back */
	free(script.other);
	script.other = mem_printf("%s/away", fault_server_url(other));
	there.other = mem_printf("%s/x", fault_server_url(s));
	assert_int_equal(fetch_path(s, "/away", &a, &e), 0);
	assert_string_equal(script.authorization, "");
	http_response_release(&a);
	free(script.other);
	free(there.other);

	/* another name for the same machine is another host */
	script.other = mem_printf("http://localhost:%u/x", fault_server_port(s));
	assert_int_equal(fetch_path(s, "/away", &a, &e), 0);
	assert_string_equal(script.authorization, "");
	http_response_release(&a);
	free(script.other);

	script.other = mem_printf("http://user:password@127.0.0.1:%u/x", fault_server_port(other));
	assert_int_equal(fetch_path(s, "/away", &a, &e), -1);
	assert_null(strstr(e.msg, "password"));
	free(script.other);
	fault_server_stop(other);
	fault_server_stop(s);
}

static void redirect_loop(void **state)
{
	struct script script = { 0 };
	struct fault_server *s = fault_server_start(serve, &script);
	struct http_response a;
	struct err e;
	(void)state;

	assert_int_equal(fetch_path(s, "/loop", &a, &e), -1);
	assert_int_equal(e.code, ERR_NETWORK);
	assert_non_null(strstr(e.msg, "redirects more than 5 times"));
	assert_int_equal(fault_server_requests(s), 6);
	fault_server_stop(s);
}

static void nobody_there(void **state)
{
	cleanup_free char *url = mem_printf("http://127.0.0.1:%u/secret?key=1", fault_server_free_port());
	struct http_request q = { .url = url, .max_body = 10, .what = "registry" };
	struct http_response a;
	struct err e;
	char name[100];
	(void)state;

	assert_int_equal(fetch_with(NULL, &q, &a, &e), -1);
	assert_int_equal(e.code, ERR_NETWORK);
	assert_non_null(strstr(e.msg, "can't reach registry 127.0.0.1:"));
	assert_non_null(strstr(e.msg, "connection refused"));
	assert_null(strstr(e.msg, "secret"));

	/* a label of 70 letters has no address anywhere, and no server need be asked */
	memset(name, 'a', sizeof(name));
	snprintf(name + 70, sizeof(name) - 70, ".invalid");
	memcpy(name, "http://a", 8);
	snprintf(name + 70 + 8, sizeof(name) - 78, "/");
	q.url = name;
	assert_int_equal(fetch_with(NULL, &q, &a, &e), -1);
	assert_int_equal(e.code, ERR_NETWORK);
	assert_non_null(strstr(e.msg, "has no address"));
	assert_non_null(strstr(e.hint, "--offline"));
}

static void proxies(void **state)
{
	struct script script = { 0 };
	struct fault_server *s = fault_server_start(serve, &script);
	cleanup_free char *dead = mem_printf("http://127.0.0.1:%u", fault_server_free_port());
	struct http_response a;
	struct http_request q = { .url = "http://devenv.invalid/", .max_body = 1000 };
	struct err e;
	(void)state;

	/* never for a loopback host */
	setenv("http_proxy", dead, 1);
	assert_int_equal(fetch_path(s, "/x", &a, &e), 0);
	http_response_release(&a);
	/* but for others */
	setenv("http_proxy", fault_server_url(s), 1);
	assert_int_equal(fetch_with(NULL, &q, &a, &e), 0);
	assert_string_equal(a.body.data, "hello");
	http_response_release(&a);
	unsetenv("http_proxy");
	fault_server_stop(s);
}

static void urls(void **state)
{
	static const struct {
		const char *url, *origin;
		bool https, loopback;
	} cases[] = {
		{ "https://Example.org/x", "https://example.org:443", true, false },
		{ "http://example.org", "http://example.org:80", false, false },
		{ "https://example.org:8443/", "https://example.org:8443", true, false },
		{ "http://127.0.0.1:5000/", "http://127.0.0.1:5000", false, true },
		{ "http://127.9.9.9/", "http://127.9.9.9:80", false, true },
		{ "http://[::1]:5000/", "http://[::1]:5000", false, true },
		{ "http://localhost/", "http://localhost:80", false, true },
		{ "http://127.0.0.1.evil.example/", "http://127.0.0.1.evil.example:80", false, false },
		{ "http://localhost.evil.example/", "http://localhost.evil.example:80", false, false },
		{ "http://128.0.0.1/", "http://128.0.0.1:80", false, false },
		{ "http://localhost@evil.example/", NULL, false, false },
		{ "ftp://localhost/", NULL, false, true },
		{ "relative", NULL, false, false },
		{ "http://a b/", NULL, false, false },
		{ "", NULL, false, false },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_free char *origin = http_url_origin(cases[i].url);

		if (cases[i].origin) {
			assert_non_null(origin);
			assert_string_equal(origin, cases[i].origin);
		} else {
			assert_null(origin);
		}
		assert_int_equal(http_url_is_https(cases[i].url), cases[i].https);
		assert_int_equal(http_url_is_loopback(cases[i].url), cases[i].loopback);
	}
}

static void resolving(void **state)
{
	static const struct {
		const char *base, *location, *want;
	} cases[] = {
		{ "https://a/b/c", "d", "https://a/b/d" },
		{ "https://a/b/c", "/d?e", "https://a/d?e" },
		{ "https://a/b", "//c/d", "https://c/d" },
		{ "https://a/b", "https://c/d", "https://c/d" },
		{ "https://a/b", "/x y", "https://a/x%20y" },
		{ "https://a/b", "gopher://c/", NULL },
		{ "https://a/b", "https://u@c/", NULL },
		{ "https://a/b", "https://c/\x01", NULL },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_free char *got = http_url_resolve(cases[i].base, cases[i].location);

		if (cases[i].want) {
			assert_non_null(got);
			assert_string_equal(got, cases[i].want);
		} else {
			assert_null(got);
		}
	}
}

/* Interruption can't be taken back, so it happens in a child. */
static void interruption(void **state)
{
	pid_t pid = fork();
	int status;
	(void)state;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct script script = { .fault = FAULT_STALL, .cut = 1, .bad_answers = -1 };
		struct fault_server *s = fault_server_start(serve, &script);
		cleanup_free char *url = mem_printf("%s/x", fault_server_url(s));
		struct http_request q = { .url = url, .max_body = 1000 };
		struct http_response a;
		struct err e;

		signal(SIGALRM, (void (*)(int))http_interrupt);
		alarm(1);
		if (fetch_with(NULL, &q, &a, &e) != -1 || e.code != ERR_INTERRUPTED || !http_interrupted())
			_exit(1);
		fault_server_stop(s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static char *dir;

static void put(const char *name, const char *text)
{
	cleanup_free char *path = mem_printf("%s/%s", dir, name);
	struct err e = ERR_INIT;

	assert_int_equal(file_replace(AT_FDCWD, path, text, strlen(text), 0600, FILE_FAST, &e), 0);
}

static pid_t start(const char *const argv[])
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed assertion must not leave it behind */
		if (chdir(dir) < 0)
			_exit(1);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static int run(const char *const argv[])
{
	int status = -1;
	pid_t pid = start(argv);

	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int fetch_tls(const char *url, const char *ca, bool insecure, struct http_response *a, struct err *e)
{
	struct http_request q = { .url = url, .max_body = 1000, .ca_file = ca, .insecure = insecure };

	return fetch_with(NULL, &q, a, e);
}

/* `openssl s_server -HTTP` sends files as whole answers. */
static void tls(void **state)
{
	static const char *const make[] = { "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem",
					    "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
					    "subjectAltName=DNS:localhost,IP:127.0.0.1", NULL };
	cleanup_free char *address = mem_printf("127.0.0.1:%u", fault_server_free_port());
	const char *const server[] = { "openssl", "s_server", "-quiet", "-HTTP", "-cert", "cert.pem", "-key", "key.pem",
				       "-accept", address, NULL };
	cleanup_free char *plain = mem_printf("https://%s/plain", address);
	cleanup_free char *down = mem_printf("https://%s/down", address);
	cleanup_free char *ca = mem_printf("%s/cert.pem", dir);
	struct http_response a;
	struct err e;
	pid_t pid;
	int rc = -1;
	(void)state;

	if (run(make) != 0)
		skip(); /* no openssl program */
	put("plain", "HTTP/1.1 200 X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	put("down", "HTTP/1.1 302 X\r\nLocation: http://localhost:9/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	pid = start(server);
	assert_true(pid > 0);
	for (int i = 0; i < 20 && rc < 0; i++) /* it takes a moment to listen; each round tries several times */
		rc = fetch_tls(plain, ca, false, &a, &e);
	if (rc < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(a.body.data, "ok");
	http_response_release(&a);

	assert_int_equal(fetch_tls(plain, NULL, false, &a, &e), -1);
	assert_int_equal(e.code, ERR_NETWORK);
	assert_non_null(strstr(e.msg, "can't trust"));
	assert_int_equal(fetch_tls(plain, NULL, true, &a, &e), 0);
	http_response_release(&a);
	assert_int_equal(fetch_tls(plain, "/nonexistent.pem", false, &a, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);

	assert_int_equal(fetch_tls(down, ca, false, &a, &e), -1);
	assert_non_null(strstr(e.msg, "from https to plain http"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int make_dir(void **state)
{
	static const char *const proxies_names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
						     "no_proxy", "NO_PROXY", "SSL_CERT_FILE" };
	(void)state;

	for (size_t i = 0; i < sizeof(proxies_names) / sizeof(proxies_names[0]); i++)
		unsetenv(proxies_names[i]);
	dir = mem_printf("%s/devenv-http-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	struct err e = ERR_INIT;
	int rc = file_remove_tree(AT_FDCWD, dir, &e);
	(void)state;

	free(dir);
	return rc;
}

static void note_wait(void *data, const char *host)
{
	buf_addf(data, "%s;", host);
}

/* A server that says nothing: that we wait is told once, and not where it answers. */
static void tells_that_it_waits(void **state)
{
	struct script script = { .fault = FAULT_STALL, .cut = SIZE_MAX, .bad_answers = 2 };
	struct fault_server *s = fault_server_start(serve, &script);
	cleanup_buf struct buf told = BUF_INIT;
	struct http_settings settings = { .tries = 4, .stall_timeout_ms = 300, .waits = note_wait, .waits_data = &told };
	cleanup_free char *url = mem_printf("%s/x", fault_server_url(s)), *host = http_url_host(url), *once = mem_printf("%s;", host);
	struct http_request q = { .url = url, .max_body = 1000 };
	struct http_response a;
	struct err e;

	(void)state;
	assert_int_equal(fetch_with(&settings, &q, &a, &e), 0);
	http_response_release(&a);
	assert_string_equal(told.data, once);
	buf_clear(&told);
	assert_int_equal(fetch_with(&settings, &q, &a, &e), 0);
	http_response_release(&a);
	assert_int_equal(told.len, 0);
	fault_server_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),		cmocka_unit_test(resolving),	 cmocka_unit_test(answers), cmocka_unit_test(tells_that_it_waits),
		cmocka_unit_test(post_form),	cmocka_unit_test(retries),	 cmocka_unit_test(given_up),
		cmocka_unit_test(half_of_answers_bad), cmocka_unit_test(rate_limit), cmocka_unit_test(body_limits),
		cmocka_unit_test(redirects),	cmocka_unit_test(redirect_loop), cmocka_unit_test(nobody_there),
		cmocka_unit_test(proxies),	cmocka_unit_test(interruption),	 cmocka_unit_test(tls),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
