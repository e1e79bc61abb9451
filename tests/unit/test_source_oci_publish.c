/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that get their names while others are made: all of them, in order, and none after one that failed. */
#include "store_fixture.h"

#include "base/buf.h"
#include "source/oci_publish.h"

enum { LAYERS = 20 };

static void id_of(int n, char id[DIGEST_MAX])
{
	digest_bytes(&n, sizeof(n), id);
}

/* Without a tree it can't be published. */
static int give(struct oci_publish *p, int n, bool tree, struct err *e)
{
	struct store_stage stage;
	char id[DIGEST_MAX];
	int lock, result;

	id_of(n, id);
	assert_int_equal(store_stage_new(&store, &stage, e), 0);
	if (tree)
		assert_int_equal(mkdirat(stage.fd, "fs", 0755), 0);
	lock = store_layer_lock(&store, id, e);
	assert_true(lock >= 0);
	result = oci_publish_give(p, &stage, lock, id, e);
	assert_int_equal(stage.fd, -1); /* taken, either way */
	return result;
}

/* What was taken is done with: nothing is staged, and no lock is held. */
static void check_rest(void)
{
	cleanup_strlist struct strlist staged = STRLIST_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(file_names(store.fd, "tmp", false, &staged, &e), 0);
	assert_int_equal(staged.count, 0);
	for (int n = 0; n < LAYERS; n++) {
		char id[DIGEST_MAX];
		int lock;

		id_of(n, id);
		lock = store_layer_lock(&store, id, &e); /* waits for ever where it is held */
		assert_true(lock >= 0);
		close(lock);
	}
}

static void test_all(void **state)
{
	struct err e = ERR_INIT;
	struct oci_publish *p;

	(void)state;
	open_store();
	p = oci_publish_start(&store, &e);
	assert_non_null(p);
	for (int n = 0; n < LAYERS; n++)
		assert_int_equal(give(p, n, true, &e), 0);
	assert_int_equal(oci_publish_end(p, &e), 0);
	for (int n = 0; n < LAYERS; n++) {
		char id[DIGEST_MAX];

		id_of(n, id);
		assert_true(store_has_layer(&store, id));
	}
	check_rest();
	close_store();
}

static void test_failure(void **state)
{
	struct err e = ERR_INIT, last = ERR_INIT;
	struct oci_publish *p;
	char id[DIGEST_MAX];
	bool gap = false;

	(void)state;
	open_store();
	p = oci_publish_start(&store, &e);
	assert_non_null(p);
	for (int n = 0; n <= LAYERS / 2; n++)
		assert_int_equal(give(p, n, n < LAYERS / 2, &e), 0);
	id_of(LAYERS / 2, id);
	close(store_layer_lock(&store, id, &e)); /* when its turn is over */
	for (int n = LAYERS / 2 + 1; n < LAYERS; n++)
		assert_int_equal(give(p, n, true, &e), -1);
	assert_int_equal(oci_publish_end(p, &last), -1);
	assert_int_equal(last.code, ERR_STORE);
	for (int n = 0; n < LAYERS; n++) {
		bool there;

		id_of(n, id);
		there = store_has_layer(&store, id);
		assert_false(there && gap);
		assert_false(there && n >= LAYERS / 2);
		gap = gap || !there;
	}
	check_rest();
	close_store();
}

static void test_nothing(void **state)
{
	struct err e = ERR_INIT;
	struct oci_publish *p;

	(void)state;
	open_store();
	assert_int_equal(oci_publish_end(NULL, &e), 0);
	p = oci_publish_start(&store, &e);
	assert_non_null(p);
	assert_int_equal(oci_publish_end(p, &e), 0);
	check_rest();
	close_store();
}

int main(void)
{
	const struct CMUnitTest tests[] = { tempdir_test(test_all), tempdir_test(test_failure), tempdir_test(test_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
