/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script.c - where the lines of a script stand in the file that has it.
 *
 * Asked only when a script failed, so the reader keeps nothing for it: the text is gone through once more. Comments in the
 * first column are no lines of the value, blank lines between its lines are.
 */
#include "config/script.h"

#include <stdbool.h>
#include <string.h>

static bool is_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r')
			return false;
	return true;
}

unsigned int script_line(const char *text, size_t len, unsigned int key, unsigned int n)
{
	const char *end = text + len, *next;
	unsigned int number = 1, count = 0, blanks = 0;

	for (const char *s = text; s < end; s = next, number++) {
		const char *newline = memchr(s, '\n', (size_t)(end - s)), *stop = newline ? newline : end, *value = s;

		next = newline ? newline + 1 : end;
		if (number < key)
			continue;
		if (number == key) {
			value = memchr(s, '=', (size_t)(stop - s));
			if (!value)
				return 0;
			value++;
		}
		if (is_blank(value, (size_t)(stop - value))) {
			blanks += number > key && count > 0;
			continue;
		}
		if (number > key && (*s == '#' || *s == ';'))
			continue;
		if (number > key && *s != ' ' && *s != '\t')
			return 0;
		count += blanks + 1;
		blanks = 0;
		if (count >= n)
			return number - (count - n); /* a blank one is as good as said to be right above */
	}
	return 0;
}
