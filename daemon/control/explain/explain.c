/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/explain/explain.h"

#include "daemon/control/accounting/accounts.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/decision_world.h"
#include "daemon/control/kernel/bypass.h"
#include "daemon/control/peers/health/health_peer.h"
#include "daemon/control/request/command.h"
#include "daemon/control/request/json_row.h"
#include "lib/base/container.h"
#include "lib/ipc/health.h"
#include "lib/policy/target.h"
#include "lib/record/message_record.h"
#include "lib/smtp/engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void explain_step(void *context, const char *text)
{
	struct explaining *explaining = context;
	json_array_append_new(explaining->steps, json_pack("{s:o}", "step", json_row_text(text)));
}

/* The reply of the gateway's own that the client hears, but for name and flow. */
static json_t *reply_of(unsigned code, const char *enhanced, const char *words)
{
	char text[POLICY_TEXT_SIZE + 16];

	snprintf(text, sizeof(text), "%u %s %s", code, enhanced, words);
	return json_row_text(text);
}

static json_t *greeting_of(const struct decision *decision)
{
	if (decision->verdict != POLICY_VERDICT_ANSWER)
		return json_null();
	const struct decide_greeting greeting = decide_greeting_of(decision);
	return reply_of(greeting.code, greeting.status, greeting.text);
}

/* What of the decision an operator asks for next. */
static json_t *outcome(const struct explaining *explaining, const struct decision *decision)
{
	const struct policy *policy = explaining->command->control->policy;
	json_t *server = json_null();
	if (decision->to_original)
		server = json_string("original");
	else if (decision->server >= 0)
		server = json_row_string(&policy->servers[decision->server].name);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"verdict", policy_verdict_names[decision->verdict], "reason",
		decide_reason_names[decision->reason], "rule",
		decision->rule >= 0 ? json_row_string(&policy->rules[decision->rule].name)
				    : json_null(),
		"server", server, "level", json_row_level(&decision->cause), "level_by",
		json_row_level_cause(policy, &decision->cause), "reply", greeting_of(decision),
		"zone", json_row_text(explaining->zone), "listener",
		explaining->listener ? json_string(explaining->listener) : json_null(), "user",
		decision->session ? json_row_string(&decision->session->user) : json_null(),
		"session", json_row_session_id(decision->session ? decision->session->id : 0),
		"mac", json_row_mac(&explaining->mac), "address", json_row_addr(&explaining->addr),
		"until_at",
		json_row_time(clock_to_wall(explaining->command->control, decision->until_ms)));
}

/* As the relay does it, where it may not be the client's own destination. */
static void follow_original(struct explaining *explaining, struct decision *decision)
{
	struct control *control = explaining->command->control;
	const struct addr *original = &explaining->destination.addr;
	const char *unfit = target_unfit(original);
	char text[256], address[ADDR_TEXT_SIZE];

	if (!explaining->destination_given)
		return;
	ptrdiff_t server = unfit ? -ENOENT : health_peer_find_server(control->health, original);
	if (unfit)
		snprintf(text, sizeof(text), "original: %s is %s%s", addr_format(original, address),
			unfit, explaining->read ? "" : ": 421");
	else if (server >= 0)
		snprintf(text, sizeof(text),
			"original: %s is a host of server %s and is not reached past it",
			addr_format(original, address), control->policy->servers[server].name.text);
	else if (server == -EAGAIN)
		snprintf(text, sizeof(text),
			"original: %s may be a host of a server, whose name is not looked up yet",
			addr_format(original, address));
	else
		return;
	explain_step(explaining, text);
	decision->to_original = server < 0;
	decision->server = server < 0 ? -1 : server;
}

/* Of the recipient. */
static void put_scans(struct explaining *explaining)
{
	const struct policy *policy = explaining->command->control->policy;
	const unsigned scans = explaining->reply.permitted ? explaining->reply.scans : 0;
	json_t *array = json_array();

	for (size_t i = 0; i < policy->nscans; i++)
		if (scans & 1u << i)
			json_array_append_new(array, json_row_string(&policy->scans[i].name));
	json_object_set_new(explaining->row, "scans", array);
}

static void finish(struct explaining *explaining)
{
	struct command *command = explaining->command;

	put_scans(explaining);
	json_object_set(explaining->row, "steps", explaining->steps);
	command_row(command, json_incref(explaining->row));
	command_ok(command);
}

