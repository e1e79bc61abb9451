/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_signature.c - see debian_signature.h.
 *
 * gpgv gets everything by descriptor and gives everything in unnamed files, so that nothing has to be made and removed, and
 * nothing can block: the signed text (or the detached signature) on 0, what it verified on 1, its status lines on 3, the keys on
 * 4, what a detached signature signs on 5. Its prose is thrown away: it is in the user's language, and has names that the keys'
 * owners chose. Of a detached signature it writes nothing: what was verified are the bytes that it was given.
 *
 * Its exit status alone decides nothing, since it is 2 as soon as one of several signatures has an unknown key. The status
 * lines do, as they do for apt: GOODSIG is said of no key or signature that has expired or is revoked.
 */
#include "source/debian_signature.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/debian_control.h"

extern char **environ;

enum { IN, OUT, ERR_OUT, STATUS, KEYS, DATA, FILES };

/* ---- keys ---- */

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Whole groups of four; `=` ends it. */
static bool decode_line(struct debian_text line, struct buf *out)
{
	unsigned int bits = 0, have = 0;

	for (size_t i = 0; i < line.len && line.at[i] != '='; i++) {
		int digit = base64_digit(line.at[i]);

		if (digit < 0)
			return false;
		bits = bits << 6 | (unsigned int)digit;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_addch(out, (char)(bits >> have & 0xff));
		}
	}
	return true;
}

/* One block of armour (RFC 4880, 6.2), from the line behind its BEGIN to its END. The checksum is no protection, so it is not
 * looked at. */
static bool decode_block(struct debian_text *rest, struct buf *out)
{
	static const char end[] = "-----END PGP PUBLIC KEY BLOCK-----";
	struct debian_text line;
	bool headers = true;

	while (debian_control_line(rest, &line)) {
		if (debian_text_is(line, end))
			return true;
		if (headers) {
			if (line.len && memchr(line.at, ':', line.len))
				continue;
			headers = false;
		}
		if (line.len == 0 || *line.at == '=')
			continue;
		if (!decode_line(line, out))
			return false;
	}
	return false;
}

