/* SPDX-License-Identifier: Apache-2.0 */
/* oci_layout.c - an OCI image layout (image-spec 1.1), in a directory or a tar, as an origin. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/document.h"
#include "source/manifest.h"
#include "source/members.h"
#include "source/origin.h"

#define REF_NAME "org.opencontainers.image.ref.name"

struct layout_origin {
	struct origin origin;
	struct members *members;
	char *tag;  /* NULL: the only image */
	char *name; /* for messages, escaped */
};

static char *blob_path(const char *digest)
{
	const char *hex = digest_hex(digest);

	return mem_printf("blobs/%.*s/%s", (int)(hex - digest - 1), digest, hex);
}

static int find_blob(struct layout_origin *l, const char *digest, char **path, uint64_t *size, struct err *e)
{
	cleanup_free char *p = blob_path(digest);

	if (members_size(l->members, p, size, e) < 0)
		return -1;
	*path = mem_steal(p);
	return 0;
}

static int check_size(const char *digest, uint64_t size, uint64_t expected, struct err *e)
{
	if (size == expected)
		return 0;
	return err_set(e, ERR_INTEGRITY, "the blob %s has %llu bytes, not %llu", digest,
	               (unsigned long long)size, (unsigned long long)expected);
}

static int layout_get_blob(struct origin *o, const char *digest, uint64_t size, struct buf *body,
                           struct err *e)
{
	struct layout_origin *l = (struct layout_origin *)o;
	cleanup_free char *path = NULL;
	uint64_t actual;

	if (find_blob(l, digest, &path, &actual, e) < 0 || check_size(digest, actual, size, e) < 0 ||
	    members_read(l->members, path, DOCUMENT_MAX, body, e) < 0)
		return -1;
	return origin_verify("image config", body, digest, e);
}

static int layout_get_stream(struct origin *o, const char *digest, uint64_t size, struct stream **out,
                             struct err *e)
{
	struct layout_origin *l = (struct layout_origin *)o;
	cleanup_free char *path = NULL;
	uint64_t actual;

	if (find_blob(l, digest, &path, &actual, e) < 0 || check_size(digest, actual, size, e) < 0)
		return -1;
	return members_stream(l->members, path, out, e);
}

static const char *entry_name(const json_t *entry)
{
	return json_string_value(json_object_get(json_object_get(entry, "annotations"), REF_NAME));
}

/* Attestations, signatures and whatever else is attached to images lies beside them. */
static bool is_beside(const json_t *entry)
{
	const char *os = json_string_value(json_object_get(json_object_get(entry, "platform"), "os"));

	return (os && strcmp(os, "unknown") == 0) || json_object_get(entry, "artifactType");
}

/* The entries that the tag (or its absence) asks for; the same manifest under two names is one. */
static json_t *choose(const struct layout_origin *l, const json_t *entries)
{
	json_t *chosen = json_array(), *entry, *other;
	size_t i, j;

	json_array_foreach((json_t *)entries, i, entry) {
		const char *name = entry_name(entry);
		bool again = false;

		if (is_beside(entry) || (l->tag && (!name || strcmp(name, l->tag) != 0)))
			continue;
		json_array_foreach(chosen, j, other)
			again |= json_equal(json_object_get(other, "digest"),
			                    json_object_get(entry, "digest"));
		if (!again)
			json_array_append(chosen, entry);
	}
	return chosen;
}

/* Several entries make one image when they are its platforms. */
static bool are_platforms(const json_t *chosen)
{
	const char *first = entry_name(json_array_get(chosen, 0));
	json_t *entry;
	size_t i;

	json_array_foreach((json_t *)chosen, i, entry) {
		const char *name = entry_name(entry);

		if (!json_is_object(json_object_get(entry, "platform")) || !first != !name ||
		    (name && strcmp(name, first) != 0))
			return false;
	}
	return true;
}

static int refuse_choice(const struct layout_origin *l, const json_t *entries, size_t chosen, struct err *e)
{
	struct buf names = BUF_INIT;
	json_t *entry;
	size_t i;

	json_array_foreach((json_t *)entries, i, entry) {
		if (entry_name(entry) && names.len < 300) {
			buf_adds(&names, names.len ? ", " : "");
			text_escape(&names, entry_name(entry));
		}
	}
	if (l->tag)
		err_set_(e, ERR_NOT_FOUND, "%s has %s image with the tag '%s'", l->name,
		         chosen ? "more than one" : "no", text_safe(l->tag));
	else if (!chosen)
		err_set_(e, ERR_NOT_FOUND, "%s holds no image", l->name);
	else
		err_set_(e, ERR_NOT_FOUND, "%s holds %zu images, so a tag must say which", l->name, chosen);
	if (names.len)
		err_hint_(e, "it has the tags: %s", names.data);
	buf_release(&names);
	return -1;
}

static int read_blob_manifest(struct layout_origin *l, const char *digest, struct buf *body,
                              char found[DIGEST_MAX], struct err *e)
{
	cleanup_free char *path = blob_path(digest);

	if (members_read(l->members, path, DOCUMENT_MAX, body, e) < 0)
		return -1;
	if (origin_verify("manifest", body, digest, e) < 0)
		return -1;
	snprintf(found, DIGEST_MAX, "%s", digest);
	return 0;
}

