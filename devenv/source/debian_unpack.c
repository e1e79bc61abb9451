/* SPDX-License-Identifier: Apache-2.0 */
/* debian_unpack.c - a .deb file of the store becomes a layer of the store: see debian_unpacked.h for what is in it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/stream.h"
#include "base/sys.h"
#include "base/text.h"
#include "layer/layer.h"
#include "source/debian_deb.h"
#include "source/debian_pool.h"
#include "source/debian_unpacked.h"

enum { CONFFILE_MAX = 64 << 20 };

struct making {
	struct unpacked *u;
	const struct deb *deb;
	int deb_fd;
	int fd; /* the directory that becomes the layer */
};

static int failure(const struct making *m, const char *what, struct err *e)
{
	err_sys(e, "can't write %s of the package %s", text_safe(what), text_safe(m->u->package->name));
	return -1;
}

/* ---- the data ---- */

static int unpack_data(const struct making *m, struct err *e)
{
	const struct layer_spec spec = { .compression = m->deb->data_compression };
	cleanup_close int fs = -1, owners = -1;
	struct layer_result result;
	struct store_stage self = { .fd = m->fd };
	struct store_layer_meta meta = { .diff_id = result.diff_id };
	struct stream *in;
	int failed, deb;

	if (mkdirat(m->fd, "fs", 0755) < 0)
		return failure(m, "fs", e);
	fs = openat(m->fd, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	owners = openat(m->fd, "owners", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fs < 0 || owners < 0 || lseek(m->deb_fd, m->deb->data_offset, SEEK_SET) < 0)
		return failure(m, "fs", e);
	deb = fcntl(m->deb_fd, F_DUPFD_CLOEXEC, 0);
	if (deb < 0)
		return failure(m, "fs", e);
	in = stream_from_fd(deb, m->deb->data_size);
	failed = layer_apply(&spec, in, fs, owners, NULL, NULL, &result, e);
	stream_close(in);
	if (failed < 0)
		return err_wrap(e, "package %s", text_safe(m->u->package->name));
	meta.bytes = result.bytes;
	meta.files = result.entries;
	return store_layer_meta_write(&self, &meta, e);
}

/* ---- dpkg's files ---- */

static int write_file(const struct making *m, const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = m->deb->time } };
	cleanup_close int fd = openat(m->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return failure(m, path, e);
	if (file_write_all(fd, data, len, e) < 0)
		return err_wrap(e, "%s of the package %s", text_safe(path), text_safe(m->u->package->name));
	return fchmod(fd, mode) < 0 || futimens(fd, times) < 0 ? failure(m, path, e) : 0;
}

