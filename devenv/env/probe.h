/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - what this machine can do, found out by trying it in a child; for plans, `doctor` and `info`. */
#ifndef DEVENV_ENV_PROBE_H
#define DEVENV_ENV_PROBE_H

enum probe_result { PROBE_NO, PROBE_YES, PROBE_UNKNOWN };
struct probe {
	int sys;       /* errno of what failed; 0 */
	char step[128]; /* what failed, for messages: "unshare", "write to uid_map", "mount overlay" */
};
enum probe_result probe_user_namespace(struct probe *p);
/* Overlay with userxattr on a tmpfs, in a user namespace. */
enum probe_result probe_overlay(struct probe *p);
/* user.* attributes on tmpfs (Linux 6.6). */
enum probe_result probe_tmpfs_xattr(struct probe *p);
/* A fresh /proc in new user, mount and pid namespaces: refused where any of ours is masked. */
enum probe_result probe_proc(struct probe *p);
/* Pseudo terminals of one's own, in a user namespace. */
enum probe_result probe_devpts(struct probe *p);
/* The newer system calls that a sandbox is made with; `step` lists those that are refused. In a user namespace. */
enum probe_result probe_system_calls(struct probe *p);
enum probe_result probe_seccomp(void);
int probe_landlock_abi(void); /* 0: none */
/* Does whoever inherits orphans here reap them within a second? Not so in a container started without an init. */
enum probe_result probe_init_reaps(void);

#endif
