/* SPDX-License-Identifier: Apache-2.0 */
/* packages_space.c - see packages_space.h. Nobody asks before it has happened: only then is it worth reading all packages. */
#include "env/packages_space.h"

#include <string.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/debian_control.h"
#include "source/debian_deb.h"

enum { NOTHING_LEFT = 4 << 20, KIB = 1024 };

bool packages_space_is_out(const struct store *s, const struct err *e)
{
	return e->code == ERR_SPACE || (e->code == ERR_FAILED && store_free_bytes(s) < NOTHING_LEFT);
}

/* What a package takes once it is unpacked, as its maker reckoned. 0: it can't be read. */
static uint64_t installed_size(const struct store *s, const struct lock_package *p)
{
	struct err ignored = ERR_INIT;
	cleanup_close int fd = store_deb_open(s, p->sha256, &ignored);
	struct debian_text value;
	uint64_t kib = 0;
	struct deb deb;

	if (fd < 0 || deb_read(fd, p->name, &deb, &ignored) < 0)
		return 0;
	value = DEBIAN_TEXT(deb_find(&deb, "control")->data.data);
	if (!debian_control_field(value, "Installed-Size", &value) || debian_text_number(value, UINT64_MAX / KIB, &kib) < 0)
		kib = 0;
	deb_release(&deb);
	return kib * KIB;
}

static bool is_unpacked(const struct store *s, const struct lock_package *p)
{
	cleanup_free char *id = mem_printf("sha256:%s", p->sha256);

	return store_has_layer(s, id);
}

int packages_space_explain(const struct store *s, const struct lock_package *const *packages, size_t count, struct err *e)
{
	uint64_t needed = NOTHING_LEFT, there = store_free_bytes(s);

	for (size_t i = 0; i < count; i++)
		if (!is_unpacked(s, packages[i]))
			needed += installed_size(s, packages[i]);
	err_set(e, ERR_SPACE, "the store %s ran full while %zu packages were unpacked: about %s more are needed", text_safe(s->path), count,
		text_bytes(needed > there ? needed - there : NOTHING_LEFT));
	return err_hint(e, "free some space on its file system, for example with `devenv gc`, or keep the store elsewhere (path in [store] "
			   "of %s)", dirs_shown_config());
}
