/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c - from what is asked for to versions, paths and hashes.
 *
 * What is locked stays unless it may move: pins for the solver. Archives forget versions within weeks, so a locked version
 * that no index has any more is given back to the solver as a stanza of our own: with the control data of the package when
 * the store has it, else with that of the version that took its place.
 */
#include "env/resolve.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "env/resolve_kept.h"
#include "source/debian_pool.h"
#include "source/debian_solve.h"
#include "source/debian_version.h"

#define NOWHERE (DEBIAN_INSTALLED - 1) /* the source of what the archive has forgotten */

/* ---- lists of entries ---- */

void resolved_release(struct resolved *r)
{
	for (size_t i = 0; i < r->count; i++)
		lock_package_release(&r->items[i]);
	free(r->items);
	*r = (struct resolved){ 0 };
}

static struct lock_package *find(const struct resolved *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->items[i].name, name) == 0)
			return &r->items[i];
	return NULL;
}

struct lock_package *resolved_find(const struct resolved *r, const char *name)
{
	return r ? find(r, name) : NULL;
}

void resolved_put(struct resolved *r, struct lock_package *entry)
{
	struct lock_package *there = find(r, entry->name);

	if (there) {
		lock_package_release(there);
	} else {
		r->items = mem_grow(r->items, r->count, &r->cap, sizeof(*r->items));
		there = &r->items[r->count++];
	}
	*there = *entry;
	*entry = (struct lock_package){ 0 };
}

