/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader_stub.c - devenv-core of the relocatable tree: starts the real one with the C library that came with it.
 *
 * The core needs libraries that a machine may lack or have in another version, its C library included, and a program
 * names its dynamic loader by an absolute path. So this, linked statically, stands in its place and runs the tree's own
 * loader on it. Children are not affected: the library path is an argument, not a variable.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char self[PATH_MAX - 32], loader[PATH_MAX], libraries[PATH_MAX], core[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char **words = calloc((size_t)argc + 8, sizeof(*words));
	int count = 0;

	if (n < 0 || !words) {
		fprintf(stderr, "devenv: can't find out where devenv-core is (/proc/self/exe): %s\n", strerror(errno));
		return 125;
	}
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(loader, sizeof(loader), "%s/loader", self);
	snprintf(libraries, sizeof(libraries), "%s/lib", self);
	snprintf(core, sizeof(core), "%s/core", self);
	words[count++] = loader;
	words[count++] = (char[]){ "--inhibit-cache" };
	words[count++] = (char[]){ "--library-path" };
	words[count++] = libraries;
	words[count++] = (char[]){ "--argv0" };
	words[count++] = argc > 0 ? argv[0] : core;
	words[count++] = core;
	for (int i = 1; i < argc; i++)
		words[count++] = argv[i];
	execv(loader, words);
	fprintf(stderr, "devenv: can't start %s: %s\n  hint: unpack the tree again, as a whole\n", loader, strerror(errno));
	return 125;
}
