/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_network.c - the check of what stands between this machine and a registry: a proxy that was named and is not
 * there. Nothing is sent to it, it is only connected to.
 */
#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define CONNECT_MS 3000

/* "http://user:secret@proxy.example.org:3128/" into host and port. false: it is none of these. */
static bool split_proxy(const char *url, char host[256], char port[8])
{
	const char *scheme = strstr(url, "://"), *at, *colon;
	size_t len, host_len;

	snprintf(port, 8, "%s", text_starts(url, "https:") ? "443" : "1080"); /* what curl takes */
	if (scheme)
		url = scheme + 3;
	len = strcspn(url, "/");
	at = memrchr(url, '@', len);
	if (at) {
		len -= (size_t)(at + 1 - url);
		url = at + 1;
	}
	if (*url == '[') {
		const char *end = memchr(url, ']', len);

		if (!end)
			return false;
		snprintf(host, 256, "%.*s", (int)(end - url - 1), url + 1);
		colon = end[1] == ':' ? end + 1 : NULL;
	} else {
		colon = memchr(url, ':', len);
		host_len = colon ? (size_t)(colon - url) : len;
		snprintf(host, 256, "%.*s", (int)host_len, url);
	}
	if (colon) {
		size_t digits = len - (size_t)(colon + 1 - url);

		if (digits == 0 || digits > 5 || strspn(colon + 1, "0123456789") < digits)
			return false;
		snprintf(port, 8, "%.*s", (int)digits, colon + 1);
	}
	return host[0] != '\0';
}

/* 0, or the errno of the last address tried. */
static int try_address(const struct addrinfo *a)
{
	cleanup_close int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int failure = 0;
	socklen_t size = sizeof(failure);

	if (fd < 0)
		return errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&p, 1, CONNECT_MS) <= 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0 ? errno : failure;
}

/* NULL when somebody answers; else why not, in a static string of libc's. */
static const char *try_connect(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *list;
	int failure = getaddrinfo(host, port, &hints, &list);

	if (failure)
		return gai_strerror(failure);
	failure = ECONNREFUSED;
	for (const struct addrinfo *a = list; a && failure; a = a->ai_next)
		failure = try_address(a);
	freeaddrinfo(list);
	return failure ? strerror(failure) : NULL;
}

void doctor_network_proxy(const struct doctor_machine *m, struct doctor_result *r)
{
	/* as libcurl: HTTP_PROXY in capitals is not looked at, since a web server could set it */
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY" };
	const char *seen = NULL;

	(void)m;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]), *why;
		char host[256], port[8];

		if (!value || !*value || (seen && strcmp(seen, value) == 0))
			continue;
		seen = value;
		if (!split_proxy(value, host, port)) {
			/* not quoted: it may hold a password */
			doctor_say(r, DOCTOR_WARN, "%s is not the address of a proxy", names[i]);
			doctor_remedy(r, "export %s=http://HOST:PORT, or: unset %s", names[i], names[i]);
			return;
		}
		why = try_connect(host, port);
		if (why) {
			doctor_say(r, DOCTOR_WARN, "%s names %s:%s, which can't be reached: %s", names[i],
			           text_safe(host), port, why);
			doctor_remedy(r, "start that proxy, or: unset %s", names[i]);
			return;
		}
		doctor_say(r, DOCTOR_OK, "%s:%s answers (%s)", text_safe(host), port, names[i]);
	}
	if (!seen)
		doctor_say(r, DOCTOR_SKIP, "none is set");
}
