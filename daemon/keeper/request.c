/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each process may ask of the privileged side: this one short table. Control is not believed
 * more than its ipcs: each is bounded, and a plan is held against the keeper's own options. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "kernel-rules/conntrack.h"
#include "kernel-rules/neighbour.h"
#include "lib/ipc/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* To control. */
static void say_reply(
	struct keeper *keeper, uint32_t seq, int status, uint32_t value, const char *text)
{
	struct ipc_reply reply;

	if (!seq)
		return;
	ipc_init(&reply, IPC_REPLY, sizeof(reply));
	reply.header.seq = seq;
	reply.status = status;
	reply.value = value;
	snprintf(reply.text, sizeof(reply.text), "%s", text ? text : "");
	keeper_child_send(&keeper->control, &reply, -1);
}

static void on_ready(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	(void)fd;
	keeper->face->on_ready(keeper);
	say_reply(keeper, ipc->seq, 0, 0, NULL);
}

static void on_verdict(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	(void)fd;
	keeper_admit_on_verdict(keeper, (const struct ipc_verdict *)ipc);
}

/* NULL: the plan is one that this keeper may program. */
static const char *refuse_plan(const struct keeper *keeper, const struct plan *plan)
{
	const struct process_options *options = &keeper->options;

	if (plan->mark_mask != options->mark_mask || plan->server_mask != options->server_mask ||
		plan->relay_port != options->relay_port || plan->queue != options->queue ||
		plan->route_table != options->route_table ||
		plan->rule_priority != options->rule_priority)
		return "the plan's numbers are not those of the command line";
	if (plan_check(plan) < 0)
		return "the plan is not one that can be programmed";
	return NULL;
}

/* First what may be refused, then what is in force at once. */
static int apply_running(struct keeper *keeper, struct plan *plan, bool lenient, const char **text)
{
	static char why[IPC_TEXT_SIZE];
	int error = keeper_endpoint_prepare(keeper, plan, lenient, why);

	if (error) {
		*text = why;
		return error;
	}
	error = keeper_kernel_apply(keeper, plan);
	if (!error) {
		keeper_endpoint_keep(keeper, &keeper->plan);
		return 0;
	}
	keeper_endpoint_give_up(keeper);
	*text = "the kernel did not take the plan";
	if (error == -EBUSY)
		*text = "the table belongs to another program that runs";
	else if (error == -EMSGSIZE)
		*text = "the policy has more zones, interfaces and networks than the kernel takes "
			"at once";
	else if (error == -ENOENT && plan_has_paths(plan))
		*text = "the kernel did not take the plan: path kernel needs its modules "
			"nft_chain_nat, nft_nat, nft_masq, nft_log, nfnetlink_log, nft_fib_inet "
			"and nft_connlimit";
	return error;
}

static int apply_plan(struct keeper *keeper, struct plan *plan, bool lenient, const char **text)
{
	*text = refuse_plan(keeper, plan);
	if (*text)
		return -EINVAL;
	if (keeper->phase >= KEEPER_STOPPING) {
		*text = "Postern is stopping";
		return -ESHUTDOWN;
	}
	if (plan->mode == PLAN_BARE) {
		int kept = keeper_posture_take(keeper, plan);
		if (!kept)
			plan_fini(plan);
		return kept;
	}
	return apply_running(keeper, plan, lenient, text);
}

static void on_plan(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	const struct ipc_plan *order = (const struct ipc_plan *)ipc;
	const uint64_t begin_ms = order->begin_ms;
	const char *text = "the plan could not be read";
	struct plan plan = {0};
	void *bytes;
	size_t len;

	int error = channel_map(fd, &bytes, &len);
	if (!error) {
		error = len > PLAN_BYTES_MAX ? -E2BIG : plan_decode(bytes, len, &plan);
		munmap(bytes, len);
	}
	if (!error && begin_ms && loop_now_ms(keeper->loop) > begin_ms) {
		text = "it came to the keeper too late";
		error = -ETIME;
		plan_fini(&plan);
	}
	if (!error) {
		error = apply_plan(keeper, &plan, order->lenient, &text);
		if (error)
			plan_fini(&plan);
	}
	if (error && error != -EEXIST)
		log_error("plan refused: %s (%s)", text, strerror(-error));
	say_reply(keeper, ipc->seq, error, 0, error ? text : NULL);
}

