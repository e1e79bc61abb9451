/* SPDX-License-Identifier: Apache-2.0 */
/* dirs.c - the XDG directories of this user. */
#include "base/dirs.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

static char *find_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home && home[0] == '/')
		return path_clean(home);
	pw = getpwuid(geteuid());
	return pw && pw->pw_dir && pw->pw_dir[0] == '/' ? path_clean(pw->pw_dir) : NULL;
}

/* "<$variable>/devenv", or "<home>/<fallback>/devenv" where the variable is unset or relative. */
static char *xdg(const char *variable, const char *home, const char *fallback)
{
	const char *value = getenv(variable);
	cleanup_free char *text = NULL;

	if (value && value[0] == '/')
		text = mem_printf("%s/devenv", value);
	else if (fallback)
		text = mem_printf("%s/%s/devenv", home, fallback);
	return text ? path_clean(text) : NULL;
}

/* What a login session would have said, where nothing did (cron, su, a container): the same place, so that both meet. */
static char *session_runtime(void)
{
	cleanup_free char *base = mem_printf("/run/user/%u", (unsigned int)geteuid());
	struct stat st;

	if (lstat(base, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 07777) != 0700)
		return NULL;
	return path_join(base, "devenv");
}

static int check_store_variable(const char *store, struct err *e)
{
	if (!store || !*store || store[0] == '/')
		return 0;
	err_set(e, ERR_CONFIG, "DEVENV_STORE='%s' is not an absolute path", text_safe(store));
	return err_hint(e, "write the whole path, starting with /");
}

int dirs_find(struct dirs *d, struct err *e)
{
	const char *store = getenv("DEVENV_STORE");
	char *home;

	if (check_store_variable(store, e) < 0)
		return -1;
	home = find_home();
	if (!home) {
		err_set(e, ERR_FAILED, "can't tell the home directory: $HOME is not an absolute path and uid %u has no "
			"passwd entry", (unsigned int)geteuid());
		return err_hint(e, "set HOME");
	}
	d->home = home;
	d->store = store && store[0] == '/' ? path_clean(store) : xdg("XDG_DATA_HOME", home, ".local/share");
	d->state = xdg("XDG_STATE_HOME", home, ".local/state");
	d->runtime = xdg("XDG_RUNTIME_DIR", home, NULL);
	if (!d->runtime)
		d->runtime = session_runtime();
	if (!d->runtime)
		d->runtime = path_join(d->state, "run");
	d->cache = xdg("XDG_CACHE_HOME", home, ".cache");
	d->config = xdg("XDG_CONFIG_HOME", home, ".config");
	return 0;
}

void dirs_release(struct dirs *d)
{
	if (!d)
		return;
	free(d->home);
	free(d->store);
	free(d->state);
	free(d->runtime);
	free(d->cache);
	free(d->config);
	*d = (struct dirs){ 0 };
}

/* With the hash behind it the name must fit in a file name, and in one with something before and behind it. */
static int base_length(const char *base)
{
	size_t len = strlen(base);

	if (len <= DIRS_BASE_MAX)
		return (int)len;
	len = DIRS_BASE_MAX;
	while (len > 0 && ((unsigned char)base[len] & 0xc0) == 0x80)
		len--;
	return (int)len;
}

char *dirs_checkout(const struct dirs *d, const char *project)
{
	const char *base = path_base(project);

	return mem_printf("%s/checkouts/%.*s-%016llx", d->state, base_length(base), base,
			  (unsigned long long)text_hash(project, strlen(project)));
}

char *dirs_image(const struct dirs *d, const char *reference)
{
	return mem_printf("%s/images/%016llx", d->state,
			  (unsigned long long)text_hash(reference, strlen(reference)));
}

/* Which variable led to this path? Who gets the error set that variable, not the path. */
static int hint_variable(const char *path, const char *otherwise, struct err *e)
{
	static const char *const variables[] = { "DEVENV_STORE",  "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
						 "XDG_DATA_HOME", "XDG_CACHE_HOME",  "XDG_CONFIG_HOME" };

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);
		cleanup_free char *clean = value && value[0] == '/' ? path_clean(value) : NULL;

		if (clean && path_is_below(path, clean))
			return err_hint(e, "%s is %s: set it to a directory of yours, or unset it", variables[i],
					text_safe(value));
	}
	return err_hint(e, "%s", otherwise);
}

int dirs_private(const char *path, struct err *e)
{
	cleanup_close int fd = -1;
	struct stat st;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		if (file_mkdirs(AT_FDCWD, path, 0700, e) < 0)
			return e && e->code == ERR_SPACE ? -1 : hint_variable(path, "", e);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(e, "can't open the directory %s", text_safe(path));
		return hint_variable(path, "", e);
	}
	if (st.st_uid != geteuid()) {
		err_set(e, ERR_STORE, "%s belongs to another user (uid %u)", text_safe(path), (unsigned int)st.st_uid);
		return hint_variable(path, "HOME must name a directory of yours", e);
	}
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return err_sys(e, "can't make %s private", text_safe(path));
	return 0;
}
