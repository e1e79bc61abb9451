/* SPDX-License-Identifier: Apache-2.0 */
/* listing.h - what a compressed tar has and whom it belongs to, without unpacking it. */
#ifndef DEVENV_LAYER_LISTING_H
#define DEVENV_LAYER_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/stream.h"
#include "layer/layer.h"

struct layer_member {
	const char *path; /* clean and relative as layer/name.h has it; "." is the root. Only there during the call */
	bool directory;
	uint64_t uid, gid;
};
typedef void layer_member_seen(void *data, const struct layer_member *m);

/* In the order of the archive. `spec` says what is known of the stream, as for layer_apply; nothing is below. `progress` may be NULL, and
 * cancel it. ERR_INTEGRITY: damaged. */
int layer_each_member(const struct layer_spec *spec, struct stream *in, layer_member_seen *seen, layer_progress *progress, void *data,
		      struct err *e);

#endif
