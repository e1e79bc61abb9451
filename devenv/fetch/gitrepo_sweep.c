/* SPDX-License-Identifier: Apache-2.0 */
/* gitrepo_sweep.c - clones of the cache that nothing refers to go; whoever needs one later fetches it again. */
#include "fetch/gitrepo.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define CLONE_NAME 40

char *gitrepo_clone_name(const char *url)
{
	char digest[DIGEST_MAX];

	digest_bytes(url, strlen(url), digest);
	return mem_strndup(digest_hex(digest), CLONE_NAME);
}

/* When something was last fetched into it: then packs come, or it is new. */
static int64_t last_fetch(int cache_fd, const char *name)
{
	cleanup_free char *packs = mem_printf("%s/objects/pack", name);
	const char *const places[] = { name, packs };
	int64_t latest = 0;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (fstatat(cache_fd, places[i], &st, 0) == 0 && st.st_mtime > latest)
			latest = st.st_mtime;
	return latest;
}

/* With the lock that fetching takes: nobody fetches into it now. The lock's file goes last. */
static int remove_clone(int cache_fd, const char *name, bool dry_run, struct err *e)
{
	cleanup_free char *lock = mem_printf("%s.lock", name);
	cleanup_close int fd = openat(cache_fd, lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct err busy = ERR_INIT;

	if (fd < 0 || file_lock(fd, true, false, &busy) < 0)
		return 1;
	if (dry_run)
		return 0;
	if (file_remove_tree(cache_fd, name, e) < 0)
		return -1;
	unlinkat(cache_fd, lock, 0);
	return 0;
}

int gitrepo_sweep(const struct gitrepo_sweep *s, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	cleanup_close int cache_fd = open(s->cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (cache_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "can't open %s", text_safe(s->cache));
	if (file_names(cache_fd, ".", false, &names, e) < 0)
		return -1;
	for (size_t i = 0; r >= 0 && i < names.count; i++) {
		const char *name = names.items[i];
		uint64_t bytes;

		if (!text_is_hex(name, CLONE_NAME) || strlist_has(s->keep, name) || last_fetch(cache_fd, name) > s->oldest)
			continue;
		bytes = file_tree_bytes(cache_fd, name);
		r = remove_clone(cache_fd, name, s->dry_run, e);
		if (r == 0)
			s->removed(s->data, name, bytes);
	}
	return r < 0 ? -1 : 0;
}
