/* SPDX-License-Identifier: Apache-2.0 */
/* script.h - where the lines of a script stand in the file that has it. */
#ifndef DEVENV_CONFIG_SCRIPT_H
#define DEVENV_CONFIG_SCRIPT_H

#include <stddef.h>

/* The line of the text, from 1, that has line `n`, from 1, of the value whose key is on line `key` (config/ini.h says how a value
 * is made of lines). 0: the value has no such line. The text is one that ini_read took. */
unsigned int script_line(const char *text, size_t len, unsigned int key, unsigned int n);

#endif
