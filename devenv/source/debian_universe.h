/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_universe.h - every version of every package that is known: what the archive offers and what a root has
 * installed. Read in place out of Packages indexes and dpkg's status file, which must stay as long as the universe.
 */
#ifndef DEVENV_SOURCE_DEBIAN_UNIVERSE_H
#define DEVENV_SOURCE_DEBIAN_UNIVERSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/debian_depends.h"
#include "source/debian_policy.h"

enum debian_priority { DEBIAN_REQUIRED, DEBIAN_IMPORTANT, DEBIAN_STANDARD, DEBIAN_OPTIONAL, DEBIAN_EXTRA };
enum debian_multi_arch { DEBIAN_MULTI_NO, DEBIAN_MULTI_SAME, DEBIAN_MULTI_FOREIGN, DEBIAN_MULTI_ALLOWED };

struct debian_package { /* one version */
	struct debian_text stanza;
	struct debian_text name, version;
	unsigned int source; /* which index, as given to debian_universe_add */
	enum debian_priority priority;
	enum debian_multi_arch multi_arch;
	bool essential; /* Essential: yes. Not what is only Protected: that may be missing, and some of it excludes each other */
	bool installed; /* from a status file: it is there already */
	bool held;	/* and is to stay as it is (apt-mark hold) */
	int policy;	/* apt's priority of it: debian_policy.h; known after sorting */
	unsigned int preference; /* the one that names it, counted from 1; 0: none */
};

struct debian_provided { /* `name` is provided by a package; by a version of its own, or none (empty) */
	struct debian_text name, version;
	size_t package;
};

struct debian_universe {
	char *arch; /* Debian's name of the architecture: "amd64" */
	struct debian_policy policy; /* to be set before sorting; empty: everything is as good */
	struct debian_package *packages; /* sorted: by name, then the latest version first, of equal ones the installed first */
	size_t count, cap;
	struct debian_provided *provided; /* sorted by name */
	size_t provided_count, provided_cap;
};

void debian_universe_init(struct debian_universe *u, const char *arch);
void debian_universe_release(struct debian_universe *u);
/* Add a Packages index. Stanzas of other architectures, or without a valid name and version, are passed over. */
void debian_universe_add(struct debian_universe *u, struct debian_text index, unsigned int source);
/* Add what a dpkg status file has as unpacked or installed. */
void debian_universe_add_installed(struct debian_universe *u, struct debian_text status);
/* After the last one, before any look-up. */
void debian_universe_sort(struct debian_universe *u);

/* The versions of a name: [first, first + result). */
size_t debian_universe_find(const struct debian_universe *u, struct debian_text name, size_t *first);
/* Who provides a name that need not be a package: [first, first + result) of u->provided. */
size_t debian_universe_providers(const struct debian_universe *u, struct debian_text name, size_t *first);

/* Is it this root's architecture that a dependency asks for ("any", "native", "all", by name or none)? No other can be had. */
bool debian_universe_is_here(const struct debian_universe *u, struct debian_text arch);
/* Is a package what a dependency asks for, by its name or as a provider (policy 7.5)? */
bool debian_universe_meets(const struct debian_universe *u, const struct debian_dependency *d, size_t package);

#endif