int debian_signature_keys(const char *path, const struct buf *file, struct buf *out, struct err *e)
{
	static const char begin[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
	struct debian_text rest = { file->data, file->len }, line;
	size_t before = out->len;

	if (file->len && (file->data[0] & 0x80)) { /* every OpenPGP packet begins so */
		buf_add(out, file->data, file->len);
		return 0;
	}
	while (debian_control_line(&rest, &line))
		if (debian_text_is(line, begin) && !decode_block(&rest, out))
			return err_set(e, ERR_CONFIG, "the keys of %s can't be read: the armour is damaged", text_safe(path));
	if (out->len == before)
		return err_set(e, ERR_CONFIG, "%s has no OpenPGP keys in it", text_safe(path));
	return 0;
}

static int add_keyring(const char *path, struct buf *keys, struct err *e)
{
	cleanup_buf struct buf file = BUF_INIT;

	if (file_read(AT_FDCWD, path, DEBIAN_SIGNED_MAX, 0, &file, NULL, e) < 0) {
		err_wrap(e, "the keyring of the Debian archive");
		if (e->code != ERR_NOT_FOUND)
			return -1;
		return err_hint(e, "install the package debian-archive-keyring, or name a file of keys as keyring in [debian] of %s",
				dirs_shown_config());
	}
	return debian_signature_keys(path, &file, keys, e);
}

static int read_keyrings(const char *keyrings, struct buf *keys, struct err *e)
{
	cleanup_strlist struct strlist paths = STRLIST_INIT;

	strlist_split(&paths, keyrings, "\n");
	for (size_t i = 0; i < paths.count; i++)
		if (add_keyring(paths.items[i], keys, e) < 0)
			return -1;
	if (keys->len == 0)
		return err_set(e, ERR_NOT_FOUND, "there are no keys to check the archive's signature with");
	return 0;
}

/* ---- gpgv ---- */

#define BEGIN_SIGNATURE "-----BEGIN PGP SIGNATURE-----"
#define END_SIGNATURE "-----END PGP SIGNATURE-----"

/* Detached signatures and what they sign: false when the text does not begin with one. */
static bool split_detached(const struct buf *text, struct debian_text *signature, struct debian_text *data)
{
	struct debian_text rest = { text->data, text->len }, line, behind = rest;
	bool inside = false, any = false;

	while (debian_control_line(&rest, &line)) {
		if (!inside && !debian_text_is(line, BEGIN_SIGNATURE))
			break;
		inside = !debian_text_is(line, END_SIGNATURE);
		any = any || !inside;
		behind = rest;
	}
	*signature = (struct debian_text){ text->data, text->len - behind.len };
	*data = behind;
	return any && !inside;
}

/* The text must be one signed message and nothing around it: then there is no part that could be taken for signed. */
static int check_form(const struct buf *text, const char *what, struct err *e)
{
	struct debian_text rest = { text->data, text->len }, line = { "", 0 };
	size_t begins = 0, signatures = 0, ends = 0, number = 0, first = 0;

	while (debian_control_line(&rest, &line)) {
		number++;
		if (debian_text_is(line, "-----BEGIN PGP SIGNED MESSAGE-----") && begins++ == 0)
			first = number;
		else if (debian_text_is(line, BEGIN_SIGNATURE))
			signatures++;
		else if (debian_text_is(line, END_SIGNATURE))
			ends++;
		else if (ends && line.len)
			ends = 2; /* something comes after it */
	}
	if (begins == 1 && first == 1 && signatures == 1 && ends == 1)
		return 0;
	err_set(e, ERR_INTEGRITY, "%s is not a signed message", what);
	return err_hint(e, "is it a mirror? A proxy or a portal that asks for a login answers in its place too");
}

static int open_files(int files[FILES], struct err *e)
{
	for (int i = 0; i < FILES; i++) {
		int fd = memfd_create("gpgv", MFD_CLOEXEC);

		/* Out of the way of the numbers that the child has them under. */
		files[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 2 * FILES);
		if (fd >= 0)
			close(fd);
		if (files[i] < 0)
			return err_sys(e, "can't make a file for gpgv");
	}
	return 0;
}

static int spawn(const int files[FILES], bool detached, pid_t *pid, struct err *e)
{
	const char *const argv[] = { "gpgv", "--quiet", "--weak-digest", "SHA1", "--weak-digest", "RIPEMD160", "--keyring", "/proc/self/fd/4",
				     "--status-fd", "3", "--output", "-", "-", detached ? "/proc/self/fd/5" : NULL, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int failure;

	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < FILES; i++)
		posix_spawn_file_actions_adddup2(&actions, files[i], i);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	failure = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (!failure)
		return 0;
	errno = failure;
	err_sys(e, "can't start gpgv, which checks the signature of the Debian archive");
	if (failure != ENOENT && failure != EACCES)
		return -1;
	e->code = ERR_NOT_FOUND;
	return err_hint(e, "install the package gpgv (Debian, Ubuntu), gnupg2 (Fedora) or gnupg (Arch, Alpine)");
}

static int run(const int files[FILES], bool detached, struct err *e)
{
	int status;
	pid_t pid;

	if (spawn(files, detached, &pid, e) < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "can't wait for gpgv");
	if (WIFSIGNALED(status))
		return err_set(e, WTERMSIG(status) == SIGINT ? ERR_INTERRUPTED : ERR_FAILED, "gpgv was ended by signal %d",
			       WTERMSIG(status));
	return 0;
}

/* ---- its verdict ---- */

struct verdict {
	const struct strlist *fingerprints;
	size_t good, others, bad, weak, expired; /* others: good, by keys that are not wanted */
	bool valid;	    /* the signature that is being described */
	struct buf missing; /* key ids */
};

/* `line`: what is behind VALIDSIG: the key's fingerprint, nine more words, that of the primary key. */
static bool is_wanted(const struct strlist *fingerprints, struct debian_text line)
{
	struct debian_text word, key = { "", 0 }, primary = { "", 0 };

	if (!fingerprints || fingerprints->count == 0)
		return true;
	debian_control_word(&line, &key);
	while (debian_control_word(&line, &word))
		primary = word;
	for (size_t i = 0; i < fingerprints->count; i++) {
		const char *f = fingerprints->items[i];
		size_t len = strcspn(f, "!");

		if (len >= 40 && ((key.len == len && strncasecmp(key.at, f, len) == 0) ||
				  (f[len] != '!' && primary.len == len && strncasecmp(primary.at, f, len) == 0)))
			return true;
	}
	return false;
}

static void judge(struct verdict *v, struct debian_text line)
{
	struct debian_text word, argument = { "", 0 };

	if (!debian_control_word(&line, &word) || !debian_text_is(word, "[GNUPG:]") || !debian_control_word(&line, &word))
		return;
	if (debian_text_is(word, "NEWSIG") || debian_text_is(word, "GOODSIG")) {
		v->valid = debian_text_is(word, "GOODSIG");
		return;
	}
	if (debian_text_is(word, "VALIDSIG")) { /* said of expired keys too */
		*(is_wanted(v->fingerprints, line) ? &v->good : &v->others) += v->valid;
		v->valid = false;
		return;
	}
	debian_control_word(&line, &argument);
	if (debian_text_is(word, "BADSIG"))
		v->bad++;
	else if (debian_text_is(word, "EXPKEYSIG") || debian_text_is(word, "EXPSIG") || debian_text_is(word, "REVKEYSIG"))
		v->expired++;
	else if (debian_text_is(word, "NO_PUBKEY"))
		buf_addf(&v->missing, "%s%.*s", v->missing.len ? " " : "", (int)(argument.len > 40 ? 40 : argument.len), argument.at);
	else if (debian_text_is(word, "ERRSIG"))
		v->weak++;
}

static int pronounce(const struct verdict *v, const char *keyrings, const char *what, struct err *e)
{
	cleanup_free char *names = mem_strdup(keyrings);

	if (v->good > 0 && v->bad == 0)
		return 0;
	for (char *p = names; *p; p++)
		if (*p == '\n')
			*p = ' ';
	if (v->bad > 0) {
		err_set(e, ERR_INTEGRITY, "%s has a bad signature: its text was changed after it was signed", what);
		return err_hint(e, "don't use it. Try again later, or another mirror ([debian] mirror in %s); if it stays so, "
				   "somebody on the way changes it", dirs_shown_config());
	}
	if (v->expired > 0) {
		err_set(e, ERR_INTEGRITY, "%s is signed by a key that has expired or was revoked", what);
		return err_hint(e, "bring the keyring up to date (package debian-archive-keyring), or name another as keyring in [debian] of %s",
				dirs_shown_config());
	}
	if (v->others > 0) {
		err_set(e, ERR_INTEGRITY, "%s is signed, but by another key than its source names (%s)", what,
			text_safe(v->fingerprints->items[0]));
		return err_hint(e, "the source's signed-by says which keys may sign it");
	}
	err_set(e, ERR_INTEGRITY, "%s is not signed by a key of %s%s%s%s", what, text_safe(names), v->missing.len ? " (but by " : "",
		text_safe(v->missing.data), v->missing.len ? ")" : "");
	return err_hint(e, "a newer release needs a newer package debian-archive-keyring; for a mirror with keys of its own say keyring = "
			   "FILE in [debian] of %s", dirs_shown_config());
}

static int read_back(int fd, struct buf *out, struct err *e)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "can't read what gpgv wrote");
	return file_read_fd(fd, DEBIAN_SIGNED_MAX, out, e);
}

