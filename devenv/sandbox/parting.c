/* SPDX-License-Identifier: Apache-2.0 */
/* parting.c - what a session says when it is over. */
#include "sandbox/parting.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "sandbox/changed.h"
#include "sandbox/discard.h"

/* After an interactive session that was the last one: what is gone with it. */
static void say_discarded(const struct plan *p, const struct session *s, const struct holder *h, int scratch_fd,
			  int project_fd)
{
	cleanup_buf struct buf line = BUF_INIT;

	if (!s->say || p->scratch == PLAN_SCRATCH_PERSIST || p->linger || !holder_is_last(h))
		return;
	if (project_fd >= 0)
		discard_describe_project(scratch_fd, project_fd, &line);
	else
		discard_describe_root(scratch_fd, &line);
	if (line.len)
		s->say(line.data);
}

/* After an interactive session: the next one will be in another environment. */
static void say_changed(const struct plan *p, const struct session *s)
{
	cleanup_free char *name = s->interactive && s->say && !s->untrusted ? changed_find(p) : NULL;
	cleanup_free char *line = NULL;

	if (!name)
		return;
	line = mem_printf("%s changed while this session ran, which kept its environment; the next one takes it in", text_safe(name));
	s->say(line);
}

void parting_words(const struct plan *p, const struct session *s, const struct holder *h, int scratch_fd, int project_fd)
{
	if (scratch_fd >= 0)
		say_discarded(p, s, h, scratch_fd, project_fd);
	say_changed(p, s);
}

void parting_report(const struct plan *p, const struct session *s, const struct holder *h, struct guard *g)
{
	cleanup_buf struct buf lines = BUF_INIT;
	char *line, *rest = NULL;

	guard_end(g, p, holder_is_last(h), &lines);
	if (s->say && s->warn && lines.len)
		for (line = strtok_r(lines.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
			s->warn(line);
}
