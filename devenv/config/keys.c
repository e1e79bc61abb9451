/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c - every section and key of devenv.ini, built or not; and checking a file against such a table. */
#include "config/keys.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum { YES = true, NOT_YET = false };

const struct config_key config_keys[] = {
	{ "devenv", "name", YES, "name of the environment; default: the directory's" },
	{ "devenv", "requires", YES, "least version of devenv that understands this file" },
	{ "devenv", "extends", YES, "files this one is laid over: paths, or files of git repositories" },
	{ "devenv", "platforms", YES, "platforms to lock, such as linux/amd64 linux/arm64" },

	{ "base", "image", YES, "image of a registry, such as docker.io/library/python:3.12" },
	{ "base", "debian", YES, "codename of a Debian release, such as bookworm: its own packages make the base" },
	{ "base", "variant", YES, "with debian: minimal (default) or standard" },
	{ "base", "components", YES, "with debian: archive components besides main" },
	{ "base", "dockerfile", NOT_YET, "a Dockerfile to build" },
	{ "base", "context", NOT_YET, "with dockerfile: the directory it sees" },
	{ "base", "target", NOT_YET, "with dockerfile: the stage to stop at" },
	{ "base", "arg.*", NOT_YET, "with dockerfile: a build argument" },
	{ "base", "oci", YES, "directory in OCI image layout, with :TAG if it holds several" },
	{ "base", "archive", YES, "tar archive: an OCI layout, docker save's, or a root file system" },

	{ "packages", "apt", YES, "Debian packages to add to the base: NAME or NAME=VERSION" },

	{ "toolchain.*", "version", NOT_YET, "version of a toolchain, resolved when it is locked" },
	{ "toolchain.*", "source", NOT_YET, "where to take it from instead of its definition" },

	{ "build", "inputs", YES, "the files of the project that the build sees" },
	{ "build", "run", YES, "script, run once for each identity; its result is a shared layer" },
	{ "build", "env.*", YES, "a variable of the build" },
	{ "build", "network", YES, "network of the build: host (default) or none" },
	{ "build", "cache", YES, "directories inside that are kept between builds, outside the layer" },
	{ "build", "shell", YES, "what runs the script: a name or an absolute path; default: sh" },

	{ "setup", "inputs", YES, "files that make the setup run again when they change" },
	{ "setup", "run", YES, "script, run once for each checkout, in the project" },

	{ "workspace", "target", YES, "where the project is inside: same (as on the host) or a fixed path" },
	{ "workspace", "user", YES, "me (your uid) or root (uid 0, mapped to you)" },
	{ "workspace", "shell", YES, "shell of devenv enter: a name or an absolute path" },
	{ "workspace", "path", YES, "directories put first on PATH" },

	{ "env", "*", YES, "an environment variable" },

	{ "env-file", "required", YES, "files of NAME=value lines that must be there" },
	{ "env-file", "optional", YES, "files of NAME=value lines that may be missing" },

	{ "pass-env", "names", YES, "variables of the host that are let through" },

	{ "volume.*", "target", YES,
	  "directory kept outside the project: absolute, ~/... or below the project" },
	{ "volume.*", "scope", YES, "checkout (default) or project (shared by its worktrees)" },

	{ "mount.*", "source", YES, "path on the host" },
	{ "mount.*", "target", YES, "path inside" },
	{ "mount.*", "mode", YES, "ro (default) or rw" },

	{ "sandbox", "network", YES, "auto (default), host or none" },
	{ "sandbox", "nested", YES, "sessions may make user namespaces: yes or no (default)" },
	{ "sandbox", "perf", YES, "performance counters: yes or no (default)" },
	{ "sandbox", "ssh-agent", YES, "your ssh agent: yes or no (default)" },
	{ "sandbox", "devices", YES, "devices of the host: kvm, gpu, fuse" },
	{ "sandbox", "protect", YES, "what of .git is read-only inside: hooks, git or off" },
	{ "sandbox", "repository", YES, "yes: all of the git work tree around the project, not the project alone" },
	{ "sandbox", "persist", YES, "keep what was written outside the project: yes or no" },
	{ "sandbox", "scratch", YES, "where that is written: tmpfs (memory) or disk" },
	{ "sandbox", "linger", YES, "seconds that the environment stays after its last session" },
	{ "sandbox", "memory", YES, "most memory of all its processes, such as 4G" },
	{ "sandbox", "cpus", YES, "most processors, such as 2 or 1.5" },
	{ "sandbox", "pids", YES, "most processes and threads" },

	{ "service.*", "image", NOT_YET, "image of the service" },
	{ "service.*", "run", NOT_YET, "command, run in the environment itself instead of an image" },
	{ "service.*", "env.*", NOT_YET, "a variable of the service" },
	{ "service.*", "env-file", NOT_YET, "files of variables of the service" },
	{ "service.*", "data", NOT_YET, "directory of the service whose content is kept" },
	{ "service.*", "volume.*", NOT_YET, "a further directory that is kept" },
	{ "service.*", "command", NOT_YET, "command instead of the image's" },
	{ "service.*", "user", NOT_YET, "user instead of the image's" },
	{ "service.*", "ready", NOT_YET, "command that succeeds once the service is ready" },
	{ "service.*", "ready-port", NOT_YET, "port that answers once the service is ready" },
	{ "service.*", "ready-log", NOT_YET, "pattern in its log that tells the service is ready" },
	{ "service.*", "needs", NOT_YET, "services that start before" },
	{ "service.*", "restart", NOT_YET, "when it is started again" },
	{ "service.*", "stop-signal", NOT_YET, "signal that ends it" },
	{ "service.*", "stop-timeout", NOT_YET, "seconds until it is killed" },
	{ "service.*", "publish", NOT_YET, "port on the host" },
	{ "service.*", "profile", NOT_YET, "starts only when asked for" },

	{ "ports", "*", NOT_YET, "a port published on 127.0.0.1" },

	{ "secret.*", "from", NOT_YET, "where a secret comes from; it appears in /run/secrets" },

	{ "hooks", "start", YES, "script, run inside when the first session starts" },
	{ "hooks", "enter", YES, "script, run inside by each interactive session" },

	{ "task.*", "run", NOT_YET, "script of a task" },
	{ "task.*", "needs", NOT_YET, "services of a task" },

	{ "git-hooks", "pre-commit", YES, "script, run inside before a commit is made" },
	{ "git-hooks", "commit-msg", YES, "script, run inside with the file of the commit message" },
	{ "git-hooks", "pre-push", YES, "script, run inside before a push, with git's list on its input" },
};
const size_t config_key_count = ARRAY_SIZE(config_keys);

