/* SPDX-License-Identifier: Apache-2.0 */
/* debian_parallel.h - the same thing done to many packages by as many threads as there are processors. */
#ifndef DEVENV_SOURCE_DEBIAN_PARALLEL_H
#define DEVENV_SOURCE_DEBIAN_PARALLEL_H

#include <stddef.h>

#include "base/err.h"

/* Call one(data, i, e) for 0 <= i < count, in about that order, and wait for all. The first failure ends it and is the result. */
int debian_parallel(size_t count, int (*one)(void *data, size_t i, struct err *e), void *data, struct err *e);

#endif