static int give(int fd, struct debian_text t, struct err *e)
{
	if (file_write_all(fd, t.at, t.len, e) < 0)
		return -1;
	return lseek(fd, 0, SEEK_SET) < 0 ? err_sys(e, "can't prepare the input of gpgv") : 0;
}

static int pass(const struct buf *status, const char *keyrings, const struct strlist *fingerprints, const char *what, struct err *e)
{
	struct debian_text rest = { status->data, status->len }, line;
	struct verdict v = { .fingerprints = fingerprints, .missing = BUF_INIT };
	int result;

	while (debian_control_line(&rest, &line))
		judge(&v, line);
	result = pronounce(&v, keyrings, what, e);
	buf_release(&v.missing);
	return result;
}

static int verify(int files[FILES], const struct buf *text, const char *keyrings, const struct strlist *fingerprints,
		  const char *what, struct buf *out, struct err *e)
{
	cleanup_buf struct buf keys = BUF_INIT, status = BUF_INIT;
	struct debian_text in = { text->data, text->len }, data = { "", 0 };
	bool detached = split_detached(text, &in, &data);

	if (!detached)
		in = (struct debian_text){ text->data, text->len };
	if ((!detached && check_form(text, what, e) < 0) || read_keyrings(keyrings, &keys, e) < 0 || open_files(files, e) < 0)
		return -1;
	if (give(files[IN], in, e) < 0 || give(files[DATA], data, e) < 0 ||
	    give(files[KEYS], (struct debian_text){ keys.data, keys.len }, e) < 0)
		return -1;
	if (run(files, detached, e) < 0 || read_back(files[STATUS], &status, e) < 0 ||
	    pass(&status, keyrings, fingerprints, what, e) < 0)
		return -1;
	if (!detached)
		return read_back(files[OUT], out, e);
	buf_add(out, data.at, data.len);
	return 0;
}

int debian_signature_verify(const struct buf *text, const char *keyrings, const struct strlist *fingerprints, const char *what,
			    struct buf *out, struct err *e)
{
	int files[FILES] = { -1, -1, -1, -1, -1, -1 };
	int result = verify(files, text, keyrings, fingerprints, what, out, e);

	for (int i = 0; i < FILES; i++)
		if (files[i] >= 0)
			close(files[i]);
	return result;
}
