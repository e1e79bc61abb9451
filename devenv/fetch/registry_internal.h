/* SPDX-License-Identifier: Apache-2.0 */
/* registry_internal.h - shared by registry*.c and nobody else. */
#ifndef DEVENV_FETCH_REGISTRY_INTERNAL_H
#define DEVENV_FETCH_REGISTRY_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>

#include "fetch/credentials.h"
#include "fetch/registry.h"

/* One place that serves the repository: the host of the reference, or its mirror. */
struct registry_endpoint {
	char *host;   /* as users write it, "docker.io": for credentials and messages */
	char *server; /* whom to connect to: "registry-1.docker.io" */
	char *path;   /* the repository there, with a mirror's prefix */
	char *ca;
	bool insecure, plain; /* plain: http */
	bool may_be_plain;    /* insecure, and not yet known to speak TLS */
	bool down;	      /* a mirror that failed: not asked again */

	/* Streams ask for new tokens from their own threads. */
	pthread_mutex_t lock;
	char *authorization;  /* the last one that a challenge gave; NULL */
	bool credentials_had; /* credentials are looked up once */
	struct credentials credentials;
	struct strlist looked_at; /* where: for the message of a refused login */
};

/* The URL of something of this repository: suffix "manifests/latest". malloc'ed. */
char *registry_endpoint_url(const struct registry_endpoint *ep, const char *suffix);

/*
 * Answer a WWW-Authenticate challenge: a new header value, malloc'ed. `refused` is the value that was not accepted (NULL:
 * none was sent); when another thread has got a newer one meanwhile, that is given. ERR_AUTH when there is nothing better.
 */
int registry_auth_answer(struct registry_endpoint *ep, struct http *h, const char *challenge, const char *refused,
			 char **authorization, struct err *e);

/* An answer that is no success, as an error: `what` is what was asked for ("alpine:3", a digest). */
int registry_error(struct registry_endpoint *ep, const struct http_response *response, const char *what,
		   struct err *e);
/* Put into the hint how to log in, and what was looked at. */
void registry_error_login_hint(struct registry_endpoint *ep, struct err *e);

#endif