/* The image that index.json names: one entry is followed, several become an index without a digest of its
 * own. */
static int follow(struct layout_origin *l, const json_t *root, struct buf *body, char **media_type,
                  char found[DIGEST_MAX], struct err *e)
{
	json_t *entries, *chosen;
	const char *digest, *type;
	int r;

	if (document_member(root, "layout's index.json", "manifests", JSON_ARRAY, &entries, e) < 0)
		return -1;
	chosen = choose(l, entries);
	if (json_array_size(chosen) == 1) {
		json_t *entry = json_array_get(chosen, 0);

		digest = json_string_value(json_object_get(entry, "digest"));
		type = json_string_value(json_object_get(entry, "mediaType"));
		if (!digest || !digest_is_valid(digest) || !type)
			r = err_set(e, ERR_INTEGRITY, "the index.json of %s is malformed", l->name);
		else
			r = read_blob_manifest(l, digest, body, found, e);
		if (r == 0)
			*media_type = mem_strdup(type);
	} else if (json_array_size(chosen) > 1 && are_platforms(chosen)) {
		json_t *index = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType",
		                          MANIFEST_TYPE_INDEX, "manifests", chosen);
		char *text = json_dumps(index, JSON_COMPACT);

		buf_adds(body, text);
		*media_type = mem_strdup(MANIFEST_TYPE_INDEX);
		found[0] = '\0';
		free(text);
		json_decref(index);
		r = 0;
	} else {
		r = refuse_choice(l, entries, json_array_size(chosen), e);
	}
	json_decref(chosen);
	return r;
}

static int layout_get_manifest(struct origin *o, const char *digest, struct buf *body, char **media_type,
                               char found[DIGEST_MAX], struct err *e)
{
	struct layout_origin *l = (struct layout_origin *)o;
	cleanup_buf struct buf text = BUF_INIT;
	json_t *root;
	int r;

	*media_type = NULL;
	if (digest)
		return read_blob_manifest(l, digest, body, found, e);
	if (members_read(l->members, "index.json", DOCUMENT_MAX, &text, e) < 0)
		return -1;
	root = document_load("layout's index.json", text.data, text.len, e);
	if (!root)
		return -1;
	r = follow(l, root, body, media_type, found, e);
	json_decref(root);
	return r;
}

static void layout_close(struct origin *o)
{
	struct layout_origin *l = (struct layout_origin *)o;

	members_free(l->members);
	free(l->tag);
	free(l->name);
	free(l);
}

/* The marker file says that this is a layout and of which version. */
static int check_marker(struct members *m, const char *name, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	const char *version;
	json_t *root;
	int r;

	if (!members_has(m, "oci-layout") || !members_has(m, "index.json"))
		return err_set(e, ERR_NOT_FOUND, "%s is not an OCI layout: it lacks oci-layout or index.json",
		               name);
	if (members_read(m, "oci-layout", DOCUMENT_MAX, &text, e) < 0)
		return -1;
	root = document_load("oci-layout file", text.data, text.len, e);
	if (!root)
		return -1;
	r = document_string(root, "oci-layout file", "imageLayoutVersion", &version, e);
	if (r == 0 && (!version || !text_starts(version, "1.")))
		r = err_set(e, ERR_UNSUPPORTED, "%s is an OCI layout of the unknown version '%s'", name,
		            text_safe(version ? version : ""));
	json_decref(root);
	return r;
}

int oci_layout_over(struct members *m, const char *tag, const char *name, struct origin **out, struct err *e)
{
	struct layout_origin *l;

	if (check_marker(m, text_safe(name), e) < 0) {
		members_free(m);
		return -1;
	}
	l = mem_alloc(sizeof(*l));
	l->origin = (struct origin){
		.manifest = layout_get_manifest,
		.blob = layout_get_blob,
		.stream = layout_get_stream,
		.close = layout_close,
	};
	l->members = m;
	l->tag = tag ? mem_strdup(tag) : NULL;
	l->name = mem_strdup(text_safe(name));
	*out = &l->origin;
	return 0;
}

/* "PATH[:TAG]". A directory whose own name has a colon wins over a tag. */
static int open_path(const char *location, struct origin **out, struct err *e)
{
	cleanup_free char *path = mem_strdup(location);
	const char *tag = NULL;
	struct members *m;
	struct stat st;

	if (stat(location, &st) < 0 || !S_ISDIR(st.st_mode)) {
		char *colon = strrchr(path, ':');

		if (colon && !strchr(colon, '/') && colon[1]) {
			*colon = '\0';
			tag = colon + 1;
		}
	}
	if (members_open_directory(path, &m, e) < 0) {
		if (e->sys == ENOENT)
			return err_set(e, ERR_NOT_FOUND, "there is no OCI layout %s", text_safe(path));
		return err_wrap(e, "can't read the OCI layout");
	}
	return oci_layout_over(m, tag, path, out, e);
}

int oci_layout_open(const struct oci_source *src, struct origin **out, struct err *e)
{
	int fd;

	if (!src->opened)
		return open_path(src->location, out, e);
	fd = fcntl(src->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return err_sys(e, "can't read the OCI layout %s", text_safe(src->location));
	return oci_layout_over(members_of_directory(fd, src->location), src->tag, src->location, out, e);
}
