/* SPDX-License-Identifier: Apache-2.0 */
/* auth.c - see auth.h. Everything read here was written by a server we have no reason to trust. */
#include "fetch/auth.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/mem.h"
#include "base/text.h"

/* RFC 9110 5.6.2 */
static bool is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static const char *skip_token(const char *p)
{
	while (is_token_char(*p))
		p++;
	return p;
}

/* token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" ; ends at a comma or the end of the text. */
static const char *skip_token68(const char *p)
{
	const char *start = p;

	while (is_token_char(*p) || *p == '/')
		p++;
	if (p == start)
		return NULL;
	while (*p == '=')
		p++;
	p = skip_blanks(p);
	return *p == ',' || *p == '\0' ? p : NULL;
}

static int malformed(struct err *e, const char *why)
{
	return err_set(e, ERR_NETWORK, "the server's WWW-Authenticate header is malformed: %s", why);
}

/* A quoted string or a token, into `out`. */
static int read_value(const char **pp, struct buf *out, struct err *e)
{
	const char *p = *pp;

	if (*p != '"') {
		const char *end = skip_token(p);

		if (end == p)
			return malformed(e, "a parameter has no value");
		buf_add(out, p, (size_t)(end - p));
		*pp = end;
		return 0;
	}
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0')
			return malformed(e, "a quoted string does not end");
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return malformed(e, "a control character in a quoted string");
		buf_addch(out, *p);
	}
	*pp = p + 1;
	return 0;
}

/* Keep a parameter that means something to us; giving one twice is refused, as two readers might choose differently. */
static int keep_parameter(struct auth_challenge *c, const char *name, size_t len, struct buf *value, struct err *e)
{
	char **field = NULL;

	if (len == 5 && strncasecmp(name, "realm", len) == 0)
		field = &c->realm;
	else if (len == 7 && strncasecmp(name, "service", len) == 0)
		field = &c->service;
	else if (len == 5 && strncasecmp(name, "scope", len) == 0)
		field = &c->scope;
	if (!field)
		return 0;
	if (*field)
		return malformed(e, "a parameter is given twice");
	*field = buf_steal(value);
	return 0;
}

/* Parameters up to the next challenge or the end. After a comma, `name =` is a parameter and `name` a new scheme. */
static int read_parameters(const char **pp, struct auth_challenge *c, struct err *e)
{
	const char *p = *pp;

	for (;;) {
		cleanup_buf struct buf value = BUF_INIT;
		const char *name, *end, *equals;

		while (*p == ',' || *p == ' ' || *p == '\t')
			p++;
		name = p;
		end = skip_token(p);
		equals = skip_blanks(end);
		if (end == name || *equals != '=')
			break; /* the caller looks at it as a scheme */
		p = skip_blanks(equals + 1);
		if (read_value(&p, &value, e) < 0 || keep_parameter(c, name, (size_t)(end - name), &value, e) < 0)
			return -1;
		p = skip_blanks(p);
		if (*p != ',' && *p != '\0')
			return malformed(e, "no comma after a parameter");
	}
	*pp = p;
	return 0;
}

static int read_challenge(const char **pp, struct auth_challenge *c, struct err *e)
{
	const char *p = *pp, *end = skip_token(p), *after;
	size_t len = (size_t)(end - p);

	if (len == 0)
		return malformed(e, "an authentication scheme was expected");
	if (len == 5 && strncasecmp(p, "basic", len) == 0)
		c->scheme = AUTH_BASIC;
	else if (len == 6 && strncasecmp(p, "bearer", len) == 0)
		c->scheme = AUTH_BEARER;
	if (*end != ' ' && *end != '\t' && *end != ',' && *end != '\0')
		return malformed(e, "a strange character after a scheme");
	p = skip_blanks(end);
	/* `Negotiate abc==` has a token68 where others have parameters; `Basic realm=x` does not end after the sign. */
	after = p > end ? skip_token68(p) : NULL;
	if (after) {
		*pp = after;
		return 0;
	}
	*pp = p;
	return read_parameters(pp, c, e);
}