static int list_directory(const struct making *m, int above, const char *name, struct buf *path, struct buf *list, struct err *e)
{
	cleanup_close int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_strlist struct strlist names = STRLIST_INIT;
	size_t len = path->len;

	if (fd < 0)
		return failure(m, name, e);
	if (file_names(fd, ".", true, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct stat st;

		buf_addf(path, "/%s", names.items[i]);
		buf_addf(list, "%s\n", path->data);
		if (fstatat(fd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			return failure(m, names.items[i], e);
		if (S_ISDIR(st.st_mode) && list_directory(m, fd, names.items[i], path, list, e) < 0)
			return -1;
		path->len = len;
		path->data[len] = '\0';
	}
	return 0;
}

/* Every path of the package. */
static int write_list(const struct making *m, struct err *e)
{
	cleanup_buf struct buf list = BUF_INIT, path = BUF_INIT;

	buf_adds(&list, "/.\n");
	if (list_directory(m, m->fd, "fs", &path, &list, e) < 0)
		return -1;
	return write_file(m, "info/list", list.data, list.len, 0644, e);
}

/* The others only tell dpkg what it now hears from status and list. */
static bool is_kept(const char *name)
{
	return strcmp(name, "control") != 0 && strcmp(name, "list") != 0 && strcmp(name, "format") != 0;
}

static bool is_script(const char *name)
{
	return strcmp(name, "preinst") == 0 || strcmp(name, "postinst") == 0 || strcmp(name, "prerm") == 0 ||
	       strcmp(name, "postrm") == 0 || strcmp(name, "config") == 0;
}

static int write_info(const struct making *m, struct err *e)
{
	if (mkdirat(m->fd, "info", 0755) < 0)
		return failure(m, "info", e);
	for (size_t i = 0; i < m->deb->count; i++) {
		const struct deb_file *f = &m->deb->files[i];
		cleanup_free char *path = mem_printf("info/%s", f->name);

		if (is_kept(f->name) && write_file(m, path, f->data.data, f->data.len, is_script(f->name) ? 0755 : 0644, e) < 0)
			return -1;
	}
	return write_list(m, e);
}

/* ---- the status paragraph ---- */

/* A conffile that the package doesn't have, or has as a link, has no sum: dpkg writes this then. */
static void conffile_sum(const struct making *m, const char *path, char out[DIGEST_MD5_LEN + 1])
{
	cleanup_buf struct buf content = BUF_INIT;
	cleanup_close int root = openat(m->fd, "fs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = sys_openat2(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, SYS_RESOLVE_IN_ROOT);
	struct err ignored;

	snprintf(out, DIGEST_MD5_LEN + 1, "newconffile");
	if (fd >= 0 && file_read_fd(fd, CONFFILE_MAX, &content, &ignored) == 0)
		digest_md5(content.data, content.len, out);
}

static void add_conffiles(const struct making *m, struct buf *status)
{
	const struct deb_file *f = deb_find(m->deb, "conffiles");
	struct debian_text rest, line;
	bool any = false;

	if (!f)
		return;
	rest = (struct debian_text){ f->data.data, f->data.len };
	while (debian_control_line(&rest, &line)) {
		cleanup_free char *path = debian_text_dup(line);
		char sum[DIGEST_MD5_LEN + 1];

		if (path[0] != '/') /* a flag: it is to be removed */
			continue;
		if (!any)
			buf_adds(status, "Conffiles:\n");
		any = true;
		conffile_sum(m, path, sum);
		buf_addf(status, " %s %s\n", path, sum);
	}
}

static int write_status(const struct making *m, struct err *e)
{
	const struct deb_file *f = deb_find(m->deb, "control");
	struct debian_text rest = { f->data.data, f->data.len }, paragraph = { "", 0 }, name, value;
	cleanup_buf struct buf status = BUF_INIT;

	debian_control_next(&rest, &paragraph);
	if (debian_pool_check(m->u->package, paragraph, e) < 0)
		return -1;
	for (rest = paragraph; debian_control_each(&rest, &name, &value);) {
		if (debian_text_is(name, "Status") || debian_text_is(name, "Conffiles"))
			continue;
		buf_addf(&status, "%.*s: %.*s\n", (int)name.len, name.at, (int)value.len, value.at);
		if (debian_text_is(name, "Package"))
			buf_adds(&status, "Status: install ok unpacked\n");
	}
	add_conffiles(m, &status);
	return write_file(m, "status", status.data, status.len, 0644, e);
}

int unpacked_make(struct store *s, struct store_stage *stage, struct unpacked *u, struct err *e)
{
	cleanup_close int deb_fd = debian_pool_open(s, u->package->sha256, e), fd = -1;
	struct making m = { .u = u, .deb_fd = deb_fd };
	const char *hex = digest_hex(u->id);
	struct deb deb;
	int result;

	if (deb_fd < 0)
		return err_wrap(e, "package %s %s", text_safe(u->package->name), text_safe(u->package->version));
	if (deb_read(deb_fd, u->package->name, &deb, e) < 0)
		return -1;
	m.deb = &deb;
	if (mkdirat(stage->fd, hex, 0700) == 0)
		fd = openat(stage->fd, hex, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	m.fd = fd;
	result = fd < 0 ? failure(&m, "the layer", e) : 0;
	if (result == 0 && (unpack_data(&m, e) < 0 || write_info(&m, e) < 0 || write_status(&m, e) < 0))
		result = -1;
	deb_release(&deb);
	return result;
}
