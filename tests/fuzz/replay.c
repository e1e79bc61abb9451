/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - a driver for a fuzz target without a fuzzer: every file of a corpus through LLVMFuzzerTestOneInput.
 *
 * usage: replay_NAME DIRECTORY|FILE...   One TAP line per file. A crash or a sanitizer's report names the file, since
 * its name is printed before it is tried. Each input is copied into memory of exactly its size, so that a read past
 * its end is seen; the empty input is always tried too.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static unsigned int count;

static void try(const uint8_t *data, size_t size, const char *name)
{
	printf("# trying %s\n", name);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	printf("ok %u - %s\n", ++count, name);
}

static bool replay_file(const char *path)
{
	FILE *file = fopen(path, "rbe");
	uint8_t *data = NULL;
	struct stat st;
	size_t size;

	if (!file || fstat(fileno(file), &st) < 0) {
		printf("not ok %u - cannot open %s\n", ++count, path);
		if (file)
			fclose(file);
		return false;
	}
	size = (size_t)st.st_size;
	data = malloc(size ? size : 1);
	if (!data || fread(data, 1, size, file) != size) {
		printf("not ok %u - cannot read %s\n", ++count, path);
		free(data);
		fclose(file);
		return false;
	}
	fclose(file);
	try(data, size, path);
	free(data);
	return true;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool replay(const char *path)
{
	struct dirent **entries;
	bool good = true;
	struct stat st;
	int n;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return replay_file(path);
	n = scandir(path, &entries, is_visible, alphasort);
	if (n <= 0) {
		printf("not ok %u - no corpus in %s\n", ++count, path);
		return false;
	}
	for (int i = 0; i < n; i++) {
		char *file = NULL;

		if (asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0)
			abort();
		good = replay(file) && good;
		free(file);
		free(entries[i]);
	}
	free(entries);
	return good;
}

int main(int argc, char **argv)
{
	bool good = true;
	uint8_t *nothing = malloc(1);

	if (argc < 2 || !nothing) {
		fprintf(stderr, "usage: %s DIRECTORY|FILE...\n", argv[0]);
		return 2;
	}
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	try(nothing + 1, 0, "empty input");
	free(nothing);
	for (int i = 1; i < argc; i++)
		good = replay(argv[i]) && good;
	printf("1..%u\n", count);
	return good ? 0 : 1;
}