static void set_outcome(struct explaining *explaining, const char *verdict, const char *reason)
{
	json_object_set_new(explaining->row, "verdict", json_string(verdict));
	json_object_set_new(explaining->row, "reason", json_string(reason));
}

/* The client hears a reply of the gateway's own. */
static void answer(struct explaining *explaining, const char *reason, unsigned code,
	const char *enhanced, const char *words)
{
	set_outcome(explaining, policy_verdict_names[POLICY_VERDICT_ANSWER], reason);
	json_object_set_new(explaining->row, "reply", reply_of(code, enhanced, words));
}

/* At the greeting, read or not. */
static void tell_greeting(struct explaining *explaining, const struct outlook *outlook)
{
	const struct ending_reply *reply = ending_reply_of(outlook->ending);
	char text[IPC_TEXT_SIZE + 128];

	if (!reply)
		reply = ending_reply_of(ENDING_NO_SERVER);
	answer(explaining, ending_name(outlook->ending), reply->code, reply->enhanced, reply->text);
	snprintf(text, sizeof(text), "%s: answer %u \"%s\"", outlook->text, reply->code,
		reply->text);
	explain_step(explaining, text);
}

/* ---- what one meets that is read, in the order in which it does ---- */

static void tell_unreachable(struct explaining *explaining)
{
	const struct ending_reply *reply = ending_reply_of(ENDING_NO_SERVER);

	answer(explaining, ending_name(ENDING_NO_SERVER), reply->code, reply->enhanced,
		reply->text);
	explain_step(explaining, "greeting: all hosts of all servers in reach are down: 421");
}

/* at: the command that hears it. */
static void tell_over(
	struct explaining *explaining, const struct outlook_allowance *over, const char *at)
{
	const struct smtp_refusal *refusal = &over->refusal;
	char text[512];

	answer(explaining, message_by_name(MESSAGE_BY_LIMIT), refusal->code, refusal->enhanced,
		refusal->text);
	snprintf(text, sizeof(text), "%s: %s hears %u %s %s", over->text, at, refusal->code,
		refusal->enhanced, refusal->text);
	explain_step(explaining, text);
	if (!*over->block)
		return;
	snprintf(text, sizeof(text), "and blocks %s", over->block);
	explain_step(explaining, text);
}

/* Of the recipient's server no host can be had. */
static void tell_no_host(struct explaining *explaining, const struct outlook *outlook)
{
	const struct smtp_refusal *refusal = engine_no_server();
	char text[IPC_TEXT_SIZE + 128];

	answer(explaining, ending_name(outlook->ending), refusal->code, refusal->enhanced,
		refusal->text);
	snprintf(text, sizeof(text), "%s: RCPT hears %u %s %s", outlook->text, refusal->code,
		refusal->enhanced, refusal->text);
	explain_step(explaining, text);
}

static void tell_recipient(struct explaining *explaining, const struct outlook *outlook)
{
	const struct decide_reply *reply = &explaining->reply;

	if (reply->code)
		answer(explaining, decide_reason_names[reply->reason], reply->code, reply->status,
			reply->text);
	else if (explaining->recipients.refusal.code)
		tell_over(explaining, &explaining->recipients, "RCPT");
	else if (outlook->ending != ENDING_NONE)
		tell_no_host(explaining, outlook);
	else if (explaining->messages.refusal.code)
		tell_over(explaining, &explaining->messages, "DATA");
	else
		explain_step(explaining, reply->permitted ? "limits: none is reached"
							  : "limits of flows: none is reached");
}

static bool needs_utf8(bool given, const struct smtp_path *path)
{
	return given && smtp_path_needs_utf8(path);
}

/* Whose address needs what EHLO does not show cannot say so at MAIL. false: nothing is wrong. */
static bool tell_form(struct explaining *explaining)
{
	bool at_mail = needs_utf8(explaining->sender_given, &explaining->sender);
	bool refused_before = explaining->reply.code == 530;
	char text[256];

	if (explaining->needs_tls || explaining->reach.offers & SMTP_OFFER_SMTPUTF8 ||
		(!at_mail && (refused_before || !needs_utf8(explaining->recipient_given,
							&explaining->recipient))))
		return false;
	const struct smtp_refusal *refusal =
		smtp_path_refusal(SMTP_PATH_UNASKED, at_mail ? 0 : SMTP_PATH_RECIPIENT);
	answer(explaining, message_by_name(MESSAGE_BY_FORM), refusal->code, refusal->enhanced,
		refusal->text);
	snprintf(text, sizeof(text),
		"SMTPUTF8: not shown, not every server in reach is known to have it: %s hears %u "
		"%s %s",
		at_mail ? "MAIL" : "RCPT", refusal->code, refusal->enhanced, refusal->text);
	explain_step(explaining, text);
	return true;
}

