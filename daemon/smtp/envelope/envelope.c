/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/envelope/envelope.h"

#include "daemon/flow/charge.h"
#include "daemon/smtp/body.h"
#include "daemon/smtp/envelope/account.h"
#include "daemon/smtp/envelope/allowance.h"
#include "daemon/smtp/envelope/blocked.h"
#include "daemon/smtp/envelope/client_name.h"
#include "daemon/smtp/envelope/reach.h"
#include "daemon/smtp/note.h"
#include "daemon/smtp/report.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/wire/client.h"
#include "lib/policy/decide/decide.h"
#include "lib/policy/proof/relay.h"
#include "lib/policy/target.h"
#include "lib/smtp/text/received.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* `server original` says no deadlines: the language's defaults. */
#define FIRST_MS    25000
#define GREETING_MS 15000
#define COMMAND_MS  15000

static uint64_t now_of(const struct smtp_flow *flow)
{
	return loop_now_ms(flow->smtp->loop);
}

/* ---- what a decision rests on ---- */

static struct decide_world world_of(const struct smtp_flow *flow)
{
	const struct picture *picture = smtp_picture(flow->smtp);
	const struct loop *loop = flow->smtp->loop;

	return (struct decide_world){.policy = flow->way.policy,
		.lists = picture->lists,
		.blocks = picture->blocks,
		.is_host = way_is_host,
		.is_host_context = (void *)(uintptr_t)&flow->way,
		.local = localtime_r,
		.calendar_ahead_ms = (int64_t)(loop_wall_ms(loop) - loop_now_ms(loop))};
}

/* The user and his groups as they came with the flow: strings are in the process's storage. */
static const struct session *session_of(const struct smtp_flow *flow, struct session *session)
{
	const uint8_t *bytes = flow->session;

	if (!bytes || !session_decode(bytes, SESSION_ENCODED_LENGTH(bytes), session,
			      flow->smtp->take.storage))
		return NULL;
	return session;
}

/* room: as long as what is returned. */
static struct decide_origin origin_of(
	const struct smtp_flow *flow, const char *room[static CLIENT_NAMES_MAX])
{
	const struct way *way = &flow->way;
	struct decide_origin origin = {.of_listener = way->listener >= 0,
		.zone = way->zone < 0 ? 0 : (size_t)way->zone,
		.listener = way->listener < 0 ? 0 : (size_t)way->listener,
		.mac = way->mac,
		.source = way->client.addr};

	if (way->listener >= 0)
		client_name_fill(flow, room, &origin);
	return origin;
}

/* What could take a message is down: who hears it at once asks elsewhere, or later. */
static bool is_reachable(struct smtp_flow *flow)
{
	const struct decide_world world = world_of(flow);
	const char *room[CLIENT_NAMES_MAX];
	const struct decide_origin origin = origin_of(flow, room);
	struct session session;
	const struct decide_envelope envelope = {
		.session = session_of(flow, &session), .original = &flow->way.original};
	struct reach reach;

	reach_look(flow, &world, &origin, &envelope, &reach);
	flow->offers = reach.offers;
	flow->named |= reach.named && flow->way.listener >= 0;
	return reach.is_up || !reach.any;
}

/* Of a listener. */
static enum ending ending_of_accept(const struct smtp_flow *flow)
{
	const struct decide_world world = world_of(flow);
	const char *room[CLIENT_NAMES_MAX];
	const struct decide_origin origin = origin_of(flow, room);
	struct decision decision;

	decide_connection(&world, &origin, &flow->way.original, now_of(flow), &decision);
	return decision.reason == DECIDE_NOT_ACCEPTED ? ENDING_NOT_ACCEPTED
	       : decision.reason == DECIDE_NEEDS_NAME ? ENDING_NOT_NAMED
						      : ENDING_NONE;
}

/* Does anything hang on its names? They are asked for before a recipient needs them. */
static bool hangs_on_names(const struct smtp_flow *flow)
{
	const struct decide_world world = world_of(flow);
	const char *room[CLIENT_NAMES_MAX];
	const struct decide_origin origin = origin_of(flow, room);

	return decide_hangs_on_host(&world, &origin, now_of(flow));
}

