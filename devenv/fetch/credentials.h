/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h - what the user's other tools know about logging in to a registry; only ever read.
 *
 * Where, in this order: $REGISTRY_AUTH_FILE alone when it is set; otherwise $XDG_RUNTIME_DIR/containers/auth.json (or
 * /run/containers/UID/auth.json), $XDG_CONFIG_HOME/containers/auth.json, $DOCKER_CONFIG/config.json (or
 * ~/.docker/config.json). In each file as containers-auth.json(5) says: a credential helper named for the host; the
 * entry for the longest part of host/path; the host; then the file's general helper (credsStore). docker.io is also
 * known as https://index.docker.io/v1/.
 */
#ifndef DEVENV_FETCH_CREDENTIALS_H
#define DEVENV_FETCH_CREDENTIALS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct credentials {
	char *username, *password; /* both or neither */
	char *identity_token;	   /* an OAuth2 refresh token, or NULL */
	char *registry_token;	   /* a bearer token to be used as it is, or NULL */
};

/*
 * Look for credentials for a repository: host as in a reference ("docker.io", "localhost:5000"), path "library/python".
 * Returns 1 when found, 0 when there are none, -1 on error (ERR_CONFIG: a file that can't be read or is not what it
 * should be). `looked_at` (may be NULL) receives the names of the files and helpers asked, for messages.
 */
int credentials_find(const char *host, const char *path, struct credentials *out, struct strlist *looked_at,
		     struct err *e);
void credentials_release(struct credentials *c);
/* Append the hosts that those files name, each once: those of entries, and those with a helper of their own. What a general
 * helper knows is not asked for, and a file that can't be read names none. */
void credentials_hosts(struct strlist *hosts);

/*
 * The pure part: what the text of one such file says. Returns 1 with *out filled, 0 with nothing; in both cases
 * *helper (malloc'ed) may name a program docker-credential-<helper> to ask: instead of *out when nothing was found.
 * A helper for this very host goes before entries (then 0 is returned).
 */
int credentials_parse(const char *name, const char *json, size_t len, const char *host, const char *path,
		      struct credentials *out, char **helper, struct err *e);
/* The answer of a helper program. ERR_CONFIG when malformed. */
int credentials_parse_helper(const char *helper, const char *json, size_t len, struct credentials *out,
			     struct err *e);

#endif
