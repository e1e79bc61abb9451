/* SPDX-License-Identifier: Apache-2.0 */
/* debian_version.c - the version comparison of Debian policy 5.6.12, over byte ranges. */
#include "source/debian_version.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* '~' before the end, the end before letters, letters before everything else. */
static int weight(struct debian_text t)
{
	if (t.len == 0 || is_digit(*t.at))
		return 0;
	if (*t.at == '~')
		return -1;
	return is_letter(*t.at) ? (unsigned char)*t.at : (unsigned char)*t.at + 256;
}

static void skip(struct debian_text *t, size_t n)
{
	t->at += n;
	t->len -= n;
}

static int compare_words(struct debian_text *a, struct debian_text *b)
{
	while ((a->len && !is_digit(*a->at)) || (b->len && !is_digit(*b->at))) {
		int order = weight(*a) - weight(*b);

		if (order)
			return order;
		skip(a, 1); /* equal weights that are not 0: both have a byte here */
		skip(b, 1);
	}
	return 0;
}

static size_t take_digits(struct debian_text *t, const char **at)
{
	size_t n = 0;

	while (t->len && *t->at == '0')
		skip(t, 1);
	*at = t->at;
	while (n < t->len && is_digit(t->at[n]))
		n++;
	skip(t, n);
	return n;
}

static int compare_numbers(struct debian_text *a, struct debian_text *b)
{
	const char *x, *y;
	size_t n = take_digits(a, &x), m = take_digits(b, &y);

	if (n != m)
		return n < m ? -1 : 1;
	return n ? memcmp(x, y, n) : 0;
}

/* One part: words and numbers in turn. */
static int compare_part(struct debian_text a, struct debian_text b)
{
	while (a.len || b.len) {
		int order = compare_words(&a, &b);

		if (order == 0)
			order = compare_numbers(&a, &b);
		if (order)
			return order;
	}
	return 0;
}

static struct debian_text take_epoch(struct debian_text *v)
{
	struct debian_text epoch = { v->at, 0 };
	const char *colon = v->len ? memchr(v->at, ':', v->len) : NULL;
	size_t n = 0;

	if (!colon)
		return epoch;
	while (v->at + n < colon && is_digit(v->at[n]))
		n++;
	if (v->at + n != colon)
		return epoch;
	epoch.len = n;
	skip(v, n + 1);
	return epoch;
}

static struct debian_text take_upstream(struct debian_text *v)
{
	struct debian_text upstream = *v;
	const char *dash = v->len ? memrchr(v->at, '-', v->len) : NULL;

	if (!dash) {
		v->at += v->len;
		v->len = 0;
		return upstream;
	}
	upstream.len = (size_t)(dash - v->at);
	skip(v, upstream.len + 1);
	return upstream;
}

int debian_version_compare(struct debian_text a, struct debian_text b)
{
	struct debian_text x = take_epoch(&a), y = take_epoch(&b);
	int order = compare_numbers(&x, &y);

	if (order)
		return order;
	x = take_upstream(&a);
	y = take_upstream(&b);
	order = compare_part(x, y);
	return order ? order : compare_part(a, b); /* no revision is like revision 0 */
}

bool debian_version_is_valid(struct debian_text v)
{
	if (v.len == 0 || v.len > 200 || !is_digit(v.at[0]))
		return false;
	for (size_t i = 0; i < v.len; i++)
		if (!is_digit(v.at[i]) && !is_letter(v.at[i]) && !strchr(".+-~:", v.at[i]))
			return false;
	return true;
}
