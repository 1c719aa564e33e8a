#include "daemon/control/explain.h"

#include "daemon/control/bypass.h"
#include "daemon/control/clock.h"
#include "daemon/control/command.h"
#include "daemon/control/control.h"
#include "daemon/control/health_peer.h"
#include "daemon/control/row.h"
#include "lib/target.h"

#include <stdio.h>
#include <string.h>

void explain_step(void *context, const char *text)
{
	struct explaining *explaining = context;
	json_array_append_new(explaining->steps, json_pack("{s:o}", "step", row_text(text)));
}

/* What of the decision an operator asks for next. */
static json_t *outcome(const struct explaining *explaining, const struct decision *decision)
{
	const struct policy *policy = explaining->command->control->policy;
	json_t *server = json_null();
	if (decision->to_original)
		server = json_string("original");
	else if (decision->server >= 0)
		server = row_string(&policy->servers[decision->server].name);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:n, s:o, s:o, s:o, s:o, s:o, s:o}",
		"verdict", policy_verdict_names[decision->verdict], "reason",
		decide_reason_names[decision->reason], "rule",
		decision->rule >= 0 ? row_string(&policy->rules[decision->rule].name) : json_null(),
		"server", server, "level", row_level(&decision->cause), "level_by",
		row_level_cause(policy, &decision->cause), "reply", "zone",
		row_text(explaining->zone), "user",
		decision->session ? row_string(&decision->session->user) : json_null(), "session",
		row_session_id(decision->session ? decision->session->id : 0), "mac",
		row_mac(&explaining->mac), "address", row_addr(&explaining->addr), "until_at",
		row_time(clock_to_wall(explaining->command->control, decision->until_ms)));
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
	ptrdiff_t server = unfit ? -1 : health_peer_find_server(control->health, original);
	if (unfit)
		snprintf(text, sizeof(text), "original: %s is %s: 421",
			addr_format(original, address), unfit);
	else if (server >= 0)
		snprintf(text, sizeof(text),
			"original: %s is a host of server %s and is not reached past it",
			addr_format(original, address), control->policy->servers[server].name.text);
	else
		return;
	explain_step(explaining, text);
	decision->to_original = server < 0;
	decision->server = server;
}

static void finish(struct explaining *explaining)
{
	struct command *command = explaining->command;
	json_object_set(explaining->row, "steps", explaining->steps);
	command_row(command, json_incref(explaining->row));
	command_ok(command);
}

static void set_outcome(struct explaining *explaining, const char *verdict, const char *reason)
{
	json_object_set_new(explaining->row, "verdict", json_string(verdict));
	json_object_set_new(explaining->row, "reason", json_string(reason));
}

/* The greeting is before any recipient, and behind the limits on flows. */
static void finish_unreachable(struct explaining *explaining)
{
	const struct ending_reply *reply = ending_reply_of(ENDING_NO_SERVER);
	char text[160];

	set_outcome(explaining, policy_verdict_names[POLICY_VERDICT_ANSWER],
		ending_name(ENDING_NO_SERVER));
	snprintf(text, sizeof(text), "%u %s %s", reply->code, reply->enhanced, reply->text);
	json_object_set_new(explaining->row, "reply", row_text(text));
	explain_step(explaining, "greeting: all hosts of all servers in reach are down: 421");
	finish(explaining);
}

/* The relays have said what a redirected flow would meet. */
static void on_outlook(struct outlook *outlook)
{
	struct explaining *explaining =
		(struct explaining *)((char *)outlook - offsetof(struct explaining, outlook));
	const struct ending_reply *reply = ending_reply_of(outlook->ending);
	char text[IPC_TEXT_SIZE + 128];
	if (explaining->unreachable && outlook_is_of_server(outlook->ending)) {
		finish_unreachable(explaining);
		return;
	}
	if (outlook->ending == ENDING_NONE) {
		explain_step(explaining, "limits: none is reached");
	} else if (outlook->ending == ENDING_NO_POLICY) {
		set_outcome(explaining, policy_verdict_names[POLICY_VERDICT_REJECT], "no-relay");
		explain_step(explaining, "no relay answers: posternctl doctor");
	} else {
		set_outcome(explaining, policy_verdict_names[POLICY_VERDICT_ANSWER],
			ending_name(outlook->ending));
		snprintf(text, sizeof(text), "%s: answer %u \"%s\"", outlook->text,
			reply ? reply->code : 421, reply ? reply->text : "");
		explain_step(explaining, text);
	}
	finish(explaining);
}

