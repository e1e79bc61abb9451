/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_info.c - `devenv info`: versions, what this kernel can do, where things are and how much is kept. */
#include <jansson.h>

#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/limits_shown.h"
#include "env/demotion.h"
#include "env/probe.h"

#define CGROUP2_MAGIC 0x63677270

struct info {
	struct utsname uts;
	struct feature {
		const char *key, *label;
		enum probe_result result;
		char why[192];
	} features[5];
	int landlock_abi, cgroup;
	bool store_exists;
	size_t images, layers;
	uint64_t bytes, free_bytes;
};

static void add_feature(struct info *i, size_t n, const char *key, const char *label,
                        enum probe_result result, const struct probe *p)
{
	struct feature *f = &i->features[n];

	*f = (struct feature){ .key = key, .label = label, .result = result };
	if (result == PROBE_NO && p)
		snprintf(f->why, sizeof(f->why), "%s: %s", p->step, strerror(p->sys));
}

static int cgroup_version(void)
{
	struct statfs fs;

	if (statfs("/sys/fs/cgroup", &fs) < 0)
		return 0;
	return (unsigned long)fs.f_type == CGROUP2_MAGIC ? 2 : 1;
}

static void look_at_kernel(struct info *i)
{
	struct probe p;
	enum probe_result r;

	uname(&i->uts);
	r = probe_user_namespace(&p);
	add_feature(i, 0, "user_namespaces", "user namespaces", r, &p);
	r = probe_overlay(&p);
	add_feature(i, 1, "overlay", "overlay in them", r, &p);
	r = probe_tmpfs_xattr(&p);
	add_feature(i, 2, "tmpfs_xattr", "tmpfs attributes", r, &p);
	r = probe_proc(&p);
	add_feature(i, 3, "proc", "fresh /proc", r, &p);
	add_feature(i, 4, "seccomp", "seccomp filters", probe_seccomp(), NULL);
	i->landlock_abi = probe_landlock_abi();
	i->cgroup = cgroup_version();
}

static void count_layers(struct info *i, const struct store *s)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	file_names(s->fd, "layers", false, &names, &ignored);
	for (size_t n = 0; n < names.count; n++) {
		const char *name = names.items[n];
		cleanup_free char *chain_id = mem_printf("%s:%s", strlen(name) == 128 ? "sha512" : "sha256", name);

		if (!store_has_layer(s, chain_id))
			continue;
		i->layers++;
		i->bytes += store_layer_bytes(s, chain_id);
	}
}

/* Asking makes no store. */
static int look_at_store(struct info *i, const struct environment *env, struct err *e)
{
	struct store_list_item *items;
	struct store s;
	size_t count;
	int result;

	i->store_exists = file_exists(AT_FDCWD, env->dirs.store);
	if (!i->store_exists)
		return 0;
	if (env_store(env, &s, e) < 0)
		return -1;
	result = store_list(&s, &items, &count, e);
	if (result == 0) {
		/* one image may have several names */
		for (size_t n = 0; n < count; n++) {
			bool again = false;

			for (size_t before = 0; before < n && !again; before++)
				again = strcmp(items[before].digest, items[n].digest) == 0;
			i->images += !again;
		}
		store_list_free(items, count);
		count_layers(i, &s);
		i->free_bytes = store_free_bytes(&s);
	}
	store_close(&s);
	return result;
}

