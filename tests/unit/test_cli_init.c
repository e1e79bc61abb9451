/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_init.c - what `devenv init` sees in sample trees, the files it writes, and the templates. */
#include "unit/cli_fixture.h"

#include "cli/detect.h"
#include "cli/template.h"
#include "config/config.h"

/* A tree is "file=text" items; in a text, | stands for a line end. */
static const struct sample {
	const char *kind, *image;
	const char *files[6];
} samples[] = {
	{ "plain", "docker.io/library/debian:bookworm", { "README=x" } },
	{ "python-requirements", "docker.io/library/python:3.13-slim-bookworm", { "requirements.txt=x" } },
	{ "python-project", "docker.io/library/python:3.13-slim-bookworm", { "pyproject.toml=[project]|" } },
	{ "python-project", "docker.io/library/python:3.13-slim-bookworm", { "setup.py=" } },
	{ "python-uv", "ghcr.io/astral-sh/uv:python3.13-bookworm-slim", { "pyproject.toml=", "uv.lock=" } },
	{ "python-uv",
	  "ghcr.io/astral-sh/uv:python3.11-bookworm-slim",
	  { "pyproject.toml=[tool.uv]|", ".python-version=3.11.9|" } },
	{ "python-poetry", "docker.io/library/python:3.13-slim-bookworm", { "pyproject.toml=", "poetry.lock=" } },
	{ "python-poetry", "docker.io/library/python:3.13-slim-bookworm", { "pyproject.toml=[tool.poetry]|" } },
	{ "python-pipenv",
	  "docker.io/library/python:3.10-slim-bookworm",
	  { "Pipfile=[requires]|python_version = \"3.10\"|" } },
	{ "python-pipenv", "docker.io/library/python:3.13-slim-bookworm", { "Pipfile=", "Pipfile.lock={}" } },
	{ "python", "docker.io/library/python:3.13-slim-bookworm", { "manage.py=import django|" } },
	{ "plain", "docker.io/library/debian:bookworm", { "manage.py=import something|" } },
	{ "python-requirements",
	  "docker.io/library/python:3.12.4-slim-bookworm",
	  { "requirements.txt=", ".python-version=3.12.4|" } },
	{ "python-requirements",
	  "docker.io/library/python:3.11-slim-bookworm",
	  { "requirements.txt=", ".python-version=3.11.2|" } },
	{ "python-requirements",
	  "docker.io/library/python:3.6-slim-buster",
	  { "requirements.txt=", ".python-version=3.6.15|" } },
	{ "python-requirements",
	  "docker.io/library/python:3.13-slim-bookworm",
	  { "requirements.txt=", ".python-version=pypy3.10-7.3.12|" } },
	{ "python-requirements",
	  "docker.io/library/python:3.9-slim-bookworm",
	  { "requirements.txt=", ".tool-versions=nodejs 20.1.0|python 3.9|" } },
	{ "node-npm", "docker.io/library/node:22-bookworm-slim", { "package.json={}" } },
	{ "node-npm",
	  "docker.io/library/node:20.11.1-bookworm-slim",
	  { "package.json={}", "package-lock.json={}", ".nvmrc=v20.11.1|" } },
	{ "node-npm", "docker.io/library/node:18-bookworm-slim", { "package.json={}", ".nvmrc=18|" } },
	{ "node-npm", "docker.io/library/node:20-bookworm-slim", { "package.json={}", ".nvmrc=lts/iron|" } },
	{ "node-npm", "docker.io/library/node:22-bookworm-slim", { "package.json={}", ".nvmrc=lts/*|" } },
	{ "node-npm", "docker.io/library/node:20-bookworm-slim", { "package.json={}", ".node-version=20.1.0" } },
	{ "node-npm",
	  "docker.io/library/node:21.7.3-bookworm-slim",
	  { "package.json={}", ".tool-versions=# tools|nodejs 21.7.3|" } },
	{ "node-pnpm", "docker.io/library/node:22-bookworm-slim", { "package.json={}", "pnpm-lock.yaml=" } },
	{ "node-pnpm",
	  "docker.io/library/node:22-bookworm-slim",
	  { "package.json={\"packageManager\":\"pnpm@9.1.0\"}" } },
	{ "node-yarn", "docker.io/library/node:22-bookworm-slim", { "package.json={}", "yarn.lock=" } },
	{ "go", "docker.io/library/golang:1.24-bookworm", { "go.mod=module a|" } },
	{ "go", "docker.io/library/golang:1.22-bookworm", { "go.mod=module a|go 1.22|" } },
	{ "go", "docker.io/library/golang:1.22.3-bookworm", { "go.mod=module a|go 1.21|toolchain go1.22.3|" } },
	{ "go", "docker.io/library/golang:1.24-bookworm", { "go.mod=module a|go 1.13|" } },
	{ "rust", "docker.io/library/rust:1-bookworm", { "Cargo.toml=" } },
	{ "rust",
	  "docker.io/library/rust:1.75.0-bookworm",
	  { "Cargo.toml=", "rust-toolchain.toml=[toolchain]|channel = \"1.75.0\"|" } },
	{ "rust", "docker.io/library/rust:1-bookworm", { "Cargo.toml=", "rust-toolchain=stable|" } },
	{ "c-cmake", "mcr.microsoft.com/devcontainers/cpp:1-debian-12", { "CMakeLists.txt=", "Makefile=" } },
	{ "c-make", "docker.io/library/gcc:14-bookworm", { "Makefile=all:|" } },
	{ "ruby", "docker.io/library/ruby:3.3.1-slim-bookworm", { "Gemfile=", ".ruby-version=3.3.1|" } },
	{ "php", "docker.io/library/php:8.4-cli-bookworm", { "composer.json={}" } },
	{ "java", "docker.io/library/maven:3-eclipse-temurin-21", { "pom.xml=" } },
	/* the first language wins, whatever else is there */
	{ "python-requirements",
	  "docker.io/library/python:3.13-slim-bookworm",
	  { "requirements.txt=", "package.json={}", "Makefile=" } },
};

