/* SPDX-License-Identifier: Apache-2.0 */
/* restrict.c - capabilities, seccomp and descriptors. Called after clone or vfork: no allocation. */
#include "sandbox/restrict.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/sys.h"

#define BIT(capability) (1ULL << (capability))

static const uint64_t sets[] = {
	[RESTRICT_NONE] = 0,
	[RESTRICT_ROOT] = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_KILL) |
			  BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_NET_BIND_SERVICE),
	[RESTRICT_HOLDER] = BIT(CAP_WAKE_ALARM),
	[RESTRICT_HOLDER_RANGES] = BIT(CAP_WAKE_ALARM) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER),
};

int restrict_capabilities(enum restrict_capabilities which, struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint64_t set = sets[which];
	unsigned long c;
	int i;

	/* pid 1 executes nothing, so its bounding set does not matter. EINVAL: beyond the last capability there is. */
	for (c = 0; which < RESTRICT_HOLDER && c < 64; c++)
		if (!(set & BIT(c)) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0) {
			if (errno == EINVAL)
				break;
			return err_sys(e, "can't drop capability %lu from the bounding set", c);
		}
	for (i = 0; i < 2; i++) {
		data[i].permitted = data[i].effective = (uint32_t)(set >> (32 * i));
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return err_sys(e, "can't drop capabilities");
	return 0;
}

int restrict_system_calls(const void *filter, size_t size, struct err *e)
{
	struct sock_fprog program = { .len = (unsigned short)(size / sizeof(struct sock_filter)),
				      .filter = (struct sock_filter *)filter };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return err_sys(e, "can't load the system call filter");
	return 0;
}

void restrict_hide_arguments(char **argv)
{
	for (; argv && *argv; argv++)
		memset(*argv, 0, strlen(*argv));
}

int restrict_close_all_but(int *keep, size_t count, struct err *e)
{
	unsigned int from = 0;
	size_t i, j;

	for (i = 1; i < count; i++) /* insertion sort of a handful */
		for (j = i; j > 0 && keep[j] < keep[j - 1]; j--) {
			int t = keep[j];

			keep[j] = keep[j - 1];
			keep[j - 1] = t;
		}
	for (i = 0; i < count; i++) {
		if (keep[i] < 0)
			continue;
		if ((unsigned int)keep[i] > from && sys_close_range(from, (unsigned int)keep[i] - 1, 0) < 0)
			return err_sys(e, "can't close inherited descriptors");
		from = (unsigned int)keep[i] + 1;
	}
	return sys_close_range(from, ~0U, 0) < 0 ? err_sys(e, "can't close inherited descriptors") : 0;
}
