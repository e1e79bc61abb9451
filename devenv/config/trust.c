/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.c - the record of granted powers:
 *
 *   ; Powers granted with `devenv allow`
 *   [trust]
 *   powers =
 *   	network:host
 *
 * An empty list is a grant too: of a project that asks for nothing.
 */
#include "config/trust.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/ini.h"

static int take(const char *name, const struct ini *ini, struct trust *t, struct err *e)
{
	const struct ini_entry *entry = ini->count > 0 ? &ini->entries[0] : NULL;

	for (size_t i = 0; i < ini->section_count; i++)
		if (strcmp(ini->sections[i].name, "trust")) {
			err_set(e, ERR_CONFIG, "%s:%u: unknown section [%s]", text_safe(name),
			        ini->sections[i].line, text_safe(ini->sections[i].name));
			return err_hint(
				e,
				"a newer devenv may have written it; `devenv deny` forgets what was granted");
		}
	for (size_t i = 0; i < ini->count; i++)
		if (strcmp(ini->entries[i].key, "powers")) {
			err_set(e, ERR_CONFIG, "%s:%u: unknown key '%s' in [trust]", text_safe(name),
			        ini->entries[i].line, text_safe(ini->entries[i].key));
			return err_hint(
				e,
				"a newer devenv may have written it; `devenv deny` forgets what was granted");
		}
	if (!entry) {
		err_set(e, ERR_CONFIG, "%s: there is no list of powers in it", text_safe(name));
		return err_hint(e, "`devenv deny` forgets what was granted");
	}
	strlist_split(&t->powers, entry->value, "\n");
	strlist_sort(&t->powers);
	return 0;
}

int trust_parse(const char *name, const char *text, size_t len, struct trust *out, struct err *e)
{
	struct trust t = { 0 };
	struct ini ini;
	int rc;

	if (ini_read(name, text, len, &ini, e))
		return -1;
	rc = take(name, &ini, &t, e);
	ini_release(&ini);
	if (rc)
		trust_release(&t);
	else
		*out = t;
	return rc;
}

void trust_format(const struct trust *t, struct buf *out)
{
	cleanup_strlist struct strlist sorted = STRLIST_INIT;

	for (size_t i = 0; i < t->powers.count; i++)
		strlist_add(&sorted, t->powers.items[i]);
	strlist_sort(&sorted);
	buf_adds(out, "; Powers granted with `devenv allow`\n[trust]\npowers =\n");
	for (size_t i = 0; i < sorted.count; i++)
		if (i == 0 || strcmp(sorted.items[i], sorted.items[i - 1]))
			buf_addf(out, "\t%s\n", sorted.items[i]);
}

void trust_release(struct trust *t)
{
	strlist_release(&t->powers);
}
