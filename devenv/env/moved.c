/* SPDX-License-Identifier: Apache-2.0 */
/* moved.c - recognising a checkout that was moved. */
#include "env/moved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/clone.h"

#define RECORD     "origin"
#define RECORD_MAX (16u << 10)

/* "device inode birth" of a directory; NULL where the file system does not tell the time of birth. */
static char *identity(const char *path)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME | STATX_TYPE, &st) < 0 ||
	    !(st.stx_mask & STATX_BTIME) || !S_ISDIR(st.stx_mode))
		return NULL;
	return mem_printf("%u:%u %llu %lld.%09u", st.stx_dev_major, st.stx_dev_minor, (unsigned long long)st.stx_ino,
	                  (long long)st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
}

void moved_record(const struct environment *env)
{
	cleanup_free char *id = identity(env->project);
	cleanup_free char *path = path_join(env->state, RECORD);
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (!id)
		return;
	buf_addf(&text, "%s\n%s\n%s\n", id, env->clone, env->project);
	file_replace(AT_FDCWD, path, text.data, text.len, 0600, FILE_FAST, &ignored);
}

struct origin {
	char *state; /* the directory that holds the record */
	char *clone, *project;
};

static void origin_release(struct origin *o)
{
	free(o->state);
	free(o->clone);
	free(o->project);
}

static bool is_name(const char *s)
{
	return *s && s[strspn(s, "0123456789abcdef")] == '\0';
}

/* Is the record in `state` one of the directory `id`, whose old path does not lead to it any more? */
static bool read_origin(const char *state, const char *id, struct origin *out)
{
	cleanup_free char *path = path_join(state, RECORD), *there = NULL;
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	char *clone, *project, *end;

	if (file_read(AT_FDCWD, path, RECORD_MAX, O_NOFOLLOW, &text, NULL, &ignored) < 0)
		return false;
	clone = strchr(text.data, '\n');
	project = clone ? strchr(clone + 1, '\n') : NULL;
	end = project && text.len ? &text.data[text.len - 1] : NULL;
	if (!end || *end != '\n' || end == project)
		return false;
	*clone++ = *project++ = *end = '\0'; /* a path may hold a newline: it is the rest */
	if (strcmp(text.data, id) != 0 || *project != '/' || !is_name(clone))
		return false;
	there = identity(project);
	if (there && strcmp(there, id) == 0)
		return false; /* it is still there; this is another way to it */
	*out = (struct origin){ mem_strdup(state), mem_strdup(clone), mem_strdup(project) };
	return true;
}

static bool find_origin(const struct environment *env, const char *id, struct origin *out)
{
	cleanup_free char *parent = path_join(env->dirs.state, "checkouts");
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;
	bool found = false;

	file_names(AT_FDCWD, parent, false, &names, &ignored);
	for (size_t i = 0; i < names.count && !found; i++) {
		cleanup_free char *state = path_join(parent, names.items[i]);

		found = read_origin(state, id, out);
	}
	return found;
}

/* A name that nothing has yet. What is missing, or there already, stays as it is. */
static void rename_below(const char *dir, const char *kind, const char *from, const char *to)
{
	cleanup_free char *old = mem_printf("%s/%s/%s", dir, kind, from);
	cleanup_free char *new = mem_printf("%s/%s/%s", dir, kind, to);

	if (!file_exists(AT_FDCWD, new))
		(void)!rename(old, new);
}

void moved_take_over(const struct environment *env, const struct env_ui *ui)
{
	cleanup_free char *id = NULL, *old_volumes = NULL, *new_volumes = NULL, *line = NULL;
	cleanup_free char *old_path = NULL, *new_path = NULL;
	struct origin from;

	if (file_exists(AT_FDCWD, env->state) || !(id = identity(env->project)) || !find_origin(env, id, &from))
		return;
	old_path = clone_path_name(from.project);
	new_path = clone_path_name(env->project);
	old_volumes = mem_printf("clone-%.32s", from.clone);
	new_volumes = mem_printf("clone-%.32s", env->clone);
	/* the state last: until it has its new name, an interrupted move is found again */
	rename_below(env->dirs.store, "volumes", path_base(from.state), path_base(env->state));
	rename_below(env->dirs.store, "volumes", old_volumes, new_volumes);
	rename_below(env->dirs.state, "trust", from.clone, env->clone);
	rename_below(env->dirs.state, "trust", old_path, new_path); /* granted before it was a clone */
	if (rename(from.state, env->state) < 0)
		line = mem_printf("this checkout was at %s; its home can't be taken over: %s", text_safe(from.project),
		                  strerror(errno));
	else
		line = mem_printf("this checkout was at %s: its home, volumes and grants are kept",
		                  text_safe(from.project));
	if (ui->notice)
		ui->notice(ui->data, line);
	origin_release(&from);
}
