/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_release.h - what a Release file says, once its signature is known to be good: of which suite it is, from when, and
 * the size and sha256 of every index. Only SHA256 counts; files whose entry is malformed are not there. Pure.
 */
#ifndef DEVENV_SOURCE_DEBIAN_RELEASE_H
#define DEVENV_SOURCE_DEBIAN_RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "source/debian_control.h"

struct debian_release {
	struct debian_text suite, codename, label, origin, version; /* ranges of the text that was parsed; empty when absent */
	bool not_automatic, automatic_upgrades; /* NotAutomatic: yes, ButAutomaticUpgrades: yes */
	int64_t date, valid_until; /* seconds since 1970; 0: not said */
	bool by_hash;		   /* Acquire-By-Hash: yes */
	bool all_apart;		   /* packages for every architecture have an index of their own */
	struct strlist components, architectures;
	struct debian_text files; /* of SHA256 */
};

struct debian_index_file {
	char sha256[65];
	uint64_t size;
};

/* `text` must stay. ERR_INTEGRITY: no date, or no list of hashes. */
int debian_release_parse(struct debian_text text, struct debian_release *out, struct err *e);
void debian_release_release(struct debian_release *r);
/* The entry of a path below dists/SUITE. */
bool debian_release_find(const struct debian_release *r, const char *path, struct debian_index_file *out);
/* Is it the release of this suite, and no other that the same keys sign? */
bool debian_release_is_of(const struct debian_release *r, const char *suite);

/* "Sat, 12 Sep 2026 07:55:41 UTC" -> seconds since 1970. -1: it is no such date. */
int64_t debian_release_time(struct debian_text value);

#endif
