/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - the error value that library code fills and the CLI prints once.
 *
 * Library functions return 0 or a non-negative value on success and -1 on failure, and fill the caller's `struct err`
 * only on failure. Nothing below cli/ and launcher/ prints or exits. `err_set`, `err_sys` and `err_wrap` are macros
 * that evaluate to -1, so `return err_set(...)` is the usual way out.
 *
 * The message says what was tried, on what, and why it failed; the hint says what to do. Neither ends in a full stop
 * or newline. Anything a repository, an archive or a network peer controls must be passed through text_escape() first.
 */
#ifndef DEVENV_BASE_ERR_H
#define DEVENV_BASE_ERR_H

#include <errno.h>
#include <stdarg.h>

/* Stable: the names appear in `--json` output (err_code_name). */
enum err_code {
	ERR_NONE = 0,
	ERR_FAILED,	 /* "failed": anything without a better name */
	ERR_USAGE,	 /* "usage": the command line is wrong; exit 2 */
	ERR_CONFIG,	 /* "config": devenv.ini or another input file is wrong */
	ERR_NO_PROJECT,	 /* "no-project": no devenv.ini here or above */
	ERR_NOT_ALLOWED, /* "not-allowed": powers not granted */
	ERR_LOCK,	 /* "lock": devenv.lock is missing, stale or malformed */
	ERR_OFFLINE,	 /* "offline": the network is needed but --offline is in force */
	ERR_NETWORK,	 /* "network": a server could not be reached or misbehaved */
	ERR_AUTH,	 /* "auth": a server refused our credentials */
	ERR_NOT_FOUND,	 /* "not-found": the named image, file or thing does not exist */
	ERR_INTEGRITY,	 /* "integrity": size, digest, signature or format does not match */
	ERR_SPACE,	 /* "no-space": disk or quota exhausted */
	ERR_STORE,	 /* "store": the store can't be used */
	ERR_SANDBOX,	 /* "sandbox": this machine can't make the sandbox */
	ERR_UNSUPPORTED, /* "not-supported": known, not built yet or not possible here */
	ERR_BUSY,	 /* "busy": somebody else holds it */
	ERR_INTERRUPTED, /* "interrupted": SIGINT, SIGTERM or SIGHUP arrived */
	ERR_EXEC_FORMAT, /* command found but can't be executed: exit 126 */
	ERR_EXEC_MISSING, /* command not found: exit 127 */
};

struct err {
	enum err_code code; /* ERR_NONE: no error recorded */
	int sys;	    /* the errno behind it, 0 if none */
	char msg[1024];
	char hint[512]; /* "" if there is nothing useful to say */
};

#define ERR_INIT ((struct err){ .code = ERR_NONE })

/* Replace the error: code and printf-style message. Clears the hint. */
#define err_set(e, code, ...) ({ err_set_((e), (code), __VA_ARGS__); -1; })
/* The same from errno: message ": strerror(errno)"; ENOSPC and EDQUOT become ERR_SPACE, otherwise `ERR_FAILED`. */
#define err_sys(e, ...) ({ err_sys_((e), errno, __VA_ARGS__); -1; })
/* Put a prefix "…: " before the message that is there. */
#define err_wrap(e, ...) ({ err_wrap_((e), __VA_ARGS__); -1; })
/* Set what to do about it. Evaluates to -1. */
#define err_hint(e, ...) ({ err_hint_((e), __VA_ARGS__); -1; })

void err_set_(struct err *e, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void err_sys_(struct err *e, int sys, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void err_wrap_(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_hint_(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The stable name of a code, as in `--json` output. Never NULL. */
const char *err_code_name(enum err_code code);

#endif