static enum ending ending_of_greeting(struct smtp_flow *flow)
{
	struct way *way = &flow->way;

	if (way->listener < 0)
		way->zone =
			(int32_t)policy_find_zone_of(way->policy, way->ifname, &way->client.addr);
	if (!way_has_place(way))
		return ENDING_NO_ZONE;
	if (blocked_by(flow))
		return ENDING_BLOCKED;
	enum ending over = way->listener < 0 ? ENDING_NONE : ending_of_accept(flow);
	/* who waits for its name has its place of the limits, as all have who are not sent away */
	flow->hangs = over == ENDING_NOT_NAMED;
	flow->named = way->listener >= 0 && hangs_on_names(flow);
	if (over == ENDING_NOT_ACCEPTED)
		return over;
	over = charge_flow(way);
	if (over != ENDING_NONE)
		return over;
	return is_reachable(flow) || flow->hangs ? ENDING_NONE : ENDING_NO_SERVER;
}

void envelope_begin(struct smtp_flow *flow)
{
	flow->greeted = (uint8_t)ending_of_greeting(flow);
}

/* Its names are known, or will not be. */
static enum ending ending_by_name(struct smtp_flow *flow)
{
	enum ending why = ending_of_accept(flow);

	return why == ENDING_NONE && !is_reachable(flow) ? ENDING_NO_SERVER : why;
}

bool envelope_welcome(struct smtp_flow *flow, struct smtp_refusal *refusal)
{
	if (flow->greeted == ENDING_NONE && flow->hangs)
		flow->greeted = (uint8_t)ending_by_name(flow);
	flow->hangs = false;
	if (flow->greeted == ENDING_NONE)
		return true;
	if (flow->greeted == ENDING_BLOCKED) {
		const struct block *block = blocked_by(flow);
		*refusal = (struct smtp_refusal){421, "4.7.0", "you were blocked just now"};
		if (block)
			*refusal = (struct smtp_refusal){
				block->code, block->code == 554 ? "5.7.1" : "4.7.0", block->text};
		return false;
	}
	const bool of_all =
		flow->greeted == ENDING_OVER_FLOWS_ZONE || flow->greeted == ENDING_OVER_RATE_ZONE;
	const struct ending_reply *reply = ending_reply_of((enum ending)flow->greeted);
	*refusal = (struct smtp_refusal){reply->code, reply->enhanced, reply->text};
	if (of_all && flow->way.listener >= 0)
		refusal->text = "too many connections here";
	return false;
}

void envelope_set_up(const struct smtp_flow *flow, struct engine_setup *setup)
{
	const struct way *way = &flow->way;

	*setup = (struct engine_setup){.flow = way->id,
		.size_max = POLICY_SIZE_BYTES,
		.recipients_max = POLICY_RECIPIENTS};
	if (way->session)
		setup->flags |= ENGINE_SESSION | ENGINE_SUBMISSION;
	if (flow->offers & SMTP_OFFER_SMTPUTF8)
		setup->flags |= ENGINE_SMTPUTF8;
	if (flow->offers & SMTP_OFFER_DSN)
		setup->flags |= ENGINE_DSN;
	if (!way_has_place(way))
		return;
	allowance_set_up(flow, setup);
	const enum policy_newline newline = way->listener >= 0
						    ? way->policy->listeners[way->listener].newline
						    : way->policy->zones[way->zone].newline;
	/* a client that submits may be one that never heard of line ends */
	if (newline == POLICY_NEWLINE_REPAIR || (newline == POLICY_NEWLINE_DEFAULT && way->session))
		setup->flags |= ENGINE_REPAIR;
}

/* ---- verdicts ---- */

static void give(struct smtp_flow *flow, const struct engine_verdict *verdict)
{
	struct engine_verdict answer = *verdict;

	answer.ask = flow->engine.ask;
	engine_verdict(&flow->engine, &answer, now_of(flow), smtp_out(flow));
	smtp_act(flow);
}

