/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_preinst.h - what runs before a package is unpacked (Debian policy 6.6), and whether anything would miss it.
 */
#ifndef DEVENV_SOURCE_DEBIAN_PREINST_H
#define DEVENV_SOURCE_DEBIAN_PREINST_H

#include "source/debian_deb.h"

/*
 * Does the package have a preinst that may do something where the package never was? Only those say no that call nothing but
 * dpkg-maintscript-helper, which then does nothing (its manual: without an old version). When in doubt: yes.
 */
bool debian_preinst_matters(const struct deb *d);

#endif
