/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_store.c - checks of where things are kept: whose it is, what file system, how much room. */
#include "cli/doctor.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/cli.h"

#define SPACE_LOW  (2ULL << 30)
#define SPACE_NONE (200ULL << 20)

/* The store, or what is there of the way to it: what is said of that holds for the store to come. */
static char *nearest_existing(const char *path)
{
	char *at = mem_strdup(path);

	while (access(at, F_OK) < 0 && strcmp(at, "/") != 0) {
		char *up = path_parent(at);

		free(at);
		at = up;
	}
	return at;
}

static int fix_mode(struct cli *c, const struct doctor_machine *m, struct err *e)
{
	(void)c;
	return chmod(m->store, 0700) < 0 ? err_sys(e, "can't change the mode of %s", text_safe(m->store)) : 0;
}

void doctor_store_owner(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_free char *at = NULL;
	struct stat st;

	if (lstat(m->store, &st) < 0 && errno == ENOENT) {
		at = nearest_existing(m->store);
		if (access(at, W_OK) == 0) {
			doctor_say(r, DOCTOR_OK, "%s will be made when it is needed", text_safe(m->store));
			return;
		}
		doctor_say(r, DOCTOR_FAIL, "%s can't be made: %s is not writable", text_safe(m->store),
		           text_safe(at));
		doctor_remedy(r, "set DEVENV_STORE, or [store] path in %s, to a directory of yours", dirs_shown_config());
	} else if (stat(m->store, &st) < 0 || !S_ISDIR(st.st_mode)) {
		doctor_say(r, DOCTOR_FAIL, "%s is not a directory", text_safe(m->store));
		doctor_remedy(r, "move it out of the way");
	} else if (st.st_uid != geteuid()) {
		doctor_say(r, DOCTOR_FAIL, "%s belongs to uid %u, not to you (%u)", text_safe(m->store),
		           (unsigned int)st.st_uid, (unsigned int)geteuid());
		doctor_sudo(r, "sudo chown -R %u %s", (unsigned int)geteuid(), text_safe(m->store));
	} else if (st.st_mode & 077) {
		doctor_say(r, DOCTOR_FAIL, "%s is open to others (mode %04o)", text_safe(m->store),
		           st.st_mode & 07777);
		doctor_remedy(r, "chmod 700 %s", text_safe(m->store));
		r->fix = fix_mode;
	} else {
		doctor_say(r, DOCTOR_OK, "%s is yours alone", text_safe(m->store));
	}
}

/* Network and user-space file systems lack what the store needs: real renames, flock, attributes, overlay lowers. */
static const char *unfit_file_system(const struct statfs *fs)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} unfit[] = {
		{ 0x6969, "NFS" },       { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB" },    { 0x517b, "SMB" },
		{ 0x01021997, "9p" },    { 0x65735546, "FUSE" }, { 0xf15f, "eCryptfs" },   { 0x4d44, "FAT" },
		{ 0x2011bab0, "exFAT" }, { 0x5346414f, "AFS" },  { 0x786f4256, "vboxsf" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(unfit); i++)
		if ((unsigned long)fs->f_type == unfit[i].magic)
			return unfit[i].name;
	return NULL;
}

static int ask_file_system(const struct doctor_machine *m, const char *path, struct statfs *fs)
{
	if (!m->store_fs)
		return statfs(path, fs);
	*fs = *m->store_fs;
	return 0;
}

void doctor_store_file_system(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_free char *at = nearest_existing(m->store);
	const char *unfit;
	struct statfs fs;

	if (ask_file_system(m, at, &fs) < 0) {
		doctor_say(r, DOCTOR_FAIL, "%s: %s", text_safe(at), strerror(errno));
		return;
	}
	unfit = unfit_file_system(&fs);
	if (unfit) {
		doctor_say(r, DOCTOR_WARN, "%s is on %s, which may lack locks, attributes or layers",
		           text_safe(at), unfit);
		doctor_remedy(r, "set DEVENV_STORE, or [store] path in %s, to a local disk", dirs_shown_config());
	} else if (fs.f_flags & ST_RDONLY) {
		doctor_say(r, DOCTOR_FAIL, "%s is mounted read-only", text_safe(at));
		doctor_remedy(r, "set DEVENV_STORE, or [store] path in %s, elsewhere", dirs_shown_config());
	} else if (fs.f_flags & ST_NOEXEC) {
		doctor_say(r, DOCTOR_FAIL, "%s is mounted noexec: no program in a layer could run",
		           text_safe(at));
		doctor_remedy(r, "set DEVENV_STORE, or [store] path in %s, elsewhere", dirs_shown_config());
	} else {
		doctor_say(r, DOCTOR_OK, "local, writable, programs may run");
	}
}

static int fix_space(struct cli *c, const struct doctor_machine *m, struct err *e)
{
	(void)m;
	return cmd_gc(c, e) < 0 ? -1 : 0;
}

void doctor_store_space(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_free char *at = nearest_existing(m->store);
	struct statfs fs;
	uint64_t bytes;

	if (ask_file_system(m, at, &fs) < 0) {
		doctor_say(r, DOCTOR_WARN, "%s: %s", text_safe(at), strerror(errno));
		return;
	}
	bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	doctor_say(r,
	           bytes < SPACE_NONE  ? DOCTOR_FAIL
	           : bytes < SPACE_LOW ? DOCTOR_WARN
	                               : DOCTOR_OK,
	           "%s free", text_bytes(bytes));
	if (r->level == DOCTOR_OK && fs.f_files && fs.f_ffree < 100000)
		doctor_say(r, DOCTOR_WARN, "only %llu inodes free", (unsigned long long)fs.f_ffree);
	if (r->level == DOCTOR_OK)
		return;
	doctor_remedy(r, "devenv gc");
	r->fix = fix_space;
}

void doctor_store_runtime(const struct doctor_machine *m, struct doctor_result *r)
{
	const char *set = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (set && *set && stat(set, &st) == 0 && st.st_uid != geteuid()) {
		doctor_say(r, DOCTOR_FAIL, "XDG_RUNTIME_DIR=%s belongs to uid %u, not to you", text_safe(set),
		           (unsigned int)st.st_uid);
		doctor_remedy(r, "unset XDG_RUNTIME_DIR; after su or sudo log in properly: su -, sudo -i");
		return;
	}
	doctor_say(r, DOCTOR_OK, "%s", text_safe(m->dirs->runtime));
}