static void decide(
	struct smtp_flow *flow, const struct smtp_path *recipient, struct decide_reply *reply)
{
	const struct way *way = &flow->way;
	const struct decide_world world = world_of(flow);
	const char *room[CLIENT_NAMES_MAX];
	const struct decide_origin origin = origin_of(flow, room);
	struct session session;
	struct decide_tls tls;
	const struct decide_envelope envelope = {.session = session_of(flow, &session),
		.original = &way->original,
		.sender = &flow->engine.sender,
		.recipient = recipient,
		.tls = &tls};

	client_tls_side(flow, &tls);
	if (recipient)
		decide_recipient(&world, &origin, &envelope, now_of(flow), reply);
	else
		decide_sender(&world, &origin, &envelope, now_of(flow), reply);
}

static void say_no(struct smtp_flow *flow, const struct decide_reply *reply)
{
	const struct smtp_refusal refusal = {reply->code, reply->status, reply->text};

	give(flow, &(struct engine_verdict){.refusal = &refusal});
}

void envelope_on_sender(struct smtp_flow *flow)
{
	struct decide_reply reply;

	if (!client_certificate_fits(flow, &reply)) {
		say_no(flow, &reply);
		return;
	}
	decide(flow, NULL, &reply);
	if (!reply.permitted) {
		say_no(flow, &reply);
		return;
	}
	scan_message_over(flow);
	smtp_note_begin(flow);
	give(flow, &(struct engine_verdict){0});
}

/* A server's host trusts the gateway, maybe with whom each client is: so it is not reached past its
 * server, as somebody's original. */
static uint16_t server_of(const struct smtp_flow *flow, const struct decide_reply *reply)
{
	const struct replica_targets *targets = &flow->smtp->replica.targets;
	const struct addr *original = &flow->way.original.addr;

	if (!reply->to_original)
		return (uint16_t)(reply->server + 1);
	if (target_unfit(original))
		return ENVELOPE_ORIGINAL;
	ptrdiff_t server = replica_targets_find_server(targets, original);
	if (server >= 0)
		return (uint16_t)(server + 1);
	return server == -ENOENT ? ENVELOPE_ORIGINAL : ENVELOPE_NO_SERVER;
}

/* NULL: it is none of the policy's. */
static const struct policy_server *policy_server_of(const struct smtp_flow *flow, uint16_t number)
{
	return number == ENVELOPE_ORIGINAL || number == ENVELOPE_NO_SERVER
		       ? NULL
		       : &flow->way.policy->servers[number - 1];
}

/* A server that is told the client's name is called when that is known: from then on its hosts'
 * time runs. */
static bool wants_name(const struct decide_reply *reply, const struct policy_server *server)
{
	return reply->reason == DECIDE_NEEDS_NAME ||
	       (server && server->announce == POLICY_ANNOUNCE_XCLIENT);
}

bool envelope_on_recipient(struct smtp_flow *flow)
{
	struct engine_verdict verdict = {
		.first_ms = FIRST_MS, .greeting_ms = GREETING_MS, .command_ms = COMMAND_MS};
	struct smtp_refusal refusal;
	struct decide_reply reply;
	struct smtp_path path;

	if (!engine_recipient(&flow->engine, &path))
		return true;
	decide(flow, &path, &reply);
	verdict.server = reply.permitted ? server_of(flow, &reply) : ENVELOPE_NO_SERVER;
	const struct policy_server *server = policy_server_of(flow, verdict.server);
	if (wants_name(&reply, server) && client_name_waits(flow))
		return false;
	enum scan_answer scan =
		reply.permitted ? scan_on_recipient(flow, &reply, &refusal) : SCAN_GO_ON;
	if (scan == SCAN_WAITS)
		return false;
	smtp_report_decided(flow, &reply);
	if (!reply.permitted) {
		say_no(flow, &reply);
		return true;
	}
	if (scan == SCAN_REFUSES) {
		smtp_report_refused(flow, MESSAGE_BY_SCAN);
		give(flow, &(struct engine_verdict){.refusal = &refusal});
		return true;
	}
	if (server) {
		verdict.first_ms = server->first_ms;
		verdict.greeting_ms = server->greeting_ms;
		verdict.command_ms = server->command_ms;
		verdict.xclient = server->announce == POLICY_ANNOUNCE_XCLIENT;
	}
	account_fill(flow, &verdict);
	if (!allowance_recipient(flow, &verdict, &refusal))
		verdict.refusal = &refusal;
	give(flow, &verdict);
	return true;
}

