/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what the launcher prints: to stderr, once. Private to launcher/. */
#ifndef DEVENV_LAUNCHER_REPORT_H
#define DEVENV_LAUNCHER_REPORT_H

#include <stdbool.h>

#include "base/err.h"

/* The message and its hint; with `json`, the error object of the manual on stdout. */
void report_error(const struct err *e, bool json);
/* One line, red on a terminal. */
void report_warning(const char *line);
/* One line. */
void report_line(const char *line);

#endif
