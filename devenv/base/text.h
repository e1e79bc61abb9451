/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - text for people: escaping, nearest names, sizes; and strict numbers. */
#ifndef DEVENV_BASE_TEXT_H
#define DEVENV_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Append s so that no byte of it can act on a terminal or reorder a line: C0 and C1 controls, DEL, invalid UTF-8 and
 * Unicode bidi, zero-width and line-separator characters become \xNN or \u{NNNN}; a backslash becomes two. Security rule 10.
 */
void text_escape(struct buf *b, const char *s);
void text_escape_bytes(struct buf *b, const char *s, size_t len);
/* The same for what a program prints: a tab is a tab and a backslash one, and what sets a colour (ESC [ digits ; m) passes with
 * `color`, is dropped without, and is undone at the end. Everything else is as above. */
void text_escape_output(struct buf *b, const char *s, size_t len, bool color);
/* The first as a string that lives in one of 8 rotating static buffers (cut at 512 bytes): for messages only. Not
 * thread-safe across threads that share it; thread-local, so each thread has its own eight. */
const char *text_safe(const char *s);

/* The candidate nearest to `word` (Damerau-Levenshtein, case aside), or NULL when none is near enough to suggest. The list ends
 * in NULL. */
const char *text_nearest(const char *word, const char *const *candidates);

/* Strict decimal: the whole string, no sign, no spaces, in [0, max]. -1 if not; 0 and *out otherwise. */
int text_number(const char *s, uint64_t max, uint64_t *out);
/* A size as in config: decimal with optional K, M, G, T (powers of 1024). -1 if not. */
int text_size(const char *s, uint64_t *out);
/* Human size with decimal units as docker prints them: "108.4MB". In one of 8 rotating thread-local buffers. */
const char *text_bytes(uint64_t bytes);

bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);
/* Exactly `len` digits of a hexadecimal number in lower case, as digests and commits are written. */
bool text_is_hex(const char *s, size_t len);

/* FNV-1a, 64 bit: names files by path and guards the plan against corruption. Not a defence against anybody. */
uint64_t text_hash(const void *data, size_t len);
#define TEXT_HASH_INIT 0xcbf29ce484222325ULL
uint64_t text_hash_add(uint64_t hash, const void *data, size_t len);

#endif
