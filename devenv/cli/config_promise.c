/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_promise.c - what the sandbox promises, in words and as JSON.
 *
 * /dev, /proc, /sys, capabilities and descriptors are the same for every plan and are code in sandbox/, which belongs to
 * the other program: so they are told here once more. That both say the same is a test's business: it compares the JSON
 * with what a session finds (tests/e2e/promise.bats). What the filter refuses is read from its own tables.
 */
#include <jansson.h>

#include "cli/config_promise.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/demotion.h"
#include "env/filter_calls.h"

#define LABEL 12

static const char *const own_namespaces[] = { "user", "mount", "pid", "ipc", "uts", NULL };
static const char *const root_capabilities[] = { "chown",  "dac_override", "fowner", "fsetid",
						 "kill",   "setgid",	   "setuid", "net_bind_service", NULL };
static const char *const dev[] = { "console", "fd",	"full",	  "mqueue", "null",   "ptmx", "pts",	 "random",
				   "shm",     "stderr", "stdin", "stdout", "tty",    "urandom", "zero", NULL };
static const char *const proc_empty[] = { "acpi", "asound",	 "interrupts", "kcore",	     "keys",	   "latency_stats",
					  "scsi", "sched_debug", "timer_list", "timer_stats", NULL };
static const char *const proc_read_only[] = { "bus", "fs", "irq", "sys", "sysrq-trigger", NULL };
static const char *const families[] = { "unix", "inet", "inet6", "netlink", NULL };
static const char *const injections[] = { "TIOCSTI", "TIOCLINUX", NULL };
static const char *const for_debuggers[] = { "ptrace", "process_vm_readv", "process_vm_writev", NULL };

/* ---- words ---- */

static const char *join(struct buf *out, const char *const *items, const char *between)
{
	for (size_t i = 0; items[i]; i++)
		buf_addf(out, "%s%s", i ? between : "", items[i]);
	return out->data;
}

static void add_calls(struct strlist *out, const struct filter_call *calls)
{
	for (; calls->name; calls++)
		strlist_add(out, calls->name);
}

/* The calls that are allowed, and those that are refused, with what [sandbox] nested and perf change (env/filter.c). */
static void find_calls(const struct plan *p, bool perf, struct strlist *allowed, struct strlist *refused)
{
	add_calls(allowed, filter_calls_allowed);
	add_calls(refused, filter_calls_denied);
	add_calls(p->nested ? allowed : refused, filter_calls_namespaces);
	add_calls(perf ? allowed : refused, filter_calls_perf);
}

/* Who uid and gid are outside: `mine`, unless real root becomes somebody else. */
static uint32_t outside(const struct environment *env, const struct plan *p, uint32_t mine, uint32_t become)
{
	bool safe = false;

	free(demotion_describe(p, &env->dirs, &safe)); /* the words come elsewhere */
	return safe ? become : mine;
}

static void print_ids(struct cli *c, const struct environment *env, const struct plan *p)
{
	cleanup_buf struct buf ranges = BUF_INIT;
	cleanup_free char *who = NULL;
	bool safe;

	for (size_t i = 0; i < p->uid_range_count; i++)
		buf_addf(&ranges, "%s%u to %u are %u to %u", ranges.len ? ", " : "", p->uid_ranges[i].inside,
			 p->uid_ranges[i].inside + p->uid_ranges[i].count - 1, p->uid_ranges[i].outside,
			 p->uid_ranges[i].outside + p->uid_ranges[i].count - 1);
	who = demotion_describe(p, &env->dirs, &safe);
	if (!who)
		who = mem_printf("yours, uid %u and gid %u, outside", getuid(), getgid());
	output_paragraph(c, LABEL, "ids", "uid %u and gid %u inside are %s; %s%s", p->uid, p->gid, who,
	      ranges.len ? "uids " : "no other id exists inside, and setgroups is denied", ranges.len ? ranges.data : "");
}

