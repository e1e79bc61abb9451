/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - how references are spelled as file names; for the other parts of store/. */
#ifndef DEVENV_STORE_NAMES_H
#define DEVENV_STORE_NAMES_H

/* The reference that a file in names/ stands for, malloc'ed; NULL: it stands for none. */
char *store_name_reference(const char *file_name);

#endif
