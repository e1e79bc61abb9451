/* SPDX-License-Identifier: Apache-2.0 */
/* path.c - paths as text. */
#include "base/path.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

char *path_join(const char *a, const char *b)
{
	size_t n = strlen(a);

	if (b[0] == '/' || !n)
		return mem_strdup(b);
	if (!b[0])
		return mem_strdup(a);
	return mem_printf("%s%s%s", a, a[n - 1] == '/' ? "" : "/", b);
}

/* Take the last component off; false when there is none that ".." could cancel. */
static bool drop_last(struct buf *out, size_t root)
{
	size_t n = out->len;

	while (n > root && out->data[n - 1] != '/')
		n--;
	if (out->len == root || !strcmp(out->data + n, ".."))
		return false;
	if (n > root)
		n--; /* the slash before it */
	out->len = n;
	out->data[n] = '\0';
	return true;
}

char *path_clean(const char *path)
{
	struct buf out = BUF_INIT;
	size_t root = path[0] == '/'; /* length of what ".." can't remove */

	if (root)
		buf_addch(&out, '/');
	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			if (drop_last(&out, root) || root) {
				path += n;
				continue;
			}
		} else if (n == 0 || (n == 1 && path[0] == '.')) {
			path += n;
			continue;
		}
		if (out.len > root)
			buf_addch(&out, '/');
		buf_add(&out, path, n);
		path += n;
	}
	if (!out.len)
		buf_addch(&out, '.');
	return buf_steal(&out);
}

const char *path_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n && dir[n - 1] == '/')
		n--; /* "/" itself: everything absolute is below it */
	if (strncmp(path, dir, n) != 0)
		return NULL;
	if (path[n] == '\0')
		return path + n;
	return path[n] == '/' ? path + n + 1 : NULL;
}

bool path_is_below(const char *path, const char *dir)
{
	return path_below(path, dir) != NULL;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || (slash == path && !path[1]))
		return path;
	return slash + 1;
}

char *path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_strdup(".");
	if (slash == path)
		return mem_strdup("/");
	return mem_strndup(path, (size_t)(slash - path));
}
