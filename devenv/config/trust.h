/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.h - the record of the powers a user granted to a project: a small INI file below the state directory. Pure.
 * Which powers a config asks for is decided in env/powers.c; here they are opaque lines that are compared.
 */
#ifndef DEVENV_CONFIG_TRUST_H
#define DEVENV_CONFIG_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct trust {
	struct strlist powers; /* machine keys: "network:host", "mount:/data:ro"; sorted */
};

int trust_parse(const char *name, const char *text, size_t len, struct trust *out, struct err *e);
void trust_format(const struct trust *t, struct buf *out);
void trust_release(struct trust *t);

#endif
