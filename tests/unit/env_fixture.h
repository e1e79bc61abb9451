/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env_fixture.h - for the tests of env/: a home, a store and a project of their own in a temporary directory, images put
 * into the store by hand, and a person who answers.
 */
#ifndef TESTS_UNIT_ENV_FIXTURE_H
#define TESTS_UNIT_ENV_FIXTURE_H

#include "unit/tempdir.h"

#include "base/digest.h"
#include "base/path.h"
#include "base/text.h"
#include "env/env.h"
#include "plan/plan.h"

#define UNUSED_FUNCTION __attribute__((unused))

#define assert_done(r, e)                                              \
	do {                                                           \
		if ((r) < 0)                                           \
			fail_msg("%s (%s)", (e).msg, (e).hint);        \
	} while (0)

#define assert_error(r, e, wanted, says)                                                             \
	do {                                                                                         \
		if ((r) >= 0)                                                                        \
			fail_msg("it succeeded");                                                    \
		if ((e).code != (wanted) || !strstr((e).msg, (says)))                                \
			fail_msg("code %s, message '%s'", err_code_name((e).code), (e).msg);         \
	} while (0)

/* ---- places ---- */

static char *fixture_project; /* an absolute path; not yet there */

static void fixture_setenv(const char *name, const char *below)
{
	cleanup_free char *path = path_join(tempdir, below);

	assert_int_equal(setenv(name, path, 1), 0);
}

UNUSED_FUNCTION static void fixture_mkdir(const char *name)
{
	struct err e = ERR_INIT;

	assert_done(file_mkdirs(tempfd, name, 0755, &e), e);
}

UNUSED_FUNCTION static int fixture_setup(void **state)
{
	umask(022);
	tempdir_setup(state);
	fixture_setenv("HOME", "home");
	fixture_setenv("DEVENV_STORE", "store");
	fixture_setenv("XDG_STATE_HOME", "state");
	fixture_setenv("XDG_DATA_HOME", "data");
	fixture_setenv("XDG_CONFIG_HOME", "config");
	fixture_setenv("XDG_CACHE_HOME", "cache");
	fixture_setenv("XDG_RUNTIME_DIR", "run");
	unsetenv("CI");
	fixture_mkdir("home/src/shop");
	fixture_project = path_join(tempdir, "home/src/shop");
	return 0;
}

UNUSED_FUNCTION static int fixture_teardown(void **state)
{
	free(fixture_project);
	return tempdir_teardown(state);
}

#define fixture_test(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

/* Write a file of the project. */
UNUSED_FUNCTION static void fixture_write(const char *name, const char *text)
{
	cleanup_free char *below = mem_printf("home/src/shop/%s", name);

	tempdir_write(below, text);
}

UNUSED_FUNCTION static void fixture_open(struct environment *env)
{
	struct err e = ERR_INIT;

	assert_done(env_open(env, fixture_project, &e), e);
}

/* ---- a person ---- */

struct person {
	bool answer;
	unsigned int asked;
	struct buf said; /* notices and warnings, a line each */
	struct buf shown; /* powers of the last question */
};

static void person_hears(void *data, const char *line)
{
	struct person *p = data;

	buf_addf(&p->said, "%s\n", line);
}

static bool person_answers(void *data, const char *project, const struct strlist *texts, bool growth)
{
	struct person *p = data;

	p->asked++;
	buf_clear(&p->shown);
	buf_addf(&p->shown, "%s\n", growth ? "growth" : "first");
	for (size_t i = 0; i < texts->count; i++)
		buf_addf(&p->shown, "%s\n", texts->items[i]);
	assert_non_null(project);
	return p->answer;
}

UNUSED_FUNCTION static struct env_ui person_ui(struct person *p, bool interactive)
{
	p->said = BUF_INIT;
	p->shown = BUF_INIT;
	return (struct env_ui){ .data = p,
				.interactive = interactive,
				.notice = person_hears,
				.warning = person_hears,
				.ask_powers = person_answers };
}

UNUSED_FUNCTION static void person_release(struct person *p)
{
	buf_release(&p->said);
	buf_release(&p->shown);
}

/* ---- images ---- */

