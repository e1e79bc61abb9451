/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.c - starting one process inside, restricted.
 *
 * vfork: parent and child share memory until the exec, so the child reports failures by filling in a structure and
 * nothing is copied. It allocates nothing and returns from nothing that the parent will return from.
 * The order matters: capabilities go after what needs them, the filter after everything it would forbid, descriptors last.
 */
#include "sandbox/spawn.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "sandbox/restorer.h"
#include "sandbox/restrict.h"

/* What the parent prepares, because the child must not allocate. */
struct execution {
	struct spawn *s;
	const char *path;      /* value of PATH inside */
	char **script_argv;    /* {"/bin/sh", FILE, argv[1]...}: for files the kernel can't execute, as execvp(3) does */
	char candidate[PATH_MAX];
	struct err *e;
};

/*
 * A session of its own: neither the caller's process group nor its terminal can be reached from it. On a terminal the
 * session is its leader's, and this the process group that has the terminal.
 */
static void set_up_stdio(struct spawn *s)
{
	int i;

	if (s->terminal_fd >= 0) {
		setpgid(0, 0);
		tcsetpgrp(s->terminal_fd, getpid()); /* SIGTTOU is blocked */
	} else {
		setsid();
	}
	for (i = 0; i < 3; i++)
		if (s->stdio[i] >= 0)
			dup2(s->stdio[i], i);
}

