/* SPDX-License-Identifier: Apache-2.0 */
/* banned.h - functions that are too easy to misuse are compile errors. Included on the compiler's command line. */
#ifndef DEVENV_BASE_BANNED_H
#define DEVENV_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With FORTIFY some of them are macros, which clang warns about. */
#undef sprintf
#undef vsprintf
#undef strncpy
#undef strcat
#undef strncat
#undef strcpy

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok system popen atoi atol atof tmpnam mktemp

#endif
