/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, memory, byte buffers and lists of strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

static int fails(struct err *e, int how)
{
	errno = how;
	return err_sys(e, "can't open %s", "x");
}

static void test_err_sys(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(fails(&e, ENOENT), -1);
	assert_int_equal(e.code, ERR_FAILED);
	assert_int_equal(e.sys, ENOENT);
	assert_string_equal(e.msg, "can't open x: No such file or directory");
	fails(&e, ENOSPC);
	assert_int_equal(e.code, ERR_SPACE);
	fails(&e, EDQUOT);
	assert_int_equal(e.code, ERR_SPACE);
	assert_int_equal(fails(NULL, ENOENT), -1);
}

static void test_err_wrap_and_hint(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, ERR_CONFIG, "unknown key '%s'", "imgae");
	err_hint(&e, "did you mean '%s'?", "image");
	assert_int_equal(err_wrap(&e, "devenv.ini:%d", 7), -1);
	assert_string_equal(e.msg, "devenv.ini:7: unknown key 'imgae'");
	assert_string_equal(e.hint, "did you mean 'image'?");
	assert_int_equal(e.code, ERR_CONFIG);
	err_set(&e, ERR_FAILED, "again: %s", e.msg); /* its own message as an argument */
	assert_string_equal(e.msg, "again: devenv.ini:7: unknown key 'imgae'");
	assert_string_equal(e.hint, "");
}

static void test_err_cuts(void **state)
{
	struct err e = ERR_INIT;
	char big[4096];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, ERR_FAILED, "%s", big);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	err_wrap(&e, "%s", big);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	err_hint(&e, "%s", big);
	assert_int_equal(strlen(e.hint), sizeof(e.hint) - 1);
}

static void test_err_names(void **state)
{
	(void)state;
	assert_string_equal(err_code_name(ERR_NOT_ALLOWED), "not-allowed");
	assert_string_equal(err_code_name(ERR_SPACE), "no-space");
	assert_string_equal(err_code_name((enum err_code)999), "failed");
}

static void test_buf(void **state)
{
	struct buf b = BUF_INIT;
	char *text;

	(void)state;
	assert_string_equal(b.data, "");
	buf_adds(&b, "one");
	buf_addch(&b, ' ');
	buf_addf(&b, "%d-%s", 2, "three");
	buf_add(&b, "\0x", 2);
	assert_int_equal(b.len, 13);
	assert_memory_equal(b.data, "one 2-three\0x", 14);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	for (int i = 0; i < 10000; i++)
		buf_addch(&b, 'a');
	assert_int_equal(strlen(b.data), 10000);
	text = buf_steal(&b);
	assert_int_equal(strlen(text), 10000);
	free(text);
	assert_string_equal(b.data, "");
	text = buf_steal(&b); /* of an empty one: still the caller's own */
	assert_string_equal(text, "");
	free(text);
	buf_release(&b);
	buf_release(&b);
	buf_release(NULL);
}

static void test_buf_reserve(void **state)
{
	struct buf b = BUF_INIT;
	char *room = buf_reserve(&b, 100);

	(void)state;
	assert_ptr_equal(room, b.data);
	memset(room, 'z', 100);
	b.len += 100;
	b.data[b.len] = '\0';
	assert_int_equal(strlen(b.data), 100);
	buf_release(&b);
}

static void test_strlist(void **state)
{
	struct strlist l = STRLIST_INIT;

	(void)state;
	assert_null(l.items);
	strlist_split(&l, "  b,a, ,c ", ", ");
	assert_int_equal(l.count, 3);
	strlist_add(&l, "B");
	strlist_addf(&l, "%s%d", "n", 5);
	strlist_addf(&l, "%s", "");
	strlist_add_take(&l, mem_strdup("zz"));
	assert_int_equal(l.count, 7);
	assert_null(l.items[7]);
	strlist_sort(&l);
	assert_string_equal(l.items[0], "");
	assert_string_equal(l.items[1], "B");
	assert_string_equal(l.items[2], "a");
	assert_string_equal(l.items[6], "zz");
	assert_true(strlist_has(&l, "n5"));
	assert_false(strlist_has(&l, "n"));
	strlist_release(&l);
	strlist_release(&l);
	assert_null(l.items);
}

static void test_mem(void **state)
{
	size_t cap = 0;
	int *numbers = NULL;
	char *text = mem_printf("%s-%d", "a", 1), *kept;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		numbers = mem_grow(numbers, i, &cap, sizeof(*numbers));
		numbers[i] = (int)i;
	}
	assert_int_equal(numbers[999], 999);
	assert_true(cap >= 1000);
	free(numbers);
	assert_string_equal(text, "a-1");
	kept = mem_steal(text);
	assert_null(text);
	free(kept);
	kept = mem_strndup("abc", 2);
	assert_string_equal(kept, "ab");
	free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err_sys),	     cmocka_unit_test(test_err_wrap_and_hint),
		cmocka_unit_test(test_err_cuts),     cmocka_unit_test(test_err_names),
		cmocka_unit_test(test_buf),	     cmocka_unit_test(test_buf_reserve),
		cmocka_unit_test(test_strlist),	     cmocka_unit_test(test_mem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
