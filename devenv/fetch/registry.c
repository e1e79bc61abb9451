/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.c - see registry.h.
 *
 * A registry has one or two endpoints that serve the repository: a mirror, if the user config names one, and the host
 * itself, asked in this order. Each keeps its own authorization. The struct is counted: open streams hold it, because
 * they may have to get a new token in the middle.
 */
#include "fetch/registry_internal.h"

#include <stdatomic.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "fetch/auth.h"

#define DOCKER_HOST "docker.io"
#define DOCKER_SERVER "registry-1.docker.io"

struct registry {
	struct http *http;
	atomic_int holders;
	struct registry_endpoint endpoints[2];
	size_t endpoint_count;
};

static const char *const accept_manifest[] = {
	"Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
	"application/vnd.docker.distribution.manifest.list.v2+json, "
	"application/vnd.docker.distribution.manifest.v2+json",
	NULL,
};
static const char *const accept_blob[] = { "Accept: */*", NULL };

char *registry_endpoint_url(const struct registry_endpoint *ep, const char *suffix)
{
	return mem_printf("%s://%s/v2/%s%s%s", ep->plain ? "http" : "https", ep->server, ep->path, *ep->path ? "/" : "",
			  suffix);
}

static void add_endpoint(struct registry *r, const struct user_config *user, const char *host, char *path /* takes */)
{
	struct registry_endpoint *ep = &r->endpoints[r->endpoint_count++];
	const struct user_registry *config = user ? user_config_registry(user, host) : NULL;
	cleanup_free char *probe = mem_printf("http://%s/", host);

	ep->host = mem_strdup(host);
	ep->server = mem_strdup(strcmp(host, DOCKER_HOST) == 0 ? DOCKER_SERVER : host);
	ep->path = path;
	ep->ca = config && config->ca ? mem_strdup(config->ca) : NULL;
	ep->insecure = config && config->insecure;
	ep->plain = http_url_is_loopback(probe) && !ep->ca;
	ep->may_be_plain = ep->insecure && !ep->plain && !ep->ca;
	pthread_mutex_init(&ep->lock, NULL);
	ep->looked_at = STRLIST_INIT;
}

/* "host[:port][/prefix]" */
static void add_mirror(struct registry *r, const struct user_config *user, const char *mirror, const char *path)
{
	size_t host_len = strcspn(mirror, "/");
	cleanup_free char *host = mem_strndup(mirror, host_len);
	const char *prefix = mirror + host_len + strspn(mirror + host_len, "/");
	size_t len = strlen(prefix);

	while (len > 0 && prefix[len - 1] == '/')
		len--;
	add_endpoint(r, user, host, len ? mem_printf("%.*s/%s", (int)len, prefix, path) : mem_strdup(path));
}

struct registry *registry_new(struct http *h, const struct user_config *user, const struct reference *ref)
{
	struct registry *r = mem_alloc(sizeof(*r));
	const struct user_registry *config = user ? user_config_registry(user, ref->host) : NULL;

	r->http = h;
	atomic_init(&r->holders, 1);
	if (config && config->mirror && *config->mirror)
		add_mirror(r, user, config->mirror, ref->path);
	add_endpoint(r, user, ref->host, mem_strdup(ref->path));
	return r;
}

static void release_endpoint(struct registry_endpoint *ep)
{
	free(ep->host);
	free(ep->server);
	free(ep->path);
	free(ep->ca);
	if (ep->authorization)
		explicit_bzero(ep->authorization, strlen(ep->authorization));
	free(ep->authorization);
	credentials_release(&ep->credentials);
	strlist_release(&ep->looked_at);
	pthread_mutex_destroy(&ep->lock);
}

void registry_free(struct registry *r)
{
	if (!r || atomic_fetch_sub(&r->holders, 1) > 1)
		return;
	for (size_t i = 0; i < r->endpoint_count; i++)
		release_endpoint(&r->endpoints[i]);
	free(r);
}

static char *current_authorization(struct registry_endpoint *ep)
{
	char *value;

	pthread_mutex_lock(&ep->lock);
	value = ep->authorization ? mem_strdup(ep->authorization) : NULL;
	pthread_mutex_unlock(&ep->lock);
	return value;
}

/* A host marked insecure may speak TLS that can't be verified, or none: that shows at the first connection. */
static bool try_plain(struct registry_endpoint *ep, const struct err *e)
{
	if (!ep->may_be_plain || e->code != ERR_NETWORK)
		return false;
	ep->may_be_plain = false;
	ep->plain = true;
	return true;
}

/* GET suffix from an endpoint, answering one challenge. */
static int get_once(struct registry *r, struct registry_endpoint *ep, const char *suffix, const char *const *headers,
		    size_t max, struct http_response *out, struct err *e)
{
	cleanup_free char *url = registry_endpoint_url(ep, suffix);
	cleanup_free char *authorization = current_authorization(ep);
	struct http_request q = { .url = url, .headers = headers, .ca_file = ep->ca, .insecure = ep->insecure,
				  .max_body = max, .what = "registry" };

	for (int challenges = 0;; challenges++) {
		char *fresh = NULL;

		q.authorization = authorization;
		if (http_fetch(r->http, &q, out, e) < 0)
			return -1;
		ep->may_be_plain = false;
		if (out->status != 401 || !out->www_authenticate || challenges == 2)
			return 0;
		if (registry_auth_answer(ep, r->http, out->www_authenticate, authorization, &fresh, e) < 0) {
			http_response_release(out);
			return -1;
		}
		free(authorization);
		authorization = fresh;
		http_response_release(out);
	}
}

