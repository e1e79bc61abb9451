/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_table.c - the kinds of projects `devenv init` knows, as tables.
 *
 * Images are official ones on Debian 12. An exact version becomes an exact tag only where that tag exists: from the
 * releases in `exact` on; before, the tag of its series is taken, whose image has the last release of it.
 */
#include "cli/detect.h"

static const struct detect_version_file python_files[] = {
	{ ".python-version" },
	{ ".tool-versions", "python" },
	{ "runtime.txt", "python-" },
	{ "Pipfile", "python_full_version" },
	{ "Pipfile", "python_version" },
	{ 0 },
};
static const struct detect_version_file node_files[] = {
	{ ".nvmrc" },
	{ ".node-version" },
	{ ".tool-versions", "nodejs" },
	{ ".tool-versions", "node" },
	{ 0 },
};
static const struct detect_version_file go_files[] = {
	{ ".tool-versions", "golang" },
	{ ".tool-versions", "go" },
	{ "go.mod", "toolchain go" },
	{ "go.mod", "go" },
	{ 0 },
};
static const struct detect_version_file rust_files[] = {
	{ "rust-toolchain.toml", "channel" },
	{ "rust-toolchain", "channel" },
	{ "rust-toolchain" },
	{ ".tool-versions", "rust" },
	{ 0 },
};
static const struct detect_version_file ruby_files[] = {
	{ ".ruby-version" },
	{ ".tool-versions", "ruby" },
	{ 0 },
};
static const struct detect_version_file no_files[] = { { 0 } };

static const struct detect_language python = {
	"Python", "docker.io/library/python:%s-slim-bookworm", "3.13", "3.7.17 3.8.17 3.9.17 3.10.12 3.11.4 3.12.0",
	2, "docker.io/library/python:%s-slim-buster", python_files, "python",
};
static const struct detect_language node = {
	"Node.js", "docker.io/library/node:%s-bookworm-slim", "22", "16.20.1 18.16.1 20.3.1 21.0.0", 1,
	"docker.io/library/node:%s-buster-slim", node_files, "node",
};
static const struct detect_language go = {
	"Go", "docker.io/library/golang:%s-bookworm", "1.24", "1.19.10 1.20.5 1.21.0", 2, NULL, go_files, "go",
};
static const struct detect_language rust = {
	"Rust", "docker.io/library/rust:%s-bookworm", "1", "1.70.0", 2, NULL, rust_files, "cargo",
};
static const struct detect_language ruby = {
	"Ruby", "docker.io/library/ruby:%s-slim-bookworm", "3.4", "3.1.4 3.2.2 3.3.0", 2, NULL, ruby_files, "ruby",
};
static const struct detect_language php = {
	"PHP", "docker.io/library/php:%s-cli-bookworm", "8.4", "8.1.20 8.2.7 8.3.0", 2, NULL, no_files, "php",
};
static const struct detect_language java = {
	"Java", "docker.io/library/maven:%s-eclipse-temurin-21", "3", "", 1, NULL, no_files, "java",
};
static const struct detect_language c_and_cpp = {
	"C and C++", "docker.io/library/gcc:%s-bookworm", "14", "", 1, NULL, no_files, "gcc",
};
static const struct detect_language plain = {
	"Debian", "docker.io/library/debian:bookworm", "", "", 1, NULL, no_files, NULL,
};

#define PYTHON_ENV                                                          \
	"; what a program prints appears at once, also through a pipe\n"    \
	"PYTHONUNBUFFERED = 1\n"
/* Asked of pip itself: an environment that was left half made, or is another Python's by now, is made again. */
#define VENV ".venv/bin/python -m pip --version 2>/dev/null || python3 -m venv .venv\n"
#define VENV_REQUIREMENTS VENV ".venv/bin/python -m pip install -r requirements.txt\n"
#define VENV_PROJECT      VENV ".venv/bin/python -m pip install -e .\n"
#define UV_IMAGE    "ghcr.io/astral-sh/uv:python%s-bookworm-slim"
#define UV_ENV      PYTHON_ENV "; the cache may be on another file system\nUV_LINK_MODE = copy\n"
#define POETRY_ENV  PYTHON_ENV "; the virtual environment is .venv of the project\nPOETRY_VIRTUALENVS_IN_PROJECT = true\n"
#define PIPENV_ENV  PYTHON_ENV "; the virtual environment is .venv of the project\nPIPENV_VENV_IN_PROJECT = 1\n"
#define COREPACK    "mkdir -p ~/.local/bin\ncorepack enable --install-directory ~/.local/bin\n"
#define COREPACK_ENV "; corepack fetches the version package.json names, without asking\n" \
		     "COREPACK_ENABLE_DOWNLOAD_PROMPT = 0\n"
#define VENV_PATH   ".venv/bin"
#define USER_PATH   ".venv/bin ~/.local/bin"
#define PIP_CACHE   "cache ~/.cache"
#define C_PACKAGES  "build-essential gdb pkgconf"