static char *dup_or_null(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

static struct lock_package copy_of(const struct lock_package *p)
{
	return (struct lock_package){ .arch = mem_strdup(p->arch),
				      .name = mem_strdup(p->name),
				      .in_base = p->in_base,
				      .version = mem_strdup(p->version),
				      .path = mem_strdup(p->path),
				      .suite = mem_strdup(p->suite),
				      .sha256 = mem_strdup(p->sha256),
				      .request = dup_or_null(p->request),
				      .size = p->size };
}

void resolved_add_locked(struct resolved *r, const struct lock *l, const char *arch, bool base_only)
{
	for (size_t i = 0; i < l->package_count; i++) {
		struct lock_package copy;

		if (strcmp(l->packages[i].arch, arch) != 0 || (base_only && !l->packages[i].in_base))
			continue;
		copy = copy_of(&l->packages[i]);
		if (base_only)
			free(mem_steal(copy.request));
		resolved_put(r, &copy);
	}
}

/* ---- what the archive has forgotten ---- */

/* *nearest: the next later version, else the latest; SIZE_MAX: there is none. */
static bool has_version(const struct debian_universe *u, const char *name, const char *version, size_t *nearest)
{
	size_t first, n = debian_universe_find(u, DEBIAN_TEXT(name), &first);

	*nearest = n ? first : SIZE_MAX;
	for (size_t i = first; i < first + n; i++) {
		int order = debian_version_compare(u->packages[i].version, DEBIAN_TEXT(version));

		if (order == 0)
			return true;
		if (order > 0)
			*nearest = i;
	}
	return false;
}

/* Relations to packages of the same source name its version. */
static void add_replaced(struct buf *b, struct debian_text t, struct debian_text from, const char *to)
{
	while (t.len) {
		const char *at = from.len ? memmem(t.at, t.len, from.at, from.len) : NULL;
		size_t n = at ? (size_t)(at - t.at) : t.len;

		buf_add(b, t.at, n);
		if (!at)
			return;
		buf_adds(b, to);
		t.at += n + from.len;
		t.len -= n + from.len;
	}
}

/* The stanza of another version, made into that of the locked one. */
static void add_stanza_like(struct buf *b, const struct debian_package *like, const struct lock_package *p)
{
	struct debian_text rest = like->stanza, name, value;

	while (debian_control_each(&rest, &name, &value)) {
		if (debian_text_is(name, "Description") || debian_text_is(name, "Filename"))
			continue;
		buf_addf(b, "%.*s: ", (int)name.len, name.at);
		add_replaced(b, value, like->version, p->version);
		buf_addch(b, '\n');
	}
	buf_addch(b, '\n');
}

bool resolve_may_move(const struct resolve *r, const char *name)
{
	return r->all_moving || (r->moving && strlist_has(r->moving, name));
}

/* Stanzas for everything locked that u lacks. Of what may move only that counts which the archive has. */
static void add_forgotten(const struct resolve *r, const struct resolved *locked, const struct debian_universe *u, struct buf *b)
{
	struct err ignored = ERR_INIT;

	for (size_t i = 0; locked && i < locked->count; i++) {
		const struct lock_package *p = &locked->items[i];
		size_t nearest;

		if (has_version(u, p->name, p->version, &nearest) || (locked == r->locked && resolve_may_move(r, p->name)))
			continue;
		/* The control data of the package itself, where the store has it. */
		if (r->store && debian_pool_stanza(r->store, p, b, &ignored) == 0)
			continue;
		if (nearest != SIZE_MAX)
			add_stanza_like(b, &u->packages[nearest], p);
		else
			buf_addf(b, "Package: %s\nVersion: %s\nArchitecture: %s\n\n", p->name, p->version, p->arch);
	}
}

static void add_indexes(const struct resolve *r, struct debian_universe *u)
{
	debian_universe_init(u, r->arch);
	u->policy = (struct debian_policy){ &r->archive->preferences, r->indexes->origins, r->indexes->origins ? r->indexes->count : 0 };
	for (size_t i = 0; i < r->indexes->count; i++)
		debian_universe_add(u, r->indexes->texts[i], (unsigned int)i);
}

/* The universe of the archive, the lock and, if any, what is installed. `forgotten` keeps what it points into. */
static void make_universe(const struct resolve *r, struct debian_text installed, struct debian_universe *u,
			  struct buf *forgotten)
{
	add_indexes(r, u);
	if ((r->locked && r->locked->count) || r->below) {
		debian_universe_sort(u);
		add_forgotten(r, r->locked, u, forgotten);
		add_forgotten(r, r->below, u, forgotten);
		if (forgotten->len) {
			debian_universe_release(u);
			add_indexes(r, u);
			debian_universe_add(u, (struct debian_text){ forgotten->data, forgotten->len }, NOWHERE);
		}
	}
	if (installed.len)
		debian_universe_add_installed(u, installed);
	debian_universe_sort(u);
}

/* ---- solutions ---- */

/* malloc'ed; strings belong to the lists. Later ones win: what was locked over the packages below, but not over the base; and what
 * the base is forced to have over all. */
static struct debian_pin *make_pins(const struct resolve *r, const struct resolved *base, size_t *count)
{
	const struct resolved *under = base ? base : r->below;
	size_t locked = r->locked ? r->locked->count : 0, own = under ? under->count : 0, forced = r->forced ? r->forced->count : 0;
	struct debian_pin *pins = mem_array(locked + own + forced + 1, sizeof(*pins));

	*count = 0;
	for (size_t i = 0; i < own; i++)
		pins[(*count)++] = (struct debian_pin){ under->items[i].name, under->items[i].version };
	for (size_t i = 0; i < locked; i++) {
		const struct lock_package *p = &r->locked->items[i];

		if (!resolve_may_move(r, p->name) && !resolved_find(base, p->name))
			pins[(*count)++] = (struct debian_pin){ p->name, p->version };
	}
	for (size_t i = 0; !base && i < forced; i++)
		pins[(*count)++] = (struct debian_pin){ r->forced->items[i].name, r->forced->items[i].version };
	return pins;
}

/* The suite that a package is from. */
static const char *suite_of(const struct resolve *r, const struct debian_package *p)
{
	return p->source < r->indexes->count ? r->archive->suites[r->indexes->sources[p->source]].suite : "";
}

static char *field(const struct debian_package *p, const char *name)
{
	struct debian_text value;

	return debian_control_field(p->stanza, name, &value) ? debian_text_dup(value) : mem_strdup("");
}

static int make_entry(const struct resolve *r, const struct debian_package *p, bool in_base, struct lock_package *out,
		      struct err *e)
{
	cleanup_free char *name = debian_text_dup(p->name), *version = debian_text_dup(p->version);
	cleanup_free char *path = field(p, "Filename"), *sha256 = field(p, "SHA256"), *size = field(p, "Size");
	const struct lock_package *locked = resolved_find(r->locked, name);
	const char *relative = path[0] == '.' && path[1] == '/' ? path + 2 : path;
	uint64_t bytes = 0;

	/* What may move is what the index says of it: it may be another file, and the lock damaged. */
	if (locked && strcmp(locked->version, version) == 0 && (!resolve_may_move(r, name) || p->source == NOWHERE)) {
		*out = copy_of(locked);
		free(mem_steal(out->request));
		out->in_base = in_base;
		return 0;
	}
	if (!*path || !text_is_hex(sha256, 64) || text_number(size, UINT64_MAX >> 1, &bytes) < 0 || !bytes)
		return err_set(e, ERR_INTEGRITY, "the index of %s says no path, size or sha256 of %s %s",
			       text_safe(suite_of(r, p)), text_safe(name), text_safe(version));
	if (!lock_package_path_is_valid(relative))
		return err_set(e, ERR_INTEGRITY, "the index of %s says a path of %s that none can have: '%s'",
			       text_safe(suite_of(r, p)), text_safe(name), text_safe(relative));
	*out = (struct lock_package){ .arch = mem_strdup(r->arch),
				      .name = mem_steal(name),
				      .in_base = in_base,
				      .version = mem_steal(version),
				      .path = mem_strdup(relative),
				      .suite = mem_strdup(suite_of(r, p)),
				      .sha256 = mem_steal(sha256),
				      .size = bytes };
	return 0;
}

static int take_solution(const struct resolve *r, const struct debian_universe *u, const struct debian_solution *s,
			 bool in_base, struct resolved *out, struct err *e)
{
	for (size_t i = 0; i < s->count; i++) {
		struct lock_package entry;

		if (make_entry(r, &u->packages[s->packages[i]], in_base, &entry, e) < 0)
			return -1;
		resolved_put(out, &entry);
	}
	return 0;
}

/* ---- the base ---- */

/* What a system can't be without, and apt. Not what is merely protected from removal: that is for machines that boot. */
static void want_base(const struct debian_universe *u, enum config_variant variant, struct strlist *wanted)
{
	enum debian_priority least = variant == CONFIG_VARIANT_STANDARD ? DEBIAN_STANDARD : DEBIAN_REQUIRED;
	const struct debian_package *before = NULL;

	for (size_t i = 0; i < u->count; i++) {
		const struct debian_package *p = &u->packages[i];
		struct debian_text essential;

		if (before && debian_text_compare(before->name, p->name) == 0)
			continue;
		before = p;
		debian_control_field(p->stanza, "Essential", &essential);
		if (p->priority <= least || debian_text_is(essential, "yes"))
			strlist_add_take(wanted, debian_text_dup(p->name));
	}
	if (!strlist_has(wanted, "apt"))
		strlist_add(wanted, "apt");
}

/* [packages] apt = name=version: where the base has the package, in that version. */
static void add_word_pins(const struct resolve *r, struct strlist *names, struct debian_pin **pins, size_t *count)
{
	const struct strlist *apt = r->apt;

	*pins = mem_resize(*pins, *count + apt->count + 1, sizeof(**pins));
	for (size_t i = 0; i < apt->count; i++)
		if (strchr(apt->items[i], '='))
			strlist_add_take(names, mem_strndup(apt->items[i], strcspn(apt->items[i], "=")));
	for (size_t i = 0, k = 0; i < apt->count; i++) {
		const char *equals = strchr(apt->items[i], '=');

		if (equals)
			(*pins)[(*count)++] = (struct debian_pin){ names->items[k++], equals + 1 };
	}
}

int resolve_base(const struct resolve *r, struct resolved *base, struct err *e)
{
	struct buf forgotten = BUF_INIT;
	struct strlist wanted = STRLIST_INIT, names = STRLIST_INIT;
	struct debian_solution solution = { 0 };
	struct debian_universe u;
	struct debian_goal goal = { .wanted = &wanted, .priority = (int)DEBIAN_REQUIRED - 1 };
	struct debian_pin *pins = make_pins(r, NULL, &goal.pin_count);
	int result;

	make_universe(r, (struct debian_text){ "", 0 }, &u, &forgotten);
	want_base(&u, r->env->config.variant, &wanted);
	add_word_pins(r, &names, &pins, &goal.pin_count);
	goal.pins = pins;
	result = debian_solve(&u, &goal, &solution, e);
	if (result == 0)
		result = take_solution(r, &u, &solution, true, base, e);
	else
		err_wrap(e, "[base] debian = %s", text_safe(r->env->config.base_value));
	debian_solution_release(&solution);
	debian_universe_release(&u);
	strlist_release(&wanted);
	strlist_release(&names);
	buf_release(&forgotten);
	free(pins);
	return result;
}

/* ---- packages on top ---- */

/* What an image has, but for packages that others go over. */
static void add_installed(struct debian_text installed, const struct resolved *over, struct buf *status)
{
	struct debian_text paragraph, name;

	while (debian_control_next(&installed, &paragraph)) {
		cleanup_free char *package = NULL;

		debian_control_field(paragraph, "Package", &name);
		package = debian_text_dup(name);
		if (resolved_find(over, package))
			continue;
		paragraph = debian_text_trim(paragraph);
		buf_add(status, paragraph.at, paragraph.len);
		buf_adds(status, "\n\n");
	}
}

/* dpkg's status of a base that isn't made yet. */
static void add_status(const struct debian_universe *u, const struct resolved *base, struct buf *status)
{
	for (size_t i = 0; i < base->count; i++) {
		const struct lock_package *p = &base->items[i];
		size_t first, n = debian_universe_find(u, DEBIAN_TEXT(p->name), &first);

		for (size_t k = first; k < first + n; k++) {
			const struct debian_package *found = &u->packages[k];
			struct debian_text stanza;

			if (debian_version_compare(found->version, DEBIAN_TEXT(p->version)) != 0)
				continue;
			stanza = debian_text_trim(found->stanza);
			buf_add(status, stanza.at, stanza.len);
			buf_adds(status, "\nStatus: install ok installed\n\n");
			break;
		}
	}
}

static void add_word(char **list, const char *word)
{
	char *longer = *list ? mem_printf("%s %s", *list, word) : mem_strdup(word);

	free(*list);
	*list = longer;
}

/* Which of the packages answers a word of [packages] apt: the one of that name, or one that provides it. NULL: none. */
static struct lock_package *answer_of(const struct debian_universe *u, const char *name, const struct resolved *list)
{
	struct lock_package *found = resolved_find(list, name);
	size_t first, n = debian_universe_providers(u, DEBIAN_TEXT(name), &first);

	for (size_t i = first; !found && i < first + n; i++) {
		const struct debian_package *p = &u->packages[u->provided[i].package];
		cleanup_free char *provider = debian_text_dup(p->name), *version = debian_text_dup(p->version);
		struct lock_package *candidate = resolved_find(list, provider);

		if (candidate && strcmp(candidate->version, version) == 0)
			found = candidate;
	}
	return found;
}

static void set_requests(const struct resolve *r, const struct debian_universe *u, struct resolved *base,
			 struct resolved *packages, struct strlist *present)
{
	const struct strlist *apt = r->apt;

	for (size_t i = 0; i < apt->count; i++) {
		cleanup_free char *name = mem_strndup(apt->items[i], strcspn(apt->items[i], "="));
		struct lock_package *p = answer_of(u, name, packages);

		if (!p && base)
			p = answer_of(u, name, base);
		if (p)
			add_word(&p->request, apt->items[i]);
		else
			strlist_add(present, apt->items[i]);
	}
}

static int solve_packages(const struct resolve *r, const struct debian_universe *u, const struct debian_goal *goal,
			  struct resolved *base, struct resolved *packages, struct strlist *present, struct resolved *again,
			  struct err *e)
{
	struct debian_solution solution = { 0 };
	int result = resolve_kept_solve(r, u, goal, &solution, e);

	if (result == 0)
		result = take_solution(r, u, &solution, false, packages, e);
	else
		err_wrap(e, "%s:%u: [packages] apt", text_safe(r->apt_file), r->apt_line);
	debian_solution_release(&solution);
	for (size_t i = 0; result == 0 && base && i < packages->count; i++)
		if (resolved_find(base, packages->items[i].name)) {
			struct lock_package copy = copy_of(&packages->items[i]);

			copy.in_base = true;
			resolved_put(again, &copy);
		}
	if (result == 0)
		set_requests(r, u, base, packages, present);
	return result;
}

int resolve_packages(const struct resolve *r, struct resolved *base, struct resolved *packages, struct strlist *present,
		     struct resolved *again, struct err *e)
{
	struct buf forgotten = BUF_INIT, status = BUF_INIT, unused = BUF_INIT;
	struct debian_goal goal = { .wanted = r->apt, .priority = (int)DEBIAN_REQUIRED - 1, .unknown = r->unknown };
	const struct resolved *under = base ? base : r->below;
	struct debian_pin *pins = make_pins(r, base, &goal.pin_count);
	struct debian_text installed = r->installed ? *r->installed : (struct debian_text){ "", 0 };
	struct debian_universe u, archive;
	int result;

	goal.pins = pins;
	if (under) {
		make_universe(r, installed, &archive, &unused);
		add_installed(installed, under, &status);
		add_status(&archive, under, &status);
		installed = (struct debian_text){ status.data, status.len };
	}
	make_universe(r, installed, &u, &forgotten);
	result = solve_packages(r, &u, &goal, base, packages, present, again, e);
	debian_universe_release(&u);
	if (under)
		debian_universe_release(&archive);
	buf_release(&status);
	buf_release(&forgotten);
	buf_release(&unused);
	free(pins);
	return result;
}
