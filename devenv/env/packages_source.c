/* SPDX-License-Identifier: Apache-2.0 */
/* packages_source.c - the archive that packages of an environment come from: a release's, or the one an image is set up for. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/packages.h"
#include "source/debian_network.h"
#include "source/debian_pool.h"

#define DPKG_STATUS "/var/lib/dpkg/status"
#define FILE_MAX (64u << 20) /* dpkg's status of an image with thousands of packages has a few megabytes */

static int read_root(void *data, const char *path, struct buf *out, struct err *e)
{
	cleanup_free char *absolute = path[0] == '/' ? mem_strdup(path) : mem_printf("/%s", path);
	int got = root_read(data, absolute, FILE_MAX, out, e);

	if (got < 0)
		return -1;
	return got ? 0 : err_set(e, ERR_NOT_FOUND, "the image has no %s", text_safe(absolute));
}

static int list_root(void *data, const char *directory, struct strlist *names, struct err *e)
{
	cleanup_free char *absolute = directory[0] == '/' ? mem_strdup(directory) : mem_printf("/%s", directory);

	return root_list(data, absolute, names, e);
}

static int open_root(const struct store *s, const char *manifest, struct root *root, struct err *e)
{
	struct store_image image;

	if (store_image_load(s, manifest, &image, e) < 0)
		return -1;
	for (size_t i = image.chain_ids.count; i-- > 0;) {
		int fd = store_layer_open(s, image.chain_ids.items[i], e);

		if (fd < 0) {
			store_image_release(&image);
			return -1;
		}
		root_add_layer(root, fd);
	}
	store_image_release(&image);
	return 0;
}

/* Of this process alone: one that was killed left its own, which is swept here. */
static int lock_directory(struct packages_source *p, int above, struct err *e)
{
	p->directory_lock = open(p->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->directory_lock >= 0 && file_lock(p->directory_lock, true, true, e) < 0)
		return -1;
	/* Between its making and its lock a sweep may have been faster. */
	return p->directory_lock >= 0 && file_exists(above, path_base(p->directory)) ? 0 : err_sys(e, "can't keep %s", text_safe(p->directory));
}

