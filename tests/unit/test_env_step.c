/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of env/step.c: a script in a sandbox, what is heard of it, and what it leaves. The tree that it runs in has nothing of its
 * own: the programs are those of this machine, bound read-only; this program is one of them and makes what no shell can.
 * Root becomes nobody first.
 */
#include "unit/env_fixture.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "base/self.h"
#include "env/launcher.h"
#include "env/step.h"
#include "fetch/http.h"
#include "namespaces.h"
#include "plan/running.h"

#define TOOL "/opt/tool"
#define LONG_NAME_LEN 255

/* Where root works: everything in it is nobody's. The programs are copies, because a checkout may be closed to others. */
static char *place, *launcher, *tool;

/* The one of the library looks beside the program that runs. */
char *launcher_find(struct err *e)
{
	(void)e;
	return mem_strdup(launcher);
}

/* ---- a step ---- */

struct trial {
	struct environment env;
	struct store store;
	struct store_stage stage;
	struct plan_mount mounts[6];
	struct step step;
	struct buf heard; /* lines, escaped, each ended by a newline */
	size_t lines, longest;
	const char *interrupt_at; /* a line on which we are told to end */
	struct err e;
	int result;
};

static void hear(void *data, const char *line, size_t len)
{
	struct trial *t = data;

	text_escape_bytes(&t->heard, line, len);
	buf_addch(&t->heard, '\n');
	t->lines++;
	t->longest = len > t->longest ? len : t->longest;
	if (t->interrupt_at && strcmp(line, t->interrupt_at) == 0)
		assert_int_equal(kill(getpid(), SIGINT), 0);
}

/* Directories of the tree below, of which /usr and what leads into it is this machine's. */
static void make_tree(void)
{
	static const char *const links[] = { "bin", "sbin", "lib", "lib64", "lib32", "libx32" };
	struct err e = ERR_INIT;

	if (file_exists(tempfd, "tree"))
		return;
	fixture_mkdir("tree/usr/bin");
	fixture_mkdir("tree/etc");
	fixture_mkdir("tree/opt");
	fixture_mkdir("tree/srv/full");
	fixture_mkdir("tree/tmp");
	stage_write(tempfd, "tree/usr/bin/sh", "#!", 0755); /* found there, and covered */
	stage_write(tempfd, "tree/srv/full/below", "below\n", 0644);
	stage_write(tempfd, "tree/srv/gone", "below\n", 0644);
	stage_write(tempfd, "tree/opt/tool", "", 0755);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		cleanup_free char *host = mem_printf("/%s", links[i]), *to = mem_printf("usr/%s", links[i]);
		cleanup_free char *at = mem_printf("tree/%s", links[i]);
		struct stat st;

		if (lstat(host, &st) == 0 && S_ISLNK(st.st_mode))
			assert_int_equal(symlinkat(to, tempfd, at), 0);
	}
	assert_done(file_mkdirs(tempfd, "share", 0755, &e), e);
	stage_write(tempfd, "share/given", "given\n", 0644);
}

static void bind_host(struct trial *t, const char *host, const char *target, unsigned int flags)
{
	t->mounts[t->step.mount_count++] = (struct plan_mount){ .kind = PLAN_BIND, .flags = flags, .host = host, .target = target };
}

static void open_trial(struct trial *t, const char *script)
{
	static const char *layers[2];
	cleanup_free char *path = path_join(tempdir, "store");
	static char *share;

	free(share);
	free((char *)layers[0]);
	share = path_join(tempdir, "share");
	layers[0] = path_join(tempdir, "tree");
	make_tree();
	*t = (struct trial){ .heard = BUF_INIT, .e = ERR_INIT };
	fixture_write("devenv.ini", "[base]\nimage = debian\n");
	fixture_open(&t->env);
	assert_done(store_open(&t->store, path, &t->e), t->e);
	assert_done(store_stage_new(&t->store, &t->stage, &t->e), t->e);
	t->step = (struct step){ .name = "trial", .layers = layers, .script = script, .mounts = t->mounts, .output = hear, .data = t };
	bind_host(t, "/usr", "/usr", PLAN_MOUNT_READ_ONLY);
	bind_host(t, tool, TOOL, PLAN_MOUNT_READ_ONLY | PLAN_MOUNT_FILE);
	bind_host(t, share, "/srv/share", PLAN_MOUNT_READ_ONLY);
}

