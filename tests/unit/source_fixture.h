/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_fixture.h - for the tests of source/: a temporary directory, programs run quietly, and OCI layouts
 * made by hand, layer by layer, so that each part of them can be made wrong.
 */
#ifndef DEVENV_TESTS_SOURCE_FIXTURE_H
#define DEVENV_TESTS_SOURCE_FIXTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/process.h"
#include "source/manifest.h"
#include "source/oci.h"

#define UNUSED_FUNCTION __attribute__((unused))

static char fixture_dir[] = "/tmp/devenv-source-XXXXXX";

/* The module under test must have succeeded; otherwise its message is the test's. */
#define assert_done(r, e)                                                                                    \
	do {                                                                                                 \
		if ((r) < 0)                                                                                 \
			fail_msg("%s (%s)", (e).msg, (e).hint);                                              \
	} while (0)

#define assert_error(r, e, wanted, says)                                                                     \
	do {                                                                                                 \
		if ((r) >= 0)                                                                                \
			fail_msg("it succeeded");                                                            \
		if ((e).code != (wanted) || !strstr((e).msg, (says)))                                        \
			fail_msg("code %s, message '%s'", err_code_name((e).code), (e).msg);                 \
	} while (0)

UNUSED_FUNCTION static int fixture_setup(void **state)
{
	(void)state;
	umask(022);
	return mkdtemp(fixture_dir) ? 0 : -1;
}

UNUSED_FUNCTION static int fixture_teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return file_remove_tree(AT_FDCWD, fixture_dir, &e);
}

/* A path in the temporary directory, malloc'ed. */
UNUSED_FUNCTION __attribute__((format(printf, 1, 2))) static char *fixture_path(const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	char *name;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&name, fmt, ap) < 0)
		abort();
	va_end(ap);
	buf_addf(&b, "%s/%s", fixture_dir, name);
	free(name);
	return buf_steal(&b);
}

UNUSED_FUNCTION static bool have_program(const char *name)
{
	static const char *const dirs[] = { "/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin" };
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(dirs) && !found; i++) {
		char *path = path_join(dirs[i], name);

		found = access(path, X_OK) == 0;
		free(path);
	}
	return found;
}

/* Run it; its output is shown only when it fails. The list of arguments ends in NULL. */
UNUSED_FUNCTION static void run(const char *program, ...)
{
	const char *argv[32] = { program };
	struct buf output = BUF_INIT;
	struct err e = ERR_INIT;
	size_t argc = 1;
	va_list ap;
	int status;

	va_start(ap, program);
	while (argc < 31 && (argv[argc] = va_arg(ap, const char *)))
		argc++;
	va_end(ap);
	status = process_capture(argv, NULL, 1 << 20, &output, &e);
	if (status != 0)
		fail_msg("%s: status %d: %s%s", program, status, e.msg, output.data);
	buf_release(&output);
}

UNUSED_FUNCTION static void write_file(const char *path, const char *content)
{
	struct err e = ERR_INIT;
	char *parent = path_parent(path);

	assert_done(file_mkdirs(AT_FDCWD, parent, 0755, &e), e);
	assert_done(file_replace(AT_FDCWD, path, content, strlen(content), 0644, FILE_FAST, &e), e);
	free(parent);
}

UNUSED_FUNCTION static char *read_file(const char *path)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_done(file_read(AT_FDCWD, path, 64 << 20, 0, &b, NULL, &e), e);
	return buf_steal(&b);
}

/* ---- layouts ---- */

struct layout {
	char *path;
	struct buf layers, diff_ids; /* JSON, growing */
	char manifest_digest[DIGEST_MAX], config_digest[DIGEST_MAX];
	struct buf index; /* entries of index.json */
	/* what to get wrong */
	const char *architecture, *extra_diff_id;
};

UNUSED_FUNCTION static void layout_begin(struct layout *l, const char *name)
{
	char *marker;

	*l = (struct layout){
		.path = fixture_path("%s", name), .layers = BUF_INIT, .diff_ids = BUF_INIT, .index = BUF_INIT
	};
	marker = path_join(l->path, "oci-layout");
	write_file(marker, "{\"imageLayoutVersion\":\"1.0.0\"}");
	free(marker);
}

UNUSED_FUNCTION static char *blob_file(const char *layout, const char *digest)
{
	return mem_printf("%s/blobs/sha256/%s", layout, digest_hex(digest));
}

UNUSED_FUNCTION static void digest_file(const char *path, char digest[DIGEST_MAX], unsigned long long *size)
{
	struct err e = ERR_INIT;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_done(digest_fd(fd, digest, size, &e), e);
	close(fd);
}

/* Move a file into blobs/ under its digest. */
UNUSED_FUNCTION static void layout_take(struct layout *l, const char *path, char digest[DIGEST_MAX],
                                        unsigned long long *size)
{
	char *blobs = path_join(l->path, "blobs/sha256"), *to;
	struct err e = ERR_INIT;

	assert_done(file_mkdirs(AT_FDCWD, blobs, 0755, &e), e);
	digest_file(path, digest, size);
	to = blob_file(l->path, digest);
	assert_int_equal(rename(path, to), 0);
	free(to);
	free(blobs);
}

