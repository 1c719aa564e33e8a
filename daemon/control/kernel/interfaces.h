/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns control's picture of the machine's interfaces, as the keeper tells them. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_INTERFACES_H
#define POSTERN_DAEMON_CONTROL_KERNEL_INTERFACES_H

#include "daemon/control/kernel/link.h"
#include "lib/ipc/kernel.h"
#include "lib/policy/policy.h"

struct control;

/* One that came, or changed. */
void interfaces_put(struct control *control, const struct ipc_link *ipc);
void interfaces_del(struct control *control, uint32_t ifindex);
void interfaces_free(struct control *control);

/* The zone that has an interface of this name; NULL: none. */
const struct policy_zone *interfaces_zone_of(const struct policy *policy, const char *name);
/* The zone that an interface was taken out of by a new name; NULL: it is where it was. */
const struct policy_zone *interfaces_left_zone(
	const struct control *control, const struct control_link *link);

#endif