bool keys_match(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);

	if (!strcmp(pattern, "*"))
		return true;
	if (n > 2 && !strcmp(pattern + n - 2, ".*"))
		return !strncmp(pattern, name, n - 1) && name[n - 1] != '\0';
	return !strcmp(pattern, name);
}

bool keys_has_section(const struct config_key *table, size_t count, const char *section)
{
	for (size_t i = 0; i < count; i++)
		if (keys_match(table[i].section, section))
			return true;
	return false;
}

/* What a pattern offers to who wrote `word`: "volume.*" offers "volume.cache" for "volumes.cache". */
static void offer(struct strlist *candidates, const char *pattern, const char *word)
{
	size_t n = strlen(pattern);
	const char *tail = strchr(word, '.');

	if (!strcmp(pattern, "*"))
		return;
	if (n > 2 && !strcmp(pattern + n - 2, ".*"))
		strlist_addf(candidates, "%.*s%s", (int)n - 2, pattern, tail && tail[1] ? tail : ".NAME");
	else
		strlist_add(candidates, pattern);
}

static int unknown_section(const struct config_key *table, size_t count, const char *file,
                           const struct ini_section *section, struct err *e)
{
	cleanup_strlist struct strlist candidates = STRLIST_INIT;
	const char *nearest = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(section->name);

		if (!strncmp(table[i].section, section->name, n) && !strcmp(table[i].section + n, ".*"))
			return err_set(e, ERR_CONFIG, "%s:%u: section [%s] needs a name: [%s.NAME]",
			               text_safe(file), section->line, text_safe(section->name),
			               text_safe(section->name));
		if (i == 0 || strcmp(table[i].section, table[i - 1].section))
			offer(&candidates, table[i].section, section->name);
	}
	if (candidates.items)
		nearest = text_nearest(section->name, (const char *const *)candidates.items);
	if (nearest)
		return err_set(e, ERR_CONFIG, "%s:%u: unknown section [%s]; did you mean [%s]?",
		               text_safe(file), section->line, text_safe(section->name), text_safe(nearest));
	return err_set(e, ERR_CONFIG, "%s:%u: unknown section [%s]", text_safe(file), section->line,
	               text_safe(section->name));
}