static void run(struct trial *t)
{
	t->result = step_run(&t->env, &t->store, &t->stage, &t->step, &t->e);
}

static void close_trial(struct trial *t)
{
	store_stage_drop(&t->store, &t->stage);
	store_close(&t->store);
	env_release(&t->env);
	buf_release(&t->heard);
}

static void run_script(struct trial *t, const char *script)
{
	open_trial(t, script);
	run(t);
	if (t->result < 0)
		fail_msg("%s\n%s", t->e.msg, t->heard.data);
}

static bool written(const struct trial *t, const char *path, struct stat *st)
{
	cleanup_free char *full = mem_printf("fs/%s", path);

	return fstatat(t->stage.fd, full, st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_written(const struct trial *t, const char *path, const char *text)
{
	cleanup_free char *full = mem_printf("fs/%s", path);
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_done(file_read(t->stage.fd, full, 1 << 20, O_NOFOLLOW, &b, NULL, &e), e);
	assert_string_equal(b.data, text);
}

/* The stage has what was written and nothing else. */
static void assert_tidy(const struct trial *t)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err e = ERR_INIT;

	assert_done(file_names(t->stage.fd, ".", true, &names, &e), e);
	assert_int_equal(names.count, 1);
	assert_string_equal(names.items[0], "fs");
}

/* ---- what it says and how it ends ---- */

static void test_success(void **state)
{
	struct trial t;
	struct stat st;

	(void)state;
	open_trial(&t, "echo one; echo two >&2; id -u; pwd; echo $HOME $LC_ALL $SOURCE_DATE_EPOCH $V; cat; echo x >/made\n"
		       "echo mine >/etc/hosts; echo mine >/etc/kept; echo mine >/tmp/lost; test ! -e /.devenv-step.none\n");
	t.step.workdir = "/srv";
	t.step.variables = (const char *const[]){ "V=value", NULL };
	run(&t);
	assert_done(t.result, t.e);
	assert_string_equal(t.heard.data, "one\ntwo\n0\n/srv\n/root C.UTF-8 " STEP_EPOCH_TEXT " value\n");
	assert_written(&t, "made", "x\n");
	assert_written(&t, "etc/kept", "mine\n");
	assert_false(written(&t, "etc/hosts", &st) || written(&t, ".devenv-step", &st) || written(&t, "tmp/lost", &st));
	assert_tidy(&t);
	close_trial(&t);
}

/* What one wrote, the next goes on with. */
static void test_continued(void **state)
{
	struct trial t;
	struct stat st;

	(void)state;
	run_script(&t, "echo one >/made; echo one >/first");
	t.step.script = "cat /made; echo two >/made; rm /first";
	run(&t);
	assert_done(t.result, t.e);
	assert_string_equal(t.heard.data, "one\n");
	assert_written(&t, "made", "two\n");
	assert_false(written(&t, "first", &st));
	assert_tidy(&t);
	close_trial(&t);
}

static void test_failure(void **state)
{
	struct trial t;

	(void)state;
	open_trial(&t, "i=0; while [ $i -lt 30 ]; do i=$((i + 1)); echo line $i; done; printf 'es\\033cape'; false; echo never");
	t.step.output = NULL;
	run(&t);
	assert_error(t.result, t.e, ERR_FAILED, "the trial step failed with status 1");
	assert_non_null(strstr(t.e.msg, "\n  line 30\n  es\\x1bcape"));
	assert_non_null(strstr(t.e.msg, "\n  line 12\n"));
	assert_null(strstr(t.e.msg, "line 11\n")); /* twenty are kept */
	assert_null(strstr(t.e.msg, "never"));
	close_trial(&t);
	/* who was shown them is not shown them again */
	open_trial(&t, "echo shown; exit 9");
	run(&t);
	assert_error(t.result, t.e, ERR_FAILED, "the trial step failed with status 9");
	assert_null(strstr(t.e.msg, "shown"));
	assert_string_equal(t.heard.data, "shown\n");
	close_trial(&t);
	open_trial(&t, "kill -9 $$");
	run(&t);
	assert_error(t.result, t.e, ERR_FAILED, "the trial step failed with status 137");
	close_trial(&t);
}

static void test_lines(void **state)
{
	struct trial t;

	(void)state;
	run_script(&t, "printf 'a\\000b\\377\\n\\n10%%\\r20%%\\r\\n'; printf 'no end'");
	assert_string_equal(t.heard.data, "a\\x00b\\xff\n\n20%\nno end\n");
	close_trial(&t);
	/* one of 200000 bytes comes in pieces, none of which is lost */
	run_script(&t, "head -c 200000 /dev/zero | tr '\\0' x");
	assert_true(t.lines > 1 && t.longest <= 65536 + 8192);
	assert_int_equal(t.heard.len, 200000 + t.lines);
	close_trial(&t);
	run_script(&t, "true");
	assert_int_equal(t.lines, 0);
	close_trial(&t);
}

/* Whatever it leaves behind ends with it, whether it holds what it says or not. */
static void test_left_behind(void **state)
{
	struct trial t;

	(void)state;
	run_script(&t, "sleep 1000 & (trap '' TERM HUP INT; sleep 1000) & setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo done");
	assert_string_equal(t.heard.data, "done\n");
	assert_tidy(&t);
	close_trial(&t);
}

/* ---- interrupted ---- */

static void on_signal(int number)
{
	(void)number;
	http_interrupt();
}

/* In a process of its own, which stays told to end. 0: as it should be. */
static int run_interrupted(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct dirs d = { 0 };
	cleanup_free char *state = NULL;
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err e = ERR_INIT;
	struct trial t;
	int left = 0;

	open_trial(&t, "echo x >/made; (trap '' INT TERM HUP; sleep 1000) & echo started; sleep 1000; echo never");
	t.interrupt_at = "started";
	sigaction(SIGINT, &action, NULL);
	run(&t);
	if (t.result == 0 || t.e.code != ERR_INTERRUPTED || strcmp(t.heard.data, "started\n") != 0)
		return 1;
	/* the lock file of the sandbox is there, and nobody holds it */
	state = mem_printf("%s/tmp/%s", t.store.path, t.stage.name);
	d.runtime = state;
	if (file_names(t.stage.fd, ".", true, &names, &e) < 0)
		return 2;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *id = text_ends(names.items[i], RUNNING_SUFFIX) ?
						mem_strndup(names.items[i], strlen(names.items[i]) - strlen(RUNNING_SUFFIX)) : NULL;

		left += id != NULL;
		if (id && running_pid(&d, id) > 0)
			return 3;
	}
	close_trial(&t);
	return left == 1 ? 0 : 4;
}