static void tell_read(struct explaining *explaining, const struct outlook *outlook)
{
	if (outlook->ending != ENDING_NONE && !outlook_is_of_server(outlook->ending))
		tell_greeting(explaining, outlook);
	else if (explaining->reach.down)
		tell_unreachable(explaining);
	else if (!tell_form(explaining))
		tell_recipient(explaining, outlook);
}

/* The relays have said what a redirected flow would meet. */
static void on_outlook(struct outlook *outlook)
{
	struct explaining *explaining = container_of(outlook, struct explaining, outlook);

	if (outlook->ending == ENDING_NO_POLICY) {
		set_outcome(explaining, policy_verdict_names[POLICY_VERDICT_REJECT], "no-relay");
		explain_step(explaining, "no relay answers: posternctl doctor");
	} else if (explaining->read) {
		tell_read(explaining, outlook);
	} else if (outlook->ending != ENDING_NONE) {
		tell_greeting(explaining, outlook);
	} else {
		explain_step(explaining, "limits: none is reached");
	}
	finish(explaining);
}

/* ---- what is asked about ---- */

/* Sender, recipient and TLS, which only count where the flow is read. */
static void look_into_envelope(struct explaining *explaining, const struct decide_world *world,
	const struct decide_origin *origin, uint64_t now_ms, struct decision *decision)
{
	const struct decide_envelope envelope = {.session = decision->session,
		.original = &explaining->destination,
		.sender = explaining->sender_given ? &explaining->sender : NULL,
		.recipient = explaining->recipient_given ? &explaining->recipient : NULL,
		.tls = explaining->tls_given ? &explaining->tls : NULL};
	struct decide_reply reply;

	explaining->read = decision->reason == DECIDE_NEEDS_ENVELOPE;
	if (!explaining->read) {
		if (explaining->sender_given || explaining->recipient_given ||
			explaining->tls_given)
			explain_step(explaining, "sender, recipient and TLS: not looked at, the "
						 "connection is decided");
		return;
	}
	const struct policy *policy = world->policy;
	const struct policy_client_tls *tls = origin->of_listener
						      ? &policy->listeners[origin->listener].tls
						      : &policy->zones[origin->zone].tls;
	explaining->needs_tls =
		tls->mode == POLICY_TLS_REQUIRE && explaining->tls_given && !explaining->tls.on;
	decide_explain_recipient(
		world, origin, &envelope, now_ms, &reply, explain_step, explaining);
	explaining->reply = reply;
	outlook_reach(explaining->command->control, origin, &envelope, now_ms, &explaining->reach);
	decision->rule = reply.rule;
	if (reply.permitted) {
		decision->server = reply.server;
		decision->to_original = reply.to_original;
	}
}

static void look_at_limits(struct explaining *explaining, const struct decide_origin *origin,
	const struct decision *decision)
{
	const struct control *control = explaining->command->control;
	const struct outlook_sender sender = {
		origin, decision->session, &explaining->sender, (int32_t)decision->rule};

	outlook_allow(control, &sender, POLICY_LIMIT_RECIPIENTS, &explaining->recipients);
	outlook_allow(control, &sender, POLICY_LIMIT_MESSAGES, &explaining->messages);
}

static const char *server_of(const struct control *control, const struct decision *decision)
{
	if (decision->to_original)
		return "original";
	return decision->server < 0 ? "" : control->policy->servers[decision->server].name.text;
}

