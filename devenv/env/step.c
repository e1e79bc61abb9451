/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step.c - a script in a sandbox, and what it wrote.
 *
 * Theory of operation
 *
 * Everything of a step is in its stage, so that it goes with the stage however it ends:
 *
 *   plan, skeleton/       what the launcher carries out, and the generated layer
 *   scratch/, persist/    /tmp, and the layer that is written (persist/upper), as for `persist = yes`
 *   ID.lock               the lock file of the sandbox
 *   fs/                   afterwards: what was written. There before: it is continued
 *
 * The launcher is a child that dies with this process; its session dies with it, and pid 1 inside ends when it finds no
 * session any more. Nothing reads or moves what was written before pid 1 is gone, and everything inside with it. Signals
 * that are handled are let in only while the output is waited for: so none is missed.
 *
 * Of the generated layer only what no package brings is there: mount points, names of hosts, name servers. What a script
 * writes over those is no part of the result: it is another machine's tomorrow.
 */
#include "env/step.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/process.h"
#include "base/sys.h"
#include "base/text.h"
#include "env/demotion.h"
#include "env/draft.h"
#include "env/filter.h"
#include "env/inside.h"
#include "env/launcher.h"
#include "env/step_output.h"
#include "fetch/http.h"
#include "plan/running.h"

#define QUIET_MS 1000 /* of silence, after which it is told that the step still runs */
#define FULL_BYTES (1 << 20) /* with less than that free a file system is full */

/* ---- the plan ---- */

/* Interpreters that take -e for "stop at the first failure". */
static bool is_shell(const char *path)
{
	static const char *const names[] = { "sh", "bash", "dash", "ash", "ksh", "mksh", "zsh" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(path_base(path), names[i]) == 0)
			return true;
	return false;
}

static int set_command(struct draft *d, const struct step *step, struct err *e)
{
	const char *shell = draft_find_program(d, step->shell ? step->shell : "/bin/sh", e), *bash;

	if (!shell && e->code)
		return -1;
	if (!shell)
		return err_set(e, ERR_CONFIG, "the image has no %s, which the %s step needs",
			       text_safe(step->shell ? step->shell : "/bin/sh"), step->name);
	plan_add_command(&d->plan, shell);
	if (is_shell(shell))
		plan_add_command(&d->plan, "-e");
	plan_add_command(&d->plan, STEP_SCRIPT);
	bash = draft_find_program(d, "bash", e);
	if (!bash && e->code)
		return -1;
	d->plan.shell = d->plan.root_shell = bash ? bash : "/bin/sh";
	return skeleton_add_file(&d->skeleton, STEP_SCRIPT, step->script, e);
}

