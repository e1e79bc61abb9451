/* SPDX-License-Identifier: Apache-2.0 */
/* self.c - the ids of this process. */
#include "base/self.h"

#include <stdbool.h>
#include <sys/auxv.h>

static bool is_changed;
static uid_t now_uid;
static gid_t now_gid;

uid_t self_uid(void)
{
	return is_changed ? now_uid : (uid_t)getauxval(AT_EUID);
}

gid_t self_gid(void)
{
	return is_changed ? now_gid : (gid_t)getauxval(AT_EGID);
}

void self_became(uid_t uid, gid_t gid)
{
	is_changed = true;
	now_uid = uid;
	now_gid = gid;
}
