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

/* Little endian, as both architectures are: the low half comes first. */
static void emit_test(struct buf *out, const struct filter_test *t)
{
	size_t i;

	emit(out, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + t->arg * sizeof(uint64_t)), 0, 0);
	if (t->bits)
		emit(out, BPF_JMP | BPF_JSET | BPF_K, t->bits, 1, 0);
	for (i = 0; !t->bits && i < t->value_count; i++)
		emit(out, BPF_JMP | BPF_JEQ | BPF_K, t->values[i], (uint8_t)(t->value_count - i), 0);
	emit_return(out, t->other);
	emit_return(out, t->match);
}

/* The accumulator holds the number. Lower half first, so that a jump over it is the only long one. */
static void emit_tree(struct buf *out, const struct range *ranges, size_t count)
{
	struct buf low = BUF_INIT;
	size_t half = count / 2, length;

	if (count == 1) {
		if (ranges->test)
			emit_test(out, ranges->test);
		else
			emit_return(out, ranges->action);
		return;
	}
	emit_tree(&low, ranges, half);
	length = low.len / sizeof(struct sock_filter);
	if (length <= JUMP_MAX) {
		emit(out, BPF_JMP | BPF_JGE | BPF_K, ranges[half].first, (uint8_t)length, 0);
	} else {
		emit(out, BPF_JMP | BPF_JGE | BPF_K, ranges[half].first, 0, 1);
		emit(out, BPF_JMP | BPF_JA, (uint32_t)length, 0, 0);
	}
	buf_add(out, low.data, low.len);
	buf_release(&low);
	emit_tree(out, ranges + half, count - half);
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
