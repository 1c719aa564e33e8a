#include "daemon/control/command.h"

#include "daemon/control/audit.h"
#include "daemon/control/bypass.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/health_peer.h"
#include "daemon/control/neighbour.h"
#include "daemon/control/outlook.h"
#include "daemon/control/peers.h"
#include "daemon/control/row.h"
#include "daemon/control/when.h"
#include "lib/flowid.h"
#include "lib/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is asked, filled in step by step: by words, by a flow, by a session, by the neighbours. */
struct explaining {
	struct peers_flows flows; /* first */
	struct outlook outlook;
	struct command *command;
	const char *zone_word, *user;
	uint64_t flow, session;
	bool flow_found;
	char zone[POLICY_NAME_SIZE];
	struct mac mac;
	bool mac_given; /* not taken from a session */
	struct addr addr;
	struct endpoint destination;
	bool destination_given;
	struct smtp_path sender, recipient;
	bool sender_given, recipient_given;
	uint64_t at_ms;            /* 0: now */
	struct decide_reply reply; /* of the recipient; code 0: it is not refused */
	bool unreachable;          /* it is read, and hears so at its greeting */
	json_t *steps, *row;
};

static void forget(struct command *command)
{
	struct explaining *explaining = command->state;
	json_decref(explaining->steps);
	json_decref(explaining->row);
}

static void add_step(void *context, const char *text)
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
	add_step(explaining, text);
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
	add_step(explaining, "greeting: all hosts of all servers in reach are down: 421");
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
		add_step(explaining, "limits: none is reached");
	} else if (outlook->ending == ENDING_NO_POLICY) {
		set_outcome(explaining, policy_verdict_names[POLICY_VERDICT_REJECT], "no-relay");
		add_step(explaining, "no relay answers: posternctl doctor");
	} else {
		set_outcome(explaining, policy_verdict_names[POLICY_VERDICT_ANSWER],
			ending_name(outlook->ending));
		snprintf(text, sizeof(text), "%s: answer %u \"%s\"", outlook->text,
			reply ? reply->code : 421, reply ? reply->text : "");
		add_step(explaining, text);
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
			add_step(explaining, "sender and recipient: not looked at, the connection "
					     "is decided");
		return;
	}
	decide_explain_recipient(world, origin, &envelope, now_ms, &reply, add_step, explaining);
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
		outlook_hosts(control, (size_t)decision->server, explaining->addr.family, add_step,
			explaining);
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
	outlook_tell_bypass(explaining->command->control, line, add_step, explaining);
	explaining->row = outcome(explaining, &pass);
	set_outcome(explaining, policy_verdict_names[POLICY_VERDICT_PASS], "bypass");
	finish(explaining);
	return true;
}

static void explain(struct explaining *explaining)
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
		add_step(explaining,
			"destination: none was given; an address that no rule names is assumed");
	}
	decide_explain(
		&world, &origin, &explaining->destination, at_ms, &decision, add_step, explaining);
	look_into_envelope(explaining, &world, &origin, at_ms, &decision);
	if (decision.to_original)
		follow_original(explaining, &decision);
	outlook_kernel(&world, &origin, at_ms, add_step, explaining);
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

/* The zone that is left when it was not given: the client's session's, or the only one that has
 * its address in its networks, or the only one. */
static bool find_zone(struct explaining *explaining)
{
	const struct policy *policy = explaining->command->control->policy;
	const char *found = NULL;
	if (*explaining->zone)
		return true;
	for (size_t i = 0; i < policy->nzones; i++) {
		const struct policy_zone *zone = &policy->zones[i];
		bool holds = zone->networks.n == 0;
		for (size_t j = 0; j < zone->networks.n && !holds; j++)
			holds = prefix_contains(&zone->networks.v[j], &explaining->addr);
		if (holds && found) {
			command_done(explaining->command, OUTCOME_REFUSED,
				"the client may be in zone %s or %s; give the zone", found,
				zone->name.text);
			return false;
		}
		if (holds)
			found = zone->name.text;
	}
	if (!found) {
		command_done(explaining->command, OUTCOME_REFUSED, "no zone holds this address");
		return false;
	}
	snprintf(explaining->zone, sizeof(explaining->zone), "%s", found);
	return true;
}

/* The client is seen with the MAC that it has now, whatever its session says. */
static void compare_mac(struct explaining *explaining, const struct neighbour *found)
{
	char text[200], now[MAC_TEXT_SIZE], then[MAC_TEXT_SIZE];
	if (!mac_is_set(&found->mac)) {
		if (!mac_is_set(&explaining->mac))
			return;
		add_step(explaining, "neighbour table: the address is not in it; the session's MAC "
				     "is assumed");
		return;
	}
	if (mac_is_set(&explaining->mac) && !mac_equal(&found->mac, &explaining->mac))
		snprintf(text, sizeof(text),
			"neighbour table: the address has MAC %s on %s now, not %s as its session",
			mac_format(&found->mac, now), found->ifname,
			mac_format(&explaining->mac, then));
	else
		snprintf(text, sizeof(text), "neighbour table: the address has MAC %s on %s",
			mac_format(&found->mac, now), found->ifname);
	add_step(explaining, text);
	explaining->mac = found->mac;
}

