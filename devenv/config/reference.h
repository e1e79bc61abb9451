/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference.h - image references, by the grammar and defaults of the distribution project:
 * [host[:port]/]path[:tag][@digest]; no host means docker.io, a one-part path there means library/...; no tag and no
 * digest means :latest.
 */
#ifndef DEVENV_CONFIG_REFERENCE_H
#define DEVENV_CONFIG_REFERENCE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct reference {
	char *host;   /* "docker.io", "localhost:5000", "[::1]:5000" */
	char *path;   /* "library/python" */
	char *tag;    /* NULL when only a digest is given */
	char *digest; /* valid, or NULL */
};

/* ERR_USAGE with what is wrong ("repository name must be lower case"). *out untouched on failure. */
int reference_parse(const char *text, struct reference *out, struct err *e);
void reference_release(struct reference *r);
/* The full canonical text, "docker.io/library/python:3.12". malloc'ed. */
char *reference_format(const struct reference *r);
/* localhost, 127.0.0.0/8 or [::1], with or without port: may be plain http. */
bool reference_is_loopback(const struct reference *r);
/* Can it stand as the host of a reference: a name, an IPv4 address or an IPv6 one in brackets, each with or without port? */
bool reference_host_is_valid(const char *host);
/* The grammar of the path of a reference ("library/python"), and of a tag. */
bool reference_path_is_valid(const char *path);
bool reference_tag_is_valid(const char *tag);

#endif
