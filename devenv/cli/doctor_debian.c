/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_debian.c - checks of what environments of Debian's packages need of this machine: gpgv, the keys of the archive, a mirror.
 * All others do without.
 */
#include "cli/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dirs.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "config/user.h"
#include "source/debian_archive_internal.h"
#include "source/debian_fetch.h"
#include "source/debian_network.h"

#define LACKING "[base] debian" /* the kind of base that is not to be had */
#define NOT_MADE LACKING " can't be locked: "
#define ANSWER_MAX (1 << 20)

static bool is_program(const char *name)
{
	const char *path = getenv("PATH");
	cleanup_strlist struct strlist dirs = STRLIST_INIT;

	strlist_split(&dirs, path ? path : "/usr/bin:/bin", ":");
	for (size_t i = 0; i < dirs.count; i++) {
		cleanup_free char *file = path_join(dirs.items[i], name);

		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}

void doctor_debian_gpgv(const struct doctor_machine *m, struct doctor_result *r)
{
	(void)m;
	if (is_program("gpgv")) {
		doctor_say(r, DOCTOR_OK, "gpgv is there");
		return;
	}
	doctor_say(r, DOCTOR_WARN, NOT_MADE "gpgv, which checks who signed the archive, is not there");
	r->lacking = LACKING;
	doctor_sudo(r, "sudo apt install gpgv");
}

void doctor_debian_keys(const struct doctor_machine *m, struct doctor_result *r)
{
	const char *own = m->user ? m->user->debian.keyring : NULL;

	if (own && access(own, R_OK) < 0) {
		doctor_say(r, DOCTOR_WARN, NOT_MADE "the keyring %s can't be read", text_safe(own));
		r->lacking = LACKING;
		doctor_remedy(r, "name another as keyring in [debian] of %s", dirs_shown_config());
	} else if (own) {
		doctor_say(r, DOCTOR_OK, "%s", text_safe(own));
	} else if (file_exists(m->root, &DEBIAN_KEYRING[1])) {
		doctor_say(r, DOCTOR_OK, "%s", DEBIAN_KEYRING);
	} else {
		doctor_say(r, DOCTOR_WARN, NOT_MADE "%s is not there", DEBIAN_KEYRING);
		r->lacking = LACKING;
		doctor_sudo(r, "sudo apt install debian-archive-keyring");
	}
}

/* Anything that it says: whether it has a release is told when that is asked for. */
static int ask(const char *uri, struct err *e)
{
	struct debian_network *network = debian_network_new();
	struct http *http = http_new(&(struct http_settings){ .connect_timeout_ms = 3000, .stall_timeout_ms = 5000, .tries = 1,
							      .route = debian_network_route, .route_data = network });
	cleanup_free char *url = debian_fetch_url(uri, "dists/stable/InRelease");
	cleanup_buf struct buf text = BUF_INIT;
	int result = debian_fetch_text(http, url, ANSWER_MAX, &text, e);

	http_free(http);
	debian_network_free(network);
	return result < 0 && (e->code != ERR_NOT_FOUND || text_starts(uri, "file:")) ? -1 : 0;
}

static void lacks_mirror(struct doctor_result *r, const struct err *e)
{
	doctor_say(r, DOCTOR_WARN, NOT_MADE "%s", e->msg);
	r->lacking = LACKING;
	if (e->hint[0])
		doctor_remedy(r, "%s", e->hint);
	else
		doctor_remedy(r, "mend that, or name another as mirror in [debian] of %s", dirs_shown_config());
}

void doctor_debian_mirror(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_strlist struct strlist components = STRLIST_INIT;
	struct debian_archive archive;
	struct user_config user;
	struct err e = ERR_INIT;

	if (!m->user) {
		doctor_say(r, DOCTOR_SKIP, "not asked");
		return;
	}
	/* Its keys are another check. */
	user = *m->user;
	user.debian.keyring = (char *)(uintptr_t)DEBIAN_KEYRING;
	strlist_add(&components, "main");
	if (debian_archive_find(&(struct debian_root){ .fd = m->root }, &user, "stable", &components, &archive, &e) < 0) {
		lacks_mirror(r, &e);
		return;
	}
	if (ask(archive.suites[0].uri, &e) < 0) {
		lacks_mirror(r, &e);
	} else {
		cleanup_free char *place = debian_fetch_place(archive.suites[0].uri);

		doctor_say(r, DOCTOR_OK, "%s answers", text_safe(place));
	}
	debian_archive_release(&archive);
}
