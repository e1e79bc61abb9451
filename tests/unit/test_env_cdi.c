/* SPDX-License-Identifier: Apache-2.0 */
/* CDI files: what is taken from them, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "env/cdi.h"

static void parse(struct cdi *c, const char *text)
{
	*c = (struct cdi){ 0 };
	cdi_parse(c, "/etc/cdi/test.json", text, strlen(text), "gpu");
}

/* As `nvidia-ctk cdi generate --format=json` writes it, shortened. */
static const char nvidia[] =
	"{\"cdiVersion\":\"0.5.0\",\"kind\":\"nvidia.com/gpu\",\"devices\":["
	"{\"name\":\"0\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/nvidia0\"},{\"path\":\"/dev/dri/card1\"}]}},"
	"{\"name\":\"1\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/nvidia1\"}]}},"
	"{\"name\":\"all\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/nvidia0\"},"
	"{\"path\":\"/dev/nvidia1\",\"hostPath\":\"/dev/other\"}]}}],"
	"\"containerEdits\":{\"env\":[\"NVIDIA_VISIBLE_DEVICES=void\"],\"deviceNodes\":[{\"path\":\"/dev/nvidiactl\"}],"
	"\"hooks\":[{\"hookName\":\"createContainer\",\"path\":\"/usr/bin/nvidia-cdi-hook\"}],"
	"\"mounts\":[{\"hostPath\":\"/usr/lib/libcuda.so.550\",\"containerPath\":\"/usr/lib/libcuda.so.550\","
	"\"options\":[\"ro\",\"nosuid\",\"nodev\",\"bind\"]},"
	"{\"hostPath\":\"/run/nvidia-persistenced/socket\",\"containerPath\":\"/run/nvidia/socket\",\"options\":[\"rw\"]}]}}";

static void test_nvidia(void **state)
{
	struct cdi c;

	(void)state;
	parse(&c, nvidia);
	assert_int_equal(c.node_count, 3); /* "all", and not each of them again */
	assert_string_equal(c.nodes[0].target, "/dev/nvidiactl");
	assert_string_equal(c.nodes[1].host, "/dev/nvidia0");
	assert_string_equal(c.nodes[2].host, "/dev/other");
	assert_string_equal(c.nodes[2].target, "/dev/nvidia1");
	assert_int_equal(c.mount_count, 2);
	assert_false(c.mounts[0].writable);
	assert_true(c.mounts[1].writable);
	assert_string_equal(c.mounts[1].target, "/run/nvidia/socket");
	assert_int_equal(c.env.count, 1);
	assert_int_equal(c.warnings.count, 1);
	assert_non_null(strstr(c.warnings.items[0], "hooks are not run"));
	cdi_release(&c);
}

static void test_each_device(void **state)
{
	struct cdi c;

	(void)state;
	parse(&c, "{\"kind\":\"a.b/gpu\",\"devices\":[{\"name\":\"x\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/x\"}]}},"
		  "{\"name\":\"y\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/y\"}]}}]}");
	assert_int_equal(c.node_count, 2);
	cdi_release(&c);
}

/* Another class, paths that lead elsewhere, names that are none, what is no JSON or has other shapes: nothing, or a line. */
static void test_refused(void **state)
{
	static const struct {
		const char *text;
		size_t warnings;
	} cases[] = {
		{ "{\"kind\":\"a.b/net\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/x\"}]}}", 0 },
		{ "{\"kind\":\"gpu\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/x\"}]}}", 0 },
		{ "{\"kind\":\"a/gpu\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/../etc/shadow\"}]}}", 0 },
		{ "{\"kind\":\"a/gpu\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"dev/x\"},{\"path\":7},7,null]}}", 0 },
		{ "{\"kind\":\"a/gpu\",\"containerEdits\":{\"mounts\":[{\"hostPath\":\"/a\",\"containerPath\":\"/b/..\"}]}}", 0 },
		{ "{\"kind\":\"a/gpu\",\"containerEdits\":{\"env\":[\"NOVALUE\",\"1A=x\",7]}}", 0 },
		{ "{\"kind\":\"a/gpu\",\"containerEdits\":7,\"devices\":{\"a\":1}}", 0 },
		{ "{\"kind\":7}", 0 },
		{ "[]", 0 },
		{ "{\"kind\":\"a/gpu\",\"kind\":\"a/net\"}", 1 },
		{ "kind: a/gpu", 1 },
		{ "", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cdi c;

		parse(&c, cases[i].text);
		if (c.node_count || c.mount_count || c.env.count || c.warnings.count != cases[i].warnings)
			fail_msg("%s: %zu nodes, %zu mounts, %zu variables, %zu warnings", cases[i].text, c.node_count,
				 c.mount_count, c.env.count, c.warnings.count);
		cdi_release(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nvidia), cmocka_unit_test(test_each_device), cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
