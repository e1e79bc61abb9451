/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_doctor.c - the checks against machines described by a directory, and the probes on this one. */
#include "unit/cli_fixture.h"

#include <errno.h>
#include <grp.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>

#include "cli/doctor.h"
#include "env/machine.h"
#include "env/probe.h"
#include "config/user.h"
#include "plan/plan.h"

/* What the next check is told instead of asking the machine. */
static struct statfs said_fs;
static bool says_fs;
static time_t said_now;
static const struct err *said_config;
static const struct machine *said_machine;
static const struct user_config *said_user;

static struct doctor_result check(const char *id)
{
	struct dirs dirs = { .home = tempdir, .runtime = tempdir, .store = tempdir, .state = tempdir, .config = tempdir };
	char *store = mem_printf("%s/store", tempdir);
	struct doctor_machine m = { .root = tempfd, .dirs = &dirs, .store = store,
	                            .store_fs = says_fs ? &said_fs : NULL, .now = said_now,
	                            .config = said_config, .found = said_machine, .user = said_user };
	struct doctor_result r = { .level = DOCTOR_OK };
	bool found = false;

	for (size_t i = 0; i < doctor_check_count; i++) {
		if (strcmp(doctor_checks[i].id, id) != 0)
			continue;
		doctor_checks[i].run(&m, &r);
		found = true;
	}
	free(store);
	assert_true(found);
	assert_true(r.text[0] != '\0');
	return r;
}

static void sysctl(const char *path, const char *text)
{
	struct err e = ERR_INIT;
	char *full = mem_printf("proc/sys/%s", path), *dir = mem_strdup(full);

	*strrchr(dir, '/') = '\0';
	assert_int_equal(file_mkdirs(tempfd, dir, 0755, &e), 0);
	tempdir_write(full, text);
	free(full);
	free(dir);
}

static void expect(const char *id, enum doctor_level level, const char *text, const char *remedy)
{
	struct doctor_result r = check(id);

	if (r.level != level || !strstr(r.text, text) || (remedy && !strstr(r.remedy, remedy)))
		fail_msg("%s: level %d, '%s', '%s'", id, r.level, r.text, r.remedy);
	if (!remedy && r.remedy[0])
		fail_msg("%s: '%s'", id, r.remedy);
}

static void test_namespace_limit(void **state)
{
	(void)state;
	expect("max-user-namespaces", DOCTOR_FAIL, "no user namespaces", "CONFIG_USER_NS");
	sysctl("user/max_user_namespaces", "0\n");
	expect("max-user-namespaces", DOCTOR_FAIL, "is 0", "sysctl");
	sysctl("user/max_user_namespaces", "10\n");
	expect("max-user-namespaces", DOCTOR_WARN, "only 10", "sysctl -w user.max_user_namespaces=");
	sysctl("user/max_user_namespaces", "15000\n");
	expect("max-user-namespaces", DOCTOR_OK, "15000", NULL);
}

static void test_namespace_switch(void **state)
{
	(void)state;
	expect("userns-clone", DOCTOR_SKIP, "no separate switch", NULL);
	sysctl("kernel/unprivileged_userns_clone", "0\n");
	expect("userns-clone", DOCTOR_FAIL, "only root", "kernel.unprivileged_userns_clone=1");
	sysctl("kernel/unprivileged_userns_clone", "1\n");
	expect("userns-clone", DOCTOR_OK, "ordinary users", NULL);
}

static void test_apparmor(void **state)
{
	struct probe p;

	(void)state;
	expect("apparmor", DOCTOR_OK, "does not restrict", NULL);
	sysctl("kernel/apparmor_restrict_unprivileged_userns", "1\n");
	if (probe_user_namespace(&p) == PROBE_YES)
		expect("apparmor", DOCTOR_OK, "lets devenv have them", NULL);
	else
		expect("apparmor", DOCTOR_FAIL, "no profile", "/etc/apparmor.d/devenv");
}

