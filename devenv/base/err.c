/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - filling error values; a NULL error is allowed where the caller does not care. */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

static void put(char *to, size_t size, const char *text)
{
	size_t n = strnlen(text, size - 1);

	memcpy(to, text, n);
	to[n] = '\0';
}

void err_set_(struct err *e, enum err_code code, const char *fmt, ...)
{
	int saved = errno;
	char text[sizeof(e->msg)]; /* the arguments may point into e */
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	e->code = code;
	e->sys = 0;
	put(e->msg, sizeof(e->msg), text);
	e->hint[0] = '\0';
	errno = saved;
}

void err_sys_(struct err *e, int sys, const char *fmt, ...)
{
	char text[sizeof(e->msg)];
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set_(e, sys == ENOSPC || sys == EDQUOT ? ERR_SPACE : ERR_FAILED, "%s: %s", text, strerror(sys));
	e->sys = sys;
	errno = sys;
}

void err_wrap_(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	char text[2 * sizeof(e->msg) + 2];
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(e->msg), fmt, ap);
	va_end(ap);
	put(text + strlen(text), 3, ": ");
	put(text + strlen(text), sizeof(e->msg), e->msg);
	put(e->msg, sizeof(e->msg), text);
	if (e->code == ERR_NONE)
		e->code = ERR_FAILED;
	errno = saved;
}

void err_hint_(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	char text[sizeof(e->hint)];
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(e->hint, sizeof(e->hint), text);
	errno = saved;
}

const char *err_code_name(enum err_code code)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_FAILED] = "failed",
		[ERR_USAGE] = "usage",
		[ERR_CONFIG] = "config",
		[ERR_NO_PROJECT] = "no-project",
		[ERR_NOT_ALLOWED] = "not-allowed",
		[ERR_LOCK] = "lock",
		[ERR_OFFLINE] = "offline",
		[ERR_NETWORK] = "network",
		[ERR_AUTH] = "auth",
		[ERR_NOT_FOUND] = "not-found",
		[ERR_INTEGRITY] = "integrity",
		[ERR_SPACE] = "no-space",
		[ERR_STORE] = "store",
		[ERR_SANDBOX] = "sandbox",
		[ERR_UNSUPPORTED] = "not-supported",
		[ERR_BUSY] = "busy",
		[ERR_INTERRUPTED] = "interrupted",
		[ERR_EXEC_FORMAT] = "exec-format",
		[ERR_EXEC_MISSING] = "exec-missing",
	};

	if ((unsigned int)code >= sizeof(names) / sizeof(names[0]) || !names[code])
		return "failed";
	return names[code];
}