static void on_entries(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	const struct ipc_entries *entries = (const struct ipc_entries *)ipc;
	static struct client_change changes[IPC_ENTRIES_MAX];
	int error = 0;

	(void)fd;
	if (entries->flush)
		error = clients_flush(keeper->table);
	for (uint32_t i = 0; i < entries->n; i++)
		changes[i] = keeper_admit_change(&entries->v[i]);
	if (!error && entries->n)
		error = clients_change(keeper->table, changes, entries->n);
	/* without a table there are no entries, which is what was wanted */
	if (error == -ENOENT)
		error = 0;
	if (error)
		keeper_event(keeper, IPC_EVENT_ENTRY_FAILED, "%s", strerror(-error));
	say_reply(keeper, ipc->seq, error, 0, error ? strerror(-error) : NULL);
}

static void on_paths(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;

	(void)fd;
	int error = keeper_kernel_lead_paths(keeper, (const struct ipc_paths *)ipc);
	say_reply(keeper, ipc->seq, error, 0, error ? strerror(-error) : NULL);
}

static void on_bypass(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	const struct ipc_bypass *bypass = (const struct ipc_bypass *)ipc;
	const char *zone = bypass->zone[0] ? bypass->zone : NULL;

	(void)fd;
	int error = bypass->on ? table_bypass_on(keeper->table, zone, bypass->seconds)
			       : table_bypass_off(keeper->table, zone);
	say_reply(keeper, ipc->seq, error, 0,
		error == -ENOENT ? "no such zone in the kernel's table"
		: error == -ENOTEMPTY
			? "bypass is on for all zones: end it with `posternctl bypass off`"
		: error ? strerror(-error)
			: NULL);
}

struct rows {
	struct keeper *keeper;
	uint32_t seq, n;
};

static void tell_client(void *context, const struct client *client)
{
	struct rows *rows = context;
	struct ipc_client row;

	ipc_init(&row, IPC_CLIENT, sizeof(row));
	row.header.seq = rows->seq;
	row.entry.add = 1;
	row.entry.mark = (uint8_t)client->mark;
	row.entry.path = client->path;
	row.entry.has_mac = mac_is_set(&client->mac);
	row.entry.mac = client->mac;
	row.entry.source = client->addr;
	row.entry.timeout_ms = client->timeout_ms == 0           ? 1
			       : client->timeout_ms > UINT32_MAX ? UINT32_MAX
								 : (uint32_t)client->timeout_ms;
	memcpy(row.entry.ifname, client->ifname, sizeof(row.entry.ifname));
	row.packets = client->packets;
	rows->n++;
	keeper_child_send(&rows->keeper->control, &row, -1);
}

static void on_clients_get(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	struct rows rows = {.keeper = keeper, .seq = ipc->seq};

	(void)fd;
	int error = clients_dump(keeper->table, tell_client, &rows);
	if (error == -ENOENT)
		error = 0;
	say_reply(keeper, ipc->seq, error, rows.n, error ? strerror(-error) : NULL);
}

static void on_kernel_counters_get(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	struct ipc_kernel_counters answer;
	struct table_counters counters = {0};

	(void)fd;
	int error = table_counters(keeper->table, &counters);
	if (error && error != -ENOENT) {
		say_reply(keeper, ipc->seq, error, 0, strerror(-error));
		return;
	}
	ipc_init(&answer, IPC_KERNEL_COUNTERS, sizeof(answer));
	answer.header.seq = ipc->seq;
	answer.steered = counters.steered;
	answer.queued = counters.queued;
	answer.limited = counters.limited;
	answer.posture_reset = counters.posture_reset;
	answer.posture_passed = counters.posture_passed;
	answer.bypassed = counters.bypassed;
	answer.stray_reset = counters.stray_reset;
	answer.path_begun = counters.path_begun;
	answer.path_lost = counters.path_lost;
	answer.entries = clients_count(keeper->table);
	answer.native_queue = table_queue(keeper->table) == TABLE_QUEUE_NATIVE;
	answer.table_owned = table_is_owned(keeper->table);
	answer.admission = keeper->admission;
	keeper_child_send(&keeper->control, &answer, -1);
}

static void on_neighbour_get(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	const struct ipc_neighbour *question = (const struct ipc_neighbour *)ipc;
	struct ipc_neighbour answer;

	(void)fd;
	ipc_init(&answer, IPC_NEIGHBOUR, sizeof(answer));
	answer.header.seq = ipc->seq;
	answer.addr = question->addr;
	answer.ifindex = question->ifindex;
	neighbour_find(question->ifindex, &question->addr, &answer.mac);
	keeper_child_send(&keeper->control, &answer, -1);
}

#define ADDRESSES_MAX 64 /* of one MAC: what passes from more goes on */

