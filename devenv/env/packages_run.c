/* SPDX-License-Identifier: Apache-2.0 */
/* packages_run.c - see packages_run.h. */
#include "env/packages_run.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/packages_dpkg.h"
#include "env/packages_owners.h"
#include "env/step.h"

#define DEBS "debs" /* in the stage: what is bound into the sandbox */

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/*
 * Python's own scripts compile its library with -E, so deaf to PYTHONHASHSEED, and before 3.11 a constant set is written in the order of
 * hashes: files that have one are compiled again. What is older than the step is another layer's. An interpreter that can't do it, for it is
 * an image's own or lacks a part, installs packages nonetheless.
 */
static const char begin[] = ": >/tmp/.devenv-began\n";
static const char end[] =
	"for python in /usr/bin/python3.[6-9] /usr/bin/python3.10; do\n"
	"[ -x \"$python\" ] || continue\n"
	"\"$python\" -S - <<'EOF' || :\n"
	"import glob, importlib.util, marshal, os, py_compile, sys\n"
	"def has_set(value):\n"
	"    if isinstance(value, (frozenset, tuple)):\n"
	"        return isinstance(value, frozenset) and len(value) > 1 or any(map(has_set, value))\n"
	"    return hasattr(value, 'co_consts') and has_set(value.co_consts)\n"
	"began = os.stat('/tmp/.devenv-began').st_mtime_ns\n"
	"name = '%d.%d' % sys.version_info[:2]\n"
	"for path in sorted(glob.glob('/usr/lib/python%s/**/__pycache__/*.pyc' % name, recursive=True)):\n"
	"    try:\n"
	"        source = importlib.util.source_from_cache(path)\n"
	"        if os.stat(path).st_mtime_ns < began or not os.path.exists(source):\n"
	"            continue\n"
	"        with open(path, 'rb') as file:\n"
	"            code = marshal.loads(file.read()[16:])\n"
	"    except (ValueError, EOFError, TypeError, OSError):\n"
	"        continue\n"
	"    if has_set(code):\n"
	"        level = path.split('.opt-')[1][:-4] if '.opt-' in path else 0\n"
	"        py_compile.compile(source, path, code.co_filename, optimize=int(level))\n"
	"EOF\n"
	"done\n";

/* Those that dpkg unpacks, by names that say what they are: links, not copies. */
static int link_debs(const struct store *s, const struct store_stage *stage, const struct packages_run *r, struct err *e)
{
	if (file_mkdirs(stage->fd, DEBS, 0755, e) < 0)
		return -1;
	for (size_t i = 0; i < r->count; i++) {
		cleanup_free char *from = mem_printf("debs/%s", r->unpacked[i]->sha256), *name = packages_dpkg_file(r->unpacked[i]);
		cleanup_free char *to = path_join(DEBS, name);

		if (linkat(s->fd, from, stage->fd, to, 0) < 0)
			return err_sys(e, "can't link the package %s", text_safe(r->unpacked[i]->name));
	}
	return 0;
}

static int settle(struct store_stage *stage, const struct packages_run *r, struct packages_owners *owners, int64_t since, struct err *e)
{
	if (packages_owners_open(owners, stage, e) < 0 ||
	    step_settle_packages(stage, since, r->epoch, packages_owners_add, owners, e) < 0)
		return -1;
	return packages_owners_end(owners, e);
}

static int run_step(struct environment *env, struct store *s, struct store_stage *stage, const struct packages_run *r, struct err *e)
{
	cleanup_free char *debs = mem_printf("%s/tmp/%s/" DEBS, s->path, stage->name);
	cleanup_free char *script = mem_printf("%s%s%s", begin, r->script, end);
	struct plan_mount mount = { .kind = PLAN_BIND, .flags = PLAN_MOUNT_READ_ONLY, .host = debs, .target = PACKAGES_DPKG_DEBS };
	/* Nobody is going to be asked these questions again. */
	static const char *const variables[] = { "DEBCONF_NONINTERACTIVE_SEEN=true", NULL };
	struct step step = { .name = "packages", .digest = r->recipe->below, .script = script, .mounts = &mount, .mount_count = 1,
			     .variables = variables, .answer_set_ids = true, .no_services = true,
			     .output = packages_output_line, .data = r->output };
	int result;

	if (link_debs(s, stage, r, e) < 0)
		return -1;
	packages_output_start(r->output);
	result = step_run(env, s, stage, &step, e);
	packages_output_end(r->output);
	if (result < 0 && e->code == ERR_FAILED)
		packages_output_explain(r->output, e);
	packages_output_release(r->output);
	if (result < 0)
		return -1;
	return file_remove_tree(stage->fd, DEBS, e);
}

int packages_run(struct environment *env, struct store *s, struct store_stage *stage, const struct packages_run *r, struct err *e)
{
	struct packages_owners *owners = packages_owners_begin(s, r->recipe->below, r->unpacked, r->count, e);
	int64_t since = wall_ns();
	int result = owners ? run_step(env, s, stage, r, e) : -1;

	if (result == 0)
		result = settle(stage, r, owners, since, e);
	packages_owners_free(owners);
	return result < 0 ? -1 : recipe_publish(s, r->recipe, stage, NULL, e);
}
