/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_archive.h - where Debian packages come from, and the chain of trust to every one of them (security rule 16):
 *
 *   keyring -> InRelease (gpgv; only its verified output is read) -> Packages by hash -> size and sha256 of a package
 *
 * An archive without InRelease has a Release and its signature Release.gpg. Nothing unsigned is ever taken, whatever a source says
 * of being trusted.
 *
 * An archive is a list of suites. Its addresses are the user's: [debian] mirror of the user's configuration, else what
 * apt on this machine uses (one-line and deb822 files, with their signed-by); the code has none.
 * Indexes are kept in $XDG_CACHE_HOME/devenv/debian, by content, and can always be deleted.
 */
#ifndef DEVENV_SOURCE_DEBIAN_ARCHIVE_H
#define DEVENV_SOURCE_DEBIAN_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/user.h"
#include "fetch/http.h"
#include "source/debian_universe.h"

struct debian_suite { /* one dists/SUITE of one server */
	char *uri;	 /* without a slash at the end */
	char *suite;	 /* "bookworm", "bookworm-security"; of a flat one the directory, or "flat" */
	char *directory; /* below uri, where its InRelease is: "dists/bookworm"; of a flat one any, or "." */
	bool flat;	 /* it has no components: one Packages beside its InRelease */
	bool foreign;	 /* an image names it, and it is somebody's packages for a distribution: it need not have everything */
	bool any_age;	 /* its source says that Valid-Until is no matter */
	struct strlist fingerprints; /* of the keyring's keys those that may sign it; empty: all */
	char *keyring; /* files of keys, one a line: signed-by, the distribution's own */
	char *site;    /* the host that an image's sources name, where it is another than that of uri; else NULL */
	struct strlist components;
	struct strlist architectures; /* the only ones it is for; empty: all */
};

struct debian_archive {
	struct debian_suite *suites; /* the release, its updates, its security: the source numbers of a universe */
	size_t count, cap;
	struct debian_preferences preferences; /* of an image's apt; the host's don't count for a release */
	struct strlist warnings; /* what of an image's sources and preferences is left out, and why */
};

/* A root file system to read files of (etc/apt, usr/share/keyrings, var/lib/dpkg) with its own links resolved in it. The host's
 * is AT_FDCWD-like: fd of "/". */
struct debian_root {
	int fd;
	/* Read a file of it; ERR_NOT_FOUND when missing. NULL: openat2 with RESOLVE_IN_ROOT below fd. */
	int (*read)(void *data, const char *path, struct buf *out, struct err *e);
	int (*list)(void *data, const char *directory, struct strlist *names, struct err *e);
	void *data;
};

/*
 * The archive of a Debian release. `codename`: bullseye, bookworm, trixie, sid...; aliases (stable, testing) are
 * ERR_CONFIG with the codename to write. Security and updates suites are included where the release has them.
 * ERR_NOT_FOUND: this machine says no mirror, with the lines for the user's configuration as hint; or no keyring, with the
 * package that has it.
 */
int debian_archive_of_release(const struct user_config *user, const char *codename, const struct strlist *components,
			      struct debian_archive *out, struct err *e);
/* The archive an image is set up for: its own etc/apt sources and keyrings (extracted into `directory` for gpgv). The user's
 * [debian] mirror replaces the address of what is of Debian itself. ERR_UNSUPPORTED: not of the Debian family (apk, dnf named). */
int debian_archive_of_root(const struct user_config *user, const struct debian_root *root, const char *directory,
			   struct debian_archive *out, struct err *e);
void debian_archive_release(struct debian_archive *a);

struct debian_indexes { /* mapped Packages files: what a universe points into */
	struct debian_text *texts;
	unsigned int *sources; /* which suite each is of */
	struct debian_origin *origins; /* and what its release says of it */
	size_t count, cap;
	bool cached; /* some release was not asked for just now */
	struct strlist warnings; /* such as an expired Valid-Until that was let through */
};
struct debian_context {
	const struct user_config *user;
	struct http *http;
	const char *cache;  /* $XDG_CACHE_HOME/devenv: the indexes are in debian/ of it */
	bool offline;
	bool ignore_expiry; /* Valid-Until may be over: a warning. The user's configuration can say so too */
	void (*notice)(void *data, const char *line);	 /* "reading the index of bookworm-security (1.2MB)"; of the pool "fetching 3 packages (1.2MB, 70GB free)" */
	void (*progress)(void *data, const char *what, uint64_t done, uint64_t total);
	void *data;
};
/*
 * Verified Packages of every suite and component for an architecture ("amd64"). An answer younger than an hour is not asked
 * for again unless `again`. ERR_INTEGRITY: signature, hash, expiry, or a release older than the one seen before
 * (a downgrade) - each with the remedy.
 */
int debian_indexes_read(struct debian_context *c, const struct debian_archive *a, const char *arch, bool again,
			struct debian_indexes *out, struct err *e);
void debian_indexes_release(struct debian_indexes *i);

/* The same suites with the components that they have and that are not used: none where nothing can be known. For debian_archive_release. */
void debian_archive_other_components(struct debian_context *c, const struct debian_archive *a, struct debian_archive *out);

/* After ERR_CONFIG for an alias: ask the archive what it means today, for the hint of *e. Without an answer it stays as it is. */
void debian_archive_name_alias(struct debian_context *c, const char *alias, struct err *e);

/* "linux/amd64" -> "amd64", "linux/arm/v7" -> "armhf"; NULL: Debian has no such port. */
const char *debian_arch(const char *platform);

#endif