/* How many passed connections were marked to end, or -errno. */
static int end_passed_of_mac(const struct keeper *keeper, const struct mac *mac)
{
	struct addr addresses[ADDRESSES_MAX];
	int n = neighbour_addresses(mac, addresses, ADDRESSES_MAX), marked = 0;

	for (int i = 0; i < n && i < ADDRESSES_MAX; i++) {
		struct prefix source = prefix_of(&addresses[i]);
		int killed = conntrack_kill(keeper->options.mark_mask, &source, NULL, 0);
		if (killed < 0)
			return killed;
		marked += killed;
	}
	return n < 0 ? n : marked;
}

static void on_cut(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	const struct ipc_cut *cut = (const struct ipc_cut *)ipc;

	(void)fd;
	int n = mac_is_set(&cut->mac)
			? end_passed_of_mac(keeper, &cut->mac)
			: conntrack_kill(keeper->options.mark_mask, &cut->source, NULL, 0);
	say_reply(keeper, ipc->seq, n < 0 ? n : 0, n < 0 ? 0 : (uint32_t)n,
		n < 0 ? strerror(-n) : NULL);
}

struct passing {
	struct keeper *keeper;
	struct ipc_passed *ipc;
};

static void send_passing(struct passing *passing)
{
	struct ipc_passed *ipc = passing->ipc;

	ipc->header.bytes = (uint32_t)(sizeof(*ipc) + ipc->n * sizeof(ipc->v[0]));
	if (ipc->n)
		keeper_child_send(&passing->keeper->control, ipc, -1);
	ipc->n = 0;
}

static void tell_passing(void *context, const struct addr *source, uint32_t unused_s)
{
	struct passing *passing = context;
	struct ipc_passed *ipc = passing->ipc;

	ipc->v[ipc->n++] = (struct ipc_passed_one){.source = *source, .unused_s = unused_s};
	if (ipc->n == IPC_PASSED_MAX)
		send_passing(passing);
}

static void on_passed_get(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	static _Alignas(struct ipc_passed) uint8_t
		room[sizeof(struct ipc_passed) + IPC_PASSED_MAX * sizeof(struct ipc_passed_one)];
	struct passing passing = {.keeper = keeper, .ipc = (struct ipc_passed *)room};

	(void)fd;
	ipc_init(room, IPC_PASSED, sizeof(struct ipc_passed));
	passing.ipc->header.seq = ipc->seq;
	passing.ipc->n = 0;
	int error = conntrack_each_passed(keeper->options.mark_mask, tell_passing, &passing);
	send_passing(&passing);
	say_reply(keeper, ipc->seq, error, 0, error ? strerror(-error) : NULL);
}

