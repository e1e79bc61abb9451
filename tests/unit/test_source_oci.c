/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_source_oci.c - resolving and fetching from OCI layouts made by hand: the choice of image and platform,
 * layers in every compression with whiteouts across them, and that of a wrong image nothing stays in the
 * store.
 */
#include "source_fixture.h"

#include <dirent.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

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
	if (r < 0)
		print_error("%s\n", e.msg);
	free(path);
	return r;
}

static int teardown(void **state)
{
	store_close(&store);
	return fixture_teardown(state);
}

static int resolve(const char *location, struct lock_image *out, struct err *e)
{
	struct oci_source source = { .kind = OCI_LAYOUT, .location = location, .request = "oci:test" };
	struct oci_context context = { .offline = true };

	*e = ERR_INIT;
	*out = (struct lock_image){ 0 };
	return oci_resolve(&context, &source, out, e);
}

static int fetch(const char *location, const char *digest, struct oci_progress *progress, struct err *e)
{
	struct oci_source source = { .kind = OCI_LAYOUT, .location = location, .request = "oci:test" };
	struct oci_context context = { .store = &store, .offline = true };

	if (progress)
		context.progress = *progress;
	*e = ERR_INIT;
	return oci_fetch(&context, &source, digest, e);
}

static void add_simple_layer(struct layout *l, const char *text, const char *compressor)
{
	static unsigned int n;
	char *tree = mem_printf("simple-%u", n++), *file = fixture_path("%s/etc/file", tree);

	write_file(file, text);
	layout_add_layer(l, tree, compressor);
	free(tree);
	free(file);
}

static size_t count_entries(const char *name)
{
	char *path = path_join(store.path, name);
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	free(path);
	return n;
}

/* ---- resolve ---- */

static void test_choice(void **state)
{
	char *one, *other, *missing;
	struct lock_image image;
	struct layout l;
	struct err e;
	char first[DIGEST_MAX];

	(void)state;
	layout_begin(&l, "choice");
	add_simple_layer(&l, "one", "gzip");
	layout_end_image(&l, "one", NULL);
	layout_write(&l);
	snprintf(first, sizeof(first), "%s", l.manifest_digest);
	assert_done(resolve(l.path, &image, &e), e); /* the only one needs no tag */
	assert_null(image.name);
	assert_null(image.index);
	assert_string_equal(image.request, "oci:test");
	assert_int_equal(image.manifest_count, 1);
	assert_string_equal(lock_manifest_digest(&image, oci_platform()), first);
	lock_image_release(&image);
	add_simple_layer(&l, "two", "gzip");
	layout_end_image(&l, "v2:rc", NULL);
	layout_write(&l);
	one = mem_printf("%s:one", l.path);
	other = mem_printf("%s:v2:rc", l.path);
	missing = mem_printf("%s:three", l.path);
	assert_done(resolve(one, &image, &e), e);
	assert_string_equal(lock_manifest_digest(&image, oci_platform()), first);
	lock_image_release(&image);
	assert_error(resolve(l.path, &image, &e), e, ERR_NOT_FOUND, "2 images");
	assert_non_null(strstr(e.hint, "one, v2:rc"));
	assert_error(resolve(missing, &image, &e), e, ERR_NOT_FOUND, "'three'");
	assert_error(resolve("/nonexistent:x", &image, &e), e, ERR_NOT_FOUND, "/nonexistent");
	assert_error(resolve(fixture_dir, &image, &e), e, ERR_NOT_FOUND, "not an OCI layout");
	free(one);
	free(other);
	free(missing);
	layout_release(&l);
}

