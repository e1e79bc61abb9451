/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect.h - what kind of project a directory is, and the devenv.ini that kind of project starts with.
 *
 * The knowledge is in the const tables of detect_table.c; detect.c matches them, detect_version.c reads version files,
 * detect_config.c writes the text. Files are read below a directory descriptor and only looked at: nothing is run.
 */
#ifndef DEVENV_CLI_DETECT_H
#define DEVENV_CLI_DETECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Where a version is written down. The first file that says one counts. */
struct detect_version_file {
	const char *file;
	const char *before; /* what stands before the version on its line; NULL: the whole line is the version */
};

/* A language: which image it has in which version. */
struct detect_language {
	const char *name;            /* "Python" */
	const char *image;           /* with one %s for the version */
	const char *version;         /* when no file says one */
	const char *exact;           /* per series, the first release whose exact tag is in that image; ascending */
	int series;                  /* leading numbers that name a series, whose tag always exists */
	const char *older;           /* image of series older than the first of `exact`, or NULL: use `version` */
	const struct detect_version_file *files; /* ends in a NULL file */
	const char *also;            /* what another language's image lacks: "node" */
};

/* One kind of project. The first rule whose files are there decides. */
struct detect_rule {
	const char *id;       /* stable, for --json and tests: "python-poetry" */
	const char *marker;   /* this file is there */
	const char *contains; /* and holds this text (letters in any case); NULL: whatever it holds */
	const struct detect_language *language;
	const char *tool;   /* named in the file: "poetry"; NULL: nothing special */
	const char *image;  /* instead of the language's, with one %s for the series; NULL */
	const char *inputs; /* of the setup: those of these files that are there */
	const char *setup;  /* what a new checkout needs, one command a line */
	const char *path;   /* put first on PATH; NULL: nothing */
	const char *env;    /* "NAME = value" lines with their comments; NULL */
	const char *volume; /* "NAME TARGET" of what is worth keeping and sharing; NULL */
	const char *apt;    /* Debian packages that do instead of an image, "" for none besides the base; NULL: they would not do */
};
extern const struct detect_rule detect_rules[];
extern const struct detect_rule detect_plain; /* when no rule fits */

struct detected {
	const struct detect_rule *rule; /* never NULL */
	char *version;                  /* as the image's tag has it; "" where the image has no version */
	char *written;                  /* what `version_file` says; NULL: nothing said one */
	const char *version_file;       /* NULL: the default is used */
	char *image;    /* also where packages are taken instead */
	const char *release; /* the base is made of packages of this Debian release; NULL: of the image */
	char *settings; /* Django: the settings module that manage.py names; NULL */
	bool env_file;  /* .env or an example of one is there */
	struct strlist inputs;
	struct strlist also; /* markers of other languages */
};

#define DETECT_RELEASE "bookworm" /* what the images have too */

/* Look at the files of a directory. `release`: where packages of that Debian release can be had, they are preferred to an image
 * that has nothing but those; NULL: they can't. */
void detect_directory(int dirfd, const char *release, struct detected *out);
void detect_release(struct detected *d);

/* ---- detect_version.c ---- */
/* The version that the files of a language name, "3.12.4", malloc'ed; NULL: none does. *file says which one did. */
char *detect_version(int dirfd, const struct detect_language *language, const char **file);
/* The first `parts` numbers of a version; malloc'ed. */
char *detect_version_series(const char *version, int parts);
/* -1, 0, 1 as numbers compare, part by part; a missing part is 0. */
int detect_version_compare(const char *a, const char *b);

/* ---- detect_config.c ---- */
/* The whole devenv.ini, holding only sections that this program supports. */
void detect_config(const struct detected *d, struct buf *out);
/* Append `text` without those sections that have a key this program does not support. */
void detect_config_supported(const char *text, struct buf *out);

#endif
