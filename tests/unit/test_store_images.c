/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of store/layers.c, images.c, names.c and list.c. */
#include "store_fixture.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "store/layout.h"

static void test_chain_ids(void **state)
{
	static const char a[] = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	char id[DIGEST_MAX], expected[DIGEST_MAX], text[300];

	(void)state;
	store_chain_id(NULL, a, id);
	assert_string_equal(id, a);
	snprintf(text, sizeof(text), "%s %s", a, a);
	digest_bytes(text, strlen(text), expected);
	store_chain_id(a, a, id);
	assert_string_equal(id, expected);
}

static void test_layers(void **state)
{
	char low[DIGEST_MAX], top[DIGEST_MAX], parent[DIGEST_MAX], *path;
	struct store_stage st;
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	open_store();
	add_layer(&store, "low", NULL, low);
	add_layer(&store, "top", low, top);
	assert_true(store_has_layer(&store, top));
	assert_false(store_has_layer(&store, "sha256:../../etc"));
	assert_false(store_has_layer(&store, ""));
	assert_int_equal(store_layer_bytes(&store, top), 8192);
	assert_true(store_layer_parent(&store, top, parent));
	assert_string_equal(parent, low);
	assert_false(store_layer_parent(&store, low, parent));
	fd = store_layer_open(&store, top, &e);
	assert_true(fd >= 0);
	assert_true(file_exists(fd, "content"));
	close(fd);
	path = store_layer_path(&store, top);
	assert_int_equal(access(path, F_OK), 0);
	free(path);
	assert_int_equal(
		store_layer_open(&store,
	                         "sha256:0000000000000000000000000000000000000000000000000000000000000000",
	                         &e),
		-1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	/* once more: success, and the first stays */
	add_layer(&store, "top", low, top);
	assert_int_equal(count_in("layers"), 2);
	assert_int_equal(count_in("tmp"), 0);
	/* without a tree, or with a bad name: refused; without meta: measured */
	assert_int_equal(store_stage_new(&store, &st, &e), 0);
	assert_int_equal(store_layer_publish(&store, &st, top, &e), -1);
	assert_int_equal(mkdirat(st.fd, "fs", 0555), 0);
	assert_int_equal(store_layer_publish(&store, &st, "sha256:short", &e), -1);
	digest_bytes("other", 5, low);
	assert_int_equal(store_layer_publish(&store, &st, low, &e), 0);
	store_stage_drop(&store, &st);
	assert_true(store_has_layer(&store, low));
	close_store();
}

static void test_layer_lock(void **state)
{
	char id[DIGEST_MAX];
	struct err e = ERR_INIT;
	int pipes[2];
	char order[8] = "";
	pid_t pid;
	int fd, other;

	(void)state;
	open_store();
	digest_bytes("x", 1, id);
	assert_int_equal(store_layer_lock(&store, "nonsense", &e), -1);
	fd = store_layer_lock(&store, id, &e);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		struct store s;

		close(fd); /* a fork shares the lock: only the last close releases it */
		if (store_open(&s, store_path, &e) < 0 || store_layer_lock(&s, id, &e) < 0)
			_exit(1);
		_exit(write(pipes[1], "2", 1) != 1);
	}
	usleep(50000);
	assert_int_equal(write(pipes[1], "1", 1), 1);
	digest_bytes("y", 1, id);
	other = store_layer_lock(&store, id, &e); /* another layer's is free */
	assert_true(other >= 0);
	close(other);
	close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read(pipes[0], order, 2), 2);
	assert_string_equal(order, "12");
	close(pipes[0]);
	close(pipes[1]);
	close_store();
}

