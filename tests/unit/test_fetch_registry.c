/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fetch_registry.c - pulling from a real docker-registry (anonymous and with a password), and from a server that
 * plays the token flow, mirrors and refusals.
 */
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

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "fetch/auth.h"
#include "fetch/registry.h"
#include "unit/fault_server.h"

#define LAYER_SIZE (2u << 20)
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"

static char *dir;
static char layer[LAYER_SIZE];
static char layer_digest[DIGEST_MAX], config_digest[DIGEST_MAX], manifest_digest[DIGEST_MAX];
static const char config[] = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";
static char *manifest;

static void put(const char *name, const void *data, size_t len)
{
	cleanup_free char *path = mem_printf("%s/%s", dir, name);
	struct err e = ERR_INIT;
	char *slash = strrchr(path, '/');

	*slash = '\0';
	assert_int_equal(file_mkdirs(AT_FDCWD, path, 0700, &e), 0);
	*slash = '/';
	assert_int_equal(file_replace(AT_FDCWD, path, data, len, 0600, FILE_FAST, &e), 0);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void put_blob(const char *digest, const void *data, size_t len)
{
	cleanup_free char *name = mem_printf("layout/blobs/sha256/%s", digest_hex(digest));

	put(name, data, len);
}

/* An OCI layout with one image of one layer, made by hand. */
static void make_layout(void)
{
	cleanup_free char *index = NULL;
	unsigned int x = 1;

	for (size_t i = 0; i < sizeof(layer); i++) {
		x = x * 1664525u + 1013904223u;
		layer[i] = (char)(x >> 24);
	}
	digest_bytes(layer, sizeof(layer), layer_digest);
	digest_bytes(config, strlen(config), config_digest);
	manifest = mem_printf("{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE "\",\"config\":{\"mediaType\":"
			      "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{"
			      "\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"%s\",\"size\":%u}]}",
			      config_digest, strlen(config), layer_digest, LAYER_SIZE);
	digest_bytes(manifest, strlen(manifest), manifest_digest);
	index = mem_printf("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MANIFEST_TYPE "\",\"digest\":\"%s\","
			   "\"size\":%zu,\"annotations\":{\"org.opencontainers.image.ref.name\":\"one\"}}]}",
			   manifest_digest, strlen(manifest));
	put_text("layout/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	put_text("layout/index.json", index);
	put_blob(layer_digest, layer, sizeof(layer));
	put_blob(config_digest, config, strlen(config));
	put_blob(manifest_digest, manifest, strlen(manifest));
}

static pid_t start(const char *const argv[])
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed assertion must not leave it behind */
		unsetenv("REGISTRY_AUTH_FILE"); /* docker-registry takes it for a setting of its own */
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

static void end(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

static bool have(const char *program)
{
	const char *const argv[] = { program, "--version", NULL };

	return run(argv) == 0;
}

/* user "alice", password "secret" */
#define HTPASSWD "alice:$2b$04$XOCrfCSpGrBLScEIcp38I.pB8NVSsAZnOTRFckRh8rHaKU643gl.e\n"

static pid_t start_registry(unsigned short port, bool password)
{
	static const char *const argv[] = { "docker-registry", "serve", "config.yml", NULL };
	cleanup_free char *yaml = mem_printf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: "
					     "%s/registry}}\nhttp: {addr: '127.0.0.1:%u'}\n%s",
					     dir, port,
					     password ? "auth: {htpasswd: {realm: test, path: htpasswd}}\n" : "");

	put_text("config.yml", yaml);
	put_text("htpasswd", HTPASSWD);
	return start(argv);
}

static int push(unsigned short port, bool password)
{
	cleanup_free char *to = mem_printf("docker://127.0.0.1:%u/team/one:v1", port);
	const char *const argv[] = { "skopeo", "--insecure-policy", "copy", "--preserve-digests", "--dest-tls-verify=false",
				     "--quiet", "oci:layout:one", to, password ? "--dest-creds=alice:secret" : NULL, NULL };

	for (int i = 0; i < 100; i++) { /* it takes a moment to listen */
		if (run(argv) == 0)
			return 0;
		usleep(100000);
	}
	return -1;
}

struct client {
	struct http *http;
	struct user_config user;
	struct registry *registry;
	char *host;
};

static void connect_to(struct client *c, const char *host, const char *path)
{
	static const struct http_settings quick = { .tries = 3, .stall_timeout_ms = 5000 };
	struct reference ref = { .host = (char *)(uintptr_t)host, .path = (char *)(uintptr_t)path };

	c->http = http_new(&quick);
	c->registry = registry_new(c->http, &c->user, &ref);
}

static void connect_port(struct client *c, unsigned short port, const char *path)
{
	*c = (struct client){ .host = mem_printf("127.0.0.1:%u", port) };
	user_config_init(&c->user);
	connect_to(c, c->host, path);
}

static void disconnect(struct client *c)
{
	registry_free(c->registry);
	http_free(c->http);
	free(c->host);
}

static int get_manifest(struct client *c, const char *what, struct buf *body, struct err *e)
{
	char digest[DIGEST_MAX];
	char *type = NULL;
	int rc;

	*e = ERR_INIT;
	*body = BUF_INIT;
	rc = registry_manifest(c->registry, what, body, &type, digest, e);
	if (rc == 0) {
		assert_string_equal(type, MANIFEST_TYPE);
		assert_string_equal(digest, manifest_digest);
		assert_string_equal(body->data, manifest);
	}
	buf_release(body);
	free(type);
	return rc;
}

static void expect_image(struct client *c, const char *tag)
{
	struct buf body = BUF_INIT;
	struct stream *st;
	struct err e;
	char *got;
	size_t len = 0;
	ssize_t n;

	if (get_manifest(c, tag, &body, &e) < 0)
		fail_msg("%s (%s)", e.msg, e.hint);
	if (registry_blob(c->registry, config_digest, strlen(config), &body, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(body.data, config);
	buf_release(&body);
	if (registry_blob_stream(c->registry, layer_digest, LAYER_SIZE, &st, &e) < 0)
		fail_msg("%s", e.msg);
	got = mem_alloc(LAYER_SIZE + 1);
	while ((n = st->read(st, got + len, LAYER_SIZE + 1 - len, &e)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(len, LAYER_SIZE);
	assert_memory_equal(got, layer, LAYER_SIZE);
	free(got);
	stream_close(st);
}

static void set_auth(const char *json)
{
	cleanup_free char *path = mem_printf("%s/auth.json", dir);

	put_text("auth.json", json);
	setenv("REGISTRY_AUTH_FILE", path, 1);
}

static void real_registry(void **state)
{
	static const char absent[] = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
	unsigned short port = fault_server_free_port();
	struct client c;
	struct buf body;
	struct err e;
	pid_t pid;
	(void)state;

	if (!have("docker-registry") || !have("skopeo"))
		skip();
	pid = start_registry(port, false);
	assert_int_equal(push(port, false), 0);
	connect_port(&c, port, "team/one");
	expect_image(&c, "v1");
	expect_image(&c, manifest_digest);
	assert_int_equal(get_manifest(&c, "v2", &body, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, "has no team/one:v2"));
	assert_int_equal(get_manifest(&c, absent, &body, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, absent));
	assert_int_equal(get_manifest(&c, "../blobs", &body, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(get_manifest(&c, "sha256:abc", &body, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	/* the size of the descriptor must be that of the blob */
	assert_int_equal(registry_blob(c.registry, config_digest, strlen(config) + 1, &body, &e), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	assert_int_equal(registry_blob(c.registry, config_digest, strlen(config) - 1, &body, &e), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	assert_int_equal(registry_blob(c.registry, config_digest, 5u << 20, &body, &e), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	disconnect(&c);
	end(pid);

	connect_port(&c, port, "team/one");
	assert_int_equal(get_manifest(&c, "v1", &body, &e), -1);
	assert_int_equal(e.code, ERR_NETWORK);
	assert_non_null(strstr(e.msg, "can't reach registry 127.0.0.1:"));
	assert_non_null(strstr(e.msg, "connection refused"));
	disconnect(&c);
}

static void password(void **state)
{
	unsigned short port = fault_server_free_port();
	cleanup_free char *right = mem_printf("{\"auths\":{\"127.0.0.1:%u\":{\"auth\":\"YWxpY2U6c2VjcmV0\"}}}", port);
	cleanup_free char *wrong = mem_printf("{\"auths\":{\"127.0.0.1:%u\":{\"auth\":\"YWxpY2U6d3Jvbmc=\"}}}", port);
	struct client c;
	struct buf body;
	struct stream *st;
	struct err e;
	pid_t pid;
	(void)state;

	if (!have("docker-registry") || !have("skopeo"))
		skip();
	pid = start_registry(port, true);
	assert_int_equal(push(port, true), 0);

	set_auth(right);
	connect_port(&c, port, "team/one");
	expect_image(&c, "v1");
	disconnect(&c);
	connect_port(&c, port, "team/one"); /* a stream as the first thing logs in as well */
	e = ERR_INIT;
	assert_int_equal(registry_blob_stream(c.registry, layer_digest, LAYER_SIZE, &st, &e), 0);
	registry_free(c.registry); /* the stream holds it */
	assert_int_equal(st->read(st, layer_digest, 0, &e), 0);
	stream_close(st);
	c.registry = NULL;
	disconnect(&c);

	set_auth(wrong);
	connect_port(&c, port, "team/one");
	assert_int_equal(get_manifest(&c, "v1", &body, &e), -1);
	assert_int_equal(e.code, ERR_AUTH);
	assert_non_null(strstr(e.hint, "docker login 127.0.0.1:"));
	assert_non_null(strstr(e.hint, "auth.json"));
	assert_int_equal(registry_blob_stream(c.registry, layer_digest, LAYER_SIZE, &st, &e), -1);
	assert_int_equal(e.code, ERR_AUTH);
	disconnect(&c);

	set_auth("{}");
	connect_port(&c, port, "team/one");
	assert_int_equal(get_manifest(&c, "v1", &body, &e), -1);
	assert_int_equal(e.code, ERR_AUTH);
	assert_non_null(strstr(e.msg, "none was found"));
	assert_non_null(strstr(e.hint, "podman login 127.0.0.1:"));
	disconnect(&c);
	end(pid);
}

/* A registry with a token server beside it, played by one fault server. */
struct play {
	char *url;	   /* of itself, for the realm */
	const char *realm; /* instead of its own */
	const char *basic; /* what the token request must carry; NULL: nothing */
	bool refresh;	   /* wants POST with a refresh token */
	int status;	   /* of everything but tokens; 0: serve the image */
	const char *error; /* body then */
	int lifetime;	   /* requests that a token is good for; 0: any */
	int tokens, used;
	char token_query[512], token_form[512];
	bool corrupt, wrong_header;
	const char *only; /* an image path other than team/one */
};

static void serve_token(struct play *p, const struct fault_request *q, struct fault_reply *a)
{
	snprintf(p->token_query, sizeof(p->token_query), "%.500s", q->target);
	snprintf(p->token_form, sizeof(p->token_form), "%.500s", q->body);
	if (strcmp(q->authorization, p->basic ? p->basic : "") != 0 || p->refresh != (strcmp(q->method, "POST") == 0)) {
		a->status = 401;
		a->body = "{\"details\":\"incorrect username or password\"}";
		a->len = strlen(a->body);
		return;
	}
	p->used = 0;
	snprintf(a->text, sizeof(a->text), "{\"token\":\"token%d\"}", ++p->tokens);
	a->body = a->text;
	a->len = strlen(a->text);
}

static void challenge(struct play *p, struct fault_reply *a)
{
	a->status = 401;
	snprintf(a->text, sizeof(a->text),
		 "WWW-Authenticate: Bearer realm=\"%s\",service=\"reg istry\",scope=\"repository:team/one:pull\"\r\n",
		 p->realm ? p->realm : p->url);
	a->headers = a->text;
	a->body = "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"authentication required\"}]}";
	a->len = strlen(a->body);
}

static void serve_image(struct play *p, const struct fault_request *q, struct fault_reply *a)
{
	cleanup_free char *by_tag = mem_printf("/v2/%s/manifests/v1", p->only ? p->only : "team/one");
	cleanup_free char *by_digest = mem_printf("/v2/%s/manifests/%s", p->only ? p->only : "team/one", manifest_digest);
	cleanup_free char *config_path = mem_printf("/v2/%s/blobs/%s", p->only ? p->only : "team/one", config_digest);
	cleanup_free char *layer_path = mem_printf("/v2/%s/blobs/%s", p->only ? p->only : "team/one", layer_digest);

	a->ranges = true;
	if (strcmp(q->target, by_tag) == 0 || strcmp(q->target, by_digest) == 0) {
		assert_non_null(strstr(q->accept, MANIFEST_TYPE));
		a->headers = "Content-Type: " MANIFEST_TYPE "\r\n";
		if (p->wrong_header)
			a->headers = "Docker-Content-Digest: sha256:"
				     "0000000000000000000000000000000000000000000000000000000000000000\r\n";
		a->body = p->corrupt ? "{}" : manifest;
		a->len = strlen(a->body);
	} else if (strcmp(q->target, config_path) == 0) {
		a->body = config;
		a->len = strlen(config);
	} else if (strcmp(q->target, layer_path) == 0) {
		a->body = layer;
		a->len = sizeof(layer);
		if (q->count == 2 && p->lifetime) { /* the first was refused */
			a->fault = FAULT_TRUNCATE;
			a->cut = 1000000;
		}
	} else {
		a->status = 404;
	}
}

static void serve(void *data, const struct fault_request *q, struct fault_reply *a)
{
	struct play *p = data;
	char token[64];

	if (strncmp(q->target, "/token", 6) == 0) {
		serve_token(p, q, a);
		return;
	}
	snprintf(token, sizeof(token), "Bearer token%d", p->tokens);
	if (p->url && (strcmp(q->authorization, token) != 0 || (p->lifetime && p->used >= p->lifetime))) {
		challenge(p, a);
		return;
	}
	p->used++;
	if (p->status) {
		a->status = p->status;
		a->body = p->error;
		a->len = p->error ? strlen(p->error) : 0;
		return;
	}
	serve_image(p, q, a);
}

static struct fault_server *start_play(struct play *p, bool tokens)
{
	struct fault_server *s = fault_server_start(serve, p);

	p->url = tokens ? mem_printf("%s/token", fault_server_url(s)) : NULL;
	return s;
}

static void stop_play(struct fault_server *s, struct play *p)
{
	fault_server_stop(s);
	free(p->url);
}

static void set_auth_port(unsigned short port, const char *entry)
{
	cleanup_free char *json = mem_printf("{\"auths\":{\"127.0.0.1:%u\":{%s}}}", port, entry);

	set_auth(json);
}

static void anonymous_tokens(void **state)
{
	struct play p = { 0 };
	struct fault_server *s = start_play(&p, true);
	struct client c;
	(void)state;

	set_auth("{}");
	connect_port(&c, fault_server_port(s), "team/one");
	expect_image(&c, "v1");
	assert_int_equal(p.tokens, 1); /* kept */
	assert_string_equal(p.token_query, "/token?service=reg%20istry&scope=repository%3Ateam%2Fone%3Apull");
	disconnect(&c);
	stop_play(s, &p);
}

static void tokens_with_login(void **state)
{
	struct play p = { .basic = "Basic YWxpY2U6c2VjcmV0" };
	struct fault_server *s = start_play(&p, true);
	struct client c;
	struct buf body;
	struct err e;
	(void)state;

	set_auth_port(fault_server_port(s), "\"auth\":\"YWxpY2U6c2VjcmV0\"");
	connect_port(&c, fault_server_port(s), "team/one");
	expect_image(&c, "v1");
	disconnect(&c);

	set_auth_port(fault_server_port(s), "\"auth\":\"YWxpY2U6d3Jvbmc=\"");
	connect_port(&c, fault_server_port(s), "team/one");
	assert_int_equal(get_manifest(&c, "v1", &body, &e), -1);
	assert_int_equal(e.code, ERR_AUTH);
	assert_non_null(strstr(e.msg, "incorrect username or password"));
	assert_non_null(strstr(e.hint, "docker login"));
	disconnect(&c);

	p.basic = NULL;
	p.refresh = true;
	set_auth_port(fault_server_port(s), "\"identitytoken\":\"re fresh\"");
	connect_port(&c, fault_server_port(s), "team/one");
	expect_image(&c, "v1");
	assert_non_null(strstr(p.token_form, "grant_type=refresh_token"));
	assert_non_null(strstr(p.token_form, "refresh_token=re%20fresh"));
	disconnect(&c);
	stop_play(s, &p);
}

/* Tokens run out: between requests, and in the middle of a layer. */
static void short_tokens(void **state)
{
	struct play p = { .lifetime = 1 };
	struct fault_server *s = start_play(&p, true);
	struct client c;
	(void)state;

	set_auth("{}");
	connect_port(&c, fault_server_port(s), "team/one");
	expect_image(&c, "v1");
	assert_int_equal(p.tokens, 4); /* manifest, config, layer, rest of the layer */
	disconnect(&c);
	stop_play(s, &p);
}

/* A realm that would get secrets in the clear, or is none, is not asked. */
static void bad_realms(void **state)
{
	static const char *const realms[] = { "http://192.0.2.1/token", "http://127.0.0.1.example.invalid/token", "token",
					      "ftp://127.0.0.1/", "", "http://a@127.0.0.1/" };
	struct play p = { 0 };
	struct fault_server *s = start_play(&p, true);
	(void)state;

	set_auth_port(fault_server_port(s), "\"auth\":\"YWxpY2U6c2VjcmV0\"");
	for (size_t i = 0; i < ARRAY_SIZE(realms); i++) {
		struct client c;
		struct buf body;
		struct err e;

		p.realm = realms[i];
		connect_port(&c, fault_server_port(s), "team/one");
		assert_int_equal(get_manifest(&c, "v1", &body, &e), -1);
		assert_true(e.code == ERR_AUTH || e.code == ERR_NETWORK);
		assert_null(strstr(e.msg, "secret"));
		disconnect(&c);
	}
	assert_int_equal(p.tokens, 0);
	stop_play(s, &p);
}

static void refusals(void **state)
{
	static const struct {
		int status;
		const char *error, *text, *hint;
		enum err_code code;
	} cases[] = {
		{ 403, "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\\u0007\"}]}", "(DENIED: no\\x07)", "login", ERR_AUTH },
		{ 404, "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"unknown\"}]}", "NAME_UNKNOWN", "name", ERR_NOT_FOUND },
		{ 429, "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"slow down\"}]}", "slow down", "mirror", ERR_NETWORK },
		{ 500, "<html>", "HTTP status 500", "later", ERR_NETWORK },
		{ 418, NULL, "HTTP status 418", "", ERR_NETWORK },
	};
	struct play p = { 0 };
	struct fault_server *s = start_play(&p, false);
	struct client c;
	(void)state;

	set_auth("{}");
	connect_port(&c, fault_server_port(s), "team/one");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf body;
		struct stream *st;
		struct err e;

		p.status = cases[i].status;
		p.error = cases[i].error;
		for (int stream = 0; stream < 2; stream++) {
			if (stream == 0)
				assert_int_equal(get_manifest(&c, "v1", &body, &e), -1);
			else
				assert_int_equal(registry_blob_stream(c.registry, layer_digest, 10, &st, &e), -1);
			assert_int_equal(e.code, cases[i].code);
			if (!strstr(e.msg, cases[i].text) || !strstr(e.hint, cases[i].hint))
				fail_msg("%s (%s)", e.msg, e.hint);
		}
	}
	disconnect(&c);
	stop_play(s, &p);
}

static void integrity(void **state)
{
	struct play p = { .corrupt = true };
	struct fault_server *s = start_play(&p, false);
	char digest[DIGEST_MAX];
	struct client c;
	struct buf body;
	struct err e;
	char *type = NULL;
	(void)state;

	connect_port(&c, fault_server_port(s), "team/one");
	assert_int_equal(get_manifest(&c, manifest_digest, &body, &e), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	/* by tag any bytes are the manifest, unless they contradict what the server says */
	body = BUF_INIT;
	assert_int_equal(registry_manifest(c.registry, "v1", &body, &type, digest, &e), 0);
	assert_string_equal(body.data, "{}");
	buf_release(&body);
	free(type);
	p.wrong_header = true;
	assert_int_equal(get_manifest(&c, "v1", &body, &e), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	disconnect(&c);
	stop_play(s, &p);
}

static void connect_mirror(struct client *c, const char *host, const char *mirror)
{
	cleanup_free char *text = mem_printf("[registry.%s]\nmirror = %s\n", host, mirror);
	struct err e = ERR_INIT;

	*c = (struct client){ .host = mem_strdup(host) };
	if (user_config_parse("config.ini", text, strlen(text), &c->user, &e) < 0)
		fail_msg("%s", e.msg);
	connect_to(c, host, "team/one");
}

static void mirrors(void **state)
{
	struct play near = { .only = "cache/hub/team/one" }, far = { 0 };
	struct fault_server *mirror = start_play(&near, false), *host = start_play(&far, false);
	cleanup_free char *name = mem_printf("127.0.0.1:%u", fault_server_port(host));
	cleanup_free char *with_prefix = mem_printf("127.0.0.1:%u/cache/hub", fault_server_port(mirror));
	cleanup_free char *dead = mem_printf("127.0.0.1:%u", fault_server_free_port());
	struct client c;
	struct buf body;
	struct err e;
	(void)state;

	connect_mirror(&c, name, with_prefix);
	expect_image(&c, "v1");
	assert_int_equal(fault_server_requests(host), 0);
	near.status = 404; /* what the mirror has not, the host gives */
	expect_image(&c, "v1");
	assert_int_equal(fault_server_requests(host), 3);
	near.status = 0;
	near.corrupt = true;
	assert_int_equal(get_manifest(&c, manifest_digest, &body, &e), 0);
	user_config_release(&c.user);
	disconnect(&c);

	connect_mirror(&c, name, dead);
	expect_image(&c, "v1");
	far.status = 404;
	assert_int_equal(get_manifest(&c, "v1", &body, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	user_config_release(&c.user);
	disconnect(&c);

	/* for docker.io itself: nothing beyond loopback is asked here, as the mirror has it */
	near.corrupt = false;
	connect_mirror(&c, "docker.io", with_prefix);
	expect_image(&c, "v1");
	user_config_release(&c.user);
	disconnect(&c);
	stop_play(mirror, &near);
	stop_play(host, &far);
}

static int set_up(void **state)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
	dir = mem_printf("%s/devenv-registry-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	setenv("HOME", dir, 1); /* skopeo looks there for settings */
	setenv("XDG_RUNTIME_DIR", dir, 1);
	make_layout();
	set_auth("{}");
	return 0;
}

static int tear_down(void **state)
{
	struct err e = ERR_INIT;
	int rc = file_remove_tree(AT_FDCWD, dir, &e);
	(void)state;

	free(dir);
	free(manifest);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_registry), cmocka_unit_test(password),   cmocka_unit_test(anonymous_tokens),
		cmocka_unit_test(tokens_with_login), cmocka_unit_test(short_tokens), cmocka_unit_test(bad_realms),
		cmocka_unit_test(refusals),	 cmocka_unit_test(integrity),  cmocka_unit_test(mirrors),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
