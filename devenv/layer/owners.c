/* SPDX-License-Identifier: Apache-2.0 */
/* owners.c - writing the owners record; owners_read.c reads it back. */
#include "layer/owners.h"

#include <string.h>

#include "base/file.h"

enum { FLUSH_AT = 64 << 10 };

static void add_path(struct buf *b, const char *path)
{
	for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
		if (*p <= ' ' || *p == 0x7f || *p == '\\')
			buf_addf(b, "\\%03o", *p);
		else
			buf_addch(b, (char)*p);
	}
}

static void end_line(struct owners_writer *w)
{
	buf_addch(&w->buf, '\n');
	if (w->buf.len < FLUSH_AT)
		return;
	if (w->failure.code == ERR_NONE && file_write_all(w->fd, w->buf.data, w->buf.len, &w->failure) < 0)
		err_wrap(&w->failure, "owners record");
	buf_clear(&w->buf);
}

void owners_writer_begin(struct owners_writer *w, int fd)
{
	*w = (struct owners_writer){ .fd = fd, .buf = BUF_INIT, .failure = ERR_INIT };
	buf_adds(&w->buf, "devenv-owners 1\n");
}

void owners_write(struct owners_writer *w, const struct owners_record *r)
{
	buf_addch(&w->buf, r->kind);
	if (r->kind != 'i' && r->kind != 'h')
		buf_addf(&w->buf, " %o %llu %llu", r->mode, (unsigned long long)r->uid,
		         (unsigned long long)r->gid);
	if (r->kind == 'c' || r->kind == 'b')
		buf_addf(&w->buf, " %u:%u", r->major, r->minor);
	buf_addch(&w->buf, ' ');
	add_path(&w->buf, r->path);
	if (r->kind == 'h') {
		buf_addch(&w->buf, '\t');
		add_path(&w->buf, r->target);
	}
	end_line(w);
}

void owners_write_capability(struct owners_writer *w, const char *path, const void *value, size_t len)
{
	const unsigned char *bytes = value;

	buf_adds(&w->buf, "x ");
	for (size_t i = 0; i < len; i++)
		buf_addf(&w->buf, "%02x", bytes[i]);
	buf_addch(&w->buf, ' ');
	add_path(&w->buf, path);
	end_line(w);
}

void owners_write_forget(struct owners_writer *w, const char *path)
{
	buf_adds(&w->buf, "- ");
	add_path(&w->buf, path);
	end_line(w);
}

int owners_writer_end(struct owners_writer *w, struct err *e)
{
	int result = 0;

	if (e && w->failure.code == ERR_NONE &&
	    file_write_all(w->fd, w->buf.data, w->buf.len, &w->failure) < 0)
		err_wrap(&w->failure, "owners record");
	if (e && w->failure.code != ERR_NONE) {
		*e = w->failure;
		result = -1;
	}
	buf_release(&w->buf);
	return result;
}
