/* SPDX-License-Identifier: Apache-2.0 */
/* draft.c - a plan while it is being made: opening and looking into the image. What fills it in is in fill.c, what ends
 * it in finish.c. */
#include "env/draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/accounts.h"

const char *draft_keep(struct draft *d, char *s)
{
	strlist_add_take(&d->own, s);
	return s;
}

const char *draft_copy(struct draft *d, const char *s)
{
	return draft_keep(d, mem_strdup(s));
}

/* Mounting on a link would mount on whatever it names. */
static int check_root(const struct draft *d, const char *what, struct err *e)
{
	static const char *const special[] = { "/proc", "/sys", "/dev" };

	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		struct root_entry entry;
		enum root_kind kind;

		if (root_resolve(&d->root, special[i], ROOT_NOFOLLOW, &entry, e) < 0)
			return -1;
		kind = entry.kind;
		root_entry_release(&entry);
		if (kind == ROOT_LINK)
			return err_set(e, ERR_INTEGRITY, "%s can't be used as a root: its %s is a symbolic link",
				       text_safe(what), special[i]);
	}
	return 0;
}

static int open_layers(struct draft *d, struct err *e)
{
	for (size_t i = d->image.chain_ids.count; i-- > 0;) {
		int fd = store_layer_open(d->store, d->image.chain_ids.items[i], e);

		if (fd < 0)
			return -1;
		root_add_layer(&d->root, fd);
	}
	return 0;
}

static int read_accounts(struct draft *d, struct err *e)
{
	if (root_read(&d->root, "/etc/passwd", ACCOUNTS_MAX, &d->passwd, e) < 0 ||
	    root_read(&d->root, "/etc/group", ACCOUNTS_MAX, &d->group, e) < 0)
		return -1;
	return 0;
}

int draft_open(struct draft *d, struct environment *env, struct store *s, const char *digest, const char *what,
	       struct err *e)
{
	*d = (struct draft){ .env = env, .store = s, .passwd = BUF_INIT, .group = BUF_INIT, .filter = BUF_INIT,
			     .root_filter = BUF_INIT };
	plan_init(&d->plan);
	d->skeleton.below = &d->root;
	if (store_image_load(s, digest, &d->image, e) < 0)
		goto fail;
	if (oci_config_parse(d->image.config, strlen(d->image.config), &d->config, e) < 0)
		goto fail;
	for (size_t i = 0; i < d->config.warnings.count; i++)
		strlist_addf(&env->warnings, "%s: %s", text_safe(what), d->config.warnings.items[i]);
	if (open_layers(d, e) < 0 || check_root(d, what, e) < 0 || read_accounts(d, e) < 0)
		goto fail;
	d->plan.image = d->image_name = draft_copy(d, what);
	d->plan.store = env->store_found;
	return 0;
fail:
	err_wrap(e, "can't plan with %s", text_safe(what));
	draft_release(d);
	return -1;
}

void draft_release(struct draft *d)
{
	plan_release(&d->plan);
	strlist_release(&d->own);
	store_image_release(&d->image);
	oci_config_release(&d->config);
	root_release(&d->root);
	skeleton_release(&d->skeleton);
	variables_release(&d->variables);
	buf_release(&d->passwd);
	buf_release(&d->group);
	buf_release(&d->filter);
	buf_release(&d->root_filter);
}

const char *draft_target(struct draft *d, const char *path, const char *what, struct err *e)
{
	static const char *const reserved[] = { "/proc", "/sys", "/dev" };
	cleanup_free char *clean = path_clean(path);
	struct root_entry entry;
	const char *target;

	if (root_resolve(&d->root, clean, ROOT_FOLLOW, &entry, e) < 0)
		return NULL;
	target = draft_keep(d, mem_steal(entry.path));
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		if (path_is_below(target, reserved[i])) {
			err_set(e, ERR_CONFIG, "%s can't be at %s inside: %s belongs to the sandbox", text_safe(what),
				text_safe(target), reserved[i]);
			return NULL;
		}
	}
	if (strcmp(target, "/") == 0) {
		err_set(e, ERR_CONFIG, "%s can't be the whole root inside", text_safe(what));
		return NULL;
	}
	return target;
}

int draft_has(struct draft *d, const char *path, struct err *e)
{
	struct root_entry entry;
	bool has;

	if (root_resolve(&d->root, path, ROOT_FOLLOW, &entry, e) < 0)
		return -1;
	has = entry.kind != ROOT_MISSING;
	root_entry_release(&entry);
	return has;
}

/* /etc is made a real directory in the generated layer whatever the image has there. */
static int resolve_parent(struct draft *d, const char *path, struct root_entry *out, struct err *e)
{
	cleanup_free char *parent = path_parent(path);
	struct root_entry etc;
	enum root_kind kind;

	if (root_resolve(&d->root, "/etc", ROOT_NOFOLLOW, &etc, e) < 0)
		return -1;
	kind = etc.kind;
	root_entry_release(&etc);
	if (kind == ROOT_LINK && path_is_below(path, "/etc")) {
		*out = (struct root_entry){ .kind = ROOT_MISSING, .path = mem_steal(parent) };
		return 0;
	}
	return root_resolve(&d->root, parent, ROOT_FOLLOW, out, e);
}

int draft_put_file(struct draft *d, const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	static const char *const mounted[] = { "/proc", "/sys", "/dev", "/tmp" };
	cleanup_free char *full = NULL;
	struct root_entry entry;
	enum root_kind kind;

	if (resolve_parent(d, path, &entry, e) < 0)
		return -1;
	full = path_join(entry.path, path_base(path));
	kind = entry.kind;
	root_entry_release(&entry);
	for (size_t i = 0; i < ARRAY_SIZE(mounted); i++)
		if (path_is_below(full, mounted[i]))
			return 0;
	if (kind != ROOT_DIRECTORY && kind != ROOT_MISSING)
		return 0;
	return skeleton_add_data(&d->skeleton, full, data, len, mode, e);
}

/* A regular file that somebody may execute. */
static bool is_program(const struct draft *d, const char *path, bool *is, struct err *e)
{
	struct root_entry entry;

	if (root_resolve(&d->root, path, ROOT_FOLLOW, &entry, e) < 0)
		return false;
	*is = entry.kind == ROOT_FILE && (entry.st.st_mode & 0111);
	root_entry_release(&entry);
	return true;
}

const char *draft_find_program(struct draft *d, const char *name, struct err *e)
{
	cleanup_strlist struct strlist dirs = STRLIST_INIT;
	const char *path = variables_get(&d->variables, "PATH");
	bool is = false;

	if (strchr(name, '/')) {
		if (name[0] != '/' || !is_program(d, name, &is, e))
			return NULL;
		return is ? draft_copy(d, name) : NULL;
	}
	strlist_split(&dirs, path ? path : DRAFT_DEFAULT_PATH, ":");
	for (size_t i = 0; i < dirs.count; i++) {
		cleanup_free char *full = path_join(dirs.items[i], name);

		if (full[0] != '/')
			continue;
		if (!is_program(d, full, &is, e))
			return NULL;
		if (is)
			return draft_copy(d, full);
	}
	return NULL;
}