static void test_index(void **state)
{
	char arm[DIGEST_MAX], native[DIGEST_MAX], inner[DIGEST_MAX], outer[DIGEST_MAX];
	bool native_is_arm = strcmp(oci_platform(), "linux/arm64") == 0;
	struct lock_image image;
	struct layout l;
	struct err e;

	(void)state;
	layout_begin(&l, "index");
	l.architecture = "arm64";
	add_simple_layer(&l, "arm", NULL);
	layout_end_image(&l, NULL, "v8");
	snprintf(arm, sizeof(arm), "%s", l.manifest_digest);
	l.architecture = native_is_arm ? "amd64" : NULL;
	add_simple_layer(&l, "native", NULL);
	layout_end_image(&l, NULL, "");
	snprintf(native, sizeof(native), "%s", l.manifest_digest);
	l.architecture = "unknown"; /* an attestation */
	add_simple_layer(&l, "attestation", NULL);
	layout_end_image(&l, NULL, "");
	layout_write(&l); /* platforms side by side in index.json */
	assert_done(resolve(l.path, &image, &e), e);
	assert_null(image.index);
	assert_int_equal(image.manifest_count, 2);
	lock_image_release(&image);
	layout_nest(&l, NULL, inner);
	layout_write(&l);
	assert_done(resolve(l.path, &image, &e), e);
	assert_string_equal(image.index, inner);
	assert_int_equal(image.manifest_count, 2);
	assert_string_equal(lock_manifest_digest(&image, "linux/arm64"), arm);
	assert_string_equal(lock_manifest_digest(&image, native_is_arm ? "linux/amd64" : oci_platform()),
	                    native);
	lock_image_release(&image);
	layout_nest(&l, NULL, outer); /* two deep is fine */
	layout_write(&l);
	assert_done(resolve(l.path, &image, &e), e);
	assert_string_equal(image.index, outer);
	assert_int_equal(image.manifest_count, 2);
	lock_image_release(&image);
	layout_nest(&l, NULL, outer); /* three is not */
	layout_write(&l);
	assert_error(resolve(l.path, &image, &e), e, ERR_INTEGRITY, "nested");
	layout_release(&l);
}

/* An index that doesn't say what its manifests run on: their configs do. */
static void test_silent_index(void **state)
{
	struct lock_image image;
	char digest[DIGEST_MAX];
	struct layout l;
	struct err e;

	(void)state;
	layout_begin(&l, "silent");
	l.architecture = "mips64le";
	add_simple_layer(&l, "mips", NULL);
	layout_end_image(&l, NULL, NULL);
	layout_nest(&l, NULL, digest);
	layout_write(&l);
	assert_error(resolve(l.path, &image, &e), e, ERR_NOT_FOUND, "linux/mips64le");
	l.architecture = "aarch64";
	add_simple_layer(&l, "a", NULL);
	layout_end_image(&l, NULL, NULL);
	l.architecture = "x86_64";
	add_simple_layer(&l, "b", NULL);
	layout_end_image(&l, NULL, NULL);
	layout_nest(&l, NULL, digest);
	layout_write(&l);
	assert_done(resolve(l.path, &image, &e), e);
	assert_int_equal(image.manifest_count, 3);
	assert_non_null(lock_manifest_digest(&image, "linux/arm64"));
	assert_non_null(lock_manifest_digest(&image, "linux/amd64"));
	lock_image_release(&image);
	layout_release(&l);
}

/* ---- fetch ---- */

struct seen {
	size_t layers, present, finished, calls;
	uint64_t bytes, done;
};

static void see_plan(void *data, size_t layers, size_t present, uint64_t bytes, uint64_t free_bytes)
{
	struct seen *seen = data;

	seen->layers = layers;
	seen->present = present;
	seen->bytes = bytes;
	assert_true(free_bytes > 0);
}

static void see_layer(void *data, size_t n, const char *digest, uint64_t done, uint64_t total)
{
	struct seen *seen = data;

	(void)n;
	assert_true(digest_is_valid(digest));
	assert_true(done <= total);
	seen->calls++;
	if (done == total) {
		seen->finished++;
		seen->done += done;
	}
}

static void check_layer_file(const char *chain_id, const char *name, const char *content)
{
	char *tree = store_layer_path(&store, chain_id), *path = path_join(tree, name), *text;

	text = read_file(path);
	assert_string_equal(text, content);
	free(text);
	free(path);
	free(tree);
}

static bool is_whiteout(const char *chain_id, const char *name)
{
	char *tree = store_layer_path(&store, chain_id), *path = path_join(tree, name);
	struct stat st = { 0 };
	bool is;

	is = lstat(path, &st) == 0 && ((S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0)) ||
	                               lgetxattr(path, "user.overlay.whiteout", NULL, 0) >= 0);
	free(path);
	free(tree);
	return is;
}

