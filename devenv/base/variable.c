/* SPDX-License-Identifier: Apache-2.0 */
/* variable.c - names of environment variables. */
#include "base/variable.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

bool variable_is_name(const char *name)
{
	if (!((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z') || name[0] == '_'))
		return false;
	for (const char *s = name + 1; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_'))
			return false;
	return true;
}

/* The sandbox was made for these values: the home that is mounted, the account, what tools ask to know where they are. */
static bool is_promised(const char *name)
{
	static const char *const names[] = { "HOME", "USER", "LOGNAME", "container", "DEVENV" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return text_starts(name, "DEVENV_");
}

int variable_check(const char *name, struct err *e)
{
	if (!variable_is_name(name))
		return err_set(e, ERR_CONFIG, "'%s' can't be the name of a variable", text_safe(name));
	if (is_promised(name))
		return err_set(e, ERR_CONFIG, "%s is set by devenv and can't be changed", name);
	return 0;
}