int auth_parse(const char *header, struct auth_challenge *out, struct err *e)
{
	struct auth_challenge best = { .scheme = AUTH_NONE };
	const char *p = header;

	for (;;) {
		struct auth_challenge c = { .scheme = AUTH_NONE };

		while (*p == ',' || *p == ' ' || *p == '\t')
			p++;
		if (*p == '\0')
			break;
		if (read_challenge(&p, &c, e) < 0) {
			auth_challenge_release(&c);
			auth_challenge_release(&best);
			return -1;
		}
		if (c.scheme > best.scheme) {
			auth_challenge_release(&best);
			best = c;
		} else {
			auth_challenge_release(&c);
		}
	}
	*out = best;
	return 0;
}

void auth_challenge_release(struct auth_challenge *c)
{
	if (!c)
		return;
	free(c->realm);
	free(c->service);
	free(c->scope);
	*c = (struct auth_challenge){ .scheme = AUTH_NONE };
}

int auth_token_is_valid(const char *token)
{
	if (!*token)
		return 0;
	for (; *token; token++)
		if (*token <= 0x20 || *token >= 0x7f)
			return 0;
	return 1;
}

int auth_parse_token(const char *json, size_t len, char **token, struct err *e)
{
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	const char *text;

	/* What jansson has to say quotes the text near the mistake, which may be half a secret: it is not shown. */
	if (!root)
		return err_set(e, ERR_NETWORK, "the token server's answer is not valid JSON");
	text = json_string_value(json_object_get(root, "token"));
	if (!text)
		text = json_string_value(json_object_get(root, "access_token"));
	if (!text || !auth_token_is_valid(text)) {
		json_decref(root);
		return err_set(e, ERR_NETWORK, "the token server's answer holds no usable token");
	}
	*token = mem_strdup(text);
	json_decref(root);
	return 0;
}

char *auth_basic(const char *user, const char *password)
{
	cleanup_buf struct buf pair = BUF_INIT;
	struct buf out = BUF_INIT;

	buf_adds(&pair, user);
	buf_addch(&pair, ':');
	buf_adds(&pair, password);
	buf_adds(&out, "Basic ");
	auth_base64_encode(pair.data, pair.len, &out);
	return buf_steal(&out);
}

char *auth_bearer(const char *token)
{
	return mem_printf("Bearer %s", token);
}

/* Of a long text its beginning: an error is one line. */
static void add_short(struct buf *out, const char *text)
{
	cleanup_free char *start = mem_strndup(text, 300);

	text_escape(out, start);
	if (strlen(text) > 300)
		buf_adds(out, "...");
}

void auth_error_text(const char *json, size_t len, struct buf *out)
{
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *first = json_array_get(json_object_get(root, "errors"), 0);
	const char *code = json_string_value(json_object_get(first, "code"));
	const char *message = json_string_value(json_object_get(first, "message"));

	if (!message) /* how token servers and some proxies put it */
		message = json_string_value(json_object_get(root, "details"));
	if (!message)
		message = json_string_value(json_object_get(root, "message"));
	if (code && *code)
		add_short(out, code);
	if (message && *message) {
		if (code && *code)
			buf_adds(out, ": ");
		add_short(out, message);
	}
	json_decref(root);
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int auth_base64_decode(const char *text, struct buf *out)
{
	unsigned int bits = 0, count = 0;
	size_t digits = 0, padding = 0;

	for (; *text && *text != '='; text++, digits++) {
		int v = base64_value(*text);

		if (v < 0)
			return -1;
		bits = (bits << 6 | (unsigned int)v) & 0xffffff;
		count += 6;
		if (count >= 8) {
			count -= 8;
			buf_addch(out, (char)(bits >> count & 0xff));
		}
	}
	for (; *text == '='; text++)
		padding++;
	if (*text || digits % 4 == 1 || padding > 2 || (padding > 0 && (digits + padding) % 4 != 0))
		return -1;
	return 0;
}

void auth_base64_encode(const void *data, size_t len, struct buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)p[i] << 16;

		if (left > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (left > 2)
			v |= p[i + 2];
		buf_addch(out, digits[v >> 18]);
		buf_addch(out, digits[v >> 12 & 63]);
		buf_addch(out, left > 1 ? digits[v >> 6 & 63] : '=');
		buf_addch(out, left > 2 ? digits[v & 63] : '=');
	}
}

void auth_url_encode(const char *text, struct buf *out)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (; *text; text++) {
		if (strchr(safe, *text))
			buf_addch(out, *text);
		else
			buf_addf(out, "%%%02X", (unsigned int)(unsigned char)*text);
	}
}
