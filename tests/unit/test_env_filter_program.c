/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter against libseccomp, in each of its variants: the same policy is given to libseccomp, both programs are evaluated over every system
 * call number and over the argument values that the rules tell apart, and must agree on each.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "env/filter.h"
#include "env/filter_calls.h"
#include "env/filter_program.h"

#define LOW32 0xffffffffULL
#define PROGRAM_MAX (4096 * 8) /* the kernel takes 4096 instructions */

#define DENY SCMP_ACT_ERRNO(EPERM)
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define NEW_TIME 0x80 /* CLONE_NEWTIME: of unshare only; for clone the bit belongs to the exit signal */

static const struct filter_options variants[] = {
	{ 0 }, { .nested = true }, { .perf = true }, { .nested = true, .perf = true },
	{ .root = true }, { .nested = true, .root = true }, { .perf = true, .root = true },
	{ .nested = true, .perf = true, .root = true },
	{ .root = true, .set_ids = true },
	{ .root = true, .set_ids = true, .unsynced = true },
};
static const struct filter_options *variant;

struct rules { /* one system call under construction */
	scmp_filter_ctx ctx;
	int call;
	unsigned int arg;
	int status; /* the first failure of libseccomp, negative errno */
};

static void rule(struct rules *r, uint32_t action, uint64_t mask, uint64_t value)
{
	struct scmp_arg_cmp cmp = { r->arg, SCMP_CMP_MASKED_EQ, mask, value };

	if (r->status == 0)
		r->status = seccomp_rule_add_array(r->ctx, action, r->call, 1, &cmp);
}

/* `action` for every 32-bit value with the top `bits` bits of `prefix` that is none of `values`. */
static void all_but(struct rules *r, uint32_t action, uint32_t prefix, unsigned int bits, const uint32_t *values,
		    size_t count)
{
	uint32_t mask = bits ? (uint32_t)(LOW32 << (32 - bits)) : 0;
	size_t inside = 0;

	for (size_t i = 0; i < count; i++)
		inside += (values[i] & mask) == prefix;
	if (!inside) {
		rule(r, action, mask, prefix);
	} else if (bits < 32) {
		all_but(r, action, prefix, bits + 1, values, count);
		all_but(r, action, prefix | (1u << (31 - bits)), bits + 1, values, count);
	}
}

/* These values of the argument get `listed`, all others `other`. */
static void by_value(struct rules *r, uint32_t listed, uint32_t other, const uint32_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rule(r, listed, LOW32, values[i]);
	all_but(r, other, 0, 0, values, count);
}

/* Allowed without any of these bits, else EPERM. Each rule excludes the bits of those before it, so none overlap. */
static void without_bits(struct rules *r, uint32_t bits)
{
	uint32_t seen = 0;

	rule(r, SCMP_ACT_ALLOW, bits, 0);
	for (unsigned int i = 0; i < 32; i++) {
		uint32_t bit = 1u << i;

		if (!(bits & bit))
			continue;
		seen |= bit;
		rule(r, DENY, seen, bit);
	}
}

static struct rules rules_for(scmp_filter_ctx ctx, const char *name, unsigned int arg)
{
	struct rules r = { .ctx = ctx, .call = seccomp_syscall_resolve_name(name), .arg = arg };

	return r;
}

static int add_compared(scmp_filter_ctx ctx)
{
	static const uint32_t families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	static const uint32_t injections[] = { 0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */ };
	static const uint32_t personalities[] = { 0, 0x0040000 /* ADDR_NO_RANDOMIZE */, 0xffffffff /* ask only */ };
	static const uint32_t pid1[] = { 1 };
	struct rules r[] = {
		rules_for(ctx, "socket", 0),  rules_for(ctx, "socketpair", 0), rules_for(ctx, "ioctl", 1),
		rules_for(ctx, "personality", 0), rules_for(ctx, "clone", 0),      rules_for(ctx, "unshare", 0),
		rules_for(ctx, "prlimit64", 0),
	};

	by_value(&r[0], SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EAFNOSUPPORT), families, ARRAY_SIZE(families));
	by_value(&r[1], SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EAFNOSUPPORT), families, ARRAY_SIZE(families));
	by_value(&r[2], DENY, SCMP_ACT_ALLOW, injections, ARRAY_SIZE(injections));
	by_value(&r[3], SCMP_ACT_ALLOW, DENY, personalities, ARRAY_SIZE(personalities));
	by_value(&r[6], DENY, SCMP_ACT_ALLOW, pid1, ARRAY_SIZE(pid1));
	without_bits(&r[4], variant->nested ? 0 : NAMESPACES);
	without_bits(&r[5], variant->nested ? 0 : NAMESPACES | NEW_TIME);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++)
		if (r[i].status < 0)
			return r[i].status;
	return 0;
}

