/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_order.h - in which order dpkg can unpack packages: what all of them may use without saying so before everything; what one
 * pre-depends on configured before it; and what it depends on better there, because scripts that run before it is unpacked use
 * that too: half of Perl's modules break adduser.
 */
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
	size_t place;			 /* out: among all of them, batch by batch; what one depends on comes before it, circles apart */
};
/* Returns how many batches there are. What pre-depends in a circle goes into one. */
unsigned int packages_order(struct packages_control *all, size_t count, const char *arch);
/* Sets in_system. */
void packages_order_system(struct packages_control *all, size_t count, const char *arch);

#endif
