/* SPDX-License-Identifier: Apache-2.0 */
/* dirs_shown.c - places of the user's, for messages that say what to edit or delete. See dirs.h. */
#include "base/dirs.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

enum { SHOWN_MAX = 200 }; /* of a path; a hint has other words too */

static const char *show(char out[SHOWN_MAX], const char *home, const char *directory, const char *below)
{
	cleanup_free char *path = path_join(directory, below);
	const char *rest = path_below(path, home);

	snprintf(out, SHOWN_MAX, "%s%s", rest && *rest ? "~/" : "", text_safe(rest && *rest ? rest : path));
	return out;
}

const char *dirs_shown_config(void)
{
	static _Thread_local char shown[SHOWN_MAX];
	struct err ignored = ERR_INIT;
	struct dirs d;

	if (dirs_find(&d, &ignored) < 0)
		return "config.ini";
	show(shown, d.home, d.config, "config.ini");
	dirs_release(&d);
	return shown;
}

const char *dirs_shown_cache(const char *below)
{
	static _Thread_local char shown[SHOWN_MAX];
	struct err ignored = ERR_INIT;
	struct dirs d;

	if (dirs_find(&d, &ignored) < 0)
		return below;
	show(shown, d.home, d.cache, below);
	dirs_release(&d);
	return shown;
}
