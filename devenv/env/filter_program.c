/* SPDX-License-Identifier: Apache-2.0 */
/* filter_program.c - ranges of system calls as a balanced tree of BPF jumps (seccomp(2), Documentation/userspace-api). */
#include "env/filter_program.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#define X32_BIT	    0x40000000u
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "devenv runs on x86-64 and arm64"
#endif

#define JUMP_MAX 255 /* conditional jumps have 8 bits */

struct range {
	uint32_t first; /* up to the next range's first - 1 */
	uint32_t action;
	const struct filter_test *test;
};

static void emit(struct buf *out, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
	struct sock_filter f = { .code = code, .jt = if_true, .jf = if_false, .k = k };

	buf_add(out, &f, sizeof(f));
}

static void emit_return(struct buf *out, uint32_t action)
{
	emit(out, BPF_RET | BPF_K, action, 0, 0);
}

/*
 * The tree is written from its end to its front: jumps go forward only, so what a jump leads to is there before it, and one
 * return can serve all jumps near enough. Half the instructions are half the time to load it, at every start and join.
 * Places are counted from the end: an instruction at place N that jumps to place T skips N - T - 1.
 */
struct tree {
	struct buf code;		  /* last instruction first */
	struct {
		uint32_t action;
		size_t place;
	} returns[8];			  /* the latest of each action */
	size_t return_count;
};

static size_t length(const struct tree *t)
{
	return t->code.len / sizeof(struct sock_filter);
}

/* What an instruction that is put in front of all would skip to get there. */
static size_t distance(const struct tree *t, size_t place)
{
	return length(t) - place;
}

static size_t put(struct tree *t, uint16_t code, uint32_t k, size_t if_true, size_t if_false)
{
	emit(&t->code, code, k, (uint8_t)if_true, (uint8_t)if_false);
	return length(t);
}

/* Where this action is returned, with room for `more` instructions between. */
static size_t put_return(struct tree *t, uint32_t action, size_t more)
{
	size_t i;

	for (i = 0; i < t->return_count && t->returns[i].action != action; i++)
		continue;
	if (i < t->return_count && distance(t, t->returns[i].place) + more <= JUMP_MAX)
		return t->returns[i].place;
	if (i == t->return_count && i < sizeof(t->returns) / sizeof(t->returns[0]))
		t->return_count++;
	if (i == t->return_count)
		i = 0;
	t->returns[i].action = action;
	t->returns[i].place = put(t, BPF_RET | BPF_K, action, 0, 0);
	return t->returns[i].place;
}

/* Little endian, as both architectures are: the low half comes first. */
static size_t put_test(struct tree *t, const struct filter_test *test)
{
	size_t more = test->value_count + 2, match = put_return(t, test->match, more + 1), i;
	size_t other = put_return(t, test->other, more);

	if (!test->bits && !test->value_count)
		return other;
	if (test->bits)
		put(t, BPF_JMP | BPF_JSET | BPF_K, test->bits, distance(t, match), distance(t, other));
	for (i = test->bits ? 0 : test->value_count; i-- > 0;)
		put(t, BPF_JMP | BPF_JEQ | BPF_K, test->values[i], distance(t, match),
		    i + 1 == test->value_count ? distance(t, other) : 0);
	return put(t, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + test->arg * sizeof(uint64_t)),
		   0, 0);
}

/* A conditional jump has 8 bits; beyond, it takes one that has 32. */
static size_t bring_near(struct tree *t, size_t place)
{
	/* the jump to the other side may come between */
	return distance(t, place) + 1 <= JUMP_MAX ? place : put(t, BPF_JMP | BPF_JA, (uint32_t)distance(t, place), 0, 0);
}

/* The accumulator holds the number. Returns where it begins: at the front, unless all of it is a return that was there. */
static size_t put_tree(struct tree *t, const struct range *ranges, size_t count)
{
	size_t half = count / 2, low, high;

	if (count == 1)
		return ranges->test ? put_test(t, ranges->test) : put_return(t, ranges->action, 2);
	high = put_tree(t, ranges + half, count - half);
	low = put_tree(t, ranges, half);
	high = bring_near(t, high);
	low = bring_near(t, low);
	return put(t, BPF_JMP | BPF_JGE | BPF_K, ranges[half].first, distance(t, high), distance(t, low));
}

static void emit_tree(struct buf *out, const struct range *ranges, size_t count)
{
	struct tree t = { .code = BUF_INIT };
	size_t i;

	put_tree(&t, ranges, count);
	for (i = length(&t); i-- > 0;)
		buf_add(out, t.code.data + i * sizeof(struct sock_filter), sizeof(struct sock_filter));
	buf_release(&t.code);
}

static int by_number(const void *a, const void *b)
{
	const struct filter_entry *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static void add_range(struct range *ranges, size_t *count, struct range r)
{
	const struct range *last = *count ? &ranges[*count - 1] : NULL;

	if (!last || last->test || r.test || last->action != r.action)
		ranges[(*count)++] = r;
}

/* Cover all numbers from 0 up, gaps included. */
static struct range *make_ranges(const struct filter_entry *entries, size_t entry_count, uint32_t missing, size_t *count)
{
	struct range *ranges = mem_array(2 * entry_count + 1, sizeof(*ranges));
	uint32_t next = 0;
	size_t i;

	*count = 0;
	for (i = 0; i < entry_count; i++) {
		const struct filter_entry *x = &entries[i];

		if (x->number > next)
			add_range(ranges, count, (struct range){ .first = next, .action = missing });
		add_range(ranges, count, (struct range){ .first = x->number, .action = x->action, .test = x->test });
		next = x->number + 1;
	}
	add_range(ranges, count, (struct range){ .first = next, .action = missing });
	return ranges;
}

void filter_program_emit(struct filter_entry *entries, size_t count, uint32_t missing, struct buf *out)
{
	cleanup_free struct range *ranges = NULL;
	size_t range_count;

	qsort(entries, count, sizeof(*entries), by_number);
	ranges = make_ranges(entries, count, missing, &range_count);
	emit(out, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	emit(out, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
	emit_return(out, SECCOMP_RET_KILL_PROCESS);
	emit(out, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
#ifdef X32_BIT
	/* -1 is what a tracer writes to skip a call: not a call of the other architecture. */
	emit(out, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 2);
	emit(out, BPF_JMP | BPF_JEQ | BPF_K, 0xffffffffu, 1, 0);
	emit_return(out, SECCOMP_RET_KILL_PROCESS);
#endif
	emit_tree(out, ranges, range_count);
}
