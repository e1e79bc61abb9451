/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h - a growable byte string, always NUL-terminated one byte past its length; and a list of strings. */
#ifndef DEVENV_BASE_BUF_H
#define DEVENV_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* never NULL after BUF_INIT: points at "" until something is added */
	size_t len; /* bytes, without the terminator */
	size_t cap; /* allocated bytes; 0 while data is the shared empty string */
};

extern char buf_empty[1];
#define BUF_INIT ((struct buf){ .data = buf_empty })

void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addch(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Make room for `more` further bytes and return where they go; the caller then adds to b->len what it wrote. */
char *buf_reserve(struct buf *b, size_t more);
/* Empty it, keeping the memory. */
void buf_clear(struct buf *b);
/* The bytes as a malloc'ed string; the caller frees it. Leaves b empty and usable. */
char *buf_steal(struct buf *b);
void buf_release(struct buf *b);

/* A list of owned strings, always followed by a NULL, so that `items` can serve as argv once it is not NULL. */
struct strlist {
	char **items; /* NULL while empty */
	size_t count;
	size_t cap;
};

#define STRLIST_INIT ((struct strlist){ 0 })

void strlist_add(struct strlist *l, const char *s);		/* copies */
void strlist_add_take(struct strlist *l, char *s /* takes */);
void strlist_addf(struct strlist *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool strlist_has(const struct strlist *l, const char *s);
/* Split at any run of the bytes in `separators`; no empty items. */
void strlist_split(struct strlist *l, const char *text, const char *separators);
void strlist_sort(struct strlist *l); /* bytewise */
void strlist_release(struct strlist *l);

#define cleanup_buf __attribute__((cleanup(buf_release)))
#define cleanup_strlist __attribute__((cleanup(strlist_release)))

#endif
