/* SPDX-License-Identifier: Apache-2.0 */
/* self.h - who this process is, without a system call: as the kernel said when it was started, or as it became since. */
#ifndef DEVENV_BASE_SELF_H
#define DEVENV_BASE_SELF_H

#include <sys/types.h>

/* What geteuid() and getegid() would say. */
uid_t self_uid(void);
gid_t self_gid(void);
/* The effective ids were changed to these. */
void self_became(uid_t uid, gid_t gid);

#endif
