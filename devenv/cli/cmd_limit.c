/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_limit.c - `devenv limit`, for the launcher: put it under the limits of an environment before it makes or joins that.
 *
 * Its stdout are lines for the launcher: "pids" (limit processes yourself), "events FILE" (counts what was killed for
 * want of memory), "leave DIRECTORY<tab>DIRECTORY" (a cgroup to remove at the end, and where to go before that). What is not
 * enforced is said once: <runtime>/<plan id>.limits keeps what was said, until the configuration changes or the machine
 * starts again.
 */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "env/limit.h"

#define TOLD_MAX 4096

static int read_operands(char **words, struct limit *l, pid_t *pid, struct err *e)
{
	uint64_t cpus, pids, process;

	l->id = words[0];
	if (!text_is_hex(l->id, 64) || text_number(words[1], UINT64_MAX, &l->memory) < 0 ||
	    text_number(words[2], UINT32_MAX, &cpus) < 0 || text_number(words[3], UINT32_MAX, &pids) < 0 ||
	    text_number(words[4], INT32_MAX, &process) < 0 || process < 2)
		return err_set(e, ERR_USAGE, "devenv limit: this is for devenv itself");
	l->cpus = (uint32_t)cpus;
	l->pids = (uint32_t)pids;
	*pid = (pid_t)process;
	/* It was killed meanwhile, and the number may be somebody else's by now. */
	return *pid == getppid() ? 0 : err_set(e, ERR_FAILED, "devenv limit: %d did not start this", (int)*pid);
}

static void say(struct cli *c, const struct dirs *d, const struct limit *l, unsigned int enforced)
{
	cleanup_free char *path = mem_printf("%s/%s.limits", d->runtime, l->id);
	cleanup_strlist struct strlist lines = STRLIST_INIT;
	cleanup_buf struct buf text = BUF_INIT, told = BUF_INIT;
	struct err ignored = ERR_INIT;

	limit_describe(l, enforced, &lines);
	for (size_t i = 0; i < lines.count; i++)
		if (!strstr(lines.items[i], ": enforced"))
			buf_addf(&text, "[sandbox] %s\n", lines.items[i]);
	file_read(AT_FDCWD, path, TOLD_MAX, O_NOFOLLOW, &told, NULL, &ignored);
	if (told.len == text.len && (!text.len || memcmp(told.data, text.data, text.len) == 0))
		return;
	if (dirs_private(d->runtime, &ignored) == 0)
		file_replace(AT_FDCWD, path, text.data, text.len, 0600, FILE_FAST, &ignored);
	for (char *line = text.data, *end; text.len && (end = strchr(line, '\n')); line = end + 1)
		output_warning(c, "%.*s", (int)(end - line), line);
}

int cmd_limit(struct cli *c, struct err *e)
{
	struct limit_places places;
	struct environment env;
	struct limit l = { 0 };
	pid_t pid;

	if (read_operands(c->operands, &l, &pid, e) < 0 || cli_open_user(c, &env, e) < 0)
		return -1;
	limit_apply(&env.dirs, &l, pid, &places);
	say(c, &env.dirs, &l, places.enforced);
	if ((limit_wanted(&l) & ~places.enforced & LIMIT_PIDS) && limit_counts_processes())
		puts("pids");
	if (places.events)
		printf("events %s\n", places.events);
	for (size_t i = 0; i < places.leave.count; i++)
		printf("leave %s\n", places.leave.items[i]);
	limit_places_release(&places);
	env_release(&env);
	return 0;
}
