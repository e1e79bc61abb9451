/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c - from the bytes of a plan file to a plan that points into them. Every length is checked before use. */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/self.h"
#include "plan/format.h"
#include "plan/plan.h"

/* The next NUL-terminated string of a payload, or NULL when there is none; moves on behind it. */
static const char *take_string(const char **at, const char *end)
{
	const char *s = *at, *nul;

	if (s >= end)
		return NULL;
	nul = memchr(s, '\0', (size_t)(end - s));
	if (!nul)
		return NULL;
	*at = nul + 1;
	return s;
}

static bool take_mount(struct plan *p, const char *at, const char *end)
{
	struct plan_mount_head h;
	struct plan_mount m;

	if ((size_t)(end - at) < sizeof(h))
		return false;
	memcpy(&h, at, sizeof(h));
	at += sizeof(h);
	m = (struct plan_mount){ .kind = h.kind, .flags = h.flags, .dev = h.dev, .ino = h.ino };
	m.host = take_string(&at, end);
	m.target = take_string(&at, end);
	if (!m.host || !m.target || at != end || m.target[0] != '/')
		return false;
	plan_add_mount(p, m);
	return true;
}

static bool take_watch(struct plan *p, const char *at, const char *end)
{
	struct plan_watch_head h;
	struct plan_watch w;

	if ((size_t)(end - at) < sizeof(h))
		return false;
	memcpy(&h, at, sizeof(h));
	at += sizeof(h);
	w = (struct plan_watch){ .absent = h.absent, .young = h.young, .dev = h.dev, .ino = h.ino, .size = h.size,
				 .mtime_ns = h.mtime_ns, .ctime_ns = h.ctime_ns };
	w.path = take_string(&at, end);
	w.content = take_string(&at, end);
	if (!w.path || !w.content || at != end)
		return false;
	plan_add_watch(p, w);
	return true;
}

static bool take_numbers(struct plan *p, const char *at, const char *end)
{
	struct plan_numbers n;

	if ((size_t)(end - at) != sizeof(n))
		return false;
	memcpy(&n, at, sizeof(n));
	p->uid = n.uid;
	p->gid = n.gid;
	p->root = n.root;
	p->network = n.network;
	p->scratch = n.scratch;
	p->nested = n.nested;
	p->cpus = n.cpus;
	p->pids = n.pids;
	p->linger = n.linger;
	p->become_uid = n.become_uid;
	p->become_gid = n.become_gid;
	p->memory = n.memory;
	/* Neither root nor "no id". */
	if (n.become_uid == UINT32_MAX || n.become_gid == UINT32_MAX || !n.become_uid != !n.become_gid)
		return false;
	return n.network <= PLAN_NETWORK_NONE && n.scratch <= PLAN_SCRATCH_PERSIST;
}

static bool take_range(struct plan *p, uint32_t tag, const char *at, const char *end)
{
	struct plan_range r;

	if ((size_t)(end - at) != sizeof(r))
		return false;
	memcpy(&r, at, sizeof(r));
	if (r.count == 0 || r.inside > UINT32_MAX - r.count || r.outside > UINT32_MAX - r.count)
		return false;
	if (tag == PLAN_TAG_UID_RANGE)
		plan_add_uid_range(p, r);
	else
		plan_add_gid_range(p, r);
	return true;
}

static bool take_filter(const void **filter, size_t *size, const char *at, const char *end)
{
	*filter = at;
	*size = (size_t)(end - at);
	return *size % 8 == 0; /* struct sock_filter */
}

