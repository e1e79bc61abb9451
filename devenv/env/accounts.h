/* SPDX-License-Identifier: Apache-2.0 */
/* accounts.h - passwd and group texts of an image. Pure; what they hold is an image's word and is checked. */
#ifndef DEVENV_ENV_ACCOUNTS_H
#define DEVENV_ENV_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define ACCOUNTS_MAX (1u << 20) /* bytes of a passwd or group file that are read */
#define ACCOUNTS_ID_MAX 4294967294u /* 2^32-1 means "no id" to the kernel */

struct account {
	char *name, *home, *shell; /* "" when the field is empty */
	uint32_t uid, gid;
};
void account_release(struct account *a);

/* First entry with that name or uid; lines that make no sense are skipped. Fills *out (to be released) when true. */
bool accounts_by_name(const char *passwd, const char *name, struct account *out);
bool accounts_by_uid(const char *passwd, uint32_t uid, struct account *out);
bool accounts_group_by_name(const char *group, const char *name, uint32_t *gid);
bool accounts_has_gid(const char *group, uint32_t gid);

/*
 * `User` of an image config: "", USER, UID, USER:GROUP, with names looked up in the image's texts. *out gets home "/"
 * when nothing is known of the uid. ERR_NOT_FOUND: no such name; ERR_INTEGRITY: a number out of range or a malformed
 * text.
 */
int accounts_parse_user(const char *spec, const char *passwd, const char *group, struct account *out, struct err *e);

/* The image's passwd with our line in front, without lines of the same name, and with a root line when it has none. */
void accounts_format_passwd(const char *passwd, const struct account *ours, struct buf *out);
/* The image's group text with one line in front that names `gid` when it has none for it. */
void accounts_format_group(const char *group, const char *name, uint32_t gid, struct buf *out);

/* The caller's login name where it is fit for a passwd line, else "me". malloc'ed. */
char *accounts_login(void);

#endif
