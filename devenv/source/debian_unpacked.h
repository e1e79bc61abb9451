/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_unpacked.h - one package, unpacked in the store: layers/<sha256 of the .deb>/
 *
 *   fs/ owners meta   as of any layer
 *   info/             what dpkg keeps of the package: "list", "md5sums", "postinst"..., with their modes; all have the time the
 *                     package was built at
 *   status            its paragraph for dpkg's status file, "install ok unpacked", with the conffiles and their md5 sums
 *
 * All files of a base are hard links to these, so nothing may ever write into one: a file is replaced, not changed.
 */
#ifndef DEVENV_SOURCE_DEBIAN_UNPACKED_H
#define DEVENV_SOURCE_DEBIAN_UNPACKED_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "base/digest.h"
#include "config/lock.h"
#include "layer/owners.h"
#include "source/debian_control.h"
#include "store/store.h"

struct unpacked_entry { /* a name in fs/; directories come before what is in them, names are sorted */
	char *name;
	size_t parent; /* index of the directory it is in; UNPACKED_ROOT */
	mode_t mode;   /* with the type */
	struct timespec mtime;
	char *link; /* target of a symbolic link, else NULL */
};
#define UNPACKED_ROOT ((size_t)-1)

struct unpacked {
	const struct lock_package *package;
	char id[DIGEST_MAX]; /* of the layer */
	int fd, fs_fd; /* of the layer's directory and of its fs, O_PATH; -1: not opened yet */
	struct unpacked_entry *entries;
	size_t count, cap;
	mode_t root_mode;
	struct timespec root_mtime;
	struct owners owners;
	struct buf status;
	struct strlist info; /* names in info/ */
	int64_t time;	     /* when the package was built */
	bool multi_arch_same;
	bool files_only;     /* of a base: dpkg will unpack it, and know of it only then */
	struct strlist lost; /* "/usr/bin/x": files that another package has replaced */
};

/* Make the layer in the stage's directory <hex of the id>/ out of the .deb in the store. */
int unpacked_make(struct store *s, struct store_stage *stage, struct unpacked *u, struct err *e);
/* Read everything about one that is in the store. */
int unpacked_load(struct store *s, struct unpacked *u, struct err *e);
void unpacked_release(struct unpacked *u);

/* Append "a/b/c" of an entry. */
void unpacked_path(const struct unpacked *u, size_t entry, struct buf *out);
/* A field of its control data. false: there is none. */
bool unpacked_field(const struct unpacked *u, const char *field, struct debian_text *value);
/* Append what dpkg calls it: "libc6:amd64", "bash". */
void unpacked_dpkg_name(const struct unpacked *u, struct buf *out);

#endif
