/* SPDX-License-Identifier: Apache-2.0 */
/* debian_dpkg.c - see debian_dpkg.h. */
#include "source/debian_dpkg.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { LIST_MAX = 64 << 20, TRIGGERS_MAX = 1 << 20 };

struct database {
	int fd, info_fd, triggers_fd; /* of var/lib/dpkg and directories in it */
	int64_t time;
};

static int failure(const char *what, struct err *e)
{
	return err_sys(e, "can't write dpkg's %s in the base", text_safe(what));
}

/* Whatever is there under the name may be a hard link to a package's file: it goes first. */
static int write_file(int dirfd, const char *name, const void *data, size_t len, int64_t time, struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = time } };
	cleanup_close int fd = -1;

	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return failure(name, e);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failure(name, e);
	if (file_write_all(fd, data, len, e) < 0)
		return err_wrap(e, "dpkg's %s in the base", text_safe(name));
	return fchmod(fd, 0644) < 0 || futimens(fd, times) < 0 ? failure(name, e) : 0;
}

static int write_text(const struct database *db, const char *name, const char *text, struct err *e)
{
	return write_file(db->fd, name, text, strlen(text), db->time, e);
}

/* ---- info ---- */

/* The list without what another package has taken over. */
static int write_rest_of_list(const struct database *db, const struct unpacked *u, const char *name, struct err *e)
{
	cleanup_buf struct buf list = BUF_INIT, rest = BUF_INIT;

	if (file_read(u->fd, "info/list", LIST_MAX, O_NOFOLLOW, &list, NULL, e) < 0)
		return -1;
	for (char *line = list.data, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (!strlist_has(&u->lost, line))
			buf_addf(&rest, "%s\n", line);
	}
	return write_file(db->info_fd, name, rest.data, rest.len, u->time, e);
}

static int copy_info(const struct database *db, const struct unpacked *u, const char *source, const char *name, struct err *e)
{
	cleanup_buf struct buf content = BUF_INIT;
	struct stat st;

	if (file_read(u->fd, source, LIST_MAX, O_NOFOLLOW, &content, &st, e) < 0 ||
	    write_file(db->info_fd, name, content.data, content.len, u->time, e) < 0)
		return -1;
	return fchmodat(db->info_fd, name, st.st_mode & 07777, 0) < 0 ? failure(name, e) : 0;
}

static int write_info(const struct database *db, const struct unpacked *u, struct err *e)
{
	cleanup_buf struct buf prefix = BUF_INIT;

	unpacked_dpkg_name(u, &prefix);
	for (size_t i = 0; i < u->info.count; i++) {
		cleanup_free char *name = mem_printf("%s.%s", prefix.data, u->info.items[i]);
		cleanup_free char *source = mem_printf("info/%s", u->info.items[i]);
		int result;

		if (u->lost.count > 0 && strcmp(u->info.items[i], "list") == 0)
			result = write_rest_of_list(db, u, name, e);
		else if (linkat(u->fd, source, db->info_fd, name, 0) < 0)
			result = copy_info(db, u, source, name, e);
		else
			result = 0;
		if (result < 0)
			return -1;
	}
	return 0;
}

/* ---- triggers ---- */

struct interest {
	char *trigger; /* a name, or a path */
	char *line;    /* what the trigger's file says of it */
};
struct interests {
	struct interest *items;
	size_t count, cap;
};

static void add_interest(struct interests *all, const struct unpacked *u, struct debian_text line)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct debian_text kind, trigger;
	bool wait;

	if (!debian_control_word(&line, &kind) || !debian_control_word(&line, &trigger))
		return;
	wait = debian_text_is(kind, "interest") || debian_text_is(kind, "interest-await");
	if (!wait && !debian_text_is(kind, "interest-noawait"))
		return;
	if (trigger.at[0] == '/')
		buf_addf(&text, "%.*s ", (int)trigger.len, trigger.at);
	else if (memchr(trigger.at, '/', trigger.len) || trigger.at[0] == '.')
		return; /* no name of a file */
	unpacked_dpkg_name(u, &text);
	buf_adds(&text, wait ? "\n" : "/noawait\n");
	all->items = mem_grow(all->items, all->count, &all->cap, sizeof(*all->items));
	all->items[all->count++] = (struct interest){ .trigger = debian_text_dup(trigger), .line = buf_steal(&text) };
}