static void write_tree(const struct sample *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->files) && s->files[i]; i++) {
		const char *equals = strchr(s->files[i], '=');
		char *name = mem_strndup(s->files[i], (size_t)(equals - s->files[i])), *text = mem_strdup(equals + 1);

		for (char *p = text; *p; p++)
			*p = *p == '|' ? '\n' : *p;
		fixture_project(name, text);
		free(name);
		free(text);
	}
}

static void clear_tree(void)
{
	struct err e = ERR_INIT;

	assert_int_equal(file_remove_tree(tempfd, "project", &e), 0);
}

/* What was written parses, and asks for nothing that is not built. */
static struct config parse(const char *text)
{
	struct config config;
	struct err e = ERR_INIT;

	if (config_parse("devenv.ini", text, strlen(text), &config, &e) < 0)
		fail_msg("%s\n%s", e.msg, text);
	return config;
}

static void test_sample_trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct detected d;
		struct buf text = BUF_INIT;
		struct config config;
		struct err e = ERR_INIT;
		int fd;

		write_tree(&samples[i]);
		fd = file_open_dir(tempfd, "project", &e);
		assert_true(fd >= 0);
		detect_directory(fd, NULL, &d);
		if (strcmp(d.rule->id, samples[i].kind) != 0 || strcmp(d.image, samples[i].image) != 0)
			fail_msg("%s: %s %s instead of %s %s", samples[i].files[0], d.rule->id, d.image,
			         samples[i].kind, samples[i].image);
		detect_config(&d, &text);
		config = parse(text.data);
		assert_string_equal(config.base_value, samples[i].image);
		config_release(&config);
		buf_release(&text);
		detect_release(&d);
		close(fd);
		clear_tree();
	}
}

