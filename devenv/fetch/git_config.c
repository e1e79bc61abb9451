/* SPDX-License-Identifier: Apache-2.0 */
/* git_config.c - reading git's configuration files through libgit2. Nothing of a repository is executed. */
#include "fetch/git_config.h"

#include <git2.h>
#include <unistd.h>

#include "base/text.h"

struct reading {
	void (*take)(void *data, const char *name, const char *value);
	void *data;
};

static int failed(struct err *e, const char *what)
{
	const git_error *why = git_error_last();

	return err_set(e, ERR_CONFIG, "can't read %s: %s", what, why ? text_safe(why->message) : "unknown error");
}

static int take_entry(const git_config_entry *entry, void *payload)
{
	const struct reading *r = payload;

	if (entry->value) /* a key without '=' */
		r->take(r->data, entry->name, entry->value);
	return 0;
}

/* Levels only have to differ; a higher one comes later. */
static int read_files(git_config *config, git_repository *repository, const char *const *files, size_t count,
		      struct reading *r, struct err *e)
{
	static const git_config_level_t levels[] = { GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL };

	for (size_t i = 0; i < count && i < sizeof(levels) / sizeof(levels[0]); i++)
		if (access(files[i], R_OK) == 0 &&
		    git_config_add_file_ondisk(config, files[i], levels[i], repository, 0) < 0)
			return failed(e, files[i]);
	return git_config_foreach(config, take_entry, r) < 0 ? failed(e, "git's configuration") : 0;
}

int git_config_read(const char *const *files, size_t count, const char *work_tree,
		    void (*take)(void *data, const char *name, const char *value), void *data, struct err *e)
{
	struct reading r = { take, data };
	git_repository *repository = NULL;
	git_config *config = NULL;
	int result;

	git_libgit2_init();
	/* Not one, or not ours: then no condition holds. */
	if (work_tree && git_repository_open(&repository, work_tree) < 0)
		repository = NULL;
	if (git_config_new(&config) < 0)
		result = failed(e, "git's configuration");
	else
		result = read_files(config, repository, files, count, &r, e);
	git_config_free(config);
	git_repository_free(repository);
	git_libgit2_shutdown();
	return result;
}
