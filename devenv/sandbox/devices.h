/* SPDX-License-Identifier: Apache-2.0 */
/* devices.h - granted devices of the host, and the session's ssh agent. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_DEVICES_H
#define DEVENV_SANDBOX_DEVICES_H

#include "base/err.h"
#include "plan/plan.h"

/* In a new /dev: bind the nodes that the plan grants. A node that is gone by now is left out. */
int devices_bind(const struct plan *p, struct err *e);

/*
 * The ssh agent of this session. Before the namespaces: a detached mount of the socket that SSH_AUTH_SOCK names, -1
 * where the plan grants none or there is none; *why (may stay NULL) receives a line about that. In them, with their capabilities:
 * mount it where the plan says; returns that path, or NULL.
 */
int devices_open_agent(const struct plan *p, char **why);
const char *devices_attach_agent(const struct plan *p, int fd);

#endif
