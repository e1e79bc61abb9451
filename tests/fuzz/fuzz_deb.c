/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_deb.c - a .deb file, whatever it says, has its data within the file, and a control file; or there is a reason. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/debian_deb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("deb", MFD_CLOEXEC);
	struct err e = ERR_INIT;
	struct deb d;

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (deb_read(fd, "archive", &d, &e) == 0) {
		require(deb_find(&d, "control") != NULL);
		require((uint64_t)d.data_offset <= size && d.data_size <= size - (uint64_t)d.data_offset);
		for (size_t i = 0; i < d.count; i++)
			require(d.files[i].name[0] && !strchr(d.files[i].name, '/') && strcmp(d.files[i].name, "..") != 0);
		deb_release(&d);
	} else {
		require(e.code != ERR_NONE && e.msg[0]);
	}
	close(fd);
	return 0;
}