static void print_privileges(struct cli *c, const struct plan *p)
{
	cleanup_buf struct buf root = BUF_INIT;

	join(&root, root_capabilities, " ");
	if (p->root)
		output_paragraph(c, LABEL, "privileges", "capabilities over this environment only: %s; nothing gives more: no_new_privs is set, setuid and "
				       "file capabilities have no effect", root.data);
	else
		output_paragraph(c, LABEL, "privileges", "no capability, and nothing gives one: the bounding set is empty, no_new_privs is set, setuid "
				       "and file capabilities have no effect");
	if (p->root)
		output_paragraph(c, LABEL, "--root", "changes nothing here: sessions are uid 0 already");
	else
		output_paragraph(c, LABEL, "--root", "uid 0 in a user namespace of its own below this one, still yours outside, with HOME %s and the "
				   "capabilities %s; everything else as here", p->root_home, root.data);
}

static void print_filter(struct cli *c, const struct plan *p, bool perf)
{
	cleanup_strlist struct strlist allowed = STRLIST_INIT, refused = STRLIST_INIT;
	cleanup_buf struct buf denied = BUF_INIT, sockets = BUF_INIT, tools = BUF_INIT;

	find_calls(p, perf, &allowed, &refused);
	join(&denied, (const char *const *)refused.items, " ");
	join(&sockets, families, " ");
	join(&tools, for_debuggers, ", ");
	output_paragraph(c, LABEL, "filter", "%zu system calls are allowed, a call on no list answers ENOSYS, one of another architecture (32 bit, x32) "
			   "ends the process; debuggers work: %s and personality without address randomisation are allowed",
	      allowed.count, tools.data);
	output_paragraph(c, LABEL, "refused", "EPERM for %s", denied.data);
	output_paragraph(c, LABEL, "arguments", "sockets of the families %s only; no terminal injection (TIOCSTI, TIOCLINUX); %s; limits of pid 1 stay "
			      "as they are; high bits hide nothing", sockets.data,
	      p->nested ? "user namespaces may be made (nested = yes)" : "no new namespace by clone or unshare, clone3 is ENOSYS");
}

static bool has_device(const struct plan *p)
{
	for (size_t i = 0; i < p->mount_count; i++)
		if (p->mounts[i].flags & PLAN_MOUNT_DEVICE)
			return true;
	return false;
}

static void print_files(struct cli *c, const struct plan *p)
{
	cleanup_buf struct buf devices = BUF_INIT, empty = BUF_INIT, fixed = BUF_INIT;

	output_paragraph(c, LABEL, "/dev", "%s; nothing else%s, read-only but for pts, shm and mqueue; console is the null device",
	      join(&devices, dev, " "), has_device(p) ? " but the devices that were granted" : "");
	output_paragraph(c, LABEL, "/proc", "this environment's processes; read as empty: %s; read-only: %s", join(&empty, proc_empty, " "),
	      join(&fixed, proc_read_only, " "));
	output_paragraph(c, LABEL, "/sys", "devices/system/cpu and nothing else, read-only, without the counts of throttling");
	output_paragraph(c, LABEL, "the rest", "the layers below with a scratch layer on top; everywhere nosuid and nodev");
}

void config_promise_print(struct cli *c, const struct environment *env, const struct plan *p)
{
	cleanup_buf struct buf own = BUF_INIT;
	bool alone = p->network == PLAN_NETWORK_NONE;

	printf("\n%sWhat a session is given%s\n", output_begin(c, stdout, STYLE_BOLD), output_end(c, stdout));
	output_paragraph(c, LABEL, "namespaces", "%s%s of its own; shared with this machine: %scgroup and time", join(&own, own_namespaces, ", "),
	      alone ? ", network" : "", alone ? "" : "network, ");
	print_ids(c, env, p);
	print_privileges(c, p);
	print_filter(c, p, env->config.perf);
	print_files(c, p);
	output_paragraph(c, LABEL, "network", "%s", alone ? "a loopback interface and nothing else" :
	      "this machine's: every server it can reach, itself included, and its abstract sockets");
	output_paragraph(c, LABEL, "processes", "its own; pid 1 is devenv's, can't be read, traced or stopped, and ends with the last session%s",
	      p->linger ? " and a while" : "");
	output_paragraph(c, LABEL, "terminal", "`enter` and `run` give one of the environment's own where the caller has one; the caller's never goes in");
	output_paragraph(c, LABEL, "inherited", "standard input, output and error; no other descriptor, and no variable but those listed here");
}

/* ---- JSON ---- */

static json_t *list(const char *const *items)
{
	json_t *out = json_array();

	for (; *items; items++)
		json_array_append_new(out, json_string(*items));
	return out;
}

