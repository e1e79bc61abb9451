/* SPDX-License-Identifier: Apache-2.0 */
/* terminfo.c - compiled descriptions of terminals on this machine. */
#include "base/terminfo.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"

#define DESCRIPTION_MAX (64u << 10) /* bytes; term(5) allows 32 KiB */
#define NAME_MAX_BYTES 100

const char *const terminfo_usual[] = {
	"alacritty",	   "contour",	  "foot",	    "ghostty",		    "konsole-256color", "rio",
	"rxvt-unicode-256color", "screen-256color", "st-256color", "tmux-256color",	    "vte-256color",	"wezterm",
	"xterm-256color",  "xterm-ghostty", "xterm-kitty",   NULL,
};
static const char *const everywhere[] = { "ansi", "dumb", "linux", "rxvt", "screen", "tmux", "vt100", "vt220", "xterm", NULL };

static bool is_in(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

bool terminfo_is_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && strlen(name) <= NAME_MAX_BYTES;
}

bool terminfo_is_usual(const char *name)
{
	return is_in(terminfo_usual, name) || is_in(everywhere, name);
}

/* ncurses files an entry under its first letter, or under that letter's code where file systems ignore case. */
static bool read_in(const char *dir, const char *name, struct buf *out)
{
	for (int coded = 0; coded < 2; coded++) {
		cleanup_free char *path = coded ? mem_printf("%s/%x/%s", dir, (unsigned char)name[0], name)
						: mem_printf("%s/%c/%s", dir, name[0], name);
		cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		struct err ignored = ERR_INIT;
		struct stat st;

		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    file_read_fd(fd, DESCRIPTION_MAX, out, &ignored) == 0)
			return true;
		buf_clear(out);
	}
	return false;
}

bool terminfo_read_own(const char *name, struct buf *out)
{
	const char *set = getenv("TERMINFO");

	return terminfo_is_name(name) && set && set[0] == '/' && read_in(set, name, out);
}

bool terminfo_read(const char *name, const char *home, struct buf *out)
{
	static const char *const places[] = { "/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo",
					      "/usr/local/share/terminfo" };
	cleanup_free char *own = home && home[0] == '/' ? path_join(home, ".terminfo") : NULL;

	if (!terminfo_is_name(name))
		return false;
	if (terminfo_read_own(name, out) || (own && read_in(own, name, out)))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (read_in(places[i], name, out))
			return true;
	return false;
}
