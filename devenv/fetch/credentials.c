/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c - see credentials.h. No message of this file may quote the text of what it reads: it holds secrets. */
#include "fetch/credentials.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <jansson.h>

#include "base/dirs.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/text.h"
#include "fetch/auth.h"

#define FILE_MAX (1u << 20)
#define HELPER_PREFIX "docker-credential-"
#define DOCKER_KEY "https://index.docker.io/v1/"

void credentials_release(struct credentials *c)
{
	char **fields[] = { &c->username, &c->password, &c->identity_token, &c->registry_token };

	for (size_t i = 0; c && i < ARRAY_SIZE(fields); i++) {
		if (*fields[i])
			explicit_bzero(*fields[i], strlen(*fields[i]));
		free(*fields[i]);
		*fields[i] = NULL;
	}
}

/* "https://index.docker.io/v1/", "host/v2", "http://host" and "host/team" as "docker.io", "host", "host", "host/team". */
static char *normal_key(const char *key)
{
	static const char *const docker_names[] = { "index.docker.io", "registry-1.docker.io" };
	bool url = false;
	char *host, *rest;
	size_t len;

	if (strncasecmp(key, "https://", 8) == 0 || strncasecmp(key, "http://", 7) == 0) {
		key = strchr(key, ':') + 3;
		url = true;
	}
	host = mem_strdup(key);
	len = strlen(host);
	while (len > 0 && host[len - 1] == '/')
		host[--len] = '\0';
	rest = strchr(host, '/');
	/* A path behind a scheme, and /v1 or /v2, come from the time when keys were addresses of an API. */
	if (rest && (url || strcmp(rest, "/v1") == 0 || strcmp(rest, "/v2") == 0))
		*rest = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(docker_names); i++) {
		size_t n = strlen(docker_names[i]);
		char *alias;

		if (strncasecmp(host, docker_names[i], n) != 0 || (host[n] != '\0' && host[n] != '/'))
			continue;
		alias = mem_printf("docker.io%s", host + n);
		free(host);
		return alias;
	}
	return host;
}

/* How many bytes of `want` ("host/path") the key speaks for; 0: none. */
static size_t key_match(const char *key, const char *want)
{
	cleanup_free char *normal = normal_key(key);
	size_t n = strlen(normal);

	if (n == 0 || strncmp(want, normal, n) != 0 || (want[n] != '\0' && want[n] != '/'))
		return 0;
	return n;
}

static char *string_copy(const json_t *entry, const char *key)
{
	const char *s = json_string_value(json_object_get(entry, key));

	return s && *s ? mem_strdup(s) : NULL;
}

/* "auth": base64 of user:password. docker pads some passwords with NULs; they end at the first. */
static int read_auth(const char *auth, struct credentials *out)
{
	struct buf pair = BUF_INIT;
	char *colon = NULL;
	int rc = -1;

	if (auth_base64_decode(auth, &pair) == 0)
		colon = strchr(pair.data, ':');
	if (colon && colon > pair.data) {
		out->username = mem_strndup(pair.data, (size_t)(colon - pair.data));
		out->password = mem_strdup(colon + 1);
		rc = 0;
	}
	if (pair.cap > 0)
		explicit_bzero(pair.data, pair.cap);
	buf_release(&pair);
	return rc;
}

static int read_entry(const char *name, const char *key, const json_t *entry, struct credentials *out, struct err *e)
{
	const char *auth = json_string_value(json_object_get(entry, "auth"));

	if (auth && *auth && read_auth(auth, out) < 0) {
		err_set(e, ERR_CONFIG, "%s: the entry for '%s' is not base64 of user:password", text_safe(name),
			text_safe(key));
		return err_hint(e, "log in again: `docker login` or `podman login` rewrites it");
	}
	if (!out->username) {
		out->username = string_copy(entry, "username");
		out->password = string_copy(entry, "password");
		if (!out->username || !out->password)
			credentials_release(out);
	}
	out->identity_token = string_copy(entry, "identitytoken");
	out->registry_token = string_copy(entry, "registrytoken");
	if (out->registry_token && !auth_token_is_valid(out->registry_token))
		return err_set(e, ERR_CONFIG, "%s: the registrytoken for '%s' holds characters no token has",
			       text_safe(name), text_safe(key));
	return out->username || out->identity_token || out->registry_token;
}

/* The entry whose key speaks for the longest part of `want`, leaving out those that are empty. */
static int read_auths(const char *name, json_t *auths, const char *want, struct credentials *out, struct err *e)
{
	size_t limit = strlen(want);

	while (limit > 0) {
		const char *key, *best_key = NULL;
		json_t *entry, *best = NULL;
		size_t best_len = 0;
		int rc;

		json_object_foreach(auths, key, entry) {
			size_t n = key_match(key, want);

			if (n > best_len && n <= limit) {
				best = entry;
				best_key = key;
				best_len = n;
			}
		}
		if (!best)
			return 0;
		rc = read_entry(name, best_key, best, out, e);
		if (rc != 0)
			return rc;
		limit = best_len - 1;
	}
	return 0;
}