static int make_directory(struct packages_source *p, const struct environment *env, struct err *e)
{
	cleanup_free char *all = path_join(env->dirs.cache, "keys");
	cleanup_close int above = -1;

	if (dirs_private(env->dirs.cache, e) < 0 || file_mkdirs(AT_FDCWD, all, 0700, e) < 0)
		return -1;
	above = open(all, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (above < 0)
		return err_sys(e, "can't open %s", text_safe(all));
	file_sweep(above, false, NULL, NULL);
	p->directory = mem_printf("%s/XXXXXX", all);
	if (!mkdtemp(p->directory)) {
		err_sys(e, "can't make %s", text_safe(p->directory));
		free(mem_steal(p->directory));
		return -1;
	}
	return lock_directory(p, above, e);
}

static int open_image(struct packages_source *p, const struct environment *env, struct store *s, const char *manifest,
		      struct err *e)
{
	struct root root = { 0 };
	struct debian_root r = { .fd = -1, .read = read_root, .list = list_root, .data = &root };
	int result = open_root(s, manifest, &root, e);

	if (result == 0)
		result = make_directory(p, env, e);
	if (result == 0)
		result = debian_archive_of_root(&env->user, &r, p->directory, &p->archive, e);
	p->opened = result == 0;
	if (result == 0 && read_root(&root, DPKG_STATUS, &p->status, e) < 0)
		result = e->code == ERR_NOT_FOUND ? err_set(e, ERR_UNSUPPORTED, "the image has no list of its packages "
								"(" DPKG_STATUS "): nothing can be added to it")
						  : -1;
	root_release(&root);
	return result;
}

static void notice(void *data, const char *line)
{
	const struct packages_source *p = data;

	if (p->options->ui->notice)
		p->options->ui->notice(p->options->ui->data, line);
}

static void progress(void *data, const char *what, uint64_t done, uint64_t total)
{
	const struct packages_source *p = data;

	if (p->options->ui->packages)
		p->options->ui->packages(p->options->ui->progress.data, what, done, total);
}

static void waits(void *data, const char *host)
{
	cleanup_free char *line = mem_printf("waiting for the mirror %s, which says nothing", host);

	notice(data, line);
}

void packages_source_start(struct packages_source *p, const struct environment *env, const struct env_options *o)
{
	*p = (struct packages_source){ .options = o, .status = BUF_INIT, .directory_lock = -1 };
	if (!o->offline) {
		p->network = debian_network_new();
		p->http = http_new(&(struct http_settings){ .route = debian_network_route, .route_data = p->network,
							    .waits = waits, .waits_data = p });
	}
	p->context = (struct debian_context){ .user = &env->user,
					      .http = p->http,
					      .cache = env->dirs.cache,
					      .offline = o->offline,
					      .notice = notice,
					      .progress = progress,
					      .data = p };
}

int packages_source_open(struct packages_source *p, const struct environment *env, struct store *s, const char *manifest,
			 const struct env_options *o, struct err *e)
{
	int result;

	packages_source_start(p, env, o);
	if (manifest) {
		result = open_image(p, env, s, manifest, e);
	} else {
		result = debian_archive_of_release(&env->user, env->config.base_value, &env->config.components, &p->archive, e);
		p->opened = result == 0;
	}
	for (size_t i = 0; result == 0 && o->ui->warning && i < p->archive.warnings.count; i++)
		o->ui->warning(o->ui->data, p->archive.warnings.items[i]);
	if (result < 0)
		packages_source_close(p);
	return result;
}

void packages_source_close(struct packages_source *p)
{
	struct err ignored = ERR_INIT;

	if (p->opened)
		debian_archive_release(&p->archive);
	if (p->http)
		http_free(p->http);
	debian_network_free(p->network);
	if (p->directory)
		file_remove_tree(AT_FDCWD, p->directory, &ignored);
	if (p->directory_lock >= 0)
		close(p->directory_lock);
	free(p->directory);
	buf_release(&p->status);
	*p = (struct packages_source){ .status = BUF_INIT, .directory_lock = -1 };
}

int packages_read_status(const struct store *s, const char *manifest, struct buf *status, struct err *e)
{
	struct root root = { 0 };
	int result = open_root(s, manifest, &root, e);

	if (result == 0)
		result = read_root(&root, DPKG_STATUS, status, e);
	root_release(&root);
	return result;
}

/* An archive that can't be known is no reason to stop: much else may have them. */
int packages_fetch(struct environment *env, struct store *s, const struct lock_package *const *packages, size_t count, const char *below,
		   const struct env_options *o, struct err *e)
{
	const struct user_debian *user = &env->user.debian;
	struct packages_source source = { .status = BUF_INIT, .directory_lock = -1 };
	struct debian_pool pool = { .store = s, .vendors = &user->vendors };
	struct err unknown = ERR_INIT;
	size_t missing = 0;
	int result;

	for (size_t i = 0; i < count; i++)
		missing += !store_has_deb(s, packages[i]->sha256, packages[i]->size);
	if (!missing)
		return 0;
	if (env_require_allowed(env, o, e) < 0)
		return -1;
	if (packages_source_open(&source, env, s, below, o, &unknown) == 0) {
		pool.archive = &source.archive;
	} else if (unknown.code == ERR_NOT_FOUND && (user->snapshot || user->vendors.count > 0)) {
		packages_source_start(&source, env, o);
	} else {
		*e = unknown;
		return err_wrap(e, "%zu packages are not in the store", missing);
	}
	pool.context = &source.context;
	result = debian_pool_fetch(&pool, packages, count, e);
	packages_source_close(&source);
	return result;
}
