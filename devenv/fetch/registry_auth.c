/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_auth.c - from a challenge to an Authorization header.
 *
 * Basic: the credentials themselves. Bearer: ask the token server that the challenge names (its realm) for a token of
 * this repository, with the credentials if there are any, anonymously if not. Whoever controls the registry names the
 * realm, so credentials found for this registry are all it can get; and it gets them by https, except that a plain-http
 * loopback registry may name a plain-http loopback realm (security.md 13).
 */
#include "fetch/registry_internal.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "fetch/auth.h"

/* Under ep->lock. */
static int load_credentials(struct registry_endpoint *ep, struct err *e)
{
	if (ep->credentials_had)
		return 0;
	strlist_release(&ep->looked_at);
	if (credentials_find(ep->host, ep->path, &ep->credentials, &ep->looked_at, e) < 0)
		return -1;
	ep->credentials_had = true;
	return 0;
}

static int check_realm(const struct registry_endpoint *ep, const char *realm, struct err *e)
{
	cleanup_free char *origin = realm ? http_url_origin(realm) : NULL;
	cleanup_free char *own = registry_endpoint_url(ep, "");

	if (!origin)
		return err_set(e, ERR_NETWORK, "registry %s names no usable token server: '%s'", text_safe(ep->host),
			       realm ? text_safe(realm) : "");
	if (http_url_is_https(realm))
		return 0;
	if (ep->plain && http_url_is_loopback(own) && http_url_is_loopback(realm))
		return 0;
	err_set(e, ERR_AUTH, "registry %s wants a login over plain http at '%s': refused", text_safe(ep->host),
		text_safe(origin));
	return err_hint(e, "passwords and tokens would be readable on the way; the registry's token server needs https");
}

static void add_parameter(struct buf *out, char separator, const char *name, const char *value)
{
	if (separator)
		buf_addch(out, separator);
	buf_addf(out, "%s=", name);
	auth_url_encode(value, out);
}

static char *choose_scope(const struct registry_endpoint *ep, const struct auth_challenge *c)
{
	if (!*ep->path && !c->scope)
		return mem_strdup(""); /* a login alone */
	return c->scope && *c->scope ? mem_strdup(c->scope) : mem_printf("repository:%s:pull", ep->path);
}

/* GET realm?service=...&scope=..., with Basic when there is a user. */
static void ask_by_get(const struct registry_endpoint *ep, const struct auth_challenge *c, const char *scope,
		       struct http_request *q, struct buf *url)
{
	buf_adds(url, c->realm);
	if (c->service)
		add_parameter(url, strchr(c->realm, '?') ? '&' : '?', "service", c->service);
	if (*scope)
		add_parameter(url, strchr(url->data, '?') ? '&' : '?', "scope", scope);
	q->url = url->data;
	if (ep->credentials.username)
		q->authorization = auth_basic(ep->credentials.username, ep->credentials.password);
}

/* POST with a refresh token in the body, as OAuth2 wants it. */
static void ask_by_post(const struct registry_endpoint *ep, const struct auth_challenge *c, const char *scope,
			struct http_request *q, struct buf *form)
{
	add_parameter(form, 0, "grant_type", "refresh_token");
	add_parameter(form, '&', "client_id", "devenv");
	add_parameter(form, '&', "service", c->service ? c->service : "");
	if (*scope)
		add_parameter(form, '&', "scope", scope);
	add_parameter(form, '&', "refresh_token", ep->credentials.identity_token);
	q->url = c->realm;
	q->form = form->data;
}

static void wipe(struct buf *b)
{
	if (b->cap > 0)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}

static int token_refused(struct registry_endpoint *ep, const struct auth_challenge *c,
			 const struct http_response *answer, struct err *e)
{
	cleanup_free char *host = http_url_host(c->realm);
	cleanup_buf struct buf said = BUF_INIT;
	bool login = answer->status == 400 || answer->status == 401 || answer->status == 403;

	auth_error_text(answer->body.data, answer->body.len, &said);
	return err_set(e, login ? ERR_AUTH : ERR_NETWORK, "the token server %s of registry %s refused: HTTP status %ld%s%s",
		       text_safe(host), text_safe(ep->host), answer->status, said.len ? ", " : "", said.data);
}