static void test_interrupted(void **state)
{
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(run_interrupted());
	assert_int_equal(child_status(pid), 0);
}

/* ---- what it is given ---- */

static void test_mounts(void **state)
{
	struct trial t;
	cleanup_free char *workspace = NULL;
	struct stat st;

	(void)state;
	open_trial(&t, "cat /srv/share/given in; if rm /srv/share/given; then exit 1; fi; if sh -c ': >/srv/share/given'; then exit 2; fi\n"
		       "if sh -c ': >" TOOL "'; then exit 3; fi; if mkdir /usr/x; then exit 4; fi; echo out >out; echo x >in; chmod 600 in\n");
	fixture_mkdir("workspace");
	tempdir_write("workspace/in", "input\n");
	workspace = path_join(tempdir, "workspace");
	bind_host(&t, workspace, "/workspace", 0);
	t.step.workdir = "/workspace";
	run(&t);
	if (t.result < 0)
		fail_msg("%s\n%s", t.e.msg, t.heard.data);
	assert_non_null(strstr(t.heard.data, "given\ninput\n"));
	assert_non_null(strstr(t.heard.data, "Read-only file system"));
	/* it is the caller's copy, and nothing of it is in the layer */
	assert_int_equal(fstatat(tempfd, "workspace/out", &st, 0), 0);
	assert_false(written(&t, "workspace/out", &st) || written(&t, "workspace/in", &st) || written(&t, "srv/share/given", &st));
	close_trial(&t);
}

static void test_no_shell(void **state)
{
	struct trial t;

	(void)state;
	open_trial(&t, "true");
	t.step.shell = "/bin/none";
	run(&t);
	assert_error(t.result, t.e, ERR_CONFIG, "no /bin/none");
	close_trial(&t);
}

/* ---- what it writes ---- */

