/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_doctor.c - the checks against machines described by a directory, and the probes on this one. */
#include "unit/cli_fixture.h"

#include "cli/doctor.h"
#include "cli/probe.h"

static struct doctor_result check(const char *id)
{
	struct dirs dirs = { .runtime = tempdir, .store = tempdir };
	char *store = mem_printf("%s/store", tempdir);
	struct doctor_machine m = { tempfd, &dirs, store };
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
	expect("container", DOCTOR_WARN, "docker", "--init");
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
		expect("store-owner", DOCTOR_FAIL, "belongs to uid 12345", "DEVENV_STORE");
	}
	assert_int_equal(unlinkat(tempfd, "store", AT_REMOVEDIR), 0);
	tempdir_write("store", "");
	expect("store-owner", DOCTOR_FAIL, "not a directory", "move it");
}

static void test_clock(void **state)
{
	(void)state;
	expect("clock", DOCTOR_OK, "UTC", NULL);
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
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 22, 0, &after, NULL, &e), 0);
	assert_string_equal(before.data, after.data);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	again = dup(STDIN_FILENO);
	assert_int_equal(again, lowest);
	close(again);
	buf_release(&before);
	buf_release(&after);
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
		tempdir_test(test_container),       tempdir_test(test_store),
		tempdir_test(test_clock),           tempdir_test(test_probes_leave_nothing),
		tempdir_test(test_on_this_machine), tempdir_test(test_the_seam),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
