/* SPDX-License-Identifier: Apache-2.0 */
/* lock_package.h - the parts of lock_package.c that lock.c and lock_conflict.c call. Internal to config/. */
#ifndef DEVENV_CONFIG_LOCK_PACKAGE_H
#define DEVENV_CONFIG_LOCK_PACKAGE_H

#include "config/ini.h"
#include "config/lock.h"

#define LOCK_PACKAGE_PREFIX "package."
#define LOCK_PACKAGES "packages"

/* [package.ARCH.NAME], whose keys are entries from `first` on. */
int lock_take_package(const char *name, const struct ini *ini, const struct ini_section *section, size_t first,
		      struct lock *l, struct err *e);
/* [packages] */
int lock_take_packages_on(const char *name, const struct ini *ini, const struct ini_section *section, size_t first,
			  struct lock *l, struct err *e);
void lock_format_packages(const struct lock *l, struct buf *out);
void lock_release_packages(struct lock *l);
/* Take over what `theirs` has; of what differs neither is kept. */
void lock_join_packages(struct lock *ours, struct lock *theirs);
/* os/architecture[/variant], as OCI spells them. lock.c */
bool lock_platform_is_valid(const char *s);

#endif
