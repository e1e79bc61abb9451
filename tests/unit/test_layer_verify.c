/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what layer_apply refuses: wrong sizes and digests, damage, rubbish behind the end, bombs; and cancelling. */
#include "layer_fixture.h"

#include "namespaces.h"

static void sample(struct tarball *t)
{
	tarball_dir(t, "d/", 0755);
	tarball_file(t, "d/f", "content");
	tarball_end(t);
}

static void digest_of(const struct buf *b, char out[DIGEST_MAX])
{
	digest_bytes(b->data, b->len, out);
}

static void expect(struct layer_run *run, const struct buf *bytes, enum err_code code, const char *message)
{
	static int counter;
	char tree[16];

	snprintf(tree, sizeof(tree), "t%d", counter++);
	if (layer_run(run, bytes, tree) == 0) {
		if (message)
			fail_msg("applied, without '%s'", message);
		return;
	}
	if (!message)
		fail_msg("%s", run->e.msg);
	assert_int_equal(run->e.code, code);
	if (!strstr(run->e.msg, message))
		fail_msg("'%s' has no '%s'", run->e.msg, message);
}

static void test_good(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct buf packed[3] = { BUF_INIT, BUF_INIT, BUF_INIT };
	char digest[DIGEST_MAX], diff_id[DIGEST_MAX];

	(void)state;
	sample(&t);
	digest_of(&t.bytes, diff_id);
	buf_add(&packed[LAYER_PLAIN], t.bytes.data, t.bytes.len);
	tarball_gzip(&packed[LAYER_GZIP], t.bytes.data, 700, 6);
	tarball_gzip(&packed[LAYER_GZIP], t.bytes.data + 700, t.bytes.len - 700, 6);
	tarball_zstd(&packed[LAYER_ZSTD], t.bytes.data, t.bytes.len);
	for (int c = 0; c < 3; c++)
		for (int detect = 0; detect < 2; detect++)
			for (size_t piece = 0; piece < 4; piece++) {
				struct layer_run run = LAYER_RUN;

				digest_of(&packed[c], digest);
				run.piece = piece;
				run.spec.compression = detect ? LAYER_DETECT : (enum layer_compression)c;
				run.spec.digest = digest;
				run.spec.size = packed[c].len;
				run.spec.diff_id = diff_id;
				expect(&run, &packed[c], ERR_NONE, NULL);
				assert_string_equal(run.result.digest, digest);
				assert_string_equal(run.result.diff_id, diff_id);
				assert_int_equal(run.result.compressed, packed[c].len);
				assert_int_equal(run.result.unpacked, t.bytes.len);
				assert_int_equal(run.result.entries, 2);
			}
	for (int c = 0; c < 3; c++)
		buf_release(&packed[c]);
	tarball_release(&t);
}

static void test_sha512(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct layer_run run = LAYER_RUN;
	struct digest *d = digest_new("sha512:");
	char digest[DIGEST_MAX];

	(void)state;
	sample(&t);
	digest_add(d, t.bytes.data, t.bytes.len);
	digest_end(d, digest);
	run.spec.digest = run.spec.diff_id = digest;
	run.spec.size = t.bytes.len;
	expect(&run, &t.bytes, ERR_NONE, NULL);
	run = LAYER_RUN;
	run.spec.digest = "sha256:ABC";
	expect(&run, &t.bytes, ERR_INTEGRITY, "malformed");
	tarball_release(&t);
}

static void test_wrong(void **state)
{
	static const char other[] = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	struct tarball t = TARBALL_INIT;
	struct buf packed = BUF_INIT;
	struct layer_run run = LAYER_RUN;
	char digest[DIGEST_MAX];

	(void)state;
	sample(&t);
	tarball_gzip(&packed, t.bytes.data, t.bytes.len, 6);
	digest_of(&packed, digest);
	run.spec.digest = other;
	run.spec.size = packed.len;
	expect(&run, &packed, ERR_INTEGRITY, "the layer's digest is");
	run.spec.digest = digest;
	run.spec.size = packed.len + 1;
	expect(&run, &packed, ERR_INTEGRITY, "its manifest says");
	run.spec.size = packed.len - 1;
	expect(&run, &packed, ERR_INTEGRITY, "more than");
	run.spec.size = 0;
	expect(&run, &packed, ERR_INTEGRITY, "more than");
	run.spec.size = packed.len;
	run.spec.diff_id = other;
	expect(&run, &packed, ERR_INTEGRITY, "diff id");
	run.spec.diff_id = NULL;
	run.spec.compression = LAYER_ZSTD;
	expect(&run, &packed, ERR_INTEGRITY, "should be zstd but begins like gzip");
	/* Damage: the answer names the digest, because other bytes came than were asked for. */
	run.spec.compression = LAYER_GZIP;
	packed.data[packed.len / 2] ^= 0x55;
	expect(&run, &packed, ERR_INTEGRITY, "the layer's digest is");
	packed.data[packed.len / 2] ^= 0x55;
	run.spec.digest = NULL;
	run.spec.size = 0;
	packed.data[packed.len - 5] ^= 1;
	expect(&run, &packed, ERR_INTEGRITY, "damaged");
	buf_release(&packed);
	/* A damaged plain tar is not the bytes either. */
	digest_of(&t.bytes, digest);
	run = LAYER_RUN;
	run.spec.digest = digest;
	run.spec.size = t.bytes.len;
	t.bytes.data[600] ^= 1;
	expect(&run, &t.bytes, ERR_INTEGRITY, "the layer's digest is");
	run.spec.digest = NULL;
	expect(&run, &t.bytes, ERR_INTEGRITY, "not a good tar");
	tarball_release(&t);
}

