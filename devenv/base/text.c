/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - numbers, sizes, nearest names, hashes. Escaping is in text_escape.c. */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The launcher (musl) has one thread, and thread-local storage would cost its start a mapping. */
#ifdef __GLIBC__
#define PER_THREAD _Thread_local
#else
#define PER_THREAD
#endif

bool text_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool text_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !memcmp(s + n - m, suffix, m);
}

bool text_is_hex(const char *s, size_t len)
{
	return strspn(s, "0123456789abcdef") == len && s[len] == '\0';
}

int text_number(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (!*s)
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value) || value > max)
			return -1;
	}
	*out = value;
	return 0;
}

int text_size(const char *s, uint64_t *out)
{
	static const char units[] = "KMGT";
	size_t n = strlen(s);
	char digits[24];
	const char *unit;
	uint64_t value;
	unsigned int shift = 0;

	if (!n || n >= sizeof(digits))
		return -1;
	unit = strchr(units, s[n - 1]);
	if (unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		n--;
	}
	memcpy(digits, s, n);
	digits[n] = '\0';
	if (text_number(digits, UINT64_MAX, &value) < 0 || value > UINT64_MAX >> shift)
		return -1;
	*out = value << shift;
	return 0;
}

const char *text_bytes(uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	static PER_THREAD char slots[8][16];
	static PER_THREAD unsigned int next;
	char *slot = slots[next++ % 8];
	uint64_t unit = 1, tenths;
	size_t i = 0;

	while (bytes / unit >= 1000 && i + 1 < ARRAY_SIZE(units)) {
		unit *= 1000;
		i++;
	}
	if (!i) {
		snprintf(slot, sizeof(slots[0]), "%uB", (unsigned int)bytes);
		return slot;
	}
	tenths = bytes / (unit / 10);
	tenths += bytes % (unit / 10) >= unit / 20;
	if (tenths >= 10000 && i + 1 < ARRAY_SIZE(units)) { /* 999.96 kB is 1 MB */
		tenths = 10;
		i++;
	}
	if (tenths % 10)
		snprintf(slot, sizeof(slots[0]), "%u.%u%s", (unsigned int)(tenths / 10), (unsigned int)(tenths % 10),
			 units[i]);
	else
		snprintf(slot, sizeof(slots[0]), "%u%s", (unsigned int)(tenths / 10), units[i]);
	return slot;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* A letter in the wrong case is no slip worth counting. */
static bool same(char a, char b)
{
	if (a >= 'A' && a <= 'Z')
		a = (char)(a - 'A' + 'a');
	if (b >= 'A' && b <= 'Z')
		b = (char)(b - 'A' + 'a');
	return a == b;
}

/* Optimal string alignment distance of two short words; longer ones are as far apart as can be. */
static unsigned int distance(const char *a, const char *b)
{
	enum { LONGEST = 48 };
	unsigned int rows[3][LONGEST + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return 1000;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int *row = rows[i % 3], *above = rows[(i - 1) % 3];
		const unsigned int *two_above = rows[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = above[j - 1] + !same(a[i - 1], b[j - 1]);
			row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

const char *text_nearest(const char *word, const char *const *candidates)
{
	size_t n = strlen(word);
	unsigned int best = n < 4 ? 2 : n < 8 ? 3 : 4; /* one, two or three slips are worth a suggestion */
	const char *nearest = NULL;

	for (; *candidates; candidates++) {
		unsigned int d = distance(word, *candidates);

		if (d < best && d < n) {
			best = d;
			nearest = *candidates;
		}
	}
	return nearest;
}

uint64_t text_hash_add(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	return hash;
}

uint64_t text_hash(const void *data, size_t len)
{
	return text_hash_add(TEXT_HASH_INIT, data, len);
}
