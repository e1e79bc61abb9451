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

int dirs_find(struct dirs *d, struct err *e)
{
	char *home = find_home();
	const char *store = getenv("DEVENV_STORE");

	if (!home) {
		err_set(e, ERR_FAILED, "cannot tell the home directory: $HOME is not an absolute path and uid %u has no "
			"passwd entry", (unsigned int)geteuid());
		return err_hint(e, "set HOME");
	}
	d->home = home;
	d->store = store && store[0] == '/' ? path_clean(store) : xdg("XDG_DATA_HOME", home, ".local/share");
	d->state = xdg("XDG_STATE_HOME", home, ".local/state");
	d->runtime = xdg("XDG_RUNTIME_DIR", home, NULL);
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

char *dirs_checkout(const struct dirs *d, const char *project)
{
	return mem_printf("%s/checkouts/%s-%016llx", d->state, path_base(project),
			  (unsigned long long)text_hash(project, strlen(project)));
}

char *dirs_image(const struct dirs *d, const char *reference)
{
	return mem_printf("%s/images/%016llx", d->state,
			  (unsigned long long)text_hash(reference, strlen(reference)));
}

int dirs_private(const char *path, struct err *e)
{
	cleanup_close int fd = -1;
	struct stat st;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		if (file_mkdirs(AT_FDCWD, path, 0700, e) < 0)
			return -1;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "cannot open the directory %s", text_safe(path));
	if (st.st_uid != geteuid()) {
		err_set(e, ERR_STORE, "%s belongs to another user (uid %u)", text_safe(path), (unsigned int)st.st_uid);
		return err_hint(e, "check HOME, DEVENV_STORE and the XDG_* variables: they must name directories of yours");
	}
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return err_sys(e, "cannot make %s private", text_safe(path));
	return 0;
}
