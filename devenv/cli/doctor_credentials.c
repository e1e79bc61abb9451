/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_credentials.c - the check of registry logins: can they be read, and does the registry accept them?
 *
 * Asked are the registries that the user's own files name: those of logins and those of config.ini. Nobody else is, least of
 * all one that a project names; and a login goes to nobody but the registry it is for. Not with --offline.
 */
#include "cli/doctor.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "fetch/credentials.h"
#include "fetch/registry.h"

#define HUB "docker.io"

/* "docker-credential-pass (not installed)": a program that was named and could not be asked. NULL: none. */
static const char *unasked(const struct strlist *asked)
{
	for (size_t i = 0; i < asked->count; i++)
		if (text_ends(asked->items[i], "(not installed)") || text_ends(asked->items[i], "(failed)") ||
		    text_ends(asked->items[i], "(could not be run)"))
			return asked->items[i];
	return NULL;
}

static bool failed(struct doctor_result *r, const char *host, const struct err *e)
{
	doctor_say(r, DOCTOR_WARN, "%s", e->msg);
	if (e->hint[0])
		doctor_remedy(r, "%s", e->hint);
	else if (e->code == ERR_NETWORK)
		doctor_remedy(r, "see whether this machine reaches it: curl -I https://%s/v2/", text_safe(host));
	else
		doctor_remedy(r, "log in again: docker login %s, or podman login %s", text_safe(host), text_safe(host));
	return false;
}

/* Once, and soon: this is a check. */
static int ask(const struct doctor_machine *m, const char *host, struct err *e)
{
	static const struct http_settings quick = { .connect_timeout_ms = 3000, .stall_timeout_ms = 5000, .tries = 1 };
	const struct reference ref = { .host = (char *)(uintptr_t)host, .path = (char *)(uintptr_t)"" };
	struct http *h = http_new(&quick);
	struct registry *registry = registry_new(h, m->user, &ref);
	int r = registry_login(registry, e);

	registry_free(registry);
	http_free(h);
	return r;
}

/* false: something was wrong, and said. */
static bool check_host(const struct doctor_machine *m, const char *host, struct doctor_result *r, struct buf *good)
{
	cleanup_strlist struct strlist asked = STRLIST_INIT;
	struct credentials found = { 0 };
	struct err e = ERR_INIT;
	int got = credentials_find(host, strcmp(host, HUB) == 0 ? "library/debian" : "", &found, &asked, &e);

	credentials_release(&found);
	if (got < 0)
		return failed(r, host, &e);
	if (got == 0 && unasked(&asked)) {
		doctor_say(r, DOCTOR_WARN, "a login for %s may be lacking: %s", text_safe(host), text_safe(unasked(&asked)));
		doctor_remedy(r, "install that program, or log in again: docker login %s, podman login %s", text_safe(host),
		              text_safe(host));
		return false;
	}
	if (got == 0)
		return true;
	if (m->user && ask(m, host, &e) < 0)
		return failed(r, host, &e);
	buf_addf(good, "%s%s (%s)", good->len ? ", " : "", text_safe(host),
	         m->user ? "accepted" : asked.count ? text_safe(asked.items[asked.count - 1]) : "found");
	return true;
}

void doctor_credentials(const struct doctor_machine *m, struct doctor_result *r)
{
	cleanup_strlist struct strlist hosts = STRLIST_INIT;
	cleanup_buf struct buf good = BUF_INIT;

	strlist_add(&hosts, HUB);
	for (size_t i = 0; m->user && i < m->user->registry_count; i++)
		if (!strlist_has(&hosts, m->user->registries[i].host))
			strlist_add(&hosts, m->user->registries[i].host);
	credentials_hosts(&hosts);
	for (size_t i = 0; i < hosts.count; i++)
		if (!check_host(m, hosts.items[i], r, &good))
			return;
	if (good.len)
		doctor_say(r, DOCTOR_OK, "%s", good.data);
	else
		doctor_say(r, DOCTOR_SKIP, "none: the limits of " HUB " for anonymous pulls apply");
}
