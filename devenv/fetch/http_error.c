/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_error.c - what went wrong, in words that say what to do. Only the host of a URL is ever shown: the rest of a
 * redirect's address may be a signature that gives access.
 */
#include "fetch/http_internal.h"

#include <string.h>

#include "base/dirs.h"
#include "base/mem.h"
#include "base/text.h"

const char *http_error_what(const struct http_request *r)
{
	return r->what ? r->what : "server";
}

static void no_address(struct http_try *t, const char *host)
{
	err_set(&t->err, ERR_NETWORK, "can't reach %s %s: its name has no address (no network, or a wrong name)",
		http_error_what(t->request), host);
	err_hint(&t->err, "check the name, the network, a VPN, and $https_proxy if there is a proxy; `--offline` works "
			  "with what was fetched before");
}

static void no_connection(struct http_try *t, const char *host)
{
	long number = 0;

	curl_easy_getinfo(t->http->easy, CURLINFO_OS_ERRNO, &number);
	if (number == ECONNREFUSED)
		err_set(&t->err, ERR_NETWORK, "can't reach %s %s: connection refused", http_error_what(t->request), host);
	else
		err_set(&t->err, ERR_NETWORK, "can't reach %s %s: %s", http_error_what(t->request), host,
			number ? strerror((int)number) : text_safe(t->curl_text));
	t->err.sys = (int)number;
	if (number == ECONNREFUSED)
		err_hint(&t->err, "is it running, and is the port right?");
	else
		err_hint(&t->err, "check the network, a VPN, and $https_proxy if there is a proxy; `--offline` works with "
				  "what was fetched before");
}

static void bad_certificate(struct http_try *t, const char *host)
{
	err_set(&t->err, ERR_NETWORK, "can't trust %s %s: %s", http_error_what(t->request), host,
		text_safe(t->curl_text));
	err_hint(&t->err, "a private certificate authority is added by `ca = FILE` in [registry.HOST] of %s, or by "
			  "$SSL_CERT_FILE", dirs_shown_config());
}

/* Whoever knows the way knows better what to do about it. */
static void hint_of_route(struct http_try *t, CURLcode code)
{
	const char *hint = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT ||
					   code == CURLE_OPERATION_TIMEDOUT
				   ? t->route.reach_hint
			   : code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_INVALIDCERTSTATUS
				   ? t->route.trust_hint
				   : NULL;

	if (hint)
		(void)err_hint(&t->err, "%s", hint);
}

static enum http_fault describe(struct http_try *t, CURLcode code, const char *host)
{
	const char *what = http_error_what(t->request);
	const char *text = t->curl_text[0] ? text_safe(t->curl_text) : curl_easy_strerror(code);

	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		no_address(t, host);
		return HTTP_FAULT_CONNECT;
	case CURLE_COULDNT_RESOLVE_PROXY:
		err_set(&t->err, ERR_NETWORK, "can't reach %s %s: the proxy's name has no address", what, host);
		err_hint(&t->err, "look at $https_proxy, $http_proxy and $all_proxy");
		return HTTP_FAULT_CONNECT;
	case CURLE_COULDNT_CONNECT:
		no_connection(t, host);
		return HTTP_FAULT_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		err_set(&t->err, ERR_NETWORK, "can't reach %s %s: no answer within %ld ms", what, host,
			t->http->options.connect_ms);
		err_hint(&t->err, "check the network, a VPN, and $https_proxy if there is a proxy");
		return HTTP_FAULT_STALL;
	case CURLE_SSL_CONNECT_ERROR:
		err_set(&t->err, ERR_NETWORK, "can't speak TLS with %s %s: %s", what, host, text);
		err_hint(&t->err, "if it speaks plain http, allow that by `insecure = yes` in [registry.HOST] of %s",
			 dirs_shown_config());
		return HTTP_FAULT_CONNECT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		bad_certificate(t, host);
		return HTTP_FATAL;
	case CURLE_SSL_CACERT_BADFILE:
		err_set(&t->err, ERR_CONFIG, "can't use the certificates in '%s' for %s",
			t->request->ca_file ? text_safe(t->request->ca_file) :
			t->route.ca_file ? text_safe(t->route.ca_file) : "$SSL_CERT_FILE", host);
		return HTTP_FATAL;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_WEIRD_SERVER_REPLY:
		err_set(&t->err, ERR_NETWORK, "the transfer from %s %s broke off: %s", what, host, text);
		err_hint(&t->err, "try again; if it stays so, look for a proxy or firewall on the way");
		return HTTP_FAULT_BROKEN;
	default:
		err_set(&t->err, ERR_NETWORK, "can't fetch from %s %s: %s", what, host, text);
		return HTTP_FATAL;
	}
}

enum http_fault http_error_from_curl(struct http_try *t, CURLcode code)
{
	cleanup_free char *host = http_url_host(t->url);
	enum http_fault fault = describe(t, code, text_safe(host));

	hint_of_route(t, code);
	return fault;
}

void http_error_from_status(const struct http_try *t, struct err *e)
{
	cleanup_free char *host = http_url_host(t->url);
	long status = t->response.status;
	enum err_code code = ERR_NETWORK;

	if (status == 401 || status == 403)
		code = ERR_AUTH;
	else if (status == 404 || status == 410)
		code = ERR_NOT_FOUND;
	err_set(e, code, "%s %s answered with HTTP status %ld%s", http_error_what(t->request), text_safe(host), status,
		status == 429 ? " (too many requests)" : status >= 500 ? " (an error of its own)" : "");
	if (status >= 500 || status == 429)
		err_hint(e, "try again later");
}