static int set_variables(struct draft *d, const struct step *step, struct err *e)
{
	static const char *const proxies[] = { "http_proxy", "https_proxy", "no_proxy", "ftp_proxy", "all_proxy",
					       "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "FTP_PROXY", "ALL_PROXY" };
	struct variables *v = &d->variables;

	variables_set(v, "PATH", DRAFT_DEFAULT_PATH);
	for (size_t i = 0; i < d->config.env.count; i++)
		variables_put(v, d->config.env.items[i]);
	variables_set(v, "HOME", "/root");
	variables_set(v, "USER", "root");
	variables_set(v, "LOGNAME", "root");
	variables_set(v, "TMPDIR", "/tmp");
	variables_set(v, "LC_ALL", "C.UTF-8");
	variables_set(v, "SOURCE_DATE_EPOCH", STEP_EPOCH_TEXT);
	variables_set(v, "FORCE_SOURCE_DATE", "1"); /* or TeX writes the day into its formats */
	variables_set(v, "PYTHONHASHSEED", "0");
	variables_set(v, "PERL_HASH_SEED", "0");
	variables_set(v, "DEBIAN_FRONTEND", "noninteractive");
	variables_set(v, "container", "devenv");
	variables_set(v, "DEVENV", "1");
	if (step->network && inside_put_certificates(d, e) < 0)
		return -1;
	for (const char *const *item = step->variables; item && *item; item++)
		variables_put(v, *item);
	for (size_t i = 0; i < v->items.count; i++)
		plan_add_env(&d->plan, v->items.items[i]);
	for (size_t i = 0; step->network && i < ARRAY_SIZE(proxies); i++)
		plan_add_pass(&d->plan, proxies[i]);
	return 0;
}

static void set_filter(struct draft *d, const struct step *step)
{
	filter_compile(&(struct filter_options){ .root = true, .set_ids = step->answer_set_ids, .unsynced = true }, &d->filter);
	d->plan.filter = d->filter.data;
	d->plan.filter_size = d->filter.len;
}

/* Only for the time of the step: packages that would start a service ask this program first. */
static int forbid_services(struct draft *d, struct err *e)
{
	static const char policy[] = "#!/bin/sh\nexit 101\n";

	return draft_put_file(d, "/usr/sbin/policy-rc.d", policy, sizeof(policy) - 1, 0755, e);
}

static int set_mounts(struct draft *d, const struct step *step, struct err *e)
{
	for (size_t i = 0; i < step->mount_count; i++) {
		struct plan_mount m = step->mounts[i];

		m.target = draft_target(d, m.target, step->name, e);
		if (!m.target)
			return -1;
		plan_add_mount(&d->plan, m);
	}
	return 0;
}

static int fill(struct draft *d, const struct step *step, const char *state, struct err *e)
{
	struct plan *p = &d->plan;

	p->name = step->name;
	p->state = state;
	p->network = step->network ? PLAN_NETWORK_HOST : PLAN_NETWORK_NONE;
	p->scratch = PLAN_SCRATCH_PERSIST;
	p->root = true;
	p->home = p->root_home = "/root";
	p->workdir = step->workdir ? step->workdir : "/";
	if (set_variables(d, step, e) < 0 || set_command(d, step, e) < 0 || set_mounts(d, step, e) < 0)
		return -1;
	if (step->no_services && forbid_services(d, e) < 0)
		return -1;
	set_filter(d, step);
	if (draft_put_apt_options(d, e) < 0 || draft_standard_files(d, e) < 0)
		return -1;
	demotion_plan(p);
	return 0;
}

/* Its id, malloc'ed: it names the lock file. */
static char *write_plan(struct environment *env, struct store *s, struct store_stage *stage, const struct step *step,
			const char *state, struct err *e)
{
	struct draft d;
	char *id = NULL;

	/* Of a step before, which may have had other mounts. */
	if (file_remove_tree(stage->fd, "skeleton", e) < 0)
		return NULL;
	if (draft_open_tree(&d, env, s, step->digest, step->layers, step->name, e) < 0)
		return NULL;
	if (fill(&d, step, state, e) == 0 && draft_write_once(&d, stage->fd, e) == 0)
		id = mem_strdup(d.plan.id);
	draft_release(&d);
	return id;
}

/* ---- running ---- */

struct run {
	pid_t pid;
	int from;	  /* what it says */
	sigset_t waiting; /* the signals that are blocked while we wait */
	bool interrupted;
};

static _Noreturn void become_launcher(const char *launcher, const char *plan, pid_t parent, int to, const sigset_t *mask)
{
	int none = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* Not a step goes on without the program that waits for it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent || none < 0)
		_exit(125);
	dup2(none, STDIN_FILENO);
	dup2(to, STDOUT_FILENO);
	dup2(to, STDERR_FILENO);
	umask(022); /* whoever's it is, the result has the same modes */
	sigprocmask(SIG_SETMASK, mask, NULL);
	execl(launcher, "devenv", "step", plan, (char *)NULL);
	_exit(125);
}

static int start(struct run *r, const char *plan, const sigset_t *mask, struct err *e)
{
	cleanup_free char *launcher = launcher_find(e);
	pid_t parent = getpid();
	int ends[2];

	if (!launcher)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "can't make a pipe");
	r->pid = fork();
	if (r->pid == 0)
		become_launcher(launcher, plan, parent, ends[1], mask);
	close(ends[1]);
	r->from = ends[0];
	if (r->pid > 0)
		return 0;
	close(ends[0]);
	return err_sys(e, "can't start a process");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Until nobody can say anything any more: everything inside has ended. */
