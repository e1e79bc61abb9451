/* SPDX-License-Identifier: Apache-2.0 */
/*
 * installed.c - the packages that a root says it has.
 *
 * Both databases are paragraphs of lines, "Package: name" for dpkg (deb-control(5)), "P:name" for apk; apk's has the files of a
 * package in its paragraph, dpkg's in a file of its own. Images wrote them, so everything in them is only text here.
 */
#include "env/installed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define DATABASE_MAX ((size_t)64 << 20)
#define DPKG "/var/lib/dpkg/status"
#define APK "/lib/apk/db/installed"

int installed_compare(const struct installed_package *a, const struct installed_package *b)
{
	int names = strcmp(a->name, b->name);

	return names ? names : strcmp(a->architecture, b->architecture);
}

static int compare(const void *a, const void *b)
{
	return installed_compare(a, b);
}

static void package_release(struct installed_package *p)
{
	free(p->name);
	free(p->architecture);
	free(p->version);
	*p = (struct installed_package){ 0 };
}

void installed_release(struct installed *p)
{
	for (size_t i = 0; i < p->count; i++)
		package_release(&p->items[i]);
	free(p->items);
	*p = (struct installed){ 0 };
}

static void add(struct installed *out, struct installed_package *p /* takes */, bool there)
{
	if (!there || !p->name || !*p->name) {
		package_release(p);
		return;
	}
	if (!p->architecture)
		p->architecture = mem_strdup("");
	if (!p->version)
		p->version = mem_strdup("");
	out->items = mem_grow(out->items, out->count, &out->cap, sizeof(*out->items));
	out->items[out->count++] = *p;
	*p = (struct installed_package){ 0 };
}

/* If the line is this field, its value replaces what was there. */
static void take(const char *line, size_t len, const char *field, char **value)
{
	size_t n = strlen(field);

	if (len < n || strncmp(line, field, n) != 0)
		return;
	for (; n < len && line[n] == ' '; n++)
		;
	free(*value);
	*value = mem_strndup(line + n, len - n);
}

/* "install ok installed": want, flag, state. Of the others only these two have no files here. */
static bool is_there(const char *status)
{
	return status && !text_ends(status, " not-installed") && !text_ends(status, " config-files");
}

void installed_parse_dpkg(const char *text, struct installed *out)
{
	struct installed_package p = { 0 };
	char *status = NULL;

	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (len == 0) {
			add(out, &p, is_there(status));
			free(status);
			status = NULL;
		}
		take(text, len, "Package:", &p.name);
		take(text, len, "Architecture:", &p.architecture);
		take(text, len, "Version:", &p.version);
		take(text, len, "Status:", &status);
	}
	add(out, &p, is_there(status));
	free(status);
}

void installed_parse_apk(const char *text, struct installed *out)
{
	struct installed_package p = { 0 };

	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (len == 0)
			add(out, &p, true);
		take(text, len, "P:", &p.name);
		take(text, len, "A:", &p.architecture);
		take(text, len, "V:", &p.version);
	}
	add(out, &p, true);
}

static int read_one(const struct root *r, const char *path, void (*parse)(const char *, struct installed *),
		    struct installed *out, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;

	if (root_read(r, path, DATABASE_MAX, &text, e) < 0)
		return err_wrap(e, "the package database %s", path);
	parse(text.data, out);
	return 0;
}

int installed_read(const struct root *r, struct installed *out, struct err *e)
{
	size_t kept = 0;

	if (read_one(r, DPKG, installed_parse_dpkg, out, e) < 0 || read_one(r, APK, installed_parse_apk, out, e) < 0)
		return -1;
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare);
	for (size_t i = 0; i < out->count; i++) {
		if (kept && installed_compare(&out->items[kept - 1], &out->items[i]) == 0)
			package_release(&out->items[i]);
		else
			out->items[kept++] = out->items[i];
	}
	out->count = kept;
	return 0;
}

static void add_apk_files(const char *text, const struct installed_package *p, struct strlist *paths)
{
	char *name = NULL, *dir = NULL, *file = NULL;
	bool ours = false;

	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (len > 2 && text[0] == 'P') {
			take(text, len, "P:", &name);
			ours = name && strcmp(name, p->name) == 0;
		}
		if (len > 2 && text[0] == 'F')
			take(text, len, "F:", &dir);
		if (!ours || len <= 2 || !text_starts(text, "R:"))
			continue;
		take(text, len, "R:", &file);
		strlist_addf(paths, "/%s%s%s", dir ? dir : "", dir && *dir ? "/" : "", file);
	}
	free(name);
	free(dir);
	free(file);
}

int installed_files(const struct root *r, const struct installed_package *p, struct strlist *paths, struct err *e)
{
	cleanup_free char *list = mem_printf("/var/lib/dpkg/info/%s.list", p->name);
	cleanup_free char *multi = mem_printf("/var/lib/dpkg/info/%s:%s.list", p->name, p->architecture);
	cleanup_buf struct buf text = BUF_INIT, apk = BUF_INIT;
	int found;

	if (strchr(p->name, '/') || strchr(p->architecture, '/'))
		return 0;
	found = root_read(r, list, DATABASE_MAX, &text, e);
	if (found == 0)
		found = root_read(r, multi, DATABASE_MAX, &text, e);
	if (found == 0 && root_read(r, APK, DATABASE_MAX, &apk, e) > 0)
		add_apk_files(apk.data, p, paths);
	strlist_split(paths, text.data, "\n");
	return found < 0 ? -1 : 0;
}

bool installed_is_on_top(const struct root *r)
{
	static const char *const databases[] = { DPKG, APK };
	bool on_top = false;

	for (size_t i = 0; i < ARRAY_SIZE(databases); i++) {
		struct root_entry entry;
		struct err ignored = ERR_INIT;

		if (root_resolve(r, databases[i], ROOT_FOLLOW, &entry, &ignored) < 0)
			continue;
		on_top = on_top || (entry.kind == ROOT_FILE && entry.layer == 0);
		root_entry_release(&entry);
	}
	return on_top;
}
