/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_fetch.h - files of an archive, from a server or a directory, whole and checked. An address is http:, https: or file:, and
 * has no slash at its end; a path below it is encoded here.
 */
#ifndef DEVENV_SOURCE_DEBIAN_FETCH_H
#define DEVENV_SOURCE_DEBIAN_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "fetch/http.h"

/* ADDRESS/PATH as a URL: apt's rules, so that mirrors that read + as a blank get the right file. malloc'ed. */
char *debian_fetch_url(const char *address, const char *path);
/* Can we fetch from there? Not where a name and password are in the address: those would be shown. */
bool debian_fetch_knows(const char *address);
/* For messages: the host, or the directory. malloc'ed. */
char *debian_fetch_place(const char *address);
/* The host as apt's preferences name it: without a port; empty of a directory. malloc'ed. */
char *debian_fetch_site(const char *address);

/* A small file of unknown size, checked by its reader. ERR_NOT_FOUND: it isn't there. */
int debian_fetch_text(struct http *http, const char *url, size_t max, struct buf *out, struct err *e);

struct debian_fetch {
	struct http *http;
	const char *url;
	const char *sha256; /* 64 hex digits */
	uint64_t size;
	/* Bytes that came since the last call; may be NULL. */
	void (*came)(void *data, uint64_t bytes);
	void *data;
};
/* Into `fd`, from its beginning. ERR_INTEGRITY: another size or hash; both are in the message. ERR_NOT_FOUND: it isn't there. */
int debian_fetch_file(const struct debian_fetch *f, int fd, struct err *e);

#endif