static int unknown_key(const struct config_key *table, size_t count, const char *file,
                       const struct ini_entry *entry, struct err *e)
{
	cleanup_strlist struct strlist candidates = STRLIST_INIT;
	const char *nearest = NULL, *other = NULL;

	for (size_t i = 0; i < count; i++) {
		if (keys_match(table[i].section, entry->section))
			offer(&candidates, table[i].key, entry->key);
		else if (!strcmp(table[i].key, entry->key))
			other = table[i].section;
	}
	if (candidates.items)
		nearest = text_nearest(entry->key, (const char *const *)candidates.items);
	if (nearest)
		return err_set(e, ERR_CONFIG, "%s:%u: unknown key '%s' in [%s]; did you mean '%s'?",
		               text_safe(file), entry->line, text_safe(entry->key), text_safe(entry->section),
		               text_safe(nearest));
	err_set(e, ERR_CONFIG, "%s:%u: unknown key '%s' in [%s]", text_safe(file), entry->line,
	        text_safe(entry->key), text_safe(entry->section));
	if (other)
		err_hint(e, "there is a key of that name in [%s]", other);
	return -1;
}

static int check_key(const struct config_key *table, size_t count, const char *file,
                     const struct ini_entry *entry, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (!keys_match(table[i].section, entry->section) || !keys_match(table[i].key, entry->key))
			continue;
		if (table[i].supported)
			return 0;
		return err_set(e, ERR_UNSUPPORTED, "%s:%u: [%s] %s is not supported yet", text_safe(file),
		               entry->line, text_safe(entry->section), text_safe(entry->key));
	}
	return unknown_key(table, count, file, entry, e);
}

/* A section without keys: silence would be an answer, and the wrong one. */
static int check_empty(const struct config_key *table, size_t count, const char *file,
                       const struct ini_section *section, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (keys_match(table[i].section, section->name) && table[i].supported)
			return 0;
	return err_set(e, ERR_UNSUPPORTED, "%s:%u: [%s] is not supported yet", text_safe(file), section->line,
	               text_safe(section->name));
}

int keys_check(const struct config_key *table, size_t count, const char *file, const struct ini *ini,
               struct err *e)
{
	size_t next = 0; /* entry; sections come once each, so their entries follow each other */

	for (size_t i = 0; i < ini->section_count; i++) {
		const struct ini_section *section = &ini->sections[i];
		size_t first = next;

		if (!keys_has_section(table, count, section->name))
			return unknown_section(table, count, file, section, e);
		for (; next < ini->count && !strcmp(ini->entries[next].section, section->name); next++)
			if (check_key(table, count, file, &ini->entries[next], e))
				return -1;
		if (next == first && check_empty(table, count, file, section, e))
			return -1;
	}
	return 0;
}
