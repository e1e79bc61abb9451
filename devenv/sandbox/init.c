/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init.c - pid 1 of the sandbox.
 *
 * A child after clone: it allocates little, never returns, and reports over a pipe. Its phases are the calls of
 * init_main in order. Afterwards it is the smallest thing that can hold namespaces: SIGCHLD ignored, so that the kernel
 * reaps for it, and one fcntl that returns when the last session has gone.
 *
 * It stays dumpable, or nobody could join, and keeps one capability that no session has (CAP_WAKE_ALARM, which opens
 * nothing), so that sessions can't trace it or reach its files through /proc/1.
 */
#include "sandbox/init.h"

#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/file.h"
#include "base/sys.h"
#include "sandbox/idmap.h"
#include "sandbox/linger.h"
#include "sandbox/restrict.h"
#include "sandbox/root.h"
#include "sandbox/scratch.h"

static _Noreturn void fail(int report_fd, const struct err *e)
{
	ssize_t n = write(report_fd, e, sizeof(*e));

	_exit(n == (ssize_t)sizeof(*e) ? 1 : 2);
}

/* A new network namespace has its loopback interface down. */
static int bring_up_loopback(struct err *e)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP }; /* a new one has no other that can be changed */
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &request) < 0)
		return err_sys(e, "can't bring up the loopback interface");
	return 0; /* shed() closes it */
}

/* The first thing that takes a capability, and so the first that the filter of a container around us refuses. */
static int name_error(const struct plan *p, struct err *e)
{
	err_sys(e, "can't set the host name '%s'", p->hostname);
	if (e->sys != EPERM)
		return -1;
	e->code = ERR_SANDBOX;
	return err_hint(e, "`devenv doctor` says what forbids it: a container needs `--security-opt seccomp=unconfined`");
}

static int set_up(const struct init_request *r, struct scratch *scratch, struct err *e)
{
	const struct plan *p = r->plan;

	if (p->uid_range_count ? idmap_await(r->gate, e) < 0 :
				 idmap_write(AT_FDCWD, p->uid, r->outer_uid, p->gid, r->outer_gid, e) < 0)
		return -1;
	if (p->network == PLAN_NETWORK_NONE && bring_up_loopback(e) < 0)
		return -1;
	if (sethostname(p->hostname, strlen(p->hostname)) < 0)
		return name_error(p, e);
	if (scratch_make(scratch, p, e) < 0)
		return -1;
	return root_enter(p, scratch, e);
}

/*
 * Out of the caller's session, and everything but the locks and the scratch is closed: the caller's stdio too. None of it can
 * be reached from inside meanwhile, and a terminal's signals do nothing to a pid 1. A kernel that can't close them keeps the
 * session from starting as well, which says so (spawn.c).
 */
static void shed(const struct scratch *scratch, const struct init_request *r)
{
	int keep[] = { r->lock_fd, scratch->lock_fd, scratch->dir_fd, scratch->persist_fd, scratch->layer_fd };
	struct err ignored = ERR_INIT;

	setsid();
	prctl(PR_SET_NAME, "devenv-holder");
	restrict_close_all_but(keep, sizeof(keep) / sizeof(keep[0]), &ignored);
}

_Noreturn void init_main(const struct init_request *r)
{
	struct scratch scratch = SCRATCH_INIT;
	struct err e = ERR_INIT;

	umask(0);
	signal(SIGCHLD, SIG_IGN);
	if (set_up(r, &scratch, &e) < 0) {
		scratch_unmount(&scratch);
		scratch_drop(&scratch);
		fail(r->report_fd, &e);
	}
	restrict_hide_arguments(r->process_argv); /* a copy of what the first session was started with */
	if (restrict_capabilities(r->plan->uid_range_count ? RESTRICT_HOLDER_RANGES : RESTRICT_HOLDER, &e) < 0)
		fail(r->report_fd, &e);
	close(r->session_fd); /* before the lock, which it would drop (holder.c) */
	if (holder_lock_pid1(r->lock_fd) < 0) {
		err_sys(&e, "can't lock the environment");
		fail(r->report_fd, &e);
	}
	if (write(r->report_fd, "", 1) != 1)
		_exit(2);
	shed(&scratch, r); /* nobody has to wait for that */

	linger_until_last(r->lock_fd, r->plan->linger);

	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	/* From here a new holder may start; it has a scratch of its own, but for the persistent layer. */
	scratch_let_go(&scratch);
	close(r->lock_fd);
	scratch_drop(&scratch);
	_exit(0);
}
