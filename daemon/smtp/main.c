/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smtp process: it speaks SMTP with the clients that its relay hands over or that come to the
 * policy's listeners, and with the servers that its policy says. What it reads is hostile; no flow
 * that is only passed on is in its memory.
 */
#include "daemon/smtp/smtp.h"

#include "daemon/smtp/dispatch.h"

#include "daemon/base/log.h"
#include "daemon/flow/load.h"
#include "daemon/smtp/body.h"
#include "daemon/smtp/envelope/allowance.h"
#include "daemon/smtp/envelope/client_name.h"
#include "daemon/smtp/order.h"
#include "daemon/smtp/report.h"
#include "daemon/smtp/server.h"
#include "lib/base/container.h"
#include "lib/ipc/health.h"
#include "lib/milter/milter.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Flows at most, whatever the descriptors; the policy's own limit is usually lower. */
#define FLOWS_MAX 65536u
#define FLOWS_MIN 16u
/* Channels, epoll, log; sockets in stock. */
#define DESCRIPTORS_BESIDE 256u
#define PIECES_KEPT        64
/* So many flows at once may leave memory behind that is worth a walk over the heap. */
#define HEAP_FLOWS 64u

#define SMTP_OF(pointer) ((struct smtp *)(pointer))
_Static_assert(offsetof(struct smtp, child) == 0, "smtp begins with its child");

/* One that drains waits for its relay, too: that has clients in hand that it will hand over. One
 * that rests need not: all relays went by a policy that hands nothing over before it heard so. */
static void stop_when_done(struct smtp *smtp)
{
	if (!smtp->rests && !smtp->child.draining)
		return;
	take_drain(smtp);
	if (smtp_flow_count(&smtp->table) > 0 || (!smtp->rests && take_may_come(smtp)))
		return;
	child_send_counters(&smtp->child);
	if (!record_may_leave(&smtp->ways.records))
		return;
	smtp->child.draining = true; /* it ends as it was asked to */
	listen_end(smtp);
	loop_stop(smtp->loop);
}

/* ---- what it is told ---- */

static bool keeps_texts(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nscans; i++)
		if (policy->scans[i].mode == POLICY_SCAN_WHOLE)
			return true;
	return false;
}

static void fill_stock(struct smtp *smtp)
{
	stock_fill(&smtp->ways, smtp->table.binds > 0);
	if (smtp->picture_known && keeps_texts(smtp_picture(smtp)->policy))
		spool_expect(&smtp->spool);
}

static void on_complete(struct smtp *smtp)
{
	smtp->picture_known = true;
	fill_stock(smtp);
	order_end_blocked(smtp);
	record_flush(&smtp->ways.records);
	take_start(smtp);
	listen_follow(smtp);
	scanners_follow(smtp);
	client_name_ask_again(smtp);
}

static void on_change(struct child *child, enum replica_change change)
{
	struct smtp *smtp = SMTP_OF(child);

	switch (change) {
	case REPLICA_RENEWED:
		listen_follow(smtp);
		break;
	case REPLICA_CHANGED:
	case REPLICA_INQUIRY: /* hosts are not asked: no client speaks to them itself */
		break;
	case REPLICA_POLICY:
		fill_stock(smtp);
		listen_follow(smtp);
		scanners_follow(smtp);
		break;
	case REPLICA_BLOCKED:
		order_end_blocked(smtp);
		break;
	case REPLICA_COMPLETE:
		on_complete(smtp);
		break;
	}
}

static bool tell_flow(struct smtp_flow *flow, void *context)
{
	return smtp_report_live(flow, context) == 0;
}

static bool add_load(struct smtp_flow *flow, void *context)
{
	return load_add(context, &flow->way);
}

static uint32_t tell_loads(struct smtp *smtp, const struct ipc_header *request)
{
	struct load load;

	load_begin(&load, &smtp->ways, request);
	smtp_flow_each(&smtp->table, add_load, &load);
	return load_end(&load);
}