static int get(struct registry *r, struct registry_endpoint *ep, const char *suffix, const char *const *headers,
	       size_t max, const char *what, struct http_response *out, struct err *e)
{
	*out = (struct http_response){ .body = BUF_INIT };
	if (get_once(r, ep, suffix, headers, max, out, e) < 0) {
		struct err plain = ERR_INIT;

		if (!try_plain(ep, e))
			return -1;
		if (get_once(r, ep, suffix, headers, max, out, &plain) < 0) {
			ep->plain = false; /* what https said is what matters */
			ep->may_be_plain = true;
			return -1;
		}
	}
	if (out->status != 200) {
		registry_error(ep, out, what, e);
		http_response_release(out);
		return -1;
	}
	return 0;
}

/* A mirror's failure is no error: the host is asked next. One that can't be reached is not asked again. */
static bool go_on(struct registry *r, size_t i, const struct err *e)
{
	if (i + 1 >= r->endpoint_count || e->code == ERR_INTERRUPTED)
		return false;
	if (e->code == ERR_NETWORK)
		r->endpoints[i].down = true;
	return true;
}

static bool tag_is_valid(const char *s)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return *s && *s != '.' && *s != '-' && strlen(s) <= 128 && strspn(s, safe) == strlen(s);
}

static int check_digest(const char *host, const char *what, const char *expected, const void *data, size_t len,
			char out[DIGEST_MAX], struct err *e)
{
	struct digest *d = digest_new(expected);

	digest_add(d, data, len);
	digest_end(d, out);
	if (expected && strcmp(expected, out) != 0)
		return err_set(e, ERR_INTEGRITY, "registry %s sends other bytes than asked for: %s has digest %s",
			       text_safe(host), text_safe(what), out);
	return 0;
}

/* The digest of a manifest by the caller's wish, or checked against what the registry says it is. */
static int manifest_digest(const struct registry_endpoint *ep, const char *wanted, const struct http_response *a,
			   char digest[DIGEST_MAX], struct err *e)
{
	char said[DIGEST_MAX];

	if (a->docker_digest && digest_is_valid(a->docker_digest) &&
	    check_digest(ep->host, "the manifest its Docker-Content-Digest describes", a->docker_digest, a->body.data,
			 a->body.len, said, e) < 0)
		return -1;
	return check_digest(ep->host, wanted ? wanted : "", wanted, a->body.data, a->body.len, digest, e);
}

static int manifest_from(struct registry *r, struct registry_endpoint *ep, const char *tag_or_digest,
			 struct http_response *answer, char digest[DIGEST_MAX], struct err *e)
{
	bool by_digest = strchr(tag_or_digest, ':') != NULL;
	cleanup_free char *suffix = mem_printf("manifests/%s", tag_or_digest);
	cleanup_free char *what = mem_printf("%s%c%s", ep->path, by_digest ? '@' : ':', tag_or_digest);

	if (get(r, ep, suffix, accept_manifest, REGISTRY_MANIFEST_MAX, what, answer, e) < 0)
		return -1;
	if (manifest_digest(ep, by_digest ? tag_or_digest : NULL, answer, digest, e) < 0) {
		http_response_release(answer);
		return -1;
	}
	return 0;
}

int registry_manifest(struct registry *r, const char *tag_or_digest, struct buf *body, char **media_type,
		      char digest[136], struct err *e)
{
	struct http_response answer;

	if (strchr(tag_or_digest, ':') ? !digest_is_valid(tag_or_digest) : !tag_is_valid(tag_or_digest))
		return err_set(e, ERR_USAGE, "'%s' is neither a tag nor a digest", text_safe(tag_or_digest));
	for (size_t i = 0; i < r->endpoint_count; i++) {
		struct registry_endpoint *ep = &r->endpoints[i];

		if (ep->down)
			continue;
		if (manifest_from(r, ep, tag_or_digest, &answer, digest, e) < 0) {
			if (go_on(r, i, e))
				continue;
			return -1;
		}
		buf_add(body, answer.body.data, answer.body.len);
		*media_type = answer.content_type ? mem_steal(answer.content_type) : mem_strdup("");
		http_response_release(&answer);
		return 0;
	}
	return err_set(e, ERR_FAILED, "no registry left to ask"); /* the host itself is never marked down */
}

static int check_blob(const char *digest, struct err *e)
{
	if (!digest_is_valid(digest))
		return err_set(e, ERR_INTEGRITY, "'%s' is not a digest", text_safe(digest));
	return 0;
}

