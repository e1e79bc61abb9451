/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_network.c - see debian_network.h.
 *
 * apt-config reads the configuration: it knows of includes, fragments, #clear and $APT_CONFIG, and where there is something
 * to read there is an apt. The logins it does not read.
 */
#include "source/debian_network.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/process.h"
#include "base/text.h"
#include "fetch/auth.h"
#include "source/debian_control.h"
#include "source/debian_sources.h"

enum { DUMP_MAX = 4 << 20, LOGINS_MAX = 1 << 20 };

struct login {
	char *machine, *name, *password; /* the last two may be NULL */
};

struct debian_network {
	struct strlist names, values; /* of settings */
	struct login *logins;
	size_t count, cap;
};

/* ---- settings ---- */

void debian_network_settings(struct debian_network *n, const char *dump, size_t len)
{
	struct debian_text rest = { dump, len }, line, name;

	while (debian_control_line(&rest, &line)) {
		if (!debian_control_word(&line, &name))
			continue;
		strlist_add_take(&n->names, debian_text_dup(name));
		strlist_add_take(&n->values, debian_text_dup(debian_text_trim(line)));
	}
}

/* NULL: it is not set, or empty. */
static const char *setting(const struct debian_network *n, const char *name)
{
	for (size_t i = 0; i < n->names.count; i++)
		if (strcasecmp(n->names.items[i], name) == 0 && n->values.items[i][0])
			return n->values.items[i];
	return NULL;
}

/* Of an access method: what is said of the host goes before what is said of all, and https has what http has. */
static const char *method_setting(const struct debian_network *n, bool https, const char *host, const char *key)
{
	static const char *const methods[] = { "https", "http" };

	for (size_t i = https ? 0 : 1; i < ARRAY_SIZE(methods); i++) {
		cleanup_free char *of_host = mem_printf("Acquire::%s::%s::%s", methods[i], host, key);
		cleanup_free char *of_all = mem_printf("Acquire::%s::%s", methods[i], key);
		const char *value = setting(n, of_host);

		if (!value)
			value = setting(n, of_all);
		if (value)
			return value;
	}
	return NULL;
}

static bool is_off(const char *value)
{
	return value && debian_sources_bool(DEBIAN_TEXT(value)) == 0;
}

/* ---- logins ---- */

static struct login *add_login(struct debian_network *n, struct debian_text machine)
{
	n->logins = mem_grow(n->logins, n->count, &n->cap, sizeof(*n->logins));
	n->logins[n->count] = (struct login){ .machine = debian_text_dup(machine) };
	return &n->logins[n->count++];
}

static void read_word(struct debian_network *n, struct debian_text *line, struct debian_text word, struct login **last)
{
	struct debian_text value;

	if (!debian_control_word(line, &value))
		return;
	if (debian_text_is(word, "machine"))
		*last = add_login(n, value);
	else if (*last && debian_text_is(word, "login") && !(*last)->name)
		(*last)->name = debian_text_dup(value);
	else if (*last && debian_text_is(word, "password") && !(*last)->password)
		(*last)->password = debian_text_dup(value);
}

void debian_network_logins(struct debian_network *n, const char *text, size_t len)
{
	cleanup_buf struct buf words = BUF_INIT;
	struct debian_text rest = { text, len }, line, word;
	struct login *last = NULL;

	/* An entry may go over lines, so they are joined; only comments end with theirs. */
	while (debian_control_line(&rest, &line))
		if (line.len && *line.at != '#') {
			buf_add(&words, line.at, line.len);
			buf_addch(&words, ' ');
		}
	rest = (struct debian_text){ words.data, words.len };
	while (debian_control_word(&rest, &word))
		read_word(n, &rest, word, &last);
	if (words.len)
		explicit_bzero(words.data, words.len);
}

struct address {
	char *scheme, *host, *port; /* in one piece of memory: scheme is its beginning */
	const char *path;
};

/* false: no web address, or one with a user's name in it. */
static bool split(const char *url, struct address *a)
{
	const char *authority = strstr(url, "://");
	char *origin = http_url_origin(url), *colon;

	if (!origin)
		return false;
	colon = strchr(origin, ':');
	*colon = '\0';
	*a = (struct address){ .scheme = origin, .host = colon + 3 };
	a->port = strrchr(a->host, ':');
	*a->port++ = '\0';
	a->path = authority ? strchr(authority + 3, '/') : NULL;
	if (!a->path)
		a->path = "/";
	return true;
}

/* [SCHEME://]HOST[:PORT][/PATH], of which the path is a beginning. */
static bool is_for(const char *machine, const struct address *a)
{
	const char *scheme_end = strstr(machine, "://");
	size_t host = strlen(a->host), port = strlen(a->port);

	if (scheme_end) {
		size_t len = (size_t)(scheme_end - machine);

		if (strlen(a->scheme) != len || strncasecmp(machine, a->scheme, len) != 0)
			return false;
		machine = scheme_end + 3;
	} else if (strcmp(a->scheme, "https") != 0) {
		return false;
	}
	if (strncasecmp(machine, a->host, host) != 0)
		return false;
	machine += host;
	if (*machine == ':') {
		if (strncmp(machine + 1, a->port, port) != 0)
			return false;
		machine += 1 + port;
	}
	return *machine == '\0' || (*machine == '/' && text_starts(a->path, machine));
}

