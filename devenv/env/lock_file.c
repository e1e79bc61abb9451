/* SPDX-License-Identifier: Apache-2.0 */
/* lock_file.c - devenv.lock and devenv.local.lock, as they are read and written. */
#include "env/lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/sys.h"
#include "base/text.h"
#include "env/inputs.h"
#include "fetch/gitrepo.h"

struct lock_file lock_file_shared(struct environment *env)
{
	return (struct lock_file){ PROJECT_LOCK, false, &env->lock, &env->has_lock, &env->lock_error, &env->lock_text };
}

struct lock_file lock_file_own(struct environment *env)
{
	return (struct lock_file){ PROJECT_LOCAL_LOCK, true, &env->local_lock, &env->has_local_lock, &env->local_lock_error,
				   &env->local_lock_text };
}

static struct input as_input(const struct environment *env, const struct lock_file *f, const char *path)
{
	return (struct input){ path, env->project_fd, f->name, SYS_RESOLVE_NO_SYMLINKS, false };
}

/* What belongs to everybody would hide there what everybody has. */
static int check_own(const struct environment *env, const struct lock *l, struct err *e)
{
	bool shared = l->image_count || l->extends_count;

	for (size_t i = 0; !shared && i < l->package_count; i++)
		shared = l->packages[i].in_base;
	if (shared) {
		err_set(e, ERR_LOCK, PROJECT_LOCAL_LOCK " has more than packages of " PROJECT_LOCAL);
		return err_hint(e, "delete it and run `devenv lock`");
	}
	if (!gitrepo_tracks(env->project, PROJECT_LOCAL_LOCK))
		return 0;
	err_set(e, ERR_LOCK, "%s/" PROJECT_LOCAL_LOCK " is tracked by git, but it is for one person only", text_safe(env->project));
	return err_hint(e, "git rm --cached " PROJECT_LOCAL_LOCK ", and list it in .gitignore");
}

void lock_file_read(struct environment *env, const struct lock_file *f)
{
	cleanup_free char *path = path_join(env->project, f->name);
	struct input in = as_input(env, f, path);

	if (inputs_read(env, &in, ERR_LOCK, f->text, f->error) <= 0)
		return;
	if (lock_parse(f->name, f->text->data, f->text->len, f->lock, f->error) < 0) {
		if (f->own) /* git has none */
			err_hint(f->error, "delete it and run `devenv lock`");
		return;
	}
	*f->there = !f->own || check_own(env, f->lock, f->error) == 0;
}

/* ---- writing ---- */

/* It is a file of the project like those an editor makes: a new one as the umask says, an old one as it was. */
static mode_t mode_of(const struct environment *env, const char *name)
{
	struct stat st;
	mode_t mask;

	if (fstatat(env->project_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		return st.st_mode & 0777;
	mask = umask(022);
	umask(mask);
	return 0666 & ~mask;
}

static int not_saved(const struct lock_file *f, const char *path, struct err *e)
{
	int sys = e->sys;

	if (e->code == ERR_BUSY || !sys)
		return -1;
	errno = sys;
	err_sys(e, "can't write %s", text_safe(path));
	if (sys != EACCES && sys != EPERM && sys != EROFS)
		return -1;
	if (f->own)
		return err_hint(e, PROJECT_LOCAL_LOCK " belongs beside " PROJECT_LOCAL ": make that directory writable for you");
	return err_hint(e, "devenv.lock belongs beside devenv.ini: make that directory writable for you, or lock "
			   "where it is and commit the file");
}

static void say(void (*how)(void *data, const char *line), const struct env_options *o, const char *before, const char *path,
		const char *after)
{
	cleanup_free char *line = mem_printf("%s%s%s", before, text_safe(path), after);

	if (how)
		how(o->ui->data, line);
}

/* Once, when the file is new: who adds everything to a commit would add it. */
static void advise(const struct environment *env, const struct env_options *o)
{
	if (gitrepo_would_add(env->project, PROJECT_LOCAL_LOCK))
		say(o->ui->notice, o, "git would add " PROJECT_LOCAL_LOCK ", which is yours alone: list ", "devenv.local.*",
		    " in .gitignore, or in .git/info/exclude");
}

int lock_file_save(struct environment *env, const struct lock_file *f, const struct env_options *o, struct err *e)
{
	cleanup_free char *path = path_join(env->project, f->name);
	struct input in = as_input(env, f, path);
	cleanup_buf struct buf text = BUF_INIT;
	bool had = *f->there;

	if (f->own)
		lock_format_local(f->lock, &text);
	else
		lock_format(f->lock, &text);
	if (f->text->len == text.len && memcmp(f->text->data, text.data, text.len) == 0)
		return 0;
	if ((!had && lock_is_empty(f->lock)) || o->dry_run)
		return 0;
	if (file_replace(env->project_fd, f->name, text.data, text.len, mode_of(env, f->name), FILE_DURABLE, e) < 0)
		return not_saved(f, path, e);
	say(o->ui->detail, o, "wrote ", path, "");
	buf_clear(f->text);
	buf_add(f->text, text.data, text.len);
	*f->there = true;
	env->lock_written = true;
	if (f->own && !had)
		advise(env, o);
	return inputs_read(env, &in, ERR_LOCK, NULL, e) < 0 ? -1 : 0;
}

/* Only what was generated here is taken away: not what has that name by chance, or is somebody's by way of git. */
static bool is_leftover(const struct environment *env)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct lock l;

	if (file_read(env->project_fd, PROJECT_LOCAL_LOCK, INPUTS_MAX, O_NOFOLLOW, &text, NULL, &ignored) < 0 ||
	    lock_parse(PROJECT_LOCAL_LOCK, text.data, text.len, &l, &ignored) < 0)
		return false;
	lock_release(&l);
	return !gitrepo_tracks(env->project, PROJECT_LOCAL_LOCK);
}

int lock_file_drop_own(const struct environment *env, const struct env_options *o, struct err *e)
{
	cleanup_free char *path = path_join(env->project, PROJECT_LOCAL_LOCK);

	if (o->dry_run || !is_leftover(env))
		return 0;
	if (unlinkat(env->project_fd, PROJECT_LOCAL_LOCK, 0) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(e, "can't remove %s, which nothing asks for any more", text_safe(path));
	}
	say(o->ui->notice, o, "removed ", path, ": nothing asks for it any more");
	return 0;
}