static void listen(struct run *r, struct step_output *o, const sigset_t *mask)
{
	const struct timespec quiet = { QUIET_MS / 1000, QUIET_MS % 1000 * 1000000L };
	const struct step *step = o->step;
	double since = now();

	for (;;) {
		struct pollfd p = { .fd = r->from, .events = POLLIN };
		int ready = 1;
		char data[8192];
		ssize_t n;

		if (!r->interrupted && (http_interrupted() || (ready = ppoll(&p, 1, step->elapsed ? &quiet : NULL, mask)) < 0)) {
			r->interrupted = http_interrupted();
			if (r->interrupted)
				kill(r->pid, SIGKILL);
			continue;
		}
		if (ready == 0) {
			step->elapsed(step->data, now() - since);
			continue;
		}
		n = read(r->from, data, sizeof(data));
		if (n > 0 && !r->interrupted)
			step_output_take(o, data, (size_t)n);
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
	}
	step_output_end(o);
}

/* pid 1 outlives the launcher by a moment. */
static void await_end(const char *state, const char *id)
{
	struct dirs d = { .runtime = (char *)state };
	pid_t pid = running_pid(&d, id);
	struct pollfd ended = { .events = POLLIN };

	while (pid > 0) {
		ended.fd = sys_pidfd_open(pid);
		if (ended.fd >= 0 && running_pid(&d, id) == pid)
			while (poll(&ended, 1, -1) < 0 && errno == EINTR)
				;
		if (ended.fd >= 0)
			close(ended.fd);
		pid = running_pid(&d, id);
	}
}

static bool is_full(const char *path, uint64_t *free_bytes)
{
	struct statvfs fs;

	if (statvfs(path, &fs) < 0)
		return false;
	*free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return *free_bytes < FULL_BYTES || (fs.f_files && !fs.f_favail);
}

/* Was there no space left where it writes? Some programs tidy up before they end: then their own words say it. */
static void look_at_space(const char *state, const struct step_output *o, struct err *e)
{
	cleanup_free char *tmp = path_parent(state), *store = path_parent(tmp);
	cleanup_free char *what = mem_strdup(e->msg);
	uint64_t free_bytes = 0;

	if (is_full(state, &free_bytes) || o->no_quota) {
		err_set(e, ERR_SPACE, "%s: no space is left on the file system of the store %s", what, text_safe(store));
		err_hint(e, "free some, for example with `devenv gc`; what the step had made is deleted");
	} else if (o->no_space) {
		err_set(e, ERR_FAILED, "%s: it found no space left; now the file system of the store %s has %s", what, text_safe(store),
			text_bytes(free_bytes));
	}
}

static int judge(const struct run *r, int status, const char *state, const struct step_output *o, struct err *e)
{
	const char *name = o->step->name;

	if (r->interrupted)
		return err_set(e, ERR_INTERRUPTED, "interrupted");
	if (status == 0)
		return 0;
	if (WIFSIGNALED(status))
		err_set(e, ERR_FAILED, "the %s step was ended by signal %d", name, WTERMSIG(status));
	else
		err_set(e, ERR_FAILED, "the %s step failed with status %d", name, WEXITSTATUS(status));
	look_at_space(state, o, e);
	step_output_explain(o, e);
	return -1;
}

