/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter_calls.c - which system calls are allowed and which are refused.
 *
 * Allowed is what ordinary programs, compilers and debuggers use and what acts only on the caller's own processes and
 * files. Where the kernel asks for a capability that nobody inside has (chroot, mknod of devices, adjtimex), the kernel's
 * answer is left to it. clone3 is on no list: its flags lie in memory, which a filter can't read, and its callers fall back
 * to clone when it says ENOSYS.
 */
#include "env/filter_calls.h"

#include <stddef.h>

#define OLD(name) { name, -1 }

/* clang-format off */
const struct filter_call filter_calls_allowed[] = {
	/* files */
	OLD("access"), OLD("chdir"), OLD("chmod"), OLD("chroot"), OLD("close"),
	OLD("close_range"), OLD("copy_file_range"), OLD("creat"), OLD("dup"), OLD("dup2"), OLD("dup3"),
	OLD("faccessat"), OLD("faccessat2"), OLD("fadvise64"), OLD("fallocate"), OLD("fchdir"),
	OLD("fchmod"), OLD("fchmodat"), OLD("fcntl"),
	OLD("fgetxattr"), OLD("flistxattr"), OLD("flock"), OLD("fremovexattr"), OLD("fsetxattr"),
	OLD("fstat"), OLD("fstatfs"), OLD("ftruncate"), OLD("futimesat"), OLD("getcwd"),
	OLD("getdents"), OLD("getdents64"), OLD("getxattr"), OLD("inotify_add_watch"),
	OLD("inotify_init"), OLD("inotify_init1"), OLD("inotify_rm_watch"),
	OLD("lgetxattr"), OLD("link"), OLD("linkat"), OLD("listxattr"), OLD("llistxattr"),
	OLD("lremovexattr"), OLD("lseek"), OLD("lsetxattr"), OLD("lstat"), OLD("mkdir"), OLD("mkdirat"),
	OLD("mknod"), OLD("mknodat"), OLD("name_to_handle_at"), OLD("newfstatat"), OLD("open"),
	OLD("openat"), OLD("openat2"), OLD("pipe"), OLD("pipe2"), OLD("pread64"), OLD("preadv"),
	OLD("preadv2"), OLD("pwrite64"), OLD("pwritev"), OLD("pwritev2"), OLD("read"), OLD("readahead"),
	OLD("readlink"), OLD("readlinkat"), OLD("readv"), OLD("removexattr"), OLD("rename"),
	OLD("renameat"), OLD("renameat2"), OLD("rmdir"), OLD("sendfile"), OLD("setxattr"), OLD("splice"),
	OLD("stat"), OLD("statfs"), OLD("statx"), OLD("symlink"), OLD("symlinkat"),
	OLD("tee"), OLD("truncate"), OLD("umask"), OLD("unlink"),
	OLD("unlinkat"), OLD("utime"), OLD("utimensat"), OLD("utimes"), OLD("vmsplice"), OLD("write"),
	OLD("writev"),
	/* memory */
	OLD("brk"), OLD("get_mempolicy"), OLD("madvise"), OLD("mbind"), OLD("membarrier"),
	OLD("memfd_create"), OLD("memfd_secret"), OLD("mincore"), OLD("mlock"), OLD("mlock2"),
	OLD("mlockall"), OLD("mmap"), OLD("mprotect"), OLD("mremap"), OLD("msync"), OLD("munlock"),
	OLD("munlockall"), OLD("munmap"), OLD("pkey_alloc"), OLD("pkey_free"), OLD("pkey_mprotect"),
	OLD("process_madvise"), OLD("process_mrelease"), OLD("remap_file_pages"), OLD("set_mempolicy"),
	OLD("set_mempolicy_home_node"),
	/* processes and threads */
	OLD("arch_prctl"), OLD("capget"), OLD("execve"), OLD("execveat"), OLD("exit"),
	OLD("exit_group"), OLD("fork"), OLD("futex"), OLD("futex_waitv"), OLD("get_robust_list"),
	OLD("get_thread_area"), OLD("getcpu"), OLD("getegid"), OLD("geteuid"), OLD("getgid"),
	OLD("getgroups"), OLD("getpgid"), OLD("getpgrp"), OLD("getpid"), OLD("getppid"),
	OLD("getpriority"), OLD("getresgid"), OLD("getresuid"), OLD("getrlimit"), OLD("getrusage"),
	OLD("getsid"), OLD("gettid"), OLD("getuid"), OLD("ioprio_get"), OLD("ioprio_set"), OLD("kcmp"),
	OLD("kill"), OLD("landlock_add_rule"), OLD("landlock_create_ruleset"),
	OLD("landlock_restrict_self"), OLD("modify_ldt"), OLD("pidfd_getfd"), OLD("pidfd_open"),
	OLD("pidfd_send_signal"), OLD("prctl"), OLD("process_vm_readv"),
	OLD("process_vm_writev"), OLD("ptrace"), OLD("restart_syscall"), OLD("rseq"),
	OLD("sched_get_priority_max"), OLD("sched_get_priority_min"), OLD("sched_getaffinity"),
	OLD("sched_getattr"), OLD("sched_getparam"), OLD("sched_getscheduler"),
	OLD("sched_rr_get_interval"), OLD("sched_setaffinity"), OLD("sched_setattr"),
	OLD("sched_setparam"), OLD("sched_setscheduler"), OLD("sched_yield"), OLD("seccomp"),
	OLD("set_robust_list"), OLD("set_thread_area"), OLD("set_tid_address"), OLD("setpgid"),
	OLD("setpriority"), OLD("setrlimit"), OLD("setsid"), OLD("sysinfo"), OLD("tgkill"),
	OLD("times"), OLD("tkill"), OLD("uname"), OLD("vfork"), OLD("wait4"), OLD("waitid"),
	/* signals and time */
	OLD("adjtimex"), OLD("alarm"), OLD("clock_adjtime"), OLD("clock_getres"), OLD("clock_gettime"),
	OLD("clock_nanosleep"), OLD("getitimer"), OLD("gettimeofday"), OLD("nanosleep"), OLD("pause"),
	OLD("rt_sigaction"), OLD("rt_sigpending"), OLD("rt_sigprocmask"), OLD("rt_sigqueueinfo"),
	OLD("rt_sigreturn"), OLD("rt_sigsuspend"), OLD("rt_sigtimedwait"), OLD("rt_tgsigqueueinfo"),
	OLD("setitimer"), OLD("sigaltstack"), OLD("signalfd"), OLD("signalfd4"), OLD("time"),
	OLD("timer_create"), OLD("timer_delete"), OLD("timer_getoverrun"), OLD("timer_gettime"),
	OLD("timer_settime"), OLD("timerfd_create"), OLD("timerfd_gettime"), OLD("timerfd_settime"),
	/* waiting for several things */
	OLD("epoll_create"), OLD("epoll_create1"), OLD("epoll_ctl"), OLD("epoll_ctl_old"),
	OLD("epoll_pwait"), OLD("epoll_pwait2"), OLD("epoll_wait"), OLD("epoll_wait_old"),
	OLD("eventfd"), OLD("eventfd2"), OLD("io_cancel"), OLD("io_destroy"), OLD("io_getevents"),
	OLD("io_pgetevents"), OLD("io_setup"), OLD("io_submit"), OLD("poll"), OLD("ppoll"),
	OLD("pselect6"), OLD("select"),
	/* sockets and System V */
	OLD("accept"), OLD("accept4"), OLD("bind"), OLD("connect"), OLD("getpeername"), OLD("getrandom"),
	OLD("getsockname"), OLD("getsockopt"), OLD("listen"), OLD("mq_getsetattr"), OLD("mq_notify"),
	OLD("mq_open"), OLD("mq_timedreceive"), OLD("mq_timedsend"), OLD("mq_unlink"), OLD("msgctl"),
	OLD("msgget"), OLD("msgrcv"), OLD("msgsnd"), OLD("recvfrom"), OLD("recvmmsg"), OLD("recvmsg"),
	OLD("semctl"), OLD("semget"), OLD("semop"), OLD("semtimedop"), OLD("sendmmsg"), OLD("sendmsg"),
	OLD("sendto"), OLD("setsockopt"), OLD("shmat"), OLD("shmctl"), OLD("shmdt"), OLD("shmget"),
	OLD("shutdown"),
	/* newer than libseccomp 2.5 */
	{ "cachestat", 451 },
	{ "fchmodat2", 452 },
	{ "map_shadow_stack", 453 },
	{ "futex_wake", 454 },
	{ "futex_wait", 455 },
	{ "futex_requeue", 456 },
	{ "mseal", 462 },
	{ "setxattrat", 463 },
	{ "getxattrat", 464 },
	{ "listxattrat", 465 },
	{ "removexattrat", 466 },
	{ NULL, -1 },
};