static int blob_from(struct registry *r, struct registry_endpoint *ep, const char *digest, uint64_t size,
		     struct http_response *answer, struct err *e)
{
	cleanup_free char *suffix = mem_printf("blobs/%s", digest);
	cleanup_free char *what = mem_printf("%s@%s", ep->path, digest);
	char computed[DIGEST_MAX];

	if (get(r, ep, suffix, accept_blob, (size_t)size, what, answer, e) < 0)
		return -1;
	if (answer->body.len != size) {
		err_set(e, ERR_INTEGRITY, "registry %s sends %zu bytes of %s, expected %llu", text_safe(ep->host),
			answer->body.len, digest, (unsigned long long)size);
	} else if (check_digest(ep->host, digest, digest, answer->body.data, answer->body.len, computed, e) == 0) {
		return 0;
	}
	http_response_release(answer);
	return -1;
}

int registry_blob(struct registry *r, const char *digest, uint64_t size, struct buf *body, struct err *e)
{
	struct http_response answer;

	if (check_blob(digest, e) < 0)
		return -1;
	if (size > REGISTRY_BLOB_MAX)
		return err_set(e, ERR_INTEGRITY, "%s: %llu bytes are more than the %u allowed for a config", digest,
			       (unsigned long long)size, REGISTRY_BLOB_MAX);
	for (size_t i = 0; i < r->endpoint_count; i++) {
		if (r->endpoints[i].down)
			continue;
		if (blob_from(r, &r->endpoints[i], digest, size, &answer, e) < 0) {
			if (go_on(r, i, e))
				continue;
			return -1;
		}
		buf_add(body, answer.body.data, answer.body.len);
		http_response_release(&answer);
		return 0;
	}
	return err_set(e, ERR_FAILED, "no registry left to ask");
}

int registry_login(struct registry *r, struct err *e)
{
	struct registry_endpoint *ep = &r->endpoints[r->endpoint_count - 1];
	struct http_response answer;

	if (get(r, ep, "", accept_blob, REGISTRY_MANIFEST_MAX, "its front page", &answer, e) < 0)
		return -1;
	http_response_release(&answer);
	return 0;
}

struct registry_stream {
	struct stream stream;
	struct stream *inner;
	struct registry *registry; /* held */
};

static ssize_t stream_read(struct stream *s, void *buf, size_t n, struct err *e)
{
	struct registry_stream *rs = (struct registry_stream *)s;

	return rs->inner->read(rs->inner, buf, n, e);
}

static void stream_end(struct stream *s)
{
	struct registry_stream *rs = (struct registry_stream *)s;

	stream_close(rs->inner);
	registry_free(rs->registry);
}

/* Runs in the thread of a stream, where the registry's own http session must not be used. */
static int authorize_stream(void *data, const char *challenge, const char *refused, char **authorization,
			    struct err *e)
{
	struct http *h = http_new(NULL);
	int rc = registry_auth_answer(data, h, challenge, refused, authorization, e);

	http_free(h);
	return rc;
}

static int stream_from(struct registry *r, struct registry_endpoint *ep, const char *digest, uint64_t size,
		       struct stream **inner, struct err *e)
{
	cleanup_free char *suffix = mem_printf("blobs/%s", digest);
	cleanup_free char *what = mem_printf("%s@%s", ep->path, digest);
	cleanup_free char *authorization = current_authorization(ep);
	cleanup_free char *url = registry_endpoint_url(ep, suffix);
	struct http_response refusal = { .body = BUF_INIT };
	struct http_request q = { .url = url, .headers = accept_blob, .authorization = authorization,
				  .ca_file = ep->ca, .insecure = ep->insecure, .what = "registry",
				  .authorize = authorize_stream, .authorize_data = ep, .refusal = &refusal };
	int rc = http_stream(r->http, &q, size, 0, inner, e);

	ep->may_be_plain = ep->may_be_plain && rc < 0 && refusal.status == 0;
	if (rc < 0 && refusal.status >= 300)
		registry_error(ep, &refusal, what, e);
	http_response_release(&refusal);
	return rc;
}

int registry_blob_stream(struct registry *r, const char *digest, uint64_t size, struct stream **out, struct err *e)
{
	struct stream *inner = NULL;
	struct registry_stream *rs;

	if (check_blob(digest, e) < 0)
		return -1;
	for (size_t i = 0; i < r->endpoint_count && !inner; i++) {
		struct registry_endpoint *ep = &r->endpoints[i];

		if (ep->down || stream_from(r, ep, digest, size, &inner, e) == 0)
			continue;
		if (try_plain(ep, e) && stream_from(r, ep, digest, size, &inner, e) == 0)
			continue;
		if (!go_on(r, i, e))
			return -1;
	}
	if (!inner)
		return err_set(e, ERR_FAILED, "no registry left to ask");
	rs = mem_alloc(sizeof(*rs));
	rs->stream = (struct stream){ .read = stream_read, .close = stream_end };
	rs->inner = inner;
	rs->registry = r;
	atomic_fetch_add(&r->holders, 1);
	*out = &rs->stream;
	return 0;
}