static int run(const struct step *step, const char *state, const char *id, struct err *e)
{
	cleanup_free char *plan = path_join(state, "plan");
	struct step_output o = { .step = step, .line = BUF_INIT };
	struct run r = { 0 };
	sigset_t blocked, mask;
	int result, status = 0;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	result = start(&r, plan, &mask, e);
	if (result == 0) {
		listen(&r, &o, &mask);
		close(r.from);
		while (waitpid(r.pid, &status, 0) < 0 && errno == EINTR)
			;
		await_end(state, id);
		result = judge(&r, status, state, &o, e);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
	step_output_release(&o);
	return result;
}

/* ---- before and after ---- */

static int continue_tree(struct store_stage *stage, struct err *e)
{
	if (!file_exists(stage->fd, "fs"))
		return 0;
	if (file_mkdirs(stage->fd, "persist", 0700, e) < 0)
		return -1;
	return renameat(stage->fd, "fs", stage->fd, "persist/upper") < 0 ? err_sys(e, "can't continue what was written") : 0;
}

/* One name of a directory that the script may have made a link, or closed. */
static int drop(int upper, const char *directory, const char *name, struct err *e)
{
	const uint64_t beneath = SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS;
	cleanup_close int dir = sys_openat2(upper, directory, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, beneath);
	struct stat st;
	int result;

	if (dir < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (dir < 0 || fstat(dir, &st) < 0 || fchmodat(upper, directory, (st.st_mode & 07777) | 0300, 0) < 0)
		return err_sys(e, "can't look into %s of what was written", directory);
	result = file_remove_tree(dir, name, e);
	return fchmodat(upper, directory, st.st_mode & 07777, 0) < 0 && result == 0 ? err_sys(e, "can't close %s", directory) : result;
}

/* What the generated layer has, and of the host: whatever was written over it. Never where a link of the script's leads: that
 * is a place of this machine here. */
static int drop_generated(int upper, struct err *e)
{
	static const char *const generated[][2] = { { "etc", "hosts" }, { "etc", "hostname" }, { "etc", "resolv.conf" },
						    { "run", ".containerenv" }, { ".", &STEP_SCRIPT[1] } };

	for (size_t i = 0; i < ARRAY_SIZE(generated); i++)
		if (drop(upper, generated[i][0], generated[i][1], e) < 0)
			return -1;
	return 0;
}

/* A directory is opened and moved only by who may read and write it: the script may have thought otherwise. */
static int keep_written(struct store_stage *stage, const char *id, struct err *e)
{
	static const char *const rest[] = { "persist", "scratch", "skeleton", "plan" };
	cleanup_free char *lock = mem_printf("%s" RUNNING_SUFFIX, id);
	cleanup_close int upper = -1;
	struct stat st;

	if (fstatat(stage->fd, "persist/upper", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(stage->fd, "persist/upper", (st.st_mode & 07777) | 0700, 0) < 0)
		return err_sys(e, "can't find what was written");
	upper = openat(stage->fd, "persist/upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (upper < 0 || drop_generated(upper, e) < 0)
		return e->code ? -1 : err_sys(e, "can't find what was written");
	if (renameat(stage->fd, "persist/upper", stage->fd, "fs") < 0)
		return err_sys(e, "can't keep what was written");
	for (size_t i = 0; i < ARRAY_SIZE(rest); i++)
		if (file_remove_tree(stage->fd, rest[i], e) < 0)
			return -1;
	return file_remove_tree(stage->fd, lock, e);
}

int step_run(struct environment *env, struct store *s, struct store_stage *stage, const struct step *step, struct err *e)
{
	cleanup_free char *state = mem_printf("%s/tmp/%s", s->path, stage->name);
	cleanup_free char *id = NULL;

	if (continue_tree(stage, e) < 0)
		return -1;
	id = write_plan(env, s, stage, step, state, e);
	if (!id || run(step, state, id, e) < 0)
		return -1;
	return keep_written(stage, id, e);
}

/* ---- a shell where it stopped ---- */

/* Paths in it are those of a stage that was moved since. */
static const char *moved(const char *path, const char *from, const char *to, struct strlist *own)
{
	const char *below = path_below(path, from);

	if (!below)
		return path;
	strlist_add_take(own, *below ? path_join(to, below) : mem_strdup(to));
	return own->items[own->count - 1];
}

int step_shell(const char *directory, bool network, int *status, struct err *e)
{
	cleanup_free char *launcher = launcher_find(e), *path = path_join(directory, "plan");
	cleanup_strlist struct strlist own = STRLIST_INIT;
	cleanup_buf struct buf all = BUF_INIT;
	cleanup_free char *from = NULL;
	struct plan p;
	int r;

	if (!launcher || plan_load(&p, path, e) < 0)
		return -1;
	from = mem_strdup(p.state);
	p.state = directory;
	for (size_t i = 0; i < p.layer_count; i++)
		p.layers[i] = moved(p.layers[i], from, directory, &own);
	for (size_t i = 0; i < p.mount_count; i++)
		p.mounts[i].host = moved(p.mounts[i].host, from, directory, &own);
	p.command_count = 0;
	if (!network)
		p.network = PLAN_NETWORK_NONE;
	plan_add_pass(&p, "TERM");
	plan_add_pass(&p, "COLORTERM");
	plan_encode(&p, NULL, &all);
	r = file_replace(AT_FDCWD, path, all.data, all.len, 0600, FILE_FAST, e);
	plan_release(&p);
	if (r < 0)
		return -1;
	*status = process_run((const char *const[]){ launcher, "step", path, NULL }, e);
	return *status < 0 ? -1 : 0;
}
