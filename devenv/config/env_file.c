/* SPDX-License-Identifier: Apache-2.0 */
/* env_file.c - environment variables: their names, and the files of NAME=value lines that docker accepts. */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/variable.h"

bool config_env_name_is_valid(const char *name)
{
	return variable_is_name(name);
}

/* One line, without its end. Returns 1 and fills *pair, 0 for a line that says nothing, -1. */
static int parse_line(const char *name, unsigned int number, char *line, struct config_pair *pair,
                      struct err *e)
{
	char *s = line + strspn(line, " \t"), *equals;

	if (*s == '\0' || *s == '#')
		return 0;
	if (!strncmp(s, "export", 6) && (s[6] == ' ' || s[6] == '\t'))
		s += 6 + strspn(s + 6, " \t");
	equals = strchr(s, '=');
	if (!equals) {
		err_set(e, ERR_CONFIG, "%s:%u: '%s' is not NAME=value", text_safe(name), number,
		        text_safe(s));
		return err_hint(e, "variables of the host are not taken over by their name alone");
	}
	*equals = '\0';
	if (variable_check(s, e))
		return err_wrap(e, "%s:%u", text_safe(name), number);
	*pair = (struct config_pair){ .name = mem_strdup(s),
		                      .value = mem_strdup(equals + 1),
		                      .line = number };
	return 1;
}

int config_parse_env_file(const char *name, const char *text, size_t len, struct config_pair **pairs,
                          size_t *count, size_t *cap, struct err *e)
{
	size_t before = *count, pos = 0;
	unsigned int number = 0;
	int rc = 0;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		pos = 3;
	while (pos < len && rc >= 0) {
		const char *start = text + pos, *end = memchr(start, '\n', len - pos);
		size_t n = end ? (size_t)(end - start) : len - pos;
		cleanup_free char *line = NULL;
		struct config_pair pair;

		pos += n + (end ? 1 : 0);
		number++;
		if (n > 0 && start[n - 1] == '\r')
			n--;
		if (memchr(start, '\0', n)) {
			rc = err_set(e, ERR_CONFIG, "%s:%u: there is a NUL byte in this line",
			             text_safe(name), number);
			break;
		}
		line = mem_strndup(start, n);
		rc = parse_line(name, number, line, &pair, e);
		if (rc > 0) {
			*pairs = mem_grow(*pairs, *count, cap, sizeof(**pairs));
			(*pairs)[(*count)++] = pair;
		}
	}
	if (rc >= 0)
		return 0;
	while (*count > before) {
		--*count;
		free((*pairs)[*count].name);
		free((*pairs)[*count].value);
	}
	return -1;
}

void config_pairs_release(struct config_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(pairs[i].name);
		free(pairs[i].value);
	}
	free(pairs);
}
