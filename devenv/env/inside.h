/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what a session finds of the host and of devenv, all of it in the generated layer: no mount, no cost at start. */
#ifndef DEVENV_ENV_INSIDE_H
#define DEVENV_ENV_INSIDE_H

#include "env/draft.h"

/* inside.c: certificates where the image has none, terminal descriptions that it lacks. */
int inside_put_certificates(struct draft *d, struct err *e);
int inside_put_terminals(struct draft *d, struct err *e);
/* inside_programs.c: `devenv` and, where the image has none, `sudo`: scripts that run, answer or say what to type. */
int inside_put_programs(struct draft *d, struct err *e);

#endif
