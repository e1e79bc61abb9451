/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_source_archive.c - images in one file: what skopeo writes as docker and OCI archives, by hand as
 * `docker save` does with links, and root file systems in every compression.
 */
#include "source_fixture.h"

#include "store/store.h"

static struct store store;

static int setup(void **state)
{
	struct err e = ERR_INIT;
	char *path;
	int r;

	if (fixture_setup(state) < 0)
		return -1;
	path = fixture_path("store");
	r = store_open(&store, path, &e);
	free(path);
	return r;
}

static int teardown(void **state)
{
	store_close(&store);
	return fixture_teardown(state);
}

static int resolve(const char *path, struct lock_image *out, struct err *e)
{
	struct oci_source source = { .kind = OCI_ARCHIVE, .location = path, .request = "archive:test" };
	struct oci_context context = { .offline = true };

	*e = ERR_INIT;
	*out = (struct lock_image){ 0 };
	return oci_resolve(&context, &source, out, e);
}

static int fetch(const char *path, const char *digest, struct err *e)
{
	struct oci_source source = { .kind = OCI_ARCHIVE, .location = path, .request = "archive:test" };
	struct oci_context context = { .store = &store, .offline = true };

	*e = ERR_INIT;
	return oci_fetch(&context, &source, digest, e);
}

/* Resolve and fetch; the topmost layer must hold `name` with `content`. The manifest's digest goes to
 * `digest`. */
static void check_archive(const char *path, const char *name, const char *content, size_t layers,
                          char digest[DIGEST_MAX])
{
	struct store_image stored;
	struct lock_image image;
	char *tree, *file, *text;
	struct err e;

	assert_done(resolve(path, &image, &e), e);
	assert_int_equal(image.manifest_count, 1);
	assert_string_equal(image.manifests[0].platform, oci_platform());
	snprintf(digest, DIGEST_MAX, "%s", image.manifests[0].digest);
	lock_image_release(&image);
	assert_done(fetch(path, digest, &e), e);
	assert_done(store_image_load(&store, digest, &stored, &e), e);
	assert_int_equal(stored.chain_ids.count, layers);
	tree = store_layer_path(&store, stored.chain_ids.items[layers - 1]);
	file = path_join(tree, name);
	text = read_file(file);
	assert_string_equal(text, content);
	free(text);
	free(file);
	free(tree);
	store_image_release(&stored);
}

static void make_layout(struct layout *l, const char *name, const char *compressor)
{
	char *bottom = fixture_path("%s-bottom/etc/a", name), *top = fixture_path("%s-top/etc/b", name),
	     *tree;

	write_file(bottom, "bottom");
	write_file(top, name);
	layout_begin(l, name);
	tree = mem_printf("%s-bottom", name);
	layout_add_layer(l, tree, "gzip");
	free(tree);
	tree = mem_printf("%s-top", name);
	layout_add_layer(l, tree, compressor);
	free(tree);
	layout_end_image(l, "x", NULL);
	layout_write(l);
	free(bottom);
	free(top);
}

static void test_oci_archive(void **state)
{
	char digest[DIGEST_MAX], again[DIGEST_MAX], *tar, *packed;
	struct layout l;

	(void)state;
	make_layout(&l, "ociarchive", "zstd");
	tar = fixture_path("oci.tar");
	packed = mem_printf("%s.gz", tar);
	run("tar", "-C", l.path, "-cf", tar, ".", NULL);
	check_archive(tar, "etc/b", "ociarchive", 2, digest);
	assert_string_equal(digest, l.manifest_digest);
	run("gzip", "-k", tar, NULL);
	check_archive(packed, "etc/b", "ociarchive", 2, again);
	assert_string_equal(digest, again);
	free(tar);
	free(packed);
	layout_release(&l);
}

static void test_skopeo(void **state)
{
	char digest[DIGEST_MAX], again[DIGEST_MAX], *from, *to, *tar;
	struct layout l;

	(void)state;
	if (!have_program("skopeo"))
		skip();
	make_layout(&l, "skopeo", "gzip");
	from = mem_printf("oci:%s:x", l.path);
	tar = fixture_path("skopeo-oci.tar");
	to = mem_printf("oci-archive:%s:some/name:1", tar);
	run("skopeo", "--insecure-policy", "copy", "-q", from, to, NULL);
	check_archive(tar, "etc/b", "skopeo", 2, digest);
	assert_string_equal(digest, l.manifest_digest);
	free(to);
	free(tar);
	tar = fixture_path("skopeo-docker.tar");
	to = mem_printf("docker-archive:%s:some/name:1", tar);
	run("skopeo", "--insecure-policy", "copy", "-q", from, to, NULL);
	check_archive(tar, "etc/b", "skopeo", 2, digest);
	free(to);
	to = mem_printf("%s.xz", tar);
	run("xz", "-k", "-0", tar, NULL);
	check_archive(to, "etc/b", "skopeo", 2, again);
	assert_string_equal(digest, again);
	free(to);
	free(from);
	free(tar);
	layout_release(&l);
}

/* As docker 1.10 to 24 wrote it: DIRECTORY/layer.tar, a link for a layer that was there already, config by
 * digest. */
