/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup.c - the setup of a checkout.
 *
 * The plan has the script and the key of what it depends on; <state>/setup-done has the key of its last success. Where
 * they differ it runs, before anything else of the session and by one session at a time: the others wait for the lock,
 * look again and find it done. When it fails nothing is remembered, so the next session tries again.
 */
#include "sandbox/setup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "sandbox/environ.h"
#include "sandbox/join.h"
#include "sandbox/script.h"

#define DONE "setup-done"
#define LOCK "setup.lock"

static bool is_done(int dirfd, const char *path, const char *key)
{
	char text[80];
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text));
	close(fd);
	return n == (ssize_t)strlen(key) && !memcmp(text, key, (size_t)n);
}

static int take_lock(struct setup *t, const struct plan *p, const struct session *s, struct err *e)
{
	t->state_fd = openat(AT_FDCWD, p->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->state_fd >= 0)
		t->lock_fd = openat(t->state_fd, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (t->lock_fd < 0)
		return err_sys(e, "can't open %s/" LOCK, p->state);
	if (flock(t->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (s->say)
		s->say("another session is setting this checkout up: waiting for it");
	return file_lock(t->lock_fd, true, true, e);
}

int setup_begin(struct setup *t, const struct plan *p, const struct session *s, struct err *e)
{
	cleanup_free char *path = NULL;

	if (!*p->setup)
		return 0;
	path = mem_printf("%s/" DONE, p->state);
	if (is_done(AT_FDCWD, path, p->setup_key))
		return 0;
	if (take_lock(t, p, s, e) < 0)
		return -1;
	if (is_done(t->state_fd, DONE, p->setup_key))
		setup_end(t);
	return 0;
}

/* As an ordinary session whatever this one is, and without what `-e` says: others will find it done. */
static int run_script(const struct plan *p, const struct session *s, const struct spawn *model, struct err *e)
{
	char *argv[] = { (char *)"/bin/sh", (char *)"-e", (char *)"-c", (char *)p->setup, NULL };
	const struct session ordinary = { .process_argv = s->process_argv };
	cleanup_strlist struct strlist env = STRLIST_INIT;
	struct spawn script = *model;
	int status;

	script.workdir_fd = join_open_workdir(p->project_target, e);
	if (script.workdir_fd < 0)
		return -1;
	environ_build(p, &ordinary, p->project_target, &env);
	script.argv = argv;
	script.envp = env.items;
	script.root = p->root;
	status = script_run(&script, e);
	close(script.workdir_fd);
	return status;
}

int setup_run(const struct setup *t, const struct plan *p, const struct session *s, const struct spawn *model,
	      struct err *e)
{
	int status;

	if (t->state_fd < 0)
		return 0;
	if (s->say)
		s->say("setting this checkout up: [setup] run");
	status = run_script(p, s, model, e);
	if (status < 0)
		return err_wrap(e, "the setup, [setup] run");
	if (status > 0) {
		err_set(e, ERR_FAILED, "the setup, [setup] run, ended with status %d", status);
		return err_hint(e, "what it said is above; it runs again with the next session");
	}
	return file_replace(t->state_fd, DONE, p->setup_key, strlen(p->setup_key), 0600, FILE_FAST, e);
}

void setup_end(struct setup *t)
{
	if (t->lock_fd >= 0)
		close(t->lock_fd);
	if (t->state_fd >= 0)
		close(t->state_fd);
	*t = SETUP_INIT;
}
