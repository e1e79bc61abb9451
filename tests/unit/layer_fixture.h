/* SPDX-License-Identifier: Apache-2.0 */
/* layer_fixture.h - applying made-up layers into trees of a temporary directory, and looking at what became of them. */
#ifndef TESTS_UNIT_LAYER_FIXTURE_H
#define TESTS_UNIT_LAYER_FIXTURE_H

#include "tempdir.h"

#include <sys/xattr.h>

#include "base/digest.h"
#include "base/stream.h"
#include "base/text.h"
#include "layer/layer.h"
#include "layer/owners.h"
#include "tarball.h"

/* A stream over memory that hands out odd pieces, and fails at `fail_at` when that is not 0. */
struct memory_stream {
	struct stream stream;
	const struct buf *bytes;
	size_t at, piece, fail_at;
};

static inline ssize_t memory_read(struct stream *s, void *data, size_t n, struct err *e)
{
	struct memory_stream *m = (struct memory_stream *)s;
	size_t left = m->bytes->len - m->at;

	if (m->fail_at && m->at >= m->fail_at)
		return err_set(e, ERR_NETWORK, "the line was cut");
	n = n < left ? n : left;
	n = m->piece && n > m->piece ? m->piece : n;
	memcpy(data, m->bytes->data + m->at, n);
	m->at += n;
	return (ssize_t)n;
}

struct layer_run { /* one application: set what differs, look at the rest afterwards */
	struct layer_spec spec;
	const char *const *below; /* names of trees, topmost first, NULL-terminated */
	size_t piece, fail_at;
	layer_progress *progress;
	struct err e;
	struct layer_result result;
};
#define LAYER_RUN                                                                                            \
	((struct layer_run){ .spec = { .compression = LAYER_DETECT }, .piece = 1000, .e = ERR_INIT })

static inline int layer_run(struct layer_run *run, const struct buf *bytes, const char *tree)
{
	struct memory_stream m = { .stream = { .read = memory_read },
		                   .bytes = bytes,
		                   .piece = run->piece,
		                   .fail_at = run->fail_at };
	int below[16], tree_fd, owners_fd, result;
	char owners[64];
	size_t n = 0;

	snprintf(owners, sizeof(owners), "%s.owners", tree);
	assert_int_equal(mkdirat(tempfd, tree, 0700), 0);
	tree_fd = openat(tempfd, tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	owners_fd = openat(tempfd, owners, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(tree_fd >= 0 && owners_fd >= 0);
	for (; run->below && run->below[n]; n++)
		assert_true((below[n] = openat(tempfd, run->below[n], O_PATH | O_DIRECTORY | O_CLOEXEC)) >=
		            0);
	run->spec.below = below;
	run->spec.below_count = n;
	result = layer_apply(&run->spec, &m.stream, tree_fd, owners_fd, run->progress, run, &run->result,
	                     &run->e);
	while (n > 0)
		close(below[--n]);
	close(tree_fd);
	close(owners_fd);
	return result;
}

/* Ends the archive, applies it and releases it. */
static inline void apply_ok(struct tarball *t, const char *tree, const char *const *below)
{
	struct layer_run run = LAYER_RUN;

	run.below = below;
	tarball_end(t);
	if (layer_run(&run, &t->bytes, tree) < 0)
		fail_msg("%s: %s", tree, run.e.msg);
	tarball_release(t);
}

static inline void apply_fails(struct tarball *t, const char *tree, const char *const *below,
                               const char *message)
{
	struct layer_run run = LAYER_RUN;

	run.below = below;
	tarball_end(t);
	if (layer_run(&run, &t->bytes, tree) == 0)
		fail_msg("applied, without '%s'", message);
	assert_int_equal(run.e.code, ERR_INTEGRITY);
	if (!strstr(run.e.msg, message))
		fail_msg("'%s' has no '%s'", run.e.msg, message);
	tarball_release(t);
}

#define BELOW(...) ((const char *const[]){ __VA_ARGS__, NULL })

static inline mode_t mode_of(const char *path)
{
	struct stat st;

	if (fstatat(tempfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("there is no %s", path);
	return st.st_mode;
}

static inline bool is_there(const char *path)
{
	struct stat st;

	return fstatat(tempfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline bool is_whiteout(const char *path)
{
	struct stat st;

	return fstatat(tempfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

static inline bool is_opaque(const char *path)
{
	char *full = mem_printf("%s/%s", tempdir, path), value = 0;
	ssize_t n = getxattr(full, "user.overlay.opaque", &value, 1);

	free(full);
	return n == 1 && value == 'y';
}

static inline void assert_file(const char *path, const char *text)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (file_read(tempfd, path, 1 << 20, O_NOFOLLOW, &b, NULL, &e) < 0)
		fail_msg("%s: %s", path, e.msg);
	assert_string_equal(b.data, text);
	buf_release(&b);
}

static inline void assert_link(const char *path, const char *target)
{
	char text[4096] = "";

	if (readlinkat(tempfd, path, text, sizeof(text) - 1) < 0)
		fail_msg("%s is no link", path);
	assert_string_equal(text, target);
}

/* The owners record of a tree. */
static inline struct owners owners_of(const char *tree)
{
	char name[64];
	struct owners o;
	struct err e = ERR_INIT;
	int fd;

	snprintf(name, sizeof(name), "%s.owners", tree);
	fd = openat(tempfd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || owners_load(&o, fd, &e) < 0)
		fail_msg("%s: %s", name, e.msg);
	close(fd);
	return o;
}

#endif
