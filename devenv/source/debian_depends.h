/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_depends.h - relationship fields (Debian policy 7): "a (>= 1) | b:any, c [amd64]". Ranges of the caller's bytes.
 */
#ifndef DEVENV_SOURCE_DEBIAN_DEPENDS_H
#define DEVENV_SOURCE_DEBIAN_DEPENDS_H

#include <stdbool.h>

#include "source/debian_control.h"

enum debian_relation {
	DEBIAN_ANY, /* no version asked for */
	DEBIAN_EARLIER, DEBIAN_EARLIER_EQUAL, DEBIAN_EQUAL, DEBIAN_LATER_EQUAL, DEBIAN_LATER,
};

struct debian_dependency { /* one alternative */
	struct debian_text name, arch; /* arch: what followed a colon, such as "any"; else empty */
	enum debian_relation relation;
	struct debian_text version;
};

/* The next group of alternatives of a field; groups are joined by commas. false: there is none. */
bool debian_depends_group(struct debian_text *rest, struct debian_text *group);
/* The next alternative of a group that means anything on `arch` (architecture lists are honoured, build profiles
 * skipped). What can't be parsed is passed over, so that a group of nothing else can't be satisfied. */
bool debian_depends_next(struct debian_text *rest, const char *arch, struct debian_dependency *out);

/* Does this version meet the relation? */
bool debian_depends_allows(const struct debian_dependency *d, struct debian_text version);

#endif
