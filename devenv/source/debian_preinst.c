/* SPDX-License-Identifier: Apache-2.0 */
/* debian_preinst.c - see debian_preinst.h. */
#include "source/debian_preinst.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/debian_control.h"

/* Nothing that joins commands, expands to one, or writes: only words, and "$@". */
static bool is_plain(struct debian_text line)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \t/._+:~\\\"'-=@,%";

	for (size_t i = 0; i < line.len; i++) {
		if (line.at[i] == '$' && i + 1 < line.len && line.at[i + 1] == '@')
			continue;
		if (!line.at[i] || !strchr(plain, line.at[i]))
			return false;
	}
	return !line.len || line.at[line.len - 1] != '\\';
}

static bool is_idle(struct debian_text line)
{
	static const char *const idle[] = { "set -e", "set -eu", "set -u", "exit 0", ":" };
	static const char *const helper[] = { "rm_conffile", "mv_conffile", "symlink_to_dir", "dir_to_symlink" };
	struct debian_text rest = line, word;

	if (!line.len || line.at[0] == '#')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		if (debian_text_is(line, idle[i]))
			return true;
	if (!debian_control_word(&rest, &word) || !debian_text_is(word, "dpkg-maintscript-helper") ||
	    !debian_control_word(&rest, &word) || !is_plain(line))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(helper); i++)
		if (debian_text_is(word, helper[i]))
			return true;
	return false;
}

static bool is_shell_script(struct debian_text first)
{
	struct debian_text word;

	if (first.len < 3 || memcmp(first.at, "#!", 2) != 0)
		return false;
	first.at += 2;
	first.len -= 2;
	return debian_control_word(&first, &word) && (debian_text_is(word, "/bin/sh") || debian_text_is(word, "/bin/bash"));
}

bool debian_preinst_matters(const struct deb *d)
{
	const struct deb_file *script = deb_find(d, "preinst");
	struct debian_text rest, line;

	if (!script)
		return false;
	rest = (struct debian_text){ script->data.data, script->data.len };
	if (!debian_control_line(&rest, &line) || !is_shell_script(line))
		return true;
	while (debian_control_line(&rest, &line))
		if (!is_idle(line))
			return true;
	return false;
}
