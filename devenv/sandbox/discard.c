/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discard.c - what goes away with the last session.
 *
 * The upper layer of an overlay holds exactly what was written. Nothing inside can reach it by a path; pid 1 keeps the
 * directory that it lies in open, and a launcher that has just joined has the capabilities to look there. Names in it are
 * whatever programs inside made of them: links are not followed and everything shown is escaped.
 */
#include "sandbox/discard.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "plan/upper.h"

#define PACKAGES_SHOWN 8
#define CHANGES_SHOWN 40

int discard_open_scratch(void)
{
	return upper_find(1);
}

/* ---- the root ---- */

struct written {
	size_t files;
	struct strlist packages;
};

static bool visit_root(struct upper_walk *w, int dirfd, const char *path, const struct stat *st)
{
	struct written *written = w->data;
	size_t len;
	const char *package = upper_package(path, st, &len);

	(void)dirfd;
	if (package)
		strlist_addf(&written->packages, "%.*s", (int)len, package);
	if (!S_ISDIR(st->st_mode) && !upper_is_passing(path))
		written->files++;
	return true;
}

static void add_packages(struct written *w, struct buf *out)
{
	size_t i, shown = w->packages.count < PACKAGES_SHOWN ? w->packages.count : PACKAGES_SHOWN;

	if (!shown)
		return;
	strlist_sort(&w->packages);
	buf_adds(out, w->packages.count == 1 ? ", with the package" : ", with the packages");
	for (i = 0; i < shown; i++)
		buf_addf(out, "%s %s", i ? "," : "", text_safe(w->packages.items[i]));
	if (shown < w->packages.count)
		buf_addf(out, " and %zu more", w->packages.count - shown);
}

void discard_describe_root(int scratch_fd, struct buf *out)
{
	struct written written = { 0 };
	struct upper_walk w = { .visit = visit_root, .data = &written };

	upper_walk(&w, scratch_fd, "upper");
	if (written.files) {
		buf_addf(out, "discarded %zu file%s outside project, home and volumes", written.files,
			 written.files == 1 ? "" : "s");
		add_packages(&written, out);
		buf_adds(out, "; `persist = yes` in [sandbox] keeps such changes");
	}
	strlist_release(&written.packages);
}

/* ---- the project of an untrusted session ---- */

struct changes {
	int project_fd;
	struct strlist lines;
};

static bool visit_project(struct upper_walk *w, int dirfd, const char *path, const struct stat *st)
{
	struct changes *c = w->data;
	struct stat before;
	bool was = fstatat(c->project_fd, path, &before, AT_SYMLINK_NOFOLLOW) == 0;

	(void)dirfd;
	if (upper_is_whiteout(st))
		strlist_addf(&c->lines, "D %s", text_safe(path));
	else if (!S_ISDIR(st->st_mode))
		strlist_addf(&c->lines, "%c %s", was ? 'M' : 'A', text_safe(path));
	return true;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a + 2, *(char *const *)b + 2);
}

void discard_describe_project(int scratch_fd, int project_fd, struct buf *out)
{
	struct changes changes = { .project_fd = project_fd };
	struct upper_walk w = { .visit = visit_project, .data = &changes };
	size_t i;

	upper_walk(&w, scratch_fd, "project/upper");
	if (!changes.lines.count) {
		buf_adds(out, "this session changed nothing in the project");
		return;
	}
	qsort(changes.lines.items, changes.lines.count, sizeof(*changes.lines.items), by_path);
	buf_adds(out, "what this session did to its view of the project, now discarded:");
	for (i = 0; i < changes.lines.count && i < CHANGES_SHOWN; i++)
		buf_addf(out, "\n  %s", changes.lines.items[i]);
	if (changes.lines.count > CHANGES_SHOWN)
		buf_addf(out, "\n  and %zu more", changes.lines.count - CHANGES_SHOWN);
	strlist_release(&changes.lines);
}
