/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_layer.c - a plain tar archive, whatever it says, changes nothing but the tree it is unpacked into.
 *
 * Every input is applied over a lower layer that is full of links leading out, beside a canary: a directory with a file,
 * a link and an empty directory. After each input all that stands beside the tree must be what it was, down to inode
 * numbers, link counts and change times; and in the tree there must be no device node but whiteouts.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/stream.h"
#include "layer/layer.h"
#include "layer/owners.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
	struct stream stream;
	const uint8_t *data;
	size_t left;
};

static char *top; /* the directory of all this */
static int top_fd = -1, below_fd;
static pid_t owner;
static struct buf before = BUF_INIT;

static ssize_t memory_read(struct stream *s, void *out, size_t n, struct err *e)
{
	struct memory *m = (struct memory *)s;

	(void)e;
	n = n < m->left ? n : m->left;
	memcpy(out, m->data, n);
	m->data += n;
	m->left -= n;
	return (ssize_t)n;
}

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_layer: %s\n", what);
	abort();
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* A line for all that is known about each entry below `fd`, except what belongs to the tree. */
static void describe(int fd, const char *path, struct buf *out)
{
	struct dirent **entries;
	int count = scandirat(fd, path, &entries, NULL, by_name);

	check(count >= 0, "cannot list");
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char *child = mem_printf("%s/%s", path, name);
		struct stat st;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(child, "./tree") != 0 &&
		    strcmp(child, "./owners") != 0) {
			check(fstatat(fd, child, &st, AT_SYMLINK_NOFOLLOW) == 0, "cannot stat");
			buf_addf(out, "%s %lu %o %lu %lld %lld.%ld %u:%u\n", child, (unsigned long)st.st_ino,
			         st.st_mode, (unsigned long)st.st_nlink, (long long)st.st_size,
			         (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec, st.st_uid, st.st_gid);
			if (S_ISDIR(st.st_mode))
				describe(fd, child, out);
		}
		free(child);
		free(entries[i]);
	}
	free(entries);
}

/* Device nodes in what was made. */
static void inspect(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		check(!S_ISBLK(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode),
		      "a special file was made");
		check(!S_ISCHR(st.st_mode) || st.st_rdev == 0, "a device node was made");
		if (S_ISDIR(st.st_mode))
			inspect(fd, entry->d_name);
	}
	closedir(dir);
}

static void clean_up(void)
{
	struct err e;

	if (getpid() == owner)
		file_remove_tree(AT_FDCWD, top, &e);
	close(top_fd);
	close(below_fd);
	buf_release(&before);
	free(top);
}

static void make_canary(void)
{
	static const char *const links[][2] = {
		{ "..", "low/up" },     { "../../canary", "low/canary" },
		{ "/tmp", "low/abs" },  { "../../../../../../etc", "low/etc" },
		{ "loop", "low/loop" }, { "dir", "low/link" },
	};
	const char *parent = getenv("TMPDIR");
	int fd;

	top = mem_printf("%s/fuzz-layer.XXXXXX", parent ? parent : "/tmp");
	check(mkdtemp(top) != NULL, "cannot make a directory");
	owner = getpid();
	atexit(clean_up);
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(mkdirat(top_fd, "canary", 0755) == 0 && mkdirat(top_fd, "canary/empty", 0755) == 0 &&
	              mkdirat(top_fd, "low", 0755) == 0 && mkdirat(top_fd, "low/dir", 0755) == 0,
	      "cannot make directories");
	fd = openat(top_fd, "canary/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	check(fd >= 0 && write(fd, "sings", 5) == 5, "cannot make a file");
	close(fd);
	check(symlinkat("file", top_fd, "canary/link") == 0, "cannot make a link");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		check(symlinkat(links[i][0], top_fd, links[i][1]) == 0, "cannot make a link");
	fd = openat(top_fd, "low/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	check(fd >= 0 && write(fd, "below", 5) == 5, "cannot make a file");
	close(fd);
	below_fd = openat(top_fd, "low", O_PATH | O_DIRECTORY | O_CLOEXEC);
	describe(top_fd, ".", &before);
}

static void check_outside(void)
{
	struct buf after = BUF_INIT;

	describe(top_fd, ".", &after);
	if (strcmp(before.data, after.data) != 0)
		fprintf(stderr, "before:\n%safter:\n%s", before.data, after.data);
	check(strcmp(before.data, after.data) == 0, "something outside of the tree changed");
	buf_release(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory m = { .stream = { .read = memory_read }, .data = data, .left = size };
	struct layer_spec spec = {
		.compression = LAYER_PLAIN, .below = &below_fd, .below_count = 1, .max_bytes = 1 << 20
	};
	struct layer_result result;
	struct owners owners;
	struct err e = ERR_INIT;
	int tree, record;

	if (top_fd < 0)
		make_canary();
	check(mkdirat(top_fd, "tree", 0700) == 0, "cannot make the tree");
	tree = openat(top_fd, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
	record = openat(top_fd, "owners", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (layer_apply(&spec, &m.stream, tree, record, NULL, NULL, &result, &e) == 0) {
		check(lseek(record, 0, SEEK_SET) == 0 && owners_load(&owners, record, &e) == 0,
		      "the owners record is malformed");
		owners_release(&owners);
	} else {
		check(e.code != ERR_NONE && e.msg[0], "a failure without a message");
	}
	inspect(top_fd, "tree");
	close(tree);
	close(record);
	check_outside();
	check(file_remove_tree(top_fd, "tree", &e) == 0, "cannot remove the tree");
	return 0;
}
