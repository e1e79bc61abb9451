/* SPDX-License-Identifier: Apache-2.0 */
/* fill.c - the parts of a plan that are the same for projects and images. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "base/version.h"
#include "env/demotion.h"
#include "env/draft.h"
#include "env/filter.h"
#include "env/inputs.h"
#include "env/locales.h"
#include "env/machine.h"

#define HOSTNAME_LEN 63

/* Host names know letters, digits and '-'. */
static char *host_name(const char *name)
{
	cleanup_buf struct buf b = BUF_INIT;

	for (const char *p = name; *p && b.len < HOSTNAME_LEN; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p;

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			buf_addch(&b, c);
		else if (b.len && b.data[b.len - 1] != '-')
			buf_addch(&b, '-');
	}
	while (b.len && b.data[b.len - 1] == '-')
		b.data[--b.len] = '\0';
	return b.len ? buf_steal(&b) : mem_strdup("devenv");
}

/* Some programs read this file as shell text. */
static void add_quoted(struct buf *b, const char *key, const char *value)
{
	buf_addf(b, "%s=\"", key);
	for (const char *p = value; *p; p++) {
		if (strchr("\"\\$`", *p))
			buf_addch(b, '\\');
		if ((unsigned char)*p >= ' ' && *p != 0x7f)
			buf_addch(b, *p);
	}
	buf_adds(b, "\"\n");
}

static int add_own_file(struct draft *d, const char *path, const char *text, struct err *e)
{
	if (skeleton_add_file(&d->skeleton, path, text, e) < 0)
		return -1;
	skeleton_own(&d->skeleton, path);
	return 0;
}

static int add_container_env(struct draft *d, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;

	add_quoted(&text, "engine", "devenv-" DEVENV_VERSION);
	add_quoted(&text, "name", d->plan.name);
	add_quoted(&text, "image", d->image_name);
	return add_own_file(d, "/run/.containerenv", text.data, e);
}

