/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of store/gc.c: what goes, what stays, what is told; and collecting while others publish and read. */
#include "store_fixture.h"
#include "source/recipe.h"

#include <sys/wait.h>

struct told {
	size_t count;
	uint64_t bytes;
};

static void tell(void *data, const char *kind, const char *name, uint64_t bytes)
{
	struct told *t = data;

	assert_non_null(kind);
	assert_true(strlen(name) > 0);
	t->count++;
	t->bytes += bytes;
}

struct late { /* what is known only once nobody else has the store */
	struct store_gc gc;
	const char *keep;
	bool fails;
};

static int survey(void *data, struct store *s, struct err *e)
{
	struct late *late = data;
	cleanup_close int other = openat(s->fd, "lock", O_RDWR | O_CLOEXEC);

	assert_true(other >= 0);
	assert_int_equal(file_lock(other, false, false, e), -1);
	assert_int_equal(e->code, ERR_BUSY);
	*e = ERR_INIT;
	strlist_add(&late->gc.keep, late->keep);
	strlist_add(&late->gc.forget, "example.org/old:1");
	return late->fails ? err_set(e, ERR_FAILED, "can't tell") : 0;
}

static void collect(struct store_gc *gc)
{
	struct err e = ERR_INIT;

	if (store_gc(&store, gc, &e) < 0)
		fail_msg("%s", e.msg);
}

static void test_collect(void **state)
{
	struct told told = { 0 };
	struct store_gc gc = { .removed = tell, .data = &told, .dry_run = true };
	char named[DIGEST_MAX], kept[DIGEST_MAX], dead[DIGEST_MAX], loose[DIGEST_MAX], single[DIGEST_MAX];
	struct store_image image;
	struct err e = ERR_INIT;

	(void)state;
	open_store();
	add_image(&store, "named", named);
	add_image(&store, "kept", kept);
	add_image(&store, "dead", dead);
	add_layer(&store, "loose", NULL, loose); /* of an interrupted pull */
	add_layer(&store, "single", loose, single);
	assert_int_equal(store_name_set(&store, "example.org/named:1", named, &e), 0);
	assert_int_equal(mkdirat(tempfd, "store/tmp/abandoned", 0700), 0);
	tempdir_write("store/tmp/abandoned/file", "text");
	close(store_layer_lock(&store, loose, &e));
	strlist_add(&gc.keep, kept);
	strlist_add(&gc.keep, "sha256:0000000000000000000000000000000000000000000000000000000000000000");
	strlist_add(&gc.keep, "nonsense");

	collect(&gc); /* dry */
	assert_int_equal(gc.images, 1);
	assert_int_equal(gc.layers, 3); /* dead's own, loose, single; "shared" is shared */
	assert_int_equal(gc.stages, 1);
	assert_int_equal(told.count, 5);
	assert_true(told.bytes == gc.bytes && gc.bytes >= 3 * 8192);
	assert_int_equal(count_in("images"), 3);
	assert_int_equal(count_in("layers"), 6);
	assert_int_equal(count_in("locks"), 1);

	strlist_add(&gc.keep, single); /* a layer by itself keeps what is below it */
	gc.dry_run = false;
	collect(&gc);
	assert_int_equal(gc.images, 1);
	assert_int_equal(gc.layers, 1);
	assert_int_equal(count_in("images"), 2);
	assert_int_equal(count_in("layers"), 5);
	assert_int_equal(count_in("tmp"), 0);
	assert_int_equal(count_in("locks"), 0);
	assert_true(store_has_layer(&store, loose));
	assert_int_equal(store_image_load(&store, named, &image, &e), 0);
	store_image_release(&image);
	assert_int_equal(store_image_load(&store, kept, &image, &e), 0);
	store_image_release(&image);
	assert_int_equal(store_image_load(&store, dead, &image, &e), -1);

	strlist_release(&gc.keep);
	assert_int_equal(store_name_remove(&store, "example.org/named:1", &e), 0);
	collect(&gc);
	assert_int_equal(count_in("images"), 0);
	assert_int_equal(count_in("layers"), 0);
	collect(&gc);
	assert_int_equal(gc.bytes, 0);
	close_store();
}

