/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_source_registry.c - resolving and fetching from a real registry (the docker-registry program) on
 * loopback, which skopeo fills; and blobs that are damaged behind its back.
 */
#include "source_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

#include "store/store.h"

static struct store store;
static struct user_config user;
static pid_t registry_pid;
static int registry_port;

static void address_of(int port, struct sockaddr_in *address)
{
	*address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

static int free_port(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = -1;
	struct sockaddr_in address;
	socklen_t len = sizeof(address);

	address_of(0, &address);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &len) == 0)
		port = ntohs(address.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

static bool answers(int port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address;
	bool yes;

	address_of(port, &address);
	yes = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return yes;
}

static void start_registry(void)
{
	char *config = fixture_path("registry.yml"), *log = fixture_path("registry.log"), *text;

	registry_port = free_port();
	assert_true(registry_port > 0);
	text = mem_printf("version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: %s/registry\n"
	                  "http:\n  addr: 127.0.0.1:%d\n",
	                  fixture_dir, registry_port);
	write_file(config, text);
	free(text);
	registry_pid = fork();
	if (registry_pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		unsetenv("REGISTRY_AUTH_FILE"); /* REGISTRY_... would override the registry's configuration */
		dup2(fd, 1);
		dup2(fd, 2);
		execlp("docker-registry", "docker-registry", "serve", config, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 600 && !answers(registry_port); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	free(config);
	free(log);
}

/* Neither the credentials nor the proxy of whoever runs this. */
static void forget_surroundings(void)
{
	char *auth = fixture_path("auth.json");

	write_file(auth, "{}");
	setenv("REGISTRY_AUTH_FILE", auth, 1);
	setenv("DOCKER_CONFIG", fixture_dir, 1);
	unsetenv("http_proxy");
	unsetenv("HTTP_PROXY");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	free(auth);
}

static int setup(void **state)
{
	struct err e = ERR_INIT;
	char *path;
	int r;

	if (fixture_setup(state) < 0)
		return -1;
	forget_surroundings();
	user_config_init(&user);
	path = fixture_path("store");
	r = store_open(&store, path, &e);
	free(path);
	if (r == 0 && have_program("docker-registry") && have_program("skopeo"))
		start_registry();
	return r;
}

static int teardown(void **state)
{
	if (registry_pid > 0) {
		kill(registry_pid, SIGTERM);
		waitpid(registry_pid, NULL, 0);
	}
	store_close(&store);
	user_config_release(&user);
	return fixture_teardown(state);
}

static void need_registry(void)
{
	if (registry_pid <= 0)
		skip();
}

static char *reference_to(const char *rest)
{
	return mem_printf("127.0.0.1:%d/%s", registry_port, rest);
}

static void push(const char *layout, const char *reference, bool all)
{
	char *from = mem_printf("oci:%s", layout), *to = mem_printf("docker://%s", reference);

	run("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false",
	    all ? "--all" : "--preserve-digests", from, to, NULL);
	free(from);
	free(to);
}

static int resolve(const char *reference, struct lock_image *out, struct err *e)
{
	struct oci_source source = { .kind = OCI_REGISTRY, .location = reference, .request = reference };
	struct oci_context context = { .user = &user };

	*e = ERR_INIT;
	*out = (struct lock_image){ 0 };
	return oci_resolve(&context, &source, out, e);
}

static int fetch(const char *reference, const char *digest, bool offline, struct err *e)
{
	struct oci_source source = { .kind = OCI_REGISTRY, .location = reference, .request = reference };
	struct oci_context context = { .store = &store, .user = &user, .offline = offline };

	*e = ERR_INIT;
	return oci_fetch(&context, &source, digest, e);
}

static void make_image(struct layout *l, const char *name, size_t layers)
{
	static const char *const compressors[] = { "gzip", "zstd", NULL };

	layout_begin(l, name);
	for (size_t i = 0; i < layers; i++) {
		char *tree = mem_printf("%s-%zu", name, i), *file = fixture_path("%s/dir-%zu/file", tree, i);

		write_file(file, tree);
		layout_add_layer(l, tree, compressors[i % 3]);
		free(file);
		free(tree);
	}
	layout_end_image(l, NULL, NULL);
	layout_write(l);
}

static void test_pull(void **state)
{
	struct store_image stored;
	struct lock_image image;
	struct layout l;
	char *reference;
	struct err e;

	(void)state;
	need_registry();
	make_image(&l, "pull", 9);
	reference = reference_to("team/pull:1");
	push(l.path, reference, false);
	assert_done(resolve(reference, &image, &e), e);
	assert_null(image.index);
	assert_int_equal(image.manifest_count, 1);
	assert_string_equal(image.manifests[0].digest, l.manifest_digest);
	assert_done(fetch(reference, l.manifest_digest, false, &e), e);
	assert_done(store_image_load(&store, l.manifest_digest, &stored, &e), e);
	assert_int_equal(stored.chain_ids.count, 9);
	for (size_t i = 0; i < 9; i++) {
		char *tree = store_layer_path(&store, stored.chain_ids.items[i]),
		     *name = mem_printf("%s/dir-%zu/file", tree, i), *content = mem_printf("pull-%zu", i),
		     *text = read_file(name);

		assert_string_equal(text, content);
		free(tree);
		free(name);
		free(content);
		free(text);
	}
	store_image_release(&stored);
	assert_done(fetch(reference, l.manifest_digest, true, &e), e); /* complete: works offline */
	lock_image_release(&image);
	free(reference);
	layout_release(&l);
}

static void test_index(void **state)
{
	char *reference, *pinned, index[DIGEST_MAX];
	struct lock_image image;
	struct layout l;
	struct err e;

	(void)state;
	need_registry();
	layout_begin(&l, "multi");
	for (int i = 0; i < 2; i++) {
		char *tree = mem_printf("multi-%d", i), *file = fixture_path("%s/file", tree);

		write_file(file, tree);
		layout_add_layer(&l, tree, "gzip");
		l.architecture = i ? "arm64" : "amd64";
		layout_end_image(&l, NULL, i ? "v8" : "");
		free(tree);
		free(file);
	}
	layout_nest(&l, NULL, index);
	layout_write(&l);
	reference = reference_to("multi:latest");
	push(l.path, reference, true);
	assert_done(resolve(reference, &image, &e), e);
	assert_string_equal(image.index, index);
	assert_int_equal(image.manifest_count, 2);
	assert_non_null(lock_manifest_digest(&image, "linux/amd64"));
	assert_non_null(lock_manifest_digest(&image, "linux/arm64"));
	pinned = mem_printf("127.0.0.1:%d/multi:gone@%s", registry_port, index);
	lock_image_release(&image);
	assert_done(resolve(pinned, &image, &e), e); /* the digest counts, not the tag */
	assert_string_equal(image.index, index);
	lock_image_release(&image);
	free(reference);
	free(pinned);
	layout_release(&l);
}

static void test_missing(void **state)
{
	struct lock_image image;
	char *reference;
	struct err e;

	(void)state;
	need_registry();
	reference = reference_to("no/such:thing");
	assert_error(resolve(reference, &image, &e), e, ERR_NOT_FOUND, "no/such");
	assert_error(fetch(reference,
	                   "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", false,
	                   &e),
	             e, ERR_NOT_FOUND, "no/such");
	free(reference);
}

/* The registry's own copy of the first layer of `l`. */
static char *stored_blob(const struct layout *l)
{
	char *path = blob_file(l->path, l->manifest_digest), *text = read_file(path), *hex, *blob;

	hex = strstr(strstr(text, "\"layers\""), "sha256:") + strlen("sha256:");
	hex[64] = '\0';
	blob = fixture_path("registry/docker/registry/v2/blobs/sha256/%.2s/%s/data", hex, hex);
	free(path);
	free(text);
	return blob;
}

static void test_damaged(void **state)
{
	static const char *const names[] = { "flipped", "shortened", "lengthened", "removed" };

	(void)state;
	need_registry();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct store_image stored;
		struct layout l;
		char *reference, *rest, *blob, byte;
		struct stat st;
		struct err e;
		int fd;

		make_image(&l, names[i], 1);
		rest = mem_printf("bad/%s:1", names[i]);
		reference = reference_to(rest);
		push(l.path, reference, false);
		blob = stored_blob(&l);
		fd = open(blob, O_RDWR | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &st), 0);
		if (i == 0) {
			assert_int_equal(pread(fd, &byte, 1, st.st_size / 2), 1);
			byte = (char)(byte ^ 1);
			assert_int_equal(pwrite(fd, &byte, 1, st.st_size / 2), 1);
		} else if (i == 3) {
			assert_int_equal(unlink(blob), 0);
		} else {
			assert_int_equal(ftruncate(fd, i == 1 ? st.st_size - 7 : st.st_size + 7), 0);
		}
		close(fd);
		assert_int_equal(fetch(reference, l.manifest_digest, false, &e), -1);
		if (i < 3 && e.code != ERR_INTEGRITY)
			fail_msg("%s: %s: %s", names[i], err_code_name(e.code), e.msg);
		assert_int_equal(store_image_load(&store, l.manifest_digest, &stored, &e), -1);
		free(blob);
		free(rest);
		free(reference);
		layout_release(&l);
	}
	{
		char *tmp = path_join(store.path, "tmp");

		assert_int_equal(rmdir(tmp), 0); /* only an empty one can be removed */
		assert_int_equal(mkdir(tmp, 0700), 0);
		free(tmp);
	}
}

/* Many processes, one download of each blob: counted in the registry's own log. */
static void test_one_download(void **state)
{
	enum { PULLS = 6, LAYERS = 7 };
	char *reference, *log, *path = fixture_path("registry.log"), *at;
	pid_t pids[PULLS];
	struct layout l;
	int fetched = 0;

	(void)state;
	need_registry();
	make_image(&l, "once", LAYERS);
	reference = reference_to("once:1");
	push(l.path, reference, false);
	for (size_t i = 0; i < PULLS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct err e = ERR_INIT;
			struct store own;

			if (store_open(&own, store.path, &e) < 0)
				_exit(1);
			store = own;
			_exit(fetch(reference, l.manifest_digest, false, &e) < 0);
		}
	}
	for (size_t i = 0; i < PULLS; i++) {
		int status;

		waitpid(pids[i], &status, 0);
		assert_int_equal(status, 0);
	}
	log = read_file(path);
	for (at = log; (at = strstr(at, "\"GET /v2/once/blobs/")); at++)
		fetched++;
	/* the config by each of them, the layers by one of them altogether */
	if (fetched > PULLS + LAYERS)
		fail_msg("%d blobs were fetched", fetched);
	assert_true(fetched >= LAYERS + 1);
	free(log);
	free(path);
	free(reference);
	layout_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pull),         cmocka_unit_test(test_index),
		cmocka_unit_test(test_missing),      cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_one_download),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