static bool on_control(struct child *child, const struct ipc_header *ipc, int *fd)
{
	struct smtp *smtp = SMTP_OF(child);
	const void *m = ipc;
	uint32_t n;

	if (replica_take(child, &smtp->replica, ipc, fd))
		return true;
	switch (ipc->type) {
	case IPC_FLOW_IDS: /* of what listeners take; else a flow's id is its relay's */
		ids_put(&smtp->ways.ids, m);
		break;
	case IPC_KILL:
		child_reply(child, ipc, 0, order_kill(smtp, m), "");
		break;
	case IPC_FLOWS_GET:
		record_flush(&smtp->ways.records); /* who is shown was told of */
		n = smtp_flow_each(&smtp->table, tell_flow, (void *)(uintptr_t)m);
		child_reply(child, ipc, 0, n, "");
		break;
	case IPC_SPOOL_FILE:
		spool_files_put(&smtp->spool.files, m, *fd);
		*fd = -1;
		spool_on_file(&smtp->spool);
		break;
	case IPC_LOOKED_UP:
		client_name_take(smtp, m);
		break;
	case IPC_RESOLVED:
		host_addresses_take(&smtp->hosts, m);
		break;
	case IPC_SCAN_TEST:
		scan_test_begin(smtp, m, *fd);
		*fd = -1;
		break;
	case IPC_LOOKUPS_LOST:
		client_name_ask_again(smtp);
		break;
	case IPC_LOADS_GET:
		n = tell_loads(smtp, ipc);
		child_reply(child, ipc, 0, n, "");
		break;
	default:
		return false;
	}
	return true;
}

static bool on_keeper(struct child *child, const struct ipc_header *ipc, int *fd)
{
	struct smtp *smtp = SMTP_OF(child);
	const void *m = ipc;

	switch (ipc->type) {
	case IPC_SOCKET:
		if (stock_put(&smtp->ways, m, *fd))
			smtp_server_on_stock(smtp);
		*fd = -1;
		break;
	case IPC_ENDPOINT:
		listen_put(smtp, m, *fd);
		*fd = -1;
		break;
	case IPC_ENDPOINT_GONE:
		listen_gone(smtp, m);
		break;
	case IPC_REST:
		smtp->rests = ((const struct ipc_rest *)m)->rests;
		stop_when_done(smtp);
		break;
	default:
		return false;
	}
	return true;
}

static void on_pair(struct child *child, enum process_role role, int fd)
{
	if (role == PROCESS_RELAY)
		take_on_pair(SMTP_OF(child), fd);
	else if (role == PROCESS_AUTH)
		login_on_pair(SMTP_OF(child), fd);
	else
		close(fd);
}

static void on_control_gone(struct child *child)
{
	ids_on_control_gone(&SMTP_OF(child)->ways.ids);
	spool_files_on_control_gone(&SMTP_OF(child)->spool.files);
	scan_tests_stop(SMTP_OF(child));
}

static void on_new_control(struct child *child)
{
	if (replica_begin(&SMTP_OF(child)->replica) < 0)
		log_error("no memory for what a new control tells");
	scanners_tell_again(&SMTP_OF(child)->scanners);
}

/* Its last words to this control. */
static void on_hand_over(struct child *child)
{
	record_flush(&SMTP_OF(child)->ways.records);
}

static void on_drain_end(struct loop_timer *timer, uint64_t now_ms)
{
	struct smtp *smtp = container_of(timer, struct smtp, drain_end);

	(void)now_ms;
	log_info("the drain time is over: %u flows are ended", order_end_all(smtp));
}

static void on_drain(struct child *child, uint32_t seconds)
{
	struct smtp *smtp = SMTP_OF(child);
	uint64_t end_ms = loop_now_ms(smtp->loop) + (uint64_t)seconds * 1000;

	if (!child->draining)
		log_info("draining %u flows, for %u s at most", smtp_flow_count(&smtp->table),
			seconds);
	child->draining = true;
	loop_timer_set(smtp->loop, &smtp->drain_end, end_ms);
	order_drain(smtp);
	stop_when_done(smtp);
}

/* A session of TLS is tens of small pieces among those of others: what a crowd leaves behind the
 * heap does not give back by itself. Once half of it is gone. */
static void trim_heap(struct smtp_flow_table *table)
{
	uint32_t flows = smtp_flow_count(table);

	if (table->most < HEAP_FLOWS || flows > table->most / 2)
		return;
	malloc_trim(0);
	table->most = flows;
}

static void on_tick(struct child *child)
{
	struct smtp *smtp = SMTP_OF(child);

	record_flush(&smtp->ways.records);
	fill_stock(smtp);
	spool_tick(&smtp->spool);
	scanners_tick(&smtp->scanners);
	pool_trim(&smtp->table.pieces, PIECES_KEPT);
	trim_heap(&smtp->table);
	stop_when_done(smtp);
}

