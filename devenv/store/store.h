/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - what is kept, and under which names. reliability.md is the contract:
 *
 *   layers/<hex chain id>/{fs/,owners,meta}    one directory per layer, immutable once named
 *   images/<hex manifest digest>/{manifest.json,config.json,layers}   "layers": chain ids, bottom first, one per line
 *   debs/<sha256>                              a Debian package as it was fetched
 *   names/<escaped reference>                  text: manifest digest, newline. For `run --image` and `image ls`
 *   tmp/<random>/                              staging; its writer holds a flock on the directory
 *   failed/<checkout>/                         what a build that failed had made, for a shell there (env/building.h)
 *   locks/<hex chain id>                       empty; flocked by whoever makes that layer; removed by gc only
 *   lock                                       shared by users of the store, exclusive by gc
 *   version                                    "1\n": the format; a newer one is refused
 *
 * Publication: stage in tmp/, verify, one syncfs, rename; the image record last. Nothing is edited in place.
 */
#ifndef DEVENV_STORE_STORE_H
#define DEVENV_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct store {
	char *path;  /* absolute */
	int fd;      /* the store directory */
	int lock_fd; /* shared lock while open; -1: a read-only file system has no lock file, and nobody to lock out */
	bool read_only; /* its file system is: what is there can be read */
};

/* Before the store waits for another process, `tell` is called with what for, once for each thing. For the whole process;
 * NULL (the default): silence. A signal that is handled without SA_RESTART ends every wait with ERR_INTERRUPTED. */
void store_tell_waits(void (*tell)(void *data, const char *what), void *data);

/* Open, making it (0700) when missing; sweep staging whose writer is gone; take the shared lock (waits for a gc). On a
 * read-only file system what is there is opened for reading. ERR_STORE: someone else's, not writable, newer format - each with what to do. */
int store_open(struct store *s, const char *path, struct err *e);
void store_close(struct store *s);

/* ---- staging ---- */
struct store_stage {
	char name[32]; /* below tmp/ */
	int fd;        /* the directory, flocked */
};
int store_stage_new(struct store *s, struct store_stage *st, struct err *e);
/* Remove whatever is in it. Fine after a publish too. */
void store_stage_drop(struct store *s, struct store_stage *st);

/* ---- layers ---- */
/* Chain ids by the OCI image-spec: chain_id(L0) = diff_id, chain_id(L0|..|Ln) = sha256(chain_id(..) + " " + diff_id). */
void store_chain_id(const char *parent_or_null, const char *diff_id, char out[136]);
bool store_has_layer(const struct store *s, const char *chain_id);
/* Absolute path of the layer's tree, malloc'ed. */
char *store_layer_path(const struct store *s, const char *chain_id);
/* O_PATH fd of the tree (fs/). */
int store_layer_open(const struct store *s, const char *chain_id, struct err *e);
/* A per-layer lock, so that 64 pulls make one download: returns an fd that holds it; released by close. Blocks. */
int store_layer_lock(struct store *s, const char *chain_id, struct err *e);
/* The same for what is not fetched but made: who waits is told for what ("another devenv that builds the same"). */
int store_layer_await(struct store *s, const char *chain_id, const char *what, struct err *e);
/* What is recorded beside a layer, as lines "diff_id D", "parent D", "bytes N", "files N". Write it into the stage before
 * publishing; a layer published without gets one with its measured size. */
struct store_layer_meta {
	const char *diff_id,
		*parent; /* chain id of the layer below, NULL for the lowest: gc keeps it along */
	uint64_t bytes;  /* on disk */
	uint64_t files;  /* entries of the archive */
};
int store_layer_meta_write(struct store_stage *st, const struct store_layer_meta *m, struct err *e);
/* Publish stage's subdirectories fs/ and files owners, meta as the layer. Somebody else having published it meanwhile
 * is success. */
int store_layer_publish(struct store *s, struct store_stage *st, const char *chain_id, struct err *e);
/* The same for several stages at once. After a failure none has a name that comes after one that has none. */
struct store_staged {
	struct store_stage stage;
	char chain_id[136];
};
int store_staged_publish(struct store *s, struct store_staged *layers, size_t count, struct err *e);
/* The same for many layers at once, each complete with meta in the stage's directory <hex of its chain id>. */
int store_layers_publish(struct store *s, struct store_stage *st, const struct strlist *chain_ids, struct err *e);

/* ---- images ---- */
struct store_image {
	char digest[136];         /* of the manifest */
	char *manifest, *config;  /* JSON texts */
	struct strlist chain_ids; /* bottom first */
};
/* ERR_NOT_FOUND: no record. A record with missing layers is ERR_NOT_FOUND too. */
int store_image_load(const struct store *s, const char *digest, struct store_image *out, struct err *e);
void store_image_release(struct store_image *i);
int store_image_publish(struct store *s, const struct store_image *i, struct err *e);

/* ---- Debian packages ---- */
/* sha256: 64 hex digits. Publish every file of the stage under its name there, which is the hash of what it holds: the caller
 * has checked that. Names of another form stay behind. */
int store_debs_publish(struct store *s, struct store_stage *st, struct err *e);
bool store_has_deb(const struct store *s, const char *sha256, uint64_t size);
/* ERR_NOT_FOUND: it is not there. */
int store_deb_open(const struct store *s, const char *sha256, struct err *e);

/* ---- names ---- */
int store_name_set(struct store *s, const char *reference, const char *digest, struct err *e);
int store_name_get(const struct store *s, const char *reference, char digest[136], struct err *e);
int store_name_remove(struct store *s, const char *reference, struct err *e);

struct store_list_item {
	char *reference; /* NULL: an image without a name */
	char digest[136];
	uint64_t bytes;  /* of its layers on disk, shared ones counted in full */
	int64_t created; /* from the image config, seconds; 0 unknown */
	int64_t pulled;  /* when the record was made, seconds */
	size_t layer_count;
};
int store_list(const struct store *s, struct store_list_item **items, size_t *count, struct err *e);
void store_list_free(struct store_list_item *items, size_t count);

/* Recorded size of one layer's tree in bytes, from its meta file. 0 when unknown. */
uint64_t store_layer_bytes(const struct store *s, const char *chain_id);

/* Free bytes for an unprivileged writer on the store's file system. */
uint64_t store_free_bytes(const struct store *s);

/* ---- gc ---- */
struct store_gc {
	/* in */
	/* Manifest digests that plans and locks of living checkouts refer to; a chain id or layer key is fine too and keeps
	 * that layer and, by its meta, those below it; the digest of a Debian package keeps that. */
	struct strlist keep;
	/* References whose names go first; so what only they held goes along. Told with kind "name". */
	struct strlist forget;
	bool dry_run;
	/* Called before anything else, with the lock exclusive (in a dry run shared): adds to keep and forget what is true then,
	 * when no session can begin that nobody saw. May be NULL. */
	int (*survey)(void *data, struct store *s, struct err *e);
	/* Called per thing removed (or to be removed): kind "name", "image", "layer", "package", "staging". May be NULL. */
	void (*removed)(void *data, const char *kind, const char *name, uint64_t bytes);
	void *data;
	/* out */
	uint64_t bytes;
	size_t names, images, layers, packages, stages;
};
/* Needs a store opened with store_open; upgrades its lock to exclusive (waits) and back. Named images are kept. A dry run
 * tells exactly what the real one does. */
int store_gc(struct store *s, struct store_gc *gc, struct err *e);

#endif