static void tell_fact(void *context, const char *text)
{
	struct rows *rows = context;
	struct ipc_text row;

	ipc_init(&row, IPC_TEXT, sizeof(row));
	row.header.seq = rows->seq;
	snprintf(row.text, sizeof(row.text), "%s", text);
	for (char *p = row.text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	rows->n++;
	keeper_child_send(&rows->keeper->control, &row, -1);
}

static void on_arrived_get(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	struct rows rows = {.keeper = keeper, .seq = ipc->seq};

	(void)fd;
	keeper_facts_tell_arrived(keeper, tell_fact, &rows);
	say_reply(keeper, ipc->seq, 0, rows.n, NULL);
}

static void tell_foreign(void *context, const void *bytes, size_t len)
{
	static _Alignas(16) uint8_t row[IPC_BYTES_MAX];
	struct ipc_foreign *ipc = (struct ipc_foreign *)row;
	struct rows *rows = context;

	if (len > sizeof(row) - sizeof(*ipc))
		return; /* the kernel has none as long */
	ipc_init(ipc, IPC_FOREIGN, sizeof(*ipc));
	ipc->header.bytes += (uint32_t)len;
	ipc->header.seq = rows->seq;
	ipc->n = (uint32_t)len;
	memcpy(ipc->bytes, bytes, len);
	rows->n++;
	keeper_child_send(&rows->keeper->control, ipc, -1);
}

static void on_foreign_get(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	struct rows rows = {.keeper = keeper, .seq = ipc->seq};

	(void)fd;
	keeper_foreign_copy(tell_foreign, &rows);
	say_reply(keeper, ipc->seq, 0, rows.n, NULL);
}

static void on_flows(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;

	(void)fd;
	int error = keeper_flow_log_answer(keeper, ipc);
	say_reply(keeper, ipc->seq, error, 0, error ? strerror(-error) : NULL);
}

static void on_wanted(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	(void)fd;
	keeper_child_want(keeper, ((const struct ipc_wanted *)ipc)->roles);
}

static void on_doctor_get(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	struct rows rows = {.keeper = keeper, .seq = ipc->seq};

	(void)fd;
	keeper_facts_tell(keeper, tell_fact, &rows);
	say_reply(keeper, ipc->seq, 0, rows.n, NULL);
}

/* The only question that the keeper asks: STOP, answered with the policy's drain time. */
static void on_reply(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	struct keeper *keeper = from->keeper;
	const struct ipc_reply *reply = (const struct ipc_reply *)ipc;

	(void)fd;
	if (ipc->seq == keeper->stop_seq)
		keeper->face->on_drain_time(keeper, reply->status < 0 ? 0 : reply->value);
}

static void on_log_level(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	(void)from;
	(void)fd;
	log_set_level(((const struct ipc_log_level *)ipc)->level);
}

static void on_pong(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	(void)ipc;
	(void)fd;
	from->missed = 0;
	from->answered = true;
	keeper_resume_on_answer(from->keeper);
}

static void on_sockets_get(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	(void)fd;
	keeper_socket_on_get(from, (const struct ipc_sockets_get *)ipc);
}

static void on_settled(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	(void)ipc;
	(void)fd;
	keeper_endpoint_settle(from->keeper);
}

#define ALL 0

/* Who may say what to the privileged side: whose role asks for it. */
static const struct {
	unsigned type;
	unsigned asks; /* enum role_asks, or ALL */
	bool takes_fd; /* the function closes it; else it is closed here */
	void (*act)(struct keeper_child *from, const struct ipc_header *ipc, int fd);
} requests[] = {
	{IPC_PONG, ALL, false, on_pong},
	{IPC_SOCKETS_GET, ASKS_SOCKETS, false, on_sockets_get},
	{IPC_READY, ASKS_KERNEL, false, on_ready},
	{IPC_VERDICT, ASKS_KERNEL, false, on_verdict},
	{IPC_ENTRIES, ASKS_KERNEL, false, on_entries},
	{IPC_PLAN, ASKS_KERNEL, true, on_plan},
	{IPC_PATHS, ASKS_KERNEL, false, on_paths},
	{IPC_BYPASS, ASKS_KERNEL, false, on_bypass},
	{IPC_CLIENTS_GET, ASKS_KERNEL, false, on_clients_get},
	{IPC_KERNEL_COUNTERS_GET, ASKS_KERNEL, false, on_kernel_counters_get},
	{IPC_NEIGHBOUR_GET, ASKS_KERNEL, false, on_neighbour_get},
	{IPC_CUT, ASKS_KERNEL, false, on_cut},
	{IPC_PASSED_GET, ASKS_KERNEL, false, on_passed_get},
	{IPC_DOCTOR_GET, ASKS_KERNEL, false, on_doctor_get},
	{IPC_ARRIVED_GET, ASKS_KERNEL, false, on_arrived_get},
	{IPC_FOREIGN_GET, ASKS_KERNEL, false, on_foreign_get},
	{IPC_FLOWS_LOOK, ASKS_KERNEL, false, on_flows},
	{IPC_FLOWS_CUT, ASKS_KERNEL, false, on_flows},
	{IPC_FLOWS_ALL, ASKS_KERNEL, false, on_flows},
	{IPC_SETTLED, ASKS_KERNEL, false, on_settled},
	{IPC_WANTED, ASKS_KERNEL, false, on_wanted},
	{IPC_LOG_LEVEL, ASKS_KERNEL, false, on_log_level},
	{IPC_REPLY, ASKS_KERNEL, false, on_reply},
};
#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

bool keeper_request_may(enum process_role role, unsigned type)
{
	for (size_t i = 0; i < REQUESTS; i++)
		if (requests[i].type == type)
			return requests[i].asks == ALL || roles[role].asks & requests[i].asks;
	return false;
}

void keeper_request_on_ipc(struct keeper_child *from, const struct ipc_header *ipc, int fd)
{
	unsigned type = ipc->type;
	char name[16];

	for (size_t i = 0; i < REQUESTS; i++) {
		if (requests[i].type != type || !keeper_request_may(from->role, type))
			continue;
		if (fd >= 0 && !requests[i].takes_fd)
			close(fd);
		requests[i].act(from, ipc, fd);
		return;
	}
	log_error("%s sent \"%s\", which it may not send: killing it",
		keeper_child_name(from, name), ipc_name(type));
	if (fd >= 0)
		close(fd);
	keeper_child_kill(from);
}
