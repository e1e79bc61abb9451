/* SPDX-License-Identifier: Apache-2.0 */
/* test_source_manifest.c - manifests, indexes, platforms and `docker save` lists: what is read and what is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "source/document.h"
#include "source/manifest.h"

#define HEX               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST            "\"digest\":\"sha256:" HEX "\""
#define CONFIG            "\"config\":{\"mediaType\":\"" MANIFEST_TYPE_CONFIG "\"," DIGEST ",\"size\":10}"
#define LAYER(type, size) "{\"mediaType\":\"" type "\"," DIGEST ",\"size\":" size "}"
#define GZIP              "application/vnd.oci.image.layer.v1.tar+gzip"
#define IMAGE(layers)     "{\"schemaVersion\":2," CONFIG ",\"layers\":[" layers "]}"
#define DOCKER_IMAGE      "application/vnd.docker.distribution.manifest.v2+json"

static int parse(const char *json, const char *type, struct manifest *m, struct err *e)
{
	*e = ERR_INIT;
	return manifest_parse(json, strlen(json), type, m, e);
}

static void test_image(void **state)
{
	static const struct {
		const char *type;
		enum layer_compression compression;
	} types[] = {
		{ MANIFEST_TYPE_LAYER, LAYER_PLAIN },
		{ MANIFEST_TYPE_LAYER "+gzip", LAYER_GZIP },
		{ MANIFEST_TYPE_LAYER "+zstd", LAYER_ZSTD },
		{ "application/vnd.docker.image.rootfs.diff.tar", LAYER_PLAIN },
		{ "application/vnd.docker.image.rootfs.diff.tar.gzip", LAYER_GZIP },
	};
	struct buf text = BUF_INIT;
	struct manifest m;
	struct err e;

	(void)state;
	buf_adds(&text, "{\"schemaVersion\":2," CONFIG ",\"layers\":[");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		buf_addf(&text, "%s{\"mediaType\":\"%s\"," DIGEST ",\"size\":%zu,\"urls\":[]}", i ? "," : "",
		         types[i].type, i + 5);
	buf_adds(&text, "]}");
	assert_int_equal(parse(text.data, MANIFEST_TYPE_IMAGE, &m, &e), 0);
	assert_int_equal(m.kind, MANIFEST_IMAGE);
	assert_string_equal(m.config.digest, "sha256:" HEX);
	assert_int_equal(m.config.size, 10);
	assert_int_equal(m.count, ARRAY_SIZE(types));
	for (size_t i = 0; i < m.count; i++) {
		assert_int_equal(m.parts[i].compression, types[i].compression);
		assert_int_equal(m.parts[i].size, i + 5);
	}
	manifest_release(&m);
	manifest_release(&m);
	assert_int_equal(parse(text.data, DOCKER_IMAGE, &m, &e),
	                 0); /* no mediaType inside: what was served counts */
	manifest_release(&m);
	assert_int_equal(parse(text.data, NULL, &m, &e), 0);
	manifest_release(&m);
	buf_release(&text);
}