/* Without a session the interface says which zone it is. False: ended. */
static bool take_interface(struct explaining *explaining, const struct neighbour *found)
{
	const struct policy *policy = explaining->command->control->policy;
	char text[160], mac[MAC_TEXT_SIZE];
	if (!mac_is_set(&found->mac)) {
		add_step(explaining, "neighbour table: the address is not in it; no MAC");
		return true;
	}
	ptrdiff_t zone = policy_find_zone_of(policy, found->ifname, &explaining->addr);
	explaining->mac = found->mac;
	snprintf(text, sizeof(text), "neighbour table: the address has MAC %s on %s",
		mac_format(&found->mac, mac), found->ifname);
	add_step(explaining, text);
	if (zone < 0 && !explaining->zone_word) {
		command_done(explaining->command, OUTCOME_REFUSED,
			"%s is in no zone: what comes from there passes as without Postern",
			found->ifname);
		return false;
	}
	if (zone >= 0 && !*explaining->zone)
		snprintf(explaining->zone, sizeof(explaining->zone), "%s",
			policy->zones[zone].name.text);
	return true;
}

static void on_neighbour(void *context, const struct neighbour *found)
{
	struct explaining *explaining = context;
	if (mac_is_set(&found->other_mac)) {
		command_done(explaining->command, OUTCOME_REFUSED,
			"the address is a neighbour on %s and, with another MAC, on %s; give the "
			"mac or the zone",
			found->ifname, found->other_ifname);
		return;
	}
	if (explaining->session)
		compare_mac(explaining, found);
	else if (!take_interface(explaining, found))
		return;
	if (find_zone(explaining))
		explain(explaining);
}

static int take_session(void *context, struct session *session)
{
	struct explaining *explaining = context;
	if (session->aside_until_ms)
		return 0;
	if (explaining->zone_word && strcmp(session->zone.text, explaining->zone_word) != 0)
		return 0;
	snprintf(explaining->zone, sizeof(explaining->zone), "%s", session->zone.text);
	explaining->session = session->id;
	if (!mac_is_set(&explaining->mac))
		explaining->mac = session->mac;
	if (explaining->addr.family == ADDR_NONE && session->naddresses)
		explaining->addr = session->addresses[0].prefix.addr;
	return 1;
}

/* Fills in what sessions know of the client, then what the neighbour table knows. */
static void look_up(struct explaining *explaining)
{
	struct command *command = explaining->command;
	struct control *control = command->control;
	if (explaining->zone_word)
		snprintf(explaining->zone, sizeof(explaining->zone), "%s", explaining->zone_word);
	if (explaining->user) {
		if (!session_table_each_user(
			    control->table, explaining->user, take_session, explaining)) {
			command_done(command, OUTCOME_ABSENT, "user %s has no session%s%s",
				explaining->user, explaining->zone_word ? " in zone " : "",
				explaining->zone_word ? explaining->zone_word : "");
			return;
		}
	} else if (mac_is_set(&explaining->mac)) {
		session_table_each_mac(control->table, &explaining->mac, take_session, explaining);
	} else {
		session_table_each_owner(
			control->table, &explaining->addr, take_session, explaining);
	}
	bool known = explaining->addr.family != ADDR_NONE;
	if (!known)
		explaining->addr.family = explaining->destination_given
						  ? explaining->destination.addr.family
						  : ADDR_IP4;
	if (explaining->mac_given || !known) {
		if (find_zone(explaining))
			explain(explaining);
		return;
	}
	ptrdiff_t zone =
		*explaining->zone ? policy_find_zone(control->policy, explaining->zone) : -1;
	neighbour_ask(control, zone, &explaining->addr, on_neighbour, explaining);
}

/* ---- a flow: live, else in the audit ---- */

static void take_flow(struct explaining *explaining, const char *zone, const struct mac *mac,
	const struct addr *addr, const struct endpoint *original)
{
	explaining->flow_found = true;
	snprintf(explaining->zone, sizeof(explaining->zone), "%s", zone);
	explaining->zone_word = explaining->zone;
	explaining->mac = *mac;
	explaining->mac_given = true;
	explaining->addr = *addr;
	if (!explaining->destination_given)
		explaining->destination = *original;
	explaining->destination_given = true;
}

static const char *text_of(const json_t *row, const char *field)
{
	const char *text = json_string_value(json_object_get(row, field));
	return text ? text : "";
}

