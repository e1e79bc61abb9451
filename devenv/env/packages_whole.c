/* SPDX-License-Identifier: Apache-2.0 */
/* packages_whole.c - see packages_whole.h. */
#include "env/packages_whole.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/project.h"
#include "base/text.h"
#include "env/locking.h"
#include "env/packages_internal.h"
#include "env/packages_stage.h"
#include "source/debian_closure.h"
#include "source/debian_pool.h"

struct whole {
	struct buf installed, locked; /* stanzas: what the universe is made of */
	struct debian_universe u;
	struct env_gaps *gaps;
	struct strlist *blamed;
};

/* Of the image that packages of the lock are added to; false: it isn't here. */
static bool read_installed(const struct environment *env, const struct store *s, const char *platform, struct buf *status)
{
	const struct lock_image *entry = lock_find(&env->lock, LOCKING_BASE);
	char digest[DIGEST_MAX] = "";
	struct err ignored = ERR_INIT;

	if (env->config.base == CONFIG_BASE_DEBIAN)
		return packages_stage_base_digest(&env->lock, platform, digest, &ignored) == 0 &&
		       packages_read_status(s, digest, status, &ignored) == 0;
	return entry && lock_manifest_digest(entry, platform) &&
	       packages_read_status(s, lock_manifest_digest(entry, platform), status, &ignored) == 0;
}

/* Control data of the lock's packages, of the base or added; false: the store lacks one. */
static bool read_locked(const struct lock *l, const struct store *s, const char *arch, bool in_base, struct buf *out)
{
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < l->package_count; i++) {
		const struct lock_package *p = &l->packages[i];

		if (p->in_base == in_base && strcmp(p->arch, arch) == 0 && debian_pool_stanza(s, p, out, &ignored) < 0)
			return false;
	}
	return true;
}

/* A base that is made already was whole: its own list says what is in it, even without the files it was made of. */
static bool read_set(const struct environment *env, const struct store *s, const char *platform, struct whole *w)
{
	const char *arch = debian_arch(platform);

	if (!arch || !read_locked(&env->lock, s, arch, false, &w->locked))
		return false;
	if (env->config.base == CONFIG_BASE_DEBIAN && read_locked(&env->lock, s, arch, true, &w->locked))
		return true;
	buf_clear(&w->locked);
	return read_installed(env, s, platform, &w->installed) && read_locked(&env->lock, s, arch, false, &w->locked);
}

/* Names in a relation that are there, but not as it wants them. */
static void blame(const struct whole *w, const struct debian_fault *f)
{
	struct debian_text group = f->group;
	struct debian_dependency d;
	size_t first;

	if (f->with != SIZE_MAX) {
		strlist_add_take(w->blamed, debian_text_dup(w->u.packages[f->package].name));
		strlist_add_take(w->blamed, debian_text_dup(w->u.packages[f->with].name));
	}
	while (f->with == SIZE_MAX && debian_depends_next(&group, w->u.arch, &d))
		if (debian_universe_find(&w->u, d.name, &first))
			strlist_add_take(w->blamed, debian_text_dup(d.name));
}

static void found(void *data, const struct debian_fault *f)
{
	const struct whole *w = data;
	const struct debian_package *p = &w->u.packages[f->package];
	cleanup_free char *name = debian_text_dup(p->name);
	struct buf reason = BUF_INIT;

	text_escape_bytes(&reason, p->version.at, p->version.len);
	buf_addch(&reason, ' ');
	debian_closure_explain(&w->u, f, &reason);
	locking_add_gap(w->gaps, name, buf_steal(&reason));
	if (w->blamed)
		blame(w, f);
}

void packages_whole_gaps(const struct environment *env, const struct store *s, const char *platform, struct env_gaps *out,
			 struct strlist *blamed)
{
	struct whole w = { .installed = BUF_INIT, .locked = BUF_INIT, .gaps = out, .blamed = blamed };

	if (read_set(env, s, platform, &w)) {
		debian_universe_init(&w.u, debian_arch(platform));
		debian_universe_add(&w.u, (struct debian_text){ w.locked.data, w.locked.len }, 0);
		if (w.installed.len)
			debian_universe_add_installed(&w.u, (struct debian_text){ w.installed.data, w.installed.len });
		debian_universe_sort(&w.u);
		debian_closure_check(&w.u, found, &w);
		debian_universe_release(&w.u);
	}
	buf_release(&w.installed);
	buf_release(&w.locked);
}

void env_gaps_find_needs(struct environment *env, struct env_gaps *out)
{
	cleanup_strlist struct strlist platforms = STRLIST_INIT;
	struct err ignored = ERR_INIT;
	struct store s;

	/* Opening a store makes it. */
	if (out->count || !env->lock.package_count || !file_exists(AT_FDCWD, env->dirs.store) || env_store(env, &s, &ignored) < 0)
		return;
	packages_platforms(env, &platforms);
	for (size_t i = 0; i < platforms.count; i++)
		packages_whole_gaps(env, &s, platforms.items[i], out, NULL);
	store_close(&s);
}

int packages_whole_check(const struct environment *env, const struct store *s, struct err *e)
{
	struct env_gaps gaps = { 0 };
	int result = 0;

	packages_whole_gaps(env, s, oci_platform(), &gaps, NULL);
	if (gaps.count) {
		const char *more = gaps.count > 1 ? "; and there is more" : "", *reason = gaps.items[0].reason;
		int version = (int)strcspn(reason, " ");

		result = err_set(e, ERR_LOCK, "%s has %s %.*s, which%s%s", PROJECT_LOCK, text_safe(gaps.items[0].name), version, reason,
				 reason + version, more);
		err_hint(e, "run `devenv lock`");
	}
	env_gaps_release(&gaps);
	return result;
}
