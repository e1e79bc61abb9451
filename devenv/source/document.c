/* SPDX-License-Identifier: Apache-2.0 */
/* document.c - see document.h. */
#include "source/document.h"

#include <string.h>

#include "base/text.h"

/* An empty object costs jansson some 200 bytes: three bytes of input each, so 4 MiB of them would be 300 MB.
 * The largest real document (an index of a hundred platforms, a config with a long history) has a few
 * hundred. */
#define CONTAINERS_MAX 65536

static const char *type_name(json_type type)
{
	switch (type) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	default:
		return "of that type";
	}
}

json_t *document_load(const char *what, const char *json, size_t len, struct err *e)
{
	json_error_t error;
	size_t containers = 0;
	json_t *root;

	if (len > DOCUMENT_MAX) {
		err_set_(e, ERR_INTEGRITY, "the %s has %zu bytes, more than the %u that are allowed", what,
		         len, DOCUMENT_MAX);
		return NULL;
	}
	for (size_t i = 0; i < len; i++)
		containers += json[i] == '{' || json[i] == '[';
	if (containers > CONTAINERS_MAX) {
		err_set_(e, ERR_INTEGRITY, "the %s has more than %d objects and arrays", what,
		         CONTAINERS_MAX);
		return NULL;
	}
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		err_set_(e, ERR_INTEGRITY, "the %s is not the JSON it should be: line %d: %s", what,
		         error.line, text_safe(error.text));
	return root;
}

int document_string(const json_t *object, const char *what, const char *key, const char **out, struct err *e)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_null(value) && !json_is_string(value))
		return err_set(e, ERR_INTEGRITY, "the %s is malformed: '%s' is not a string", what, key);
	*out = json_string_value(value);
	return 0;
}

int document_member(const json_t *object, const char *what, const char *key, json_type type, json_t **out,
                    struct err *e)
{
	json_t *value = json_object_get(object, key);

	if (value && json_is_null(value))
		value = NULL;
	if (value && json_typeof(value) != type)
		return err_set(e, ERR_INTEGRITY, "the %s is malformed: '%s' is not %s", what, key,
		               type_name(type));
	*out = value;
	return 0;
}

int document_strings(const json_t *object, const char *what, const char *key, struct strlist *out,
                     struct err *e)
{
	json_t *array, *value;
	size_t i;

	if (document_member(object, what, key, JSON_ARRAY, &array, e) < 0)
		return -1;
	json_array_foreach(array, i, value) {
		if (!json_is_string(value))
			return err_set(e, ERR_INTEGRITY,
			               "the %s is malformed: item %zu of '%s' is not a string", what, i + 1,
			               key);
		strlist_add(out, json_string_value(value));
	}
	return 0;
}
