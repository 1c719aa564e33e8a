/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/envelope/client_name.h"

#include "daemon/smtp/smtp.h"
#include "lib/ipc/health.h"

#include <stdlib.h>
#include <string.h>

#define WAIT_MS 5000

struct client_name_wait {
	uint64_t until_ms;
	bool late;                    /* the time is over; what still comes is taken */
	struct ipc_looked_up *answer; /* NULL: none came */
};

static struct client_name_wait **place_of(const struct smtp_flow *flow)
{
	struct smtp_flow_table *table = &flow->smtp->table;

	return &table->names[pool_number(&table->flows, flow)];
}

/* What does not go now goes with the next control. */
static void ask_control(struct smtp_flow *flow)
{
	struct ipc_lookup ipc;

	ipc_init(&ipc, IPC_LOOKUP, sizeof(ipc));
	ipc.flow = flow->way.id;
	ipc.place = pool_number(&flow->smtp->table.flows, flow);
	ipc.addr = flow->way.client.addr;
	smtp_send(flow->smtp, &ipc);
}

void client_name_ask(struct smtp_flow *flow)
{
	struct client_name_wait **place = place_of(flow);

	if (*place || flow->way.listener < 0)
		return;
	*place = calloc(1, sizeof(**place));
	if (!*place)
		return;
	flow->asked = true;
	(*place)->until_ms = loop_now_ms(flow->smtp->loop) + WAIT_MS;
	ask_control(flow);
}

static bool is_awaited(const struct client_name_wait *wait)
{
	return wait && !wait->answer && !wait->late;
}

bool client_name_waits(struct smtp_flow *flow)
{
	client_name_ask(flow);
	return is_awaited(*place_of(flow));
}

uint64_t client_name_deadline(const struct smtp_flow *flow)
{
	const struct client_name_wait *wait = flow->asked ? *place_of(flow) : NULL;

	return is_awaited(wait) ? wait->until_ms : UINT64_MAX;
}

void client_name_on_deadline(struct smtp_flow *flow)
{
	struct client_name_wait *wait = *place_of(flow);

	if (!is_awaited(wait))
		return;
	wait->late = true;
	smtp_count(flow->smtp, COUNTER_LOOKUPS_UNANSWERED);
}

/* Of the flow that has its place now, or of one before. */
static bool is_of(const struct smtp_flow *flow, const struct ipc_looked_up *ipc)
{
	return flow->state != SMTP_FLOW_FREE && flow->state != SMTP_FLOW_DONE &&
	       flow->way.id == ipc->flow && addr_equal(&flow->way.client.addr, &ipc->addr);
}

void client_name_take(struct smtp *smtp, const struct ipc_looked_up *ipc)
{
	struct smtp_flow *flow = ipc->place < smtp->table.flows.fresh
					 ? pool_piece(&smtp->table.flows, ipc->place)
					 : NULL;
	struct client_name_wait *wait = flow ? *place_of(flow) : NULL;

	if (!wait || wait->answer || !is_of(flow, ipc))
		return;
	if (flow->identified > 0) /* what is said in several commands is said by one knowledge */
		return;
	wait->answer = malloc(ipc->header.bytes);
	if (!wait->answer)
		return;
	memcpy(wait->answer, ipc, ipc->header.bytes);
	smtp_run(flow);
}

static bool ask_one_again(struct smtp_flow *flow, void *context)
{
	(void)context;
	if (!is_awaited(*place_of(flow)))
		return false;
	ask_control(flow);
	return true;
}

void client_name_ask_again(struct smtp *smtp)
{
	smtp_flow_each(&smtp->table, ask_one_again, NULL);
}

void client_name_end(struct smtp_flow *flow)
{
	struct client_name_wait **place = place_of(flow);

	if (*place)
		free((*place)->answer);
	free(*place);
	*place = NULL;
}

void client_name_fill(const struct smtp_flow *flow, const char *room[static CLIENT_NAMES_MAX],
	struct decide_origin *origin)
{
	const struct client_name_wait *wait = *place_of(flow);
	const struct ipc_looked_up *answer = wait ? wait->answer : NULL;

	origin->hosts = room;
	origin->nhosts = answer ? answer->n : 0;
	origin->hosts_open = !answer || answer->known != CLIENT_NAMES_KNOWN;
	for (size_t i = 0; i < origin->nhosts; i++)
		room[i] = answer->names[i];
}

void client_name_identify(const struct smtp_flow *flow, struct xclient_identity *identity)
{
	const struct client_name_wait *wait = *place_of(flow);
	const struct ipc_looked_up *answer = wait ? wait->answer : NULL;

	if (flow->way.listener < 0) /* a guest's name is nobody's business */
		return;
	identity->name_open = !answer || answer->known != CLIENT_NAMES_KNOWN;
	if (!answer)
		return;
	identity->name = answer->n > 0 ? answer->names[0] : NULL;
	identity->reverse_name = *answer->reverse ? answer->reverse : NULL;
}