const struct detect_rule detect_rules[] = {
	{ "python-uv", "uv.lock", NULL, &python, "uv", UV_IMAGE, "pyproject.toml uv.lock", "uv sync --frozen\n",
	  VENV_PATH, UV_ENV, PIP_CACHE },
	{ "python-uv", "pyproject.toml", "[tool.uv", &python, "uv", UV_IMAGE, "pyproject.toml", "uv sync\n",
	  VENV_PATH, UV_ENV, PIP_CACHE },
	{ "python-poetry", "poetry.lock", NULL, &python, "poetry", NULL, "pyproject.toml poetry.lock",
	  "python3 -m pip install --user --quiet poetry\n~/.local/bin/poetry install\n", USER_PATH, POETRY_ENV,
	  PIP_CACHE },
	{ "python-poetry", "pyproject.toml", "[tool.poetry", &python, "poetry", NULL, "pyproject.toml",
	  "python3 -m pip install --user --quiet poetry\n~/.local/bin/poetry install\n", USER_PATH, POETRY_ENV,
	  PIP_CACHE },
	{ "python-pipenv", "Pipfile.lock", NULL, &python, "pipenv", NULL, "Pipfile Pipfile.lock",
	  "python3 -m pip install --user --quiet pipenv\n~/.local/bin/pipenv sync --dev\n", USER_PATH,
	  PIPENV_ENV, PIP_CACHE },
	{ "python-pipenv", "Pipfile", NULL, &python, "pipenv", NULL, "Pipfile",
	  "python3 -m pip install --user --quiet pipenv\n~/.local/bin/pipenv install --dev\n", USER_PATH,
	  PIPENV_ENV, PIP_CACHE },
	{ "python-requirements", "requirements.txt", NULL, &python, NULL, NULL,
	  "requirements.txt requirements-dev.txt", VENV_REQUIREMENTS, VENV_PATH, PYTHON_ENV, PIP_CACHE },
	{ "python-project", "pyproject.toml", NULL, &python, NULL, NULL, "pyproject.toml", VENV_PROJECT,
	  VENV_PATH, PYTHON_ENV, PIP_CACHE },
	{ "python-project", "setup.py", NULL, &python, NULL, NULL, "setup.py setup.cfg", VENV_PROJECT,
	  VENV_PATH, PYTHON_ENV, PIP_CACHE },
	{ "python", "manage.py", "django", &python, NULL, NULL, NULL, NULL, NULL, PYTHON_ENV, PIP_CACHE,
	  "python3-django" },

	{ "node-pnpm", "pnpm-lock.yaml", NULL, &node, "pnpm", NULL, "package.json pnpm-lock.yaml",
	  COREPACK "~/.local/bin/pnpm install --frozen-lockfile\n", "node_modules/.bin ~/.local/bin",
	  COREPACK_ENV, "cache ~/.cache" },
	{ "node-pnpm", "package.json", "\"packageManager\": \"pnpm@", &node, "pnpm", NULL, "package.json",
	  COREPACK "~/.local/bin/pnpm install\n", "node_modules/.bin ~/.local/bin", COREPACK_ENV,
	  "cache ~/.cache" },
	{ "node-yarn", ".yarnrc.yml", NULL, &node, "yarn", NULL, "package.json yarn.lock .yarnrc.yml",
	  COREPACK "~/.local/bin/yarn install --immutable\n", "node_modules/.bin ~/.local/bin", COREPACK_ENV,
	  "cache ~/.cache" },
	{ "node-yarn", "yarn.lock", NULL, &node, "yarn", NULL, "package.json yarn.lock",
	  "yarn install --frozen-lockfile\n", "node_modules/.bin", NULL, "cache ~/.cache" },
	{ "node-npm", "package-lock.json", NULL, &node, "npm", NULL, "package.json package-lock.json",
	  "npm ci\n", "node_modules/.bin", NULL, "npm ~/.npm" },
	{ "node-npm", "package.json", NULL, &node, "npm", NULL, "package.json", "npm install\n",
	  "node_modules/.bin", NULL, "npm ~/.npm" },

	{ "go", "go.mod", NULL, &go, NULL, NULL, "go.mod go.sum", "go mod download\n", NULL, NULL, "go /go" },
	{ "rust", "Cargo.toml", NULL, &rust, NULL, NULL, "Cargo.toml Cargo.lock", "cargo fetch\n", NULL, NULL,
	  "cargo /usr/local/cargo/registry" },
	{ "ruby", "Gemfile", NULL, &ruby, NULL, NULL, "Gemfile Gemfile.lock", "bundle install\n", NULL,
	  "; gems are kept in the project, not in the image\nBUNDLE_PATH = vendor/bundle\n", NULL },
	{ "php", "composer.json", NULL, &php, NULL, NULL, NULL, NULL, "vendor/bin", NULL, NULL },
	{ "java", "pom.xml", NULL, &java, NULL, NULL, "pom.xml", "mvn -q dependency:resolve\n", NULL, NULL,
	  "maven ~/.m2" },

	/* gcc's own image has no cmake; this one has cmake, ninja, gdb and clang beside gcc */
	{ "c-cmake", "CMakeLists.txt", NULL, &c_and_cpp, "cmake", "mcr.microsoft.com/devcontainers/cpp:1-debian-12",
	  "CMakeLists.txt", "cmake -S . -B build -DCMAKE_EXPORT_COMPILE_COMMANDS=ON\n", NULL, NULL, NULL,
	  "build-essential cmake gdb ninja-build pkgconf" },
	{ "c-make", "Makefile", NULL, &c_and_cpp, "make", NULL, NULL, NULL, NULL, NULL, NULL, C_PACKAGES },
	{ "c-make", "GNUmakefile", NULL, &c_and_cpp, "make", NULL, NULL, NULL, NULL, NULL, NULL, C_PACKAGES },
	{ "c-make", "configure.ac", NULL, &c_and_cpp, "make", NULL, NULL, NULL, NULL, NULL, NULL,
	  "autoconf automake libtool " C_PACKAGES },
	{ 0 },
};

const struct detect_rule detect_plain = { "plain", NULL, NULL, &plain, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "" };
