/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of source/recipe.c: names that mean one thing, and images of one layer more. */
#include "store_fixture.h"

#include "source/recipe.h"

static void format(const struct recipe *r, struct buf *text, char digest[DIGEST_MAX])
{
	buf_clear(text);
	recipe_format(r, text, digest);
}

static void test_names(void **state)
{
	struct strlist parts = STRLIST_INIT, other = STRLIST_INIT;
	struct recipe r = { .kind = "debian", .platform = "linux/amd64", .below = "", .parts = &parts }, changed;
	char digest[DIGEST_MAX], again[DIGEST_MAX], whole[DIGEST_MAX];
	struct buf text = BUF_INIT;

	(void)state;
	strlist_add(&parts, "bash 5 00");
	strlist_add(&parts, "libc6 2 11");
	format(&r, &text, digest);
	assert_string_equal(text.data, "{\"below\":\"\",\"kind\":\"debian\",\"mediaType\":\"application/vnd.devenv.recipe.v1+json\","
			    "\"parts\":[\"bash 5 00\",\"libc6 2 11\"],\"platform\":\"linux/amd64\",\"schemaVersion\":2}");
	digest_bytes(text.data, text.len, whole);
	assert_string_equal(digest, whole);
	format(&r, &text, again);
	assert_string_equal(digest, again);

	changed = r;
	changed.kind = "packages";
	format(&changed, &text, again);
	assert_string_not_equal(digest, again);
	changed = r;
	changed.platform = "linux/arm64";
	format(&changed, &text, again);
	assert_string_not_equal(digest, again);
	changed = r;
	changed.below = "sha256:00";
	format(&changed, &text, again);
	assert_string_not_equal(digest, again);
	changed = r;
	changed.parts = &other;
	strlist_add(&other, "bash 5 00libc6 2 11"); /* not the same as two */
	format(&changed, &text, again);
	assert_string_not_equal(digest, again);
	changed.parts = NULL;
	format(&changed, &text, again);
	assert_non_null(strstr(text.data, "\"parts\":[]"));
	strlist_release(&parts);
	strlist_release(&other);
	buf_release(&text);
}

/* What was written down is read again; a manifest of a registry, or no JSON at all, is no record. */
static void test_record(void **state)
{
	struct strlist parts = STRLIST_INIT;
	struct recipe r = { .kind = "build", .platform = "linux/amd64", .below = "sha256:00", .parts = &parts };
	struct recipe_record record;
	struct buf text = BUF_INIT;
	char digest[DIGEST_MAX];

	(void)state;
	strlist_add(&parts, "run echo \"1\"\nfalse");
	strlist_add(&parts, "shell ");
	format(&r, &text, digest);
	assert_true(recipe_parse(text.data, &record));
	assert_string_equal(record.kind, "build");
	assert_string_equal(record.below, "sha256:00");
	assert_int_equal(record.parts.count, 2);
	assert_string_equal(record.parts.items[0], "run echo \"1\"\nfalse");
	recipe_record_release(&record);
	assert_false(recipe_parse("{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"kind\":\"build\",\"below\":\"\"}", &record));
	assert_int_equal(record.parts.count, 0);
	assert_false(recipe_parse("x", &record));
	recipe_record_release(&record);
	strlist_release(&parts);
	buf_release(&text);
}

/* Bytes that are no UTF-8 have a name too, and one that no readable text has. */
static void test_any_bytes(void **state)
{
	static const char *const texts[] = { "a\xff", "a\xfe", "a\\xff", "\\a\\xff", "\\a\xff", "" };
	char digests[ARRAY_SIZE(texts)][DIGEST_MAX];
	struct buf text = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct strlist parts = STRLIST_INIT;
		struct recipe r = { .kind = "build", .platform = "linux/amd64", .below = "", .parts = &parts };

		strlist_add(&parts, texts[i]);
		format(&r, &text, digests[i]);
		strlist_release(&parts);
		for (size_t k = 0; k < i; k++)
			if (strcmp(digests[i], digests[k]) == 0)
				fail_msg("%zu and %zu have one name", i, k);
	}
	buf_release(&text);
}

static void publish(const struct recipe *r, const char *config, char digest[DIGEST_MAX])
{
	struct store_stage stage;
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(store_stage_new(&store, &stage, &e), 0);
	assert_int_equal(mkdirat(stage.fd, "fs", 0755), 0);
	stage_write(&stage, "fs/made", r->kind);
	stage_write(&stage, "owners", "devenv-owners 1\n");
	if (recipe_publish(&store, r, &stage, config, &e) < 0)
		fail_msg("%s", e.msg);
	store_stage_drop(&store, &stage);
	recipe_format(r, &text, digest);
	buf_release(&text);
}

static void test_publish(void **state)
{
	struct strlist parts = STRLIST_INIT;
	struct recipe base = { .kind = "debian", .platform = "linux/amd64", .below = "", .parts = &parts }, top;
	char base_digest[DIGEST_MAX], top_digest[DIGEST_MAX];
	struct store_image image;
	struct err e = ERR_INIT;

	(void)state;
	open_store();
	strlist_add(&parts, "bash 5 00");
	publish(&base, NULL, base_digest);
	assert_int_equal(store_image_load(&store, base_digest, &image, &e), 0);
	assert_int_equal(image.chain_ids.count, 1);
	assert_string_equal(image.chain_ids.items[0], base_digest);
	assert_non_null(strstr(image.config, "\"architecture\":\"amd64\""));
	assert_non_null(strstr(image.config, "PATH=/usr/local/sbin:"));
	store_image_release(&image);

	top = base;
	top.kind = "packages";
	top.below = base_digest;
	publish(&top, "{\"config\":{}}", top_digest);
	assert_int_equal(store_image_load(&store, top_digest, &image, &e), 0);
	assert_int_equal(image.chain_ids.count, 2);
	assert_string_equal(image.chain_ids.items[0], base_digest);
	assert_string_equal(image.chain_ids.items[1], top_digest);
	assert_string_equal(image.config, "{\"config\":{}}");
	store_image_release(&image);
	publish(&top, NULL, top_digest); /* once more is fine */

	top.below = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
	{
		struct store_stage stage;

		assert_int_equal(store_stage_new(&store, &stage, &e), 0);
		assert_int_equal(recipe_publish(&store, &top, &stage, NULL, &e), -1);
		assert_int_equal(e.code, ERR_NOT_FOUND);
		store_stage_drop(&store, &stage);
	}
	strlist_release(&parts);
	close_store();
}

int main(void)
{
	const struct CMUnitTest tests[] = { tempdir_test(test_names), tempdir_test(test_record), tempdir_test(test_any_bytes), tempdir_test(test_publish) };

	return cmocka_run_group_tests_name("source_recipe", tests, NULL, NULL);
}