static void make_layers(struct layout *l)
{
	static const struct {
		const char *tree, *name, *content, *compressor; /* compressor: ends the layer */
	} files[] = {
		{ "w0", "etc/kept", "kept", NULL },        { "w0", "etc/gone", "gone", NULL },
		{ "w0", "opaque/below", "below", "gzip" }, { "w1", "etc/.wh.gone", "", NULL },
		{ "w1", "opaque/.wh..wh..opq", "", NULL }, { "w1", "opaque/fresh", "fresh", "zstd" },
		{ "w2", "etc/gone", "back", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *path = fixture_path("%s/%s", files[i].tree, files[i].name);

		write_file(path, files[i].content);
		if (files[i].compressor)
			layout_add_layer(l, files[i].tree,
			                 files[i].compressor[0] ? files[i].compressor : NULL);
		free(path);
	}
	/* the empty layer, twice, as images without it in history have it */
	{
		char *path = fixture_path("empty");

		mkdir(path, 0755);
		layout_add_layer(l, "empty", "gzip");
		layout_add_layer(l, "empty", "gzip");
		free(path);
	}
}

static void test_fetch(void **state)
{
	struct seen seen = { 0 };
	struct oci_progress progress = { .plan = see_plan, .layer = see_layer, .data = &seen };
	struct store_image image;
	struct layout l;
	struct err e;

	(void)state;
	layout_begin(&l, "fetch");
	make_layers(&l);
	layout_end_image(&l, "x", NULL);
	layout_write(&l);
	assert_done(fetch(l.path, l.manifest_digest, &progress, &e), e);
	assert_int_equal(seen.layers, 5);
	assert_int_equal(seen.present, 0);
	assert_int_equal(seen.finished, 5);
	assert_int_equal(seen.done, seen.bytes);
	assert_done(store_image_load(&store, l.manifest_digest, &image, &e), e);
	assert_int_equal(image.chain_ids.count, 5);
	assert_string_not_equal(image.chain_ids.items[3], image.chain_ids.items[4]);
	assert_non_null(strstr(image.config, "\"Env\""));
	assert_non_null(strstr(image.manifest, "\"layers\""));
	check_layer_file(image.chain_ids.items[0], "etc/kept", "kept");
	check_layer_file(image.chain_ids.items[0], "etc/gone", "gone");
	assert_true(is_whiteout(image.chain_ids.items[1], "etc/gone"));
	assert_false(is_whiteout(image.chain_ids.items[1], "opaque/fresh"));
	check_layer_file(image.chain_ids.items[1], "opaque/fresh", "fresh");
	check_layer_file(image.chain_ids.items[2], "etc/gone", "back");
	assert_true(store_layer_bytes(&store, image.chain_ids.items[0]) > 0);
	assert_int_equal(count_entries("tmp"), 0);
	store_image_release(&image);
	/* complete: the source isn't even looked at */
	seen = (struct seen){ 0 };
	assert_done(fetch("/nonexistent", l.manifest_digest, &progress, &e), e);
	assert_int_equal(seen.calls, 0);
	layout_release(&l);
}

/* A second image on the same base fetches only what is new. */
static void test_shared(void **state)
{
	struct seen seen = { 0 };
	struct oci_progress progress = { .plan = see_plan, .layer = see_layer, .data = &seen };
	struct layout l;
	struct err e;

	(void)state;
	layout_begin(&l, "shared");
	make_layers(&l);
	add_simple_layer(&l, "on top", "zstd");
	layout_end_image(&l, "y", NULL);
	layout_write(&l);
	assert_done(fetch(l.path, l.manifest_digest, &progress, &e), e);
	assert_int_equal(seen.layers, 1);
	assert_int_equal(seen.present, 5);
	assert_int_equal(seen.finished, 1);
	layout_release(&l);
}

/* ---- what is wrong stays out ---- */

static void remove_store(void)
{
	struct err e = ERR_INIT;
	char *path = mem_strdup(store.path);

	store_close(&store);
	assert_done(file_remove_tree(AT_FDCWD, path, &e), e);
	assert_done(store_open(&store, path, &e), e);
	free(path);
}

static void assert_nothing_left(void)
{
	assert_int_equal(count_entries("layers"), 0);
	assert_int_equal(count_entries("images"), 0);
	assert_int_equal(count_entries("tmp"), 0);
}

/* The path of the first layer's blob. */
static char *first_blob(const struct layout *l)
{
	char *path = blob_file(l->path, l->manifest_digest), *text = read_file(path), *digest, *blob;

	digest = strstr(strstr(text, "\"layers\""), "sha256:");
	digest[DIGEST_SHA256_LEN] = '\0';
	blob = blob_file(l->path, digest);
	free(path);
	free(text);
	return blob;
}

static void begin_bad(struct layout *l, const char *name, const char *compressor)
{
	remove_store();
	layout_begin(l, name);
	add_simple_layer(l, name, compressor);
}

static void test_wrong_digest(void **state)
{
	static const char *const compressors[] = { NULL, "gzip", "zstd" };
	static const char *const names[] = { "flip-plain", "flip-gzip", "flip-zstd" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct layout l;
		struct stat st;
		struct err e;
		char *blob, byte;
		int fd;

		begin_bad(&l, names[i], compressors[i]);
		layout_end_image(&l, "x", NULL);
		layout_write(&l);
		blob = first_blob(&l);
		fd = open(blob, O_RDWR | O_CLOEXEC);
		assert_int_equal(fstat(fd, &st), 0);
		/* in a plain tar's padding only the digest can tell; elsewhere the format may be first */
		assert_int_equal(pread(fd, &byte, 1, st.st_size / 2), 1);
		byte = (char)(byte ^ 1);
		assert_int_equal(pwrite(fd, &byte, 1, st.st_size / 2), 1);
		close(fd);
		assert_error(fetch(l.path, l.manifest_digest, NULL, &e), e, ERR_INTEGRITY, "layer 1 of 1");
		assert_nothing_left();
		free(blob);
		layout_release(&l);
	}
}

static void test_truncated(void **state)
{
	struct layout l;
	struct stat st;
	struct err e;
	char *blob;

	(void)state;
	begin_bad(&l, "short", "gzip");
	layout_end_image(&l, "x", NULL);
	layout_write(&l);
	blob = first_blob(&l);
	assert_int_equal(stat(blob, &st), 0);
	assert_int_equal(truncate(blob, st.st_size - 1), 0);
	assert_error(fetch(l.path, l.manifest_digest, NULL, &e), e, ERR_INTEGRITY, "bytes");
	assert_nothing_left();
	assert_int_equal(unlink(blob), 0);
	assert_error(fetch(l.path, l.manifest_digest, NULL, &e), e, ERR_NOT_FOUND, "blobs/sha256");
	assert_nothing_left();
	free(blob);
	layout_release(&l);
}

static void test_wrong_diff_id(void **state)
{
	static const char wrong[] = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const char *const compressors[] = { "gzip", "zstd", NULL };
	static const char *const names[] = { "diff-gzip", "diff-zstd", "diff-plain" };
	struct err e;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct layout l;

		begin_bad(&l, names[i], compressors[i]);
		buf_clear(&l.diff_ids);
		l.extra_diff_id = wrong;
		layout_end_image(&l, "x", NULL);
		layout_write(&l);
		assert_error(fetch(l.path, l.manifest_digest, NULL, &e), e, ERR_INTEGRITY, "layer 1 of 1");
		assert_nothing_left();
		layout_release(&l);
	}
}