static void test_deletions(void **state)
{
	struct trial t;
	struct stat st;
	char value[8] = "";
	cleanup_free char *full = NULL;

	(void)state;
	run_script(&t, "rm /srv/gone; rm -r /srv/full; mkdir /srv/full; echo new >/srv/full/new");
	assert_true(written(&t, "srv/gone", &st));
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0));
	assert_written(&t, "srv/full/new", "new\n");
	assert_false(written(&t, "srv/full/below", &st));
	full = mem_printf("/proc/self/fd/%d/fs/srv/full", t.stage.fd);
	assert_int_equal(lgetxattr(full, "user.overlay.opaque", value, sizeof(value)), 1);
	assert_string_equal(value, "y");
	close_trial(&t);
}

/* The part of this program that runs inside. */
static int make_odd_things(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/odd/socket" };
	char name[LONG_NAME_LEN + 1] = "";
	int fd;

	memset(name, 'n', LONG_NAME_LEN);
	if (mkdir("/odd", 0755) < 0 || chdir("/odd") < 0)
		return 1;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || mkfifo("fifo", 0640) < 0)
		return 2;
	/* A device that nobody could make without privileges. */
	if (mknod("device", S_IFCHR | 0666, makedev(1, 3)) == 0)
		return 3;
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || write(fd, "x", 1) != 1 || fsetxattr(fd, "user.mark", "m", 1, 0) < 0 || fchmod(fd, 04755) < 0)
		return 4;
	if (link(name, "second") < 0 || symlink("/proc/self/root", "link") < 0)
		return 5;
	fd = open("closed", O_WRONLY | O_CREAT | O_EXCL, 0);
	return fd < 0 || write(fd, "y", 1) != 1 || mkdir("shut", 0755) < 0 || mkdir("shut/in", 0) < 0 || chmod("shut", 0) < 0 ? 6 : 0;
}

static void assert_mode(const struct trial *t, const char *path, mode_t mode)
{
	struct stat st;

	if (!written(t, path, &st))
		fail_msg("there is no %s", path);
	assert_int_equal(st.st_mode, mode);
	assert_int_equal(st.st_uid, geteuid());
}

static void test_odd_things(void **state)
{
	char name[LONG_NAME_LEN + 5] = "odd/", value[8] = "";
	cleanup_free char *full = NULL;
	struct stat first, second;
	struct trial t;

	(void)state;
	open_trial(&t, TOOL " inside");
	t.step.variables = (const char *const[]){ "ASAN_OPTIONS=detect_leaks=0", NULL };
	run(&t);
	if (t.result < 0)
		fail_msg("%s\n%s", t.e.msg, t.heard.data);
	memset(name + 4, 'n', LONG_NAME_LEN);
	for (int settled = 0; settled < 2; settled++) {
		assert_mode(&t, name, S_IFREG | 04755);
		assert_mode(&t, "odd/closed", S_IFREG);
		assert_mode(&t, "odd/shut", S_IFDIR);
		assert_true(written(&t, "odd/fifo", &first) && S_ISFIFO(first.st_mode));
		assert_true(written(&t, "odd/socket", &first) && S_ISSOCK(first.st_mode));
		assert_true(written(&t, "odd/link", &first) && S_ISLNK(first.st_mode));
		assert_false(written(&t, "odd/device", &first));
		assert_true(written(&t, name, &first) && written(&t, "odd/second", &second));
		assert_int_equal(first.st_ino, second.st_ino);
		full = mem_printf("/proc/self/fd/%d/fs/odd/second", t.stage.fd);
		assert_int_equal(lgetxattr(full, "user.mark", value, sizeof(value)), 1);
		free(mem_steal(full));
		assert_done(step_settle(&t.stage, 0, STEP_EPOCH, &t.e), t.e);
	}
	assert_int_equal(first.st_mtim.tv_sec, STEP_EPOCH);
	close_trial(&t);
}

