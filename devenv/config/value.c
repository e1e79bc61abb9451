/* SPDX-License-Identifier: Apache-2.0 */
/* value.c - what the value of a key may look like. */
#include "config/value.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

int value_place(const char *file, const struct ini_entry *entry, struct err *e)
{
	return err_wrap(e, "%s:%u: [%s] %s", text_safe(file), entry->line, text_safe(entry->section),
	                text_safe(entry->key));
}

int value_check_line(const char *file, const struct ini_entry *entry, struct err *e)
{
	if (entry->value[0] == '\0')
		return value_bad(file, entry, e, "the value is empty");
	if (strchr(entry->value, '\n')) {
		value_bad(file, entry, e, "the value goes on over several lines, but this key takes one");
		return err_hint(e,
		                "a comment starts in the first column, an indented line continues the value");
	}
	return 0;
}

int value_bool(const char *file, const struct ini_entry *entry, bool *out, struct err *e)
{
	static const char *const like[][2] = { { "true", "yes" }, { "false", "no" }, { "on", "yes" },
		                               { "off", "no" },   { "1", "yes" },    { "0", "no" },
		                               { "yes", "yes" },  { "no", "no" },    { "y", "yes" },
		                               { "n", "no" } };

	if (value_check_line(file, entry, e))
		return -1;
	if (!strcmp(entry->value, "yes") || !strcmp(entry->value, "no")) {
		*out = entry->value[0] == 'y';
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(like); i++)
		if (!strcasecmp(entry->value, like[i][0]))
			return value_bad(file, entry, e, "'%s' is neither yes nor no; did you mean '%s'?",
			                 text_safe(entry->value), like[i][1]);
	return value_bad(file, entry, e, "'%s' is neither yes nor no", text_safe(entry->value));
}

int value_choice(const char *file, const struct ini_entry *entry, const char *const *words, int *out,
                 struct err *e)
{
	cleanup_buf struct buf list = BUF_INIT;
	const char *nearest;

	if (value_check_line(file, entry, e))
		return -1;
	for (int i = 0; words[i]; i++) {
		if (!strcmp(entry->value, words[i])) {
			*out = i;
			return 0;
		}
		buf_addf(&list, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
	}
	nearest = text_nearest(entry->value, words);
	if (nearest)
		return value_bad(file, entry, e, "unknown value '%s'; did you mean '%s'?",
		                 text_safe(entry->value), nearest);
	return value_bad(file, entry, e, "unknown value '%s': it is %s", text_safe(entry->value), list.data);
}

int value_list(const char *file, const struct ini_entry *entry, struct strlist *out, struct err *e)
{
	size_t before = out->count;

	strlist_split(out, entry->value, " \t\n");
	if (out->count == before)
		return value_bad(file, entry, e, "the list is empty");
	for (size_t i = before; i < out->count; i++)
		if (out->items[i][0] == '#' || out->items[i][0] == ';') {
			value_bad(file, entry, e, "'%s' in the list looks like a comment",
			          text_safe(out->items[i]));
			return err_hint(
				e, "a comment stands on a line of its own and starts in the first column");
		}
	return 0;
}

int value_check_path(const char *file, const struct ini_entry *entry, const char *path, struct err *e)
{
	if (strlen(path) > VALUE_PATH_MAX)
		return value_bad(file, entry, e, "a path can have %d bytes at most, this one has %zu",
		                 VALUE_PATH_MAX, strlen(path));
	return 0;
}

int value_check_shell(const char *file, const struct ini_entry *entry, struct err *e)
{
	const char *shell = entry->value;

	if (value_check_line(file, entry, e) || value_check_path(file, entry, shell, e))
		return -1;
	if (strpbrk(shell, " \t"))
		return value_bad(file, entry, e, "'%s' has a blank in it: a shell is named without arguments",
		                 text_safe(shell));
	if (shell[0] == '/' ? value_path_climbs(shell) || text_ends(shell, "/")
	                    : shell[0] == '-' || strchr(shell, '/'))
		return value_bad(file, entry, e, "'%s' is neither the name nor the absolute path of a shell",
		                 text_safe(shell));
	return 0;
}

/* The directory that the sandbox or the userland needs and `path` would hide; NULL: none. */
static const char *hidden_by(const char *path)
{
	static const char *const whole[] = { "/proc",      "/dev",        "/sys",       "/run",
		                             "/etc",       "/bin",        "/sbin",      "/lib",
		                             "/lib32",     "/lib64",      "/libx32",    "/boot",
		                             "/usr/bin",   "/usr/sbin",   "/usr/lib",   "/usr/lib32",
		                             "/usr/lib64", "/usr/libx32", "/opt/devenv" };
	static const char *const itself[] = { "/",    "/usr", "/var",     "/home",
		                              "/tmp", "/opt", "/var/run", "/var/lib" };

	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		if (path_is_below(path, whole[i]))
			return whole[i];
	for (size_t i = 0; i < ARRAY_SIZE(itself); i++)
		if (!strcmp(path, itself[i]))
			return itself[i];
	return NULL;
}

int value_check_hides(const char *file, const struct ini_entry *entry, const char *path, const char *kind, struct err *e)
{
	cleanup_free char *clean = path_clean(path);
	const char *hidden = hidden_by(clean);

	if (value_path_climbs(path))
		return value_bad(file, entry, e, "'%s' has '..' in it", text_safe(path));
	if (hidden)
		return value_bad(file, entry, e, "'%s' can't be a %s: it would hide %s of the environment", text_safe(path), kind,
		                 hidden);
	return 0;
}

int value_check_target(const char *file, const struct ini_entry *entry, struct err *e)
{
	return value_check_hides(file, entry, entry->value, "target", e);
}

int value_check_inside(const char *file, const struct ini_entry *entry, const char *kind, struct err *e)
{
	const char *target = entry->value;
	cleanup_free char *clean = NULL;

	if (value_check_line(file, entry, e) || value_check_path(file, entry, target, e))
		return -1;
	if (target[0] == '/')
		return value_check_target(file, entry, e);
	if (value_path_climbs(target))
		return value_bad(file, entry, e, "'%s' has '..' in it", text_safe(target));
	clean = path_clean(target[0] == '~' && target[1] == '/' ? target + 2 + strspn(target + 2, "/")
	                                                        : target);
	if (!strcmp(clean, "."))
		return value_bad(file, entry, e, "'%s' as a whole can't be a %s", text_safe(target), kind);
	if (target[0] == '~' && target[1] != '/')
		return value_bad(file, entry, e, "'%s' is not absolute, ~/... or below the project",
		                 text_safe(target));
	if (target[0] != '~' && path_is_below(clean, ".git"))
		return value_bad(file, entry, e, "'%s' can't be a %s: git needs it", text_safe(target), kind);
	return 0;
}

int value_check_name(const char *file, const struct ini_section *section, const char *kind, const char *name,
                     struct err *e)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";

	if (strspn(name, chars) == strlen(name) && !strchr("_.-", name[0]) && strlen(name) <= VALUE_NAME_MAX)
		return 0;
	err_set(e, ERR_CONFIG, "%s:%u: '%s' can't be the name of a %s", text_safe(file), section->line,
	        text_safe(name), kind);
	return err_hint(e, "a name starts with a lower-case letter or digit and goes on with them and _ . -");
}

bool value_path_climbs(const char *path)
{
	for (const char *s = path; s; s = strchr(s, '/') ? strchr(s, '/') + 1 : NULL)
		if (!strncmp(s, "..", 2) && (s[2] == '/' || s[2] == '\0'))
			return true;
	return false;
}
