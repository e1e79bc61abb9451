/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_fixture.h - two people change a lock independently of each other, and git merges it: nearly always without a conflict.
 * A test says what a change is, with random_below() for everything that is any, and what has to be in the result.
 */
#ifndef TESTS_UNIT_LOCK_FIXTURE_H
#define TESTS_UNIT_LOCK_FIXTURE_H

#include "unit/tempdir.h"

#include "base/buf.h"
#include "base/process.h"
#include "config/lock.h"

#define PAIRS	    300
#define CLEAN_LEAST (PAIRS * 95 / 100)

static uint64_t random_state = 0x9e3779b97f4a7c15ULL; /* the same pairs in every run */

static unsigned int random_below(unsigned int n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned int)(random_state >> 33) % n;
}

static void random_hex(char *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = "0123456789abcdef"[random_below(16)];
	out[n] = '\0';
}

static void parse(const char *text, struct lock *out)
{
	struct err e = ERR_INIT;

	if (lock_parse("devenv.lock", text, strlen(text), out, &e))
		fail_msg("%s", e.msg);
}

static void copy_of(const struct lock *l, struct lock *out)
{
	cleanup_buf struct buf text = BUF_INIT;

	lock_format(l, &text);
	parse(text.data, out);
}

static void write_lock(const char *name, const struct lock *l)
{
	cleanup_buf struct buf text = BUF_INIT;

	lock_format(l, &text);
	tempdir_write(name, text.data);
}

struct pair {
	struct lock base, ours, theirs;
	struct lock got; /* merged without a conflict, or with both sides taken */
};

/* Merge the pair's sides by git; true: without a conflict. Either way `got` is there. */
static bool merge_pair(struct pair *p)
{
	cleanup_free char *ours = mem_printf("%s/ours", tempdir), *base = mem_printf("%s/base", tempdir);
	cleanup_free char *theirs = mem_printf("%s/theirs", tempdir);
	const char *const argv[] = { "git", "-C", tempdir, "merge-file", "-p", ours, base, theirs, NULL };
	cleanup_buf struct buf merged = BUF_INIT;
	struct err e = ERR_INIT;
	int conflicts;

	write_lock("base", &p->base);
	write_lock("ours", &p->ours);
	write_lock("theirs", &p->theirs);
	conflicts = process_capture(argv, NULL, 1 << 20, &merged, &e);
	if (conflicts < 0 || conflicts > 127)
		fail_msg("git merge-file: %d %s", conflicts, e.msg);
	if (conflicts == 0)
		parse(merged.data, &p->got);
	else if (lock_parse_both_sides("devenv.lock", merged.data, merged.len, &p->got, &e))
		fail_msg("%s", e.msg);
	return conflicts == 0;
}

/* `make`: base, ours and theirs. `check`: of a pair that was merged cleanly. */
static void check_pairs(void (*make)(struct pair *p), void (*check)(struct pair *p))
{
	unsigned int clean = 0;

	for (unsigned int i = 0; i < PAIRS; i++) {
		struct pair p = { 0 };

		make(&p);
		if (merge_pair(&p)) {
			clean++;
			check(&p);
		}
		lock_release(&p.base);
		lock_release(&p.ours);
		lock_release(&p.theirs);
		lock_release(&p.got);
	}
	print_message("%u of %d pairs merged without a conflict\n", clean, PAIRS);
	if (clean < CLEAN_LEAST)
		fail_msg("only %u of %d pairs merged without a conflict", clean, PAIRS);
}

#endif