static void test_wrong_count(void **state)
{
	static const char extra[] = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct layout l;
	struct err e;

	(void)state;
	begin_bad(&l, "count", "gzip");
	l.extra_diff_id = extra;
	layout_end_image(&l, "x", NULL);
	layout_write(&l);
	assert_error(fetch(l.path, l.manifest_digest, NULL, &e), e, ERR_INTEGRITY,
	             "1 layers but its config describes 2");
	assert_nothing_left();
	layout_release(&l);
}

static void test_wrong_texts(void **state)
{
	char index[DIGEST_MAX], *path;
	struct layout l;
	struct err e;

	(void)state;
	begin_bad(&l, "texts", "gzip");
	layout_end_image(&l, "x", NULL);
	layout_nest(&l, "x", index);
	layout_write(&l);
	assert_error(fetch(l.path, index, NULL, &e), e, ERR_INTEGRITY, "is an index");
	assert_error(fetch(l.path, "sha256:../../etc", NULL, &e), e, ERR_INTEGRITY, "not a digest");
	path = blob_file(l.path, l.config_digest);
	write_file(path, "{}");
	assert_error(fetch(l.path, l.manifest_digest, NULL, &e), e, ERR_INTEGRITY, "bytes");
	free(path);
	path = blob_file(l.path, l.manifest_digest);
	write_file(path, "{}");
	assert_error(fetch(l.path, l.manifest_digest, NULL, &e), e, ERR_INTEGRITY, "manifest has the digest");
	assert_nothing_left();
	free(path);
	layout_release(&l);
}

/* A layer far beyond what the disk has: told before anything is fetched, with the place and the bytes. */
static void test_no_space(void **state)
{
	struct layout l;
	struct err e;

	(void)state;
	begin_bad(&l, "space", "gzip");
	for (int i = 0; i < 100; i++) {
		buf_addf(&l.layers,
		         ",{\"mediaType\":\"" MANIFEST_TYPE_LAYER "+gzip\",\"digest\":\"sha256:%064d\","
		         "\"size\":1099511627776}",
		         i);
		buf_addf(&l.diff_ids, ",\"sha256:%064d\"", i);
	}
	layout_end_image(&l, "x", NULL);
	layout_write(&l);
	assert_error(fetch(l.path, l.manifest_digest, NULL, &e), e, ERR_SPACE, store.path);
	assert_nothing_left();
	layout_release(&l);
}

