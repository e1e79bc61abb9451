/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h - image manifests and indexes (OCI image-spec 1.1; docker schema 2 manifests and manifest lists)
 * as structs, and the small manifests devenv makes for archives that have none. Pure; fuzzed.
 *
 * Refused (security rule 12): more than 4 MiB, more than 127 layers, both `layers` and `manifests`, a
 * mediaType unlike the type it was served with, duplicate keys, foreign layers (`urls`), unknown layer types,
 * schema 1, sizes that are negative or beyond 1 TiB.
 */
#ifndef DEVENV_SOURCE_MANIFEST_H
#define DEVENV_SOURCE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "layer/layer.h"

#define MANIFEST_LAYERS_MAX 127
#define MANIFEST_DEPTH_MAX  2 /* indexes on the way to a manifest */

#define MANIFEST_TYPE_INDEX  "application/vnd.oci.image.index.v1+json"
#define MANIFEST_TYPE_IMAGE  "application/vnd.oci.image.manifest.v1+json"
#define MANIFEST_TYPE_CONFIG "application/vnd.oci.image.config.v1+json"
#define MANIFEST_TYPE_LAYER  "application/vnd.oci.image.layer.v1.tar"

enum manifest_kind { MANIFEST_IMAGE, MANIFEST_INDEX };

enum manifest_child {
	MANIFEST_CHILD_IMAGE,
	MANIFEST_CHILD_INDEX,
	MANIFEST_CHILD_OTHER, /* an attestation, a signature, something unknown: not for running */
};

struct manifest_part {             /* a descriptor */
	char *media_type, *digest; /* the digest is valid */
	uint64_t size;
	enum layer_compression compression; /* of a layer */
	enum manifest_child child;          /* of a part of an index */
	char *platform;                     /* of a part of an index: "linux/arm64"; NULL: it doesn't say */
};

struct manifest {
	enum manifest_kind kind;
	struct manifest_part config; /* MANIFEST_IMAGE */
	struct manifest_part *parts; /* layers, bottom first; or an index's children */
	size_t count;
};

/* `media_type`: what it was served or described as; NULL: not known. ERR_INTEGRITY; ERR_UNSUPPORTED for
 * schema 1, foreign layers and types that mean something else. */
int manifest_parse(const char *json, size_t len, const char *media_type, struct manifest *out, struct err *e);
void manifest_release(struct manifest *m);

/*
 * "os/architecture[/variant]" in one spelling, as containerd normalizes it: x86_64 is amd64, aarch64 is
 * arm64, arm64/v8 is arm64, arm is arm/v7. `variant` may be NULL. malloc'ed; NULL when a part is empty,
 * "unknown" or no plain word.
 */
char *manifest_platform(const char *os, const char *architecture, const char *variant);

/* ---- archives of `docker save` ---- */
struct manifest_docker {       /* the one image in manifest.json */
	char *config;          /* member name */
	struct strlist layers; /* member names, bottom first */
};
/* ERR_UNSUPPORTED when it holds several images (listed). */
int manifest_docker_parse(const char *json, size_t len, struct manifest_docker *out, struct err *e);
void manifest_docker_release(struct manifest_docker *d);

/* Append the manifest for a config and layers that came without one: the same text for the same input,
 * always. Of each part media_type, digest and size are read. */
void manifest_format(const struct manifest_part *config, const struct manifest_part *layers, size_t count,
                     struct buf *out);

#endif
