/* SPDX-License-Identifier: Apache-2.0 */
/* version.h - the version of both programs. The build says it; what is here is for building one file by hand. */
#ifndef DEVENV_BASE_VERSION_H
#define DEVENV_BASE_VERSION_H

#ifndef DEVENV_VERSION
#define DEVENV_VERSION "0.1.0"
#endif

#endif
