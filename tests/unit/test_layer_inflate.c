/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of layer/inflate.c: members, frames, every split of the input, damage, and that both gzip decoders agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deb_fixture.h"
#include "layer/inflate.h"

/* Decode in pieces of `in_piece` and `out_piece` bytes. 0 and the text in *out, or -1. */
static int decode(struct inflate *z, const struct buf *in, size_t in_piece, size_t out_piece, struct buf *out,
                  struct err *e)
{
	const unsigned char *next = (const unsigned char *)in->data;
	unsigned char *piece = malloc(out_piece);
	int result = 0;

	for (size_t left = in->len; left > 0 && result == 0;) {
		size_t n = left < in_piece ? left : in_piece, given = n, made = 0;

		left -= n;
		do {
			result = inflate_run(z, &next, &n, piece, out_piece, &made, e);
			buf_add(out, piece, made);
		} while (result == 0 && (n > 0 || made == out_piece));
		assert_true(result < 0 || n == 0);
		assert_true(given > 0);
	}
	free(piece);
	return result < 0 ? -1 : inflate_end(z, e);
}

static struct inflate *decoder(int kind)
{
	return kind == 0   ? inflate_new(LAYER_GZIP)
	       : kind == 1 ? inflate_new_portable()
	                   : inflate_new(LAYER_ZSTD);
}

static void sample(struct buf *b, size_t len)
{
	uint32_t x = 12345;

	while (b->len < len) {
		x = x * 1103515245 + 12345;
		buf_addf(b, "%u line %u of something that compresses\n", x >> 24, (unsigned int)b->len);
	}
	b->len = len;
	b->data[len] = '\0';
}

static void test_pieces(void **state)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 100, 4096, 1 << 20 };
	struct buf text = BUF_INIT, packed[3] = { BUF_INIT, BUF_INIT, BUF_INIT }, out = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	sample(&text, 200000);
	tarball_gzip(&packed[0], text.data, text.len, 6);
	tarball_gzip(&packed[1], text.data, text.len, 0); /* stored blocks */
	tarball_zstd(&packed[2], text.data, text.len);
	for (int kind = 0; kind < 3; kind++)
		for (int form = kind == 2 ? 2 : 0; form < (kind == 2 ? 3 : 2); form++)
			for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
				for (size_t o = 2; o < ARRAY_SIZE(pieces); o++) {
					struct inflate *z = decoder(kind);

					buf_clear(&out);
					if (decode(z, &packed[form], pieces[i], pieces[o], &out, &e) < 0)
						fail_msg("%d %d %zu %zu: %s", kind, form, pieces[i],
						         pieces[o], e.msg);
					assert_int_equal(out.len, text.len);
					assert_memory_equal(out.data, text.data, text.len);
					inflate_free(z);
				}
	for (int i = 0; i < 3; i++)
		buf_release(&packed[i]);
	buf_release(&text);
	buf_release(&out);
}

/* A member with every optional header field, then more of them, cut in two at every byte. */
static void test_members(void **state)
{
	struct buf text = BUF_INIT, packed = BUF_INIT, out = BUF_INIT, one = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	sample(&text, 3000);
	tarball_gzip(&one, text.data, text.len, 9);
	/* FEXTRA | FNAME | FCOMMENT */
	buf_add(&packed, "\x1f\x8b\x08\x1c\0\0\0\0\0\x03", 10);
	buf_add(&packed, "\x04\0AB\0\0", 6);
	buf_add(&packed, "a name", 7);
	buf_add(&packed, "a comment", 10);
	buf_add(&packed, one.data + 10, one.len - 10);
	tarball_gzip(&packed, "", 0, 6);
	buf_add(&packed, one.data, one.len);
	for (int kind = 0; kind < 2; kind++)
		for (size_t cut = 1; cut < packed.len; cut++) {
			struct inflate *z = decoder(kind);
			const unsigned char *next = (const unsigned char *)packed.data;
			unsigned char room[8192];
			size_t n = cut, made = 0, total;

			assert_int_equal(inflate_run(z, &next, &n, room, sizeof(room), &made, &e), 0);
			assert_int_equal(n, 0);
			total = made;
			n = packed.len - cut;
			assert_int_equal(inflate_run(z, &next, &n, room + total, sizeof(room) - total, &made,
			                             &e),
			                 0);
			total += made;
			assert_int_equal(n, 0);
			assert_int_equal(inflate_end(z, &e), 0);
			assert_int_equal(total, 6000);
			assert_memory_equal(room, text.data, 3000);
			assert_memory_equal(room + 3000, text.data, 3000);
			inflate_free(z);
		}
	buf_release(&one);
	buf_release(&packed);
	buf_release(&text);
	buf_release(&out);
}