static void test_index(void **state)
{
	static const char json[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE_INDEX "\",\"manifests\":["
		"{\"mediaType\":\"" MANIFEST_TYPE_IMAGE "\"," DIGEST
		",\"size\":1,\"platform\":{\"os\":\"linux\","
		"\"architecture\":\"arm64\",\"variant\":\"v8\"}},"
		"{\"mediaType\":\"" MANIFEST_TYPE_IMAGE "\"," DIGEST
		",\"size\":1,\"platform\":{\"os\":\"unknown\","
		"\"architecture\":\"unknown\"},\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}},"
		"{\"mediaType\":\"" DOCKER_IMAGE "\"," DIGEST ",\"size\":1},"
		"{\"mediaType\":\"" MANIFEST_TYPE_INDEX "\"," DIGEST ",\"size\":1},"
		"{\"mediaType\":\"application/vnd.example.thing\"," DIGEST ",\"size\":1}]}";
	struct manifest m;
	struct err e;

	(void)state;
	assert_int_equal(parse(json, MANIFEST_TYPE_INDEX, &m, &e), 0);
	assert_int_equal(m.kind, MANIFEST_INDEX);
	assert_int_equal(m.count, 5);
	assert_string_equal(m.parts[0].platform, "linux/arm64");
	assert_int_equal(m.parts[0].child, MANIFEST_CHILD_IMAGE);
	assert_int_equal(m.parts[1].child, MANIFEST_CHILD_OTHER);
	assert_int_equal(m.parts[2].child, MANIFEST_CHILD_IMAGE);
	assert_null(m.parts[2].platform);
	assert_int_equal(m.parts[3].child, MANIFEST_CHILD_INDEX);
	assert_int_equal(m.parts[4].child, MANIFEST_CHILD_OTHER);
	manifest_release(&m);
}

static void test_refused(void **state)
{
	static const struct {
		const char *json, *type;
		enum err_code code;
		const char *says;
	} cases[] = {
		{ "", NULL, ERR_INTEGRITY, "JSON" },
		{ "[]", NULL, ERR_INTEGRITY, "not a JSON object" },
		{ IMAGE("") " x", NULL, ERR_INTEGRITY, "JSON" },
		{ "{\"schemaVersion\":2,\"schemaVersion\":2," CONFIG ",\"layers\":[]}", NULL, ERR_INTEGRITY,
		  "duplicate" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"manifests\":[]}", NULL, ERR_INTEGRITY,
		  "both" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"manifests\":[]}", MANIFEST_TYPE_IMAGE,
		  ERR_INTEGRITY, "both" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE_INDEX "\"," CONFIG ",\"layers\":[]}",
		  MANIFEST_TYPE_IMAGE, ERR_INTEGRITY, "was served as" },
		{ IMAGE(""), MANIFEST_TYPE_INDEX, ERR_INTEGRITY, "no 'manifests'" },
		{ "{\"schemaVersion\":2,\"manifests\":[]}", MANIFEST_TYPE_IMAGE, ERR_INTEGRITY,
		  "no 'layers'" },
		{ IMAGE(""), "application/json", ERR_UNSUPPORTED, "application/json" },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", NULL, ERR_UNSUPPORTED, "schema 1" },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}",
		  "application/vnd.docker.distribution.manifest.v1+prettyjws", ERR_UNSUPPORTED, "schema 1" },
		{ "{" CONFIG ",\"layers\":[]}", NULL, ERR_INTEGRITY, "schemaVersion" },
		{ IMAGE(LAYER(GZIP, "-1")), NULL, ERR_INTEGRITY, "size of layer 1" },
		{ IMAGE(LAYER(GZIP, "1") "," LAYER(GZIP, "1099511627777")), NULL, ERR_INTEGRITY,
		  "size of layer 2" },
		{ IMAGE(LAYER(GZIP, "1.5")), NULL, ERR_INTEGRITY, "size of layer 1" },
		{ IMAGE(LAYER(GZIP, "\"1\"")), NULL, ERR_INTEGRITY, "size of layer 1" },
		{ IMAGE(LAYER(GZIP, "99999999999999999999")), NULL, ERR_INTEGRITY, "JSON" },
		{ IMAGE(LAYER(GZIP "+encrypted", "1")), NULL, ERR_UNSUPPORTED, "+encrypted" },
		{ IMAGE(LAYER("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "1")), NULL,
		  ERR_UNSUPPORTED, "foreign" },
		{ IMAGE("{\"mediaType\":\"" GZIP "\"," DIGEST
		        ",\"size\":1,\"urls\":[\"https://example.org\"]}"),
		  NULL, ERR_UNSUPPORTED, "foreign layer" },
		{ IMAGE("{\"mediaType\":\"" GZIP "\",\"digest\":\"sha256:../../x\",\"size\":1}"), NULL,
		  ERR_INTEGRITY, "digest" },
		{ IMAGE("{\"mediaType\":\"" GZIP "\",\"size\":1}"), NULL, ERR_INTEGRITY, "digest" },
		{ IMAGE("{" DIGEST ",\"size\":1}"), NULL, ERR_INTEGRITY, "mediaType" },
		{ IMAGE("7"), NULL, ERR_INTEGRITY, "descriptor" },
		{ "{\"schemaVersion\":2,\"layers\":[]}", NULL, ERR_INTEGRITY, "config" },
		{ "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\"," DIGEST
		  ",\"size\":1},\"layers\":[]}",
		  NULL, ERR_UNSUPPORTED, "helm" },
		{ "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" MANIFEST_TYPE_CONFIG "\"," DIGEST
		  ",\"size\":4194305},\"layers\":[]}",
		  NULL, ERR_INTEGRITY, "size of the config" },
		{ "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MANIFEST_TYPE_IMAGE "\"," DIGEST
		  ",\"size\":4194305}]}",
		  NULL, ERR_INTEGRITY, "4194304" },
		{ IMAGE("{\"mediaType\":\"a\\u001b[31m\"," DIGEST ",\"size\":1}"), NULL, ERR_UNSUPPORTED,
		  "\\x1b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct manifest m = { .count = 77 };
		struct err e;

		if (parse(cases[i].json, cases[i].type, &m, &e) == 0)
			fail_msg("accepted: %s", cases[i].json);
		if (e.code != cases[i].code || !strstr(e.msg, cases[i].says))
			fail_msg("case %zu: code %s, message: %s", i, err_code_name(e.code), e.msg);
		assert_int_equal(m.count, 77); /* untouched */
	}
}

static void test_layer_count(void **state)
{
	(void)state;
	for (size_t layers = 127; layers <= 128; layers++) {
		struct buf text = BUF_INIT;
		struct manifest m;
		struct err e;

		buf_adds(&text, "{\"schemaVersion\":2," CONFIG ",\"layers\":[");
		for (size_t i = 0; i < layers; i++)
			buf_addf(&text, "%s" LAYER(GZIP, "1"), i ? "," : "");
		buf_adds(&text, "]}");
		if (layers == 127) {
			assert_int_equal(parse(text.data, NULL, &m, &e), 0);
			manifest_release(&m);
		} else {
			assert_int_equal(parse(text.data, NULL, &m, &e), -1);
			assert_non_null(strstr(e.msg, "128 layers"));
		}
		buf_release(&text);
	}
}

static void test_large(void **state)
{
	struct buf text = BUF_INIT;
	struct manifest m;
	struct err e;

	(void)state;
	buf_adds(&text, IMAGE(""));
	memset(buf_reserve(&text, DOCUMENT_MAX), ' ', DOCUMENT_MAX);
	text.data[DOCUMENT_MAX] = '\0';
	assert_int_equal(parse(text.data, NULL, &m, &e), 0);
	manifest_release(&m);
	text.len = DOCUMENT_MAX;
	buf_addch(&text, ' ');
	assert_int_equal(parse(text.data, NULL, &m, &e), -1);
	assert_non_null(strstr(e.msg, "4194305 bytes"));
	buf_clear(&text);
	for (int i = 0; i < 70000; i++)
		buf_adds(&text, i ? ",{}" : "[{}");
	buf_addch(&text, ']');
	assert_int_equal(parse(text.data, NULL, &m, &e), -1);
	assert_non_null(strstr(e.msg, "objects"));
	buf_release(&text);
}

static void test_platform(void **state)
{
	static const struct {
		const char *os, *architecture, *variant, *platform;
	} cases[] = {
		{ "linux", "amd64", NULL, "linux/amd64" },
		{ "linux", "amd64", "", "linux/amd64" },
		{ "linux", "amd64", "v1", "linux/amd64" },
		{ "linux", "amd64", "v3", "linux/amd64/v3" },
		{ "linux", "x86_64", NULL, "linux/amd64" },
		{ "linux", "arm64", "v8", "linux/arm64" },
		{ "linux", "aarch64", NULL, "linux/arm64" },
		{ "linux", "arm64", "v9", "linux/arm64/v9" },
		{ "linux", "arm", NULL, "linux/arm/v7" },
		{ "linux", "arm", "v6", "linux/arm/v6" },
		{ "windows", "amd64", NULL, "windows/amd64" },
		{ "unknown", "unknown", NULL, NULL },
		{ "linux", NULL, NULL, NULL },
		{ NULL, "amd64", NULL, NULL },
		{ "linux", "", NULL, NULL },
		{ "linux", "amd64\n[x]", NULL, NULL },
		{ "linux", "amd64", "a/b", NULL },
		{ "linux", "a=b", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *platform = manifest_platform(cases[i].os, cases[i].architecture, cases[i].variant);

		if (!cases[i].platform)
			assert_null(platform);
		else
			assert_string_equal(platform, cases[i].platform);
		free(platform);
	}
}

static void test_docker(void **state)
{
	static const char one[] =
		"[{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\"],\"Layers\":[\"1.tar\",\"2.tar\"]}]";
	static const char two[] = "[{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\"],\"Layers\":[]},"
				  "{\"Config\":\"d.json\",\"RepoTags\":[\"b:\\u202e2\"],\"Layers\":[]}]";
	static const char *const bad[] = { "{}",
		                           "[]",
		                           "[3]",
		                           "[{\"Layers\":[]}]",
		                           "[{\"Config\":\"c\",\"Layers\":[3]}]",
		                           "[{\"Config\":3}]" };
	struct manifest_docker d;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(manifest_docker_parse(one, strlen(one), &d, &e), 0);
	assert_string_equal(d.config, "c.json");
	assert_int_equal(d.layers.count, 2);
	assert_string_equal(d.layers.items[1], "2.tar");
	manifest_docker_release(&d);
	assert_int_equal(manifest_docker_parse(two, strlen(two), &d, &e), -1);
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_non_null(strstr(e.msg, "2 images: a:1, b:\\u{202e}2"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(manifest_docker_parse(bad[i], strlen(bad[i]), &d, &e), -1);
		assert_int_equal(e.code, ERR_INTEGRITY);
	}
}

/* What we write we can read, and it is the same every time. */
static void test_format(void **state)
{
	char config_type[] = MANIFEST_TYPE_CONFIG, layer_type[] = MANIFEST_TYPE_LAYER,
	     digest[] = "sha256:" HEX;
	struct manifest_part config = { .media_type = config_type, .digest = digest, .size = 3 };
	struct manifest_part layers[2] = { { .media_type = layer_type, .digest = digest, .size = 4 },
		                           { .media_type = layer_type, .digest = digest, .size = 5 } };
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct manifest m;
	struct err e;

	(void)state;
	manifest_format(&config, layers, 2, &a);
	manifest_format(&config, layers, 2, &b);
	assert_string_equal(a.data, b.data);
	assert_int_equal(parse(a.data, MANIFEST_TYPE_IMAGE, &m, &e), 0);
	assert_int_equal(m.count, 2);
	assert_int_equal(m.parts[1].size, 5);
	manifest_release(&m);
	buf_release(&a);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image),   cmocka_unit_test(test_index),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_layer_count),
		cmocka_unit_test(test_large),   cmocka_unit_test(test_platform),
		cmocka_unit_test(test_docker),  cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
