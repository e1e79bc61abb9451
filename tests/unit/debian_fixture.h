/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_fixture.h - a small Debian archive below the temporary directory, made of real .deb files and signed with a key that
 * is thrown away, served by a loopback server that can be told to change or hide files.
 */
#ifndef DEVENV_TESTS_DEBIAN_FIXTURE_H
#define DEVENV_TESTS_DEBIAN_FIXTURE_H

#include "unit/tempdir.h"

#include <time.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/path.h"
#include "base/process.h"
#include "fetch/http.h"
#include "source/debian_archive.h"
#include "unit/fault_server.h"

struct debian_fixture {
	struct fault_server *server;
	const char *hide;   /* requests whose path contains this are answered with 404 */
	const char *change; /* the first byte of the middle of these is changed */
	const char *fail;   /* these get status 503 */
	const char *stall;  /* the first request of each of these gets half of the file and then silence */
	const char *cut;    /* the first of these half, and the end of the connection */
	unsigned int asked; /* requests that were answered */
	struct strlist bodies; /* of all answers: they are sent after they were made, several at once */
	struct user_config user;
	struct debian_context context;
	struct debian_archive archive;
	struct strlist notices;
	time_t valid_until, date;
	const char *codename, *suite; /* what the Release says of the release itself */
	bool by_hash;
	const char *fields, *components; /* further lines of the Release; its components, of which only main has packages */
};

static struct debian_fixture fixture;

static inline int shell(const char *command)
{
	cleanup_free char *script = mem_printf("cd '%s' && { %s; } >>log 2>&1", tempdir, command);
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct err e = ERR_INIT;

	return process_run(argv, &e);
}

static inline void must_run(const char *command)
{
	if (shell(command) != 0)
		fail_msg("failed: %s (see %s/log)", command, tempdir);
}

