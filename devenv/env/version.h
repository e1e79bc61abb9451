/* SPDX-License-Identifier: Apache-2.0 */
/* version.h - the version of both programs, which [devenv] requires is compared with. The Makefile defines it. */
#ifndef DEVENV_ENV_VERSION_H
#define DEVENV_ENV_VERSION_H

#ifndef DEVENV_VERSION
#define DEVENV_VERSION "0.1.0"
#endif

#endif
