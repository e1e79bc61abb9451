/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gitrepo_auth.c - credentials for git servers, from where git itself takes them.
 *
 * https: `git credential`, which asks the helpers the user has set up. The directory we are in may be a repository nobody
 * allowed, whose configuration could name a program as helper; so git runs in / and is told of no repository by the
 * environment. ssh: the agent, then the keys of ~/.ssh that need no passphrase; libgit2 asks again after each that
 * was refused.
 */
#include <git2.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/process.h"
#include "base/text.h"
#include "fetch/gitrepo_internal.h"

#define ANSWER_MAX 65536

static const char *const keys[] = { "id_ed25519", "id_ecdsa", "id_rsa" };

/* git credential VERB with this input, in no repository. */
static int run_git(const struct gitrepo *g, const char *verb, const char *input, struct buf *answer,
                   struct err *e)
{
	static const char *const unset[] = { "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE",
		                             "GIT_CONFIG" };
	cleanup_strlist struct strlist argv = STRLIST_INIT;

	/* That it has nobody to ask is for us to say, in words that fit. */
	if (!g->interactive) {
		strlist_split(&argv, "sh -c", " ");
		strlist_add(&argv, "exec \"$@\" 2>/dev/null");
		strlist_add(&argv, "sh");
	}
	strlist_add(&argv, "env");
	for (size_t i = 0; i < ARRAY_SIZE(unset); i++) {
		strlist_add(&argv, "-u");
		strlist_add(&argv, unset[i]);
	}
	if (!g->interactive) {
		strlist_add(&argv, "GIT_TERMINAL_PROMPT=0");
		strlist_add(&argv, "GIT_ASKPASS=");
		strlist_add(&argv, "SSH_ASKPASS=");
	}
	strlist_split(&argv, "git -C / credential", " ");
	strlist_add(&argv, verb);
	return process_capture((const char *const *)argv.items, input, ANSWER_MAX, answer, e);
}

/* "protocol=https\nhost=...\n" and so on, as git-credential(1) says. */
static void describe(const char *url, const char *username, const char *password, struct buf *out)
{
	const char *scheme_end = strstr(url, "://"), *host = scheme_end + 3, *at;
	size_t n = strcspn(host, "/");

	at = memrchr(host, '@', n);
	if (at) {
		n -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	buf_addf(out, "protocol=%.*s\nhost=%.*s\n", (int)(scheme_end - url), url, (int)n, host);
	if (host[n] == '/')
		buf_addf(out, "path=%s\n", host + n + 1);
	if (username)
		buf_addf(out, "username=%s\n", username);
	if (password)
		buf_addf(out, "password=%s\n", password);
}

static char *answer_value(const struct strlist *lines, const char *name)
{
	for (size_t i = 0; i < lines->count; i++)
		if (text_starts(lines->items[i], name) && lines->items[i][strlen(name)] == '=')
			return mem_strdup(lines->items[i] + strlen(name) + 1);
	return NULL;
}

static void wipe(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

static void wipe_buf(struct buf *b)
{
	if (b->cap)
		explicit_bzero(b->data, b->len);
	buf_release(b);
}

static void tell_helpers(struct gitrepo_session *s, const char *verb)
{
	struct buf input = BUF_INIT, answer = BUF_INIT;
	struct err ignored = ERR_INIT;

	describe(s->server, s->username, s->password, &input);
	run_git(s->g, verb, input.data, &answer, &ignored);
	wipe_buf(&input);
	buf_release(&answer);
}

void gitrepo_approve(struct gitrepo_session *s)
{
	if (s->password)
		tell_helpers(s, "approve");
}

void gitrepo_session_release(struct gitrepo_session *s)
{
	wipe(&s->username);
	wipe(&s->password);
	wipe(&s->server);
}

static int refuse(struct gitrepo_session *s, const char *what, const char *hint)
{
	err_set_(&s->why, ERR_AUTH, "%s", what);
	err_hint_(&s->why, "%s", hint);
	return GIT_EAUTH;
}

static int ask_helpers(struct gitrepo_session *s, const char *username)
{
	struct buf input = BUF_INIT, answer = BUF_INIT;
	struct strlist lines = STRLIST_INIT;
	struct err ignored = ERR_INIT;
	int status;

	describe(s->server, username, NULL, &input);
	status = run_git(s->g, "fill", input.data, &answer, &ignored);
	strlist_split(&lines, answer.data, "\r\n");
	if (status == 0) {
		s->username = answer_value(&lines, "username");
		s->password = answer_value(&lines, "password");
	}
	for (size_t i = 0; i < lines.count; i++)
		explicit_bzero(lines.items[i], strlen(lines.items[i]));
	strlist_release(&lines);
	wipe_buf(&answer);
	buf_release(&input);
	return s->username && s->password ? 0 : -1;
}

static int password(struct gitrepo_session *s, git_credential **out, const char *username)
{
	static const char hint[] =
		"let git remember it: `git credential approve`, or a credential helper in ~/.gitconfig";

	/* Asked again within one connection: it was wrong. A later connection takes what the earlier one took. */
	if (s->password && s->asked > 1) {
		tell_helpers(s, "reject");
		return refuse(s, "the server refused the password that git's credential helpers gave", hint);
	}
	if (!s->password && ask_helpers(s, username) < 0)
		return refuse(s, "the server wants a password and git's credential helpers have none", hint);
	return git_credential_userpass_plaintext_new(out, s->username, s->password);
}

/* The agent first, then one key after the other: each call offers the next. */
static int ssh_key(struct gitrepo_session *s, git_credential **out, const char *username)
{
	const char *home = getenv("HOME");
	unsigned int place = 1;

	if (s->asked == 1 && getenv("SSH_AUTH_SOCK"))
		return git_credential_ssh_key_from_agent(out, username);
	if (s->asked == 1)
		s->asked++;
	for (size_t i = 0; home && i < ARRAY_SIZE(keys); i++) {
		cleanup_free char *private_key = mem_printf("%s/.ssh/%s", home, keys[i]);
		cleanup_free char *public_key = mem_printf("%s.pub", private_key);

		if (access(private_key, R_OK) < 0 || ++place != s->asked)
			continue;
		return git_credential_ssh_key_new(out, username,
		                                  access(public_key, R_OK) < 0 ? NULL : public_key,
		                                  private_key, NULL);
	}
	return refuse(s, "the server took no key of the ssh agent and of ~/.ssh",
	              "`ssh-add` a key the server knows; keys with a passphrase work through the agent only");
}

int gitrepo_credentials(git_credential **out, const char *url, const char *username, unsigned int allowed,
                        void *session)
{
	struct gitrepo_session *s = session;

	/* Redirects are not followed, so this is a server the user named. */
	free(s->server);
	s->server = mem_strdup(url);
	if (allowed & GIT_CREDENTIAL_USERNAME)
		return git_credential_username_new(out, username ? username : "git");
	s->asked++;
	if (allowed & GIT_CREDENTIAL_SSH_KEY)
		return ssh_key(s, out, username ? username : "git");
	if (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT)
		return password(s, out, username);
	return refuse(s, "the server wants credentials of a kind that is not supported",
	              "use https with a password, or ssh");
}