/* NULL on failure. */
static char *fetch_token(struct registry_endpoint *ep, struct http *h, const struct auth_challenge *c, struct err *e)
{
	cleanup_free char *scope = choose_scope(ep, c);
	struct buf text = BUF_INIT;
	struct http_response answer = { .body = BUF_INIT };
	struct http_request q = { .max_body = AUTH_BODY_MAX, .what = "token server", .insecure = ep->insecure,
				  .ca_file = ep->ca };
	char *token = NULL;

	if (ep->credentials.identity_token)
		ask_by_post(ep, c, scope, &q, &text);
	else
		ask_by_get(ep, c, scope, &q, &text);
	if (http_fetch(h, &q, &answer, e) == 0) {
		if (answer.status != 200)
			token_refused(ep, c, &answer, e);
		else
			auth_parse_token(answer.body.data, answer.body.len, &token, e);
	}
	if (q.authorization) {
		explicit_bzero((char *)(uintptr_t)q.authorization, strlen(q.authorization));
		free((char *)(uintptr_t)q.authorization);
	}
	wipe(&text);
	wipe(&answer.body);
	http_response_release(&answer);
	return token;
}

/* Under ep->lock: what to send now; NULL in *value when there is nothing to send. */
static int answer_challenge(struct registry_endpoint *ep, struct http *h, const struct auth_challenge *c, char **value,
			    struct err *e)
{
	char *token;

	if (c->scheme == AUTH_NONE)
		return err_set(e, ERR_AUTH, "registry %s asks for a kind of login other than Basic and Bearer",
			       text_safe(ep->host));
	if (load_credentials(ep, e) < 0)
		return -1;
	if (ep->credentials.registry_token) {
		*value = auth_bearer(ep->credentials.registry_token);
		return 0;
	}
	if (c->scheme == AUTH_BASIC) {
		if (ep->credentials.username)
			*value = auth_basic(ep->credentials.username, ep->credentials.password);
		return 0;
	}
	if (check_realm(ep, c->realm, e) < 0)
		return -1;
	token = fetch_token(ep, h, c, e);
	if (!token)
		return -1;
	*value = auth_bearer(token);
	explicit_bzero(token, strlen(token));
	free(token);
	return 0;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int answer_locked(struct registry_endpoint *ep, struct http *h, const char *challenge, const char *refused,
			 char **authorization, struct err *e)
{
	struct auth_challenge c = { .scheme = AUTH_NONE };
	char *value = NULL;
	int rc;

	if (ep->authorization && !same(ep->authorization, refused)) {
		*authorization = mem_strdup(ep->authorization);
		return 0;
	}
	if (auth_parse(challenge, &c, e) < 0)
		return err_wrap(e, "registry %s", text_safe(ep->host));
	rc = answer_challenge(ep, h, &c, &value, e);
	auth_challenge_release(&c);
	if (rc < 0)
		return -1;
	if (!value || same(value, refused)) {
		free(value);
		return err_set(e, ERR_AUTH, "registry %s %s", text_safe(ep->host),
			       refused ? "does not accept the user name and password that were found"
				       : "wants a login, and none was found");
	}
	free(ep->authorization);
	ep->authorization = value;
	*authorization = mem_strdup(value);
	return 0;
}

int registry_auth_answer(struct registry_endpoint *ep, struct http *h, const char *challenge, const char *refused,
			 char **authorization, struct err *e)
{
	int rc;

	pthread_mutex_lock(&ep->lock);
	rc = answer_locked(ep, h, challenge, refused, authorization, e);
	pthread_mutex_unlock(&ep->lock);
	if (rc < 0 && e->code == ERR_AUTH && !e->hint[0])
		registry_error_login_hint(ep, e);
	return rc;
}
