/* SPDX-License-Identifier: Apache-2.0 */
/* template.c - find, list and read the templates. */
#include "cli/template.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/detect.h"

#define TEMPLATE_MAX (64 << 10)

char *template_directory(struct err *e)
{
	/* installed; build/devenv-core; a program of the tests in build/tests or build/san/tests */
	static const char *const places[] = { "templates", "../templates", "../../templates", "../../../templates" };
	cleanup_free char *self = realpath("/proc/self/exe", NULL);
	cleanup_free char *dir = path_parent(self ? self : "/usr/libexec/devenv/devenv-core");

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_free char *joined = path_join(dir, places[i]);
		char *path = path_clean(joined);

		if (file_exists(AT_FDCWD, path))
			return path;
		free(path);
	}
	err_set_(e, ERR_NOT_FOUND, "no templates are installed beside %s", text_safe(dir));
	err_hint(e, "`devenv init` alone needs none; to have them install devenv again");
	return NULL;
}

int template_names(struct strlist *names, struct err *e)
{
	cleanup_free char *path = template_directory(e);
	cleanup_strlist struct strlist files = STRLIST_INIT;

	if (!path || file_names(AT_FDCWD, path, false, &files, e) < 0)
		return -1;
	for (size_t i = 0; i < files.count; i++)
		if (text_ends(files.items[i], ".ini"))
			strlist_addf(names, "%.*s", (int)strlen(files.items[i]) - 4, files.items[i]);
	strlist_sort(names); /* "a.ini" comes after "a-b.ini", "a" before "a-b" */
	return 0;
}

static int unknown(const char *name, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	const char *nearest = NULL;

	if (template_names(&names, e) < 0)
		return -1;
	if (names.items)
		nearest = text_nearest(name, (const char *const *)names.items);
	err_set_(e, ERR_NOT_FOUND, "there is no template '%s'", text_safe(name));
	return nearest ? err_hint(e, "did you mean '%s'? `devenv template ls` lists them", nearest)
	               : err_hint(e, "`devenv template ls` lists them");
}

/* "; key: value" of the header; NULL: not there. */
static char *header_value(const char *text, const char *key)
{
	cleanup_free char *wanted = mem_printf("; %s: ", key);

	for (const char *line = text; text_starts(line, "; "); line = strchr(line, '\n') + 1) {
		if (text_starts(line, wanted)) {
			line += strlen(wanted);
			return mem_strndup(line, strcspn(line, "\n"));
		}
		if (!strchr(line, '\n'))
			break;
	}
	return NULL;
}

int template_load(const char *name, struct template_file *out, struct err *e)
{
	cleanup_free char *dir = template_directory(e), *path = NULL;
	cleanup_buf struct buf text = BUF_INIT, rest = BUF_INIT;
	struct template_file t = { 0 };
	const char *body;

	if (!dir)
		return -1;
	path = mem_printf("%s/%s.ini", dir, name);
	if (!*name || strchr(name, '/') || name[0] == '.' || !file_exists(AT_FDCWD, path))
		return unknown(name, e);
	if (file_read(AT_FDCWD, path, TEMPLATE_MAX, 0, &text, NULL, e) < 0)
		return -1;
	body = strstr(text.data, "\n\n");
	t = (struct template_file){ .name = mem_strdup(name), .summary = header_value(text.data, "summary"),
		                    .smoke = header_value(text.data, "smoke") };
	if (!body || !t.summary || !t.smoke) {
		template_release(&t);
		return err_set(e, ERR_CONFIG, "%s does not begin with its summary and smoke command", text_safe(path));
	}
	detect_config_supported(body + 2, &rest);
	t.text = buf_steal(&rest);
	*out = t;
	return 0;
}

void template_release(struct template_file *t)
{
	free(t->name);
	free(t->summary);
	free(t->smoke);
	free(t->text);
	*t = (struct template_file){ 0 };
}
