/* SPDX-License-Identifier: Apache-2.0 */
/* inside.c - certificates and terminal descriptions of the host, where the image has none. */
#include "env/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/terminfo.h"
#include "env/inputs.h"

/* Debian and Alpine; Fedora and RHEL; openSUSE; musl's and the BSDs' name. */
static const char *const bundles[] = { "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
				       "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem" };

/* The plan is made again when the bundle changes: authorities are also taken away. One that is not for us, or is none, is
 * passed over; after a failure of the machine the plan would lack them for as long as they stay the same. */
static int read_bundle(struct draft *d, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(bundles); i++) {
		struct err why = ERR_INIT;
		struct input in = { .path = bundles[i], .dirfd = AT_FDCWD, .name = bundles[i] };
		int got = file_exists(AT_FDCWD, bundles[i]) ? inputs_read(d->env, &in, ERR_CONFIG, out, &why) : 0;

		if (got > 0)
			return 1;
		if (got < 0 && why.sys && why.sys != EACCES && why.sys != EPERM) {
			*e = why;
			return err_wrap(e, "the certificates of this machine");
		}
	}
	return 0;
}

int inside_put_certificates(struct draft *d, struct err *e)
{
	cleanup_buf struct buf bundle = BUF_INIT;
	int red_hat, got;

	for (size_t i = 0; i < ARRAY_SIZE(bundles); i++) {
		int has = draft_has(d, bundles[i], e);

		if (has)
			return has < 0 ? -1 : 0;
	}
	got = read_bundle(d, &bundle, e);
	if (got <= 0)
		return got;
	if (draft_put_file(d, bundles[0], bundle.data, bundle.len, 0644, e) < 0)
		return -1;
	red_hat = draft_has(d, "/etc/pki/tls", e);
	if (red_hat < 0 || (red_hat && draft_put_file(d, bundles[1], bundle.data, bundle.len, 0644, e) < 0))
		return -1;
	/* For openssl, which has a place of its own in every distribution. */
	if (!variables_get(&d->variables, "SSL_CERT_FILE"))
		variables_set(&d->variables, "SSL_CERT_FILE", bundles[0]);
	return 0;
}

/* ---- terminals ---- */

static const char *const inside_places[] = { "/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo" };

static int image_has(struct draft *d, const char *name, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(inside_places); i++) {
		cleanup_free char *path = mem_printf("%s/%c/%s", inside_places[i], name[0], name);
		int has = draft_has(d, path, e);

		if (has)
			return has;
	}
	return 0;
}

/* /etc/terminfo is the first place that the ncurses of the large distributions look at. */
static int put_terminal(struct draft *d, const char *name, struct err *e)
{
	cleanup_free char *path = NULL;
	cleanup_buf struct buf description = BUF_INIT;
	int has;

	if (!terminfo_is_name(name))
		return 0;
	has = image_has(d, name, e);
	if (has || !terminfo_read(name, d->env->dirs.home, &description))
		return has < 0 ? -1 : 0;
	path = mem_printf("%s/%c/%s", inside_places[0], name[0], name);
	return draft_put_file(d, path, description.data, description.len, 0644, e);
}

int inside_put_terminals(struct draft *d, struct err *e)
{
	/* Beside the caller's own: sessions of one plan come from several terminals. For others see sandbox/environ.c. */
	const char *own = getenv("TERM");

	if (own && put_terminal(d, own, e) < 0)
		return -1;
	for (size_t i = 0; terminfo_usual[i]; i++)
		if (put_terminal(d, terminfo_usual[i], e) < 0)
			return -1;
	return 0;
}