/* Strings are dispatched by the tables of plan.c, so that a new field can't be written and not read. */
static bool take_text(struct plan *p, uint32_t tag, const char *at, const char *end)
{
	const char *s = take_string(&at, end);
	size_t i;

	if (!s || at != end)
		return false;
	if (tag == PLAN_TAG_ID || tag == PLAN_TAG_SETUP || tag == PLAN_TAG_SETUP_KEY) {
		*(tag == PLAN_TAG_ID ? &p->id : tag == PLAN_TAG_SETUP ? &p->setup : &p->setup_key) = s;
		return true;
	}
	for (i = 0; i < plan_string_field_count; i++)
		if (plan_string_fields[i].tag == tag) {
			*(const char **)((char *)p + plan_string_fields[i].offset) = s;
			return true;
		}
	switch (tag) {
	case PLAN_TAG_LAYER:
		plan_add_layer(p, s);
		return true;
	case PLAN_TAG_ENV:
		plan_add_env(p, s);
		return true;
	case PLAN_TAG_PASS:
		plan_add_pass(p, s);
		return true;
	case PLAN_TAG_LOCALE:
		plan_add_locale(p, s);
		return true;
	case PLAN_TAG_COMMAND:
		plan_add_command(p, s);
		return true;
	case PLAN_TAG_ENTRYPOINT:
		plan_add_entrypoint(p, s);
		return true;
	}
	return false;
}

static bool take_record(struct plan *p, uint32_t tag, const char *at, const char *end)
{
	switch (tag) {
	case PLAN_TAG_NUMBERS:
		return take_numbers(p, at, end);
	case PLAN_TAG_MOUNT:
		return take_mount(p, at, end);
	case PLAN_TAG_WATCH:
		return take_watch(p, at, end);
	case PLAN_TAG_UID_RANGE:
	case PLAN_TAG_GID_RANGE:
		return take_range(p, tag, at, end);
	case PLAN_TAG_FILTER:
		return take_filter(&p->filter, &p->filter_size, at, end);
	case PLAN_TAG_ROOT_FILTER:
		return take_filter(&p->root_filter, &p->root_filter_size, at, end);
	default:
		return take_text(p, tag, at, end);
	}
}

static bool take_all(struct plan *p, const char *at, const char *end)
{
	while (at < end) {
		struct plan_record r;
		size_t padded;

		if ((size_t)(end - at) < sizeof(r))
			return false;
		memcpy(&r, at, sizeof(r));
		at += sizeof(r);
		padded = ((size_t)r.length + 7) / 8 * 8;
		if (padded > (size_t)(end - at) || !take_record(p, r.tag, at, at + r.length))
			return false;
		at += padded;
	}
	return *p->id && p->layer_count > 0;
}

int plan_decode(struct plan *p, struct buf *raw, struct err *e)
{
	struct plan_header h;

	plan_init(p);
	if (raw->len < sizeof(h))
		return err_set(e, ERR_FAILED, "the plan is cut short");
	memcpy(&h, raw->data, sizeof(h));
	if (memcmp(h.magic, PLAN_MAGIC, sizeof(h.magic)) || h.version != PLAN_VERSION || h.header_size != sizeof(h))
		return err_set(e, ERR_FAILED, "the plan was written by another version of devenv");
	if (h.length != raw->len || raw->len % 8 != 0 || h.checksum != plan_checksum(raw->data + sizeof(h), raw->len - sizeof(h)))
		return err_set(e, ERR_FAILED, "the plan is damaged");
	p->raw = *raw;
	*raw = BUF_INIT;
	if (!take_all(p, p->raw.data + sizeof(h), p->raw.data + p->raw.len)) {
		plan_release(p);
		return err_set(e, ERR_FAILED, "the plan is damaged");
	}
	return 0;
}

int plan_load_open(struct plan *p, const char *path, struct err *e)
{
	struct buf raw = BUF_INIT;
	cleanup_close int fd = -1;
	struct stat st;

	plan_init(p);
	fd = file_read_open(AT_FDCWD, path, PLAN_MAX, O_NOFOLLOW, &raw, &st, e);
	if (fd < 0) {
		buf_release(&raw);
		return -1;
	}
	if (st.st_uid != self_uid()) {
		buf_release(&raw);
		return err_set(e, ERR_FAILED, "the plan %s belongs to another user", path);
	}
	if (plan_decode(p, &raw, e) < 0) {
		buf_release(&raw);
		return -1;
	}
	return mem_steal_fd(fd);
}

int plan_load(struct plan *p, const char *path, struct err *e)
{
	cleanup_close int fd = plan_load_open(p, path, e);

	return fd < 0 ? -1 : 0;
}
