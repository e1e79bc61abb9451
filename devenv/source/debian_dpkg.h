/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_dpkg.h - dpkg's database in a base (/var/lib/dpkg), with every package unpacked but those of files_only, and none configured.
 *
 *   status                       a paragraph for each package
 *   info/NAME[:ARCH].*, format   scripts, lists, sums: hard links to those of the packages' layers
 *   triggers/File, NAME          who is interested in what: dpkg writes that down when it unpacks
 *   diversions, arch
 */
#ifndef DEVENV_SOURCE_DEBIAN_DPKG_H
#define DEVENV_SOURCE_DEBIAN_DPKG_H

#include "source/debian_unpacked.h"

/* packages are sorted by name. New files have the time `time`; directories are the caller's tree's. */
int debian_dpkg_write(int fs_fd, struct unpacked *packages, size_t count, int64_t time, struct err *e);

#endif