/* Where packages of a distribution can be had they do for what needs nothing else. */
static void test_packages_instead_of_an_image(void **state)
{
	static const struct {
		const char *file, *text, *apt;
	} trees[] = {
		{ "README", "x", "" },
		{ "Makefile", "all:\n", "build-essential gdb pkgconf" },
		{ "CMakeLists.txt", "x", "build-essential cmake gdb ninja-build pkgconf" },
		{ "configure.ac", "x", "autoconf automake build-essential gdb libtool pkgconf" },
		{ "manage.py", "import django", "python3-django" },
		{ "package.json", "{}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		struct buf text = BUF_INIT, apt = BUF_INIT;
		struct err e = ERR_INIT;
		struct config config;
		struct detected d;
		int fd;

		fixture_project(trees[i].file, trees[i].text);
		fd = file_open_dir(tempfd, "project", &e);
		detect_directory(fd, "bookworm", &d);
		detect_config(&d, &text);
		config = parse(text.data);
		assert_int_equal(config.base, trees[i].apt ? CONFIG_BASE_DEBIAN : CONFIG_BASE_IMAGE);
		for (size_t k = 0; k < config.packages_apt.count; k++)
			buf_addf(&apt, "%s%s", k ? " " : "", config.packages_apt.items[k]);
		assert_string_equal(apt.data, trees[i].apt ? trees[i].apt : "");
		config_release(&config);
		buf_release(&text);
		buf_release(&apt);
		detect_release(&d);
		close(fd);
		clear_tree();
	}
}

/* A rule that no tree above reaches would be untested; one that names an unknown file format would be too. */
static void test_every_kind_has_a_sample(void **state)
{
	(void)state;
	for (const struct detect_rule *r = detect_rules; r->id; r++) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
			found = found || strcmp(samples[i].kind, r->id) == 0;
		if (!found)
			fail_msg("no sample tree is a '%s'", r->id);
	}
}

/* Links and directories of a marker's name are not followed and don't count. */
static void test_only_regular_files_count(void **state)
{
	struct outcome o;

	(void)state;
	fixture_project("README", "");
	assert_int_equal(symlinkat("/etc/passwd", tempfd, "project/package.json"), 0);
	assert_int_equal(mkdirat(tempfd, "project/Makefile", 0755), 0);
	assert_int_equal(symlinkat("/dev/zero", tempfd, "project/.python-version"), 0);
	o = fixture_run("init -n");
	assert_int_equal(o.status, 0);
	/* an image of Debian or its packages, whichever this machine can have */
	fixture_has(&o.out, "bookworm\n");
	fixture_lacks(&o.out, "node");
	fixture_release(&o);
}

static void test_django_settings(void **state)
{
	struct outcome o;

	(void)state;
	fixture_project("requirements.txt", "Django\n");
	fixture_project("manage.py", "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"shop.settings\")\n");
	fixture_project(".env.example", "A=1\n");
	fixture_project("package.json", "{}\n");
	o = fixture_run("init -n");
	fixture_has(&o.out, "; Python and Django, because of requirements.txt.\n");
	fixture_has(&o.out, "; package.json (Node.js) is here too, and not covered by this image.\n");
	fixture_has(&o.out, "DJANGO_SETTINGS_MODULE = shop.settings\n");
	fixture_has(&o.out, "optional = .env\n");
	fixture_release(&o);
	/* nothing but a module's name is taken over */
	fixture_project("manage.py", "django DJANGO_SETTINGS_MODULE', 'a b'\n");
	o = fixture_run("init -n");
	fixture_lacks(&o.out, "DJANGO_SETTINGS_MODULE");
	fixture_release(&o);
}

static void test_versions(void **state)
{
	char *series = detect_version_series("3.12.4", 2);

	(void)state;
	assert_string_equal(series, "3.12");
	free(series);
	series = detect_version_series("3", 2);
	assert_string_equal(series, "3");
	free(series);
	assert_int_equal(detect_version_compare("3.9", "3.10"), -1);
	assert_int_equal(detect_version_compare("3.10.0", "3.10"), 0);
	assert_int_equal(detect_version_compare("20", "18.16.1"), 1);
}

static void test_unsupported_sections_are_left_out(void **state)
{
	struct buf out = BUF_INIT;
	const char *unsupported = NULL, *section = NULL;
	char *text;

	(void)state;
	for (size_t i = 0; i < config_key_count && !section; i++)
		if (!config_keys[i].supported && !strpbrk(config_keys[i].key, "*.") &&
		    !strchr(config_keys[i].section, '*')) {
			section = config_keys[i].section;
			unsupported = config_keys[i].key;
		}
	if (!section)
		skip();
	text = mem_printf("; head\n\n[base]\n; why\nimage = a\n\n[%s]\n; about it\n%s = x\n    more\n\n;[env]\n;A = b\n",
	                  section, unsupported);
	detect_config_supported(text, &out);
	assert_string_equal(out.data, "; head\n\n[base]\n; why\nimage = a\n\n;[env]\n;A = b\n");
	buf_release(&out);
	free(text);
}

