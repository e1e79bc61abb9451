/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter_program.h - from "what happens to each system call" to a seccomp program that loads fast.
 *
 * libseccomp's programs compare numbers one by one or in a tree of single numbers; loading one costs several times what
 * the rest of a session's restrictions cost. Here neighbouring calls with one fate are one range, and the ranges are
 * the leaves of a balanced tree: a quarter of the instructions. A test evaluates both programs over every number and
 * argument class and expects the same answers.
 */
#ifndef DEVENV_ENV_FILTER_PROGRAM_H
#define DEVENV_ENV_FILTER_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* How the low 32 bits of one argument decide; the kernel cuts these arguments to 32 bits too. */
struct filter_test {
	unsigned int arg;
	uint32_t bits;		/* not 0: any of these bits set means `match` */
	const uint32_t *values; /* else: one of these values means `match` */
	size_t value_count;
	uint32_t match, other;	/* SECCOMP_RET_* */
};

struct filter_entry {
	uint32_t number;
	uint32_t action;	   /* SECCOMP_RET_*, when test is NULL */
	const struct filter_test *test;
};

/*
 * Append the program as struct sock_filter[]. `entries` in any order, each number once; they are sorted in place.
 * Numbers not listed get `missing`. Another architecture, and x32 on x86-64, kill the process.
 */
void filter_program_emit(struct filter_entry *entries, size_t count, uint32_t missing, struct buf *out);

#endif
