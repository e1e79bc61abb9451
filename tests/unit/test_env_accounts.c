/* SPDX-License-Identifier: Apache-2.0 */
/* passwd and group texts of an image, and the User of its config. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "env/accounts.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
			     "broken:x:notanumber:1::/:/bin/sh\n"
			     "short:x:7\n"
			     ":x:9:9::/:/bin/sh\n"
			     "huge:x:4294967295:1::/:/bin/sh\n"
			     "app:x:1000:1001:App:/srv/app:/bin/sh\n"
			     "nohome:x:1002:1002:::\n"
			     "last:x:1003:1003::/last:/bin/sh";
static const char group[] = "root:x:0:\nstaff:x:50:app\napp:x:1001:\nodd:x:99999999999:\n";

static void check_user(const char *spec, uint32_t uid, uint32_t gid, const char *home)
{
	struct err e = ERR_INIT;
	struct account a;

	if (accounts_parse_user(spec, passwd, group, &a, &e) < 0)
		fail_msg("%s: %s", spec, e.msg);
	assert_int_equal(a.uid, uid);
	assert_int_equal(a.gid, gid);
	assert_string_equal(a.home, home);
	account_release(&a);
}

static void test_user(void **state)
{
	(void)state;
	check_user("", 0, 0, "/root");
	check_user("root", 0, 0, "/root");
	check_user("0", 0, 0, "/root");
	check_user("app", 1000, 1001, "/srv/app");
	check_user("1000", 1000, 1001, "/srv/app");
	check_user("app:staff", 1000, 50, "/srv/app");
	check_user("app:77", 1000, 77, "/srv/app");
	check_user("4242", 4242, 0, "/");
	check_user("4242:staff", 4242, 50, "/");
	check_user("nohome", 1002, 1002, "/");
	check_user("last", 1003, 1003, "/last");
	check_user(":staff", 0, 50, "/root");
	check_user("4294967294", 4294967294u, 0, "/");
}

static void check_refused(const char *spec, enum err_code code)
{
	struct err e = ERR_INIT;
	struct account a;

	assert_int_equal(accounts_parse_user(spec, passwd, group, &a, &e), -1);
	assert_int_equal(e.code, code);
	assert_true(*e.msg);
}

static void test_user_refused(void **state)
{
	(void)state;
	check_refused("nobody", ERR_NOT_FOUND);
	check_refused("broken", ERR_NOT_FOUND);
	check_refused("short", ERR_NOT_FOUND);
	check_refused("huge", ERR_NOT_FOUND);
	check_refused("app:nogroup", ERR_NOT_FOUND);
	check_refused("app:odd", ERR_NOT_FOUND);
	check_refused("4294967295", ERR_INTEGRITY);
	check_refused("4294967296", ERR_INTEGRITY);
	check_refused("99999999999999999999999", ERR_INTEGRITY);
	check_refused("app:4294967295", ERR_INTEGRITY);
	check_refused("app:", ERR_INTEGRITY);
	check_refused("app:staff:more", ERR_INTEGRITY);
	check_refused("-1", ERR_NOT_FOUND);
	check_refused("+5", ERR_NOT_FOUND);
}

static void test_root_without_passwd(void **state)
{
	struct err e = ERR_INIT;
	struct account a;

	(void)state;
	assert_int_equal(accounts_parse_user("root", "", "", &a, &e), 0);
	assert_int_equal(a.uid, 0);
	assert_string_equal(a.home, "/root");
	account_release(&a);
	assert_int_equal(accounts_parse_user("", "", "", &a, &e), 0);
	assert_int_equal(a.uid, 0);
	account_release(&a);
}

static void test_format_passwd(void **state)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct account ours = { (char *)"jo", (char *)"/home/jo", (char *)"/bin/bash", 1000, 1000 };

	(void)state;
	accounts_format_passwd("root:x:0:0::/root:/bin/sh\njo:x:5:5::/old:/bin/sh\njoe:x:6:6::/:/bin/sh\n", &ours, &out);
	assert_string_equal(out.data, "jo:x:1000:1000::/home/jo:/bin/bash\n"
				      "root:x:0:0::/root:/bin/sh\njoe:x:6:6::/:/bin/sh\n");
}

static void test_format_passwd_without_root(void **state)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct account ours = { (char *)"jo", (char *)"/ho:me", (char *)"/bin/sh", 1000, 100 };

	(void)state;
	accounts_format_passwd("", &ours, &out);
	assert_string_equal(out.data, "jo:x:1000:100:::/bin/sh\nroot:x:0:0:root:/root:/bin/sh\n");
}

static void test_format_group(void **state)
{
	cleanup_buf struct buf known = BUF_INIT, new = BUF_INIT, taken = BUF_INIT;

	(void)state;
	accounts_format_group("users:x:100:\n", "jo", 100, &known);
	assert_string_equal(known.data, "users:x:100:\n");
	accounts_format_group("users:x:100:\n", "jo", 1000, &new);
	assert_string_equal(new.data, "jo:x:1000:\nusers:x:100:\n");
	accounts_format_group("jo:x:100:\n", "jo", 1000, &taken);
	assert_string_equal(taken.data, "gid1000:x:1000:\njo:x:100:\n");
}

static void test_login(void **state)
{
	char *login = accounts_login();

	(void)state;
	assert_true(strlen(login) > 0);
	assert_null(strpbrk(login, ":\n/ "));
	free(login);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user),	      cmocka_unit_test(test_user_refused),
		cmocka_unit_test(test_root_without_passwd), cmocka_unit_test(test_format_passwd),
		cmocka_unit_test(test_format_passwd_without_root), cmocka_unit_test(test_format_group),
		cmocka_unit_test(test_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
