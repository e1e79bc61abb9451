/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_sources.h - apt's lists of archives as structs: the one-line format (sources.list, *.list) and deb822 (*.sources), as in
 * sources.list(5). Pure. Like apt's own reader it knows what it needs and passes over the rest; a file that apt would refuse gives
 * what could be read of it.
 */
#ifndef DEVENV_SOURCE_DEBIAN_SOURCES_H
#define DEVENV_SOURCE_DEBIAN_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "source/debian_control.h"

enum debian_trust {
	DEBIAN_SOURCE_SIGNED,
	DEBIAN_SOURCE_UNSIGNED, /* trusted=yes, allow-insecure=yes: apt takes it without a good signature */
	DEBIAN_SOURCE_NEVER,	/* trusted=no: apt does not believe even a good one */
};

struct debian_source { /* binary packages of one suite at one address */
	char *uri;   /* without slashes at the end; a scheme before it, whichever */
	char *suite; /* without a slash at the end */
	bool flat;   /* the suite was written with a slash at its end: there are no components */
	struct strlist components, architectures; /* architectures: empty for all */
	struct strlist signed_by; /* paths of keyrings and fingerprints */
	enum debian_trust trust;
	bool any_age;		  /* check-valid-until=no */
	char *key;		  /* a key written into the file itself, armoured; NULL */
};

struct debian_sources {
	struct debian_source *items;
	size_t count, cap;
	size_t bytes;  /* about what they take */
	bool too_many; /* a file says more than anybody means: it is not all here */
};

/* apt's words for yes (1) and no (0), as in apt.conf too. -1: neither. */
int debian_sources_bool(struct debian_text value);

/* Append what a file says. `name` decides the format: "*.sources" is deb822. */
void debian_sources_parse(const char *name, const char *text, size_t len, struct debian_sources *out);
void debian_sources_release(struct debian_sources *s);

#endif