static void print_info(struct cli *c, const struct info *i, const struct environment *env)
{
	bool all;
	cleanup_free char *limits = limits_shown_machine(&all), *devices = limits_shown_devices(), *root = NULL;

	root = demotion_describe_machine(&env->dirs, &all);
	printf("%sdevenv %s%s\n", output_begin(c, stdout, STYLE_BOLD), DEVENV_VERSION, output_end(c, stdout));
	output_field(c, 16, "platform", "%s", oci_platform());
	output_field(c, 16, "kernel", "%s %s", i->uts.sysname, i->uts.release);
	for (size_t n = 0; n < ARRAY_SIZE(i->features); n++) {
		const struct feature *f = &i->features[n];

		output_field(c, 16, f->label, "%s%s%s",
		             f->result == PROBE_YES  ? "yes"
		             : f->result == PROBE_NO ? "no"
		                                     : "unknown",
		             f->why[0] ? ", " : "", f->why);
	}
	if (i->landlock_abi)
		output_field(c, 16, "landlock", "ABI %d", i->landlock_abi);
	else
		output_field(c, 16, "landlock", "no");
	if (i->cgroup)
		output_field(c, 16, "cgroups", "version %d", i->cgroup);
	else
		output_field(c, 16, "cgroups", "none");
	output_field(c, 16, "limits", "%s", limits);
	output_field(c, 16, "devices", "%s", devices);
	if (root)
		output_field(c, 16, "you are root", "inside %s", root);
	output_field(c, 16, "store", "%s%s", env->dirs.store, i->store_exists ? "" : " (not made yet)");
	if (i->store_exists) {
		output_field(c, 16, "", "%s, %s", output_count(i->images, "image", "images"),
		             output_count(i->layers, "layer", "layers"));
		output_field(c, 16, "", "%s used, %s free", text_bytes(i->bytes), text_bytes(i->free_bytes));
	}
	output_field(c, 16, "state", "%s", env->dirs.state);
	output_field(c, 16, "runtime", "%s", env->dirs.runtime);
	output_field(c, 16, "configuration", "%s", env->dirs.config);
}

static json_t *info_json(const struct info *i, const struct environment *env)
{
	json_t *root = json_object(), *features = json_object(), *store = json_object();
	bool all;
	cleanup_free char *limits = limits_shown_machine(&all), *devices = limits_shown_devices(), *who = NULL;

	who = demotion_describe_machine(&env->dirs, &all);
	for (size_t n = 0; n < ARRAY_SIZE(i->features); n++)
		json_object_set_new(features, i->features[n].key,
		                    i->features[n].result == PROBE_UNKNOWN
		                            ? json_null()
		                            : json_boolean(i->features[n].result == PROBE_YES));
	json_object_set_new(features, "landlock_abi", json_integer(i->landlock_abi));
	json_object_set_new(features, "cgroup_version", json_integer(i->cgroup));
	json_object_set_new(store, "path", output_json_text(env->dirs.store));
	json_object_set_new(store, "exists", json_boolean(i->store_exists));
	json_object_set_new(store, "bytes", json_integer((json_int_t)i->bytes));
	json_object_set_new(store, "free_bytes", json_integer((json_int_t)i->free_bytes));
	json_object_set_new(store, "images", json_integer((json_int_t)i->images));
	json_object_set_new(store, "layers", json_integer((json_int_t)i->layers));
	json_object_set_new(root, "version", json_string(DEVENV_VERSION));
	json_object_set_new(root, "platform", json_string(oci_platform()));
	json_object_set_new(root, "kernel", output_json_text(i->uts.release));
	json_object_set_new(root, "features", features);
	json_object_set_new(root, "limits", output_json_text(limits));
	json_object_set_new(root, "devices", output_json_text(devices));
	json_object_set_new(root, "root", who ? output_json_text(who) : json_null());
	json_object_set_new(root, "store", store);
	json_object_set_new(root, "state", output_json_text(env->dirs.state));
	json_object_set_new(root, "runtime", output_json_text(env->dirs.runtime));
	json_object_set_new(root, "config", output_json_text(env->dirs.config));
	return root;
}

int cmd_info(struct cli *c, struct err *e)
{
	struct environment env;
	struct info i = { 0 };
	int result;

	if (cli_open_user(c, &env, e) < 0)
		return -1;
	look_at_kernel(&i);
	result = look_at_store(&i, &env, e);
	if (result == 0 && c->json)
		result = output_json(c, info_json(&i, &env), e);
	else if (result == 0)
		print_info(c, &i, &env);
	env_release(&env);
	return result;
}
