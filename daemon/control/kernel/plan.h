/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a policy's plan for the kernel on its way to the keeper. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_PLAN_H
#define POSTERN_DAEMON_CONTROL_KERNEL_PLAN_H

#include "kernel-rules/plan.h"

struct control;
struct gather;

/* As bytes, malloc'ed. 0 or -errno. */
int kernel_plan_encode(struct control *control, const struct policy *policy, enum plan_mode mode,
	uint8_t **bytes, size_t *len);
/* In a gather's part if one is given. lenient: where a listener cannot have its address and port,
 * it has it later. 0 or -errno. */
int kernel_plan_send(struct control *control, const struct policy *policy, enum plan_mode mode,
	bool lenient, struct gather *gather);
/* All processes go by the policy of the plan that was sent last: what listens for another one is
 * closed. */
void kernel_plan_settled(struct control *control);

/* Adds to a plan of the policy what health has told about such servers. 0 or -errno. */
int kernel_plan_add_hosts(struct control *control, const struct policy *policy, struct plan *plan);

#endif