static void fill_counters(struct child *child)
{
	child->counters[COUNTER_FLOWS_LIVE] = smtp_flow_count(&SMTP_OF(child)->table);
}

/* ---- its life ---- */

static uint64_t descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

/* For texts: this process's share, and not so many that flows have none. */
static uint32_t files_by_descriptors(const struct smtp *smtp)
{
	const unsigned processes = smtp->start->options.relays;
	uint32_t share = SPOOL_FILES / (processes ? processes : 1);

	return descriptors() / 8 < share ? (uint32_t)descriptors() / 8 : share;
}

/* Two descriptors a flow. */
static uint32_t flows_by_descriptors(uint32_t files)
{
	uint64_t all = descriptors(), beside = DESCRIPTORS_BESIDE + files;

	if (all / 2 > FLOWS_MAX + beside)
		return FLOWS_MAX;
	if (all < beside + 2 * FLOWS_MIN)
		return FLOWS_MIN;
	return (uint32_t)(all - beside) / 2;
}

static void sweep(void *context)
{
	struct smtp *smtp = context;

	smtp_flow_sweep(smtp);
	record_round(&smtp->ways.records);
}

/* For hosts that no policy says anything of. */
static int open_tls(struct smtp *smtp)
{
	char why[TLS_WHY_SIZE];

	smtp->tls_to_anybody = tls_context_server(&(struct tls_server_setup){0}, why);
	return smtp->tls_to_anybody ? 0 : -ENOMEM;
}

/* All that needs memory or descriptors, before the first flow. */
static int set_up(struct smtp *smtp)
{
	static const struct child_face face = {.on_control = on_control,
		.on_keeper = on_keeper,
		.on_control_gone = on_control_gone,
		.on_new_control = on_new_control,
		.on_pair = on_pair,
		.on_hand_over = on_hand_over,
		.on_drain = on_drain,
		.on_tick = on_tick,
		.fill_counters = fill_counters};
	uint32_t files = files_by_descriptors(smtp), flows = flows_by_descriptors(files);
	int error;

	smtp->take.waiting = -1;
	smtp->drain_end.on_time = on_drain_end;
	if ((error = child_open(&smtp->child, smtp->start, &face)) < 0)
		return error;
	smtp->loop = smtp->child.loop;
	listen_init(smtp);
	spool_files_init(&smtp->spool.files, &smtp->child, files);
	smtp->scan_bytes = malloc(MILTER_ROOM);
	if (!smtp->scan_bytes)
		return -ENOMEM;
	if ((error = spool_init(&smtp->spool, smtp->loop, body_on_ready)) < 0)
		return error;
	if ((error = tls_init()) < 0 ||
		(error = replica_init(&smtp->replica, smtp->start->options.relay_port, on_change)) <
			0 ||
		(error = open_tls(smtp)) < 0 || (error = take_init(smtp)) < 0 ||
		(error = smtp_flow_table_init(&smtp->table, flows, &dispatch_smtp_face)) < 0 ||
		(error = way_host_init(&smtp->ways, &smtp->child, &smtp->replica, flows)) < 0 ||
		(error = allowance_init(smtp, smtp->start->message_limit_fd)) < 0)
		return error;
	smtp->replica.targets.read = true;
	loop_after_batch(smtp->loop, sweep, smtp);
	log_info("room for %u flows", flows);
	return 0;
}

static void take_down(struct smtp *smtp)
{
	if (smtp->loop) {
		order_end_all(smtp);
		smtp_flow_sweep(smtp);
		listen_fini(smtp);
	}
	scan_tests_stop(smtp);
	login_fini(smtp);
	take_fini(smtp);
	if (smtp->loop)
		spool_fini(&smtp->spool);
	smtp_flow_table_fini(&smtp->table);
	scanners_fini(&smtp->scanners);
	host_addresses_fini(&smtp->hosts);
	free(smtp->scan_bytes);
	way_host_fini(&smtp->ways);
	tls_context_free(smtp->tls_to_anybody);
	replica_fini(&smtp->replica);
	child_fini(&smtp->child);
	free(smtp);
}

int smtp_main(const struct process_start *start)
{
	struct smtp *smtp = calloc(1, sizeof(*smtp));

	if (!smtp)
		return 1;
	smtp->start = start;
	smtp->stop_when_done = stop_when_done;
	int status = child_run(&smtp->child, set_up(smtp));
	take_down(smtp);
	return status;
}