static void test_every_template_parses(void **state)
{
	struct strlist names = STRLIST_INIT;
	struct outcome listed = fixture_run("template ls");
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(listed.status, 0);
	assert_int_equal(template_names(&names, &e), 0);
	assert_int_equal(names.count, 6);
	for (size_t i = 0; i < names.count; i++) {
		struct template_file t;
		struct config config;

		assert_int_equal(template_load(names.items[i], &t, &e), 0);
		fixture_has(&listed.out, t.summary);
		config = parse(t.text);
		assert_int_equal(config.base, CONFIG_BASE_IMAGE);
		config_release(&config);
		if (strstr(t.text, "smoke:") || t.text[0] != ';')
			fail_msg("%s: %s", t.name, t.text);
		template_release(&t);
	}
	strlist_release(&names);
	fixture_release(&listed);
}

static void expect(const char *words, int status, const char *out, const char *err)
{
	struct outcome o = fixture_run(words);

	if (o.status != status)
		fail_msg("devenv %s: status %d, not %d\n%s%s", words, o.status, status, o.out.data, o.err.data);
	if (out)
		fixture_has(&o.out, out);
	if (err)
		fixture_has(&o.err, err);
	fixture_release(&o);
}

static void test_init_by_template(void **state)
{
	(void)state;
	expect("init pyton", 1, NULL, "there is no template 'pyton'\n  hint: did you mean 'python'?");
	expect("init ../python", 1, NULL, "there is no template");
	expect("init python", 0, NULL, "the template 'python'");
	expect("allow --show", 0, "granted", NULL);
	expect("init go", 1, NULL, "never overwrites");
	expect("template ls --json", 0, "\"templates\":[{\"name\":\"c\"", NULL);
	expect("template", 2, NULL, "needs a subcommand");
}

static void test_init_from(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(file_mkdirs(tempfd, "other", 0755, &e), 0);
	tempdir_write("other/devenv.ini", "; theirs\n[base]\nimage = debian:bookworm\n");
	tempdir_write("other/bad.ini", "[base]\nimgae = debian\n");
	expect("init --from ../other/bad.ini", 1, NULL, "bad.ini:2: unknown key 'imgae'");
	expect("init --from ../nowhere", 1, NULL, "can't use '../nowhere'");
	expect("init --from https://git.example.org/envs", 2, NULL, "begins with git+");
	expect("init --from git+file:///nowhere/at/all", 1, NULL, "can't reach file:///nowhere/at/all");
	expect("init --from=../other python", 2, NULL, "not both");
	expect("init --from ../other -n", 0, "; theirs\n", NULL);
	expect("init --from ../other", 0, NULL, "a copy of ../other/devenv.ini");
	/* somebody else wrote it: it is not allowed by copying it */
	expect("allow --show", 0, "not granted", NULL);
	expect("config", 0, "image = debian:bookworm", NULL);
}

static void test_init_json(void **state)
{
	struct outcome o;

	(void)state;
	fixture_project("go.mod", "module a\n\ngo 1.22\n");
	o = fixture_run("init --json");
	assert_int_equal(o.status, 0);
	fixture_has(&o.out, "\"kind\":\"go\"");
	fixture_has(&o.out, "\"because\":\"go.mod\"");
	fixture_has(&o.out, "\"image\":\"docker.io/library/golang:1.22-bookworm\"");
	fixture_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_sample_trees),
		tempdir_test(test_packages_instead_of_an_image),
		cmocka_unit_test(test_every_kind_has_a_sample),
		tempdir_test(test_only_regular_files_count),
		tempdir_test(test_django_settings),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_unsupported_sections_are_left_out),
		tempdir_test(test_every_template_parses),
		tempdir_test(test_init_by_template),
		tempdir_test(test_init_from),
		tempdir_test(test_init_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
