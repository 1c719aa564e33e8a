/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/block_change.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/peers/flow_carrier.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/request/monitor.h"
#include "daemon/control/session/end_passed.h"
#include "daemon/control/session/sessions.h"
#include "daemon/control/store/durable.h"
#include "lib/base/container.h"
#include "lib/record/flowid.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define ENDS_A_TURN 200
#define ARM_MOST_MS 60000
#define LIMIT_TEXT  "You are sending too much; try again later"

json_t *block_row(const struct control *control, const struct block *block)
{
	uint64_t now_ms = clock_now_ms(control);
	char who[PREFIX_TEXT_SIZE], by[BLOCK_LIMIT_SIZE + 16], flow[FLOWID_TEXT_SIZE];
	json_t *left = json_null();

	if (block->until_ms)
		left = json_integer(block->until_ms > now_ms
					    ? (json_int_t)((block->until_ms - now_ms + 999) / 1000)
					    : 0);
	if (*block->limit)
		snprintf(by, sizeof(by), "%s", block->limit);
	else
		snprintf(by, sizeof(by), "uid %" PRIu32, block->uid);
	if (block->kind == BLOCK_MAC)
		mac_format(&block->mac, who);
	if (block->kind == BLOCK_ADDRESS)
		prefix_format(&block->prefix, who);
	return json_pack("{s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "kind",
		block_kind_names[block->kind], "who",
		json_row_text(block->kind == BLOCK_USER ? block->user : who), "zone",
		*block->zone ? json_row_text(block->zone) : json_null(), "answer", (int)block->code,
		"since_at", json_row_time(clock_to_wall(control, block->since_ms)), "until_at",
		json_row_time(clock_to_wall(control, block->until_ms)), "left_s", left, "by",
		json_row_text(by), "flow",
		block->flow ? json_string(flowid_format(block->flow, flow)) : json_null(), "text",
		json_row_text(block->text));
}

static void tell(struct control *control, const char *event, const struct block *block)
{
	char subject[BLOCK_SUBJECT_SIZE], flow[FLOWID_TEXT_SIZE] = "", uid[16];

	snprintf(uid, sizeof(uid), "%" PRIu32, block->uid);
	if (block->flow)
		flowid_format(block->flow, flow);
	log_event(POLICY_LOG_INFO, LOG_ID_BLOCK,
		LOG_FIELDS({LOG_FIELD_USER, block->user}, {LOG_FIELD_ZONE, block->zone},
			{LOG_FIELD_FLOW, flow}, {LOG_FIELD_UID, *block->limit ? "" : uid}),
		"%s: %s%s%s%s%s", event, log_person(block_format_subject(block, subject)),
		*block->limit ? ", over " : "", block->limit, *flow ? " with flow " : "", flow);
	if (monitor_wanted(control, MONITOR_SESSION))
		monitor_publish_row(control, MONITOR_SESSION, event, block_row(control, block));
}

static int end_session(void *context, struct session *session)
{
	struct control *control = context;

	sessions_drop_entries(control->sessions, session);
	control->flow_carrier->face->kill_unknown(
		control->flow_carrier, session, ENDING_KILLED_BLOCK);
	end_passed_of_session(control->end_passed, session);
	return 0;
}

/* Sessions of a user, of these sources. */
struct blocked {
	struct control *control;
	unsigned sources;
};

static int end_session_of(void *context, struct session *session)
{
	const struct blocked *blocked = context;

	return blocked->sources & 1u << session->kind ? end_session(blocked->control, session) : 0;
}

/* What the kernel remembers of the client goes, and what it lets pass ends; the relays end what
 * they hold when they hear of the block. */
static void end_kernel_side(struct control *control, const struct block *block)
{
	const char *user = block->user;
	struct blocked blocked = {control, policy_user_sources(&user)};

	switch ((enum block_kind)block->kind) {
	case BLOCK_USER:
		session_table_each_user(control->table, user, end_session_of, &blocked);
		break;
	case BLOCK_MAC:
		session_table_each_mac(control->table, &block->mac, end_session, control);
		entries_drop_mac(control->entries, &block->mac);
		entries_drop_unnamed(control->entries);
		end_passed_of_mac(control->end_passed, &block->mac);
		break;
	case BLOCK_ADDRESS:
		entries_drop_prefix(control->entries, &block->prefix);
		end_passed_of_prefix(control->end_passed, &block->prefix);
		break;
	}
}

