/* SPDX-License-Identifier: Apache-2.0 */
/* debian_archive_internal.h - what the files behind debian_archive.h use of each other. */
#ifndef DEVENV_SOURCE_DEBIAN_ARCHIVE_INTERNAL_H
#define DEVENV_SOURCE_DEBIAN_ARCHIVE_INTERNAL_H

#include "source/debian_archive.h"
#include "source/debian_release.h"
#include "source/debian_sources.h"

#define DEBIAN_KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg"

/* ---- debian_root.c: files of a root file system ---- */
int debian_root_read(const struct debian_root *r, const char *path, struct buf *out, struct err *e);
int debian_root_list(const struct debian_root *r, const char *directory, struct strlist *names, struct err *e);
bool debian_root_has(const struct debian_root *r, const char *path);
/* What apt reads below etc/apt, in its order. Lists of mirrors in files (mirror+file:) are followed to their first address. */
int debian_root_sources(const struct debian_root *r, struct debian_sources *out, struct err *e);

/* ---- debian_preferences.c ---- */
/* What apt reads of etc/apt/preferences and preferences.d, in its order. */
int debian_root_preferences(const struct debian_root *r, struct debian_preferences *out, struct strlist *warnings, struct err *e);

/* ---- debian_mirror.c: which of the sources are Debian's own ---- */
/* "stable", "testing-updates"...: a name that another release has one day. */
bool debian_mirror_is_alias(const char *suite);
/* The first part of the name: "bookworm" of "bookworm-security". malloc'ed. */
char *debian_mirror_codename(const char *suite);
bool debian_mirror_is_security(const char *suite);
/* How surely is it a mirror of Debian? 0: it is none. More: the better. `codename`: a further one to be known; may be NULL. */
int debian_mirror_rank(const struct debian_source *s, const char *codename);
/* The codename nearest to one that the archive does not have, or NULL. */
const char *debian_mirror_nearest(const char *codename);

/* ---- debian_archive.c ---- */
/* debian_archive_of_release with the configuration of apt in `host`, and no question whether it is a codename. */
int debian_archive_find(const struct debian_root *host, const struct user_config *user, const char *codename,
			const struct strlist *components, struct debian_archive *out, struct err *e);
/* Add a suite; of one that is there already the components are joined. Everything is copied. */
struct debian_suite *debian_archive_add(struct debian_archive *a, const char *uri, const char *suite, const char *keyring,
					const struct strlist *components);
/* The same of a flat archive: `directory` is below uri, "." for uri itself. */
struct debian_suite *debian_archive_add_flat(struct debian_archive *a, const char *uri, const char *directory, const char *keyring);
/* A file of a suite, as a path below its address. malloc'ed. */
char *debian_archive_path(const struct debian_suite *s, const char *file);

/* ---- debian_inrelease.c: the signed list of a suite's indexes ---- */
struct debian_inrelease {
	struct buf text; /* verified */
	struct debian_release release; /* points into it */
	bool cached;	 /* it was not asked for just now */
};
/* From the cache while it is fresh, else from the mirror; signature, suite, date and expiry checked. `force`: ask the mirror.
 * `directory`: of the cache; who fetches more holds its lock for this suite, so that of many at once one asks. */
int debian_inrelease_get(struct debian_context *c, const struct debian_suite *s, int directory, bool force,
			 struct strlist *warnings, struct debian_inrelease *out, struct err *e);
void debian_inrelease_release(struct debian_inrelease *r);
/* The name of a suite's files in the cache. malloc'ed. */
char *debian_inrelease_name(const struct debian_suite *s);

#endif