/* A link where the generated layer has a directory leads nowhere for us, and what is closed stays closed. */
static void test_links_out(void **state)
{
	cleanup_free char *script = NULL;
	struct trial t;
	struct stat st;

	(void)state;
	fixture_mkdir("precious/hostname/deep");
	tempdir_write("precious/hosts", "mine\n");
	tempdir_write("precious/.containerenv", "mine\n");
	script = mem_printf("rm -rf /etc; ln -s %s/precious /etc; rm -rf /run 2>/dev/null || true; ln -s %s/precious /run 2>/dev/null || true",
			    tempdir, tempdir);
	run_script(&t, script);
	assert_int_equal(fstatat(tempfd, "precious/hosts", &st, 0), 0);
	assert_int_equal(fstatat(tempfd, "precious/hostname/deep", &st, 0), 0);
	assert_int_equal(fstatat(tempfd, "precious/.containerenv", &st, 0), 0);
	assert_true(written(&t, "etc", &st) && S_ISLNK(st.st_mode));
	assert_tidy(&t);
	close_trial(&t);
}

static void test_closed(void **state)
{
	struct trial t;
	struct stat st;

	(void)state;
	run_script(&t, "echo mine >/etc/hosts; chmod 0 /etc; chmod 0 /");
	assert_mode(&t, "etc", S_IFDIR);
	assert_int_equal(fchmodat(t.stage.fd, "fs/etc", 0700, 0), 0);
	assert_false(written(&t, "etc/hosts", &st));
	assert_tidy(&t);
	close_trial(&t);
}

/* ---- who runs this ---- */

static char *copy_program(const char *from, const char *name)
{
	cleanup_buf struct buf b = BUF_INIT;
	char *to = path_join(place, name);
	struct err e = ERR_INIT;
	int fd;

	if (file_read(AT_FDCWD, from, 256 << 20, 0, &b, NULL, &e) < 0)
		return NULL;
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (fd < 0 || file_write_all(fd, b.data, b.len, &e) < 0 || fchmod(fd, 0755) < 0)
		return NULL;
	close(fd);
	return to;
}

/* NULL: where to work. What can't be had is named. */
static const char *prepare(const char *program)
{
	cleanup_free char *beside = path_parent(program), *above = path_parent(beside), *own = path_join(above, "devenv");
	cleanup_free char *plain = path_join(above, "../devenv"); /* a flavour of tests alone has none of its own */

	place = mem_strdup("/var/tmp/devenv-step.XXXXXX");
	if (!mkdtemp(place) || chmod(place, 0755) < 0 || (geteuid() == 0 && chown(place, 65534, 65534) < 0))
		return "no directory to work in";
	launcher = copy_program(access(own, X_OK) == 0 ? own : plain, "devenv");
	tool = copy_program(program, "tool");
	if (!launcher || !tool)
		return "the launcher is not built beside it";
	if (!become_nobody() || setenv("TMPDIR", place, 1) < 0)
		return "root can't become nobody";
	self_became(geteuid(), getegid());
	return NULL;
}

/* Are there namespaces, and an overlay in them? */
static const char *try_one(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(enter_namespaces() ? 0 : NAMESPACES_MISSING);
	return pid > 0 && child_status(pid) == 0 ? NULL : "no user namespaces here";
}

/* What steps that were interrupted leave to init, where there is none that reaps: a sandbox ends when nobody is left in it. */
static void reap_all(void)
{
	for (int i = 0; i < 1000 && (waitpid(-1, NULL, WNOHANG) >= 0 || errno == EINTR); i++)
		usleep(10000);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		fixture_test(test_success),    fixture_test(test_continued),   fixture_test(test_failure), fixture_test(test_lines),
		fixture_test(test_left_behind), fixture_test(test_interrupted), fixture_test(test_mounts),  fixture_test(test_no_shell),
		fixture_test(test_deletions),  fixture_test(test_odd_things),  fixture_test(test_links_out), fixture_test(test_closed),
	};
	cleanup_free char *program = realpath("/proc/self/exe", NULL);
	struct err e = ERR_INIT;
	const char *missing;
	int result = 0;

	if (argc > 1 && strcmp(argv[1], "inside") == 0)
		_exit(make_odd_things());
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	missing = prepare(program);
	if (!missing)
		missing = try_one();
	if (missing)
		printf("1..1\nok 1 - steps # SKIP %s\n", missing);
	else
		result = cmocka_run_group_tests(tests, NULL, NULL);
	reap_all();
	free(launcher);
	free(tool);
	if (file_remove_tree(AT_FDCWD, place, &e) < 0)
		fprintf(stderr, "%s\n", e.msg);
	free(place);
	return result;
}
