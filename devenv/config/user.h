/* SPDX-License-Identifier: Apache-2.0 */
/* user.h - the user's own configuration, $XDG_CONFIG_HOME/devenv/config.ini, as structs. Pure. */
#ifndef DEVENV_CONFIG_USER_H
#define DEVENV_CONFIG_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

#define USER_CONFIG_MAX_IMAGE (20ULL << 30) /* default of [store] max-image-size: 20 GiB unpacked */

struct user_registry {
	char *host;   /* "docker.io", "localhost:5000": as in a reference */
	char *mirror; /* "host[:port][/prefix]" or NULL: asked first */
	bool insecure; /* plain http or unverified TLS allowed */
	char *ca;     /* PEM file or NULL */
};

struct user_debian { /* [debian] */
	/* Addresses are http, https or file, without a slash at the end. */
	char *mirror;	/* of the archive, without dists/...; NULL: what apt on this machine uses */
	char *security; /* the same for the -security suites; NULL: beside the mirror, with "-security" behind its name */
	/* Where packages are that left the mirrors. Asked in two ways: SNAPSHOT/pool/..., as of a copy or a dated tree; and the
	 * machine interface of the snapshot service (SNAPSHOT/mr/binary/NAME/VERSION/binfiles, SNAPSHOT/file/HASH). NULL: none */
	char *snapshot;
	struct strlist vendors; /* absolute paths: directories of .deb files, looked at before any server is asked */
	char *keyring;	/* absolute path; NULL: the distribution's */
	bool ignore_expiry; /* use an index whose Valid-Until is over */
};

struct user_config {
	struct user_debian debian;
	struct user_registry *registries;
	size_t registry_count, registry_cap;
	char *store_path;     /* NULL: default */
	uint64_t max_image_size;
	char *shell;	      /* [enter] shell or NULL */
};

/* As config_parse: errors with file:line; keys of the format not built yet are ERR_UNSUPPORTED. *out is untouched on
 * failure and need not be initialised. Paths are absolute: nothing here knows what "~" is. */
int user_config_parse(const char *name, const char *text, size_t len, struct user_config *out, struct err *e);
void user_config_init(struct user_config *u); /* the defaults: what an absent file means */
void user_config_release(struct user_config *u);
/* The entry for a host, or NULL. Points into u. */
const struct user_registry *user_config_registry(const struct user_config *u, const char *host);

/* The key table, as config_keys. */
extern const struct config_key user_config_keys[];
extern const size_t user_config_key_count;

#endif
