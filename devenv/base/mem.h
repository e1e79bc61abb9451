/* SPDX-License-Identifier: Apache-2.0 */
/* mem.h - allocation that aborts when memory is out, and cleanup attributes. */
#ifndef DEVENV_BASE_MEM_H
#define DEVENV_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* These never return NULL; they abort with a message on exhaustion or overflow. */
void *mem_alloc(size_t size);			       /* zeroed */
void *mem_array(size_t count, size_t size);	       /* zeroed */
void *mem_resize(void *p, size_t count, size_t size);  /* like reallocarray; new bytes undefined */
char *mem_strdup(const char *s);		       /* s must not be NULL */
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Make room for one more element of an array that grows by doubling: returns the (possibly moved) array. */
void *mem_grow(void *array, size_t count, size_t *capacity, size_t size);

static inline void mem_free_cleanup(void *p)
{
	free(*(void **)p);
}
static inline void mem_close_cleanup(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
/* Variables so marked are freed or closed at the end of their scope. A function uses these or goto, never both. */
#define cleanup_free __attribute__((cleanup(mem_free_cleanup)))
#define cleanup_close __attribute__((cleanup(mem_close_cleanup)))

/* Give the value away: evaluates to the old pointer and leaves NULL behind (for fds: -1). */
#define mem_steal(p)                        \
	({                                  \
		__typeof__(p) old_ = (p);   \
		(p) = NULL;                 \
		old_;                       \
	})
#define mem_steal_fd(fd)          \
	({                        \
		int old_ = (fd);  \
		(fd) = -1;        \
		old_;             \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
