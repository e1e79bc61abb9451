/* SPDX-License-Identifier: Apache-2.0 */
/* debian_apt.h - the Debian archives that apt on this machine knows: their indexes, and packages out of them. For tests that skip without. */
#ifndef TESTS_UNIT_DEBIAN_APT_H
#define TESTS_UNIT_DEBIAN_APT_H

#include "tempdir.h"

#include <sys/mman.h>

#include "base/buf.h"
#include "config/lock.h"
#include "source/debian_solve.h"
#include "store/store.h"

#define SOURCES_MAX 3
#define KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg"

struct suite {
	const char *name;
	char *dir;
	struct debian_universe u;
	struct debian_text index[SOURCES_MAX];
	size_t index_count;
};

/* Standard output of a command, as lines. */
static inline int lines_of(const char *command, struct strlist *lines)
{
	char line[4096];
	FILE *f = popen(command, "r");

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		strlist_add(lines, line);
	}
	return f ? pclose(f) : -1;
}

static inline void write_text(const char *dir, const char *name, const char *text)
{
	cleanup_free char *path = mem_printf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The addresses are apt's own: of the archive and of its security part. */
static inline bool find_archives(char **archive, char **security)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;

	lines_of("apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null", &lines);
	for (size_t i = 0; i < lines.count; i++) {
		cleanup_strlist struct strlist words = STRLIST_INIT;
		bool is_security;

		strlist_split(&words, lines.items[i], " ");
		if (words.count != 2)
			continue;
		is_security = strstr(words.items[1], "-security") != NULL;
		if (!*(is_security ? security : archive))
			*(is_security ? security : archive) = mem_strdup(words.items[0]);
	}
	return *archive && *security && access(KEYRING, R_OK) == 0;
}

static inline bool set_up_apt(struct suite *s, const char *archive, const char *security)
{
	cleanup_free char *make = mem_printf("mkdir -p %s/etc/apt.conf.d %s/etc/preferences.d %s/etc/sources.list.d %s/state/lists/partial "
					     "%s/cache/archives/partial && : >%s/status", s->dir, s->dir, s->dir, s->dir, s->dir, s->dir);
	cleanup_free char *conf = mem_printf("Dir \"%s\";\nDir::State \"%s/state\";\nDir::State::status \"%s/status\";\nDir::Cache \"%s/cache\";\n"
					     "Dir::Etc \"%s/etc\";\nAPT::Architecture \"amd64\";\nAPT::Architectures { \"amd64\"; };\n"
					     "Acquire::Languages \"none\";\nAPT::Install-Recommends \"false\";\nAcquire::GzipIndexes \"false\";\n"
					     "Acquire::Check-Valid-Until \"false\";\nAPT::Sandbox::User \"\";\nDir::Bin::dpkg \"/usr/bin/dpkg\";\n",
					     s->dir, s->dir, s->dir, s->dir, s->dir);
	cleanup_free char *sources = strcmp(s->name, "sid") == 0 ?
		mem_printf("deb [signed-by=%s] %s %s main\n", KEYRING, archive, s->name) :
		mem_printf("deb [signed-by=%s] %s %s main\ndeb [signed-by=%s] %s %s-updates main\ndeb [signed-by=%s] %s %s-security main\n",
			   KEYRING, archive, s->name, KEYRING, archive, s->name, KEYRING, security, s->name);
	cleanup_free char *update = mem_printf("APT_CONFIG=%s/apt.conf apt-get update -q >/dev/null 2>&1", s->dir);

	if (system(make) != 0)
		return false;
	write_text(s->dir, "apt.conf", conf);
	write_text(s->dir, "etc/sources.list", sources);
	return system(update) == 0;
}

static inline struct debian_text map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st = { 0 };
	void *at;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return (struct debian_text){ "", 0 };
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	assert_true(at != MAP_FAILED);
	return (struct debian_text){ at, (size_t)st.st_size };
}

