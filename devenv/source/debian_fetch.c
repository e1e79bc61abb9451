/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_fetch.c - see debian_fetch.h.
 *
 * Most packages are small: those come into memory over the connection that the session has open. A large one is a stream,
 * which has a connection of its own and goes on where it broke off.
 */
#include "source/debian_fetch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { IN_MEMORY = 1 << 20, PIECE = 256 << 10 };

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._/", c));
}

/* The directory of a file: address, or NULL. file:/x, file://localhost/x and file:///x are the same. */
static const char *directory_of(const char *address)
{
	if (!text_starts(address, "file:/"))
		return NULL;
	address += strlen("file:");
	if (!text_starts(address, "//"))
		return address;
	address = strchr(address + 2, '/');
	return address ? address : "/";
}

char *debian_fetch_url(const char *address, const char *path)
{
	bool local = directory_of(address) != NULL;
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s/", address);
	for (; *path; path++) {
		if (local || is_plain(*path))
			buf_addch(&b, *path);
		else
			buf_addf(&b, "%%%02x", (unsigned char)*path);
	}
	return buf_steal(&b);
}

bool debian_fetch_knows(const char *address)
{
	cleanup_free char *origin = http_url_origin(address); /* of one with a login in it there is none */

	return origin || directory_of(address);
}

char *debian_fetch_place(const char *address)
{
	const char *directory = directory_of(address);

	return directory ? mem_strdup(directory) : http_url_host(address);
}

char *debian_fetch_site(const char *address)
{
	const char *host = strstr(address, "://"), *at;
	size_t len;

	if (!host || directory_of(address))
		return mem_strdup("");
	host += strlen("://");
	len = strcspn(host, "/");
	at = memchr(host, '@', len);
	if (at) {
		len -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	return mem_strndup(host, *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/"));
}

static int open_local(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(e, "can't open %s", text_safe(path));
		if (e->sys == ENOENT || e->sys == ENOTDIR)
			e->code = ERR_NOT_FOUND;
	} else if (S_ISREG(st.st_mode)) {
		return fd;
	} else {
		err_set(e, ERR_NOT_FOUND, "%s is not a file", text_safe(path));
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static int refuse_status(const char *url, long status, struct err *e)
{
	cleanup_free char *host = http_url_host(url);
	bool missing = status == 404 || status == 410;

	err_set(e, missing ? ERR_NOT_FOUND : status == 401 || status == 403 ? ERR_AUTH : ERR_NETWORK, "%s answers with HTTP status %ld%s",
		text_safe(host), status, missing ? " (not there)" : status == 407 ? " (the proxy wants a login)" : "");
	if (status == 401 || status == 403)
		return err_hint(e, "%s: `machine %s%s login NAME password PASSWORD` in a file of /etc/apt/auth.conf.d that ends in "
				   ".conf and that you may read",
				status == 401 ? "it wants a login" : "is the address right? If it wants a login", http_url_is_https(url) ? "" : "http://", text_safe(host));
	return -1;
}

/* A whole body in memory. */
static int fetch_body(struct http *http, const char *url, size_t max, struct http_response *answer, struct err *e)
{
	const struct http_request request = { .url = url, .max_body = max, .what = "the mirror" };

	if (http_fetch(http, &request, answer, e) < 0)
		return -1;
	if (answer->status >= 200 && answer->status < 300)
		return 0;
	refuse_status(url, answer->status, e);
	http_response_release(answer);
	return -1;
}

int debian_fetch_text(struct http *http, const char *url, size_t max, struct buf *out, struct err *e)
{
	struct http_response answer = { .body = BUF_INIT };
	const char *path = directory_of(url);

	if (path) {
		cleanup_close int fd = open_local(path, e);

		return fd < 0 ? -1 : file_read_fd(fd, max, out, e);
	}
	if (fetch_body(http, url, max, &answer, e) < 0)
		return -1;
	buf_add(out, answer.body.data, answer.body.len);
	http_response_release(&answer);
	return 0;
}

struct transfer {
	const struct debian_fetch *f;
	struct digest *digest;
	uint64_t size;
	int fd;
};

static int add(struct transfer *t, const void *data, size_t len, struct err *e)
{
	t->size += len;
	if (t->size > t->f->size)
		return err_set(e, ERR_INTEGRITY, "it has more than %llu bytes", (unsigned long long)t->f->size);
	digest_add(t->digest, data, len);
	if (file_write_all(t->fd, data, len, e) < 0)
		return -1;
	if (t->f->came)
		t->f->came(t->f->data, len);
	return 0;
}

static int add_body(struct transfer *t, struct err *e)
{
	struct http_response answer = { .body = BUF_INIT };
	int result;

	if (fetch_body(t->f->http, t->f->url, (size_t)t->f->size, &answer, e) < 0)
		return -1;
	result = add(t, answer.body.data, answer.body.len, e);
	http_response_release(&answer);
	return result;
}

static int add_stream(struct transfer *t, struct stream *in, struct err *e)
{
	cleanup_free char *piece = mem_resize(NULL, PIECE, 1);
	ssize_t n;

	while ((n = in->read(in, piece, PIECE, e)) > 0) {
		if (add(t, piece, (size_t)n, e) < 0)
			return -1;
		if (http_interrupted())
			return err_set(e, ERR_INTERRUPTED, "interrupted");
	}
	return n < 0 ? -1 : 0;
}

static int open_stream(const struct debian_fetch *f, struct stream **in, struct err *e)
{
	const struct http_request request = { .url = f->url, .what = "the mirror" };
	const char *path = directory_of(f->url);
	int fd;

	if (!path)
		return http_stream(f->http, &request, f->size, 0, in, e);
	fd = open_local(path, e);
	if (fd < 0)
		return -1;
	*in = stream_from_fd(fd, UINT64_MAX);
	return 0;
}

static int transfer(struct transfer *t, struct err *e)
{
	struct stream *in;
	int result;

	if (t->f->size <= IN_MEMORY && !directory_of(t->f->url))
		return add_body(t, e);
	if (open_stream(t->f, &in, e) < 0)
		return -1;
	result = add_stream(t, in, e);
	stream_close(in);
	return result;
}

static int check(struct transfer *t, struct err *e)
{
	char digest[DIGEST_MAX];

	digest_end(mem_steal(t->digest), digest);
	if (t->size != t->f->size)
		return err_set(e, ERR_INTEGRITY, "it has %llu bytes instead of %llu", (unsigned long long)t->size,
			       (unsigned long long)t->f->size);
	if (strcmp(digest_hex(digest), t->f->sha256) != 0)
		return err_set(e, ERR_INTEGRITY, "its sha256 is %s instead of %s", digest_hex(digest), text_safe(t->f->sha256));
	return 0;
}

int debian_fetch_file(const struct debian_fetch *f, int fd, struct err *e)
{
	struct transfer t = { .f = f, .fd = fd, .digest = digest_new(NULL) };
	int result;

	if (lseek(fd, 0, SEEK_SET) < 0 || ftruncate(fd, 0) < 0)
		result = err_sys(e, "can't begin a file");
	else
		result = transfer(&t, e);
	if (result == 0)
		result = check(&t, e);
	digest_free(t.digest);
	return result;
}
