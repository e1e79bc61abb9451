/* SPDX-License-Identifier: Apache-2.0 */
/* user.c - the user's own configuration. */
#include "config/user.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/ini.h"
#include "config/keys.h"
#include "config/reference.h"
#include "config/value.h"

const struct config_key user_config_keys[] = {
	{ "registry.*", "mirror", true, "HOST[:PORT][/PREFIX] that is asked before the registry itself" },
	{ "registry.*", "insecure", true, "allow plain http and unverified certificates: yes or no" },
	{ "registry.*", "ca", true, "PEM file of certificate authorities to trust" },
	{ "debian", "mirror", true, "address of a Debian mirror; default: what apt on this machine uses" },
	{ "debian", "security", true, "address of the mirror of Debian's security suites; default: MIRROR-security" },
	{ "debian", "snapshot", true, "address where Debian packages that left the mirrors are to be had" },
	{ "debian", "vendor", true, "directories with Debian packages, looked at before any server is asked" },
	{ "debian", "keyring", true, "file of the keys that sign the archive; default: the distribution's" },
	{ "debian", "ignore-expiry", true, "use an index that is older than its signers allow, with a warning: yes or no" },
	{ "npm", "registry", false, "npm registry; default: what the host's npm uses" },
	{ "enter", "shell", true, "shell of devenv enter where the project names none" },
	{ "enter", "dotfiles", false, "files of your home to have inside" },
	{ "store", "path", true, "directory of the store" },
	{ "store", "max-image-size", true, "largest image to unpack, such as 20G" },
	{ "trust", "*", false, "powers that are granted without asking" },
};
const size_t user_config_key_count = ARRAY_SIZE(user_config_keys);

static int check_is_absolute(const char *file, const struct ini_entry *entry, const char *path, struct err *e)
{
	if (value_check_path(file, entry, path, e))
		return -1;
	if (path[0] == '/')
		return 0;
	value_bad(file, entry, e, "'%s' is not an absolute path", text_safe(path));
	return err_hint(e, "write the whole path, starting with /; ~ and variables are not expanded");
}

static int check_absolute(const char *file, const struct ini_entry *entry, struct err *e)
{
	return value_check_line(file, entry, e) ? -1 : check_is_absolute(file, entry, entry->value, e);
}

static int set_mirror(const char *file, const struct ini_entry *entry, struct user_registry *r, struct err *e)
{
	const char *value = entry->value, *slash = strchr(value, '/');
	cleanup_free char *host = NULL;

	if (value_check_line(file, entry, e))
		return -1;
	if (strstr(value, "://")) {
		value_bad(file, entry, e, "'%s' is written like a URL", text_safe(value));
		return err_hint(
			e,
			"leave out the part up to ://; for plain http say insecure = yes in [registry.HOST] "
			"of the mirror");
	}
	host = mem_strndup(value, slash ? (size_t)(slash - value) : strlen(value));
	if (!reference_host_is_valid(host) || (slash && !reference_path_is_valid(slash + 1)))
		return value_bad(file, entry, e, "'%s' is not HOST[:PORT][/PREFIX]", text_safe(value));
	r->mirror = mem_strdup(value);
	return 0;
}

/* The entry of a [registry.HOST] section, made when it is not there; NULL after an error. */
static struct user_registry *registry_of(struct user_config *u, const char *file,
                                         const struct ini_entry *entry, struct err *e)
{
	const char *host = strchr(entry->section, '.') + 1;
	struct user_registry *r;

	if (u->registry_count > 0 && !strcmp(u->registries[u->registry_count - 1].host, host))
		return &u->registries[u->registry_count - 1];
	if (!strcmp(host, "index.docker.io")) {
		err_set(e, ERR_CONFIG, "%s:%u: [%s] is written [registry.docker.io]", text_safe(file),
		        entry->line, text_safe(entry->section));
		return NULL;
	}
	if (!reference_host_is_valid(host)) {
		err_set(e, ERR_CONFIG, "%s:%u: '%s' in [%s] is not a registry host", text_safe(file),
		        entry->line, text_safe(host), text_safe(entry->section));
		return NULL;
	}
	u->registries = mem_grow(u->registries, u->registry_count, &u->registry_cap, sizeof(*u->registries));
	r = &u->registries[u->registry_count++];
	*r = (struct user_registry){ .host = mem_strdup(host) };
	return r;
}

static int set_registry(struct user_config *u, const char *file, const struct ini_entry *entry, struct err *e)
{
	struct user_registry *r = registry_of(u, file, entry, e);

	if (!r)
		return -1;
	if (!strcmp(entry->key, "mirror"))
		return set_mirror(file, entry, r, e);
	if (!strcmp(entry->key, "insecure"))
		return value_bool(file, entry, &r->insecure, e);
	if (check_absolute(file, entry, e))
		return -1;
	r->ca = mem_strdup(entry->value);
	return 0;
}

