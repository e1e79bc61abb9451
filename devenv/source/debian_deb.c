/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_deb.c - see debian_deb.h.
 *
 * An ar archive: "!<arch>\n", then members, each a header of 60 bytes and its content, padded to an even length. The first
 * one is "debian-binary" with the format's version 2.x, then come control.tar and data.tar, compressed as their names say;
 * members whose names begin with an underscore may be between and are for others. What follows the data is not looked at.
 */
#include "source/debian_deb.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "layer/files.h"

#define MAGIC "!<arch>\n"
enum {
	MAGIC_LEN = 8,
	HEADER_LEN = 60,
	FILES_MAX = 256,
	CONTROL_MAX = 32 << 20,	 /* of control.tar, compressed */
	CONTROL_TAR_MAX = 64 << 20, /* and not; the md5sums of 500,000 files */
};

struct member {
	char name[17];
	uint64_t size, offset, time;
};

static int malformed(const char *name, const char *why, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, "%s is not a good .deb file: %s", text_safe(name), why);
}

static int read_at(int fd, void *out, size_t len, off_t offset, const char *name, struct err *e)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)out + done, len - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "can't read %s", text_safe(name));
		if (n == 0)
			return malformed(name, "it is cut short", e);
		done += (size_t)n;
	}
	return 0;
}

/* A field of a header: decimal digits, then blanks. */
static bool field_number(const char *field, size_t len, uint64_t *out)
{
	char text[16] = "";

	while (len > 0 && field[len - 1] == ' ')
		len--;
	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, field, len);
	return strlen(text) == len && text_number(text, 9999999999999ull, out) == 0;
}

/* The member whose header is at `at`, within a file of `end` bytes. */
static int read_member(int fd, const char *name, uint64_t at, uint64_t end, struct member *m, struct err *e)
{
	char header[HEADER_LEN];
	size_t len = 16;

	if (at > end || end - at < HEADER_LEN)
		return malformed(name, "it is cut short", e);
	if (read_at(fd, header, sizeof(header), (off_t)at, name, e) < 0)
		return -1;
	if (header[58] != '`' || header[59] != '\n' || !field_number(header + 48, 10, &m->size) || !field_number(header + 16, 12, &m->time))
		return malformed(name, "the header of a member is damaged", e);
	while (len > 0 && header[len - 1] == ' ')
		len--;
	if (len > 0 && header[len - 1] == '/') /* as other programs than dpkg end it */
		len--;
	memcpy(m->name, header, len);
	m->name[len] = '\0';
	m->offset = at + HEADER_LEN;
	if (m->size > end - m->offset)
		return malformed(name, "it is cut short", e);
	return 0;
}

/* The one after it that means something to us. */
static int next_member(int fd, const char *name, uint64_t end, struct member *m, struct err *e)
{
	do {
		if (read_member(fd, name, m->offset + m->size + (m->size & 1), end, m, e) < 0)
			return -1;
	} while (m->name[0] == '_');
	return 0;
}

static int find_compression(const struct member *m, const char *base, const char *name, enum layer_compression *out, struct err *e)
{
	static const struct {
		const char *suffix;
		enum layer_compression compression;
	} known[] = { { "", LAYER_PLAIN }, { ".gz", LAYER_GZIP }, { ".xz", LAYER_XZ }, { ".zst", LAYER_ZSTD } };
	size_t len = strlen(base);

	if (strncmp(m->name, base, len) != 0)
		return err_set(e, ERR_INTEGRITY, "%s is not a good .deb file: it has '%s' where %s should be", text_safe(name),
			       text_safe(m->name), base);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(m->name + len, known[i].suffix) == 0) {
			*out = known[i].compression;
			return 0;
		}
	return err_set(e, ERR_UNSUPPORTED, "%s has '%s': packages are known with tar, gzip, xz and zstd", text_safe(name), text_safe(m->name));
}

static int add_file(void *data, const char *name, mode_t mode, const char *content, size_t len, struct err *e)
{
	struct deb *d = data;
	struct deb_file *f;

	if (strchr(name, '/'))
		return 0; /* dpkg knows of none */
	if (d->count >= FILES_MAX)
		return err_set(e, ERR_INTEGRITY, "it has more than %d files", FILES_MAX);
	d->files = mem_grow(d->files, d->count, &d->cap, sizeof(*d->files));
	f = &d->files[d->count++];
	*f = (struct deb_file){ .name = mem_strdup(name), .mode = mode };
	f->data = BUF_INIT;
	buf_add(&f->data, content, len);
	return 0;
}

static int read_control(int fd, const char *name, const struct member *m, struct deb *out, struct err *e)
{
	enum layer_compression compression;
	cleanup_free char *bytes = NULL;

	if (find_compression(m, "control.tar", name, &compression, e) < 0)
		return -1;
	if (m->size > CONTROL_MAX)
		return malformed(name, "its control data is too large", e);
	bytes = mem_alloc(m->size + 1);
	if (read_at(fd, bytes, m->size, (off_t)m->offset, name, e) < 0)
		return -1;
	if (layer_each_file(compression, bytes, m->size, CONTROL_TAR_MAX, add_file, out, e) < 0)
		return err_wrap(e, "%s in %s", m->name, text_safe(name));
	return deb_find(out, "control") ? 0 : malformed(name, "it has no control file", e);
}

static int read_version(int fd, const char *name, const struct member *m, struct err *e)
{
	char version[4];

	if (strcmp(m->name, "debian-binary") != 0 || m->size < sizeof(version))
		return malformed(name, "it does not begin with debian-binary", e);
	if (read_at(fd, version, sizeof(version), (off_t)m->offset, name, e) < 0)
		return -1;
	if (memcmp(version, "2.", 2) != 0)
		return err_set(e, ERR_UNSUPPORTED, "%s is a .deb file of another format than 2", text_safe(name));
	return 0;
}

static int read_members(int fd, const char *name, uint64_t end, struct deb *out, struct err *e)
{
	struct member m;

	if (read_member(fd, name, MAGIC_LEN, end, &m, e) < 0 || read_version(fd, name, &m, e) < 0)
		return -1;
	out->time = (int64_t)m.time;
	if (next_member(fd, name, end, &m, e) < 0 || read_control(fd, name, &m, out, e) < 0 || next_member(fd, name, end, &m, e) < 0 ||
	    find_compression(&m, "data.tar", name, &out->data_compression, e) < 0)
		return -1;
	out->data_offset = (off_t)m.offset;
	out->data_size = m.size;
	return 0;
}

int deb_read(int fd, const char *name, struct deb *out, struct err *e)
{
	char magic[MAGIC_LEN];
	struct stat st;

	*out = (struct deb){ 0 };
	if (fstat(fd, &st) < 0)
		return err_sys(e, "can't read %s", text_safe(name));
	if (!S_ISREG(st.st_mode) || st.st_size < MAGIC_LEN)
		return malformed(name, "it is too short", e);
	if (read_at(fd, magic, sizeof(magic), 0, name, e) < 0)
		return -1;
	if (memcmp(magic, MAGIC, MAGIC_LEN) != 0)
		return malformed(name, "it is no ar archive", e);
	if (read_members(fd, name, (uint64_t)st.st_size, out, e) == 0)
		return 0;
	deb_release(out);
	return -1;
}

void deb_release(struct deb *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->files[i].name);
		buf_release(&d->files[i].data);
	}
	free(d->files);
	*d = (struct deb){ 0 };
}

const struct deb_file *deb_find(const struct deb *d, const char *name)
{
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->files[i].name, name) == 0)
			return &d->files[i];
	return NULL;
}
