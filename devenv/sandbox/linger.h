/* SPDX-License-Identifier: Apache-2.0 */
/* linger.h - how long pid 1 stays. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_LINGER_H
#define DEVENV_SANDBOX_LINGER_H

/* Returns when the last session has been gone for `seconds`, with the lock that keeps new ones out (holder.c). */
void linger_until_last(int lock_fd, unsigned int seconds);

#endif