static bool helper_name_is_valid(const char *s)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	return *s && strspn(s, safe) == strlen(s);
}

static int take_helper(const char *name, const json_t *value, char **helper, struct err *e)
{
	const char *s = json_string_value(value);

	if (!s || !*s)
		return 0;
	if (!helper_name_is_valid(s))
		return err_set(e, ERR_CONFIG, "%s: '%s' can't be the name of a credential helper", text_safe(name),
			       text_safe(s));
	*helper = mem_strdup(s);
	return 0;
}

static int parse_object(const char *name, json_t *root, const char *host, const char *want, struct credentials *out,
			char **helper, struct err *e)
{
	const char *key;
	json_t *value;
	int rc;

	json_object_foreach(json_object_get(root, "credHelpers"), key, value) {
		if (key_match(key, host) == 0)
			continue;
		if (take_helper(name, value, helper, e) < 0)
			return -1;
		if (*helper)
			return 0;
	}
	rc = read_auths(name, json_object_get(root, "auths"), want, out, e);
	if (rc != 0)
		return rc;
	return take_helper(name, json_object_get(root, "credsStore"), helper, e);
}

int credentials_parse(const char *name, const char *json, size_t len, const char *host, const char *path,
		      struct credentials *out, char **helper, struct err *e)
{
	cleanup_free char *want = path && *path ? mem_printf("%s/%s", host, path) : mem_strdup(host);
	struct credentials found = { 0 };
	char *program = NULL;
	json_error_t je;
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);
	int rc;

	if (!root) {
		/* je.text quotes what is near the mistake. */
		err_set(e, ERR_CONFIG, "%s:%d: not valid JSON (or a key given twice)", text_safe(name),
			je.line > 0 ? je.line : 1);
		return err_hint(e, "mend or remove it; `docker login` or `podman login` writes a new one");
	}
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(e, ERR_CONFIG, "%s: not a JSON object", text_safe(name));
	}
	rc = parse_object(name, root, host, want, &found, &program, e);
	json_decref(root);
	if (rc <= 0)
		credentials_release(&found);
	if (rc < 0) {
		free(program);
		return -1;
	}
	*out = found;
	*helper = program;
	return rc;
}

int credentials_parse_helper(const char *helper, const char *json, size_t len, struct credentials *out,
			     struct err *e)
{
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	char *user = string_copy(root, "Username"), *secret = string_copy(root, "Secret");

	json_decref(root);
	if (!user || !secret) {
		free(user);
		free(secret);
		return err_set(e, ERR_CONFIG, HELPER_PREFIX "%s: its answer has no user name and secret",
			       text_safe(helper));
	}
	*out = (struct credentials){ 0 };
	if (strcmp(user, "<token>") == 0) { /* the helpers' way to say: a refresh token */
		out->identity_token = secret;
		free(user);
	} else {
		out->username = user;
		out->password = secret;
	}
	return 1;
}

/* A helper that is not there, has nothing or fails is no error: many a config.json came from another machine, and the
 * image may well be public. The message for a refused login says that it was asked, and how that went. */
static int ask_helper_once(const char *helper, const char *server, struct credentials *out, const char **how,
			   struct err *e)
{
	cleanup_free char *program = mem_printf(HELPER_PREFIX "%s", helper);
	const char *const argv[] = { program, "get", NULL };
	struct buf answer = BUF_INIT;
	struct err started = ERR_INIT;
	int rc = process_capture(argv, server, FILE_MAX, &answer, &started);

	if (rc == 0) {
		rc = credentials_parse_helper(helper, answer.data, answer.len, out, e);
	} else {
		if (rc < 0)
			*how = started.code == ERR_NOT_FOUND ? "not installed" : "could not be run";
		else if (!strstr(answer.data, "not found"))
			*how = "failed";
		rc = 0;
	}
	if (answer.cap > 0)
		explicit_bzero(answer.data, answer.cap);
	buf_release(&answer);
	return rc;
}

static int ask_helper(const char *helper, const char *host, struct credentials *out, struct strlist *looked_at,
		      struct err *e)
{
	/* docker stores its own hub under the old address, podman under the plain name. */
	bool docker = strcmp(host, "docker.io") == 0;
	const char *how = NULL;
	int rc = ask_helper_once(helper, docker ? DOCKER_KEY : host, out, &how, e);

	if (rc == 0 && docker && !how)
		rc = ask_helper_once(helper, host, out, &how, e);
	if (looked_at && rc >= 0)
		strlist_addf(looked_at, HELPER_PREFIX "%s%s%s%s", helper, how ? " (" : "", how ? how : "",
			     how ? ")" : "");
	return rc;
}