/* "192.0.2.7:25" or "[2001:db8::7]:25". */
static bool parse_endpoint(const char *text, struct endpoint *endpoint)
{
	const char *colon = strrchr(text, ':');
	char *rest;
	if (!colon)
		return false;
	bool bracket = *text == '[' && colon > text && colon[-1] == ']';
	const char *from = text + bracket;
	unsigned long port = strtoul(colon + 1, &rest, 10);
	if (rest == colon + 1 || *rest || port > UINT16_MAX)
		return false;
	endpoint->port = (uint16_t)port;
	return addr_parse(from, (size_t)(colon - from) - bracket, &endpoint->addr) == 0;
}

static void on_record(void *context, const char *json, uint64_t key)
{
	struct explaining *explaining = context;
	struct endpoint client, original;
	struct mac mac = {0};
	json_t *row = json_loads(json, 0, NULL);
	(void)key;
	if (row && parse_endpoint(text_of(row, "client"), &client) &&
		parse_endpoint(text_of(row, "original"), &original)) {
		const char *text = text_of(row, "mac");
		if (*text)
			mac_parse(text, strlen(text), &mac);
		take_flow(explaining, text_of(row, "zone"), &mac, &client.addr, &original);
		add_step(explaining, "flow: it is over; what follows is what would be decided "
				     "now");
	}
	json_decref(row);
}

static void on_records(void *context, int status, bool more)
{
	struct explaining *explaining = context;
	(void)more;
	if (explaining->flow_found)
		look_up(explaining);
	else
		command_done(explaining->command, status ? OUTCOME_REFUSED : OUTCOME_ABSENT, "%s",
			status ? "the audit cannot be read" : "no such flow");
}

static void on_flow(struct peers_flows *flows, const struct ipc_flow *flow)
{
	struct explaining *explaining = (struct explaining *)flows;
	if (flow->id == explaining->flow)
		take_flow(explaining, flow->zone, &flow->mac, &flow->client.addr, &flow->original);
}

static void on_flows(struct peers_flows *flows)
{
	struct explaining *explaining = (struct explaining *)flows;
	struct audit_filter filter;
	if (explaining->flow_found) {
		look_up(explaining);
		return;
	}
	audit_filter_init(&filter);
	filter.id = explaining->flow;
	filter.whole = true;
	if (!audit_query(explaining->command->control->audit, &filter, on_record, on_records,
		    explaining))
		command_done(explaining->command, OUTCOME_ABSENT, "no such flow");
}

/* ---- words ---- */

/* Its form was looked at before. */
static void take_path(
	struct command *command, const char *word, struct smtp_path *path, bool *given)
{
	const char *text = command_value(command, word);
	size_t used;

	*given = text &&
		 smtp_path_parse(path, SMTP_PATH_BARE, text, strlen(text), &used) == SMTP_PATH_GOOD;
}

static bool take_words(struct command *command, struct explaining *explaining)
{
	const char *mac = command_value(command, "mac"), *flow = command_value(command, "flow");
	const char *address = command_value(command, "address");
	const char *time = command_value(command, "time");
	const char *destination = command_value(command, "destination");
	struct endpoint *to = &explaining->destination;
	explaining->user = command_value(command, "user");
	explaining->zone_word = command_value(command, "zone");
	take_path(command, "sender", &explaining->sender, &explaining->sender_given);
	take_path(command, "recipient", &explaining->recipient, &explaining->recipient_given);
	explaining->mac_given = mac && mac_parse(mac, strlen(mac), &explaining->mac) == 0;
	if (address)
		addr_parse(address, strlen(address), &explaining->addr);
	if (flow)
		flowid_parse(flow, strlen(flow), &explaining->flow);
	if (time && when_parse_next(
			    time, loop_wall_ms(command->control->loop), &explaining->at_ms) < 0) {
		command_usage(command, "\"%s\" is no time: " WHEN_NEXT, time);
		return false;
	}
	if (!destination)
		return true;
	explaining->destination_given = true;
	to->port = 25;
	if (addr_parse(destination, strlen(destination), &to->addr) == 0 ||
		parse_endpoint(destination, to))
		return true;
	command_usage(command, "\"%s\" is no address; a name is not looked up here", destination);
	return false;
}

static void run_explain(struct command *command)
{
	struct explaining *explaining = calloc(1, sizeof(*explaining));
	command->state = explaining;
	if (!explaining) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	explaining->command = command;
	explaining->steps = json_array();
	command->forget = forget;
	if (!take_words(command, explaining))
		return;
	const char *zone = explaining->zone_word;
	if (zone && policy_find_zone(command->control->policy, zone) < 0) {
		command_no_such(command, POLICY_KIND_ZONE, zone);
		return;
	}
	if (!explaining->flow) {
		look_up(explaining);
		return;
	}
	explaining->flows.on_flow = on_flow;
	explaining->flows.done = on_flows;
	peers_ask_flows(command->control->peers, &explaining->flows);
}

static const struct command_verb verbs[] = {
	{"", run_explain},
	{NULL, NULL},
};

const struct command_noun command_explain = {"explain", verbs};
