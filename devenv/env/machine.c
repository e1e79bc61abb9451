/* SPDX-License-Identifier: Apache-2.0 */
/* machine.c - the record of what this machine can do: a small text, a line for each thing, written by rename. */
#include "env/machine.h"

#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/version.h"

#define RECORD_MAX 8192

static enum probe_result try_seccomp(struct probe *p)
{
	*p = (struct probe){ .sys = ENOSYS, .step = "load a filter" };
	return probe_seccomp();
}

static const struct {
	const char *name;
	enum probe_result (*attempt)(struct probe *p);
} features[] = {
	[MACHINE_USER_NAMESPACES] = { "user_namespaces", probe_user_namespace },
	[MACHINE_OVERLAY] = { "overlay", probe_overlay },
	[MACHINE_TMPFS_XATTR] = { "tmpfs_xattr", probe_tmpfs_xattr },
	[MACHINE_PROC] = { "proc", probe_proc },
	[MACHINE_DEVPTS] = { "devpts", probe_devpts },
	[MACHINE_SYSTEM_CALLS] = { "system_calls", probe_system_calls },
	[MACHINE_SECCOMP] = { "seccomp", try_seccomp },
};

const char *machine_feature_name(enum machine_feature f)
{
	return features[f].name;
}

char *machine_path(const struct dirs *d)
{
	return mem_printf("%s/machine", d->state);
}

/* What the rest of the record holds for: the kernel as it was built, and who asked it. */
static void add_key(struct buf *out)
{
	struct utsname u;

	if (uname(&u) < 0)
		memset(&u, 0, sizeof(u));
	buf_addf(out, "; What devenv found out about this machine by trying; `devenv doctor` tries again.\n"
		 "kernel = %s %s %s %s\ndevenv = %s\n", u.sysname, u.release, u.version, u.machine, DEVENV_VERSION);
}

static void record(const struct machine *m, const struct dirs *d)
{
	cleanup_buf struct buf text = BUF_INIT, before = BUF_INIT;
	cleanup_free char *path = machine_path(d);
	struct err ignored = ERR_INIT;

	add_key(&text);
	for (size_t i = 0; i < MACHINE_FEATURES; i++) {
		const struct machine_answer *a = &m->features[i];

		if (a->result == PROBE_YES)
			buf_addf(&text, "%s = yes\n", features[i].name);
		else if (a->result == PROBE_NO)
			buf_addf(&text, "%s = no: %s: %s\n", features[i].name, a->why.step, strerror(a->why.sys));
	}
	if (file_read(AT_FDCWD, path, RECORD_MAX, O_NOFOLLOW, &before, NULL, &ignored) == 0 &&
	    strcmp(before.data, text.data) == 0)
		return;
	if (dirs_private(d->state, &ignored) == 0)
		file_replace(AT_FDCWD, path, text.data, text.len, 0600, FILE_FAST, &ignored);
}

void machine_look(struct machine *m, const struct dirs *d)
{
	for (size_t i = 0; i < MACHINE_FEATURES; i++)
		m->features[i].result = features[i].attempt(&m->features[i].why);
	record(m, d);
}

/* 1: it is recorded that this works; 0: that it did not, or nothing is known of it; -1: there is no record of this kernel. */
static int recall(const struct dirs *d, enum machine_feature f)
{
	cleanup_buf struct buf text = BUF_INIT, key = BUF_INIT;
	cleanup_free char *path = machine_path(d), *line = mem_printf("\n%s = yes\n", features[f].name);
	struct err ignored = ERR_INIT;

	if (file_read(AT_FDCWD, path, RECORD_MAX, O_NOFOLLOW, &text, NULL, &ignored) < 0)
		return -1;
	add_key(&key);
	return text_starts(text.data, key.data) ? strstr(text.data, line) != NULL : -1;
}

bool machine_has(const struct dirs *d, enum machine_feature f)
{
	int known = recall(d, f);
	struct machine m;
	struct probe why;

	if (known > 0)
		return true;
	if (known == 0)
		return features[f].attempt(&why) != PROBE_NO;
	machine_look(&m, d);
	return m.features[f].result != PROBE_NO;
}
