/* SPDX-License-Identifier: Apache-2.0 */
/* detect.c - match the table of projects against the files of a directory. */
#include "cli/detect.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define READ_MAX (1 << 20)

/* The text with blanks after colons taken out, so that {"a": "b"} and {"a":"b"} read the same. */
static void squeeze(struct buf *text)
{
	size_t to = 0;

	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] != ' ' || to == 0 || text->data[to - 1] != ':')
			text->data[to++] = text->data[i];
	if (text->len)
		text->data[to] = '\0';
	text->len = to;
}

static bool holds(int dirfd, const char *file, const char *word)
{
	cleanup_buf struct buf text = BUF_INIT, wanted = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (file_read(dirfd, file, READ_MAX, O_NOFOLLOW, &text, NULL, &ignored) < 0)
		return false;
	buf_adds(&wanted, word);
	squeeze(&text);
	squeeze(&wanted);
	return strcasestr(text.data, wanted.data) != NULL;
}

static bool is_regular(int dirfd, const char *file)
{
	struct stat st;

	return fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static const struct detect_rule *find_rule(int dirfd)
{
	for (const struct detect_rule *r = detect_rules; r->id; r++)
		if (is_regular(dirfd, r->marker) && (!r->contains || holds(dirfd, r->marker, r->contains)))
			return r;
	return &detect_plain;
}

/* Markers of other languages that are here too: their tools are not in the image. */
static void find_others(int dirfd, struct detected *d)
{
	const struct detect_language *last = d->rule->language;

	for (const struct detect_rule *r = detect_rules; r->id; r++) {
		if (r->language == d->rule->language || r->language == last || r->contains ||
		    strstr(r->marker, "akefile") || !is_regular(dirfd, r->marker))
			continue;
		last = r->language;
		strlist_addf(&d->also, "%s (%s)", r->marker, r->language->name);
	}
}

/* os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings') */
static char *django_settings(int dirfd)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	const char *at, *begin;
	size_t len;

	if (!is_regular(dirfd, "manage.py") ||
	    file_read(dirfd, "manage.py", READ_MAX, O_NOFOLLOW, &text, NULL, &ignored) < 0)
		return NULL;
	at = strstr(text.data, "DJANGO_SETTINGS_MODULE");
	begin = at ? strchr(at, ',') : NULL;
	begin = begin ? strpbrk(begin, "'\"\n") : NULL;
	if (!begin || *begin == '\n')
		return NULL;
	begin++;
	len = strspn(begin, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
	return len && (begin[len] == '\'' || begin[len] == '"') ? mem_strndup(begin, len) : NULL;
}

/* The first exact release of the series `version` is in, or of the last series where it is newer than all. */
static bool has_exact_tag(const struct detect_language *language, const char *version)
{
	cleanup_free char *series = detect_version_series(version, language->series);
	cleanup_strlist struct strlist firsts = STRLIST_INIT;

	strlist_split(&firsts, language->exact, " ");
	for (size_t i = 0; i < firsts.count; i++) {
		cleanup_free char *of = detect_version_series(firsts.items[i], language->series);
		bool last = i + 1 == firsts.count;

		if (strcmp(of, series) == 0 || (last && detect_version_compare(series, of) > 0))
			return detect_version_compare(version, firsts.items[i]) >= 0;
	}
	return false;
}

static bool is_older_than_the_image(const struct detect_language *language, const char *version)
{
	cleanup_strlist struct strlist firsts = STRLIST_INIT;
	cleanup_free char *series = NULL;

	strlist_split(&firsts, language->exact, " ");
	if (!firsts.count)
		return false;
	series = detect_version_series(firsts.items[0], language->series);
	return detect_version_compare(version, series) < 0;
}

static char *image_of(const char *pattern, const char *version)
{
	const char *hole = strstr(pattern, "%s");

	if (!hole)
		return mem_strdup(pattern);
	return mem_printf("%.*s%s%s", (int)(hole - pattern), pattern, version, hole + 2);
}

static void choose_image(int dirfd, struct detected *d)
{
	const struct detect_language *language = d->rule->language;
	const char *pattern = d->rule->image ? d->rule->image : language->image;

	d->written = detect_version(dirfd, language, &d->version_file);
	if (!d->written)
		d->version = mem_strdup(language->version);
	else if (!d->rule->image && has_exact_tag(language, d->written))
		d->version = mem_strdup(d->written);
	else
		d->version = detect_version_series(d->written, language->series);
	if (d->written && !d->rule->image && is_older_than_the_image(language, d->version)) {
		if (language->older) {
			pattern = language->older;
		} else { /* a least version, as in go.mod: the newest release reads it */
			free(d->version);
			d->version = mem_strdup(language->version);
		}
	}
	d->image = image_of(pattern, d->version);
}

void detect_directory(int dirfd, const char *release, struct detected *out)
{
	static const char *const env_files[] = { ".env", ".env.example", ".env.sample", ".env.dist" };
	cleanup_strlist struct strlist inputs = STRLIST_INIT;

	*out = (struct detected){ .rule = find_rule(dirfd) };
	choose_image(dirfd, out);
	if (out->rule->apt && !out->written)
		out->release = release;
	find_others(dirfd, out);
	if (strcmp(out->rule->language->name, "Python") == 0)
		out->settings = django_settings(dirfd);
	for (size_t i = 0; i < ARRAY_SIZE(env_files); i++)
		out->env_file = out->env_file || is_regular(dirfd, env_files[i]);
	if (out->rule->inputs)
		strlist_split(&inputs, out->rule->inputs, " ");
	for (size_t i = 0; i < inputs.count; i++)
		if (is_regular(dirfd, inputs.items[i]))
			strlist_add(&out->inputs, inputs.items[i]);
}

void detect_release(struct detected *d)
{
	free(d->version);
	free(d->written);
	free(d->image);
	free(d->settings);
	strlist_release(&d->inputs);
	strlist_release(&d->also);
	*d = (struct detected){ 0 };
}
