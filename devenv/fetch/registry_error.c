/* SPDX-License-Identifier: Apache-2.0 */
/* registry_error.c - a registry's refusals in words that say what to do. All text of the registry is escaped. */
#include "fetch/registry_internal.h"

#include <string.h>

#include "base/dirs.h"
#include "base/mem.h"
#include "base/text.h"
#include "fetch/auth.h"

void registry_error_login_hint(struct registry_endpoint *ep, struct err *e)
{
	cleanup_buf struct buf places = BUF_INIT;

	pthread_mutex_lock(&ep->lock);
	for (size_t i = 0; i < ep->looked_at.count; i++) {
		buf_adds(&places, i ? ", " : "; looked at: ");
		text_escape(&places, ep->looked_at.items[i]);
	}
	pthread_mutex_unlock(&ep->lock);
	err_hint(e, "log in with `docker login %s` or `podman login %s`%s", text_safe(ep->host), text_safe(ep->host),
		 places.data);
}

static int refused(struct registry_endpoint *ep, const char *what, const char *said, struct err *e)
{
	bool anonymous;

	pthread_mutex_lock(&ep->lock);
	anonymous = !ep->credentials.username && !ep->credentials.identity_token && !ep->credentials.registry_token;
	pthread_mutex_unlock(&ep->lock);
	/* Registries do not tell strangers what exists. */
	err_set(e, ERR_AUTH, "registry %s refuses access to %s%s: %s, or it does not exist", text_safe(ep->host),
		text_safe(what), said, anonymous ? "it wants a login" : "the login that was found is not enough");
	registry_error_login_hint(ep, e);
	return -1;
}

int registry_error(struct registry_endpoint *ep, const struct http_response *response, const char *what, struct err *e)
{
	cleanup_buf struct buf said = BUF_INIT;
	cleanup_buf struct buf text = BUF_INIT;
	long status = response->status;

	auth_error_text(response->body.data, response->body.len, &text);
	if (text.len > 0)
		buf_addf(&said, " (%s)", text.data);
	if (status == 401 || status == 403)
		return refused(ep, what, said.data, e);
	if (status == 404 || status == 410) {
		err_set(e, ERR_NOT_FOUND, "registry %s has no %s%s", text_safe(ep->host), text_safe(what), said.data);
		return err_hint(e, "check the name and the tag");
	}
	if (status == 429) {
		err_set(e, ERR_NETWORK, "registry %s limits how often this address may pull%s", text_safe(ep->host),
			said.data);
		return err_hint(e, "wait, log in with `docker login %s` or `podman login %s`, or name a `mirror` in "
				   "[registry.%s] of %s",
				text_safe(ep->host), text_safe(ep->host), text_safe(ep->host), dirs_shown_config());
	}
	err_set(e, ERR_NETWORK, "registry %s answered with HTTP status %ld%s when asked for %s", text_safe(ep->host),
		status, said.data, text_safe(what));
	if (status >= 500)
		err_hint(e, "the fault is the registry's: try again later");
	return -1;
}
