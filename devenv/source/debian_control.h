/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_control.h - control data (deb-control(5), deb822(5)): paragraphs of fields, read in place.
 *
 * Indexes are tens of megabytes, so nothing is copied: everything is a range of the caller's bytes, which must stay.
 * Any bytes are fine as input: a line that is no field is passed over.
 */
#ifndef DEVENV_SOURCE_DEBIAN_CONTROL_H
#define DEVENV_SOURCE_DEBIAN_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debian_text { /* a range of bytes, without a terminator */
	const char *at;
	size_t len;
};
#define DEBIAN_TEXT(s) ((struct debian_text){ (s), strlen(s) })

/* The next paragraph of *rest, which moves on behind it. false: there is none. */
bool debian_control_next(struct debian_text *rest, struct debian_text *paragraph);

/* The next field of *rest (at first the whole paragraph). The value has no blanks at its ends; further lines of it are kept. */
bool debian_control_each(struct debian_text *rest, struct debian_text *name, struct debian_text *value);

/* The value of the first field of that name, whatever its case. false, and an empty *value: it has none. */
bool debian_control_field(struct debian_text paragraph, const char *name, struct debian_text *value);

/* The next line of *rest, without blanks at its ends. false: there is none. For values of several lines. */
bool debian_control_line(struct debian_text *rest, struct debian_text *line);
/* The next word of *rest. false: there is none. */
bool debian_control_word(struct debian_text *rest, struct debian_text *word);

bool debian_text_is(struct debian_text t, const char *s);
int debian_text_compare(struct debian_text a, struct debian_text b); /* bytewise, as strcmp */
struct debian_text debian_text_trim(struct debian_text t);
char *debian_text_dup(struct debian_text t); /* malloc'ed */
/* Strict decimal. -1: it is not. */
int debian_text_number(struct debian_text t, uint64_t max, uint64_t *out);

/* [a-z0-9][a-z0-9+.-]+ (policy 5.6.1): may it become a file name or a section of the lock? */
bool debian_name_is_valid(struct debian_text name);

#endif
