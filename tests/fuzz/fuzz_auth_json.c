/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_auth_json.c - auth.json and docker's config.json, and the answers of credential helpers. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/auth.h"
#include "fetch/credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *json, size_t len, const char *host, const char *path)
{
	struct credentials c = { 0 };
	struct err e = ERR_INIT;
	char *helper = NULL;
	int rc = credentials_parse("auth.json", json, len, host, path, &c, &helper, &e);

	if (rc < 0 && (e.code != ERR_CONFIG || helper || c.username))
		abort();
	if (rc == 0 && (c.username || c.password || c.identity_token || c.registry_token))
		abort();
	if (rc == 1 && !c.username && !c.identity_token && !c.registry_token)
		abort();
	if (!c.username != !c.password || (helper && strpbrk(helper, "/ \n")))
		abort();
	if (c.registry_token && !auth_token_is_valid(c.registry_token))
		abort();
	free(helper);
	credentials_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct credentials c = { 0 };
	struct err e = ERR_INIT;

	parse((const char *)data, size, "docker.io", "library/alpine");
	parse((const char *)data, size, "localhost:5000", "");
	if (credentials_parse_helper("test", (const char *)data, size, &c, &e) == 1 && !c.username && !c.identity_token)
		abort();
	credentials_release(&c);
	return 0;
}
