/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit_systemd.c - a scope of a service manager: a cgroup with limits that goes when its last process does.
 *
 * The manager of the user is asked on its own socket, as systemctl does, for a message bus may be missing where it is there;
 * else on the bus of the session; root asks the machine's manager. Built without libsystemd there is no manager.
 */
#include "env/limit.h"

#include <unistd.h>

#include "base/mem.h"

#ifdef HAVE_SYSTEMD
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#define MANAGER "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define NAME_DIGITS 16
#define TIMEOUT_US 5000000
#define TRIES 3

static const char *private_socket(char **path)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	*path = geteuid() == 0 ? mem_strdup("/run/systemd/private")
			       : mem_printf("%s/systemd/private", runtime ? runtime : "/nonexistent");
	return *path;
}

static sd_bus *connect_to(const char *path)
{
	cleanup_free char *address = mem_printf("unix:path=%s", path);
	sd_bus *bus = NULL;

	if (access(path, W_OK) < 0 || sd_bus_new(&bus) < 0)
		return NULL;
	if (sd_bus_set_address(bus, address) < 0 || sd_bus_start(bus) < 0)
		bus = sd_bus_unref(bus);
	return bus;
}

static sd_bus *connect_manager(void)
{
	cleanup_free char *path = NULL;
	sd_bus *bus = connect_to(private_socket(&path));

	if (!bus && sd_bus_open_user(&bus) < 0)
		return NULL;
	sd_bus_set_method_call_timeout(bus, TIMEOUT_US);
	return bus;
}

bool limit_systemd_is_there(void)
{
	cleanup_free char *path = NULL;

	return access(private_socket(&path), W_OK) == 0 || getenv("DBUS_SESSION_BUS_ADDRESS");
}

/* The properties of the scope. `newer`: those that old managers do not know. */
static int add_properties(sd_bus_message *m, const struct limit *l, pid_t pid, bool newer)
{
	int r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t)pid);

	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)(sv)", "Description", "s", "devenv environment", "CollectMode", "s",
					  "inactive-or-failed");
	if (r >= 0 && l->memory)
		r = sd_bus_message_append(m, "(sv)(sv)", "MemoryMax", "t", l->memory, "MemorySwapMax", "t", (uint64_t)0);
	if (r >= 0 && l->pids)
		r = sd_bus_message_append(m, "(sv)", "TasksMax", "t", (uint64_t)l->pids);
	if (r >= 0 && l->cpus)
		r = sd_bus_message_append(m, "(sv)", "CPUQuotaPerSecUSec", "t", (uint64_t)l->cpus * 1000);
	/* One process that the kernel kills for want of memory must not take the others with it. */
	if (r >= 0 && newer)
		r = sd_bus_message_append(m, "(sv)", "OOMPolicy", "s", "continue");
	return r;
}

static int start_scope(sd_bus *bus, const char *unit, const struct limit *l, pid_t pid, bool newer, sd_bus_error *error)
{
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, MANAGER, "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", unit, "fail");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = add_properties(m, l, pid, newer);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call(bus, m, 0, error, NULL);
	sd_bus_message_unref(m);
	return r;
}

static int attach(sd_bus *bus, const char *unit, pid_t pid)
{
	return sd_bus_call_method(bus, MANAGER, "AttachProcessesToUnit", NULL, NULL, "ssau", unit, "", 1, (uint32_t)pid);
}

/* The answer comes before the manager has moved the process. */
static bool wait_for_move(const char *unit, pid_t pid)
{
	for (int i = 0; i < 400; i++) {
		cleanup_free char *path = mem_printf("/proc/%d/cgroup", (int)pid);
		char text[8192];
		FILE *f = fopen(path, "re");
		size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

		if (f)
			fclose(f);
		text[n] = '\0';
		if (strstr(text, unit))
			return true;
		usleep(5000);
	}
	return false;
}

/* Whoever comes first makes it; it may go between two calls, or come. */
static int enter_scope(sd_bus *bus, const char *unit, const struct limit *l, pid_t pid)
{
	bool newer = true;

	for (int i = 0; i < TRIES; i++) {
		sd_bus_error error = SD_BUS_ERROR_NULL;
		int r = attach(bus, unit, pid);

		if (r < 0)
			r = start_scope(bus, unit, l, pid, newer, &error);
		if (r < 0 && !sd_bus_error_has_name(&error, "org.freedesktop.systemd1.UnitExists"))
			newer = false;
		sd_bus_error_free(&error);
		if (r >= 0)
			return wait_for_move(unit, pid) ? 0 : -1;
	}
	return -1;
}

int limit_systemd_scope(const struct limit *l, pid_t pid)
{
	cleanup_free char *unit = mem_printf("devenv-%.*s.scope", NAME_DIGITS, l->id);
	sd_bus *bus = limit_systemd_is_there() ? connect_manager() : NULL;
	int r = bus ? enter_scope(bus, unit, l, pid) : -1;

	sd_bus_flush_close_unref(bus);
	return r;
}
#else
int limit_systemd_scope(const struct limit *l, pid_t pid)
{
	(void)l;
	(void)pid;
	return -1;
}

bool limit_systemd_is_there(void)
{
	return false;
}
#endif
