/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_deb.h - a .deb file (deb(5)): ar by hand; control.tar and data.tar by libarchive through layer/.
 */
#ifndef DEVENV_SOURCE_DEBIAN_DEB_H
#define DEVENV_SOURCE_DEBIAN_DEB_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "layer/layer.h"

struct deb_file { /* of control.tar: "control", "md5sums", "postinst", "conffiles"... */
	char *name;
	struct buf data;
	mode_t mode;
};
struct deb {
	struct deb_file *files;
	size_t count, cap;
	off_t data_offset; /* where data.tar.* begins in the file, and how long it is */
	uint64_t data_size;
	enum layer_compression data_compression;
	int64_t time; /* when it was built, as its first member says */
};

/* Read everything but the data. ERR_INTEGRITY: not a .deb, or one that breaks the format. `name` is for messages. */
int deb_read(int fd, const char *name, struct deb *out, struct err *e);
void deb_release(struct deb *d);
/* A file of control.tar or NULL. After a deb_read that was good there is "control". */
const struct deb_file *deb_find(const struct deb *d, const char *name);

#endif
