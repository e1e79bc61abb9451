/* SPDX-License-Identifier: Apache-2.0 */
/* debian_components.c - the components of an archive that are not in use: what its signed releases name beside those that are. */
#include "source/debian_archive_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"

static void add_others(const struct debian_suite *s, const struct debian_release *release, struct debian_archive *out)
{
	struct strlist others = STRLIST_INIT;

	for (size_t i = 0; i < release->components.count; i++) {
		const char *name = path_base(release->components.items[i]); /* "updates/main" of old security suites */

		if (!strlist_has(&s->components, name) && !strlist_has(&others, name))
			strlist_add(&others, name);
	}
	if (others.count) {
		struct debian_suite *added = debian_archive_add(out, s->uri, s->suite, s->keyring, &others);

		added->foreign = true; /* it need not have them for every architecture */
		added->any_age = s->any_age;
		for (size_t i = 0; i < s->fingerprints.count; i++)
			strlist_add(&added->fingerprints, s->fingerprints.items[i]);
	}
	strlist_release(&others);
}

void debian_archive_other_components(struct debian_context *c, const struct debian_archive *a, struct debian_archive *out)
{
	cleanup_free char *path = path_join(c->cache, "debian");
	cleanup_close int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*out = (struct debian_archive){ 0 };
	for (size_t i = 0; i < a->count; i++) {
		struct debian_inrelease r = { .text = BUF_INIT };
		struct err ignored = ERR_INIT;

		if (!a->suites[i].flat && debian_inrelease_get(c, &a->suites[i], directory, false, NULL, &r, &ignored) == 0)
			add_others(&a->suites[i], &r.release, out);
		debian_inrelease_release(&r);
	}
}