static void make_docker_save(const char *name, const char *config_name, bool damage)
{
	char *tree = fixture_path("%s-tree", name), *save = fixture_path("%s-save", name),
	     *tar = fixture_path("%s.tar", name);
	char *file = path_join(tree, "etc/b"), *layer = path_join(save, "one/layer.tar"),
	     *link_dir = path_join(save, "two");
	char *link_path = path_join(link_dir, "layer.tar"), *path, *text;
	char diff_id[DIGEST_MAX], digest[DIGEST_MAX];
	struct err e = ERR_INIT;

	write_file(file, name);
	write_file(layer, "");
	run("tar", "-C", tree, "-cf", layer, ".", NULL);
	digest_file(layer, diff_id, NULL);
	assert_done(file_mkdirs(AT_FDCWD, link_dir, 0755, &e), e);
	assert_int_equal(symlink("../one/layer.tar", link_path), 0);
	text = mem_printf(
		"{\"architecture\":\"%s\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\",\"%s\"]}}",
		oci_platform() + strlen("linux/"), diff_id, diff_id);
	digest_bytes(text, strlen(text), digest);
	if (!config_name)
		config_name = digest_hex(digest);
	path = mem_printf("%s/%s.json", save, config_name);
	write_file(path, text);
	free(path);
	free(text);
	path = path_join(save, "manifest.json");
	text = mem_printf(
		"[{\"Config\":\"%s.json\",\"RepoTags\":[\"a:1\"],\"Layers\":[\"one/layer.tar\",\"two/layer.tar\"]}]",
		config_name);
	write_file(path, text);
	if (damage) {
		int fd = open(layer, O_WRONLY | O_CLOEXEC);

		assert_int_equal(pwrite(fd, "X", 1, 5000), 1);
		close(fd);
	}
	run("tar", "-C", save, "-cf", tar, ".", NULL);
	free(path);
	free(text);
	free(tree);
	free(save);
	free(tar);
	free(file);
	free(layer);
	free(link_dir);
	free(link_path);
}

static void test_docker_save(void **state)
{
	char *tar = fixture_path("saved.tar"), digest[DIGEST_MAX];

	(void)state;
	make_docker_save("saved", NULL, false);
	check_archive(tar, "etc/b", "saved", 2, digest);
	free(tar);
}

static void test_docker_damaged(void **state)
{
	char *renamed = fixture_path("renamed.tar"), *damaged = fixture_path("damaged.tar");
	struct lock_image image;
	struct err e;

	(void)state;
	make_docker_save("renamed", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	                 false);
	assert_error(resolve(renamed, &image, &e), e, ERR_INTEGRITY, "has the digest");
	make_docker_save("damaged", NULL, true);
	assert_done(resolve(damaged, &image, &e), e); /* content is looked at when it is fetched */
	assert_error(fetch(damaged, image.manifests[0].digest, &e), e, ERR_INTEGRITY, "layer 1 of 2");
	assert_int_equal(store_image_load(&store, image.manifests[0].digest, &(struct store_image){ 0 }, &e),
	                 -1);
	assert_error(fetch(damaged, "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	                   &e),
	             e, ERR_NOT_FOUND, "it holds the image");
	assert_non_null(strstr(e.hint, "devenv update"));
	lock_image_release(&image);
	free(renamed);
	free(damaged);
}

/* The same tree is the same image however it is compressed. */
static void test_rootfs(void **state)
{
	static const char *const compressors[][2] = {
		{ "gzip", "gz" }, { "xz", "xz" }, { "zstd", "zst" }, { "bzip2", "bz2" }
	};
	char *file = fixture_path("root/etc/os-release"), *tree = fixture_path("root"),
	     *tar = fixture_path("root.tar");
	char digest[DIGEST_MAX], again[DIGEST_MAX];

	(void)state;
	write_file(file, "ID=test");
	run("tar", "-C", tree, "-cf", tar, ".", NULL);
	check_archive(tar, "etc/os-release", "ID=test", 1, digest);
	for (size_t i = 0; i < ARRAY_SIZE(compressors); i++) {
		char *packed = mem_printf("%s.%s", tar, compressors[i][1]);

		if (have_program(compressors[i][0])) {
			run(compressors[i][0], "-q", "-k", tar, NULL);
			check_archive(packed, "etc/os-release", "ID=test", 1, again);
			assert_string_equal(digest, again);
		}
		free(packed);
	}
	free(file);
	free(tree);
	free(tar);
}

static void test_refused(void **state)
{
	char *path = fixture_path("refused"), *packed = fixture_path("bomb.gz"), *script;
	struct lock_image image;
	struct err e;

	(void)state;
	assert_error(resolve(path, &image, &e), e, ERR_NOT_FOUND, "there is no archive");
	assert_error(resolve(fixture_dir, &image, &e), e, ERR_CONFIG, "is a directory");
	assert_error(resolve("/dev/null", &image, &e), e, ERR_CONFIG, "regular");
	write_file(path, "hello");
	assert_error(resolve(path, &image, &e), e, ERR_INTEGRITY, "is not a tar");
	script = mem_printf("head -c 100000 /dev/urandom | gzip | head -c 50000 > %s", path);
	run("sh", "-c", script, NULL);
	free(script);
	assert_error(resolve(path, &image, &e), e, ERR_INTEGRITY, "damaged");
	script = mem_printf("head -c 100000000 /dev/zero | gzip > %s", packed);
	run("sh", "-c", script, NULL);
	free(script);
	assert_error(resolve(packed, &image, &e), e, ERR_INTEGRITY, "200 times");
	free(path);
	free(packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oci_archive), cmocka_unit_test(test_skopeo),
		cmocka_unit_test(test_docker_save), cmocka_unit_test(test_docker_damaged),
		cmocka_unit_test(test_rootfs),      cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
