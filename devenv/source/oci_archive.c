/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_archive.c - one file as an origin: a tar with an OCI layout, a tar of `docker save`, or a root file
 * system.
 *
 * An uncompressed tar is read in place. A compressed one (gzip, xz, zstd, bzip2) is first inflated into a
 * file without a name on the store's file system. A root file system becomes an image of one layer: its
 * manifest and config are made from the digest of the uncompressed tar, so that its identity does not depend
 * on how it was compressed.
 */
#include <archive.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "fetch/http.h"
#include "source/made.h"
#include "source/manifest.h"
#include "source/members.h"
#include "source/origin.h"

#define BOMB_FLOOR (64ULL << 20) /* security rule 15: the ratio counts from here on */
#define BOMB_RATIO 200

struct rootfs_origin {
	struct made_origin made; /* first */
	int fd;                  /* the uncompressed tar */
	uint64_t size;
	char diff_id[DIGEST_MAX];
};

/* ---- inflating ---- */

static bool is_compressed(int fd)
{
	static const struct {
		const char *bytes;
		size_t len;
	} magics[] = {
		{ "\x1f\x8b", 2 },
		{ "\xfd\x37\x7a\x58\x5a\0", 6 },
		{ "\x28\xb5\x2f\xfd", 4 },
		{ "BZh", 3 },
	};
	char head[6];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		if (n >= (ssize_t)magics[i].len && memcmp(head, magics[i].bytes, magics[i].len) == 0)
			return true;
	}
	return false;
}