UNUSED_FUNCTION static void stage_write(int fd, const char *path, const char *text, mode_t mode)
{
	cleanup_free char *parent = path_parent(path);
	cleanup_close int file = -1;
	struct err e = ERR_INIT;

	assert_done(file_mkdirs(fd, parent, 0755, &e), e);
	file = openat(fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(file >= 0);
	assert_done(file_write_all(file, text, strlen(text), &e), e);
	assert_int_equal(fchmod(file, mode), 0);
}

/*
 * Publish an image of one layer. `build` fills the layer's tree (may be NULL); `config` is the value of "config" in the
 * image's config. The manifest digest ends up in `digest`.
 */
UNUSED_FUNCTION static void fixture_image(struct store *s, const char *seed, void (*build)(int tree), const char *config,
					  char digest[136])
{
	struct store_image image = { 0 };
	struct store_stage stage;
	struct err e = ERR_INIT;
	char diff_id[136], chain[136];
	int tree;

	digest_bytes(seed, strlen(seed), diff_id);
	store_chain_id(NULL, diff_id, chain);
	assert_done(store_stage_new(s, &stage, &e), e);
	assert_int_equal(mkdirat(stage.fd, "fs", 0755), 0);
	tree = openat(stage.fd, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(tree >= 0);
	stage_write(tree, "bin/sh", "#!", 0755);
	if (build)
		build(tree);
	close(tree);
	stage_write(stage.fd, "owners", "", 0600);
	stage_write(stage.fd, "meta", "", 0600);
	assert_done(store_layer_publish(s, &stage, chain, &e), e);
	store_stage_drop(s, &stage);
	image.manifest = mem_printf("{\"schemaVersion\":2,\"seed\":\"%s\"}", seed);
	image.config = mem_printf("{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":%s,"
				  "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
				  oci_platform() + strlen("linux/"), config ? config : "{}", diff_id);
	digest_bytes(image.manifest, strlen(image.manifest), image.digest);
	strlist_add(&image.chain_ids, chain);
	assert_done(store_image_publish(s, &image, &e), e);
	snprintf(digest, 136, "%s", image.digest);
	store_image_release(&image);
}

/* ---- an OCI layout in the project, for what locks and fetches ---- */

UNUSED_FUNCTION static void fixture_blob(const char *data, size_t len, char digest[136])
{
	cleanup_free char *path = NULL;
	cleanup_close int fd = -1;
	struct err e = ERR_INIT;

	digest_bytes(data, len, digest);
	fixture_mkdir("home/src/shop/layout/blobs/sha256");
	path = mem_printf("home/src/shop/layout/blobs/sha256/%s", digest_hex(digest));
	fd = openat(tempfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_done(file_write_all(fd, data, len, &e), e);
}

/* One tar member: a regular file. */
UNUSED_FUNCTION static void fixture_tar_add(struct buf *tar, const char *name, const char *text, unsigned int mode)
{
	unsigned char header[512] = { 0 };
	unsigned int sum = 0;
	char *h = (char *)header;

	snprintf(h, 100, "%s", name);
	snprintf(h + 100, 8, "%07o", mode);
	snprintf(h + 108, 8, "%07o", 0);
	snprintf(h + 116, 8, "%07o", 0);
	snprintf(h + 124, 12, "%011o", (unsigned int)strlen(text) & 0777777);
	snprintf(h + 136, 12, "%011o", 1000000000);
	memset(h + 148, ' ', 8);
	h[156] = '0';
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += header[i];
	snprintf(h + 148, 8, "%06o", sum);
	buf_add(tar, header, sizeof(header));
	buf_adds(tar, text);
	while (tar->len % 512)
		buf_addch(tar, '\0');
}

/* A layout with one image whose only layer holds /bin/sh and /marker with that text. */
UNUSED_FUNCTION static void fixture_layout(const char *marker)
{
	cleanup_buf struct buf tar = BUF_INIT, config = BUF_INIT, manifest = BUF_INIT, index = BUF_INIT;
	char layer[136], config_digest[136], manifest_digest[136];

	fixture_tar_add(&tar, "bin/sh", "#!\n", 0755);
	fixture_tar_add(&tar, "marker", marker, 0644);
	for (int i = 0; i < 1024; i++)
		buf_addch(&tar, '\0');
	fixture_blob(tar.data, tar.len, layer);
	buf_addf(&config, "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"layers\","
			  "\"diff_ids\":[\"%s\"]}}", oci_platform() + strlen("linux/"), layer);
	fixture_blob(config.data, config.len, config_digest);
	buf_addf(&manifest,
		 "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":"
		 "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		 "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%zu}]}",
		 config_digest, config.len, layer, tar.len);
	fixture_blob(manifest.data, manifest.len, manifest_digest);
	buf_addf(&index,
		 "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		 "\"digest\":\"%s\",\"size\":%zu}]}", manifest_digest, manifest.len);
	fixture_write("layout/index.json", index.data);
	fixture_write("layout/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
}

/* Write a devenv.lock that answers `request` with this manifest. */
UNUSED_FUNCTION static void fixture_lock(const char *request, const char *digest)
{
	cleanup_free char *text = mem_printf("[base]\nmanifest.%s = %s\nrequest = %s\n", oci_platform(), digest, request);

	fixture_write("devenv.lock", text);
}

#endif