static void test_kernel_and_wsl(void **state)
{
	(void)state;
	expect("kernel", DOCTOR_WARN, "can't be read", NULL);
	sysctl("kernel/osrelease", "5.10.0-28-amd64\n");
	expect("kernel", DOCTOR_FAIL, "5.10.0-28-amd64 is too old", "upgrade");
	sysctl("kernel/osrelease", "4.4.0-19041-Microsoft\n");
	expect("wsl", DOCTOR_FAIL, "WSL 1", "wsl --set-version");
	sysctl("kernel/osrelease", "5.15.90.1-microsoft-standard-WSL2\n");
	expect("wsl", DOCTOR_OK, "WSL 2", NULL);
	expect("kernel", DOCTOR_OK, "5.15.90.1", NULL);
	sysctl("kernel/osrelease", "6.1.0\n");
	expect("wsl", DOCTOR_SKIP, "not in WSL", NULL);
}

static void test_container(void **state)
{
	(void)state;
	expect("container", DOCTOR_OK, "not in a container", NULL);
	tempdir_write(".dockerenv", "");
	expect("container", DOCTOR_WARN, "docker", "docker run --init");
	assert_int_equal(unlinkat(tempfd, ".dockerenv", 0), 0);
	assert_int_equal(mkdirat(tempfd, "run", 0755), 0);
	tempdir_write("run/.containerenv", "");
	expect("container", DOCTOR_WARN, "podman", "podman run --init --security-opt seccomp=unconfined --security-opt unmask=ALL");
}

static void test_subids(void **state)
{
	char text[64];

	(void)state;
	expect("subids", DOCTOR_SKIP, "no range in /etc/subuid and /etc/subgid", "usermod --add-subuids");
	snprintf(text, sizeof(text), "%u:300000:65536\n", (unsigned int)getuid());
	assert_true(mkdirat(tempfd, "etc", 0755) == 0 || errno == EEXIST);
	tempdir_write("etc/subuid", text);
	expect("subids", DOCTOR_SKIP, "no range in /etc/subgid", "usermod --add-subuids");
	tempdir_write("etc/subgid", text);
	expect("subids", DOCTOR_SKIP, "65536 uids and 65536 gids", NULL);
}

static void test_root(void **state)
{
	(void)state;
	if (geteuid() == 0)
		expect("root", DOCTOR_INFO, "you are root; sessions have no capabilities, and uid 0 inside is",
		       strstr(check("root").text, "who owns nothing") ? NULL : "ordinary account");
	else
		expect("root", DOCTOR_SKIP, "not root", NULL);
}

static void test_store(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	expect("store-owner", DOCTOR_OK, "will be made", NULL);
	assert_int_equal(file_mkdirs(tempfd, "store", 0700, &e), 0);
	expect("store-owner", DOCTOR_OK, "yours alone", NULL);
	assert_int_equal(fchmodat(tempfd, "store", 0755, 0), 0);
	expect("store-owner", DOCTOR_FAIL, "open to others (mode 0755)", "chmod 700");
	assert_int_equal(fchmodat(tempfd, "store", 0700, 0), 0);
	if (geteuid() == 0) {
		assert_int_equal(fchownat(tempfd, "store", 12345, (gid_t)-1, 0), 0);
		expect("store-owner", DOCTOR_FAIL, "belongs to uid 12345", "sudo chown -R 0 ");
	}
	assert_int_equal(unlinkat(tempfd, "store", AT_REMOVEDIR), 0);
	tempdir_write("store", "");
	expect("store-owner", DOCTOR_FAIL, "not a directory", "move it");
}

static void test_clock(void **state)
{
	(void)state;
	expect("clock", DOCTOR_OK, "UTC", NULL);
	said_now = 86400;
	expect("clock", DOCTOR_FAIL, "1970-01-02 00:00 UTC: no certificate", "timedatectl set-ntp true");
	said_now = 0;
}