static void test_frames(void **state)
{
	struct buf packed = BUF_INIT, out = BUF_INIT;
	struct inflate *z = inflate_new(LAYER_ZSTD);
	struct err e = ERR_INIT;

	(void)state;
	buf_add(&packed, "\x50\x2a\x4d\x18\x03\0\0\0xyz", 11); /* skippable */
	tarball_zstd(&packed, "one ", 4);
	tarball_zstd(&packed, "two", 3);
	assert_int_equal(decode(z, &packed, 1, 10, &out, &e), 0);
	assert_string_equal(out.data, "one two");
	inflate_free(z);
	buf_release(&packed);
	buf_release(&out);
}

static void expect_failure(int kind, const struct buf *packed, const char *message)
{
	static const size_t pieces[] = { 1, 5, 1 << 20 };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct inflate *z = decoder(kind);
		struct buf out = BUF_INIT;
		struct err e = ERR_INIT;

		assert_int_equal(decode(z, packed, pieces[i], 1 << 16, &out, &e), -1);
		assert_int_equal(e.code, ERR_INTEGRITY);
		if (message && !strstr(e.msg, message))
			fail_msg("decoder %d, pieces of %zu: '%s' has no '%s'", kind, pieces[i], e.msg,
			         message);
		inflate_free(z);
		buf_release(&out);
	}
}

static void test_damage(void **state)
{
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct buf packed = BUF_INIT, good = BUF_INIT, text = BUF_INIT;

		sample(&text, 5000);
		if (kind == 2)
			tarball_zstd(&good, text.data, text.len);
		else
			tarball_gzip(&good, text.data, text.len, 6);
		buf_add(&packed, good.data, good.len - 1);
		expect_failure(kind, &packed, "cut short");
		buf_clear(&packed);
		buf_add(&packed, good.data, good.len / 2);
		expect_failure(kind, &packed, "cut short");
		buf_clear(&packed);
		buf_add(&packed, good.data, good.len);
		buf_adds(&packed, "rubbish that follows");
		expect_failure(kind, &packed, "after the end");
		buf_clear(&packed);
		buf_add(&packed, good.data, good.len);
		buf_add(&packed, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
		expect_failure(kind, &packed, "after the end");
		buf_clear(&packed);
		buf_add(&packed, good.data, good.len);
		if (kind < 2) {
			packed.data[packed.len - 6] ^= 1; /* CRC */
			expect_failure(kind, &packed, "damaged");
			packed.data[packed.len - 6] ^= 1;
			packed.data[packed.len - 2] ^= 1; /* length */
			expect_failure(kind, &packed, "damaged");
			packed.data[packed.len - 2] ^= 1;
		}
		for (size_t i = good.len / 4; i < good.len / 4 + 8; i++)
			packed.data[i] = (char)~packed.data[i];
		expect_failure(kind, &packed, NULL);
		buf_release(&packed);
		buf_release(&good);
		buf_release(&text);
	}
}

