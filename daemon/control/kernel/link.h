/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what control knows of one interface. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_LINK_H
#define POSTERN_DAEMON_CONTROL_KERNEL_LINK_H

#include "lib/policy/policy.h"

#include <stdbool.h>
#include <stdint.h>

struct control_link {
	uint32_t ifindex;
	bool has_mac, up, running;
	uint32_t carrier_downs;
	char name[POLICY_IFNAME_SIZE];
	/* Its last other name that was in a zone; "": it had none. What comes in by a name that is
	 * in no zone is not redirected, and no rule says so. */
	char was[POLICY_IFNAME_SIZE];
};

#endif
