/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_limits.c - what [sandbox] memory, cpus, pids and devices can count on here. */
#include "cli/doctor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/limits_shown.h"
#include "env/devices.h"

void doctor_limits_cgroups(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_free char *text = NULL;
	bool all;

	(void)m;
	text = limits_shown_machine(&all);
	doctor_say(r, all ? DOCTOR_OK : DOCTOR_INFO, "%s", text);
	if (!all)
		doctor_remedy(r, "[sandbox] memory needs cgroups version 2 and a systemd session of yours: log in with one "
				 "(libpam-systemd), or `loginctl enable-linger`");
}

void doctor_limits_devices(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_free char *text = limits_shown_devices(), *remedy = NULL;

	(void)m;
	doctor_say(r, DOCTOR_INFO, "%s", text);
	if (devices_look("/dev/kvm", DEVICES_MAJOR_MISC) == DEVICES_REFUSED)
		doctor_remedy(r, "for `devices = kvm`: %s", remedy = devices_remedy("/dev/kvm", "kvm"));
}
