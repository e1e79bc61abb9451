/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_network.h - the way to an archive as apt on this machine goes it: proxies, certificate authorities, logins.
 *
 * What counts of apt.conf(5), each also for one host (Acquire::https::HOST::...), for https falling back to what http has:
 *
 *   Acquire::http::Proxy, Acquire::http::Proxy::HOST   a URL, or DIRECT; before $http_proxy and $https_proxy
 *   Acquire::https::CaInfo                             a file of authorities
 *   Acquire::https::Verify-Peer, Verify-Host           never obeyed: certificates are always checked, a failure says so
 *   Acquire::http::Proxy-Auto-Detect                   never run: it is a program; that no connection was had says so
 *
 * and of apt_auth.conf(5): auth.conf and auth.conf.d/ *.conf, as far as the caller may read them. The first entry whose
 * machine matches has the login. It is for https, unless the machine is written with http:// before it.
 */
#ifndef DEVENV_SOURCE_DEBIAN_NETWORK_H
#define DEVENV_SOURCE_DEBIAN_NETWORK_H

#include <stddef.h>

#include "fetch/http.h"

struct debian_network;

/* Ask apt-config. Where there is no apt nothing is configured. Never NULL. */
struct debian_network *debian_network_new(void);
void debian_network_free(struct debian_network *n);

/* An http_router; `data` is the network. */
void debian_network_route(void *data, const char *url, struct http_route *out);

/* For tests, and debian_network_new: what `apt-config dump --format '%F %v%n'` says, and the text of a file of logins. */
void debian_network_settings(struct debian_network *n, const char *dump, size_t len);
void debian_network_logins(struct debian_network *n, const char *text, size_t len);

#endif