/* Many pulls of one layer: one of them does the work. */
static void test_one_download(void **state)
{
	enum { PROCESSES = 24 };
	int counter = openat(tempfd, "downloads", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	pid_t pids[PROCESSES];
	struct stat st;

	(void)state;
	open_store();
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			char id[DIGEST_MAX];
			struct err e = ERR_INIT;
			struct store s;
			int lock;

			digest_bytes("layer", 5, id);
			if (store_open(&s, store_path, &e) < 0)
				_exit(1);
			lock = store_layer_lock(&s, id, &e);
			if (lock < 0)
				_exit(2);
			if (!store_has_layer(&s, id)) {
				if (write(counter, "x", 1) != 1)
					_exit(3);
				add_layer(&s, "layer", NULL, id);
			}
			close(lock);
			_exit(store_has_layer(&s, id) ? 0 : 4);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(fstat(counter, &st), 0);
	assert_int_equal(st.st_size, 1);
	close(counter);
	close_store();
}

static void test_images(void **state)
{
	char digest[DIGEST_MAX], *record, *layer;
	struct store_image image, bad;
	struct err e = ERR_INIT;

	(void)state;
	open_store();
	add_image(&store, "one", digest);
	add_image(&store, "one", digest); /* again: success */
	assert_int_equal(store_image_load(&store, digest, &image, &e), 0);
	assert_string_equal(image.manifest, "{\"name\":\"one\"}");
	assert_string_equal(image.digest, digest);
	assert_int_equal(image.chain_ids.count, 2);
	assert_true(store_has_layer(&store, image.chain_ids.items[1]));
	/* not under a digest that is another's; not without its layers */
	bad = image;
	bad.digest[10] ^= 1;
	assert_int_equal(store_image_publish(&store, &bad, &e), -1);
	assert_int_equal(e.code, ERR_INTEGRITY);
	assert_int_equal(store_image_load(&store, "sha256:1", &bad, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	/* a damaged record is no record, and is replaced */
	record = mem_printf("store/images/%s/config.json", digest_hex(digest));
	assert_int_equal(unlinkat(tempfd, record, 0), 0);
	assert_int_equal(store_image_load(&store, digest, &bad, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(store_image_publish(&store, &image, &e), 0);
	assert_true(file_exists(tempfd, record));
	assert_int_equal(count_in("tmp"), 0);
	/* a record whose layer is missing is not there either */
	layer = mem_printf("store/layers/%s", digest_hex(image.chain_ids.items[1]));
	assert_int_equal(file_remove_tree(tempfd, layer, &e), 0);
	assert_int_equal(store_image_load(&store, digest, &bad, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(store_image_publish(&store, &image, &e), -1);
	store_image_release(&image);
	store_image_release(&image);
	free(record);
	free(layer);
	close_store();
}

static void test_names(void **state)
{
	static const char *const names[] = { "docker.io/library/python:3.12-slim",
		                             "localhost:5000/a/b@sha256:00", ".hidden", "odd name\n%",
		                             "a+b=c" };
	char digest[DIGEST_MAX], back[DIGEST_MAX];
	struct store_list_item *items;
	struct err e = ERR_INIT;
	size_t count;
	char *lengthy;

	(void)state;
	open_store();
	add_image(&store, "one", digest);
	assert_int_equal(store_list(&store, &items, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_null(items[0].reference);
	store_list_free(items, count);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(store_name_get(&store, names[i], back, &e), -1);
		assert_int_equal(e.code, ERR_NOT_FOUND);
		assert_int_equal(store_name_set(&store, names[i], digest, &e), 0);
		assert_int_equal(store_name_set(&store, names[i], digest, &e), 0);
		assert_int_equal(store_name_get(&store, names[i], back, &e), 0);
		assert_string_equal(back, digest);
	}
	assert_int_equal(store_list(&store, &items, &count, &e), 0);
	assert_int_equal(count, ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = 0;

		while (n < count && strcmp(items[n].reference, names[i]) != 0)
			n++;
		if (n == count)
			fail_msg("%s is not listed", names[i]);
		assert_string_equal(items[n].digest, digest);
		assert_int_equal(items[n].bytes, 2 * 8192);
		assert_int_equal(items[n].layer_count, 2);
		assert_int_equal(items[n].created, 1715641323);
		assert_true(items[n].pulled > 1500000000);
	}
	store_list_free(items, count);
	assert_int_equal(store_name_remove(&store, names[0], &e), 0);
	assert_int_equal(store_name_remove(&store, names[0], &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(store_name_set(&store, "x", "latest", &e), -1);
	assert_int_equal(store_name_set(&store, "", digest, &e), -1);
	lengthy = mem_alloc(400);
	memset(lengthy, 'x', 300);
	assert_int_equal(store_name_set(&store, lengthy, digest, &e), -1);
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_int_equal(count_in("tmp"), 0);
	free(lengthy);
	close_store();
}

static void test_created(void **state)
{
	(void)state;
	assert_int_equal(store_created("{\"created\":\"1970-01-02T00:00:00Z\"}"), 86400);
	assert_int_equal(store_created("{\"a\":{\"created\":\"1970-01-02T00:00:00Z\"}}"), 0);
	assert_int_equal(store_created(
				 "{\"x\":\"\\\"created\\\":1\",\"created\":\"1970-01-01T00:00:01-00:01\"}"),
	                 61);
	assert_int_equal(store_created("{\"created\":null}"), 0);
	assert_int_equal(store_created("{\"created\":\"yesterday\"}"), 0);
	assert_int_equal(store_created("{\"created\":\"1970-01-02T00:00:00\"}"), 0);
	assert_int_equal(store_created("{\"created"), 0);
	assert_int_equal(store_created(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_chain_ids),    tempdir_test(test_layers), tempdir_test(test_layer_lock),
		tempdir_test(test_one_download), tempdir_test(test_images), tempdir_test(test_names),
		tempdir_test(test_created),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
