/* SPDX-License-Identifier: Apache-2.0 */
/* packages_output.c - see packages_output.h. The words are those of dpkg with LC_ALL=C.UTF-8. */
#include "env/packages_output.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { LINES = 12, LINE_BYTES = 160, ROOM_FOR_PREFIX = 80 };

#define FAILED "dpkg: error processing "

/* ---- how far it is ---- */

static void show(const struct packages_output *t, const char *what, size_t begun)
{
	if (t->ui->packages && t->count)
		t->ui->packages(t->ui->progress.data, what, begun ? begun - 1 : 0, t->count);
}

/* "Setting up jq (1.6-2.1) ...", "Unpacking libc6:amd64 (2.36-9) ...": scripts can say such words too, so it is one of ours. */
static bool begins(const struct packages_output *t, const char *line, const char *what)
{
	const char *name = line + strlen(what);
	size_t len;

	if (!text_starts(line, what))
		return false;
	len = strcspn(name, ": ");
	if (!text_starts(name + strcspn(name, " "), " ("))
		return false;
	for (size_t i = 0; i < t->count; i++)
		if (strncmp(t->packages[i]->name, name, len) == 0 && t->packages[i]->name[len] == '\0')
			return true;
	return false;
}

/* true: it begins with another package. */
static bool count(struct packages_output *t, const char *line)
{
	if (begins(t, line, "Setting up ")) {
		t->configured += t->configured < t->count;
		show(t, "configuring", t->configured);
		return true;
	}
	if (!begins(t, line, "Unpacking "))
		return false;
	t->unpacked += t->unpacked < t->count;
	if (t->unpacks)
		show(t, "unpacking", t->unpacked);
	return true;
}

void packages_output_start(struct packages_output *t)
{
	show(t, t->unpacks ? "unpacking" : "configuring", 0);
}

void packages_output_end(struct packages_output *t)
{
	if (t->ui->packages && t->count)
		t->ui->packages(t->ui->progress.data, "configuring", t->count, t->count);
}

/* ---- what it says ---- */

static void forget(struct packages_output *t)
{
	strlist_release(&t->last);
	t->next = 0;
}

static void keep(struct packages_output *t, const char *line, size_t len)
{
	struct buf text = BUF_INIT;

	text_escape_bytes(&text, line, len < LINE_BYTES ? len : LINE_BYTES);
	if (len > LINE_BYTES)
		buf_adds(&text, "...");
	if (t->last.count < LINES) {
		strlist_add_take(&t->last, buf_steal(&text));
		return;
	}
	free(t->last.items[t->next]);
	t->last.items[t->next] = buf_steal(&text);
	t->next = (t->next + 1) % LINES;
}

void packages_output_line(void *data, const char *line, size_t len)
{
	struct packages_output *t = data;

	if (t->ui->package_line) {
		cleanup_buf struct buf text = BUF_INIT;

		text_escape_bytes(&text, line, len);
		t->ui->package_line(t->ui->data, text.data ? text.data : "");
	}
	if (count(t, line) && !t->failed)
		forget(t);
	else if (!t->failed && text_starts(line, FAILED))
		t->failed = mem_strdup(line + strlen(FAILED));
	else if (!t->failed)
		keep(t, line, len);
	else if (!t->reason)
		t->reason = mem_strdup(line + strspn(line, " "));
}

/* ---- why it failed ---- */

/* "installed mariadb-server package post-installation script subprocess returned error exit status 1" */
struct script {
	const char *package, *kind, *end;
	size_t package_len, kind_len;
};

static bool parse_script(const char *reason, struct script *s)
{
	static const char package_word[] = " package ", subprocess[] = " subprocess ";
	const char *at;

	s->package = strchr(reason, ' ');
	at = s->package ? strstr(s->package, package_word) : NULL;
	if (!at)
		return false;
	s->package++;
	s->package_len = (size_t)(at - s->package);
	s->kind = at + strlen(package_word);
	at = strstr(s->kind, subprocess);
	if (!at)
		return false;
	s->kind_len = (size_t)(at - s->kind);
	s->end = at + strlen(subprocess);
	return true;
}

/* The newest that fit, in their order. Who was shown all of them has them above. */
static void add_lines(const struct packages_output *t, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	size_t used = strlen(e->msg) + ROOM_FOR_PREFIX, n = t->last.count, first = n;

	while (!t->ui->package_line && first > 0) {
		used += strlen(t->last.items[(t->next + first - 1) % n]) + 3;
		if (used >= sizeof(e->msg))
			break;
		first--;
	}
	for (size_t i = first; i < n && !t->ui->package_line; i++)
		buf_addf(&text, "\n  %s", t->last.items[(t->next + i) % n]);
	if (text.len)
		memcpy(e->msg + strlen(e->msg), text.data, text.len + 1);
}

static void explain_script(const struct script *s, struct err *e)
{
	static const char status[] = "returned error exit status ";
	cleanup_free char *package = mem_strndup(s->package, s->package_len), *kind = mem_strndup(s->kind, s->kind_len);
	const char *name = text_safe(package);

	if (text_starts(s->end, status))
		err_set(e, ERR_FAILED, "the %s of %s failed with status %s", text_safe(kind), name, text_safe(s->end + strlen(status)));
	else
		err_set(e, ERR_FAILED, "the %s of %s %s", text_safe(kind), name, text_safe(s->end));
}

int packages_output_explain(const struct packages_output *t, struct err *e)
{
	struct script s;

	if (t->reason && parse_script(t->reason, &s))
		explain_script(&s, e);
	else if (t->failed)
		err_set(e, ERR_FAILED, "dpkg failed on %s %s", text_safe(t->failed), t->reason ? text_safe(t->reason) : "");
	add_lines(t, e);
	if (!t->ui->package_line)
		err_hint(e, "`devenv -v pull` shows all that dpkg and the scripts say");
	return -1;
}

void packages_output_release(struct packages_output *t)
{
	forget(t);
	free(mem_steal(t->failed));
	free(mem_steal(t->reason));
}
