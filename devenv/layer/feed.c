/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.c - see feed.h.
 *
 * Checks come in the order of security rule 11: more bytes than promised is an error the moment they arrive, the rest
 * at the end: size, then digest, then that the compressed stream is whole. When inflating fails, the remaining bytes are
 * still read and hashed, because "these are not the bytes the digest names" is the better answer: fetching again may
 * help there and never does for an image that was built broken.
 */
#include "layer/feed.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "layer/inflate.h"

enum { INPUT_SIZE = 256 << 10 };
#define BOMB_FREE  (64ull << 20) /* so much may come out of anything */
#define BOMB_RATIO 200

struct feed {
	const struct layer_spec *spec;
	struct stream *in;
	struct ring *ring;
	pthread_t thread;
	_Atomic uint64_t bytes;
	uint64_t inflated;
	struct digest *digest;
	char computed[DIGEST_MAX];
	struct inflate *inflate;
	unsigned char *input;
	size_t input_len;
	unsigned char *out; /* the ring buffer being filled, NULL: none */
	size_t out_len;
	bool ended;   /* the stream */
	bool stopped; /* the reader has gone */
	bool bomb;
};

/* Fill the input buffer: few large pieces are what the decoders like. */
static int fill_input(struct feed *f, struct err *e)
{
	f->input_len = 0;
	while (!f->ended && f->input_len < INPUT_SIZE / 2) {
		ssize_t n = f->in->read(f->in, f->input + f->input_len, INPUT_SIZE - f->input_len, e);
		uint64_t total;

		if (n < 0)
			return -1;
		if (n == 0)
			f->ended = true;
		digest_add(f->digest, f->input + f->input_len, (size_t)n);
		f->input_len += (size_t)n;
		total = atomic_fetch_add(&f->bytes, (uint64_t)n) + (uint64_t)n;
		if ((f->spec->size || f->spec->digest) && total > f->spec->size)
			return err_set(e, ERR_INTEGRITY,
			               "the layer has more than the %llu bytes its manifest says",
			               (unsigned long long)f->spec->size);
	}
	return 0;
}

static int check_bomb(struct feed *f, struct err *e)
{
	if (f->inflated <= BOMB_FREE || f->inflated / BOMB_RATIO <= atomic_load(&f->bytes))
		return 0;
	f->bomb = true;
	return err_set(e, ERR_INTEGRITY, "the layer grows more than %d times when it is unpacked",
	               BOMB_RATIO);
}

/* Pass the output buffer on when it is full, or whatever is in it at the end. */
static void flush_output(struct feed *f)
{
	ring_commit(f->ring, f->out_len);
	f->out = NULL;
	f->out_len = 0;
}

static int inflate_input(struct feed *f, struct err *e)
{
	const unsigned char *data = f->input;
	size_t left = f->input_len, made = 0;
	bool full = false;

	while (left > 0 || full) {
		if (!f->out)
			f->out = ring_reserve(f->ring);
		if (!f->out) {
			f->stopped = true;
			return 0;
		}
		if (inflate_run(f->inflate, &data, &left, f->out + f->out_len, RING_BUFFER_SIZE - f->out_len,
		                &made, e) < 0)
			return -1;
		f->out_len += made;
		f->inflated += made;
		full = f->out_len == RING_BUFFER_SIZE;
		if (full)
			flush_output(f);
		if (check_bomb(f, e) < 0)
			return -1;
	}
	return 0;
}

static int start_inflate(struct feed *f, struct err *e)
{
	static const char *const names[] = { "a plain tar archive", "gzip", "zstd" };
	enum layer_compression wanted = f->spec->compression, found;

	if (wanted == LAYER_XZ) { /* what is no xz is said to be damaged */
		f->inflate = inflate_new(LAYER_XZ);
		return 0;
	}
	if (inflate_detect(f->input, f->input_len, &found, e) < 0)
		return -1;
	if (wanted != LAYER_DETECT && wanted != found)
		return err_set(e, ERR_INTEGRITY, "the layer should be %s but begins like %s", names[wanted],
		               names[found]);
	f->inflate = inflate_new(found);
	return 0;
}

static int check_size(const struct feed *f, struct err *e)
{
	uint64_t bytes = atomic_load(&f->bytes);

	if (f->spec->digest && bytes != f->spec->size)
		return err_set(e, ERR_INTEGRITY, "the layer has %llu bytes, its manifest says %llu",
		               (unsigned long long)bytes, (unsigned long long)f->spec->size);
	return 0;
}

static int check_digest(struct feed *f, struct err *e)
{
	if (check_size(f, e) < 0)
		return -1;
	digest_end(f->digest, f->computed);
	f->digest = NULL;
	if (f->spec->digest && strcmp(f->computed, f->spec->digest) != 0)
		return err_set(e, ERR_INTEGRITY, "the layer's digest is %s, its manifest says %s",
		               f->computed, text_safe(f->spec->digest));
	return 0;
}

/* After a decoder error: is the blob itself the wrong one? Leaves *e as it is when not. */
static void blame_blob(struct feed *f, struct err *e)
{
	struct err other = ERR_INIT;

	if (!f->spec->digest || f->bomb || !f->digest)
		return;
	while (!f->ended)
		if (fill_input(f, &other) < 0) {
			*e = other;
			return;
		}
	if (check_digest(f, &other) < 0)
		*e = other;
}

static int inflate_all(struct feed *f, struct err *e)
{
	while (!f->stopped) {
		if (fill_input(f, e) < 0)
			return -1;
		if ((!f->inflate && start_inflate(f, e) < 0) || inflate_input(f, e) < 0) {
			blame_blob(f, e);
			return -1;
		}
		if (f->ended)
			break;
	}
	if (f->stopped)
		return 0;
	if (check_digest(f, e) < 0 || inflate_end(f->inflate, e) < 0)
		return -1;
	if (f->out_len > 0)
		flush_output(f);
	return 0;
}

static void *feed_main(void *data)
{
	struct feed *f = data;
	struct err e = ERR_INIT;

	ring_finish(f->ring, inflate_all(f, &e) < 0 ? &e : NULL);
	return NULL;
}

struct feed *feed_start(const struct layer_spec *spec, struct stream *in, struct ring *ring, struct err *e)
{
	struct feed *f = mem_alloc(sizeof(*f));
	sigset_t all, old;
	int ret;

	f->spec = spec;
	f->in = in;
	f->ring = ring;
	f->digest = digest_new(spec->digest);
	f->input = mem_resize(NULL, INPUT_SIZE, 1);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the caller's thread's business */
	ret = pthread_create(&f->thread, NULL, feed_main, f);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret) {
		digest_free(f->digest);
		free(f->input);
		free(f);
		errno = ret;
		err_sys(e, "can't start a thread");
		return NULL;
	}
	return f;
}

uint64_t feed_bytes(const struct feed *f)
{
	return atomic_load(&f->bytes);
}

void feed_end(struct feed *f, char digest[DIGEST_MAX])
{
	if (!f)
		return;
	pthread_join(f->thread, NULL);
	if (digest)
		memcpy(digest, f->computed, DIGEST_MAX);
	inflate_free(f->inflate);
	digest_free(f->digest);
	free(f->input);
	free(f);
}
