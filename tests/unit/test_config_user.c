/* SPDX-License-Identifier: Apache-2.0 */
/* test_config_user.c - the user's own configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "config/user.h"

static void must_fail_as(enum err_code code, const char *text, const char *message)
{
	struct user_config u = { .registry_count = 77 };
	struct err e = ERR_INIT;

	assert_int_equal(user_config_parse("config.ini", text, strlen(text), &u, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, code);
	assert_int_equal(u.registry_count, 77);
}

static void must_fail(const char *text, const char *message)
{
	must_fail_as(ERR_CONFIG, text, message);
}

static struct user_config must_parse(const char *text)
{
	struct user_config u;
	struct err e = ERR_INIT;

	if (user_config_parse("config.ini", text, strlen(text), &u, &e))
		fail_msg("%s", e.msg);
	return u;
}

static void test_defaults(void **state)
{
	struct user_config u = must_parse("");

	(void)state;
	assert_int_equal(u.max_image_size, USER_CONFIG_MAX_IMAGE);
	assert_null(u.store_path);
	assert_null(u.shell);
	assert_null(user_config_registry(&u, "docker.io"));
	user_config_release(&u);
	user_config_release(&u);
	user_config_init(&u);
	assert_int_equal(u.max_image_size, 20ULL << 30);
}

static void test_everything(void **state)
{
	struct user_config u = must_parse("[registry.docker.io]\nmirror = mirror.example.com:8443/a/b\n"
	                                  "[registry.localhost:5000]\ninsecure = yes\n"
	                                  "[registry.[::1]:5000]\nca = /etc/ssl/ca.pem\ninsecure = no\n"
	                                  "[enter]\nshell = /bin/zsh\n"
	                                  "[store]\npath = /data/my store\nmax-image-size = 5G\n");
	const struct user_registry *r;

	(void)state;
	assert_int_equal(u.registry_count, 3);
	r = user_config_registry(&u, "docker.io");
	assert_string_equal(r->mirror, "mirror.example.com:8443/a/b");
	assert_false(r->insecure);
	assert_null(r->ca);
	assert_true(user_config_registry(&u, "localhost:5000")->insecure);
	r = user_config_registry(&u, "[::1]:5000");
	assert_string_equal(r->ca, "/etc/ssl/ca.pem");
	assert_false(r->insecure);
	assert_null(user_config_registry(&u, "localhost"));
	assert_string_equal(u.shell, "/bin/zsh");
	assert_string_equal(u.store_path, "/data/my store");
	assert_int_equal(u.max_image_size, 5ULL << 30);
	user_config_release(&u);
}

static void test_debian(void **state)
{
	struct user_config u = must_parse("[debian]\nmirror = http://mirror.example.org/debian//\n"
	                                  "security = file:/srv/security\nsnapshot = https://old.example.org\n"
	                                  "keyring = /etc/my keys.gpg\nignore-expiry = yes\n"
	                                  "vendor = /srv/debs\n  /srv/more\n");

	(void)state;
	assert_int_equal(u.debian.vendors.count, 2);
	assert_string_equal(u.debian.vendors.items[1], "/srv/more");
	assert_string_equal(u.debian.mirror, "http://mirror.example.org/debian");
	assert_string_equal(u.debian.security, "file:/srv/security");
	assert_string_equal(u.debian.snapshot, "https://old.example.org");
	assert_string_equal(u.debian.keyring, "/etc/my keys.gpg");
	assert_true(u.debian.ignore_expiry);
	user_config_release(&u);
	assert_null(u.debian.mirror);
}

static void test_refused(void **state)
{
	(void)state;
	must_fail("[registry]\nmirror = x\n",
	          "config.ini:1: section [registry] needs a name: [registry.NAME]");
	must_fail("[registry.a/b]\nmirror = x\n",
	          "config.ini:2: 'a/b' in [registry.a/b] is not a registry host");
	must_fail("[registry.index.docker.io]\nmirror = x\n",
	          "config.ini:2: [registry.index.docker.io] is written [registry.docker.io]");
	must_fail("[registry.x]\nmirorr = x\n",
	          "config.ini:2: unknown key 'mirorr' in [registry.x]; did you mean 'mirror'?");
	must_fail("[registry.x]\nmirror = https://m\n",
	          "config.ini:2: [registry.x] mirror: 'https://m' is written like a URL");
	must_fail("[registry.x]\nmirror = m/A\n",
	          "config.ini:2: [registry.x] mirror: 'm/A' is not HOST[:PORT][/PREFIX]");
	must_fail("[registry.x]\nmirror = m/\n",
	          "config.ini:2: [registry.x] mirror: 'm/' is not HOST[:PORT][/PREFIX]");
	must_fail("[registry.x]\nmirror = u@m\n",
	          "config.ini:2: [registry.x] mirror: 'u@m' is not HOST[:PORT][/PREFIX]");
	must_fail("[registry.x]\ninsecure = true\n",
	          "config.ini:2: [registry.x] insecure: 'true' is neither yes nor no; did you mean 'yes'?");
	must_fail("[registry.x]\nca = ~/ca.pem\n",
	          "config.ini:2: [registry.x] ca: '~/ca.pem' is not an absolute path");
	must_fail("[store]\npath = store\n", "config.ini:2: [store] path: 'store' is not an absolute path");
	must_fail("[store]\nmax-image-size = big\n",
	          "config.ini:2: [store] max-image-size: 'big' is not a size");
	must_fail("[store]\nmax-image-size = 0\n", "config.ini:2: [store] max-image-size: '0' is not a size");
	must_fail("[store]\nmax-image-size = 99999999999999T\n",
	          "config.ini:2: [store] max-image-size: '99999999999999T' is not a size");
	must_fail(
		"[enter]\nshell = bash -l\n",
		"config.ini:2: [enter] shell: 'bash -l' has a blank in it: a shell is named without arguments");
	must_fail("[stroe]\npath = /x\n", "config.ini:1: unknown section [stroe]; did you mean [store]?");
	must_fail("[debian]\nmirror = m/debian\n",
	          "config.ini:2: [debian] mirror: 'm/debian' is not the address of an archive");
	must_fail("[debian]\nsecurity = http://\n",
	          "config.ini:2: [debian] security: 'http://' is not the address of an archive");
	must_fail("[debian]\nsnapshot = http://m/a b\n",
	          "config.ini:2: [debian] snapshot: 'http://m/a b' is not the address of an archive");
	must_fail("[debian]\nmirror = http://m/?x\n",
	          "config.ini:2: [debian] mirror: 'http://m/?x' is not the address of an archive");
	must_fail("[debian]\nmirror = https://me:secret@m.example.org/debian\n",
	          "config.ini:2: [debian] mirror: an address can't have a name and password in it");
	must_fail("[debian]\nvendor = /srv/debs\n  debs\n", "config.ini:2: [debian] vendor: 'debs' is not an absolute path");
	must_fail("[debian]\nkeyring = keys.gpg\n",
	          "config.ini:2: [debian] keyring: 'keys.gpg' is not an absolute path");
	must_fail("[debian]\nmiror = http://m\n",
	          "config.ini:2: unknown key 'miror' in [debian]; did you mean 'mirror'?");
	must_fail_as(ERR_UNSUPPORTED, "[enter]\ndotfiles = .vimrc\n",
	             "config.ini:2: [enter] dotfiles is not supported yet");
	must_fail_as(ERR_UNSUPPORTED, "[trust]\nx = y\n", "config.ini:2: [trust] x is not supported yet");
	must_fail_as(ERR_UNSUPPORTED, "[npm]\n", "config.ini:1: [npm] is not supported yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_debian),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("config_user", tests, NULL, NULL);
}