static inline void read_text(const char *name, struct buf *out)
{
	struct err e = ERR_INIT;

	if (file_read(tempfd, name, 64 << 20, 0, out, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

static void serve(void *data, const struct fault_request *q, struct fault_reply *a)
{
	struct debian_fixture *f = data;
	cleanup_free char *path = mem_printf("www%.*s", (int)strcspn(q->target, "?"), q->target);
	cleanup_buf struct buf plain = BUF_INIT, body = BUF_INIT;
	struct err e = ERR_INIT;

	for (const char *p = path; *p; p++) {
		if (*p == '%' && p[1] && p[2]) {
			const char hex[] = { p[1], p[2], '\0' };

			buf_addch(&plain, (char)strtol(hex, NULL, 16));
			p += 2;
		} else {
			buf_addch(&plain, *p);
		}
	}
	if (f->fail && strstr(plain.data, f->fail)) {
		a->status = 503;
		return;
	}
	if ((f->hide && strstr(plain.data, f->hide)) || file_read(tempfd, plain.data, 64 << 20, 0, &body, NULL, &e) < 0) {
		a->status = 404;
		return;
	}
	if (f->change && strstr(plain.data, f->change) && body.len)
		body.data[body.len / 2] ^= 1;
	__atomic_add_fetch(&f->asked, 1, __ATOMIC_RELAXED);
	a->ranges = true;
	a->len = body.len;
	if (q->count == 1 && ((f->stall && strstr(plain.data, f->stall)) || (f->cut && strstr(plain.data, f->cut)))) {
		a->fault = f->stall && strstr(plain.data, f->stall) ? FAULT_STALL : FAULT_BREAK;
		a->cut = body.len / 2;
	}
	a->body = buf_steal(&body);
	strlist_add_take(&f->bodies, (char *)(uintptr_t)a->body);
}

static void add_notice(void *data, const char *line)
{
	strlist_add(&((struct debian_fixture *)data)->notices, line);
}

static inline void make_deb(const char *name, const char *version, const char *fields)
{
	cleanup_free char *command = mem_printf(
		"rm -rf deb && mkdir -p deb/DEBIAN deb/usr/share/%s www/pool/main && head -c 3000 /dev/urandom >deb/usr/share/%s/data && "
		"printf 'Package: %s\\nVersion: %s\\nArchitecture: amd64\\nMaintainer: T <t@example.org>\\n%sDescription: test\\n' >deb/DEBIAN/control && "
		"dpkg-deb --root-owner-group -b deb www/pool/main/%s_%s_amd64.deb",
		name, name, name, version, fields, name, version);

	must_run(command);
}

/* ` HASH SIZE NAME` of a file of the suite. */
static void add_hash(struct buf *release, const char *suite, const char *name)
{
	cleanup_free char *path = mem_printf("www/dists/%s/%s", suite, name), *copy = NULL, *at = path_parent(path);
	cleanup_buf struct buf data = BUF_INIT;
	char digest[DIGEST_MAX];

	read_text(path, &data);
	digest_bytes(data.data, data.len, digest);
	buf_addf(release, " %s %zu %s\n", digest_hex(digest), data.len, name);
	copy = mem_printf("mkdir -p %s/by-hash/SHA256 && cp %s %s/by-hash/SHA256/%s", at, path, at, digest_hex(digest));
	must_run(copy);
}

static void add_date(struct buf *b, const char *field, time_t t)
{
	char text[64];
	struct tm tm;

	assert_non_null(gmtime_r(&t, &tm));
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S UTC", &tm);
	buf_addf(b, "%s: %s\n", field, text);
}

/* Write, hash and sign a suite with the packages that `pattern` matches. */
static inline void make_suite(const char *suite, const char *codename, const char *pattern)
{
	cleanup_free char *scan = mem_printf(
		"d=www/dists/%s/main/binary-amd64; rm -rf www/dists/%s; mkdir -p $d && (cd www && for f in %s; do [ ! -e $f ] || "
		"dpkg-scanpackages $f 2>/dev/null; done) | sed 's,^Filename: .*/www/,Filename: ,' >$d/Packages && xz -k $d/Packages && gzip -nk $d/Packages", suite, suite, pattern);
	cleanup_free char *name = mem_printf("www/dists/%s/Release", suite);
	cleanup_free char *sign = mem_printf("gpg --homedir gnupg --batch --yes --clearsign -o www/dists/%s/InRelease %s", suite, name);
	cleanup_buf struct buf release = BUF_INIT;

	must_run(scan);
	buf_addf(&release, "Origin: Debian\nSuite: %s\nCodename: %s\n", fixture.suite, codename);
	add_date(&release, "Date", fixture.date);
	if (fixture.valid_until)
		add_date(&release, "Valid-Until", fixture.valid_until);
	buf_addf(&release, "%s%sArchitectures: all amd64\nNo-Support-for-Architecture-all: Packages\nComponents: %s\nSHA256:\n",
		 fixture.by_hash ? "Acquire-By-Hash: yes\n" : "", fixture.fields ? fixture.fields : "",
		 fixture.components ? fixture.components : "main");
	add_hash(&release, suite, "main/binary-amd64/Packages");
	add_hash(&release, suite, "main/binary-amd64/Packages.xz");
	add_hash(&release, suite, "main/binary-amd64/Packages.gz");
	tempdir_write(name, release.data);
	must_run(sign);
}

static inline bool has_programs(void)
{
	return shell("command -v gpg && command -v gpgv && command -v dpkg-deb && command -v dpkg-scanpackages && command -v xz") == 0;
}

/* Serve "www" below the temporary directory, with a cache, a user's configuration that names it, and the archive of bookworm. */
static inline void start_archive(void)
{
	cleanup_strlist struct strlist components = STRLIST_INIT;
	struct err e = ERR_INIT;

	fixture.server = fault_server_start(serve, &fixture);
	user_config_init(&fixture.user);
	fixture.user.debian.mirror = mem_strdup(fault_server_url(fixture.server));
	fixture.user.debian.security = mem_strdup(fault_server_url(fixture.server));
	fixture.user.debian.keyring = mem_printf("%s/keys.gpg", tempdir);
	fixture.context = (struct debian_context){
		.user = &fixture.user, .http = http_new(&(struct http_settings){ .tries = 2 }), .cache = mem_printf("%s/cache", tempdir),
		.notice = add_notice, .data = &fixture
	};
	strlist_add(&components, "main");
	if (debian_archive_of_release(&fixture.user, "bookworm", &components, &fixture.archive, &e) < 0)
		fail_msg("%s", e.msg);
}

static int fixture_setup(void **state)
{
	tempdir_setup(state);
	fixture = (struct debian_fixture){ .codename = "bookworm", .suite = "oldstable", .by_hash = true, .date = time(NULL) - 86400 };
	if (!has_programs())
		return 0;
	must_run("mkdir -m 700 gnupg && gpg --homedir gnupg --batch --passphrase '' --quick-gen-key test@example.org ed25519 sign never && "
		 "gpg --homedir gnupg --export >keys.gpg && gpg --homedir gnupg --armor --export >keys.asc && "
		 "gpgconf --homedir gnupg --kill gpg-agent");
	make_deb("alpha", "1.0", "Depends: beta\\n");
	make_deb("beta", "1:2.0+b1~x", "");
	make_deb("gamma", "3", "");
	make_suite("bookworm", "bookworm", "pool/main/alpha_1.0* pool/main/beta*");
	make_suite("bookworm-updates", "bookworm-updates", "nothing");
	make_suite("bookworm-security", "bookworm-security", "pool/main/gamma*");
	start_archive();
	return 0;
}

static int fixture_teardown(void **state)
{
	if (fixture.server) {
		fault_server_stop(fixture.server);
		debian_archive_release(&fixture.archive);
		http_free(fixture.context.http);
		free((char *)(uintptr_t)fixture.context.cache);
		user_config_release(&fixture.user);
		strlist_release(&fixture.notices);
		strlist_release(&fixture.bodies);
	}
	shell("gpgconf --homedir gnupg --kill gpg-agent");
	return tempdir_teardown(state);
}

#define fixture_test(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

static inline void need_archive(void)
{
	if (fixture.server)
		return;
	print_message("skipped: gpg, gpgv, dpkg-dev or xz is missing\n");
	skip();
}

#endif
