/* SPDX-License-Identifier: Apache-2.0 */
/* debian_root.c - reading the configuration of apt in a root file system, whose links are resolved in it. */
#include "source/debian_archive_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "source/debian_control.h"

enum { FILE_MAX = 64 << 20 /* dpkg's status file is the largest */, SOURCES_MAX = 4 << 20 };

static int open_in(const struct debian_root *r, const char *path, int flags, struct err *e)
{
	int fd = sys_openat2(r->fd, path, (uint64_t)(flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), 0,
			     SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);

	if (fd >= 0)
		return fd;
	err_sys(e, "can't open /%s", text_safe(path));
	if (e->sys == ENOENT || e->sys == ENOTDIR)
		e->code = ERR_NOT_FOUND;
	return -1;
}

static const char *below_root(const char *path)
{
	while (*path == '/')
		path++;
	return *path ? path : ".";
}

int debian_root_read(const struct debian_root *r, const char *path, struct buf *out, struct err *e)
{
	cleanup_close int fd = -1;
	struct stat st;

	path = below_root(path);
	if (r->read)
		return r->read(r->data, path, out, e);
	fd = open_in(r, path, O_RDONLY, e);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_NOT_FOUND, "/%s is not a file", text_safe(path));
	return file_read_fd(fd, FILE_MAX, out, e);
}

int debian_root_list(const struct debian_root *r, const char *directory, struct strlist *names, struct err *e)
{
	cleanup_close int fd = -1;

	directory = below_root(directory);
	if (r->list)
		return r->list(r->data, directory, names, e);
	fd = open_in(r, directory, O_RDONLY | O_DIRECTORY, e);
	return fd < 0 ? -1 : file_names(fd, ".", false, names, e);
}

bool debian_root_has(const struct debian_root *r, const char *path)
{
	cleanup_buf struct buf ignored = BUF_INIT;
	struct err why = ERR_INIT;

	return debian_root_read(r, path, &ignored, &why) == 0;
}

/* A file of apt's that is not there, or that we may not read, says nothing; all else is an error. */
static int read_sources(const struct debian_root *r, const char *path, struct debian_sources *out, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err why = ERR_INIT;

	if (debian_root_read(r, path, &text, &why) == 0) {
		out->too_many = out->too_many || text.len > SOURCES_MAX;
		if (!out->too_many)
			debian_sources_parse(path, text.data, text.len, out);
		return out->too_many ? err_set(e, ERR_UNSUPPORTED, "/%s has too many sources of packages", text_safe(path)) : 0;
	}
	if (why.code == ERR_NOT_FOUND || why.sys == EACCES)
		return 0;
	*e = why;
	return -1;
}

/* apt looks at no file with other letters in its name: "debian.list.save", "x.sources.disabled". */
static bool is_sources_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("_.-", *p)))
			return false;
	return text_ends(name, ".list") || text_ends(name, ".sources");
}

/* The first address of a list of mirrors. apt takes them in turn; a list that says "priority:" has its best first by habit. */
static void follow_list(const struct debian_root *r, struct debian_source *s)
{
	static const char scheme[] = "mirror+file:";
	cleanup_buf struct buf text = BUF_INIT;
	struct debian_text rest, line, word;
	struct err ignored = ERR_INIT;
	const char *path;

	if (!text_starts(s->uri, scheme))
		return;
	path = s->uri + strlen(scheme);
	if (debian_root_read(r, path, &text, &ignored) < 0)
		return;
	rest = (struct debian_text){ text.data, text.len };
	while (debian_control_line(&rest, &line)) {
		if (!debian_control_word(&line, &word) || *word.at == '#')
			continue;
		while (word.len > 1 && word.at[word.len - 1] == '/')
			word.len--;
		free(s->uri);
		s->uri = debian_text_dup(word);
		return;
	}
}

int debian_root_sources(const struct debian_root *r, struct debian_sources *out, struct err *e)
{
	static const char directory[] = "etc/apt/sources.list.d";
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err why = ERR_INIT;

	if (read_sources(r, "etc/apt/sources.list", out, e) < 0)
		return -1;
	if (debian_root_list(r, directory, &names, &why) < 0 && why.code != ERR_NOT_FOUND && why.sys != EACCES) {
		*e = why;
		return -1;
	}
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = mem_printf("%s/%s", directory, names.items[i]);

		if (is_sources_name(names.items[i]) && read_sources(r, path, out, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < out->count; i++)
		follow_list(r, &out->items[i]);
	return 0;
}