/* A directory that isn't below our root shows as "(unreachable)/...". */
static int enter_workdir(const struct spawn *s, struct err *e)
{
	char path[PATH_MAX];

	if (fchdir(s->workdir_fd) < 0 || syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return err_sys(e, "can't enter the working directory");
	if (path[0] != '/')
		return err_set(e, ERR_SANDBOX, "the working directory lies outside the environment");
	return 0;
}

int spawn_die_with_launcher(const struct spawn *s, struct err *e)
{
	struct pollfd launcher = { .fd = s->launcher_pidfd, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_sys(e, "can't tie the session to its launcher");
	if (poll(&launcher, 1, 0) > 0)
		_exit(137); /* it was killed before the line above */
	return 0;
}

static int load_filter(const struct spawn *s, struct err *e)
{
	const struct plan *p = s->plan;

	if (s->root && p->root_filter_size)
		return restrict_system_calls(p->root_filter, p->root_filter_size, e);
	return restrict_system_calls(p->filter, p->filter_size, e);
}

static int restrict_all(const struct spawn *s, struct err *e)
{
	mode_t mask = umask(022);

	/* The caller's, but never one that lets everybody write or keeps the owner out. */
	if ((mask & 077) != 022 && (mask & 077) != 0)
		umask(mask & 077);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "can't set no_new_privs");
	if (restrict_capabilities(s->root ? RESTRICT_ROOT : RESTRICT_NONE, e) < 0)
		return -1;
	if (spawn_die_with_launcher(s, e) < 0)
		return -1;
	sigprocmask(SIG_SETMASK, &s->mask, NULL); /* the launcher blocks signals, but handles none */
	if (load_filter(s, e) < 0)
		return -1;
	if (sys_close_range(3, ~0U, 0) < 0)
		return err_sys(e, "can't close inherited descriptors");
	return 0;
}

static void execute_file(struct execution *x, const char *file)
{
	execve(file, x->s->argv, x->s->envp);
	if (errno == ENOEXEC) {
		x->script_argv[1] = (char *)file;
		execve(x->script_argv[0], x->script_argv, x->s->envp);
		errno = ENOEXEC;
	}
}

static int exec_failed(struct execution *x, const char *file, int sys)
{
	struct stat st;
	const char *name = text_safe(x->s->argv[0]);

	if (sys == ENOENT || sys == ENOTDIR) {
		if (file && access(file, F_OK) == 0)
			return err_set(x->e, ERR_EXEC_FORMAT, "can't run '%s': the interpreter or loader it names is not in the environment", name);
		return err_set(x->e, ERR_EXEC_MISSING, "can't run '%s': not found in the environment", name);
	}
	if (sys == EACCES && stat(file ? file : name, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(x->e, ERR_EXEC_FORMAT, "can't run '%s': it is a directory", name);
	if (sys == EACCES && stat(file ? file : name, &st) == 0 && !(st.st_mode & 0111)) {
		err_set(x->e, ERR_EXEC_FORMAT, "can't run '%s': it is not executable", name);
		return err_hint(x->e, "`chmod +x` makes it so");
	}
	return err_set(x->e, ERR_EXEC_FORMAT, "can't run '%s': %s", name, strerror(sys));
}

/* The next place on PATH where the program may be; false at the end. */
static bool next_candidate(struct execution *x, const char **dir)
{
	const char *name = x->s->argv[0];

	while (**dir) {
		size_t len = strcspn(*dir, ":"), name_len = strlen(name);
		const char *start = *dir;

		*dir += len + (start[len] == ':');
		if (!len || len + name_len + 2 > sizeof(x->candidate))
			continue;
		memcpy(x->candidate, start, len);
		x->candidate[len] = '/';
		memcpy(x->candidate + len + 1, name, name_len + 1);
		return true;
	}
	return false;
}

/* execvp(3)'s search: go on past what can't be executed, but remember that it was there. */
static int execute(struct execution *x)
{
	const char *name = x->s->argv[0], *dir = x->path;
	int seen = ENOENT;

	if (strchr(name, '/')) {
		execute_file(x, name);
		return exec_failed(x, name, errno);
	}
	while (*name && next_candidate(x, &dir)) {
		execute_file(x, x->candidate);
		if (errno != ENOENT && errno != ENOTDIR)
			seen = errno;
	}
	/* ENOENT of a file that is there speaks of its interpreter. */
	for (dir = x->path; seen == ENOENT && *name && next_candidate(x, &dir);)
		if (access(x->candidate, F_OK) == 0)
			return exec_failed(x, x->candidate, ENOENT);
	return exec_failed(x, NULL, seen);
}

static _Noreturn void child_main(struct execution *x)
{
	set_up_stdio(x->s);
	if (enter_workdir(x->s, x->e) == 0 && restrict_all(x->s, x->e) == 0)
		execute(x);
	else
		x->e->code = ERR_SANDBOX;
	_exit(1);
}

static const char *find_env(char *const *envp, const char *name)
{
	size_t len = strlen(name);

	for (; *envp; envp++)
		if (!strncmp(*envp, name, len) && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}

static char **make_script_argv(char **argv)
{
	size_t count = 0;
	char **out;

	while (argv[count])
		count++;
	out = mem_array(count + 2, sizeof(*out));
	out[0] = (char *)"/bin/sh";
	memcpy(out + 2, argv + 1, count * sizeof(*out)); /* the terminating NULL too */
	return out;
}

pid_t spawn_process(struct spawn *s, struct err *e)
{
	struct execution x = { .s = s, .e = e };
	pid_t pid;

	x.path = find_env(s->envp, "PATH");
	if (!x.path)
		x.path = "/usr/local/bin:/usr/bin:/bin";
	x.script_argv = make_script_argv(s->argv);
	*e = ERR_INIT;
	/*
	 * Until the exec the child's memory is ours: nothing inside may look at it. This process itself can't be seen there,
	 * but stays so: it wakes from the vfork a moment before the child has let go of the memory.
	 */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	pid = vfork();
	if (pid == 0)
		child_main(&x);
	free(x.script_argv);
	if (pid < 0)
		return err_sys(e, "can't start a process in the environment");
	if (e->code != ERR_NONE) {
		waitpid(pid, NULL, 0);
		return -1;
	}
	return pid;
}

int spawn_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int spawn_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 125;
	return spawn_status(status);
}

void spawn_stop_launcher(const struct restorer *job)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	if (job)
		restorer_signal_job(job, SIGTSTP);
	else
		kill(getpid(), SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL); /* here */
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* sigfillset would leave out what a libc keeps to itself - 32 to 34 here - and programs inside have another libc. */
void spawn_all_signals(sigset_t *set)
{
	memset(set, 0xff, sizeof(*set));
}

void spawn_block_signals(struct spawn *s, sigset_t *set)
{
	spawn_all_signals(set);
	sigdelset(set, SIGPIPE); /* of our own writing: as in any pipeline */
	sigdelset(set, SIGTTIN); /* of our own reading and writing in the background */
	sigdelset(set, SIGTTOU);
	sigprocmask(SIG_BLOCK, set, &s->mask);
}
