/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discard.c - what goes away with the last session.
 *
 * The upper layer of an overlay holds exactly what was written. Nothing inside can reach it by a path; pid 1 keeps the
 * directory that it lies in open, and a launcher that has just joined has the capabilities to look there. Names in it are
 * whatever programs inside made of them: links are not followed and everything shown is escaped.
 */
#include "sandbox/discard.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

#define DEEPEST 64
#define PACKAGES_SHOWN 8
#define CHANGES_SHOWN 40

int discard_open_scratch(void)
{
	DIR *dir = opendir("/proc/1/fd");
	struct dirent *entry;
	int found = -1;

	/* openat and not access(2), which forgets capabilities. */
	while (dir && found < 0 && (entry = readdir(dir))) {
		cleanup_free char *upper = mem_printf("/proc/1/fd/%s/upper", entry->d_name);
		cleanup_free char *scratch = mem_printf("/proc/1/fd/%s", entry->d_name);
		cleanup_close int fd = entry->d_name[0] == '.' ? -1 : openat(AT_FDCWD, upper, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			found = openat(AT_FDCWD, scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* ---- walking ---- */

struct walk {
	/* `path` is relative to the top. For a directory the answer says whether to go in. */
	bool (*visit)(struct walk *w, const char *path, const struct stat *st);
	void *data;
};

static void walk(struct walk *w, int dirfd, const char *name, const char *path, unsigned int depth)
{
	int fd = depth < DEEPEST ? openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		cleanup_free char *below = *path ? path_join(path, entry->d_name) : mem_strdup(entry->d_name);
		struct stat st;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (w->visit(w, below, &st) && S_ISDIR(st.st_mode))
			walk(w, fd, entry->d_name, below, depth + 1);
	}
	if (dir)
		closedir(dir);
}

/* ---- the root ---- */

struct written {
	size_t files;
	struct strlist packages;
};

/* What programs write in passing; nobody would miss it. */
static bool is_noise(const char *path)
{
	static const char *const places[] = { "var/cache/", "var/log/", "var/lib/apt/", "run/", "root/.", "etc/ld.so.cache",
					      "etc/.pwd.lock", "var/lib/dpkg/" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (text_starts(path, places[i]))
			return true;
	return strstr(path, "__pycache__") != NULL;
}

/* dpkg writes a package's list of files when it installs it: NAME.list or NAME:ARCHITECTURE.list. */
static void note_package(struct written *w, const char *path, const struct stat *st)
{
	static const char info[] = "var/lib/dpkg/info/";
	const char *name = path + strlen(info);
	size_t len = strcspn(name, ":");

	if (!text_starts(path, info) || !S_ISREG(st->st_mode) || !text_ends(name, ".list"))
		return;
	if (!name[len])
		len = strlen(name) - strlen(".list");
	strlist_addf(&w->packages, "%.*s", (int)len, name);
}

static bool visit_root(struct walk *w, const char *path, const struct stat *st)
{
	struct written *written = w->data;

	note_package(written, path, st);
	if (!S_ISDIR(st->st_mode) && !is_noise(path))
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
	struct walk w = { visit_root, &written };

	walk(&w, scratch_fd, "upper", "", 0);
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

static bool visit_project(struct walk *w, const char *path, const struct stat *st)
{
	struct changes *c = w->data;
	struct stat before;
	bool was = fstatat(c->project_fd, path, &before, AT_SYMLINK_NOFOLLOW) == 0;

	if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0))
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
	struct walk w = { visit_project, &changes };
	size_t i;

	walk(&w, scratch_fd, "project/upper", "", 0);
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
