/* SPDX-License-Identifier: Apache-2.0 */
/* layout.h - names below the store's directory, and what the parts of store/ use of each other. Not for others. */
#ifndef DEVENV_STORE_LAYOUT_H
#define DEVENV_STORE_LAYOUT_H

#include "store/store.h"

#define STORE_FORMAT 1

#define STORE_LAYERS  "layers"
#define STORE_IMAGES  "images"
#define STORE_NAMES   "names"
#define STORE_TMP     "tmp"
#define STORE_LOCKS   "locks"
#define STORE_LOCK    "lock"
#define STORE_VERSION "version"
#define STORE_DEBS    "debs"

#define STORE_SPACE_HINT "free some space on the store's file system, for example with 'devenv gc'"

enum { STORE_PATH_MAX = 320 }; /* "layers/" + 128 hex + "/fs", "names/" + NAME_MAX */

/* errno as an error of the store: read-only, not writable and full disks are said so, with what to do. */
int store_failure(const struct store *s, const char *what, struct err *e);
/* Lock a file, waiting; who waits is told what for ("a `devenv gc` to end"). */
int store_wait(int fd, bool exclusive, const char *what, struct err *e);
/* "DIR/HEX" of a digest into out; false when the digest is malformed. */
bool store_digest_path(const char *dir, const char *digest, char out[STORE_PATH_MAX]);
/* The digest a directory name of 64 or 128 hex digits stands for; false: it is no such name. */
bool store_digest_of_name(const char *name, char digest[136]);
/* A random name for tmp/. */
void store_random_name(char out[32]);
/* Make `path` (below the store) hold these bytes: written in tmp/, made durable, renamed. */
int store_put_file(const struct store *s, const char *path, const void *data, size_t len, struct err *e);
/* Remove staging whose writer is gone. `removed` may be NULL (then nothing is measured); dry: only tell. */
typedef void store_removed(void *data, const char *kind, const char *name, uint64_t bytes);
int store_sweep(const struct store *s, bool dry, store_removed *removed, void *data, struct err *e);
/* Names in a directory of the store, sorted. */
int store_names_in(const struct store *s, const char *dir, struct strlist *out, struct err *e);
/* A layer's chain parent from its meta; false when there is none. */
bool store_layer_parent(const struct store *s, const char *chain_id, char parent[136]);
/* "created" of an image config as seconds since 1970; 0: unknown. */
int64_t store_created(const char *config_json);

#endif
