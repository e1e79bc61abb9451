/* SPDX-License-Identifier: Apache-2.0 */
/* images.h - the store's images as the commands need them: opened, listed, found by what a person types. */
#ifndef DEVENV_CLI_IMAGES_H
#define DEVENV_CLI_IMAGES_H

#include "cli/cli.h"

struct images {
	struct environment env;
	struct store store;
	struct store_list_item *items;
	size_t count;
	struct strlist live, requests; /* digests that checkouts refer to, and beside each by what name, or "" */
};

int images_open(struct cli *c, struct images *i, struct err *e);
void images_close(struct images *i);
/* By name (with docker's defaults filled in), or by the beginning of a digest with or without "sha256:", at least 4
 * digits. NULL: ERR_NOT_FOUND, with the nearest name; or ERR_USAGE when several images begin so. */
const struct store_list_item *images_find(const struct images *i, const char *text, struct err *e);

#endif
