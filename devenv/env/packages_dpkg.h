/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_dpkg.h - what dpkg is told in the steps that install packages: scripts, in the order of Debian policy 6.6 and 7.2.
 */
#ifndef DEVENV_ENV_PACKAGES_DPKG_H
#define DEVENV_ENV_PACKAGES_DPKG_H

#include "config/lock.h"
#include "env/packages_order.h"

#define PACKAGES_DPKG_DEBS "/run/devenv-debs" /* where the scripts find the files */

/* What the file of a package is called there; malloc'ed. */
char *packages_dpkg_file(const struct lock_package *p);

/* Unpack and configure them all, on what is installed. locked[i] is of all[i]. malloc'ed. */
char *packages_dpkg_add(const struct lock_package *const *locked, struct packages_control *all, size_t count, const char *arch);

/*
 * Make a system of a tree that the packages were laid out in: those with `by_dpkg` are unpacked by dpkg, so that their preinst runs
 * and what it diverts is heeded, the others are unpacked already. As the makers of systems do, what nothing works without comes first,
 * without a look at dependencies: base-passwd before all, whose accounts files belong to. malloc'ed.
 */
char *packages_dpkg_base(const struct lock_package *const *locked, struct packages_control *all, size_t count, const char *arch);

#endif
