/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/envelope/reach.h"

#include "daemon/smtp/smtp.h"
#include "lib/policy/decide/decide.h"

struct look {
	const struct smtp_flow *flow;
	struct reach *reach;
};

static void take_server(void *context, const struct policy_rule *rule, ptrdiff_t server)
{
	(void)rule;
	const struct look *look = context;
	const struct way *way = &look->flow->way;
	uint8_t offers;
	bool is_up = replica_targets_serve(replica_targets_of(&look->flow->smtp->replica.targets,
						   way->policy, (int32_t)server),
		way->client.addr.family, &offers);

	look->reach->any = true;
	if (server >= 0 && way->policy->servers[server].announce == POLICY_ANNOUNCE_XCLIENT)
		look->reach->named = true;
	if (!is_up)
		return;
	look->reach->is_up = true;
	look->reach->offers &= offers;
}

void reach_look(const struct smtp_flow *flow, const struct decide_world *world,
	const struct decide_origin *origin, const struct decide_envelope *envelope,
	struct reach *reach)
{
	struct look look = {flow, reach};

	*reach = (struct reach){.offers = UINT8_MAX};
	decide_reach(world, origin, envelope, way_now_ms(&flow->way), take_server, &look);
	if (!reach->is_up)
		reach->offers = 0;
}
