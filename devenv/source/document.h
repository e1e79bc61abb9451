/* SPDX-License-Identifier: Apache-2.0 */
/*
 * document.h - JSON as images carry it, read strictly: bounded size and nesting, no duplicate keys (two
 * parsers that disagree about which of them counts see two different images), no NUL, nothing after the end.
 * Security rule 12.
 */
#ifndef DEVENV_SOURCE_DOCUMENT_H
#define DEVENV_SOURCE_DOCUMENT_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define DOCUMENT_MAX (4u << 20) /* bytes of a manifest, an index or a config */

/* Parse; `what` names it in messages ("manifest"). NULL: ERR_INTEGRITY. The caller ends with json_decref. */
json_t *document_load(const char *what, const char *json, size_t len, struct err *e);

/* The string under `key`; *out is NULL where it is absent or null. Points into `object`. Another type:
 * ERR_INTEGRITY. */
int document_string(const json_t *object, const char *what, const char *key, const char **out, struct err *e);
/* The object or array under `key` (`type`: JSON_OBJECT or JSON_ARRAY), as above. */
int document_member(const json_t *object, const char *what, const char *key, json_type type, json_t **out,
                    struct err *e);
/* Append the strings of the array under `key` to `out`; absent or null adds nothing. */
int document_strings(const json_t *object, const char *what, const char *key, struct strlist *out,
                     struct err *e);

#endif
