/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.c - the seccomp program: from the tables of filter_calls.c to BPF.
 *
 * What is on no list answers ENOSYS, as an older kernel would: programs know how to fall back from that. Arguments are
 * compared by their low 32 bits, because the kernel cuts them to 32 bits: otherwise socket(40 | 1 << 32) would pass
 * where socket(40) does not. libseccomp knows the numbers; the program is filter_program.c's.
 */
#include "env/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "env/filter_calls.h"
#include "env/filter_program.h"

#define REFUSE(number) (SECCOMP_RET_ERRNO | (number))

#define ANSWER_SUCCESS REFUSE(0)

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define NEW_TIME 0x80 /* CLONE_NEWTIME: of unshare only; for clone the bit belongs to the exit signal */

static const uint32_t families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
static const uint32_t injections[] = { 0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */ };
static const uint32_t personalities[] = { 0, 0x0040000 /* ADDR_NO_RANDOMIZE */, 0xffffffff /* ask only */ };

/* The holder: without descriptors it could not clean up. Its uid is everybody's, so the kernel would let them. */
static const uint32_t pid1[] = { 1 };

#define ONE_OF(list) .values = (list), .value_count = ARRAY_SIZE(list)
static const struct {
	const char *name;
	struct filter_test test;
	bool not_nested; /* compared only where no namespaces may be made */
} compared[] = {
	{ "socket", { .arg = 0, ONE_OF(families), .match = SECCOMP_RET_ALLOW, .other = REFUSE(EAFNOSUPPORT) } },
	{ "socketpair", { .arg = 0, ONE_OF(families), .match = SECCOMP_RET_ALLOW, .other = REFUSE(EAFNOSUPPORT) } },
	{ "ioctl", { .arg = 1, ONE_OF(injections), .match = REFUSE(EPERM), .other = SECCOMP_RET_ALLOW } },
	{ "personality", { .arg = 0, ONE_OF(personalities), .match = SECCOMP_RET_ALLOW, .other = REFUSE(EPERM) } },
	{ "prlimit64", { .arg = 0, ONE_OF(pid1), .match = REFUSE(EPERM), .other = SECCOMP_RET_ALLOW } },
	{ "clone", { .arg = 0, .bits = NAMESPACES, .match = REFUSE(EPERM), .other = SECCOMP_RET_ALLOW }, true },
	{ "unshare", { .arg = 0, .bits = NAMESPACES | NEW_TIME, .match = REFUSE(EPERM), .other = SECCOMP_RET_ALLOW }, true },
};

struct entries {
	struct filter_entry *items;
	size_t count, cap;
};

static void add(struct entries *e, int number, uint32_t action, const struct filter_test *test)
{
	e->items = mem_grow(e->items, e->count, &e->cap, sizeof(*e->items));
	e->items[e->count++] = (struct filter_entry){ .number = (uint32_t)number, .action = action, .test = test };
}

/* Names this architecture does not have are skipped; names this libseccomp does not know are added by number. */
static void add_list(struct entries *e, uint32_t action, const struct filter_call *calls)
{
	for (; calls->name; calls++) {
		int number = seccomp_syscall_resolve_name(calls->name);

		if (number == __NR_SCMP_ERROR)
			number = calls->number;
		if (number >= 0)
			add(e, number, action, NULL);
	}
}

void filter_compile(const struct filter_options *options, struct buf *out)
{
	struct entries e = { 0 };
	size_t i;

	add_list(&e, SECCOMP_RET_ALLOW, filter_calls_allowed);
	add_list(&e, REFUSE(EPERM), filter_calls_denied);
	add_list(&e, options->nested ? SECCOMP_RET_ALLOW : REFUSE(EPERM), filter_calls_namespaces);
	add_list(&e, options->perf ? SECCOMP_RET_ALLOW : REFUSE(EPERM), filter_calls_perf);
	add_list(&e, options->root ? ANSWER_SUCCESS : SECCOMP_RET_ALLOW, filter_calls_owner);
	add_list(&e, options->set_ids ? ANSWER_SUCCESS : SECCOMP_RET_ALLOW, filter_calls_ids);
	add_list(&e, options->unsynced ? ANSWER_SUCCESS : SECCOMP_RET_ALLOW, filter_calls_sync);
	for (i = 0; i < ARRAY_SIZE(compared); i++)
		add(&e, seccomp_syscall_resolve_name(compared[i].name), SECCOMP_RET_ALLOW,
		    options->nested && compared[i].not_nested ? NULL : &compared[i].test);
	filter_program_emit(e.items, e.count, REFUSE(ENOSYS), out);
	free(e.items);
}
