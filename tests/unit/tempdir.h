/* SPDX-License-Identifier: Apache-2.0 */
/* tempdir.h - a directory that a test makes and removes, for tests of what touches the file system. */
#ifndef TESTS_UNIT_TEMPDIR_H
#define TESTS_UNIT_TEMPDIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static char *tempdir; /* its absolute path */
static int tempfd = -1;

static int tempdir_setup(void **state)
{
	const char *parent = getenv("TMPDIR");

	(void)state;
	tempdir = mem_printf("%s/unit.XXXXXX", parent ? parent : "/tmp");
	assert_non_null(mkdtemp(tempdir));
	tempfd = open(tempdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(tempfd >= 0);
	return 0;
}

static int tempdir_teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	close(tempfd);
	assert_int_equal(file_remove_tree(AT_FDCWD, tempdir, &e), 0);
	free(tempdir);
	return 0;
}

static inline void tempdir_write(const char *name, const char *text)
{
	FILE *file;
	char *path = mem_printf("%s/%s", tempdir, name);

	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	free(path);
}

#define tempdir_test(f) cmocka_unit_test_setup_teardown(f, tempdir_setup, tempdir_teardown)

#endif
