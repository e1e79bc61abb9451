/* SPDX-License-Identifier: Apache-2.0 */
/* origin.c - see origin.h. */
#include "source/origin.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int origin_open(struct oci_context *c, const struct oci_source *src, struct origin **out, struct err *e)
{
	switch (src->kind) {
	case OCI_REGISTRY:
		if (c->offline) {
			err_set_(e, ERR_OFFLINE,
			         "the image %s is not in the store, and --offline forbids fetching it",
			         text_safe(src->request ? src->request : src->location));
			return err_hint(e, "run `devenv pull` once with the network");
		}
		return oci_registry_open(c, src->location, out, e);
	case OCI_LAYOUT:
		return oci_layout_open(src, out, e);
	case OCI_ARCHIVE:
		return oci_archive_open(c, src, out, e);
	}
	return err_set(e, ERR_FAILED, "unknown kind of image source: %d", (int)src->kind);
}

void origin_close(struct origin *o)
{
	if (o)
		o->close(o);
}

int origin_verify(const char *what, const struct buf *body, const char *digest, struct err *e)
{
	char actual[DIGEST_MAX];
	struct digest *d = digest_new(digest);

	digest_add(d, body->data, body->len);
	digest_end(d, actual);
	if (strcmp(actual, digest) != 0)
		return err_set(e, ERR_INTEGRITY, "the %s has the digest %s, not %s", what, actual, digest);
	return 0;
}
