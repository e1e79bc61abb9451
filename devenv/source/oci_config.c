/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_config.c - the image config: only what security rule 8 lets have an effect. Volumes, labels, ports,
 * health checks and whatever else an image may carry are not even read.
 */
#include "source/oci.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/document.h"
#include "source/manifest.h"

#define WHAT   "image config"
#define ID_MAX 0xfffffffeULL /* (uid_t)-1 means "leave it" to the kernel */

void oci_config_release(struct oci_config *c)
{
	if (!c)
		return;
	strlist_release(&c->env);
	strlist_release(&c->entrypoint);
	strlist_release(&c->cmd);
	free(c->user);
	free(c->workdir);
	free(c->stop_signal);
	free(c->architecture);
	free(c->os);
	free(c->created);
	strlist_release(&c->diff_ids);
	strlist_release(&c->history);
	free(c->history_empty);
	strlist_release(&c->warnings);
	*c = (struct oci_config){ 0 };
}

static void warn(struct oci_config *c, const char *what, const char *value)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "the image's %s is ignored: '", what);
	text_escape(&b, value);
	buf_addch(&b, '\'');
	strlist_add_take(&c->warnings, buf_steal(&b));
	buf_release(&b);
}

static int get_string(const json_t *object, const char *key, char **out, struct err *e)
{
	const char *s;

	if (document_string(object, WHAT, key, &s, e) < 0)
		return -1;
	free(*out);
	*out = mem_strdup(s ? s : "");
	return 0;
}

static bool env_is_sound(const char *entry)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
	size_t len = strspn(entry, letters);

	return len > 0 && entry[len] == '=' && !(entry[0] >= '0' && entry[0] <= '9');
}

static int parse_env(const json_t *config, struct oci_config *c, struct err *e)
{
	struct strlist all = STRLIST_INIT;
	int r = document_strings(config, WHAT, "Env", &all, e);

	for (size_t i = 0; r == 0 && i < all.count; i++) {
		if (env_is_sound(all.items[i]))
			strlist_add(&c->env, all.items[i]);
		else
			warn(c, "environment entry", all.items[i]);
	}
	strlist_release(&all);
	return r;
}

/* A number must be an id that exists; a name must be one that a passwd file can hold. Numbers that wrap
 * around have made other tools run the image as root. */
static bool id_is_sound(const char *s, size_t len)
{
	char id[64];
	uint64_t n;

	if (len == 0 || len >= sizeof(id))
		return false;
	memcpy(id, s, len);
	id[len] = '\0';
	if (strspn(id, "0123456789") == len)
		return text_number(id, ID_MAX, &n) == 0;
	if (id[0] == '-' || id[0] == '+')
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)id[i] <= ' ' || (unsigned char)id[i] >= 0x7f || id[i] == '/')
			return false;
	}
	return true;
}

static int check_user(const char *user, struct err *e)
{
	const char *colon = strchr(user, ':');
	size_t len = colon ? (size_t)(colon - user) : strlen(user);

	if (!user[0])
		return 0;
	/* ":group" is the default user with a group */
	if ((len > 0 && !id_is_sound(user, len)) ||
	    (colon && (strchr(colon + 1, ':') || (colon[1] && !id_is_sound(colon + 1, strlen(colon + 1))))))
		return err_set(e, ERR_INTEGRITY, "the image config's User is neither a name nor an id: '%s'",
		               text_safe(user));
	return 0;
}

static bool signal_is_sound(const char *s)
{
	size_t len = strlen(s);

	return len < 16 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-") == len;
}

static int parse_run(const json_t *root, struct oci_config *c, struct err *e)
{
	json_t *config;

	if (document_member(root, WHAT, "config", JSON_OBJECT, &config, e) < 0 ||
	    parse_env(config, c, e) < 0 ||
	    document_strings(config, WHAT, "Entrypoint", &c->entrypoint, e) < 0 ||
	    document_strings(config, WHAT, "Cmd", &c->cmd, e) < 0 ||
	    get_string(config, "User", &c->user, e) < 0 ||
	    get_string(config, "WorkingDir", &c->workdir, e) < 0 ||
	    get_string(config, "StopSignal", &c->stop_signal, e) < 0 || check_user(c->user, e) < 0)
		return -1;
	if (c->workdir[0] && c->workdir[0] != '/') {
		warn(c, "working directory", c->workdir);
		c->workdir[0] = '\0';
	}
	if (!signal_is_sound(c->stop_signal)) {
		warn(c, "stop signal", c->stop_signal);
		c->stop_signal[0] = '\0';
	}
	return 0;
}

static int parse_rootfs(const json_t *root, struct oci_config *c, struct err *e)
{
	const char *type;
	json_t *rootfs;

	if (document_member(root, WHAT, "rootfs", JSON_OBJECT, &rootfs, e) < 0 ||
	    document_string(rootfs, WHAT, "type", &type, e) < 0)
		return -1;
	if (!rootfs || !type || strcmp(type, "layers") != 0)
		return err_set(e, ERR_INTEGRITY, "the " WHAT " is malformed: it has no 'rootfs' of layers");
	if (document_strings(rootfs, WHAT, "diff_ids", &c->diff_ids, e) < 0)
		return -1;
	if (c->diff_ids.count > MANIFEST_LAYERS_MAX)
		return err_set(e, ERR_INTEGRITY, "the image has %zu layers; at most %d are possible",
		               c->diff_ids.count, MANIFEST_LAYERS_MAX);
	for (size_t i = 0; i < c->diff_ids.count; i++) {
		if (!digest_is_valid(c->diff_ids.items[i]))
			return err_set(e, ERR_INTEGRITY,
			               "the " WHAT " is malformed: diff id %zu is no digest: '%s'", i + 1,
			               text_safe(c->diff_ids.items[i]));
	}
	return 0;
}

static int parse_history(const json_t *root, struct oci_config *c, struct err *e)
{
	json_t *history, *step;
	size_t i;

	if (document_member(root, WHAT, "history", JSON_ARRAY, &history, e) < 0)
		return -1;
	c->history_empty = mem_array(json_array_size(history) + 1, 1);
	json_array_foreach(history, i, step) {
		const char *created_by;

		if (!json_is_object(step))
			return err_set(e, ERR_INTEGRITY,
			               "the " WHAT " is malformed: step %zu of 'history' is no object",
			               i + 1);
		if (document_string(step, WHAT, "created_by", &created_by, e) < 0)
			return -1;
		strlist_add(&c->history, created_by ? created_by : "");
		c->history_empty[i] = json_is_true(json_object_get(step, "empty_layer"));
	}
	return 0;
}

int oci_config_parse(const char *json, size_t len, struct oci_config *out, struct err *e)
{
	json_t *root = document_load(WHAT, json, len, e);
	struct oci_config c = { 0 };
	int r = 0;

	if (!root)
		return -1;
	if (!json_is_object(root))
		r = err_set(e, ERR_INTEGRITY, "the " WHAT " is not a JSON object");
	else if (get_string(root, "architecture", &c.architecture, e) < 0 ||
	         get_string(root, "os", &c.os, e) < 0 || get_string(root, "created", &c.created, e) < 0 ||
	         parse_run(root, &c, e) < 0 || parse_rootfs(root, &c, e) < 0 ||
	         parse_history(root, &c, e) < 0)
		r = -1;
	json_decref(root);
	if (r < 0)
		oci_config_release(&c);
	else
		*out = c;
	return r;
}