static int add_hosts(struct draft *d, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	const char *path = "/etc/hosts";
	int got = inputs_read(d->env, &(struct input){ .path = path, .dirfd = AT_FDCWD, .name = path }, ERR_FAILED,
			      &text, e);

	/* Not being able to read the host's is no reason to stop: localhost is what programs need. */
	if (got < 0)
		*e = ERR_INIT;
	if (got <= 0)
		buf_adds(&text, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	if (text.len && text.data[text.len - 1] != '\n')
		buf_addch(&text, '\n');
	buf_addf(&text, "127.0.1.1\t%s\n", d->plan.hostname);
	return add_own_file(d, path, text.data, e);
}

/* Name servers are the host's as they are now: bound, not copied, because they change while a session lasts. */
static int add_resolv_conf(struct draft *d, struct err *e)
{
	char *real;

	if (skeleton_add_file(&d->skeleton, "/etc/resolv.conf", "", e) < 0)
		return -1;
	real = d->plan.network == PLAN_NETWORK_HOST ? realpath("/etc/resolv.conf", NULL) : NULL;
	if (real)
		plan_add_mount(&d->plan, (struct plan_mount){ .kind = PLAN_BIND,
							      .flags = PLAN_MOUNT_READ_ONLY | PLAN_MOUNT_OPTIONAL,
							      .host = draft_keep(d, real),
							      .target = "/etc/resolv.conf" });
	return 0;
}

static int add_mtab(struct draft *d, struct err *e)
{
	struct root_entry entry;
	enum root_kind kind;

	if (root_resolve(&d->root, "/etc/mtab", ROOT_NOFOLLOW, &entry, e) < 0)
		return -1;
	kind = entry.kind;
	root_entry_release(&entry);
	return kind == ROOT_MISSING ? skeleton_add_link(&d->skeleton, "/etc/mtab", "../proc/self/mounts", e) : 0;
}

/*
 * /dev and /sys as the launcher binds them, read-only, over those of the root (sandbox/standard.c): it only has to mount
 * on what is there. The modes are those of the directories: files and links have none that shows.
 */
static int add_kernel_directories(struct skeleton *k, struct err *e)
{
	static const char *const nodes[] = { "/dev/null",    "/dev/zero", "/dev/full",	 "/dev/random",
					     "/dev/urandom", "/dev/tty",  "/dev/console" };
	static const char *const directories[] = { "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys/devices/system/cpu" };
	static const struct {
		const char *path, *target;
	} links[] = {
		{ "/dev/fd", "/proc/self/fd" },		{ "/dev/stdin", "/proc/self/fd/0" },
		{ "/dev/stdout", "/proc/self/fd/1" },	{ "/dev/stderr", "/proc/self/fd/2" },
		{ "/dev/ptmx", "pts/ptmx" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		if (skeleton_add_data(k, nodes[i], "", 0, 0444, e) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (skeleton_add_directory(k, directories[i], 0755, e) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (skeleton_add_link(k, links[i].path, links[i].target, e) < 0)
			return -1;
	return 0;
}

int draft_standard_files(struct draft *d, struct err *e)
{
	static const struct {
		const char *path;
		mode_t mode;
	} directories[] = { { "/dev", 0755 }, { "/proc", 0555 }, { "/sys", 0755 }, { "/sys/devices", 0755 },
			    { "/sys/devices/system", 0755 },
			    { "/tmp", 01777 }, { "/run", SKELETON_MODE_BELOW }, { "/etc", SKELETON_MODE_BELOW } };
	static const char *const covered[] = { "/dev", "/proc", "/sys", "/tmp" };
	cleanup_free char *line = NULL;

	d->plan.hostname = draft_keep(d, host_name(d->plan.name));
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (skeleton_add_directory(&d->skeleton, directories[i].path, directories[i].mode, e) < 0)
			return -1;
	if (add_kernel_directories(&d->skeleton, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(covered); i++)
		skeleton_cover(&d->skeleton, covered[i]);
	line = mem_printf("%s\n", d->plan.hostname);
	if (add_own_file(d, "/etc/hostname", line, e) < 0)
		return -1;
	if (add_hosts(d, e) < 0 || add_resolv_conf(d, e) < 0 || add_mtab(d, e) < 0)
		return -1;
	return add_container_env(d, e);
}

/* A tmpfs without the user.* attributes that overlay needs for whiteouts (before Linux 6.6) can't be its upper layer. */
static enum plan_scratch scratch(const struct environment *env)
{
	const struct config *c = &env->config;

	if (c->persist)
		return PLAN_SCRATCH_PERSIST;
	if (c->scratch == CONFIG_SCRATCH_DISK || !machine_has(&env->dirs, MACHINE_TMPFS_XATTR))
		return PLAN_SCRATCH_DISK;
	return PLAN_SCRATCH_TMPFS;
}

/* Where other ids are mapped, giving files away is the kernel's business. */
static void compile_filters(struct draft *d)
{
	struct plan *p = &d->plan;

	struct filter_options options = { .nested = p->nested, .perf = d->env->config.perf };

	filter_compile(&options, &d->filter);
	p->filter = d->filter.data;
	p->filter_size = d->filter.len;
	if (p->root && p->uid_range_count)
		return;
	options.root = true;
	filter_compile(&options, &d->root_filter);
	p->root_filter = d->root_filter.data;
	p->root_filter_size = d->root_filter.len;
}

/* apt downloads as a user of its own, who has no id here: it would stop at setgroups. */
int draft_put_apt_options(struct draft *d, struct err *e)
{
	static const char options[] = "APT::Sandbox::User \"root\";\n";
	int has = draft_has(d, "/etc/apt/apt.conf.d", e);

	if (has <= 0)
		return has;
	return draft_put_file(d, "/etc/apt/apt.conf.d/99devenv", options, sizeof(options) - 1, 0644, e);
}

int draft_standard_session(struct draft *d, struct err *e)
{
	static const char *const pass[] = {
		"TERM",	       "COLORTERM",   "TZ",	     "LANG",	   "LC_*",	"NO_COLOR",  "http_proxy",
		"https_proxy", "no_proxy",    "ftp_proxy",   "all_proxy",  "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
		"FTP_PROXY",   "ALL_PROXY",
	};
	cleanup_strlist struct strlist locales = STRLIST_INIT;
	struct plan *p = &d->plan;
	const char *bash;

	p->state = d->env->state;
	p->root_home = "/root";
	bash = draft_find_program(d, "bash", e);
	if (!bash && e->code)
		return -1;
	p->root_shell = bash ? bash : "/bin/sh";
	p->scratch = scratch(d->env);
	p->linger = d->env->config.linger;
	for (size_t i = 0; i < ARRAY_SIZE(pass); i++)
		plan_add_pass(p, pass[i]);
	if (locales_find(&d->root, &locales, e) < 0)
		return -1;
	for (size_t i = 0; i < locales.count; i++)
		plan_add_locale(p, draft_copy(d, locales.items[i]));
	for (size_t i = 0; i < d->variables.items.count; i++)
		plan_add_env(p, d->variables.items.items[i]);
	p->nested = d->env->config.nested;
	demotion_plan(p);
	compile_filters(d);
	return draft_put_apt_options(d, e);
}