static int unnamed_file_in(int dirfd, const char *path)
{
	cleanup_close int dir = -1;
	char name[32];
	int fd = openat(dirfd, path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	/* a file system that can't: a name for a moment */
	dir = openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(name, sizeof(name), ".devenv-%ld", (long)getpid());
	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlinkat(dir, name, 0);
	return fd;
}

/* The stage only lends its directory: the file has no name in it, so it can go at once. */
static int unnamed_file(struct store *store, struct err *e)
{
	const char *dir = getenv("TMPDIR");
	struct store_stage stage;
	int fd;

	if (!store) {
		if (!dir || dir[0] != '/')
			dir = "/var/tmp";
		fd = unnamed_file_in(AT_FDCWD, dir);
		return fd < 0 ? err_sys(e, "can't make a temporary file in %s", text_safe(dir)) : fd;
	}
	if (store_stage_new(store, &stage, e) < 0)
		return -1;
	fd = unnamed_file_in(stage.fd, ".");
	if (fd < 0)
		err_sys_(e, errno, "can't make a temporary file in %s", text_safe(store->path));
	store_stage_drop(store, &stage);
	return fd;
}

static int check_bomb(struct archive *a, uint64_t written, uint64_t limit, struct err *e)
{
	uint64_t consumed = (uint64_t)archive_filter_bytes(a, -1);

	if (http_interrupted())
		return err_set(e, ERR_INTERRUPTED, "interrupted while unpacking");
	if (written > limit)
		return err_set(e, ERR_INTEGRITY, "it unpacks to more than %s, the limit for an image",
		               text_bytes(limit));
	if (written > BOMB_FLOOR && written / BOMB_RATIO > consumed)
		return err_set(e, ERR_INTEGRITY, "it unpacks to more than %d times its size", BOMB_RATIO);
	return 0;
}

static int copy_inflated(struct archive *a, int out, uint64_t limit, struct err *e)
{
	size_t size = 256 << 10;
	cleanup_free char *chunk = mem_alloc(size);
	struct archive_entry *entry;
	uint64_t written = 0;
	la_ssize_t n;

	if (archive_read_next_header(a, &entry) != ARCHIVE_OK)
		return err_set(e, ERR_INTEGRITY, "it is damaged: %s", text_safe(archive_error_string(a)));
	while ((n = archive_read_data(a, chunk, size)) > 0) {
		written += (uint64_t)n;
		if (check_bomb(a, written, limit, e) < 0 || file_write_all(out, chunk, (size_t)n, e) < 0)
			return -1;
	}
	if (n < 0)
		return err_set(e, ERR_INTEGRITY, "it is damaged: %s", text_safe(archive_error_string(a)));
	return 0;
}

/* Returns the descriptor of the inflated file. Filters by name: libarchive's "all" would start programs. */
static int inflate(struct oci_context *c, int in, struct err *e)
{
	uint64_t limit = c->user && c->user->max_image_size ? c->user->max_image_size : USER_CONFIG_MAX_IMAGE;
	cleanup_close int out = unnamed_file(c->store, e);
	struct archive *a;
	int r;

	if (out < 0)
		return -1;
	a = archive_read_new();
	if (!a)
		abort();
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_format_raw(a);
	if (archive_read_open_fd(a, in, 256 << 10) != ARCHIVE_OK)
		r = err_set(e, ERR_INTEGRITY, "it is damaged: %s", text_safe(archive_error_string(a)));
	else
		r = copy_inflated(a, out, limit, e);
	archive_read_free(a);
	return r < 0 ? -1 : mem_steal_fd(out);
}

/* ---- a root file system ---- */

static int rootfs_get_stream(struct origin *o, const char *digest, uint64_t size, struct stream **out,
                             struct err *e)
{
	struct rootfs_origin *f = (struct rootfs_origin *)o;
	int fd;

	if (strcmp(digest, f->diff_id) != 0 || size != f->size)
		return err_set(e, ERR_NOT_FOUND, "it has no layer %s", digest);
	fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		err_sys_(e, errno, "can't read the archive");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*out = stream_from_fd(fd, f->size);
	return 0;
}

static void rootfs_close(struct origin *o)
{
	struct rootfs_origin *f = (struct rootfs_origin *)o;

	close(f->fd);
	made_release(&f->made);
	free(f);
}

static int open_rootfs(int fd /* takes */, struct origin **out, struct err *e)
{
	struct rootfs_origin *f = mem_alloc(sizeof(*f));
	char layer_type[] = MANIFEST_TYPE_LAYER;
	struct manifest_part layer;
	unsigned long long size;

	f->made.origin = (struct origin){
		.manifest = made_manifest,
		.blob = made_blob,
		.stream = rootfs_get_stream,
		.close = rootfs_close,
	};
	f->fd = fd;
	f->made.config = f->made.manifest = BUF_INIT;
	if (lseek(fd, 0, SEEK_SET) < 0 || digest_fd(fd, f->diff_id, &size, e) < 0) {
		rootfs_close(&f->made.origin);
		return -1;
	}
	f->size = size;
	buf_addf(
		&f->made.config,
		"{\"architecture\":\"%s\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
		oci_platform() + strlen("linux/"), f->diff_id);
	made_have_config(&f->made);
	layer = (struct manifest_part){ .media_type = layer_type, .digest = f->diff_id, .size = f->size };
	made_have_layers(&f->made, &layer, 1);
	*out = &f->made.origin;
	return 0;
}

/* ---- telling them apart ---- */

static int open_tar(int fd /* takes */, const char *name, struct origin **out, struct err *e)
{
	cleanup_close int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	struct members *m;

	if (copy < 0) {
		err_sys_(e, errno, "can't read the archive");
		close(fd);
		return -1;
	}
	if (members_open_tar(fd, name, &m, e) < 0)
		return -1;
	if (members_has(m, "oci-layout") && members_has(m, "index.json"))
		return oci_layout_over(m, NULL, name, out, e);
	if (members_has(m, "manifest.json"))
		return oci_docker_over(m, name, out, e);
	members_free(m);
	return open_rootfs(mem_steal_fd(copy), out, e);
}

/* A copy of what the caller opened; its reader may stand anywhere in it by now. */
static int open_source(const struct oci_source *src)
{
	int fd = src->opened ? fcntl(src->fd, F_DUPFD_CLOEXEC, 3) :
	                       open(src->location, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

int oci_archive_open(struct oci_context *c, const struct oci_source *src, struct origin **out, struct err *e)
{
	const char *location = src->location;
	cleanup_close int fd = open_source(src);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "there is no archive %s", text_safe(location));
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "can't open the archive %s", text_safe(location));
	if (S_ISDIR(st.st_mode)) {
		err_set_(e, ERR_CONFIG, "%s is a directory, not an archive", text_safe(location));
		return err_hint(e, "an OCI layout in a directory is named with `oci =`");
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_CONFIG, "%s is not a regular file", text_safe(location));
	if (is_compressed(fd)) {
		int inflated = inflate(c, fd, e);

		if (inflated < 0)
			return err_wrap(e, "can't unpack %s", text_safe(location));
		close(fd);
		fd = inflated;
	}
	return open_tar(mem_steal_fd(fd), location, out, e);
}
