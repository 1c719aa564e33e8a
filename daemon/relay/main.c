/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A relay process: the order of its start and its end. */
#include "daemon/relay/relay.h"

#include "daemon/base/log.h"
#include "daemon/base/privilege.h"
#include "daemon/relay/connect/question.h"
#include "daemon/relay/dispatch.h"
#include "daemon/relay/match.h"
#include "daemon/relay/orders.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Flows at most, whatever the descriptors; the policy's own limit is usually lower. */
#define FLOWS_MAX 65536u
#define FLOWS_MIN 16u
/* Channels, listeners, epoll, log, questions to hosts; sockets in stock. */
#define DESCRIPTORS_BESIDE (128u + 2 * STOCK_SIZE)

/* Two descriptors a flow, and pipes. */
static uint32_t flows_by_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return FLOWS_MIN;
	rlim_t beside = DESCRIPTORS_BESIDE + 2 * SPLICE_PIPES_MAX;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur / 2 > FLOWS_MAX + beside)
		return FLOWS_MAX;
	if (limit.rlim_cur < beside + 2 * FLOWS_MIN)
		return FLOWS_MIN;
	return (uint32_t)(limit.rlim_cur - beside) / 2;
}

static void sweep(void *context)
{
	struct relay *relay = context;

	flow_sweep(relay);
	record_round(&relay->ways.records);
}

/* All that needs memory or descriptors, before the first flow. */
static int set_up(struct relay *relay)
{
	uint32_t flows = flows_by_descriptors();
	int rc;

	if ((rc = orders_open(relay)) < 0 ||
		(rc = flow_table_init(&relay->table, flows, &dispatch_face)) < 0 ||
		(rc = copy_tools_init(&relay->tools, flows, SPLICE_PIPES_MAX)) < 0 ||
		(rc = way_host_init(&relay->ways, &relay->child, &relay->replica, flows)) < 0 ||
		(rc = host_answers_init(&relay->hosts)) < 0 ||
		(rc = hand_init(relay, match_again)) < 0)
		return rc;
	accept_init(relay);
	loop_after_batch(relay->loop, sweep, relay);
	log_info("room for %u flows", flows);
	return 0;
}

static bool end_at_exit(struct flow *flow, void *context)
{
	(void)context;
	if (flow_is_sent(flow))
		hand_leave(flow);
	else
		flow_end(flow, ENDING_RELAY_DIED, true);
	return true;
}

static void take_down(struct relay *relay)
{
	if (relay->table.flows.base) {
		flow_each(&relay->table, end_at_exit, NULL);
		flow_sweep(relay);
	}
	for (size_t i = 0; i < relay->hosts.n; i++)
		question_stop(&relay->hosts.v[i]);
	if (relay->accept.listeners[0].relay)
		accept_fini(relay);
	hand_fini(relay);
	host_answers_fini(&relay->hosts);
	copy_tools_fini(&relay->tools);
	flow_table_fini(&relay->table);
	way_host_fini(&relay->ways);
	replica_fini(&relay->replica);
	child_fini(&relay->child);
	free(relay);
}

int relay_main(const struct process_start *start)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	if (!relay)
		return 1;
	relay->start = start;
	int status = child_run(&relay->child, set_up(relay));
	take_down(relay);
	return status;
}
