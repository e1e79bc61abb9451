/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_base.h - from packages in the store to a root file system as dpkg would have unpacked it.
 *
 * Every package is unpacked once into the store, as a layer named by its sha256; the tree of a base is made of hard links
 * into those, in parallel. Then comes what packages expect to find: merged-/usr links (before all else), and dpkg's database
 * with every package "install ok unpacked", conffiles and info files (with ":arch" for Multi-Arch: same). What is left is
 * dpkg's, in a sandbox (env/packages_dpkg.h): unpacking what runs a script before it is unpacked, and configuring all.
 */
#ifndef DEVENV_SOURCE_DEBIAN_BASE_H
#define DEVENV_SOURCE_DEBIAN_BASE_H

#include "config/lock.h"
#include "store/store.h"

struct debian_base_item {
	const struct lock_package *package;
	bool files_only; /* dpkg unpacks it again: its files are laid out, so that dpkg can run, but not in dpkg's database, and where others
			    have the same it is left to dpkg to judge that */
};

/* Into the stage's fs/ and owners: the unpacked tree. `codename` decides about merged /usr. Files have the times the packages
 * gave them. progress counts packages. */
int debian_base_unpack(struct store *s, struct store_stage *stage, const char *codename,
		       const struct debian_base_item *items, size_t count,
		       void (*progress)(void *data, size_t done, size_t total), void *data, struct err *e);

#endif
