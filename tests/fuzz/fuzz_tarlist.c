/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tarlist.c - the list of a tar's members: whatever the headers say, members lie within the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/tarlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct tarlist list;
	int fd = memfd_create("tar", MFD_CLOEXEC);

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (tarlist_read(fd, "archive", &list, &e) == 0) {
		for (size_t i = 0; i < list.count; i++) {
			const struct tarlist_entry *entry = &list.entries[i];

			require(entry->offset <= size && entry->size <= size - entry->offset);
			require(entry->name[0] != '/' && strncmp(entry->name, "../", 3) != 0);
			tarlist_find(&list, entry->name);
		}
		tarlist_release(&list);
	} else {
		require(e.code != ERR_NONE && e.msg[0]);
	}
	close(fd);
	return 0;
}