/* "https://name:password@host/" */
static bool has_login(const char *address)
{
	const char *authority = strstr(address, "://");

	return authority && memchr(authority + 3, '@', strcspn(authority + 3, "/"));
}

/* An address of an archive: kept without slashes at its end, so that /dists and /pool can be put behind it. */
static int set_address(const char *file, const struct ini_entry *entry, char **out, struct err *e)
{
	const char *value = entry->value;
	size_t len = strlen(value);

	if (value_check_line(file, entry, e))
		return -1;
	if (has_login(value)) { /* which is not repeated */
		value_bad(file, entry, e, "an address can't have a name and password in it");
		return err_hint(e, "write them as `machine HOST login NAME password PASSWORD` into a file of /etc/apt/auth.conf.d");
	}
	while (len > 0 && value[len - 1] == '/')
		len--;
	if (strpbrk(value, " \t?#") || !(text_starts(value, "http://") || text_starts(value, "https://") ||
	                                 text_starts(value, "file:/")) || value[len - 1] == ':') {
		value_bad(file, entry, e, "'%s' is not the address of an archive", text_safe(value));
		return err_hint(e, "write it as http://HOST/PATH, https://HOST/PATH or file:/PATH, up to the directory that "
				   "has dists or pool in it");
	}
	*out = mem_strndup(value, len);
	return 0;
}

static int set_vendors(const char *file, const struct ini_entry *entry, struct strlist *out, struct err *e)
{
	if (value_list(file, entry, out, e))
		return -1;
	for (size_t i = 0; i < out->count; i++)
		if (check_is_absolute(file, entry, out->items[i], e))
			return -1;
	return 0;
}

static int set_debian(struct user_debian *d, const char *file, const struct ini_entry *entry, struct err *e)
{
	if (!strcmp(entry->key, "mirror"))
		return set_address(file, entry, &d->mirror, e);
	if (!strcmp(entry->key, "security"))
		return set_address(file, entry, &d->security, e);
	if (!strcmp(entry->key, "snapshot"))
		return set_address(file, entry, &d->snapshot, e);
	if (!strcmp(entry->key, "ignore-expiry"))
		return value_bool(file, entry, &d->ignore_expiry, e);
	if (!strcmp(entry->key, "vendor"))
		return set_vendors(file, entry, &d->vendors, e);
	if (check_absolute(file, entry, e))
		return -1;
	d->keyring = mem_strdup(entry->value);
	return 0;
}

static int set(struct user_config *u, const char *file, const struct ini_entry *entry, struct err *e)
{
	if (text_starts(entry->section, "registry."))
		return set_registry(u, file, entry, e);
	if (!strcmp(entry->section, "debian"))
		return set_debian(&u->debian, file, entry, e);
	if (!strcmp(entry->section, "enter")) {
		if (value_check_shell(file, entry, e))
			return -1;
		u->shell = mem_strdup(entry->value);
		return 0;
	}
	if (!strcmp(entry->key, "path")) {
		if (check_absolute(file, entry, e))
			return -1;
		u->store_path = mem_strdup(entry->value);
		return 0;
	}
	if (value_check_line(file, entry, e))
		return -1;
	if (text_size(entry->value, &u->max_image_size) || u->max_image_size == 0) {
		value_bad(file, entry, e, "'%s' is not a size", text_safe(entry->value));
		return err_hint(e, "a size is a number of bytes, or one with K, M, G or T behind it: 20G");
	}
	return 0;
}

int user_config_parse(const char *name, const char *text, size_t len, struct user_config *out, struct err *e)
{
	struct user_config u;
	struct ini ini;
	int rc;

	if (ini_read(name, text, len, &ini, e))
		return -1;
	user_config_init(&u);
	rc = keys_check(user_config_keys, user_config_key_count, name, &ini, e);
	for (size_t i = 0; i < ini.count && rc == 0; i++)
		rc = set(&u, name, &ini.entries[i], e);
	ini_release(&ini);
	if (rc)
		user_config_release(&u);
	else
		*out = u;
	return rc;
}

void user_config_init(struct user_config *u)
{
	*u = (struct user_config){ .max_image_size = USER_CONFIG_MAX_IMAGE };
}

void user_config_release(struct user_config *u)
{
	for (size_t i = 0; i < u->registry_count; i++) {
		free(u->registries[i].host);
		free(u->registries[i].mirror);
		free(u->registries[i].ca);
	}
	free(u->registries);
	free(u->debian.mirror);
	free(u->debian.security);
	free(u->debian.snapshot);
	strlist_release(&u->debian.vendors);
	free(u->debian.keyring);
	free(u->store_path);
	free(u->shell);
	user_config_init(u);
}

const struct user_registry *user_config_registry(const struct user_config *u, const char *host)
{
	for (size_t i = 0; i < u->registry_count; i++)
		if (!strcmp(u->registries[i].host, host))
			return &u->registries[i];
	return NULL;
}
