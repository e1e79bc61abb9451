/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_credentials.c - the files and helper programs in which other tools keep logins. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "fetch/credentials.h"

/* user "u1", "u2"... password "p" */
#define U1 "dTE6cA=="
#define U2 "dTI6cA=="
#define U3 "dTM6cA=="

static void expect(const char *json, const char *host, const char *path, const char *user, const char *helper)
{
	struct credentials c = { 0 };
	struct err e = ERR_INIT;
	char *got = NULL;
	int rc = credentials_parse("auth.json", json, strlen(json), host, path, &c, &got, &e);

	if (rc < 0)
		fail_msg("%s: %s", json, e.msg);
	assert_int_equal(rc, user ? 1 : 0);
	if (user) {
		assert_string_equal(c.username, user);
		assert_string_equal(c.password, "p");
	} else {
		assert_null(c.username);
	}
	if (helper)
		assert_string_equal(got, helper);
	else
		assert_null(got);
	free(got);
	credentials_release(&c);
	credentials_release(&c);
}

static void precedence(void **state)
{
	static const char nested[] = "{\"auths\":{\"r.example\":{\"auth\":\"" U1 "\"},\"r.example/team\":{\"auth\":\"" U2
				     "\"},\"r.example/team/app\":{\"auth\":\"" U3 "\"}}}";
	(void)state;

	expect(nested, "r.example", "team/app", "u3", NULL);
	expect(nested, "r.example", "team/app/sub", "u3", NULL);
	expect(nested, "r.example", "team/apple", "u2", NULL);
	expect(nested, "r.example", "team", "u2", NULL);
	expect(nested, "r.example", "teams", "u1", NULL);
	expect(nested, "r.example", "", "u1", NULL);
	expect(nested, "r.example:443", "team", NULL, NULL);
	expect(nested, "r.example.org", "team", NULL, NULL);
	expect(nested, "other.example", "team", NULL, NULL);
	/* an empty entry falls back to a shorter one */
	expect("{\"auths\":{\"r/team\":{},\"r\":{\"auth\":\"" U1 "\"}}}", "r", "team/x", "u1", NULL);
}

static void key_forms(void **state)
{
	static const char *const docker[] = { "https://index.docker.io/v1/", "index.docker.io", "docker.io",
					      "index.docker.io/v1/", "https://registry-1.docker.io/v2/" };
	char *json;
	(void)state;

	for (size_t i = 0; i < sizeof(docker) / sizeof(docker[0]); i++) {
		json = mem_printf("{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}", docker[i], U1);
		expect(json, "docker.io", "library/alpine", "u1", NULL);
		expect(json, "ghcr.io", "library/alpine", NULL, NULL);
		free(json);
	}
	expect("{\"auths\":{\"docker.io/library\":{\"auth\":\"" U2 "\"},\"https://index.docker.io/v1/\":{\"auth\":\"" U1
	       "\"}}}",
	       "docker.io", "library/alpine", "u2", NULL);
	expect("{\"auths\":{\"http://localhost:5000\":{\"auth\":\"" U1 "\"}}}", "localhost:5000", "x", "u1", NULL);
	expect("{\"auths\":{\"localhost:5000/v2/\":{\"auth\":\"" U1 "\"}}}", "localhost:5000", "x", "u1", NULL);
	expect("{\"auths\":{\"localhost\":{\"auth\":\"" U1 "\"}}}", "localhost:5000", "x", NULL, NULL);
	expect("{\"auths\":{\"r\":{\"username\":\"u1\",\"password\":\"p\"}}}", "r", "x", "u1", NULL);
	expect("{\"auths\":{\"r\":{\"auth\":\"dTE6cAAAAA==\"}}}", "r", "x", "u1", NULL); /* NULs behind */
	expect("{}", "r", "x", NULL, NULL);
	expect("{\"auths\":[],\"HttpHeaders\":{}}", "r", "x", NULL, NULL);
}

static void helpers(void **state)
{
	static const char both[] = "{\"auths\":{\"r\":{\"auth\":\"" U1 "\"}},\"credHelpers\":{\"r\":\"one\"},"
				   "\"credsStore\":\"all\"}";
	(void)state;

	expect(both, "r", "x", NULL, "one");
	expect(both, "s", "x", NULL, "all");
	expect("{\"auths\":{\"r\":{}},\"credsStore\":\"all\"}", "r", "x", NULL, "all");
	expect("{\"auths\":{\"r\":{\"auth\":\"" U1 "\"}},\"credsStore\":\"all\"}", "r", "x", "u1", NULL);
}