/* Limits and hosts are known as they are now, and of no other time. */
static void look_behind(struct explaining *explaining, const struct decide_origin *origin,
	const struct decision *decision)
{
	struct control *control = explaining->command->control;
	struct ipc_foresee question;

	if (decision->server >= 0)
		outlook_hosts(control, (size_t)decision->server, explaining->addr.family,
			explaining->read, explain_step, explaining);
	if (explaining->read && explaining->reply.permitted)
		look_at_limits(explaining, origin, decision);
	ipc_init(&question, IPC_FORESEE, sizeof(question));
	question.read = explaining->read;
	question.client = explaining->addr;
	question.mac = explaining->mac;
	if (explaining->destination_given)
		question.original = explaining->destination;
	if (origin->of_listener)
		snprintf(question.listener, sizeof(question.listener), "%s", explaining->listener);
	else
		snprintf(question.zone, sizeof(question.zone), "%s", explaining->zone);
	snprintf(question.server, sizeof(question.server), "%s", server_of(control, decision));
	/* which rule takes a message is open where a flow is counted that is read */
	if (decision->rule >= 0 && !explaining->read)
		snprintf(question.rule, sizeof(question.rule), "%s",
			control->policy->rules[decision->rule].name.text);
	if (decision->session)
		snprintf(question.user, sizeof(question.user), "%s", decision->session->user.text);
	explaining->outlook.done = on_outlook;
	outlook_ask(control, &explaining->outlook, &question);
}

/* Under a bypass nothing else is looked at. */
static bool is_bypassed(struct explaining *explaining, uint64_t at_ms)
{
	const struct bypass_line *line =
		outlook_bypass(explaining->command->control, explaining->zone, at_ms);
	struct decision pass = {.verdict = POLICY_VERDICT_PASS, .rule = -1, .server = -1};
	if (!line)
		return false;
	pass.until_ms = line->until_ms;
	outlook_tell_bypass(explaining->command->control, line, explain_step, explaining);
	explaining->row = outcome(explaining, &pass);
	set_outcome(explaining, policy_verdict_names[POLICY_VERDICT_PASS], "bypass");
	finish(explaining);
	return true;
}