static void test_empty_input(void **state)
{
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct inflate *z = decoder(kind);
		struct err e = ERR_INIT;

		assert_int_equal(inflate_end(z, &e), -1);
		assert_non_null(strstr(e.msg, "cut short"));
		inflate_free(z);
	}
}

static void test_detect(void **state)
{
	enum layer_compression c;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(inflate_detect((const unsigned char *)"\x1f\x8b\x08\0\0\0", 6, &c, &e), 0);
	assert_int_equal(c, LAYER_GZIP);
	assert_int_equal(inflate_detect((const unsigned char *)"\x28\xb5\x2f\xfd\0\0", 6, &c, &e), 0);
	assert_int_equal(c, LAYER_ZSTD);
	assert_int_equal(inflate_detect((const unsigned char *)"\x5f\x2a\x4d\x18\0\0", 6, &c, &e), 0);
	assert_int_equal(c, LAYER_ZSTD);
	assert_int_equal(inflate_detect((const unsigned char *)"etc/pa", 6, &c, &e), 0);
	assert_int_equal(c, LAYER_PLAIN);
	assert_int_equal(inflate_detect((const unsigned char *)"", 0, &c, &e), 0);
	assert_int_equal(c, LAYER_PLAIN);
	assert_int_equal(inflate_detect((const unsigned char *)"\xfd"
	                                                       "7zXZ\0",
	                                6, &c, &e),
	                 -1);
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_non_null(strstr(e.msg, "xz"));
}

/* xz: in every piece, several streams after each other, and all that is wrong with one. */
static void test_xz(void **state)
{
	static const size_t pieces[] = { 1, 7, 4096, 1 << 20 };
	struct buf text = BUF_INIT, packed = BUF_INIT, out = BUF_INIT;
	struct inflate *z;
	struct err e = ERR_INIT;
	size_t one;

	(void)state;
	sample(&text, 200000);
	deb_xz(&packed, text.data, text.len / 2);
	one = packed.len;
	deb_xz(&packed, text.data + text.len / 2, text.len - text.len / 2);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		for (size_t o = 0; o < ARRAY_SIZE(pieces); o++) {
			buf_clear(&out);
			z = inflate_new(LAYER_XZ);
			if (decode(z, &packed, pieces[i], pieces[o], &out, &e) < 0)
				fail_msg("%zu %zu: %s", pieces[i], pieces[o], e.msg);
			assert_int_equal(out.len, text.len);
			assert_memory_equal(out.data, text.data, text.len);
			inflate_free(z);
		}
	for (size_t len = 0; len < one; len += len < 40 || len + 40 > one ? 1 : 97) {
		struct buf cut = { .data = packed.data, .len = len };

		z = inflate_new(LAYER_XZ);
		assert_int_equal(decode(z, &cut, 4096, 4096, &out, &e), -1);
		assert_non_null(strstr(e.msg, "cut short"));
		inflate_free(z);
	}
	buf_adds(&packed, "rubbish after it");
	z = inflate_new(LAYER_XZ);
	assert_int_equal(decode(z, &packed, 4096, 4096, &out, &e), -1);
	assert_non_null(strstr(e.msg, "after the end of the xz data"));
	inflate_free(z);
	packed.data[one / 2] ^= 1;
	z = inflate_new(LAYER_XZ);
	assert_int_equal(decode(z, &packed, 4096, 4096, &out, &e), -1);
	assert_non_null(strstr(e.msg, "damaged"));
	inflate_free(z);
	z = inflate_new(LAYER_XZ);
	assert_int_equal(decode(z, &text, 4096, 4096, &out, &e), -1);
	assert_non_null(strstr(e.msg, "not an xz header"));
	inflate_free(z);
	buf_release(&text);
	buf_release(&packed);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xz),
		cmocka_unit_test(test_pieces),      cmocka_unit_test(test_members),
		cmocka_unit_test(test_frames),      cmocka_unit_test(test_damage),
		cmocka_unit_test(test_empty_input), cmocka_unit_test(test_detect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
