/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.h - the texts of HTTP authentication: WWW-Authenticate (RFC 9110, 11.6.1), Basic (RFC 7617), the token answer
 * of the distribution project's token specification and its error bodies. Pure: no network, no file.
 */
#ifndef DEVENV_FETCH_AUTH_H
#define DEVENV_FETCH_AUTH_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define AUTH_BODY_MAX (1u << 20) /* token and error bodies; security rule 12 */

enum auth_scheme { AUTH_NONE, AUTH_BASIC, AUTH_BEARER };

struct auth_challenge {
	enum auth_scheme scheme;
	char *realm, *service, *scope; /* NULL when absent */
};

/*
 * Read a WWW-Authenticate value, or several joined by commas. The best challenge wins: Bearer, then Basic; when neither
 * is offered scheme is AUTH_NONE. Malformed text is ERR_NETWORK. *out is untouched on failure.
 */
int auth_parse(const char *header, struct auth_challenge *out, struct err *e);
void auth_challenge_release(struct auth_challenge *c);

/* The "token" or "access_token" of a token server's answer; malloc'ed and fit to stand in a header. ERR_NETWORK. */
int auth_parse_token(const char *json, size_t len, char **token, struct err *e);
/* Is this text fit to stand in an Authorization header? Visible ASCII, not empty. */
int auth_token_is_valid(const char *token);

/* "Basic <base64 of user:password>"; malloc'ed. */
char *auth_basic(const char *user, const char *password);
/* "Bearer <token>"; malloc'ed. */
char *auth_bearer(const char *token);

/* Append what a registry's error body says ("DENIED: requested access to the resource is denied"), escaped and short.
 * Appends nothing when the body is not such JSON. */
void auth_error_text(const char *json, size_t len, struct buf *out);

/* Standard base64 with or without padding. 0, or -1 when malformed (out may have grown). */
int auth_base64_decode(const char *text, struct buf *out);
void auth_base64_encode(const void *data, size_t len, struct buf *out);
/* Percent-encode everything but RFC 3986's unreserved characters. */
void auth_url_encode(const char *text, struct buf *out);

#endif