static void make_image(const char *kind, const char *below, char digest[DIGEST_MAX])
{
	struct recipe r = { kind, "linux/amd64", below, NULL };
	cleanup_buf struct buf text = BUF_INIT;
	struct store_stage stage;
	struct err e = ERR_INIT;

	recipe_format(&r, &text, digest);
	assert_int_equal(store_stage_new(&store, &stage, &e), 0);
	assert_int_equal(mkdirat(stage.fd, "fs", 0755), 0);
	if (recipe_publish(&store, &r, &stage, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	store_stage_drop(&store, &stage);
}

/* An image that was made here is called as its own layer: while another stands on it, it need not be made again. */
static void test_made_images_stay_below(void **state)
{
	struct store_gc gc = { 0 };
	char below[DIGEST_MAX], top[DIGEST_MAX];
	struct store_image loaded;
	struct err e = ERR_INIT;

	(void)state;
	open_store();
	make_image("build", "", below);
	make_image("personal", below, top);
	strlist_add(&gc.keep, top);
	collect(&gc);
	assert_int_equal(gc.images, 0);
	assert_int_equal(store_image_load(&store, below, &loaded, &e), 0);
	store_image_release(&loaded);
	strlist_release(&gc.keep);
	collect(&gc);
	assert_int_equal(count_in("images"), 0);
	close_store();
}

static void note(void *data, const char *kind, const char *name, uint64_t bytes)
{
	buf_addf(data, "%s %s %llu\n", kind, name, (unsigned long long)bytes);
}

/* Names that go take along what only they held; a dry run says the same. */
static void test_dry_run_is_the_truth(void **state)
{
	cleanup_buf struct buf said = BUF_INIT, done = BUF_INIT;
	struct store_gc dry = { .dry_run = true, .removed = note, .data = &said };
	struct store_gc gc = { .removed = note, .data = &done };
	char old[DIGEST_MAX], kept[DIGEST_MAX];
	struct err e = ERR_INIT;

	(void)state;
	open_store();
	add_image(&store, "old", old);
	add_image(&store, "kept", kept);
	assert_int_equal(store_name_set(&store, "example.org/old:1", old, &e), 0);
	assert_int_equal(store_name_set(&store, "example.org/kept:1", kept, &e), 0);
	strlist_add(&dry.forget, "example.org/old:1");
	strlist_add(&gc.forget, "example.org/old:1");
	collect(&dry);
	assert_int_equal(dry.names, 1);
	assert_int_equal(dry.images, 1);
	assert_int_equal(dry.layers, 1);
	assert_int_equal(count_in("names"), 2);
	collect(&gc);
	assert_string_equal(said.data, done.data);
	assert_true(dry.bytes == gc.bytes && gc.bytes > 0);
	assert_int_equal(count_in("names"), 1);
	assert_int_equal(count_in("images"), 1);
	strlist_release(&dry.forget);
	strlist_release(&gc.forget);
	close_store();
}

/* Layers with unwritable and unreadable directories go too. */
static void test_unwritable(void **state)
{
	struct store_gc gc = { 0 };
	struct store_stage st;
	struct err e = ERR_INIT;
	char id[DIGEST_MAX];

	(void)state;
	open_store();
	assert_int_equal(store_stage_new(&store, &st, &e), 0);
	assert_int_equal(mkdirat(st.fd, "fs", 0755), 0);
	assert_int_equal(mkdirat(st.fd, "fs/d", 0755), 0);
	stage_write(&st, "fs/d/f", "x");
	assert_int_equal(fchmodat(st.fd, "fs/d/f", 0, 0), 0);
	assert_int_equal(fchmodat(st.fd, "fs/d", 0, 0), 0);
	assert_int_equal(fchmodat(st.fd, "fs", 0555, 0), 0);
	digest_bytes("u", 1, id);
	assert_int_equal(store_layer_publish(&store, &st, id, &e), 0);
	store_stage_drop(&store, &st);
	collect(&gc);
	assert_int_equal(gc.layers, 1);
	assert_int_equal(count_in("layers"), 0);
	assert_int_equal(count_in("tmp"), 0);
	close_store();
}

/* Pull and read against gc: a reader that has the store open never loses what it looks at. */
static void work(int number, int rounds)
{
	char digest[DIGEST_MAX], name[16];

	snprintf(name, sizeof(name), "image%d", number);
	for (int i = 0; i < rounds; i++) {
		struct store s;
		struct store_image image;
		struct err e = ERR_INIT;
		int fd;

		if (store_open(&s, store_path, &e) < 0)
			_exit(1);
		add_image(&s, name, digest);
		if (store_image_load(&s, digest, &image, &e) < 0)
			_exit(2);
		fd = store_layer_open(&s, image.chain_ids.items[1], &e);
		if (fd < 0 || !file_exists(fd, "content"))
			_exit(3);
		close(fd);
		store_image_release(&image);
		store_close(&s);
	}
	_exit(0);
}

static void test_against_work(void **state)
{
	enum { PROCESSES = 4, ROUNDS = 8 };
	pid_t pids[PROCESSES];
	struct store_gc gc = { 0 };

	(void)state;
	open_store();
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			work(i, ROUNDS);
	}
	for (int done = 0; done < PROCESSES;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		collect(&gc);
		if (pid > 0) {
			assert_int_equal(status, 0);
			done++;
		}
		usleep(2000);
	}
	collect(&gc);
	assert_int_equal(count_in("images"), 0);
	assert_int_equal(count_in("layers"), 0);
	assert_int_equal(count_in("tmp"), 0);
	close_store();
}

static void test_survey(void **state)
{
	char kept[DIGEST_MAX], old[DIGEST_MAX];
	struct late late = { .gc = { .survey = survey, .data = &late }, .keep = kept, .fails = true };
	struct err e = ERR_INIT;

	(void)state;
	open_store();
	add_image(&store, "kept", kept);
	add_image(&store, "old", old);
	assert_int_equal(store_name_set(&store, "example.org/old:1", old, &e), 0);
	assert_int_equal(store_gc(&store, &late.gc, &e), -1);
	assert_string_equal(e.msg, "can't tell");
	assert_int_equal(count_in("images"), 2);
	late.fails = false;
	strlist_release(&late.gc.forget);
	collect(&late.gc);
	assert_int_equal(late.gc.names, 1);
	assert_int_equal(late.gc.images, 1);
	assert_int_equal(count_in("images"), 1);
	strlist_release(&late.gc.keep);
	strlist_release(&late.gc.forget);
	close_store();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_collect),
		tempdir_test(test_made_images_stay_below),
		tempdir_test(test_dry_run_is_the_truth),
		tempdir_test(test_unwritable),
		tempdir_test(test_survey),
		tempdir_test(test_against_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
