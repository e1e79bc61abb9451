/* SPDX-License-Identifier: Apache-2.0 */
/* debian_version.h - Debian version numbers: [epoch:]upstream[-revision], ordered as in Debian policy 5.6.12. */
#ifndef DEVENV_SOURCE_DEBIAN_VERSION_H
#define DEVENV_SOURCE_DEBIAN_VERSION_H

#include <stdbool.h>

#include "source/debian_control.h"

/* < 0, 0, > 0. Any bytes can be compared; an epoch that is no number counts as part of the upstream version. */
int debian_version_compare(struct debian_text a, struct debian_text b);

/* Letters, digits and . + - ~ :, beginning with a digit: may it become part of a lock, a message or a command line? */
bool debian_version_is_valid(struct debian_text v);

#endif
