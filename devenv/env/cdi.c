/* SPDX-License-Identifier: Apache-2.0 */
/* cdi.c - what CDI files say of a class of devices (github.com/cncf-tags/container-device-interface, SPEC.md). */
#include "env/cdi.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/variable.h"

#define FILE_MAX (1u << 20)

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool is_clean(const char *path)
{
	return path[0] == '/' && !strstr(path, "/../") && !text_ends(path, "/..");
}

static void add_nodes(struct cdi *c, const json_t *list)
{
	json_t *node;
	size_t i;

	json_array_foreach(list, i, node) {
		const char *target = text_of(node, "path"), *host = text_of(node, "hostPath");

		if (!*host)
			host = target;
		if (!is_clean(target) || !is_clean(host))
			continue;
		c->nodes = mem_grow(c->nodes, c->node_count, &c->node_cap, sizeof(*c->nodes));
		c->nodes[c->node_count++] = (struct cdi_node){ mem_strdup(host), mem_strdup(target) };
	}
}

static void add_mounts(struct cdi *c, const json_t *list)
{
	json_t *mount, *option;
	size_t i, k;

	json_array_foreach(list, i, mount) {
		const char *host = text_of(mount, "hostPath"), *target = text_of(mount, "containerPath");
		bool writable = false;

		if (!is_clean(target) || !is_clean(host))
			continue;
		json_array_foreach(json_object_get(mount, "options"), k, option)
			writable = writable || (json_is_string(option) && !strcmp(json_string_value(option), "rw"));
		c->mounts = mem_grow(c->mounts, c->mount_count, &c->mount_cap, sizeof(*c->mounts));
		c->mounts[c->mount_count++] = (struct cdi_mount){ mem_strdup(host), mem_strdup(target), writable };
	}
}

static void add_edits(struct cdi *c, const char *path, const json_t *edits)
{
	json_t *env;
	size_t i;

	add_nodes(c, json_object_get(edits, "deviceNodes"));
	add_mounts(c, json_object_get(edits, "mounts"));
	json_array_foreach(json_object_get(edits, "env"), i, env) {
		const char *assignment = json_is_string(env) ? json_string_value(env) : "";
		cleanup_free char *name = mem_strndup(assignment, strcspn(assignment, "="));

		if (strchr(assignment, '=') && variable_is_name(name))
			strlist_add(&c->env, assignment);
	}
	if (json_array_size(json_object_get(edits, "hooks"))) {
		cleanup_free char *line = mem_printf("%s: its hooks are not run; where a library is not found, name its "
						     "directory in LD_LIBRARY_PATH", text_safe(path));

		if (!strlist_has(&c->warnings, line))
			strlist_add(&c->warnings, line);
	}
}

static void add_devices(struct cdi *c, const char *path, const json_t *devices)
{
	json_t *device;
	bool all = false;
	size_t i;

	json_array_foreach(devices, i, device)
		all = all || !strcmp(text_of(device, "name"), "all");
	json_array_foreach(devices, i, device)
		if (!all || !strcmp(text_of(device, "name"), "all"))
			add_edits(c, path, json_object_get(device, "containerEdits"));
}

void cdi_parse(struct cdi *c, const char *path, const char *text, size_t len, const char *class)
{
	json_error_t error;
	json_t *spec = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	const char *kind, *slash;

	if (!spec) {
		strlist_addf(&c->warnings, "%s:%d: not read: %s", text_safe(path), error.line, text_safe(error.text));
		return;
	}
	kind = text_of(spec, "kind");
	slash = strchr(kind, '/');
	if (slash && !strcmp(slash + 1, class)) {
		add_edits(c, path, json_object_get(spec, "containerEdits"));
		add_devices(c, path, json_object_get(spec, "devices"));
	}
	json_decref(spec);
}

static void read_file(struct cdi *c, const char *path, const char *class)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err e = ERR_INIT;

	if (text_ends(path, ".yaml") || text_ends(path, ".yml")) {
		strlist_addf(&c->warnings, "%s is YAML, which is not read here: `nvidia-ctk cdi generate --format=json "
			     "--output=/etc/cdi/nvidia.json` writes JSON", text_safe(path));
		return;
	}
	if (!text_ends(path, ".json"))
		return;
	strlist_add(&c->files, path);
	if (file_read(AT_FDCWD, path, FILE_MAX, 0, &text, NULL, &e) < 0)
		strlist_add(&c->warnings, e.msg);
	else
		cdi_parse(c, path, text.data, text.len, class);
}

void cdi_read(struct cdi *c, const char *class)
{
	static const char *const directories[] = { "/etc/cdi", "/var/run/cdi" };
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		cleanup_strlist struct strlist names = STRLIST_INIT;

		strlist_add(&c->files, directories[i]);
		file_names(AT_FDCWD, directories[i], false, &names, &ignored);
		strlist_sort(&names);
		for (size_t n = 0; n < names.count; n++) {
			cleanup_free char *path = mem_printf("%s/%s", directories[i], names.items[n]);

			read_file(c, path, class);
		}
	}
}

void cdi_release(struct cdi *c)
{
	for (size_t i = 0; i < c->node_count; i++) {
		free(c->nodes[i].host);
		free(c->nodes[i].target);
	}
	for (size_t i = 0; i < c->mount_count; i++) {
		free(c->mounts[i].host);
		free(c->mounts[i].target);
	}
	free(c->nodes);
	free(c->mounts);
	strlist_release(&c->env);
	strlist_release(&c->files);
	strlist_release(&c->warnings);
	*c = (struct cdi){ 0 };
}
