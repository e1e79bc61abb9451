/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powers.c - what a config asks for.
 *
 * A power is a key that the trust record remembers and a line for people. Whatever leads out of the sandbox has to be
 * on this list: a new key of the config that reaches the host is not done before it is here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/reference.h"
#include "env/env.h"
#include "env/place.h"
#include "fetch/http.h"
#include "source/debian_archive.h"

static void add(struct env_powers *p, char *key /* takes */, char *text /* takes */)
{
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->items[i].key, key) == 0) {
			free(key);
			free(text);
			return;
		}
	}
	p->items = mem_grow(p->items, p->count, &p->cap, sizeof(*p->items));
	p->items[p->count++] = (struct env_power){ key, text };
}

static void add_mount(struct env_powers *p, const struct environment *env, const struct env_place *place)
{
	const struct config_mount *m = &env->config.mounts[place->index];

	add(p, mem_printf("mount:%s:%s", place->path, m->read_only ? "ro" : "rw"),
	    mem_printf("mount: %s of this machine, %s, at %s", text_safe(place->path),
		       m->read_only ? "read-only" : "to be read and written", text_safe(m->target)));
}

static const char *place_use(const struct environment *env, const struct env_place *place)
{
	if (place->kind == ENV_PLACE_ENV_FILE)
		return "environment variables are read from it";
	if (place->kind == ENV_PLACE_SETUP_INPUT)
		return "the setup runs again when it changes";
	if (place->kind == ENV_PLACE_BUILD_INPUT)
		return "the build sees it";
	return env->config.base == CONFIG_BASE_OCI ? "the base comes from this layout" : "the base comes from this archive";
}

/* What matters most comes first, because people read the first line. */
static int weight(const char *key)
{
	if (strcmp(key, "network:host") == 0)
		return 0;
	if (text_starts(key, "mount:") && text_ends(key, ":rw"))
		return 1;
	return strcmp(key, "network:abstract-sockets") == 0 ? 3 : 2;
}

static int by_weight(const void *a, const void *b)
{
	const struct env_power *x = a, *y = b;
	int order = weight(x->key) - weight(y->key);

	return order ? order : strcmp(x->key, y->key);
}

/* Who is asked for the image. Another image of the same registry asks for nothing new. */
static int add_registry(const struct environment *env, struct env_powers *out, struct err *e)
{
	struct reference ref;
	char *full;

	if (env->config.base != CONFIG_BASE_IMAGE)
		return 0;
	if (reference_parse(env->config.base_value, &ref, e) < 0) {
		e->code = ERR_CONFIG;
		return -1; /* was parsed before, with its place in the message */
	}
	full = reference_format(&ref);
	add(out, mem_printf("registry:%s", ref.host), mem_printf("image: %s from %s", text_safe(full), text_safe(ref.host)));
	free(full);
	reference_release(&ref);
	return 0;
}

/* Packages come from where this machine's own come from, or an image's: the project can't choose the place. */
static void add_packages(const struct environment *env, struct env_powers *out)
{
	const struct config *c = &env->config;
	struct debian_archive archive;
	struct err unknown = ERR_INIT;
	cleanup_free char *host = NULL;

	if (c->base == CONFIG_BASE_DEBIAN) {
		if (debian_archive_of_release(&env->user, c->base_value, &c->components, &archive, &unknown) == 0) {
			host = archive.count ? http_url_host(archive.suites[0].uri) : NULL;
			debian_archive_release(&archive);
		}
		add(out, mem_strdup("packages:debian"),
		    mem_printf("packages: Debian's, from %s", host ? text_safe(host) : "this machine's mirror"));
	} else if (c->packages_apt.count || c->packages_own.count) {
		add(out, mem_strdup("packages:image"), mem_strdup("packages: from where the image's own apt takes them"));
	}
}

/* [sandbox] devices, nested, perf, ssh-agent: what reaches into the sandbox, or further into the kernel. */
static void add_reach(const struct config *c, struct env_powers *out)
{
	const struct {
		bool asked;
		const char *key, *text;
	} all[] = {
		{ c->devices[CONFIG_DEVICE_KVM], "devices:kvm", "device: /dev/kvm (virtual machines, run by this machine's kernel)" },
		{ c->devices[CONFIG_DEVICE_GPU], "devices:gpu",
		  "device: the graphics processors of this machine (/dev/dri, and what its CDI files name)" },
		{ c->devices[CONFIG_DEVICE_FUSE], "devices:fuse", "device: /dev/fuse (file systems that programs provide)" },
		{ c->nested, "nested", "nested: user namespaces of its own (more of the kernel can be attacked from inside, and "
				       "what protects .git can be got around)" },
		{ c->perf, "perf", "perf: performance counters (how fast other programs of yours run can be measured with them)" },
		{ c->ssh_agent, "ssh-agent", "ssh-agent: log in elsewhere with the keys of your ssh agent, while it runs" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].asked)
			add(out, mem_strdup(all[i].key), mem_strdup(all[i].text));
}

static int sort(struct env_powers *p)
{
	if (p->count)
		qsort(p->items, p->count, sizeof(*p->items), by_weight);
	return 0;
}

int env_powers(const struct environment *env, struct env_powers *out, struct err *e)
{
	*out = (struct env_powers){ 0 };
	for (size_t i = 0; i < env->extends_count; i++)
		if (env->extends[i].name)
			add(out, mem_printf("fetch:%s", env->extends[i].request),
			    mem_printf("fetch: %s (this project's configuration extends it)",
				       text_safe(env->extends[i].request)));
	/* What is extended decides what else is asked for: that comes once it is here. */
	if (env->incomplete)
		return sort(out);
	if (add_registry(env, out, e) < 0)
		return -1;
	add_packages(env, out);
	/* `auto` will be private where there are ports or services; neither can be configured yet. */
	if (env->config.network != CONFIG_NETWORK_NONE || (env->config.build && env->config.build_network != CONFIG_NETWORK_NONE)) {
		add(out, mem_strdup("network:host"),
		    mem_strdup("network: every server this machine can reach, itself included"));
		add(out, mem_strdup("network:abstract-sockets"),
		    mem_strdup("network: desktop services of this machine that listen on abstract sockets (X11, D-Bus)"));
	}
	add_reach(&env->config, out);
	for (size_t i = 0; i < env->place_count; i++) {
		const struct env_place *place = &env->places[i];

		if (place->outside && place->kind == ENV_PLACE_MOUNT)
			add_mount(out, env, place);
		else if (place->outside && place->kind == ENV_PLACE_REPOSITORY)
			add(out, mem_printf("mount:%s:rw", place->path),
			    mem_printf("mount: %s, the repository around this project, to be read and written",
				       text_safe(place->path)));
		else if (place->outside)
			add(out, mem_printf("file:%s", place->path),
			    mem_printf("file: %s (%s)", text_safe(place->path), place_use(env, place)));
	}
	for (size_t i = 0; i < env->config.pass_env.count; i++) {
		const char *name = env->config.pass_env.items[i];

		add(out, mem_printf("env:%s", name), mem_printf("environment: your value of %s", text_safe(name)));
	}
	return sort(out);
}

void env_powers_release(struct env_powers *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->items[i].key);
		free(p->items[i].text);
	}
	free(p->items);
	*p = (struct env_powers){ 0 };
}
