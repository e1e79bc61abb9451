/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_policy.h - which version of a package apt would take: the priorities of apt_preferences(5).
 *
 * Of several versions the one of the highest priority is taken, of equal ones the latest; what is below 0 never is, and only one
 * from 1000 on may be earlier than what is installed. A version has the priority of the first preference that names its package
 * and fits it, else the highest of the suites that have it: what the first preference for all packages says that fits, else 500;
 * 100 of a suite that is NotAutomatic with ButAutomaticUpgrades (backports), 1 of one that is only the former (experimental).
 * What is installed has 100.
 */
#ifndef DEVENV_SOURCE_DEBIAN_POLICY_H
#define DEVENV_SOURCE_DEBIAN_POLICY_H

#include <stddef.h>

#include "base/buf.h"
#include "source/debian_control.h"

enum { DEBIAN_PRIORITY = 500, DEBIAN_PRIORITY_INSTALLED = 100, DEBIAN_PRIORITY_NEVER = -1, DEBIAN_PRIORITY_DOWNGRADE = 1000 };
#define DEBIAN_INSTALLED (~0u) /* as a source: dpkg's status, which no suite is known of */

struct debian_origin { /* of an index: what preferences can speak of. NULL: the release does not say */
	char *archive, *codename, *origin, *label, *version, *component;
	char *site;   /* the host */
	int priority; /* without any preference */
};
void debian_origin_release(struct debian_origin *o);

enum debian_preference_kind { DEBIAN_PREFERENCE_RELEASE, DEBIAN_PREFERENCE_VERSION, DEBIAN_PREFERENCE_SITE };
struct debian_preference {
	char *package; /* a name or a pattern; NULL: of all packages */
	enum debian_preference_kind kind;
	char *value; /* a pattern of a version or of a host; of a release the words, a line each: "a=stable" */
	int priority;
};
struct debian_preferences {
	struct debian_preference *items;
	size_t count, cap;
};

/* Append what a file says. What is not understood has no effect and is told in `warnings`, by `name`: a line for each. */
void debian_preferences_parse(const char *name, struct debian_text text, struct debian_preferences *out, struct strlist *warnings);
void debian_preferences_release(struct debian_preferences *p);

struct debian_policy {
	const struct debian_preferences *preferences; /* NULL: none */
	const struct debian_origin *origins;	      /* by source number */
	size_t count;
};
/* The priority of everything in a source, so far as no preference names a package. */
int debian_policy_of_source(const struct debian_policy *p, unsigned int source);
/* The first preference that names the package and fits this version of that source, counted from 1. 0: none. */
unsigned int debian_policy_find(const struct debian_policy *p, struct debian_text name, struct debian_text version, unsigned int source);

#endif
