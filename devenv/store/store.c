/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c - opening the store. See store.h for what is in it.
 *
 * Theory of operation: whoever works with the store holds a shared flock on `lock`; gc takes it exclusively to take names
 * away. The version is looked at before anything is written, and is the first file of a new store: so a directory with
 * other things in it and no version is somebody's data, not a store.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "store/layout.h"

/* Everything the store's directory may hold; toolchains and volumes are other modules'. */
static const char *const known_names[] = { STORE_LAYERS, STORE_IMAGES, STORE_NAMES,   STORE_TMP,
	                                   STORE_LOCKS,  STORE_LOCK,   STORE_VERSION, "toolchains",
	                                   STORE_DEBS,   "volumes",    "lost+found",  NULL };

int store_failure(const struct store *s, const char *what, struct err *e)
{
	int saved = errno;

	if (saved == EROFS) {
		err_set(e, ERR_STORE, "%s in the store %s: its file system is read-only", what,
		        text_safe(s->path));
		return err_hint(e, "set DEVENV_STORE to a directory that can be written");
	}
	if (saved == EACCES || saved == EPERM) {
		err_set(e, ERR_STORE, "%s in the store %s: %s", what, text_safe(s->path), strerror(saved));
		return err_hint(e,
		                "see who owns it with 'ls -ld', or set DEVENV_STORE to a directory of yours");
	}
	errno = saved;
	err_sys(e, "%s in the store %s", what, text_safe(s->path));
	if (e->code == ERR_SPACE)
		return err_hint(e, STORE_SPACE_HINT);
	e->code = ERR_STORE;
	return -1;
}

static struct {
	void (*tell)(void *data, const char *what);
	void *data;
	const char *told;
} waits;

void store_tell_waits(void (*tell)(void *data, const char *what), void *data)
{
	waits.tell = tell;
	waits.data = data;
}

int store_wait(int fd, bool exclusive, const char *what, struct err *e)
{
	if (file_lock(fd, exclusive, false, e) == 0)
		return 0;
	if (e->code != ERR_BUSY)
		return -1;
	*e = ERR_INIT;
	if (waits.tell && waits.told != what)
		waits.tell(waits.data, what);
	waits.told = what;
	return file_lock(fd, exclusive, true, e);
}

bool store_digest_path(const char *dir, const char *digest, char out[STORE_PATH_MAX])
{
	if (!digest_is_valid(digest))
		return false;
	snprintf(out, STORE_PATH_MAX, "%s/%s", dir, digest_hex(digest));
	return true;
}

bool store_digest_of_name(const char *name, char digest[136])
{
	size_t len = strlen(name);

	if (len != 64 && len != 128)
		return false;
	snprintf(digest, 136, "%s:%s", len == 64 ? "sha256" : "sha512", name);
	return digest_is_valid(digest);
}

void store_random_name(char out[32])
{
	unsigned long long bits = 0;

	if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
		bits = (unsigned long long)getpid() << 32 ^ (unsigned long long)(uintptr_t)&bits;
	snprintf(out, 32, "%016llx", bits);
}

int store_names_in(const struct store *s, const char *dir, struct strlist *out, struct err *e)
{
	cleanup_close int fd = openat(s->fd, dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || file_names(fd, ".", true, out, e) < 0)
		return store_failure(s, "can't list a directory", e);
	return 0;
}

/* ---- opening ---- */

static int open_directory(struct store *s, struct err *e)
{
	struct stat st;

	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0 && errno == ENOENT) {
		if (file_mkdirs(AT_FDCWD, s->path, 0700, e) < 0) {
			if (e->code == ERR_SPACE)
				return -1;
			errno = e->sys;
			return store_failure(s, "can't make a directory", e);
		}
		s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (s->fd < 0 && errno == ENOTDIR) {
		err_set(e, ERR_STORE, "the store %s is not a directory", text_safe(s->path));
		return err_hint(e, "move it away, or set DEVENV_STORE to another place");
	}
	if (s->fd < 0 || fstat(s->fd, &st) < 0)
		return store_failure(s, "can't open a directory", e);
	if (st.st_uid != geteuid()) {
		err_set(e, ERR_STORE, "the store %s belongs to another user (uid %u)", text_safe(s->path),
		        (unsigned int)st.st_uid);
		return err_hint(
			e, "every user has a store of their own: set DEVENV_STORE to a directory of yours");
	}
	if ((st.st_mode & 077) || (st.st_mode & 0700) != 0700) {
		err_set(e, ERR_STORE, "the store %s has mode %04o, so %s", text_safe(s->path),
		        (unsigned int)st.st_mode & 07777,
		        st.st_mode & 077 ? "others could read or change it" : "it can't be used");
		return err_hint(e, "look what is in it, then: chmod 0700 '%s'", text_safe(s->path));
	}
	return 0;
}