UNUSED_FUNCTION static void layout_take_text(struct layout *l, const char *text, char digest[DIGEST_MAX])
{
	char *path = fixture_path("text");
	unsigned long long size;

	write_file(path, text);
	layout_take(l, path, digest, &size);
	free(path);
}

/* A layer of the files in `tree` (below the temporary directory), compressed with `compressor` ("gzip",
 * "zstd", NULL). */
UNUSED_FUNCTION static void layout_add_layer(struct layout *l, const char *tree, const char *compressor)
{
	char *from = fixture_path("%s", tree), *tar = fixture_path("layer.tar"), *packed = mem_strdup(tar);
	char digest[DIGEST_MAX], diff_id[DIGEST_MAX];
	unsigned long long size;

	run("tar", "-C", from, "--sort=name", "--numeric-owner", "--owner=0", "--group=0",
	    "--mtime=@1000000000", "-cf", tar, ".", NULL);
	digest_file(tar, diff_id, NULL);
	if (compressor) {
		free(packed);
		packed = mem_printf("%s.%s", tar, strcmp(compressor, "gzip") == 0 ? "gz" : "zst");
		run(compressor, "-q", "-k", "-f", tar, NULL);
	}
	layout_take(l, packed, digest, &size);
	unlink(tar);
	buf_addf(&l->layers, "%s{\"mediaType\":\"%s%s%s\",\"digest\":\"%s\",\"size\":%llu}",
	         l->layers.len ? "," : "", MANIFEST_TYPE_LAYER, compressor ? "+" : "",
	         compressor ? compressor : "", digest, size);
	buf_addf(&l->diff_ids, "%s\"%s\"", l->diff_ids.len ? "," : "", diff_id);
	free(from);
	free(tar);
	free(packed);
}

/* Write config and manifest for the layers so far and an entry of the index; the layers start anew. */
UNUSED_FUNCTION static void layout_end_image(struct layout *l, const char *tag, const char *platform_variant)
{
	const char *architecture = l->architecture ? l->architecture : oci_platform() + strlen("linux/");
	struct buf config = BUF_INIT, manifest = BUF_INIT;

	if (l->extra_diff_id)
		buf_addf(&l->diff_ids, "%s\"%s\"", l->diff_ids.len ? "," : "", l->extra_diff_id);
	buf_addf(&config,
	         "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{\"Env\":[\"A=b\"],\"Cmd\":[\"sh\"]},"
	         "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}",
	         architecture, l->diff_ids.data);
	layout_take_text(l, config.data, l->config_digest);
	buf_addf(&manifest,
	         "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE_IMAGE
	         "\",\"config\":{\"mediaType\":\"" MANIFEST_TYPE_CONFIG
	         "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[%s]}",
	         l->config_digest, config.len, l->layers.data);
	layout_take_text(l, manifest.data, l->manifest_digest);
	buf_addf(&l->index, "%s{\"mediaType\":\"" MANIFEST_TYPE_IMAGE "\",\"digest\":\"%s\",\"size\":%zu",
	         l->index.len ? "," : "", l->manifest_digest, manifest.len);
	if (platform_variant)
		buf_addf(&l->index,
		         ",\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\",\"variant\":\"%s\"}",
		         architecture, platform_variant);
	if (tag)
		buf_addf(&l->index, ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}", tag);
	buf_addch(&l->index, '}');
	buf_clear(&l->layers);
	buf_clear(&l->diff_ids);
	buf_release(&config);
	buf_release(&manifest);
}

/* Turn the entries so far into an index of their own and point to that instead. */
UNUSED_FUNCTION static void layout_nest(struct layout *l, const char *tag, char digest[DIGEST_MAX])
{
	struct buf index = BUF_INIT;

	buf_addf(&index, "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE_INDEX "\",\"manifests\":[%s]}",
	         l->index.data);
	layout_take_text(l, index.data, digest);
	buf_clear(&l->index);
	buf_addf(&l->index, "{\"mediaType\":\"" MANIFEST_TYPE_INDEX "\",\"digest\":\"%s\",\"size\":%zu",
	         digest, index.len);
	if (tag)
		buf_addf(&l->index, ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}", tag);
	buf_addch(&l->index, '}');
	buf_release(&index);
}

UNUSED_FUNCTION static void layout_write(struct layout *l)
{
	char *path = path_join(l->path, "index.json"), *text;

	text = mem_printf("{\"schemaVersion\":2,\"manifests\":[%s]}", l->index.data);
	write_file(path, text);
	free(path);
	free(text);
}

UNUSED_FUNCTION static void layout_release(struct layout *l)
{
	free(l->path);
	buf_release(&l->layers);
	buf_release(&l->diff_ids);
	buf_release(&l->index);
}

#endif