struct permit {
	ptrdiff_t server;
	bool by_source;
};

static void take_permit(void *context, const struct policy_rule *rule, ptrdiff_t server)
{
	struct permit *permit = context;

	if (server == permit->server && relay_permit_of(rule) == RELAY_SOURCE)
		permit->by_source = true;
}

/* Of a listener without a user. Of all rules, not of the one at hand: what the server is told holds
 * for all messages of one connection to it. */
static bool is_permitted_by_source(const struct smtp_flow *flow)
{
	const struct way *way = &flow->way;
	const struct decide_world world = world_of(flow);
	const char *room[CLIENT_NAMES_MAX];
	struct decide_origin origin = origin_of(flow, room);
	const struct decide_envelope envelope = {.original = &way->original};
	struct permit permit = {.server = way->server};

	if (way->listener < 0 || way->server < 0 || *way->user)
		return false;
	origin.hosts_open = false; /* what nobody knows permits nothing */
	decide_reach(&world, &origin, &envelope, now_of(flow), take_permit, &permit);
	return permit.by_source;
}

void envelope_take_permit(struct smtp_flow *flow)
{
	flow->way.from_permitted = is_permitted_by_source(flow);
}

void envelope_take_server(struct smtp_flow *flow)
{
	const uint16_t server = flow->engine.server;

	flow->way.to_original = server == ENVELOPE_ORIGINAL;
	flow->way.server = server == ENVELOPE_ORIGINAL || server == ENVELOPE_NO_SERVER
				   ? -1
				   : (int32_t)server - 1;
	envelope_take_permit(flow);
}

/* What counts is asked for last: nothing of it is given back. */
bool envelope_on_data(struct smtp_flow *flow)
{
	struct engine_verdict verdict = {0};
	struct smtp_refusal refusal;
	enum scan_answer answer = body_begin(flow, &verdict, &refusal);

	if (answer == SCAN_WAITS)
		return false;
	if (answer == SCAN_REFUSES || !allowance_message(flow, &refusal)) {
		verdict.refusal = &refusal;
		body_end(flow);
	}
	give(flow, &verdict);
	return true;
}

bool envelope_on_dot(struct smtp_flow *flow)
{
	struct engine_verdict verdict = {0};
	struct smtp_refusal refusal;
	enum scan_answer answer = body_on_dot(flow, &refusal);

	if (answer == SCAN_WAITS)
		return false;
	if (answer == SCAN_REFUSES)
		verdict.refusal = &refusal;
	give(flow, &verdict);
	return true;
}

/* ---- the header line ---- */

static unsigned with_of(const struct engine *engine)
{
	return (engine->helo ? 0 : SMTP_RECEIVED_EHLO) |
	       (engine->client_secured ? SMTP_RECEIVED_TLS : 0) |
	       (engine->parameters.utf8 ? SMTP_RECEIVED_UTF8 : 0);
}

void envelope_on_trace(struct smtp_flow *flow)
{
	const struct engine *engine = &flow->engine;
	const struct policy_server *server = way_server(&flow->way);
	time_t now_s = (time_t)(loop_wall_ms(flow->smtp->loop) / 1000);
	char line[SMTP_RECEIVED_MAX];
	struct tm local = {0};
	size_t len = 0;

	localtime_r(&now_s, &local);
	if (!server || server->trace)
		len = smtp_received_format(
			&(struct smtp_received){.helo = engine->helo_name,
				.client = flow->way.client.addr,
				.gateway = smtp_name(flow->smtp, flow->way.policy),
				.with = with_of(engine),
				.flow = flow->way.id,
				.message = engine->message,
				.time_s = now_s,
				.offset_min = (int)(local.tm_gmtoff / 60)},
			line);
	engine_trace(&flow->engine, line, len, now_of(flow), smtp_out(flow));
	smtp_act(flow);
}
