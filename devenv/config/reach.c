/* SPDX-License-Identifier: Apache-2.0 */
/* reach.c - [sandbox]: how much of the machine an environment may use, and what of it reaches in. */
#include "config/reach.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/value.h"

int reach_set_memory(struct config *c, const struct ini_entry *entry, struct err *e)
{
	uint64_t bytes;

	if (value_check_line(c->file, entry, e))
		return -1;
	if (text_size(entry->value, &bytes) < 0) {
		value_bad(c->file, entry, e, "'%s' is not a size", text_safe(entry->value));
		return err_hint(e, "a number with K, M, G or T behind it: 512M, 4G");
	}
	if (bytes < REACH_MEMORY_MIN) {
		value_bad(c->file, entry, e, "%s is less than 16M, too little for a shell", text_safe(entry->value));
		if (!isdigit((unsigned char)entry->value[strlen(entry->value) - 1]))
			return -1;
		return err_hint(e, "a number without a unit is in bytes: did you mean '%sM'?", text_safe(entry->value));
	}
	c->memory = bytes;
	return 0;
}

/* "2", "1.5", "0.25": thousandths. */
static int parse_thousandths(const char *text, uint64_t *out)
{
	cleanup_free char *whole = mem_strndup(text, strcspn(text, "."));
	const char *dot = strchr(text, '.');
	uint64_t n, fraction = 0;

	if (text_number(whole, REACH_CPUS_MAX, &n) < 0)
		return -1;
	if (dot) {
		char digits[4] = "000";
		size_t count = strlen(dot + 1);

		if (!count || count > 3)
			return -1;
		memcpy(digits, dot + 1, count);
		if (text_number(digits, 999, &fraction) < 0)
			return -1;
	}
	*out = n * 1000 + fraction;
	return 0;
}

int reach_set_cpus(struct config *c, const struct ini_entry *entry, struct err *e)
{
	uint64_t n;

	if (value_check_line(c->file, entry, e))
		return -1;
	if (parse_thousandths(entry->value, &n) < 0) {
		value_bad(c->file, entry, e, "'%s' is not a number of processors", text_safe(entry->value));
		return err_hint(e, "such as 2, 1.5 or 0.25");
	}
	if (n < REACH_CPUS_MIN || n > REACH_CPUS_MAX)
		return value_bad(c->file, entry, e, "%s is out of range: it can be from 0.01 to %d processors",
		                 text_safe(entry->value), REACH_CPUS_MAX / 1000);
	c->cpus = (uint32_t)n;
	return 0;
}

int reach_set_pids(struct config *c, const struct ini_entry *entry, struct err *e)
{
	uint64_t n;

	if (value_check_line(c->file, entry, e))
		return -1;
	if (text_number(entry->value, UINT32_MAX, &n) < 0)
		return value_bad(c->file, entry, e, "'%s' is not a number of processes", text_safe(entry->value));
	if (n < REACH_PIDS_MIN || n > REACH_PIDS_MAX)
		return value_bad(c->file, entry, e, "%s is out of range: it can be from %d to %u processes",
		                 text_safe(entry->value), REACH_PIDS_MIN, REACH_PIDS_MAX);
	c->pids = (uint32_t)n;
	return 0;
}

int reach_set_devices(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const names[CONFIG_DEVICES + 1] = { "kvm", "gpu", "fuse", NULL };
	cleanup_strlist struct strlist items = STRLIST_INIT;

	if (value_list(c->file, entry, &items, e))
		return -1;
	for (size_t i = 0; i < items.count; i++) {
		const char *nearest = text_nearest(items.items[i], names);
		size_t k = 0;

		while (k < CONFIG_DEVICES && strcmp(items.items[i], names[k]))
			k++;
		if (k == CONFIG_DEVICES && nearest)
			return value_bad(c->file, entry, e, "unknown device '%s'; did you mean '%s'?",
			                 text_safe(items.items[i]), nearest);
		if (k == CONFIG_DEVICES)
			return value_bad(c->file, entry, e, "unknown device '%s': they are kvm, gpu and fuse",
			                 text_safe(items.items[i]));
		c->devices[k] = true;
	}
	return 0;
}

int reach_set_power(struct config *c, const struct ini_entry *entry, struct err *e)
{
	bool *power = !strcmp(entry->key, "nested") ? &c->nested : !strcmp(entry->key, "perf") ? &c->perf : &c->ssh_agent;

	return value_bool(c->file, entry, power, e);
}