static int read_triggers(struct interests *all, const struct unpacked *u, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct debian_text rest, line;

	if (!strlist_has(&u->info, "triggers"))
		return 0;
	if (file_read(u->fd, "info/triggers", TRIGGERS_MAX, O_NOFOLLOW, &text, NULL, e) < 0)
		return -1;
	rest = (struct debian_text){ text.data, text.len };
	while (debian_control_line(&rest, &line)) {
		const char *comment = memchr(line.at, '#', line.len);

		if (comment)
			line.len = (size_t)(comment - line.at);
		add_interest(all, u, line);
	}
	return 0;
}

static int by_trigger(const void *a, const void *b)
{
	const struct interest *x = a, *y = b;
	int order = strcmp(x->trigger, y->trigger);

	return order ? order : strcmp(x->line, y->line);
}

static int write_interests(const struct database *db, const struct interests *all, struct err *e)
{
	cleanup_buf struct buf files = BUF_INIT, names = BUF_INIT;

	for (size_t i = 0; i < all->count; i++) {
		const struct interest *it = &all->items[i];

		if (it->trigger[0] == '/') {
			buf_adds(&files, it->line);
			continue;
		}
		buf_adds(&names, it->line);
		if (i + 1 < all->count && strcmp(it->trigger, it[1].trigger) == 0)
			continue;
		if (write_file(db->triggers_fd, it->trigger, names.data, names.len, db->time, e) < 0)
			return -1;
		buf_clear(&names);
	}
	if (write_file(db->triggers_fd, "Unincorp", "", 0, db->time, e) < 0)
		return -1;
	return files.len ? write_file(db->triggers_fd, "File", files.data, files.len, db->time, e) : 0;
}

static int write_triggers(const struct database *db, const struct unpacked *packages, size_t count, struct err *e)
{
	struct interests all = { 0 };
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++)
		if (!packages[i].files_only)
			result = read_triggers(&all, &packages[i], e);
	if (result == 0) {
		if (all.count > 0)
			qsort(all.items, all.count, sizeof(*all.items), by_trigger);
		result = write_interests(db, &all, e);
	}
	for (size_t i = 0; i < all.count; i++) {
		free(all.items[i].trigger);
		free(all.items[i].line);
	}
	free(all.items);
	return result;
}

/* ---- all of it ---- */

static int write_all(const struct database *db, struct unpacked *packages, size_t count, struct err *e)
{
	cleanup_buf struct buf status = BUF_INIT;
	cleanup_free char *arch = mem_printf("%s\n", count ? packages[0].package->arch : "");

	for (size_t i = 0; i < count; i++) {
		if (packages[i].files_only)
			continue;
		if (write_info(db, &packages[i], e) < 0)
			return -1;
		buf_addf(&status, "%s\n", packages[i].status.data);
	}
	if (write_file(db->info_fd, "format", "1\n", 2, db->time, e) < 0 || write_text(db, "diversions", "", e) < 0 ||
	    write_text(db, "arch", arch, e) < 0 || write_triggers(db, packages, count, e) < 0)
		return -1;
	return write_file(db->fd, "status", status.data, status.len, db->time, e);
}

/* A directory that no package has looks like the tree's. */
static int open_directory(int fs_fd, const char *path, int64_t time, struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = time } };
	int fd = file_open_dirs_beneath(fs_fd, path, 0755, e);

	if (fd < 0)
		return -1;
	if (fchmodat(fd, ".", 0755, 0) < 0 || utimensat(fd, ".", times, 0) < 0) {
		close(fd);
		return failure(path, e);
	}
	return fd;
}

static int settle_time(int fd, int64_t time)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = time } };

	return utimensat(fd, ".", times, 0);
}

int debian_dpkg_write(int fs_fd, struct unpacked *packages, size_t count, int64_t time, struct err *e)
{
	cleanup_close int fd = open_directory(fs_fd, "var/lib/dpkg", time, e);
	cleanup_close int info = fd < 0 ? -1 : open_directory(fd, "info", time, e);
	cleanup_close int updates = info < 0 ? -1 : open_directory(fd, "updates", time, e);
	cleanup_close int triggers = updates < 0 ? -1 : open_directory(fd, "triggers", time, e);
	const struct database db = { fd, info, triggers, time };

	if (triggers < 0 || write_all(&db, packages, count, e) < 0)
		return -1;
	if (settle_time(info, time) < 0 || settle_time(triggers, time) < 0 || settle_time(fd, time) < 0)
		return failure("directories", e);
	return 0;
}
