/* SPDX-License-Identifier: Apache-2.0 */
/* inputs.c - files that a plan is made from. */
#include "env/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"

#define NS_PER_S 1000000000LL

static struct env_file *remember(struct environment *env, const char *path)
{
	struct env_file *f;

	for (size_t i = 0; i < env->file_count; i++) {
		f = &env->files[i];
		if (strcmp(f->path, path) == 0) {
			free(f->path);
			*f = (struct env_file){ .path = mem_strdup(path) };
			return f;
		}
	}
	env->files = mem_grow(env->files, env->file_count, &env->file_cap, sizeof(*env->files));
	f = &env->files[env->file_count++];
	*f = (struct env_file){ .path = mem_strdup(path) };
	return f;
}

static void take_stamps(struct env_file *f, const struct stat *st)
{
	f->st.dev = st->st_dev;
	f->st.ino = st->st_ino;
	f->st.size = (unsigned long long)st->st_size;
	f->st.mtime_ns = st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec;
	f->st.ctime_ns = st->st_ctim.tv_sec * NS_PER_S + st->st_ctim.tv_nsec;
}

/* Who may execute a file is as much an input as its bytes: `chmod +x` of one is a change. */
static void mark(char content[136], const struct stat *st)
{
	if (S_ISREG(st->st_mode) && (st->st_mode & 0111))
		snprintf(content + strlen(content), sizeof(" x"), " x");
}

void inputs_stat(const struct env_file *f, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_dev = f->st.dev;
	st->st_ino = f->st.ino;
	st->st_size = (off_t)f->st.size;
	st->st_mtim = (struct timespec){ f->st.mtime_ns / NS_PER_S, f->st.mtime_ns % NS_PER_S };
	st->st_ctim = (struct timespec){ f->st.ctime_ns / NS_PER_S, f->st.ctime_ns % NS_PER_S };
}

static int check(const struct input *in, const struct stat *st, off_t max, enum err_code code, struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(e, code, "%s is %s, not a regular file", text_safe(in->path),
			       S_ISDIR(st->st_mode)  ? "a directory" :
			       S_ISFIFO(st->st_mode) ? "a FIFO" :
						       "a device or socket");
	if (in->ours && st->st_uid != geteuid())
		return err_set(e, code, "%s belongs to another user (uid %u)", text_safe(in->path),
			       (unsigned int)st->st_uid);
	if (st->st_size > max)
		return err_set(e, code, "%s is too large: %lld bytes, at most %lld are read", text_safe(in->path),
			       (long long)st->st_size, (long long)max);
	return 0;
}

static int refuse_open(const struct input *in, enum err_code code, struct err *e)
{
	struct stat st;

	if (errno == ELOOP || errno == EXDEV) {
		bool itself = fstatat(in->dirfd, in->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);

		err_set(e, code, "%s %s symbolic link: it is not followed", text_safe(in->path),
			itself ? "is a" : "lies behind a");
		return err_hint(e, "put a file with its content in its place");
	}
	err_sys(e, "can't open %s", text_safe(in->path));
	if (e->code == ERR_FAILED)
		e->code = code;
	return -1;
}

int inputs_read(struct environment *env, const struct input *in, enum err_code code, struct buf *out, struct err *e)
{
	cleanup_close int fd = -1;
	struct env_file *f;
	struct stat st;
	size_t start;

	/* O_NONBLOCK: a FIFO of that name must not hang us before fstat tells. */
	fd = sys_openat2(in->dirfd, in->name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, in->resolve);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		remember(env, in->path)->absent = true;
		return 0;
	}
	if (fd < 0)
		return refuse_open(in, code, e);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "can't stat %s", text_safe(in->path));
	if (check(in, &st, out ? INPUTS_MAX : INPUTS_HASHED_MAX, code, e) < 0)
		return -1;
	f = remember(env, in->path);
	take_stamps(f, &st);
	start = out ? out->len : 0;
	if ((out ? file_read_fd(fd, INPUTS_MAX, out, e) : digest_fd(fd, f->content, NULL, e)) < 0)
		return err_wrap(e, "can't read %s", text_safe(in->path));
	if (out)
		digest_bytes(out->data + start, out->len - start, f->content);
	mark(f->content, &st);
	return 1;
}

/* Not looked up: a directory of a build may have many thousands, and to watch one twice does no harm. */
void inputs_add(struct environment *env, const char *path, const struct stat *st, const char *content)
{
	struct env_file *f;

	env->files = mem_grow(env->files, env->file_count, &env->file_cap, sizeof(*env->files));
	f = &env->files[env->file_count++];
	*f = (struct env_file){ .path = mem_strdup(path), .added = true };
	take_stamps(f, st);
	snprintf(f->content, sizeof(f->content), "%s", content);
	mark(f->content, st);
}

void inputs_forget_added(struct environment *env)
{
	size_t kept = 0;

	for (size_t i = 0; i < env->file_count; i++) {
		if (env->files[i].added)
			free(env->files[i].path);
		else
			env->files[kept++] = env->files[i];
	}
	env->file_count = kept;
}

const char *inputs_content(const struct environment *env, const char *path)
{
	for (size_t i = 0; i < env->file_count; i++)
		if (strcmp(env->files[i].path, path) == 0)
			return env->files[i].content;
	return NULL;
}

void inputs_release(struct environment *env)
{
	for (size_t i = 0; i < env->file_count; i++)
		free(env->files[i].path);
	free(env->files);
	env->files = NULL;
	env->file_count = env->file_cap = 0;
}

int inputs_look(const char *path, struct stat *st, char content[136])
{
	cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct err ignored = ERR_INIT;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode) || st->st_size > (off_t)INPUTS_HASHED_MAX)
		return -1;
	if (digest_fd(fd, content, NULL, &ignored) < 0)
		return -1;
	mark(content, st);
	return 1;
}
