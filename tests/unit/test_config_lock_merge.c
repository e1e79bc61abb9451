/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two people change devenv.lock independently of each other, and git merges it: nearly always without a conflict, and then
 * the result has both changes. Where there is a conflict, `devenv lock` can still take both sides.
 */
#include "unit/lock_fixture.h"

#include "base/text.h"
#include "config/extends.h"

#define ENTRIES_MOST 40

/* ---- locks ---- */

/* Names are spread over the alphabet, as those of repositories and files are. */
static char *random_request(void)
{
	static const char *const teams[] = { "alpha", "build", "core", "data", "edge", "front", "go", "infra" };
	char file[9];

	random_hex(file, 8);
	return mem_printf("git+https://git.example.org/%s/envs#v%u:%s.ini", teams[random_below(ARRAY_SIZE(teams))],
			  random_below(3), file);
}

static void put_extends(struct lock *l, const char *request)
{
	struct extends_git g;
	struct lock_extends entry = { .request = mem_strdup(request) };
	struct err e = ERR_INIT;
	char commit[41], content[65];

	assert_int_equal(extends_parse_git(request, &g, &e), 0);
	random_hex(commit, 40);
	random_hex(content, 64);
	entry.name = extends_lock_name(&g);
	entry.commit = mem_strdup(commit);
	entry.content = mem_printf("sha256:%s", content);
	lock_put_extends(l, &entry);
	extends_git_release(&g);
}

static void put_base(struct lock *l)
{
	struct lock_image image = { .name = mem_strdup("base"), .request = mem_strdup("docker.io/library/python:3.12") };
	static const char *const platforms[] = { "linux/amd64", "linux/arm64/v8" };
	char hex[65];

	random_hex(hex, 64);
	image.index = mem_printf("sha256:%s", hex);
	for (size_t i = 0; i < ARRAY_SIZE(platforms); i++) {
		random_hex(hex, 64);
		image.manifests = mem_grow(image.manifests, image.manifest_count, &image.manifest_cap, sizeof(*image.manifests));
		image.manifests[image.manifest_count++] =
			(struct lock_manifest){ mem_strdup(platforms[i]), mem_printf("sha256:%s", hex) };
	}
	lock_put(l, &image);
}

/* ---- edits ---- */

enum edit { MOVE_BASE, MOVE, ADD, REMOVE, EDITS };

/* One change to a lock: what `devenv update NAME`, a new line of devenv.ini or one that went make of it. */
static void change(struct lock *l, enum edit edit, size_t which)
{
	cleanup_free char *request = NULL;

	switch (edit) {
	case MOVE_BASE:
		put_base(l);
		break;
	case MOVE:
		request = mem_strdup(l->extends[which].request);
		put_extends(l, request);
		break;
	case ADD:
		request = random_request();
		put_extends(l, request);
		break;
	case REMOVE:
		request = mem_strdup(l->extends[which].name);
		lock_remove_extends(l, request);
		break;
	case EDITS:
		break;
	}
}

/* Edits of two people that have nothing to do with each other: other entries, or one moves what the other never had. */
static void change_both(struct lock *ours, struct lock *theirs)
{
	enum edit one = random_below(EDITS), two = random_below(EDITS);
	size_t first = random_below((unsigned int)ours->extends_count), second = first;

	while (one == MOVE_BASE && two == MOVE_BASE)
		two = random_below(EDITS);
	while (second == first)
		second = random_below((unsigned int)theirs->extends_count);
	change(ours, one, first);
	change(theirs, two, second);
}

static bool same(const struct lock *a, const struct lock *b)
{
	cleanup_buf struct buf one = BUF_INIT, two = BUF_INIT;

	lock_format(a, &one);
	lock_format(b, &two);
	return one.len == two.len && !memcmp(one.data, two.data, one.len);
}

/* Bring what `side` changed of `base` over to `target`; takes its image. */
static void carry_over(struct lock *target, const struct lock *base, struct lock *side)
{
	if (strcmp(base->images[0].index, side->images[0].index) != 0)
		lock_put(target, &side->images[0]);
	for (size_t i = 0; i < base->extends_count; i++)
		if (!lock_find_extends(side, base->extends[i].name))
			lock_remove_extends(target, base->extends[i].name);
	for (size_t i = 0; i < side->extends_count; i++) {
		const struct lock_extends *now = &side->extends[i], *before = lock_find_extends(base, now->name);
		struct lock_extends copy;

		if (before && !strcmp(before->commit, now->commit))
			continue;
		copy = (struct lock_extends){ mem_strdup(now->name), mem_strdup(now->request), mem_strdup(now->commit),
					      mem_strdup(now->content) };
		lock_put_extends(target, &copy);
	}
}

static void make_base(struct lock *l)
{
	unsigned int count = 4 + random_below(ENTRIES_MOST - 4);

	put_base(l);
	while (l->extends_count < count) {
		cleanup_free char *request = random_request();

		put_extends(l, request);
	}
}

static void make_pair(struct pair *p)
{
	make_base(&p->base);
	copy_of(&p->base, &p->ours);
	copy_of(&p->base, &p->theirs);
	change_both(&p->ours, &p->theirs);
}

static void check_pair(struct pair *p)
{
	carry_over(&p->ours, &p->base, &p->theirs);
	if (!same(&p->ours, &p->got))
		fail_msg("a change was lost");
}

static void test_independent_edits(void **state)
{
	(void)state;
	check_pairs(make_pair, check_pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_independent_edits, tempdir_setup, tempdir_teardown),
	};

	return cmocka_run_group_tests_name("config_lock_merge", tests, NULL, NULL);
}