static json_t *ranges_json(uint32_t inside, uint32_t outside, const struct plan_range *ranges, size_t count)
{
	json_t *out = json_pack("[{s:I,s:I,s:i}]", "inside", (json_int_t)inside, "outside", (json_int_t)outside, "count", 1);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(out, json_pack("{s:I,s:I,s:I}", "inside", (json_int_t)ranges[i].inside, "outside",
						     (json_int_t)ranges[i].outside, "count", (json_int_t)ranges[i].count));
	return out;
}

json_t *config_promise_json(const struct environment *env, const struct plan *p)
{
	cleanup_strlist struct strlist allowed = STRLIST_INIT, refused = STRLIST_INIT;
	static const char *const nothing[] = { NULL };
	json_t *own = list(own_namespaces), *shared = json_pack("[s,s]", "cgroup", "time");
	json_t *filter, *limits, *ids;

	find_calls(p, env->config.perf, &allowed, &refused);
	filter = json_pack("{s:o,s:o,s:o,s:o,s:o,s:s,s:s}", "allowed", list((const char *const *)allowed.items), "refused",
				   list((const char *const *)refused.items), "socket_families", list(families), "refused_ioctls",
				   list(injections), "for_debuggers", list(for_debuggers), "unknown", "ENOSYS",
				   "other_architectures", "killed");
	limits = json_pack("{s:I,s:I,s:I}", "memory", (json_int_t)p->memory, "cpus_thousandths", (json_int_t)p->cpus, "pids",
				   (json_int_t)p->pids);
	ids = json_pack("{s:o,s:o,s:s}", "uids", ranges_json(p->uid, outside(env, p, getuid(), p->become_uid), p->uid_ranges, p->uid_range_count), "gids",
				ranges_json(p->gid, outside(env, p, getgid(), p->become_gid), p->gid_ranges, p->gid_range_count), "setgroups",
				p->gid_range_count ? "allow" : "deny");

	json_array_append_new(p->network == PLAN_NETWORK_NONE ? own : shared, json_string("network"));
	return json_pack("{s:{s:o,s:o},s:o,s:o,s:o,s:b,s:o,s:o,s:{s:o,s:o},s:[s],s:b,s:o}", "namespaces", "own", own, "shared",
			 shared, "ids", ids, "capabilities", list(p->root ? root_capabilities : nothing), "root_capabilities",
			 list(root_capabilities), "no_new_privs", 1, "filter", filter, "dev", list(dev), "proc", "empty",
			 list(proc_empty), "read_only", list(proc_read_only), "sys", "devices/system/cpu", "nested", p->nested,
			 "limits", limits);
}

/* ---- mounts ---- */

/* The path of a host directory below the store's volumes ends in the volume's name. */
static bool is_volume(const struct plan *p, const struct plan_mount *m)
{
	cleanup_free char *volumes = path_join(p->store, "volumes");

	return strstr(m->host, "/volumes/") && (path_is_below(m->host, volumes) || (m->flags & PLAN_MOUNT_MAKE_HOST));
}

static const struct env_place *find_place(const struct environment *env, const struct plan_mount *m)
{
	for (size_t i = 0; i < env->place_count; i++)
		if (env->places[i].kind == ENV_PLACE_MOUNT && !strcmp(env->places[i].path, m->host))
			return &env->places[i];
	return NULL;
}

char *config_promise_why(const struct environment *env, const struct plan *p, const struct plan_mount *m)
{
	const struct env_place *place = find_place(env, m);

	if (m->flags & PLAN_MOUNT_DEVICE)
		return mem_strdup("a device this project was granted");
	if (!strcmp(m->target, p->home))
		return mem_strdup("the home directory, of this environment only");
	if (!strcmp(m->target, p->project_target))
		return mem_strdup("the project");
	if (place)
		return mem_printf("[mount.%s], which was granted", env->config.mounts[place->index].name);
	if (is_volume(p, m))
		return mem_printf("the volume %s", path_base(m->host));
	if (!strcmp(m->target, "/etc/resolv.conf"))
		return mem_strdup("name servers, as they are now");
	if (strstr(m->target, "/hooks") && (m->flags & PLAN_MOUNT_READ_ONLY))
		return mem_strdup("git hooks run outside: [sandbox] protect");
	if (strstr(m->target, ".git"))
		return mem_strdup("git's, which must stay in its place: [sandbox] protect");
	return mem_strdup("");
}