static int find_in_file(const char *file, bool required, const char *host, const char *path, struct credentials *out,
			struct strlist *looked_at, struct err *e)
{
	struct buf text = BUF_INIT;
	struct err missing = ERR_INIT;
	char *helper = NULL;
	int rc;

	if (file_read(AT_FDCWD, file, FILE_MAX, 0, &text, NULL, &missing) < 0) {
		bool denied = missing.sys == EACCES; /* /run/containers is root's alone on many machines */

		buf_release(&text);
		if ((missing.code == ERR_NOT_FOUND || denied || missing.sys == ENOTDIR) && !required) {
			if (looked_at)
				strlist_addf(looked_at, "%s (%s)", file, denied ? "not readable" : "absent");
			return 0;
		}
		*e = missing;
		e->code = ERR_CONFIG;
		if (required)
			err_hint(e, "$REGISTRY_AUTH_FILE names it; unset that to use the usual files");
		return -1;
	}
	if (looked_at)
		strlist_add(looked_at, file);
	rc = credentials_parse(file, text.data, text.len, host, path, out, &helper, e);
	if (text.cap > 0)
		explicit_bzero(text.data, text.cap);
	buf_release(&text);
	if (rc == 0 && helper)
		rc = ask_helper(helper, host, out, looked_at, e);
	free(helper);
	return rc;
}

/* An absolute value of an environment variable, or NULL; relative ones are ignored as the XDG specification asks. */
static const char *absolute_env(const char *name)
{
	const char *s = getenv(name);

	return s && *s == '/' ? s : NULL;
}

static void list_files(const char *home, struct strlist *files)
{
	const char *runtime = absolute_env("XDG_RUNTIME_DIR"), *config = absolute_env("XDG_CONFIG_HOME");
	const char *docker = getenv("DOCKER_CONFIG");

	if (runtime)
		strlist_addf(files, "%s/containers/auth.json", runtime);
	else
		strlist_addf(files, "/run/containers/%u/auth.json", (unsigned int)getuid());
	if (config)
		strlist_addf(files, "%s/containers/auth.json", config);
	else
		strlist_addf(files, "%s/.config/containers/auth.json", home);
	if (docker && *docker)
		strlist_addf(files, "%s/config.json", docker);
	else
		strlist_addf(files, "%s/.docker/config.json", home);
}

int credentials_find(const char *host, const char *path, struct credentials *out, struct strlist *looked_at,
		     struct err *e)
{
	cleanup_strlist struct strlist files = STRLIST_INIT;
	const char *only = getenv("REGISTRY_AUTH_FILE");
	struct dirs dirs;

	*out = (struct credentials){ 0 };
	if (only && *only)
		return find_in_file(only, true, host, path, out, looked_at, e);
	if (dirs_find(&dirs, e) < 0)
		return -1;
	list_files(dirs.home, &files);
	dirs_release(&dirs);
	for (size_t i = 0; i < files.count; i++) {
		int rc = find_in_file(files.items[i], false, host, path, out, looked_at, e);

		if (rc != 0)
			return rc;
	}
	return 0;
}

/* A key is an address, with or without scheme and path. */
static void add_host(struct strlist *hosts, const char *key)
{
	const char *scheme = strstr(key, "://"), *host = scheme ? scheme + 3 : key;
	cleanup_free char *name = mem_strndup(host, strcspn(host, "/"));

	if (!strcmp(name, "index.docker.io")) {
		free(name);
		name = mem_strdup("docker.io");
	}
	if (*name && !strlist_has(hosts, name))
		strlist_add(hosts, name);
}

static void add_hosts_of(const char *file, struct strlist *hosts)
{
	static const char *const lists[] = { "auths", "credHelpers" };
	struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	const char *key;
	json_t *root = NULL, *value;

	if (file_read(AT_FDCWD, file, FILE_MAX, 0, &text, NULL, &ignored) == 0)
		root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		json_object_foreach(json_object_get(root, lists[i]), key, value)
			add_host(hosts, key);
	json_decref(root);
	if (text.cap > 0)
		explicit_bzero(text.data, text.cap);
	buf_release(&text);
}

void credentials_hosts(struct strlist *hosts)
{
	cleanup_strlist struct strlist files = STRLIST_INIT;
	const char *only = getenv("REGISTRY_AUTH_FILE");
	struct err ignored = ERR_INIT;
	struct dirs dirs;

	if (only && *only) {
		strlist_add(&files, only);
	} else if (dirs_find(&dirs, &ignored) == 0) {
		list_files(dirs.home, &files);
		dirs_release(&dirs);
	}
	for (size_t i = 0; i < files.count; i++)
		add_hosts_of(files.items[i], hosts);
}