/* Sender and recipient, which only count where the flow is read. */
static void look_into_envelope(struct explaining *explaining, const struct decide_world *world,
	const struct decide_origin *origin, uint64_t now_ms, struct decision *decision)
{
	const struct decide_envelope envelope = {.session = decision->session,
		.original = &explaining->destination,
		.sender = explaining->sender_given ? &explaining->sender : NULL,
		.recipient = explaining->recipient_given ? &explaining->recipient : NULL};
	struct decide_reply reply;

	if (decision->reason != DECIDE_NEEDS_ENVELOPE) {
		if (explaining->sender_given || explaining->recipient_given)
			explain_step(explaining, "sender and recipient: not looked at, the "
						 "connection is decided");
		return;
	}
	decide_explain_recipient(
		world, origin, &envelope, now_ms, &reply, explain_step, explaining);
	explaining->reply = reply;
	explaining->unreachable =
		!explaining->at_ms &&
		outlook_unreachable(explaining->command->control, origin, &envelope, now_ms);
	decision->rule = reply.rule;
	if (reply.permitted) {
		decision->server = reply.server;
		decision->to_original = reply.to_original;
	}
}

/* What the recipient is answered with. */
static void set_reply(struct explaining *explaining)
{
	const struct decide_reply *reply = &explaining->reply;
	char text[POLICY_TEXT_SIZE + 16];

	if (!reply->code)
		return;
	snprintf(text, sizeof(text), "%u %s %s", reply->code, reply->status, reply->text);
	json_object_set_new(explaining->row, "reply", row_text(text));
	set_outcome(explaining, policy_verdict_names[POLICY_VERDICT_ANSWER],
		decide_reason_names[reply->reason]);
}

/* Limits and hosts are known as they are now, and of no other time. */
static void look_behind(struct explaining *explaining, const struct decision *decision)
{
	struct control *control = explaining->command->control;
	struct ipc_foresee question;
	const char *server = decision->to_original
				     ? "original"
				     : control->policy->servers[decision->server].name.text;
	if (!decision->to_original)
		outlook_hosts(control, (size_t)decision->server, explaining->addr.family,
			explain_step, explaining);
	ipc_init(&question, IPC_FORESEE, sizeof(question));
	question.client = explaining->addr;
	question.mac = explaining->mac;
	if (explaining->destination_given)
		question.original = explaining->destination;
	snprintf(question.zone, sizeof(question.zone), "%s", explaining->zone);
	snprintf(question.server, sizeof(question.server), "%s", server);
	if (decision->rule >= 0)
		snprintf(question.rule, sizeof(question.rule), "%s",
			control->policy->rules[decision->rule].name.text);
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

void explain_tell(struct explaining *explaining)
{
	struct command *command = explaining->command;
	struct control *control = command->control;
	struct decide_world world = control_world(control);
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
	look_into_envelope(explaining, &world, &origin, at_ms, &decision);
	if (decision.to_original)
		follow_original(explaining, &decision);
	outlook_kernel(&world, &origin, at_ms, explain_step, explaining);
	explaining->row = outcome(explaining, &decision);
	set_reply(explaining);
	bool has_server = decision.to_original || decision.server >= 0;
	if (has_server && !explaining->at_ms)
		look_behind(explaining, &decision);
	else if (explaining->unreachable)
		finish_unreachable(explaining);
	else
		finish(explaining);
}