const struct filter_call filter_calls_owner[] = {
	OLD("chown"), OLD("fchown"), OLD("fchownat"), OLD("lchown"),
	{ NULL, -1 },
};

const struct filter_call filter_calls_ids[] = {
	OLD("capset"), OLD("setfsgid"), OLD("setfsuid"), OLD("setgid"), OLD("setgroups"), OLD("setregid"),
	OLD("setresgid"), OLD("setresuid"), OLD("setreuid"), OLD("setuid"),
	{ NULL, -1 },
};

const struct filter_call filter_calls_sync[] = {
	OLD("fdatasync"), OLD("fsync"), OLD("sync"), OLD("sync_file_range"), OLD("syncfs"),
	{ NULL, -1 },
};

const struct filter_call filter_calls_denied[] = {
	/* ways around what is decided here */
	OLD("bpf"), OLD("io_uring_enter"), OLD("io_uring_register"), OLD("io_uring_setup"),
	OLD("userfaultfd"),
	/* keys: not namespaced */
	OLD("add_key"), OLD("keyctl"), OLD("request_key"),
	/* the machine */
	OLD("acct"), OLD("clock_settime"), OLD("delete_module"), OLD("fanotify_init"),
	OLD("fanotify_mark"), OLD("finit_module"), OLD("init_module"), OLD("ioperm"), OLD("iopl"),
	OLD("kexec_file_load"), OLD("kexec_load"), OLD("lookup_dcookie"), OLD("migrate_pages"),
	OLD("move_pages"), OLD("open_by_handle_at"), OLD("quotactl"), OLD("quotactl_fd"), OLD("reboot"),
	OLD("settimeofday"), OLD("stime"), OLD("swapoff"),
	OLD("swapon"), OLD("syslog"), OLD("vhangup"),
	{ NULL, -1 },
};

/* What the kernel lets a process do in user namespaces of its own. */
const struct filter_call filter_calls_namespaces[] = {
	OLD("fsconfig"), OLD("fsmount"), OLD("fsopen"), OLD("fspick"), OLD("mount"),
	OLD("mount_setattr"), OLD("move_mount"), OLD("open_tree"), OLD("pivot_root"),
	OLD("setdomainname"), OLD("sethostname"), OLD("setns"), OLD("umount"), OLD("umount2"),
	/* newer than libseccomp 2.5 */
	{ "open_tree_attr", 467 },
	{ NULL, -1 },
};

const struct filter_call filter_calls_perf[] = {
	OLD("perf_event_open"),
	{ NULL, -1 },
};
/* clang-format on */
