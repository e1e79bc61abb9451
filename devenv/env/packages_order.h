/* SPDX-License-Identifier: Apache-2.0 */
/* packages_order.h - in which order dpkg can unpack packages: what one pre-depends on must be configured before it, and what all of
 * them may use without saying so before everything. */
#ifndef DEVENV_ENV_PACKAGES_ORDER_H
#define DEVENV_ENV_PACKAGES_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "source/debian_control.h"

struct packages_control { /* one package to be unpacked */
	struct debian_text name, stanza; /* its control data, which must stay */
	bool by_dpkg;			 /* not unpacked yet (env/packages_dpkg.h) */
	bool in_system;			 /* out: essential, or needed by something that is */
	unsigned int batch;		 /* out: packages of a batch are unpacked, then all is configured, then comes the next */
};
/* Returns how many batches there are. What pre-depends in a circle goes into one. */
unsigned int packages_order(struct packages_control *all, size_t count, const char *arch);
/* Sets in_system. */
void packages_order_system(struct packages_control *all, size_t count, const char *arch);

#endif
