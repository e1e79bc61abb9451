/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_accounts.c - passwd and group texts of an image and the User of its config. The input: a line with User, then a
 * passwd text; a line "--" and a group text may follow.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "env/accounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the image's text is, our line is found first, by name and by uid, and root has a name. */
static void check_passwd(const char *passwd)
{
	struct account ours = { (char *)"jo", (char *)"/home/jo", (char *)"/bin/sh", 1000, 100 }, found;
	cleanup_buf struct buf out = BUF_INIT;

	accounts_format_passwd(passwd, &ours, &out);
	if (!accounts_by_uid(out.data, 1000, &found) || strcmp(found.name, "jo") || strcmp(found.home, "/home/jo"))
		abort();
	account_release(&found);
	if (!accounts_by_name(out.data, "jo", &found) || found.uid != 1000)
		abort();
	account_release(&found);
	if (!accounts_by_uid(out.data, 0, &found))
		abort();
	account_release(&found);
}

static void check_group(const char *group)
{
	cleanup_buf struct buf out = BUF_INIT;

	accounts_format_group(group, "jo", 1000, &out);
	if (!accounts_has_gid(out.data, 1000))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = mem_strndup((const char *)data, size);
	char *passwd = text + strcspn(text, "\n"), *group;
	struct err e = ERR_INIT;
	struct account user;

	if (*passwd)
		*passwd++ = '\0';
	group = strstr(passwd, "\n--\n");
	if (group) {
		*group = '\0';
		group += strlen("\n--\n");
	} else {
		group = passwd + strlen(passwd);
	}
	if (accounts_parse_user(text, passwd, group, &user, &e) == 0) {
		if (user.uid > ACCOUNTS_ID_MAX || user.gid > ACCOUNTS_ID_MAX || !*user.home)
			abort();
		account_release(&user);
	} else if (e.code == ERR_NONE || !*e.msg) {
		abort();
	}
	check_passwd(passwd);
	check_group(group);
	return 0;
}
