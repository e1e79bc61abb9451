/* SPDX-License-Identifier: Apache-2.0 */
/* step_settle.c - making what a step wrote the same for the same inputs: times, and what overlayfs noted for itself. */
#include "env/step.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

struct settling {
	int64_t since_ns;
	struct timespec stamps[2];
};

static void settle_entry(const struct settling *s, int dirfd, const char *name, const struct stat *st)
{
	if (st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec >= s->since_ns)
		utimensat(dirfd, name, s->stamps, AT_SYMLINK_NOFOLLOW);
}

static int settle_tree(const struct settling *s, int fd, struct err *e)
{
	static const char *const notes[] = { "user.overlay.origin", "user.overlay.impure", "user.overlay.nlink" };
	cleanup_strlist struct strlist names = STRLIST_INIT;

	if (file_names(fd, ".", true, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		cleanup_close int child = -1;
		struct stat st;

		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "can't look at %s", text_safe(name));
		/* Directories that their owner can't open are opened up for a moment. */
		if (S_ISDIR(st.st_mode) && (st.st_mode & 0700) != 0700 && fchmodat(fd, name, (st.st_mode & 07777) | 0700, 0) < 0)
			return err_sys(e, "can't open %s", text_safe(name));
		if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))
			child = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		for (size_t k = 0; child >= 0 && k < ARRAY_SIZE(notes); k++)
			fremovexattr(child, notes[k]);
		if (S_ISDIR(st.st_mode) && (child < 0 || settle_tree(s, child, e) < 0))
			return e->code ? -1 : err_sys(e, "can't open %s", text_safe(name));
		if (S_ISDIR(st.st_mode) && (st.st_mode & 0700) != 0700 && fchmodat(fd, name, st.st_mode & 07777, 0) < 0)
			return err_sys(e, "can't set the mode of %s", text_safe(name));
		settle_entry(s, fd, name, &st);
	}
	return 0;
}

int step_settle(struct store_stage *stage, int64_t since_ns, int64_t epoch, struct err *e)
{
	struct settling s = { since_ns, { { epoch, 0 }, { epoch, 0 } } };
	cleanup_close int fd = openat(stage->fd, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "can't find what the step wrote");
	if (settle_tree(&s, fd, e) < 0)
		return err_wrap(e, "what the step wrote");
	settle_entry(&s, stage->fd, "fs", &st);
	return 0;
}