static void test_store_file_system(void **state)
{
	struct statfs good = { .f_type = EXT4_SUPER_MAGIC, .f_bsize = 4096, .f_bavail = 10 << 20, .f_ffree = 1 << 20, .f_files = 1 << 21 };

	(void)state;
	says_fs = true;
	said_fs = good;
	expect("store-file-system", DOCTOR_OK, "local", NULL);
	expect("store-space", DOCTOR_OK, "GB free", NULL);
	said_fs.f_type = NFS_SUPER_MAGIC;
	expect("store-file-system", DOCTOR_WARN, "is on NFS", "DEVENV_STORE");
	said_fs = good;
	said_fs.f_flags = ST_NOEXEC;
	expect("store-file-system", DOCTOR_FAIL, "mounted noexec", "DEVENV_STORE");
	said_fs.f_flags = ST_RDONLY;
	expect("store-file-system", DOCTOR_FAIL, "mounted read-only", "DEVENV_STORE");
	said_fs = good;
	said_fs.f_bavail = 200 << 10;
	expect("store-space", DOCTOR_WARN, "838.9MB free", "devenv gc");
	said_fs.f_bavail = 1 << 10;
	expect("store-space", DOCTOR_FAIL, "4.2MB free", "devenv gc");
	said_fs = good;
	said_fs.f_ffree = 100;
	expect("store-space", DOCTOR_WARN, "only 100 inodes", "devenv gc");
	says_fs = false;
}

static void test_runtime_directory(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* a directory of somebody else is needed */
	assert_int_equal(mkdirat(tempfd, "theirs", 0700), 0);
	assert_int_equal(fchownat(tempfd, "theirs", 12345, 12345, 0), 0);
	{
		char *theirs = mem_printf("%s/theirs", tempdir);

		setenv("XDG_RUNTIME_DIR", theirs, 1);
		expect("runtime", DOCTOR_FAIL, "belongs to uid 12345", "unset XDG_RUNTIME_DIR");
		unsetenv("XDG_RUNTIME_DIR");
		free(theirs);
	}
}

static void test_proxy(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *url;

	(void)state;
	expect("proxy", DOCTOR_SKIP, "none is set", NULL);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	url = mem_printf("http://me:s3cret@127.0.0.1:%d/", ntohs(address.sin_port));
	setenv("https_proxy", url, 1);
	expect("proxy", DOCTOR_WARN, "can't be reached: Connection refused", "unset https_proxy");
	assert_null(strstr(check("proxy").text, "s3cret"));
	assert_int_equal(listen(fd, 1), 0);
	expect("proxy", DOCTOR_OK, "answers (https_proxy)", NULL);
	setenv("https_proxy", "http://127.0.0.1:s3cret", 1);
	expect("proxy", DOCTOR_WARN, "https_proxy is not the address of a proxy", "unset https_proxy");
	setenv("https_proxy", "http://[::1", 1);
	expect("proxy", DOCTOR_WARN, "is not the address", "unset https_proxy");
	unsetenv("https_proxy");
	setenv("HTTP_PROXY", url, 1); /* libcurl does not look at it */
	expect("proxy", DOCTOR_SKIP, "none is set", NULL);
	unsetenv("HTTP_PROXY");
	free(url);
	close(fd);
}

static void test_credentials(void **state)
{
	char *path = mem_printf("%s/auth.json", tempdir);

	(void)state;
	setenv("REGISTRY_AUTH_FILE", path, 1);
	tempdir_write("auth.json", "{}");
	expect("credentials", DOCTOR_SKIP, "limits of docker.io", NULL);
	tempdir_write("auth.json", "{\"auths\":{\"docker.io\":{\"auth\":\"bWU6czNjcmV0\"}}}");
	expect("credentials", DOCTOR_OK, "auth.json", NULL);
	assert_null(strstr(check("credentials").text, "s3cret"));
	tempdir_write("auth.json", "{\"auths\":");
	expect("credentials", DOCTOR_WARN, "auth.json", "");
	assert_true(check("credentials").remedy[0] != '\0');
	tempdir_write("auth.json", "{\"credHelpers\":{\"docker.io\":\"not-there\"}}");
	expect("credentials", DOCTOR_WARN, "docker-credential-not-there", "");
	assert_true(check("credentials").remedy[0] != '\0');
	unsetenv("REGISTRY_AUTH_FILE");
	free(path);
}