static void test_ends(void **state)
{
	struct tarball t = TARBALL_INIT, entry = TARBALL_INIT;
	struct layer_run run = LAYER_RUN;
	struct buf b = BUF_INIT, packed = BUF_INIT, padding = BUF_INIT;

	(void)state;
	sample(&t);
	for (int i = 0; i < 5000; i++)
		buf_add(&padding, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	buf_add(&b, t.bytes.data, t.bytes.len - 1024); /* no end mark at all */
	expect(&run, &b, ERR_NONE, NULL);
	buf_add(&b, padding.data, 512); /* half a mark */
	expect(&run, &b, ERR_NONE, NULL);
	buf_add(&b, padding.data, padding.len);
	expect(&run, &b, ERR_NONE, NULL);
	buf_adds(&b, "x");
	expect(&run, &b, ERR_INTEGRITY, "after the end");
	tarball_file(&entry, "more", "");
	buf_clear(&b);
	buf_add(&b, t.bytes.data, t.bytes.len);
	buf_add(&b, entry.bytes.data, entry.bytes.len);
	expect(&run, &b, ERR_INTEGRITY, "after the end");
	buf_clear(&b);
	buf_add(&b, t.bytes.data, t.bytes.len - 1024 - 512 - 100); /* within the header of d/f */
	expect(&run, &b, ERR_INTEGRITY, "not a good tar");
	buf_clear(&b);
	buf_add(&b, t.bytes.data, 1024 + 3); /* within its content */
	expect(&run, &b, ERR_INTEGRITY, "not a good tar");
	tarball_gzip(&packed, t.bytes.data, t.bytes.len, 6);
	buf_add(&packed, "\0\0\0\0\0\0\0\0\0\0", 10);
	expect(&run, &packed, ERR_INTEGRITY, "after the end of the gzip data");
	packed.len -= 13;
	expect(&run, &packed, ERR_INTEGRITY, "cut short");
	buf_clear(&b);
	expect(&run, &b, ERR_NONE, NULL); /* nothing is an empty layer */
	buf_add(&b, padding.data, 1024);
	expect(&run, &b, ERR_NONE, NULL);
	buf_clear(&b);
	buf_adds(&b, "<html>not found</html>");
	expect(&run, &b, ERR_INTEGRITY, "not a good tar");
	buf_release(&b);
	buf_release(&packed);
	buf_release(&padding);
	tarball_release(&t);
	tarball_release(&entry);
}

static void test_bombs(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct layer_run run = LAYER_RUN;
	struct buf packed = BUF_INIT;
	char *zeros = mem_alloc(100 << 20);

	(void)state;
	tarball_add_bytes(&t, '0', "zeros", NULL, zeros, 100 << 20);
	tarball_end(&t);
	tarball_gzip(&packed, t.bytes.data, t.bytes.len, 9);
	run.piece = 0;
	expect(&run, &packed, ERR_INTEGRITY, "grows more than 200 times");
	run.spec.max_bytes = 1 << 20;
	expect(&run, &t.bytes, ERR_INTEGRITY, "unpacks to more than");
	assert_true(strlen(run.e.hint) > 0);
	tarball_release(&t);
	buf_clear(&packed);
	/* just small enough, in two files; then one byte more */
	t = TARBALL_INIT;
	run = LAYER_RUN;
	run.spec.max_bytes = 2000;
	tarball_add_bytes(&t, '0', "a", NULL, zeros, 1000);
	tarball_add_bytes(&t, '0', "b", NULL, zeros, 1000);
	expect(&run, &t.bytes, ERR_NONE, NULL);
	tarball_add_bytes(&t, '0', "c", NULL, zeros, 1);
	expect(&run, &t.bytes, ERR_INTEGRITY, "unpacks to more than");
	tarball_release(&t);
	/* a file that is one large hole counts in full */
	t = TARBALL_INIT;
	run = LAYER_RUN;
	tarball_pax(&t, "GNU.sparse.major", "1", 1);
	tarball_pax(&t, "GNU.sparse.minor", "0", 1);
	tarball_pax(&t, "GNU.sparse.name", "hole", 4);
	tarball_pax(&t, "GNU.sparse.realsize", "99999999999999", 14);
	memcpy(zeros, "1\n0\n0\n", 6);
	tarball_add_bytes(&t, '0', "x", NULL, zeros, 512);
	expect(&run, &t.bytes, ERR_INTEGRITY, "unpacks to more than");
	tarball_release(&t);
	free(zeros);
	buf_release(&packed);
}

/* A sparse map of millions of pieces would be kept in memory. */
static void test_header_bombs(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct layer_run run = LAYER_RUN;
	struct buf map = BUF_INIT;

	(void)state;
	buf_adds(&map, "5000000\n");
	for (int i = 0; i < 5000000; i++)
		buf_add(&map, "0\n0\n", 4);
	tarball_pax(&t, "GNU.sparse.major", "1", 1);
	tarball_pax(&t, "GNU.sparse.minor", "0", 1);
	tarball_pax(&t, "GNU.sparse.name", "map", 3);
	tarball_pax(&t, "GNU.sparse.realsize", "0", 1);
	tarball_add_bytes(&t, '0', "x", NULL, map.data, map.len);
	run.piece = 0;
	expect(&run, &t.bytes, ERR_INTEGRITY, "headers are larger than");
	tarball_release(&t);
	/* long attributes, each allowed, are no trouble */
	t = TARBALL_INIT;
	run = LAYER_RUN;
	run.piece = 0;
	for (int i = 0; i < 20; i++) {
		tarball_pax(&t, "SCHILY.xattr.trusted.long", map.data, 900000);
		tarball_file(&t, "f", "");
	}
	expect(&run, &t.bytes, ERR_NONE, NULL);
	assert_int_equal(run.result.xattrs_dropped, 20);
	tarball_release(&t);
	buf_release(&map);
}

static int cancel_after(void *data, uint64_t compressed)
{
	struct layer_run *run = data;

	return compressed > run->result.compressed + 100000;
}

static void test_interrupted(void **state)
{
	struct tarball t = TARBALL_INIT;
	struct layer_run run = LAYER_RUN;
	char *data = mem_alloc(9 << 20);

	(void)state;
	tarball_add_bytes(&t, '0', "f", NULL, data, 9 << 20);
	tarball_end(&t);
	run.piece = 0;
	run.progress = cancel_after;
	expect(&run, &t.bytes, ERR_INTERRUPTED, "interrupted");
	run = LAYER_RUN;
	run.fail_at = 5 << 20;
	expect(&run, &t.bytes, ERR_NETWORK, "the line was cut");
	run.fail_at = 1;
	expect(&run, &t.bytes, ERR_NETWORK, "the line was cut");
	free(data);
	tarball_release(&t);
}

/* ---- a full disk, as a small tmpfs in a user namespace ---- */

static int fill_small_disk(void)
{
	struct tarball t = TARBALL_INIT;
	struct layer_run run = LAYER_RUN;
	char *data = mem_alloc(4 << 20);

	if (!enter_namespaces() || mount("tmpfs", tempdir, "tmpfs", 0, "size=1m") < 0)
		return NAMESPACES_MISSING;
	tempfd = open(tempdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 4 << 20; i++)
		data[i] = (char)(i * 2654435761u >> 13);
	tarball_add_bytes(&t, '0', "some/file", NULL, data, 4 << 20);
	tarball_end(&t);
	run.spec.size = t.bytes.len;
	if (layer_run(&run, &t.bytes, "tree") == 0 || run.e.code != ERR_SPACE)
		return 1;
	if (!strstr(run.e.msg, "file") || !strstr(run.e.hint, tempdir) || !strstr(run.e.hint, "devenv gc"))
		return 2;
	return 0;
}

static void test_full_disk(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(fill_small_disk());
	status = child_status(pid);
	if (status == NAMESPACES_MISSING)
		skip(); /* no tmpfs in a user namespace */
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_good),        tempdir_test(test_sha512),    tempdir_test(test_wrong),
		tempdir_test(test_ends),        tempdir_test(test_bombs),     tempdir_test(test_header_bombs),
		tempdir_test(test_interrupted), tempdir_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