static char *authorization_for(const struct debian_network *n, const struct address *a)
{
	for (size_t i = 0; i < n->count; i++) {
		const struct login *l = &n->logins[i];

		if (is_for(l->machine, a))
			return auth_basic(l->name ? l->name : "", l->password ? l->password : "");
	}
	return NULL;
}

/* ---- the way ---- */

static char *proxy_for(const struct debian_network *n, bool https, const char *host)
{
	cleanup_free char *own = mem_printf("Proxy::%s", host);
	const char *proxy = method_setting(n, https, host, own);

	if (!proxy)
		proxy = method_setting(n, https, host, "Proxy");
	if (!proxy)
		return NULL;
	return mem_strdup(strcasecmp(proxy, "DIRECT") == 0 ? "" : proxy);
}

/* Without what may be in front of its host: a login. */
static char *reach_hint(const struct debian_network *n, bool https, const char *host, const char *proxy)
{
	const char *program;

	if (proxy && *proxy) {
		const char *place = strstr(proxy, "://"), *at = strrchr(proxy, '@');

		place = at ? at + 1 : place ? place + 3 : proxy;
		return mem_printf("apt on this machine says that the way there is the proxy %.*s (`apt-config dump Acquire::http`): is it there?",
				  (int)strcspn(place, "/"), text_safe(place));
	}
	program = method_setting(n, https, host, "Proxy-Auto-Detect");
	if (!program)
		program = method_setting(n, https, host, "ProxyAutoDetect");
	if (proxy || !program)
		return NULL;
	return mem_printf("apt on this machine finds its proxy by running %s, which devenv does not: set $http%s_proxy, or Acquire::http::Proxy "
			  "in apt's configuration", text_safe(program), https ? "s" : "");
}

static char *trust_hint(const struct debian_network *n, const char *host)
{
	if (is_off(method_setting(n, true, host, "Verify-Peer")) || is_off(method_setting(n, true, host, "Verify-Host")))
		return mem_strdup("apt on this machine is told not to check certificates (Acquire::https::Verify-Peer, Verify-Host); devenv always "
				  "does: name the authority's file as Acquire::https::CaInfo in apt's configuration, or as $SSL_CERT_FILE");
	return mem_strdup("name the file of its certificate authority as Acquire::https::CaInfo in apt's configuration, or as $SSL_CERT_FILE");
}

void debian_network_route(void *data, const char *url, struct http_route *out)
{
	const struct debian_network *n = data;
	struct address a;
	const char *ca;
	bool https;

	if (!split(url, &a))
		return;
	https = strcmp(a.scheme, "https") == 0;
	ca = https ? method_setting(n, true, a.host, "CaInfo") : NULL;
	out->proxy = proxy_for(n, https, a.host);
	out->ca_file = ca ? mem_strdup(ca) : NULL;
	out->authorization = authorization_for(n, &a);
	out->reach_hint = reach_hint(n, https, a.host, out->proxy);
	out->trust_hint = trust_hint(n, a.host);
	free(a.scheme);
}

/* ---- this machine's ---- */

/* A path of apt's: below the directory of the names before it. malloc'ed. */
static char *path_of(const struct debian_network *n, const char *name)
{
	const char *value = setting(n, name), *etc = setting(n, "Dir::Etc"), *dir = setting(n, "Dir");
	cleanup_free char *below = NULL;

	if (!value)
		return NULL;
	if (value[0] == '/')
		return mem_strdup(value);
	below = path_join(etc ? etc : "etc/apt", value);
	return below[0] == '/' ? mem_steal(below) : path_join(dir ? dir : "/", below);
}

/* What the caller may not read is not for him. */
static void read_logins(struct debian_network *n, const char *path)
{
	struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (path && file_read(AT_FDCWD, path, LOGINS_MAX, 0, &text, NULL, &ignored) == 0)
		debian_network_logins(n, text.data, text.len);
	if (text.len)
		explicit_bzero(text.data, text.len);
	buf_release(&text);
}

static void read_all_logins(struct debian_network *n)
{
	cleanup_free char *file = path_of(n, "Dir::Etc::netrc"), *directory = path_of(n, "Dir::Etc::netrcparts");
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	read_logins(n, file);
	if (!directory || file_names(AT_FDCWD, directory, false, &names, &ignored) < 0)
		return;
	strlist_sort(&names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = path_join(directory, names.items[i]);

		if (text_ends(path, ".conf"))
			read_logins(n, path);
	}
}

struct debian_network *debian_network_new(void)
{
	static const char *const argv[] = { "apt-config", "dump", "--format", "%F %v%n", NULL };
	struct debian_network *n = mem_alloc(sizeof(*n));
	cleanup_buf struct buf dump = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (process_capture(argv, NULL, DUMP_MAX, &dump, &ignored) != 0)
		return n;
	debian_network_settings(n, dump.data, dump.len);
	read_all_logins(n);
	return n;
}

static void forget(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void debian_network_free(struct debian_network *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++) {
		free(n->logins[i].machine);
		forget(n->logins[i].name);
		forget(n->logins[i].password);
	}
	free(n->logins);
	for (size_t i = 0; i < n->values.count; i++) /* a proxy may have a login in it */
		explicit_bzero(n->values.items[i], strlen(n->values.items[i]));
	strlist_release(&n->names);
	strlist_release(&n->values);
	free(n);
}
