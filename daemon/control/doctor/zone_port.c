/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/zone_port.h"

#include "lib/policy/policy.h"

uint16_t zone_port_after(const struct policy *policy, uint16_t port)
{
	uint16_t next = 0;
	for (size_t z = 0; z < policy->nzones; z++)
		for (size_t i = 0; i < policy->zones[z].ports.n; i++) {
			uint16_t one = policy->zones[z].ports.v[i];
			if (one > port && (!next || one < next))
				next = one;
		}
	return next;
}
