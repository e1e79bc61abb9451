/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c - malloc for a program that allocates a few kilobytes and ends.
 *
 * musl's allocator asks the kernel for memory ten times before the launcher has read its plan. Here a static block is
 * handed out from front to back; what was allocated last can be given back or grow in place, which is how the launcher
 * uses memory (directory listings nest). When the block is used up, more comes from the kernel in large pieces.
 * Only with musl, linked statically: there a program's own malloc takes the place of the library's.
 */
#include <stdlib.h>

#ifndef __GLIBC__

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 16
#define PIECE	  (1u << 20)

struct block {
	size_t size; /* of what follows */
	size_t reserved; /* keeps what follows aligned */
};

static _Alignas(ALIGNMENT) char first[64 << 10];
static char *next = first, *end = first + sizeof(first);

static struct block *block_of(void *p)
{
	return (struct block *)p - 1;
}

static size_t round_up(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

/* What is left of the piece before is lost: pieces are few. */
static int get_piece(size_t at_least)
{
	size_t size = at_least < PIECE ? PIECE : at_least;
	char *piece = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (piece == MAP_FAILED)
		return -1;
	next = piece;
	end = piece + size;
	return 0;
}

/* Not called malloc: the compiler would see malloc and memset below, and make them a call of calloc. */
static void *take(size_t size)
{
	size_t whole = sizeof(struct block) + round_up(size);
	struct block *b;

	if (size > PTRDIFF_MAX - PIECE || (whole > (size_t)(end - next) && get_piece(whole) < 0)) {
		errno = ENOMEM;
		return NULL;
	}
	b = (struct block *)(void *)next;
	b->size = round_up(size);
	next += whole;
	return b + 1;
}

void *malloc(size_t size)
{
	return take(size);
}

void free(void *p)
{
	/* The last one is taken back; others wait for the end of the program. */
	if (p && (char *)p + block_of(p)->size == next)
		next = (char *)block_of(p);
}

void *calloc(size_t count, size_t size)
{
	size_t whole;
	void *p;

	if (__builtin_mul_overflow(count, size, &whole)) {
		errno = ENOMEM;
		return NULL;
	}
	p = take(whole);
	return p ? memset(p, 0, whole) : NULL; /* it may have been used before */
}

void *realloc(void *p, size_t size)
{
	size_t had = p ? block_of(p)->size : 0;
	void *moved;

	if (p && size <= had)
		return p;
	if (p && (char *)p + had == next && round_up(size) <= (size_t)(end - (char *)p) && size <= PTRDIFF_MAX - PIECE) {
		block_of(p)->size = round_up(size);
		next = (char *)p + round_up(size);
		return p;
	}
	moved = take(size);
	if (moved && p)
		memcpy(moved, p, had);
	return moved;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	if (alignment <= ALIGNMENT)
		return take(size);
	errno = ENOMEM; /* nothing here asks for more */
	return NULL;
}

#else
typedef int arena_is_for_musl; /* a translation unit may not be empty */
#endif
