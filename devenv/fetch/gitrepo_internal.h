/* SPDX-License-Identifier: Apache-2.0 */
/* gitrepo_internal.h - what the files of gitrepo share. */
#ifndef DEVENV_FETCH_GITREPO_INTERNAL_H
#define DEVENV_FETCH_GITREPO_INTERNAL_H

#include "fetch/gitrepo.h"

struct git_remote_callbacks;
struct git_repository;

/* One conversation with a server. */
struct gitrepo_session {
	const struct gitrepo *g;
	const char *url;
	unsigned int asked; /* how often the server wanted credentials, in this connection */
	char *server;       /* the address it wanted them for: ours, rewritten by url.*.insteadOf; NULL */
	char *username, *password; /* what a helper gave, NULL */
	struct err why;            /* what our callbacks failed of; ERR_NONE */
};

/* ---- gitrepo.c ---- */
/* Start libgit2 with the settings we want; once. */
int gitrepo_begin(struct err *e);
/* Turn libgit2's last error into ours: "WHAT: why". `code`: what the call returned; `s` may be NULL. Evaluates to -1. */
int gitrepo_error(const struct gitrepo_session *s, int code, struct err *e, const char *what, const char *on);
/* Credentials, progress and Ctrl-C for a transfer. */
void gitrepo_callbacks(struct gitrepo_session *s, struct git_remote_callbacks *out);
/* The full name of a ref the server has, and where it points; ref NULL: HEAD. The name is malloc'ed. `repo` may be NULL. */
int gitrepo_find_ref(struct gitrepo_session *s, struct git_repository *repo, const char *ref, char **name,
                     char commit[GITREPO_COMMIT], struct err *e);
void gitrepo_session_release(struct gitrepo_session *s);
/* ERR_OFFLINE when that is in force. */
int gitrepo_check_online(const struct gitrepo *g, const char *url, struct err *e);

/* ---- gitrepo_auth.c ---- */
struct git_credential;
int gitrepo_credentials(struct git_credential **out, const char *url, const char *username,
                        unsigned int allowed, void *session);
/* The server took what the helpers gave: they may keep it. */
void gitrepo_approve(struct gitrepo_session *s);

#endif
