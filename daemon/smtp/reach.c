#include "daemon/smtp/reach.h"

#include "daemon/smtp/smtp.h"
#include "lib/choice.h"
#include "lib/decide.h"
#include "lib/target.h"

struct look {
	const struct smtp_flow *flow;
	struct reach *reach;
};

static void take_hosts(const struct look *look, const struct replica_server *list)
{
	enum addr_family client = look->flow->way.client.addr.family;

	for (size_t i = 0; i < list->n; i++) {
		const struct ipc_target *host = &list->v[i];
		if (!choice_may(host, client) || host->state == TARGET_DOWN)
			continue;
		look->reach->is_up = true;
		look->reach->offers &= host->offers;
	}
}

/* Of the original nothing is known, nor of a host whose name was not looked up yet. */
static void take_server(void *context, ptrdiff_t server)
{
	const struct look *look = context;
	const struct way *way = &look->flow->way;
	const struct replica_server *list =
		server < 0 ? NULL
			   : replica_targets_of(&look->flow->smtp->replica.targets, way->policy,
				     (int32_t)server);

	look->reach->any = true;
	if (list)
		take_hosts(look, list);
	if (list && !list->is_open)
		return;
	look->reach->is_up = true;
	look->reach->offers = 0;
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
