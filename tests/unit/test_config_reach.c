/* SPDX-License-Identifier: Apache-2.0 */
/* [sandbox] memory, cpus, pids, devices, nested, perf, ssh-agent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/config.h"

#define BASE "[base]\nimage = debian\n[sandbox]\n"

static struct config parse(const char *lines)
{
	cleanup_free char *text = mem_printf(BASE "%s\n", lines);
	struct config c = { 0 };
	struct err e = ERR_INIT;

	if (config_parse("devenv.ini", text, strlen(text), &c, &e) < 0)
		fail_msg("%s: %s", lines, e.msg);
	return c;
}

static void must_fail(const char *line, const char *message, const char *hint)
{
	cleanup_free char *text = mem_printf(BASE "%s\n", line);
	struct config c = { 0 };
	struct err e = ERR_INIT;

	assert_int_equal(config_parse("devenv.ini", text, strlen(text), &c, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, message);
	if (hint && !*hint)
		assert_string_equal(e.hint, "");
	else if (hint)
		assert_non_null(strstr(e.hint, hint));
}

static void test_memory(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "memory = 4G", 4ULL << 30 }, { "memory = 512M", 512ULL << 20 }, { "memory = 16M", 16ULL << 20 },
		{ "memory = 16777216", 16ULL << 20 }, { "memory = 1T", 1ULL << 40 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct config c = parse(good[i].text);

		assert_true(c.memory == good[i].bytes);
		config_release(&c);
	}
	must_fail("memory = lots", "devenv.ini:4: [sandbox] memory: 'lots' is not a size", "512M");
	must_fail("memory = 4 G", "devenv.ini:4: [sandbox] memory: '4 G' is not a size", NULL);
	must_fail("memory = -1", "devenv.ini:4: [sandbox] memory: '-1' is not a size", NULL);
	must_fail("memory = 0", "devenv.ini:4: [sandbox] memory: 0 is less than 16M, too little for a shell", NULL);
	must_fail("memory = 1K", "devenv.ini:4: [sandbox] memory: 1K is less than 16M, too little for a shell", "");
	must_fail("memory = 512", "devenv.ini:4: [sandbox] memory: 512 is less than 16M, too little for a shell", "'512M'");
	must_fail("memory = 99999999999999T", "devenv.ini:4: [sandbox] memory: '99999999999999T' is not a size", NULL);
	must_fail("memory =", "devenv.ini:4: [sandbox] memory: the value is empty", NULL);
}

static void test_cpus(void **state)
{
	static const struct {
		const char *text;
		uint32_t thousandths;
	} good[] = {
		{ "cpus = 2", 2000 },	  { "cpus = 1.5", 1500 }, { "cpus = 0.25", 250 },
		{ "cpus = 0.125", 125 }, { "cpus = 0.01", 10 },	  { "cpus = 8192", 8192000 },
	};
	static const char *const bad[] = { "two", "1.", ".5", "1.2345", "1,5", "-1", "1.5.5", "1e3", "99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct config c = parse(good[i].text);

		assert_int_equal(c.cpus, good[i].thousandths);
		config_release(&c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_free char *line = mem_printf("cpus = %s", bad[i]);
		cleanup_free char *message =
			mem_printf("devenv.ini:4: [sandbox] cpus: '%s' is not a number of processors", bad[i]);

		must_fail(line, message, "1.5");
	}
	must_fail("cpus = 0", "devenv.ini:4: [sandbox] cpus: 0 is out of range: it can be from 0.01 to 8192 processors", NULL);
	must_fail("cpus = 0.009", "devenv.ini:4: [sandbox] cpus: 0.009 is out of range: it can be from 0.01 to 8192 processors",
		  NULL);
	must_fail("cpus = 8193", "devenv.ini:4: [sandbox] cpus: 8193 is out of range: it can be from 0.01 to 8192 processors",
		  NULL);
}

static void test_pids(void **state)
{
	struct config c = parse("pids = 1024");

	(void)state;
	assert_int_equal(c.pids, 1024);
	config_release(&c);
	must_fail("pids = many", "devenv.ini:4: [sandbox] pids: 'many' is not a number of processes", NULL);
	must_fail("pids = 7", "devenv.ini:4: [sandbox] pids: 7 is out of range: it can be from 8 to 4194304 processes", NULL);
	must_fail("pids = 4194305",
		  "devenv.ini:4: [sandbox] pids: 4194305 is out of range: it can be from 8 to 4194304 processes", NULL);
}

static void test_devices_and_powers(void **state)
{
	struct config c = parse("devices = kvm\n  gpu\nnested = yes\nperf = no\nssh-agent = yes");

	(void)state;
	assert_true(c.devices[CONFIG_DEVICE_KVM] && c.devices[CONFIG_DEVICE_GPU] && !c.devices[CONFIG_DEVICE_FUSE]);
	assert_true(c.nested && !c.perf && c.ssh_agent);
	config_release(&c);
	c = parse("");
	assert_false(c.nested || c.perf || c.ssh_agent || c.devices[CONFIG_DEVICE_KVM] || c.memory || c.cpus || c.pids);
	config_release(&c);
	must_fail("devices = kwm", "devenv.ini:4: [sandbox] devices: unknown device 'kwm'; did you mean 'kvm'?", NULL);
	must_fail("devices = /dev/sda", "devenv.ini:4: [sandbox] devices: unknown device '/dev/sda': they are kvm, gpu and fuse",
		  NULL);
	must_fail("nested = true", "devenv.ini:4: [sandbox] nested: 'true' is neither yes nor no; did you mean 'yes'?", NULL);
}

static void test_layers(void **state)
{
	static const char base[] = BASE "pids = 100\ndevices = kvm gpu\nmemory = 1G\n";
	static const char local[] = "[sandbox]\npids = 50\ndevices = !kvm fuse\n";
	const struct config_text texts[] = {
		{ "devenv.ini", base, sizeof(base) - 1, false },
		{ "devenv.local.ini", local, sizeof(local) - 1, true },
	};
	struct config c = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(config_parse_texts(texts, 2, true, &c, &e), 0);
	assert_int_equal(c.pids, 50);
	assert_true(c.memory == 1ULL << 30);
	assert_true(!c.devices[CONFIG_DEVICE_KVM] && c.devices[CONFIG_DEVICE_GPU] && c.devices[CONFIG_DEVICE_FUSE]);
	config_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory), cmocka_unit_test(test_cpus), cmocka_unit_test(test_pids),
		cmocka_unit_test(test_devices_and_powers), cmocka_unit_test(test_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