static void bad_files(void **state)
{
	static const char *const bad[] = {
		"", "[]", "{", "{\"auths\":{\"r\":{\"auth\":\"U0VDUkVU\"}}}", /* no colon */
		"{\"auths\":{\"r\":{\"auth\":\"SECRET!\"}}}", "{\"auths\":{\"r\":{\"auth\":\"OnA=\"}}}",
		"{\"auths\":{\"r\":{\"auth\":\"SECRET\" x}}}", "{\"auths\":{},\"auths\":{}}",
		"{\"credHelpers\":{\"r\":\"../../bin/sh\"}}", "{\"credsStore\":\"a b\"}",
		"{\"auths\":{\"r\":{\"registrytoken\":\"SECRET\\r\\nX: y\"}}}",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct credentials c = { 0 };
		struct err e = ERR_INIT;
		char *helper = NULL;

		if (credentials_parse("auth.json", bad[i], strlen(bad[i]), "r", "x", &c, &helper, &e) >= 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_non_null(strstr(e.msg, "auth.json"));
		assert_null(strstr(e.msg, "SECRET"));
		assert_null(strstr(e.msg, "U0VDUkVU"));
		assert_null(helper);
	}
}

static void tokens(void **state)
{
	static const char json[] = "{\"auths\":{\"r\":{\"identitytoken\":\"it\"},\"s\":{\"registrytoken\":\"rt\"}}}";
	struct credentials c = { 0 };
	struct err e = ERR_INIT;
	char *helper = NULL;
	(void)state;

	assert_int_equal(credentials_parse("f", json, strlen(json), "r", "x", &c, &helper, &e), 1);
	assert_string_equal(c.identity_token, "it");
	credentials_release(&c);
	assert_int_equal(credentials_parse("f", json, strlen(json), "s", "x", &c, &helper, &e), 1);
	assert_string_equal(c.registry_token, "rt");
	credentials_release(&c);
	assert_int_equal(credentials_parse_helper("h", "{\"Username\":\"<token>\",\"Secret\":\"s\"}", 35, &c, &e), 1);
	assert_string_equal(c.identity_token, "s");
	assert_null(c.username);
	credentials_release(&c);
	assert_int_equal(credentials_parse_helper("h", "{\"Username\":\"\",\"Secret\":\"s\"}", 28, &c, &e), -1);
}

static char *dir;

static char *put(const char *name, const char *text, mode_t mode)
{
	struct err e = ERR_INIT;
	char *path = mem_printf("%s/%s", dir, name), *slash = strrchr(path, '/');

	*slash = '\0';
	assert_int_equal(file_mkdirs(AT_FDCWD, path, 0700, &e), 0);
	*slash = '/';
	assert_int_equal(file_replace(AT_FDCWD, path, text, strlen(text), mode, FILE_FAST, &e), 0);
	return path;
}

static int make_dir(void **state)
{
	char *path;
	(void)state;

	dir = mem_printf("%s/devenv-credentials-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("DOCKER_CONFIG");
	setenv("HOME", dir, 1);
	path = mem_printf("%s/run", dir);
	setenv("XDG_RUNTIME_DIR", path, 1);
	free(path);
	path = mem_printf("%s/config", dir);
	setenv("XDG_CONFIG_HOME", path, 1);
	free(path);
	path = mem_printf("%s/bin:%s", dir, getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	setenv("PATH", path, 1);
	free(path);
	return 0;
}

static int remove_dir(void **state)
{
	struct err e = ERR_INIT;
	(void)state;

	if (file_remove_tree(AT_FDCWD, dir, &e) < 0)
		return -1;
	free(dir);
	return 0;
}

static int found(const char *host, const char *user, struct strlist *looked)
{
	struct credentials c = { 0 };
	struct err e = ERR_INIT;
	int rc = credentials_find(host, "x", &c, looked, &e);

	if (rc == 1 && user)
		assert_string_equal(c.username, user);
	credentials_release(&c);
	return rc;
}

static void order_of_files(void **state)
{
	struct strlist looked = STRLIST_INIT;
	char *p;
	(void)state;

	assert_int_equal(found("r", NULL, &looked), 0);
	assert_int_equal(looked.count, 3);
	assert_non_null(strstr(looked.items[0], "/run/containers/auth.json (absent)"));
	assert_non_null(strstr(looked.items[2], "/.docker/config.json (absent)"));
	strlist_release(&looked);

	free(put(".docker/config.json", "{\"auths\":{\"r\":{\"auth\":\"" U1 "\"},\"d\":{\"auth\":\"" U1 "\"}}}", 0600));
	assert_int_equal(found("r", "u1", NULL), 1);
	free(put("config/containers/auth.json", "{\"auths\":{\"r\":{\"auth\":\"" U2 "\"}}}", 0600));
	assert_int_equal(found("r", "u2", NULL), 1);
	free(put("run/containers/auth.json", "{\"auths\":{\"r\":{\"auth\":\"" U3 "\"}}}", 0600));
	assert_int_equal(found("r", "u3", NULL), 1);
	assert_int_equal(found("d", "u1", NULL), 1);
	assert_int_equal(found("e", NULL, NULL), 0);

	/* the explicit file alone */
	p = put("explicit.json", "{\"auths\":{\"e\":{\"auth\":\"" U1 "\"}}}", 0600);
	setenv("REGISTRY_AUTH_FILE", p, 1);
	assert_int_equal(found("e", "u1", NULL), 1);
	assert_int_equal(found("r", NULL, NULL), 0);
	unlink(p);
	assert_int_equal(found("e", NULL, NULL), -1);
	unsetenv("REGISTRY_AUTH_FILE");
	free(p);

	/* no directory where one was expected, or one that is not ours to read, is as good as none */
	p = put("run/file", "", 0600);
	setenv("XDG_RUNTIME_DIR", p, 1);
	assert_int_equal(found("r", "u2", NULL), 1);
	free(p);
	p = mem_printf("%s/run", dir);
	setenv("XDG_RUNTIME_DIR", p, 1);
	assert_int_equal(chmod(p, 0), 0);
	assert_int_equal(found("r", geteuid() == 0 ? "u3" : "u2", NULL), 1);
	assert_int_equal(chmod(p, 0700), 0);
	free(p);

	p = mem_printf("%s/elsewhere", dir);
	setenv("DOCKER_CONFIG", p, 1);
	assert_int_equal(found("d", NULL, NULL), 0);
	free(p);
	free(put("elsewhere/config.json", "{\"auths\":{\"d\":{\"auth\":\"" U2 "\"}}}", 0600));
	assert_int_equal(found("d", "u2", NULL), 1);
	unsetenv("DOCKER_CONFIG");
}

static void helper_programs(void **state)
{
	struct strlist looked = STRLIST_INIT;
	(void)state;

	free(put("run/containers/auth.json",
		 "{\"credHelpers\":{\"r\":\"test\",\"docker.io\":\"test\",\"gone\":\"missing\",\"bad\":\"test\"}}", 0600));
	/* It knows two servers, and complains about the rest as the real ones do. */
	free(put("bin/docker-credential-test",
		 "#!/bin/sh\n[ \"$*\" = get ] || exit 9\nread -r server\ncase $server in\n"
		 "r) echo '{\"ServerURL\":\"r\",\"Username\":\"u1\",\"Secret\":\"p\"}';;\n"
		 "https://index.docker.io/v1/) echo '{\"Username\":\"hub\",\"Secret\":\"p\"}';;\n"
		 "bad) echo '{\"Username\":\"SECRET\"}';;\n"
		 "*) echo 'credentials not found in native keychain'; exit 1;;\nesac\n",
		 0755));
	assert_int_equal(found("r", "u1", &looked), 1);
	assert_true(strlist_has(&looked, "docker-credential-test"));
	strlist_release(&looked);
	assert_int_equal(found("docker.io", "hub", NULL), 1);
	assert_int_equal(found("gone", NULL, &looked), 0);
	assert_true(strlist_has(&looked, "docker-credential-missing (not installed)"));
	strlist_release(&looked);
	assert_int_equal(found("bad", NULL, NULL), -1);

	free(put("run/containers/auth.json", "{\"credsStore\":\"test\"}", 0600));
	assert_int_equal(found("r", "u1", NULL), 1);
	assert_int_equal(found("unknown", NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(precedence), cmocka_unit_test(key_forms),	cmocka_unit_test(helpers),
		cmocka_unit_test(bad_files),  cmocka_unit_test(tokens),		cmocka_unit_test(order_of_files),
		cmocka_unit_test(helper_programs),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