/* They know the monotonic clock. */
void block_change_for_relays(const struct control *control, struct block *block)
{
	block->since_ms = clock_to_monotonic(control, block->since_ms);
	block->until_ms = clock_to_monotonic(control, block->until_ms);
}

static void send_change(
	struct control *control, const struct block *block, bool add, struct gather *gather)
{
	struct ipc_block ipc;

	ipc_init(&ipc, IPC_BLOCK, sizeof(ipc));
	ipc.add = add;
	ipc.block = *block;
	block_change_for_relays(control, &ipc.block);
	if (gather)
		flow_peers_gather(control->flow_peers, gather, &ipc);
	else
		flow_peers_send(control->flow_peers, &ipc);
}

int block_change_put(struct control *control, const struct block *block, struct gather *gather)
{
	int error = blocks_put(control->blocks, block);

	if (error)
		return error;
	send_change(control, block, true, gather);
	end_kernel_side(control, block);
	control->flow_carrier->face->kill_blocked(control->flow_carrier);
	entries_send(control->entries, gather);
	durable_put_block(control, block, gather);
	block_change_arm(control);
	tell(control, "blocked", block);
	return 0;
}

/* A blocked client has no entry in the kernel's cache: there is nothing to be taken out. */
static int remove_block(struct control *control, const struct block *subject, const char *event,
	struct gather *gather)
{
	const struct block *found = blocks_find(control->blocks, subject);

	if (!found)
		return -ENOENT;
	struct block block = *found;
	blocks_del(control->blocks, &block);
	send_change(control, &block, false, gather);
	durable_del_block(control, &block, gather);
	block_change_arm(control);
	tell(control, event, &block);
	return 0;
}

int block_change_del(struct control *control, const struct block *subject, struct gather *gather)
{
	return remove_block(control, subject, "unblocked", gather);
}

/* Several relays may tell of one client, and an operator may have blocked it for longer. */
void block_change_by_limit(struct control *control, const struct ipc_block *ipc)
{
	uint64_t now_ms = clock_now_ms(control);
	struct block block = ipc->block;
	block.since_ms = clock_from_monotonic(control, block.since_ms);
	block.until_ms = clock_from_monotonic(control, block.until_ms);
	const struct block *now = blocks_find(control->blocks, &block);

	if (!ipc->add || !*block.limit || block.until_ms <= now_ms)
		return;
	if (now && (!now->until_ms || now->until_ms > now_ms))
		return;
	snprintf(block.text, sizeof(block.text), "%s", LIMIT_TEXT);
	int error = block_change_put(control, &block, NULL);
	if (error)
		log_warning("a client over its limit cannot be blocked: %s", strerror(-error));
	else
		control->counters[COUNTER_BLOCKS_BY_LIMIT]++;
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct control *control = container_of(timer, struct control, block_timer);
	uint64_t steady_ms = clock_now_ms(control);
	(void)now_ms;

	for (unsigned i = 0; i < ENDS_A_TURN; i++) {
		const struct block *block = blocks_next_end(control->blocks);
		if (!block || block->until_ms > steady_ms)
			break;
		remove_block(control, block, "block-over", NULL);
	}
	block_change_arm(control);
}

void block_change_arm(struct control *control)
{
	const struct block *block = blocks_next_end(control->blocks);
	uint64_t now_ms = clock_now_ms(control);

	if (!block) {
		block_change_disarm(control);
		return;
	}
	uint64_t left_ms = block->until_ms > now_ms ? block->until_ms - now_ms : 0;
	control->block_timer.on_time = on_time;
	loop_timer_set(control->loop, &control->block_timer,
		loop_now_ms(control->loop) + (left_ms < ARM_MOST_MS ? left_ms : ARM_MOST_MS));
}

void block_change_disarm(struct control *control)
{
	if (control->loop)
		loop_timer_clear(control->loop, &control->block_timer);
}
