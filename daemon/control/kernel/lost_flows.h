/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the watch over connections that the kernel steered and that no relay ever got: whatever
 * takes them on the way, another program's mark, ip rule or filter, or a bridge's setting. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_LOST_FLOWS_H
#define POSTERN_DAEMON_CONTROL_KERNEL_LOST_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

struct control;
struct lost_flows;

struct lost_flows *lost_flows_new(struct control *control);
void lost_flows_free(struct lost_flows *lost_flows); /* NULL is allowed */
/* Begins to count, six times a minute. The keeper is to be asked from now on. */
void lost_flows_begin(struct lost_flows *lost_flows);
/* Another policy is in force: the count begins anew. */
void lost_flows_forget(struct lost_flows *lost_flows);
/* Of how many connections steered in the last minute how many were lost, if so many that it is no
 * client's doing, and if it goes on. */
bool lost_flows_last_minute(
	const struct lost_flows *lost_flows, uint64_t *missing, uint64_t *steered);

#endif
