/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns admission: the verdict on the first packet of a client that the kernel does not know. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_ADMIT_H
#define POSTERN_DAEMON_CONTROL_KERNEL_ADMIT_H

#include "lib/ipc/kernel.h"

struct control;

/* How long the kernel may keep a verdict, in milliseconds. */
#define ADMIT_NEGATIVE_MS 5000    /* of a refusal, or of a client that is not logged in */
#define ADMIT_POSITIVE_MS 3600000 /* at most, of a session's verdict */

/* Decides a packet and sends the verdict to the keeper. */
void admit_decide(struct control *control, const struct ipc_admit *admit);

#endif