/* A process that holds an environment's lock as its pid 1 does, and no plan that names it. */
static void test_stale(void **state)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };
	int ready[2];
	char *pid_text, byte;
	pid_t pid;

	(void)state;
	expect("stale", DOCTOR_SKIP, "0 running", NULL);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	tempdir_write("abc.lock", "");
	pid = fork();
	if (pid == 0) {
		int fd = openat(tempfd, "abc.lock", O_RDWR | O_CLOEXEC);

		if (fcntl(fd, F_SETLK, &lock) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	pid_text = mem_printf("kill -9 %ld", (long)pid);
	expect("stale", DOCTOR_WARN, "1 of 1 running environments is of a project that is gone", pid_text);
	free(pid_text);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	expect("stale", DOCTOR_SKIP, "0 running", NULL);
}

/* ---- kernels that refuse ---- */

static void deny(int call, int failure, int argument, uint64_t value)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	struct scmp_arg_cmp compare = { (unsigned int)argument, SCMP_CMP_EQ, value, 0 };

	assert_non_null(ctx);
	assert_int_equal(seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO((unsigned int)failure), call, argument >= 0, &compare), 0);
	assert_int_equal(seccomp_load(ctx), 0);
	seccomp_release(ctx);
}

/* A check where a system call fails, in a child, since a filter is for good. */
static struct doctor_result check_denied(const char *id, int call, int failure, int argument, uint64_t value)
{
	struct doctor_result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), r;
	int status;
	pid_t pid;

	assert_true(shared != MAP_FAILED);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		deny(call, failure, argument, value);
		*shared = check(id);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	r = *shared;
	munmap(shared, sizeof(*shared));
	return r;
}

static void expect_denied(const char *id, int call, int failure, int argument, uint64_t value,
                          enum doctor_level level, const char *remedy)
{
	struct doctor_result r = check_denied(id, call, failure, argument, value);

	if (r.level != level || !strstr(r.remedy, remedy))
		fail_msg("%s: level %d, '%s', '%s'", id, r.level, r.text, r.remedy);
}

static void test_what_the_kernel_refuses(void **state)
{
	struct probe p;

	(void)state;
#ifdef DEVENV_SANITIZE
	skip();
#endif
	if (probe_overlay(&p) != PROBE_YES || probe_proc(&p) != PROBE_YES)
		skip(); /* they are refused already: test_on_this_machine says what is said then */
	sysctl("kernel/apparmor_restrict_unprivileged_userns", "1\n");
	expect_denied("user-namespace", SCMP_SYS(unshare), EPERM, -1, 0, DOCTOR_FAIL, "");
	expect_denied("apparmor", SCMP_SYS(unshare), EPERM, -1, 0, DOCTOR_FAIL, "/etc/apparmor.d/devenv");
	expect_denied("overlay", SCMP_SYS(unshare), EPERM, -1, 0, DOCTOR_FAIL, "mend the user namespace first");
	/* an overlay is mounted without flags, proc with these, and nothing else is */
	expect_denied("overlay", SCMP_SYS(mount), ENODEV, 3, 0, DOCTOR_FAIL, "sudo modprobe overlay");
	expect_denied("proc", SCMP_SYS(mount), EPERM, 3, MS_NOSUID | MS_NODEV | MS_NOEXEC, DOCTOR_FAIL,
	              "systempaths=unconfined");
	expect_denied("tmpfs-xattr", SCMP_SYS(setxattr), EOPNOTSUPP, -1, 0, DOCTOR_WARN, "scratch layer is on disk");
	expect_denied("devpts", SCMP_SYS(mount), ENODEV, 3, MS_NOSUID | MS_NOEXEC, DOCTOR_FAIL, "CONFIG_UNIX98_PTYS");
	expect_denied("system-calls", SCMP_SYS(close_range), ENOSYS, -1, 0, DOCTOR_FAIL, "seccomp=unconfined");
	expect_denied("system-calls", SCMP_SYS(fcntl), EINVAL, 1, F_OFD_SETLK, DOCTOR_FAIL, "Linux 5.12 or newer");
	expect_denied("system-calls", SCMP_SYS(unshare), EPERM, -1, 0, DOCTOR_FAIL, "mend the user namespace first");
	expect_denied("devpts", SCMP_SYS(unshare), EPERM, -1, 0, DOCTOR_FAIL, "mend the user namespace first");
	expect_denied("proc", SCMP_SYS(unshare), EPERM, -1, 0, DOCTOR_FAIL, "mend the user namespace first");
	expect_denied("seccomp", SCMP_SYS(seccomp), ENOSYS, -1, 0, DOCTOR_FAIL, "CONFIG_SECCOMP_FILTER");
	expect_denied("landlock", 444, ENOSYS, -1, 0, DOCTOR_INFO, "network = none");
	sysctl("../../etc/apparmor.d/devenv", "");
	expect_denied("apparmor", SCMP_SYS(unshare), EPERM, -1, 0, DOCTOR_FAIL,
	              "sudo apparmor_parser -r /etc/apparmor.d/devenv");
}

