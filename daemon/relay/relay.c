/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/relay.h"

const struct picture *relay_picture(const struct relay *relay)
{
	return relay->replica.now;
}

const char *relay_name(const struct relay *relay)
{
	const struct policy *policy = relay->replica.now->policy;
	return policy && policy->hostname.len > 0 ? policy->hostname.text : relay->child.machine;
}