/* Who told of the session, as far as accounting did: what was not heard may be why. */
static void tell_account(struct explaining *explaining, const struct session *session)
{
	struct control *control = explaining->command->control;
	const struct radius_entry *account =
		session ? accounts_of_session(control->accounts, session->id) : NULL;
	char at[32] = "", text[192];
	struct tm tm;

	if (!account)
		return;
	time_t event_s = (time_t)(account->event_ms / 1000);
	if (localtime_r(&event_s, &tm))
		strftime(at, sizeof(at), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(text, sizeof(text), "accounting: heard of last by its event of %s%s", at,
		account->started ? "" : "; an Interim-Update opened it, its Start was never seen");
	explain_step(explaining, text);
}

/* Whom nobody knows: where he logs in. */
static void tell_portal(struct explaining *explaining, size_t zone, const struct session *session)
{
	const struct policy *policy = explaining->command->control->policy;
	const struct policy_portal *portal = policy_portal_of_zone(policy, zone);
	char text[POLICY_PORTAL_URL_SIZE + 2 * POLICY_NAME_SIZE + 64], url[POLICY_PORTAL_URL_SIZE];

	if (session || !portal)
		return;
	snprintf(text, sizeof(text), "portal %s: clients of zone %s log in at %s",
		portal->name.text, policy->zones[zone].name.text, policy_portal_url(portal, url));
	explain_step(explaining, text);
}

void explain_tell(struct explaining *explaining)
{
	struct command *command = explaining->command;
	struct control *control = command->control;
	struct decide_world world = decision_world(control);
	struct decision decision;
	ptrdiff_t zone = policy_find_zone(control->policy, explaining->zone);
	uint64_t at_ms = explaining->at_ms ? clock_from_wall(control, explaining->at_ms)
					   : clock_now_ms(control);
	if (zone < 0) {
		command_no_such(command, POLICY_KIND_ZONE, explaining->zone);
		return;
	}
	if (is_bypassed(explaining, at_ms))
		return;
	const struct policy_zone *in = &control->policy->zones[zone];
	struct decide_origin origin = {
		.zone = (size_t)zone, .mac = explaining->mac, .source = explaining->addr};
	if (!explaining->destination_given) {
		explaining->destination = (struct endpoint){
			.addr = {.family = explaining->addr.family}, .port = in->ports.v[0]};
		explain_step(explaining,
			"destination: none was given; an address that no rule names is assumed");
	}
	decide_explain(&world, &origin, &explaining->destination, at_ms, &decision, explain_step,
		explaining);
	tell_account(explaining, decision.session);
	tell_portal(explaining, (size_t)zone, decision.session);
	look_into_envelope(explaining, &world, &origin, at_ms, &decision);
	if (decision.to_original)
		follow_original(explaining, &decision);
	outlook_kernel(control, &origin, at_ms, explain_step, explaining);
	explaining->row = outcome(explaining, &decision);
	bool has_server = decision.to_original || decision.server >= 0;
	if (!explaining->at_ms && (has_server || explaining->read)) {
		look_behind(explaining, &origin, &decision);
		return;
	}
	if (explaining->reply.code)
		answer(explaining, decide_reason_names[explaining->reply.reason],
			explaining->reply.code, explaining->reply.status, explaining->reply.text);
	finish(explaining);
}

static uint64_t at_of(const struct explaining *explaining)
{
	const struct control *control = explaining->command->control;

	return explaining->at_ms ? clock_from_wall(control, explaining->at_ms)
				 : clock_now_ms(control);
}

/* room: as long as what is returned. */
static struct decide_origin origin_at(const struct explaining *explaining, size_t listener,
	const char *room[static CLIENT_NAMES_MAX])
{
	const struct ipc_looked_up *names = explaining->names_found;
	struct decide_origin origin = {.of_listener = true,
		.listener = listener,
		.source = explaining->addr,
		.hosts = room,
		.nhosts = names ? names->n : 0,
		.hosts_open = !names || names->known != CLIENT_NAMES_KNOWN};

	for (size_t i = 0; i < origin.nhosts; i++)
		room[i] = names->names[i];
	return origin;
}

/* Which flows a listener holds, control is not told: its limits are not foreseen. */
static void tell_at_listener(struct explaining *explaining)
{
	struct control *control = explaining->command->control;
	struct decide_world world = decision_world(control);
	ptrdiff_t index = policy_find_listener(control->policy, explaining->listener);
	const char *room[CLIENT_NAMES_MAX];
	uint64_t at_ms = at_of(explaining);
	struct decision decision;

	if (index < 0) { /* it went while its client's names were looked up */
		command_no_such(explaining->command, POLICY_KIND_LISTENER, explaining->listener);
		return;
	}
	const struct policy_listener *listener = &control->policy->listeners[index];
	const struct decide_origin origin = origin_at(explaining, (size_t)index, room);
	if (!explaining->destination_given)
		explaining->destination = (struct endpoint){
			.addr = listener->addresses[0], .port = listener->ports.v[0]};
	decide_explain(&world, &origin, &explaining->destination, at_ms, &decision, explain_step,
		explaining);
	if (explaining->login.user.text)
		decision.session = &explaining->login;
	look_into_envelope(explaining, &world, &origin, at_ms, &decision);
	explaining->row = outcome(explaining, &decision);
	if (!explaining->at_ms && explaining->read) {
		look_behind(explaining, &origin, &decision);
		return;
	}
	if (explaining->reply.code)
		answer(explaining, decide_reason_names[explaining->reply.reason],
			explaining->reply.code, explaining->reply.status, explaining->reply.text);
	finish(explaining);
}

static void on_names(struct question *asking, const struct ipc_header *ipc)
{
	struct explaining *explaining = container_of(asking, struct explaining, asking);

	if (ipc && ipc->type == IPC_LOOKED_UP && !explaining->names_found) {
		explaining->names_found = malloc(ipc->bytes);
		if (explaining->names_found)
			memcpy(explaining->names_found, ipc, ipc->bytes);
		return;
	}
	if (ipc && !question_is_last(ipc))
		return;
	if (!ipc)
		explain_step(explaining, "the health process, which looks names up, is not there");
	tell_at_listener(explaining);
}

void explain_listener(struct explaining *explaining)
{
	struct control *control = explaining->command->control;
	const struct decide_world world = decision_world(control);
	const char *room[CLIENT_NAMES_MAX];
	const struct decide_origin origin = origin_at(explaining,
		(size_t)policy_find_listener(control->policy, explaining->listener), room);
	struct ipc_lookup question;

	if (!decide_hangs_on_host(&world, &origin, at_of(explaining))) {
		tell_at_listener(explaining);
		return;
	}
	ipc_init(&question, IPC_LOOKUP, sizeof(question));
	question.addr = explaining->addr;
	explaining->asking.on_answer = on_names;
	health_peer_ask(control->health, &explaining->asking, &question);
}