/* ---- what is around ---- */

/* Run one check in a child that was prepared for it, and take its answer. */
static struct doctor_result check_in_child(const char *id, void (*prepare)(void))
{
	struct doctor_result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), r;
	int status;
	pid_t pid;

	assert_true(shared != MAP_FAILED);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prepare();
		*shared = check(id);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	r = *shared;
	munmap(shared, sizeof(*shared));
	return r;
}

/* Orphans come to us, and we don't wait for them. */
static void be_a_bad_init(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

static void be_a_good_init(void)
{
	be_a_bad_init();
	signal(SIGCHLD, SIG_IGN);
}

static void test_init(void **state)
{
	struct doctor_result r = check_in_child("init", be_a_bad_init);

	(void)state;
	assert_int_equal(r.level, DOCTOR_WARN);
	assert_non_null(strstr(r.remedy, "docker run --init"));
	/* the child of the probe is reaped by nobody too: what it waits for is only that the orphan is gone */
	r = check_in_child("init", be_a_good_init);
	assert_int_equal(r.level, DOCTOR_OK);
}

static void join_disk(void)
{
	const struct group *g = getgrnam("disk");

	if (!g || setgroups(1, &g->gr_gid) < 0)
		_exit(1);
}

static void join_nobody(void)
{
	if (setgroups(0, NULL) < 0)
		_exit(1);
}

static void test_groups(void **state)
{
	struct doctor_result r;

	(void)state;
	if (geteuid() != 0 || !getgrnam("disk"))
		skip(); /* others can't change their groups */
	r = check_in_child("groups", join_disk);
	assert_int_equal(r.level, DOCTOR_INFO);
	assert_non_null(strstr(r.text, "'disk'"));
	r = check_in_child("groups", join_nobody);
	assert_int_equal(r.level, DOCTOR_SKIP);
}

static void test_config(void **state)
{
	struct err broken = ERR_INIT, unread = ERR_INIT;

	(void)state;
	expect("config", DOCTOR_OK, "the defaults hold", NULL);
	err_set(&broken, ERR_CONFIG, "config.ini:3: unknown key 'x'");
	said_config = &broken;
	expect("config", DOCTOR_FAIL, "config.ini:3", "man devenv.ini");
	err_hint(&broken, "did you mean 'y'?");
	expect("config", DOCTOR_FAIL, "config.ini:3", "did you mean");
	errno = ENOSYS;
	err_sys(&unread, "can't open config.ini");
	said_config = &unread;
	expect("config", DOCTOR_FAIL, "can't open", "mend what is above first");
	said_config = NULL;
}

/* What was tried is recorded; where that can't be, it is said. */
static void test_record(void **state)
{
	struct dirs dirs = { .state = tempdir };
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct machine m;

	(void)state;
	machine_look(&m, &dirs);
	said_machine = &m;
	expect("record", DOCTOR_SKIP, "what was tried is kept in", NULL);
	assert_int_equal(file_read(tempfd, "machine", 8192, 0, &text, NULL, &e), 0);
	for (size_t i = 0; i < MACHINE_FEATURES; i++)
		assert_non_null(strstr(text.data, machine_feature_name((enum machine_feature)i)));
	assert_int_equal(unlinkat(tempfd, "machine", 0), 0);
	expect("record", DOCTOR_WARN, "can't be written", "XDG_STATE_HOME");
	/* the checks say what was tried then, and not what is true now */
	m.features[MACHINE_OVERLAY] = (struct machine_answer){ PROBE_NO, { ENODEV, "mount overlay" } };
	m.features[MACHINE_SECCOMP].result = PROBE_NO;
	expect("overlay", DOCTOR_FAIL, "mount overlay: No such device", "sudo modprobe overlay");
	expect("seccomp", DOCTOR_FAIL, "no seccomp filters", "CONFIG_SECCOMP_FILTER");
	m.features[MACHINE_OVERLAY] = (struct machine_answer){ .result = PROBE_UNKNOWN };
	expect("overlay", DOCTOR_WARN, "could not be tried", NULL);
	said_machine = NULL;
	buf_release(&text);
}

/* Believed is what worked, under this kernel; all else is tried. */
static void test_what_is_remembered(void **state)
{
	struct dirs dirs = { .state = tempdir };
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct probe p;
	bool is_there = probe_seccomp() == PROBE_YES;
	char *line;

	(void)state;
	assert_int_equal(machine_has(&dirs, MACHINE_SECCOMP), is_there);
	assert_int_equal(file_read(tempfd, "machine", 8192, 0, &text, NULL, &e), 0);
	if (probe_overlay(&p) != PROBE_YES)
		skip();
	line = strstr(text.data, "overlay = yes");
	assert_non_null(line);
	memcpy(line, "overlay = no:", strlen("overlay = no:"));
	tempdir_write("machine", text.data);
	assert_true(machine_has(&dirs, MACHINE_OVERLAY)); /* mended since */
	tempdir_write("machine", "kernel = another\noverlay = yes\n");
	assert_true(machine_has(&dirs, MACHINE_OVERLAY));
	buf_clear(&text);
	assert_int_equal(file_read(tempfd, "machine", 8192, 0, &text, NULL, &e), 0);
	assert_null(strstr(text.data, "another"));
	buf_release(&text);
}

static void test_fix(void **state)
{
	struct err e = ERR_INIT;
	struct stat st;
	struct outcome o;

	(void)state;
	assert_int_equal(file_mkdirs(tempfd, "home/.local/share/devenv", 0755, &e), 0);
	assert_int_equal(fchmodat(tempfd, "home/.local/share/devenv", 0755, 0), 0);
	/* nobody to ask: the question is an error that names the flag */
	o = fixture_run("doctor --fix");
	assert_true(o.status != 0);
	fixture_has(&o.err, "hint: add --yes to go ahead");
	fixture_release(&o);
	o = fixture_run("doctor --fix -n");
	fixture_has(&o.err, "would do: chmod 700 ");
	fixture_release(&o);
	assert_int_equal(fstatat(tempfd, "home/.local/share/devenv", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	o = fixture_run("doctor --fix --yes");
	fixture_has(&o.out, "is yours alone");
	fixture_release(&o);
	assert_int_equal(fstatat(tempfd, "home/.local/share/devenv", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	o = fixture_run("doctor --fix --json");
	assert_int_equal(o.status, 2);
	fixture_release(&o);
}

/* A probe leaves nothing behind: no child, no mount, no descriptor. */
static void test_probes_leave_nothing(void **state)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct err e = ERR_INIT;
	struct probe p;
	int lowest = dup(STDIN_FILENO), again;

	(void)state;
	close(lowest);
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 22, 0, &before, NULL, &e), 0);
	probe_user_namespace(&p);
	probe_overlay(&p);
	probe_tmpfs_xattr(&p);
	probe_proc(&p);
	probe_devpts(&p);
	probe_system_calls(&p);
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 22, 0, &after, NULL, &e), 0);
	assert_string_equal(before.data, after.data);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	again = dup(STDIN_FILENO);
	assert_int_equal(again, lowest);
	close(again);
	buf_release(&before);
	buf_release(&after);
}

