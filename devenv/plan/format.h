/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.h - the bytes of a plan file: private to plan/.
 *
 *   header   magic "DEVENVPL", version, header size, total length, checksum of everything behind the header
 *   records  tag (u32), payload length (u32), payload, padding with NULs to a multiple of 8
 *
 * Native byte order and alignment: a plan never leaves the machine that wrote it. Strings end in a NUL that counts in the
 * payload length. A reader refuses tags it does not know: launcher and core are installed together, and a plan of
 * another version is simply made again.
 */
#ifndef DEVENV_PLAN_FORMAT_H
#define DEVENV_PLAN_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define PLAN_MAGIC "DEVENVPL"

struct plan_header {
	char magic[8];
	uint32_t version, header_size;
	uint64_t length;   /* of the file */
	uint64_t checksum; /* plan_checksum of the bytes behind the header */
};

struct plan_record {
	uint32_t tag, length;
};

enum plan_tag {
	PLAN_TAG_ID = 1,
	/* single strings */
	PLAN_TAG_NAME,
	PLAN_TAG_PROJECT,
	PLAN_TAG_IMAGE,
	PLAN_TAG_STATE,
	PLAN_TAG_STORE,
	PLAN_TAG_HOSTNAME,
	PLAN_TAG_HOME,
	PLAN_TAG_SHELL,
	PLAN_TAG_ROOT_HOME,
	PLAN_TAG_ROOT_SHELL,
	PLAN_TAG_WORKDIR,
	PLAN_TAG_PROJECT_TARGET,
	PLAN_TAG_HOOK_START,
	PLAN_TAG_HOOK_ENTER,
	PLAN_TAG_GUARD,
	/* repeated strings */
	PLAN_TAG_LAYER,
	PLAN_TAG_ENV,
	PLAN_TAG_PASS,
	PLAN_TAG_LOCALE,
	PLAN_TAG_COMMAND,
	PLAN_TAG_ENTRYPOINT,
	/* structures */
	PLAN_TAG_NUMBERS,
	PLAN_TAG_MOUNT, /* struct plan_mount_head, host, target */
	PLAN_TAG_UID_RANGE, /* struct plan_range */
	PLAN_TAG_GID_RANGE,
	PLAN_TAG_FILTER,
	PLAN_TAG_ROOT_FILTER,
	PLAN_TAG_WATCH, /* struct plan_watch_head, path, content */
	/* single strings that are not part of the identity */
	PLAN_TAG_SETUP,
	PLAN_TAG_SETUP_KEY,
};

struct plan_numbers {
	uint32_t uid, gid, root, network, scratch, nested, cpus, pids, linger, become_uid, become_gid, reserved;
	uint64_t memory;
};
struct plan_mount_head {
	uint32_t kind, flags;
	uint64_t dev, ino;
};
struct plan_watch_head {
	uint32_t absent, young;
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
};

/* Against damage, not against people. `len`: whole words, as all records are. */
uint64_t plan_checksum(const void *data, size_t len);

/* One table says where every string of the struct goes, for writer and reader alike. */
struct plan_string_field {
	enum plan_tag tag;
	size_t offset; /* of a `const char *` in struct plan */
};
extern const struct plan_string_field plan_string_fields[];
extern const size_t plan_string_field_count;

struct plan_list_field {
	enum plan_tag tag;
	size_t items, count; /* offsets of a `const char **` and a `size_t` in struct plan */
};
extern const struct plan_list_field plan_list_fields[];
extern const size_t plan_list_field_count;

#endif
