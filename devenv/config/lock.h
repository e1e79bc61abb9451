/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.h - devenv.lock as structs: committed, generated, merges line by line. Pure.
 *
 * INI; sections and keys sorted bytewise; LF; no dates, host names or tool version; no hash over the whole. Each entry
 * carries the `request` it answers, so drift is seen offline. The base of the environment is the section [base]:
 *
 *   [base]
 *   index = sha256:...                  what the tag pointed to: absent when that was a single manifest
 *   manifest.linux/amd64 = sha256:...   one per platform
 *   request = docker.io/library/python:3.12-slim-bookworm
 *
 * Each file of a git repository that the configuration extends has a section of its own:
 *
 *   [extends.git.example.org/team/envs:python/base.ini@v3]
 *   commit = 0123...                    what the ref pointed to
 *   content = sha256:...                of the file
 *   request = git+https://git.example.org/team/envs#v3:python/base.ini
 *
 * A base made of a distribution's packages has no manifests, and each of its packages a section of its own, as have those
 * that [packages] adds to any base:
 *
 *   [base]
 *   request = debian:bookworm minimal main
 *
 *   [package.amd64.libpq5]
 *   in = base                           of the base's layer; else of the layer on top
 *   path = pool/main/p/postgresql-15/libpq5_15.8-0+deb12u1_amd64.deb
 *   request = libpq5                    only of what [packages] apt names
 *   sha256 = ...
 *   size = 190212
 *   suite = bookworm                    whose archive the path is of
 *   version = 15.8-0+deb12u1
 *
 *   [packages]                          only on an image: which manifest its packages were resolved on,
 *   on.linux/amd64 = sha256:...
 *   present.linux/amd64 = curl          and what of [packages] apt that image had already
 *
 * devenv.local.lock has the packages of devenv.local.ini and nothing else, on any base with [packages]: there `on` is the image of
 * the base and [packages] of devenv.lock.
 *
 * A section that is not known was written by a newer devenv, and the file is refused.
 *
 * request is canonical: the full reference; "oci:PATH[:TAG]"; "archive:PATH"; "debian:CODENAME VARIANT COMPONENT..." with the
 * components sorted.
 */
#ifndef DEVENV_CONFIG_LOCK_H
#define DEVENV_CONFIG_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define LOCK_DEBIAN_PREFIX "debian:" /* of the request of a base made of packages */

struct lock_manifest {
	char *platform; /* "linux/amd64", "linux/arm64/v8" */
	char *digest;
};

struct lock_image {
	char *name;    /* section: "base" */
	char *request;
	char *index;   /* digest or NULL */
	struct lock_manifest *manifests;
	size_t manifest_count, manifest_cap;
};

struct lock_extends {
	char *name;    /* section: "extends.…" */
	char *request;
	char *commit;  /* 40 hex digits */
	char *content; /* digest */
};

struct lock_package {
	char *arch, *name; /* Debian's names, both valid (debian_name_is_valid) */
	bool in_base;
	char *version, *path, *suite;
	char *sha256;  /* 64 hex digits */
	char *request; /* words of [packages] apt that it answers, joined by blanks; NULL: somebody's dependency */
	uint64_t size; /* bytes of the .deb */
};

struct lock_present {
	char *platform, *names; /* words of [packages] apt, joined by blanks */
};

struct lock {
	struct lock_image *images;
	size_t image_count, image_cap;
	struct lock_extends *extends;
	size_t extends_count, extends_cap;
	struct lock_package *packages; /* sorted by arch and name */
	size_t package_count, package_cap;
	struct lock_manifest *packages_on; /* [packages] on.PLATFORM */
	size_t packages_on_count, packages_on_cap;
	struct lock_present *packages_present; /* [packages] present.PLATFORM */
	size_t packages_present_count, packages_present_cap;
};

/* Errors are ERR_LOCK with "devenv.lock:line: ..." and a hint. Conflict markers: hint "run `devenv lock`". A JSON file
 * (another tool's devenv.lock) is recognised and named. */
int lock_parse(const char *name, const char *text, size_t len, struct lock *out, struct err *e);
/* Like lock_parse, but of a file with conflict markers takes both sides: entries whole on either side are kept, entries that
 * disagree are dropped (so that `devenv lock` refills them). */
int lock_parse_both_sides(const char *name, const char *text, size_t len, struct lock *out, struct err *e);
void lock_format(const struct lock *l, struct buf *out);
/* The same of devenv.local.lock, which says of itself that it is not for everybody. */
void lock_format_local(const struct lock *l, struct buf *out);
bool lock_is_empty(const struct lock *l);
void lock_release(struct lock *l);

/* The entry of that name, or NULL; points into l. */
struct lock_image *lock_find(const struct lock *l, const char *name);
/* May this be the path of a package in an archive: relative, of plain components, none of which begins with a dot? */
bool lock_package_path_is_valid(const char *path);
/* Replace or add the entry named by img->name; takes its contents. */
void lock_put(struct lock *l, struct lock_image *img /* takes contents */);
void lock_remove(struct lock *l, const char *name);
void lock_image_release(struct lock_image *img);
/* Digest for a platform or NULL; points into img. */
const char *lock_manifest_digest(const struct lock_image *img, const char *platform);

/* The same for files that are extended (config/lock_extends.c). */
struct lock_extends *lock_find_extends(const struct lock *l, const char *name);
void lock_put_extends(struct lock *l, struct lock_extends *entry /* takes contents */);
void lock_remove_extends(struct lock *l, const char *name);
void lock_extends_release(struct lock_extends *entry);
/* The same for packages (config/lock_package.c). */
struct lock_package *lock_find_package(const struct lock *l, const char *arch, const char *name);
void lock_put_package(struct lock *l, struct lock_package *entry /* takes contents */);
void lock_remove_package(struct lock *l, const char *arch, const char *name);
void lock_package_release(struct lock_package *entry);
/* The manifest that packages were resolved on, and what it had already; NULL: none. They point into l. */
const char *lock_packages_on(const struct lock *l, const char *platform);
const char *lock_packages_present(const struct lock *l, const char *platform);
/* Replace both; NULL: there is none. */
void lock_set_packages_on(struct lock *l, const char *platform, const char *digest, const char *present);
bool lock_commit_is_valid(const char *commit);

#endif
