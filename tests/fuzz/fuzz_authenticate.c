/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_authenticate.c - WWW-Authenticate values, and what comes after: token answers, error bodies, base64. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fetch/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size), *token = NULL;
	struct auth_challenge c = { .scheme = AUTH_NONE };
	struct buf out = BUF_INIT, again = BUF_INIT;
	struct err e = ERR_INIT;

	if (auth_parse(text, &c, &e) == 0) {
		if (c.scheme == AUTH_NONE && (c.realm || c.service || c.scope))
			abort();
		auth_challenge_release(&c);
	} else if (e.code == ERR_NONE || c.scheme != AUTH_NONE || c.realm) {
		abort(); /* failing must say why and leave the result alone */
	}
	if (auth_parse_token((const char *)data, size, &token, &e) == 0) {
		if (!auth_token_is_valid(token) || strpbrk(token, "\r\n "))
			abort();
		free(token);
	}
	auth_error_text((const char *)data, size, &out);
	for (size_t i = 0; i < out.len; i++)
		if ((unsigned char)out.data[i] < 0x20)
			abort();
	buf_clear(&out);
	auth_base64_encode(data, size, &out);
	if (auth_base64_decode(out.data, &again) < 0 || again.len != size ||
	    (size > 0 && memcmp(again.data, data, size) != 0))
		abort();
	buf_clear(&out);
	auth_base64_decode(text, &out);
	buf_release(&out);
	buf_release(&again);
	free(text);
	return 0;
}
