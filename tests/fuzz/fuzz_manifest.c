/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_manifest.c - every reader of JSON from an image, on the same bytes: manifest or index, config, and the
 * list of `docker save`. What a manifest promises is checked where it was accepted.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "source/document.h"
#include "source/manifest.h"
#include "source/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

static void check_manifest(const struct manifest *m)
{
	if (m->kind == MANIFEST_IMAGE) {
		require(m->count <= MANIFEST_LAYERS_MAX);
		require(digest_is_valid(m->config.digest) && m->config.size <= DOCUMENT_MAX);
	}
	for (size_t i = 0; i < m->count; i++) {
		const struct manifest_part *part = &m->parts[i];

		require(digest_is_valid(part->digest) && part->media_type && part->size <= 1ULL << 40);
		require(!part->platform || !strpbrk(part->platform, " \n\t=[]\\"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { NULL, MANIFEST_TYPE_IMAGE, MANIFEST_TYPE_INDEX };
	const char *text = (const char *)data;
	struct manifest_docker docker;
	struct oci_config config;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct manifest m;

		if (manifest_parse(text, size, types[i], &m, &e) == 0) {
			check_manifest(&m);
			manifest_release(&m);
		} else {
			require(e.code != ERR_NONE && e.msg[0]);
		}
	}
	if (oci_config_parse(text, size, &config, &e) == 0) {
		require(config.diff_ids.count <= MANIFEST_LAYERS_MAX);
		require(config.user && config.workdir && config.stop_signal && config.architecture &&
		        config.os);
		require(!config.workdir[0] || config.workdir[0] == '/');
		oci_config_release(&config);
	}
	if (manifest_docker_parse(text, size, &docker, &e) == 0) {
		require(docker.config);
		manifest_docker_release(&docker);
	}
	return 0;
}
