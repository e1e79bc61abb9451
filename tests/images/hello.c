/* SPDX-License-Identifier: Apache-2.0 */
/* hello.c - the only file of the hello-world image: says hello, its arguments and that it is alone. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	printf("hello from a root of one file\n");
	for (int i = 1; i < argc; i++)
		printf("argument %s\n", argv[i]);
	printf("shell %s\n", access("/bin/sh", F_OK) == 0 ? "present" : "absent");
	return 0;
}
