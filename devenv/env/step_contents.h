/* SPDX-License-Identifier: Apache-2.0 */
/* step_contents.h - files whose content says when they were made: /etc/shadow, the Java keystore of ca-certificates, Postfix's aliases;
 * and ucf's sums of files that don't stay. */
#ifndef DEVENV_ENV_STEP_CONTENTS_H
#define DEVENV_ENV_STEP_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

/* If `path` (relative to the tree) is one of them, times after `epoch` (seconds) in it become `epoch`. Others, and what can't be read,
 * are left alone. `packages`: maintainer scripts wrote it. */
int step_settle_content(int dirfd, const char *name, const char *path, const struct stat *st, int64_t epoch, bool packages, struct err *e);

/* The same of shadow's text, of a keystore's bytes and of a Berkeley DB's, for tests. false: it isn't one that could be changed. */
void step_clamp_days(const char *text, int64_t day, struct buf *out);
bool step_clamp_keystore(unsigned char *bytes, size_t len, int64_t epoch);
bool step_clamp_database(unsigned char *bytes, size_t len, int64_t epoch);
void step_drop_sums(const char *text, struct buf *out);

#endif