/* Names this architecture does not have are skipped; names this libseccomp does not know are added by number. */
static int add_list(scmp_filter_ctx ctx, uint32_t action, const struct filter_call *calls)
{
	for (; calls->name; calls++) {
		int number = seccomp_syscall_resolve_name(calls->name), r;

		if (number == __NR_SCMP_ERROR)
			number = calls->number;
		if (number < 0)
			continue;
		r = seccomp_rule_add_array(ctx, action, number, 0, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int build(scmp_filter_ctx ctx)
{
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_list(ctx, SCMP_ACT_ALLOW, filter_calls_allowed);
	if (r == 0)
		r = add_list(ctx, DENY, filter_calls_denied);
	if (r == 0)
		r = add_list(ctx, variant->nested ? SCMP_ACT_ALLOW : DENY, filter_calls_namespaces);
	if (r == 0)
		r = add_list(ctx, variant->perf ? SCMP_ACT_ALLOW : DENY, filter_calls_perf);
	if (r == 0)
		r = add_list(ctx, variant->root ? SCMP_ACT_ERRNO(0) : SCMP_ACT_ALLOW, filter_calls_owner);
	if (r == 0)
		r = add_list(ctx, variant->set_ids ? SCMP_ACT_ERRNO(0) : SCMP_ACT_ALLOW, filter_calls_ids);
	if (r == 0)
		r = add_list(ctx, variant->unsynced ? SCMP_ACT_ERRNO(0) : SCMP_ACT_ALLOW, filter_calls_sync);
	return r == 0 ? add_compared(ctx) : r;
}

static void reference_program(struct buf *out)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	struct err e = ERR_INIT;
	int fd = memfd_create("filter", MFD_CLOEXEC);

	assert_non_null(ctx);
	assert_int_equal(build(ctx), 0);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(file_read_fd(fd, PROGRAM_MAX, out, &e), 0);
	close(fd);
	seccomp_release(ctx);
}

static bool jumps(const struct sock_filter *f, uint32_t a)
{
	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return a == f->k;
	case BPF_JGT:
		return a > f->k;
	case BPF_JGE:
		return a >= f->k;
	case BPF_JSET:
		return a & f->k;
	}
	fail_msg("jump %x", f->code);
	return false;
}

/* The subset of classic BPF that either program uses. */
static uint32_t evaluate(const struct buf *program, const struct seccomp_data *data)
{
	const struct sock_filter *f = (const struct sock_filter *)(void *)program->data;
	size_t count = program->len / sizeof(*f), at = 0;
	uint32_t a = 0;

	while (at < count) {
		const struct sock_filter *now = &f[at++];

		switch (BPF_CLASS(now->code)) {
		case BPF_LD:
			memcpy(&a, (const char *)data + now->k, sizeof(a));
			break;
		case BPF_ALU:
			assert_int_equal(BPF_OP(now->code), BPF_AND);
			a &= now->k;
			break;
		case BPF_JMP:
			at += BPF_OP(now->code) == BPF_JA ? now->k : jumps(now, a) ? now->jt : now->jf;
			break;
		case BPF_RET:
			return now->k;
		default:
			fail_msg("instruction %x", now->code);
		}
	}
	fail_msg("the program runs out");
	return 0;
}

static struct buf ours, theirs;

static int setup(void **state)
{
	(void)state;
	ours = theirs = BUF_INIT;
	filter_compile(variant, &ours);
	reference_program(&theirs);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_release(&ours);
	buf_release(&theirs);
	return 0;
}

static void compare(const struct seccomp_data *d)
{
	uint32_t a = evaluate(&ours, d), b = evaluate(&theirs, d);

	if (a != b)
		fail_msg("call %d (arch %x, %llx %llx): ours %x, libseccomp %x", d->nr, d->arch, d->args[0], d->args[1], a, b);
}

static struct seccomp_data call_of(int nr)
{
	return (struct seccomp_data){ .nr = nr, .arch = seccomp_arch_native() };
}

static void test_every_number(void **state)
{
	(void)state;
	for (int nr = -1; nr < 5000; nr++) {
		struct seccomp_data d = call_of(nr);

		compare(&d);
	}
}

static void test_edges(void **state)
{
	static const int numbers[] = { 0x3fffffff, 0x40000000, 0x40000001, 0x40000200, 0x7fffffff, -2147483647 - 1, -2, -1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct seccomp_data d = call_of(numbers[i]);

		compare(&d);
		d.arch = AUDIT_ARCH_I386;
		compare(&d);
		d.arch = AUDIT_ARCH_ARM;
		compare(&d);
	}
}

/* Every single bit, every pair of bits, small numbers, each with and without something in the high half. */
static void compare_values(int nr, unsigned int arg)
{
	static const uint64_t highs[] = { 0, 1ULL << 32, 0xffffffffULL << 32 };
	struct seccomp_data d = call_of(nr);

	for (size_t h = 0; h < ARRAY_SIZE(highs); h++) {
		for (uint64_t v = 0; v < 300; v++) {
			d.args[arg] = highs[h] | v;
			compare(&d);
			d.args[arg] = highs[h] | (0xffffffffULL - v);
			compare(&d);
			d.args[arg] = highs[h] | (0x5400 + v);
			compare(&d);
		}
		for (unsigned int i = 0; i < 32; i++)
			for (unsigned int j = 0; j < 32; j++) {
				d.args[arg] = highs[h] | 1ULL << i | 1ULL << j;
				compare(&d);
				d.args[arg] ^= 0xffffffffULL;
				compare(&d);
			}
	}
}

static void test_arguments(void **state)
{
	static const char *const names[] = { "socket", "socketpair", "ioctl", "personality", "clone", "unshare", "prlimit64",
					     "read", "fchownat" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (unsigned int arg = 0; arg < 6; arg++)
			compare_values(seccomp_syscall_resolve_name(names[i]), arg);
}

/* What it is for: fewer instructions to check and translate at every start. */
static void test_smaller(void **state)
{
	(void)state;
	printf("# %zu instructions, libseccomp %zu\n", ours.len / 8, theirs.len / 8);
	assert_true(ours.len * 3 < theirs.len);
}

/* A number that stands in two lists would be decided by the order of the tables. */
static void test_no_number_twice(void **state)
{
	const struct filter_call *lists[] = { filter_calls_allowed, filter_calls_denied, filter_calls_namespaces, filter_calls_perf,
					      filter_calls_owner, filter_calls_ids, filter_calls_sync };
	bool seen[1000] = { false };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct filter_call *c = lists[i]; c->name; c++) {
			int nr = seccomp_syscall_resolve_name(c->name);

			if (nr == __NR_SCMP_ERROR)
				nr = c->number;
			if (nr < 0)
				continue;
			if (seen[nr])
				fail_msg("%s is listed twice", c->name);
			seen[nr] = true;
		}
}

/* Trees deeper and wider than the real one: jumps over more than 255 instructions. */
static void test_long_jumps(void **state)
{
	struct filter_entry entries[900];
	struct buf program = BUF_INIT;

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(entries); i++)
		entries[i] = (struct filter_entry){ .number = 3 * i + 1, .action = SECCOMP_RET_ERRNO | i };
	filter_program_emit(entries, ARRAY_SIZE(entries), SECCOMP_RET_ALLOW, &program);
	for (uint32_t nr = 0; nr < 3000; nr++) {
		struct seccomp_data d = call_of((int)nr);
		uint32_t expected = nr % 3 == 1 && nr < 2700 ? SECCOMP_RET_ERRNO | (nr / 3) : SECCOMP_RET_ALLOW;

		assert_int_equal(evaluate(&program, &d), expected);
	}
	buf_release(&program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_number), cmocka_unit_test(test_edges),
		cmocka_unit_test(test_arguments),    cmocka_unit_test(test_smaller),
		cmocka_unit_test(test_no_number_twice), cmocka_unit_test(test_long_jumps),
	};

	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		variant = &variants[i];
		failed += cmocka_run_group_tests(tests, setup, teardown);
	}
	return failed;
}