static void test_offline(void **state)
{
	struct oci_source source = { .kind = OCI_REGISTRY,
		                     .location = "docker.io/library/x:1",
		                     .request = "docker.io/library/x:1" };
	struct oci_context context = { .store = &store, .offline = true };
	struct lock_image image;
	struct err e = ERR_INIT;

	(void)state;
	assert_error(oci_resolve(&context, &source, &image, &e), e, ERR_OFFLINE, "docker.io/library/x:1");
	assert_error(oci_fetch(&context, &source,
	                       "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", &e),
	             e, ERR_OFFLINE, "docker.io/library/x:1");
	assert_non_null(strstr(e.hint, "devenv pull"));
}

/* The limit is for the image, not for each of its layers. */
static void test_too_large(void **state)
{
	struct user_config user;
	struct layout l;
	struct err e = ERR_INIT;
	char *tree[2], *text = mem_alloc(300001);

	(void)state;
	remove_store();
	user_config_init(&user);
	memset(text, 'x', 300000);
	layout_begin(&l, "large");
	for (int i = 0; i < 2; i++) {
		char *file = fixture_path("large-%d/file-%d", i, i);

		tree[i] = mem_printf("large-%d", i);
		write_file(file, text);
		layout_add_layer(&l, tree[i], "gzip");
		free(file);
	}
	layout_end_image(&l, "x", NULL);
	layout_write(&l);
	for (int i = 0; i < 2; i++) {
		struct oci_source source = { .kind = OCI_LAYOUT, .location = l.path, .request = "oci:test" };
		struct oci_context context = { .store = &store, .user = &user };

		remove_store();
		user.max_image_size = i ? 1000000 : 500000;
		if (i == 0)
			assert_error(oci_fetch(&context, &source, l.manifest_digest, &e), e, ERR_INTEGRITY,
			             "layer 2 of 2");
		else
			assert_done(oci_fetch(&context, &source, l.manifest_digest, &e), e);
		assert_int_equal(count_entries("images"), i);
		assert_int_equal(count_entries("tmp"), 0);
		free(tree[i]);
	}
	user_config_release(&user);
	free(text);
	layout_release(&l);
}

/* In a process of its own: an interruption is for good. */
static void test_interrupted(void **state)
{
	struct layout l;
	pid_t pid;
	int status;

	(void)state;
	begin_bad(&l, "interrupted", "gzip");
	layout_end_image(&l, "x", NULL);
	layout_write(&l);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e;

		http_interrupt();
		_exit(fetch(l.path, l.manifest_digest, NULL, &e) < 0 ? (int)e.code : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), ERR_INTERRUPTED);
	assert_nothing_left();
	layout_release(&l);
}

/* Many at once: all succeed, and each layer is made once. */
static void test_concurrent(void **state)
{
	enum { PULLS = 8 };
	pid_t pids[PULLS];
	struct store_image image;
	struct layout l;
	struct err e;

	(void)state;
	remove_store();
	layout_begin(&l, "concurrent");
	for (int i = 0; i < 6; i++) {
		char text[24];

		snprintf(text, sizeof(text), "layer %d", i);
		add_simple_layer(&l, text, "gzip");
	}
	layout_end_image(&l, "x", NULL);
	layout_write(&l);
	for (size_t i = 0; i < PULLS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			struct seen seen = { 0 };
			struct oci_progress progress = { .layer = see_layer, .data = &seen };
			struct store own;
			struct err error = ERR_INIT;

			if (store_open(&own, store.path, &error) < 0)
				_exit(100);
			store = own;
			_exit(fetch(l.path, l.manifest_digest, &progress, &error) < 0 ? 101
			                                                              : (int)seen.finished);
		}
	}
	{
		int made = 0;

		for (size_t i = 0; i < PULLS; i++) {
			int status;

			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_true(WIFEXITED(status));
			assert_true(WEXITSTATUS(status) < 100);
			made += WEXITSTATUS(status);
		}
		assert_int_equal(made, 6);
	}
	assert_done(store_image_load(&store, l.manifest_digest, &image, &e), e);
	assert_int_equal(image.chain_ids.count, 6);
	store_image_release(&image);
	assert_int_equal(count_entries("tmp"), 0);
	layout_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),       cmocka_unit_test(test_index),
		cmocka_unit_test(test_silent_index), cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_shared),       cmocka_unit_test(test_wrong_digest),
		cmocka_unit_test(test_truncated),    cmocka_unit_test(test_wrong_diff_id),
		cmocka_unit_test(test_wrong_count),  cmocka_unit_test(test_wrong_texts),
		cmocka_unit_test(test_no_space),     cmocka_unit_test(test_offline),
		cmocka_unit_test(test_too_large),    cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_concurrent),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