static void test_debian(void **state)
{
	cleanup_free char *path = mem_strdup(getenv("PATH")), *programs = mem_printf("%s/bin", tempdir);
	cleanup_free char *mirror = mem_printf("file:%s/mirror", tempdir), *ring = mem_printf("%s/keys.gpg", tempdir);
	struct user_config user;
	struct err e = ERR_INIT;

	(void)state;
	setenv("PATH", programs, 1);
	expect("gpgv", DOCTOR_WARN, "[base] debian can't be locked: gpgv", "sudo apt install gpgv");
	assert_int_equal(file_mkdirs(tempfd, "bin", 0755, &e), 0);
	tempdir_write("bin/gpgv", "");
	assert_int_equal(fchmodat(tempfd, "bin/gpgv", 0755, 0), 0);
	expect("gpgv", DOCTOR_OK, "gpgv is there", NULL);
	setenv("PATH", path, 1);

	expect("debian-mirror", DOCTOR_SKIP, "not asked", NULL); /* --offline */
	user_config_init(&user);
	said_user = &user;
	expect("debian-keys", DOCTOR_WARN, "/usr/share/keyrings/debian-archive-keyring.gpg is not there",
	       "sudo apt install debian-archive-keyring");
	expect("debian-mirror", DOCTOR_WARN, "[base] debian can't be locked: apt on this machine names no mirror", "config.ini");
	assert_string_equal(check("debian-mirror").lacking, "[base] debian");
	assert_int_equal(file_mkdirs(tempfd, "usr/share/keyrings", 0755, &e), 0);
	tempdir_write("usr/share/keyrings/debian-archive-keyring.gpg", "");
	expect("debian-keys", DOCTOR_OK, "debian-archive-keyring.gpg", NULL);
	user.debian.keyring = mem_strdup(ring);
	expect("debian-keys", DOCTOR_WARN, "keys.gpg can't be read", "keyring in [debian]");

	/* one that is not there, nobody's, and one that is */
	user.debian.mirror = mem_strdup(mirror);
	expect("debian-mirror", DOCTOR_WARN, "InRelease", "[debian]");
	assert_int_equal(file_mkdirs(tempfd, "mirror/dists/stable", 0755, &e), 0);
	tempdir_write("mirror/dists/stable/InRelease", "");
	expect("debian-mirror", DOCTOR_OK, "/mirror answers", NULL);
	free(user.debian.mirror);
	user.debian.mirror = mem_strdup("http://127.0.0.1:1/debian");
	expect("debian-mirror", DOCTOR_WARN, "can't reach the mirror 127.0.0.1:1", "is it running");
	said_user = NULL;
	user_config_release(&user);
}

