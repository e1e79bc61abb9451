/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure.c - run commands in turn, many rounds, and print the time of each run.
 *
 * usage: measure ROUNDS NAME COMMAND [ARG...] [-- NAME COMMAND [ARG...]]...
 *
 * Every round runs every command once, so that whatever the machine does meanwhile hits all of them alike; the order
 * turns by one each round; before each run a moment passes, in which the kernel clears away what the last one left. Prints a line a command: NAME, then the wall-clock microseconds of each round after the
 * first (which warms caches). A "--" within a command is written "\--". A command that fails ends the measurement: a wrong
 * number is worse than none. Started with posix_spawn; its stdin and stdout are /dev/null.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMMANDS_MAX = 16, ROUNDS_MAX = 10000, SETTLE_US = 3000 };

struct command {
	char *name;
	char **argv;
	double *us;
};

extern char **environ;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int run(const struct command *c, double *us)
{
	posix_spawn_file_actions_t actions;
	double begin;
	int status, error;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	begin = now_us();
	error = posix_spawnp(&pid, c->argv[0], &actions, NULL, c->argv, environ);
	if (error == 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	*us = now_us() - begin;
	posix_spawn_file_actions_destroy(&actions);
	if (error != 0) {
		fprintf(stderr, "measure: %s: %s\n", c->argv[0], strerror(error));
		return -1;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "measure: %s ended with status %#x\n", c->name, (unsigned int)status);
		return -1;
	}
	return 0;
}

/* Cut argv at each "--" into commands, in place. */
static int parse(char **argv, struct command *commands, int rounds)
{
	int count = 0;

	while (*argv) {
		struct command *c = &commands[count];

		if (count == COMMANDS_MAX || !argv[1] || strcmp(argv[1], "--") == 0)
			return -1;
		*c = (struct command){ argv[0], argv + 1, calloc((size_t)rounds + 1, sizeof(double)) };
		if (!c->us)
			return -1;
		count++;
		for (argv += 2; *argv && strcmp(*argv, "--") != 0; argv++)
			if (strcmp(*argv, "\\--") == 0)
				*argv = *argv + 1;
		if (*argv)
			*argv++ = NULL;
	}
	return count;
}

int main(int argc, char **argv)
{
	struct command commands[COMMANDS_MAX];
	int rounds = argc > 3 ? (int)strtol(argv[1], NULL, 10) : 0;
	int count = rounds > 0 && rounds <= ROUNDS_MAX ? parse(argv + 2, commands, rounds) : -1;

	if (count < 1) {
		fprintf(stderr, "usage: measure ROUNDS NAME COMMAND [ARG...] [-- NAME COMMAND [ARG...]]...\n");
		return 2;
	}
	for (int round = 0; round <= rounds; round++)
		for (int n = 0; n < count; n++) {
			int i = (n + round) % count;

			usleep(SETTLE_US);

			if (run(&commands[i], &commands[i].us[round]) < 0)
				return 1;
		}
	for (int i = 0; i < count; i++) {
		printf("%s", commands[i].name);
		for (int round = 1; round <= rounds; round++)
			printf(" %.1f", commands[i].us[round]);
		printf("\n");
		free(commands[i].us);
	}
	return 0;
}