static bool is_known(const char *name)
{
	for (size_t i = 0; known_names[i]; i++)
		if (strcmp(known_names[i], name) == 0)
			return true;
	return false;
}

static int make_subdirectory(const struct store *s, const char *name, struct err *e)
{
	if (mkdirat(s->fd, name, 0700) < 0 && errno != EEXIST)
		return store_failure(s, "can't make a directory", e);
	return 0;
}

static int begin_format(const struct store *s, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	char text[16];

	if (store_names_in(s, ".", &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		if (is_known(names.items[i]))
			continue;
		err_set(e, ERR_STORE, "%s is not a store: it has no file 'version' but a '%s'",
		        text_safe(s->path), text_safe(names.items[i]));
		return err_hint(e, "set DEVENV_STORE to a new or empty directory");
	}
	snprintf(text, sizeof(text), "%d\n", STORE_FORMAT);
	if (make_subdirectory(s, STORE_TMP, e) < 0)
		return -1;
	return store_put_file(s, STORE_VERSION, text, strlen(text), e);
}

static int check_version(const struct store *s, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err first = ERR_INIT;
	uint64_t version;

	if (file_read(s->fd, STORE_VERSION, 64, O_NOFOLLOW, &text, NULL, &first) < 0) {
		if (first.code == ERR_NOT_FOUND)
			return begin_format(s, e);
		*e = first;
		return err_wrap(e, "store %s", text_safe(s->path));
	}
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	if (text_number(text.data, 1000000, &version) < 0 || version == 0) {
		err_set(e, ERR_STORE, "the store %s has an unreadable file 'version'", text_safe(s->path));
		return err_hint(e,
		                "was it edited? `echo %d > '%s/version'` makes it good. If you make a "
		                "new store instead, keep volumes/: that is data; the rest can be fetched again",
		                STORE_FORMAT, text_safe(s->path));
	}
	if (version > STORE_FORMAT) {
		err_set(e, ERR_STORE,
		        "the store %s has format %llu, made by a newer devenv; this one knows %d",
		        text_safe(s->path), (unsigned long long)version, STORE_FORMAT);
		return err_hint(e, "update devenv, or set DEVENV_STORE to another directory");
	}
	return 0;
}

static int take_lock(struct store *s, struct err *e)
{
	s->lock_fd = openat(s->fd, STORE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock_fd < 0 && errno == EROFS) {
		s->read_only = true;
		s->lock_fd = openat(s->fd, STORE_LOCK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (s->lock_fd < 0 && errno == ENOENT)
			return 0;
	}
	if (s->lock_fd < 0)
		return store_failure(s, "can't open the lock", e);
	if (store_wait(s->lock_fd, false, "a `devenv gc` to end", e) < 0)
		return err_wrap(e, "store %s", text_safe(s->path));
	return 0;
}

static int open_all(struct store *s, struct err *e)
{
	static const char *const subdirectories[] = { STORE_TMP, STORE_LAYERS, STORE_IMAGES, STORE_NAMES,
		                                      STORE_LOCKS };

	if (open_directory(s, e) < 0 || check_version(s, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(subdirectories); i++)
		if (make_subdirectory(s, subdirectories[i], e) < 0)
			return -1;
	if (take_lock(s, e) < 0)
		return -1;
	return s->read_only ? 0 : store_sweep(s, false, NULL, NULL, e);
}

int store_open(struct store *s, const char *path, struct err *e)
{
	char cwd[PATH_MAX];

	*s = (struct store){ .fd = -1, .lock_fd = -1 };
	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return err_sys(e, "can't tell the current directory");
	s->path = path[0] == '/' ? mem_strdup(path) : path_join(cwd, path);
	if (open_all(s, e) == 0)
		return 0;
	store_close(s);
	return -1;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->lock_fd >= 0 && s->path)
		close(s->lock_fd);
	if (s->fd >= 0 && s->path)
		close(s->fd);
	free(s->path);
	*s = (struct store){ .fd = -1, .lock_fd = -1 };
}

uint64_t store_free_bytes(const struct store *s)
{
	struct statvfs st;

	if (fstatvfs(s->fd, &st) < 0)
		return 0;
	return (uint64_t)st.f_bavail * (st.f_frsize ? st.f_frsize : st.f_bsize);
}
