/* SPDX-License-Identifier: Apache-2.0 */
/* packages_order.h - in which order dpkg can unpack packages: what one pre-depends on must be configured before it, and what it depends
 * on is better there, because scripts that run before it is unpacked use that too: half of Perl's modules break adduser. */
#ifndef DEVENV_ENV_PACKAGES_ORDER_H
#define DEVENV_ENV_PACKAGES_ORDER_H

#include <stddef.h>

#include "source/debian_control.h"

struct packages_control { /* one package to be unpacked */
	struct debian_text name, stanza; /* its control data, which must stay */
	unsigned int batch;		 /* out: packages of a batch are unpacked, then all is configured, then comes the next */
	size_t place;			 /* out: among all of them, batch by batch; what one depends on comes before it, circles apart */
};
/* Returns how many batches there are. What pre-depends in a circle goes into one. */
unsigned int packages_order(struct packages_control *all, size_t count, const char *arch);

#endif