static inline void read_universe(struct suite *s)
{
	/* The release before its updates and its security: of equal versions the first counts. */
	cleanup_free char *list = mem_printf("ls %s/state/lists/*_Packages | sed 's/.*-updates_/1 &/; s/.*-security_/2 &/; s/^\\//0 &/' | "
					     "sort | sed 's/^. //; s/^\\([^/]\\)/\\/\\1/'", s->dir);
	cleanup_strlist struct strlist files = STRLIST_INIT;

	lines_of(list, &files);
	debian_universe_init(&s->u, "amd64");
	for (size_t i = 0; i < files.count && i < SOURCES_MAX; i++) {
		s->index[i] = map(files.items[i]);
		debian_universe_add(&s->u, s->index[i], (unsigned int)i);
		s->index_count++;
	}
	debian_universe_sort(&s->u);
}

static inline void release_suite(struct suite *s)
{
	for (size_t i = 0; i < s->index_count; i++)
		munmap((void *)s->index[i].at, s->index[i].len);
	debian_universe_release(&s->u);
	free(s->dir);
}

/* ---- packages ---- */

/* The field of a stanza as a string. */
static inline char *stanza_field(const struct debian_package *p, const char *field)
{
	struct debian_text value;

	debian_control_field(p->stanza, field, &value);
	return debian_text_dup(value);
}

/* As a lock would have it. */
static inline struct lock_package lock_package_of(const struct debian_package *p)
{
	struct lock_package l = { .arch = mem_strdup("amd64"), .in_base = true, .name = debian_text_dup(p->name),
				  .version = debian_text_dup(p->version), .path = stanza_field(p, "Filename"),
				  .sha256 = stanza_field(p, "SHA256"), .suite = mem_strdup("any") };
	cleanup_free char *size = stanza_field(p, "Size");

	l.size = strtoull(size, NULL, 10);
	return l;
}

static inline void free_package(struct lock_package *p)
{
	free(p->arch);
	free(p->name);
	free(p->version);
	free(p->path);
	free(p->suite);
	free(p->sha256);
	free(p->request);
	*p = (struct lock_package){ 0 };
}

/* Have apt-get fetch what the store's debs/ lacks. DEVENV_TEST_DEBS: a directory to keep packages in between runs. */
static inline bool fetch_packages(const struct suite *s, const char *store, const struct lock_package *packages, size_t count)
{
	const char *kept = getenv("DEVENV_TEST_DEBS");
	cleanup_free char *own = mem_printf("%s/debs", s->dir);
	const char *dir = kept ? kept : own;
	cleanup_buf struct buf get = BUF_INIT, put = BUF_INIT;
	cleanup_free char *make = mem_printf("mkdir -p %s", dir);
	size_t missing = 0;

	if (system(make) != 0)
		return false;
	buf_addf(&get, "cd %s && APT_CONFIG=%s/apt.conf apt-get download -q", dir, s->dir);
	buf_addf(&put, "mkdir -p %s/debs && cd %s", store, dir);
	for (size_t i = 0; i < count; i++) {
		/* apt names files so */
		cleanup_free char *base = mem_strdup(strrchr(packages[i].path, '/') + 1);
		char *first = strchr(base, '_'), *last = strrchr(base, '_');
		cleanup_free char *version = NULL, *there = NULL;
		cleanup_buf struct buf escaped = BUF_INIT;

		assert_true(first && last && first < last);
		for (const char *v = packages[i].version; *v; v++)
			buf_adds(&escaped, *v == ':' ? "%3a" : (char[]){ *v, '\0' });
		version = mem_printf("%.*s_%s%s", (int)(first - base), base, escaped.data, last);
		there = mem_printf("%s/%s", dir, version);
		missing += access(there, R_OK) < 0;
		if (access(there, R_OK) < 0)
			buf_addf(&get, " %s=%s", packages[i].name, packages[i].version);
		buf_addf(&put, " && cp -n %s %s/debs/%s", version, store, packages[i].sha256);
	}
	buf_adds(&get, " >/dev/null 2>&1");
	return (missing == 0 || system(get.data) == 0) && system(put.data) == 0;
}

#endif
