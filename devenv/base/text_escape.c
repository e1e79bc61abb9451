/* SPDX-License-Identifier: Apache-2.0 */
/* text_escape.c - showing strangers' text without letting it act on the terminal or reorder the line. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#ifdef __GLIBC__ /* as in text.c */
#define PER_THREAD _Thread_local
#else
#define PER_THREAD
#endif

/* Code points that are invisible, break lines or change direction (Unicode 15: Bidi_Control, Default_Ignorable). */
static bool is_deceptive(uint32_t c)
{
	static const uint32_t ranges[][2] = {
		{ 0x80, 0x9f },	    { 0xad, 0xad },	{ 0x34f, 0x34f },   { 0x61c, 0x61c },
		{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },
		{ 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

/* Length of the well-formed UTF-8 sequence at s (RFC 3629: shortest form, no surrogates), 0 if there is none. */
static size_t decode(const unsigned char *s, size_t left, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	if (!n || n > left)
		return 0;
	*c = s[0] & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return n;
}

/* Append one character in its safe form; returns how many bytes of s it was. */
static size_t add_one(struct buf *b, const unsigned char *s, size_t left)
{
	uint32_t c = 0;
	size_t n;

	if (s[0] == '\\') {
		buf_adds(b, "\\\\");
		return 1;
	}
	if (s[0] >= 0x20 && s[0] < 0x7f) {
		buf_addch(b, (char)s[0]);
		return 1;
	}
	n = s[0] < 0x80 ? 0 : decode(s, left, &c);
	if (!n) {
		buf_addf(b, "\\x%02x", s[0]);
		return 1;
	}
	if (is_deceptive(c))
		buf_addf(b, "\\u{%04x}", (unsigned int)c);
	else
		buf_add(b, s, n);
	return n;
}

void text_escape_bytes(struct buf *b, const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i = 0;

	while (i < len)
		i += add_one(b, p + i, len - i);
}

void text_escape(struct buf *b, const char *s)
{
	text_escape_bytes(b, s, strlen(s));
}

/* Length of "ESC [ digits ; m" at s, 0 if that is not there. */
static size_t color_length(const char *s, size_t left)
{
	size_t n = 2;

	if (left < 3 || s[0] != '\033' || s[1] != '[')
		return 0;
	while (n < left && ((s[n] >= '0' && s[n] <= '9') || s[n] == ';'))
		n++;
	return n < left && s[n] == 'm' ? n + 1 : 0;
}

void text_escape_output(struct buf *b, const char *s, size_t len, bool color)
{
	bool colored = false;

	for (size_t i = 0, n; i < len; i += n) {
		n = color_length(s + i, len - i);
		if (n && color)
			buf_add(b, s + i, n);
		colored = colored || (n && color);
		if (n)
			continue;
		n = 1;
		if (s[i] == '\t' || s[i] == '\\')
			buf_addch(b, s[i]);
		else
			n = add_one(b, (const unsigned char *)s + i, len - i);
	}
	if (colored)
		buf_adds(b, "\033[0m");
}

const char *text_safe(const char *s)
{
	static PER_THREAD char slots[8][512];
	static PER_THREAD unsigned int next;
	static const char more[] = "\xe2\x80\xa6"; /* an ellipsis */
	char *slot = slots[next++ % 8];
	size_t left, used = 0, room = sizeof(slots[0]) - sizeof(more);
	cleanup_buf struct buf one = BUF_INIT;

	if (!s)
		s = "";
	left = strlen(s);
	while (left) {
		size_t n;

		buf_clear(&one);
		n = add_one(&one, (const unsigned char *)s, left);
		if (used + one.len > room) {
			memcpy(slot + used, more, sizeof(more) - 1);
			used += sizeof(more) - 1;
			break;
		}
		memcpy(slot + used, one.data, one.len);
		used += one.len;
		s += n;
		left -= n;
	}
	slot[used] = '\0';
	return slot;
}