/* Whatever this machine is: a failure names what was tried, and exit 1 goes with a failed check. */
static void test_on_this_machine(void **state)
{
	struct outcome o = fixture_run("doctor -v");

	(void)state;
	for (size_t i = 0; i < doctor_check_count; i++)
		fixture_has(&o.out, doctor_checks[i].title);
	if (o.status == 0)
		fixture_lacks(&o.err, "to be mended");
	else
		fixture_has(&o.err, "to be mended");
	fixture_release(&o);
	o = fixture_run("doctor --json");
	fixture_has(&o.out, o.status == 0 ? "\"ok\":true" : "\"ok\":false");
	fixture_release(&o);
}

static void test_the_seam(void **state)
{
	struct outcome o;

	(void)state;
	sysctl("user/max_user_namespaces", "0\n");
	setenv("DEVENV_DOCTOR_ROOT", tempdir, 1);
	o = fixture_run("doctor");
	unsetenv("DEVENV_DOCTOR_ROOT");
	assert_int_equal(o.status, 1);
	fixture_has(&o.out, "user.max_user_namespaces is 0");
	fixture_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_namespace_limit), tempdir_test(test_namespace_switch),
		tempdir_test(test_apparmor),        tempdir_test(test_kernel_and_wsl),
		tempdir_test(test_subids), tempdir_test(test_root), tempdir_test(test_container),       tempdir_test(test_store),
		tempdir_test(test_clock),           tempdir_test(test_probes_leave_nothing),
		tempdir_test(test_on_this_machine), tempdir_test(test_debian), tempdir_test(test_the_seam),
		tempdir_test(test_store_file_system), tempdir_test(test_runtime_directory),
		tempdir_test(test_proxy),           tempdir_test(test_credentials),
		tempdir_test(test_stale),           tempdir_test(test_what_the_kernel_refuses),
		tempdir_test(test_fix),             tempdir_test(test_init),
		tempdir_test(test_groups),          tempdir_test(test_config),
		tempdir_test(test_record),          tempdir_test(test_what_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
