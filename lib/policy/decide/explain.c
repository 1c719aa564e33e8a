/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/decide/decide.h"

#include "lib/policy/decide/tell.h"

static void tell_listener(const struct decide_telling *telling)
{
	const struct decide_origin *origin = telling->origin;
	const struct policy *policy = telling->world->policy;
	struct decide_line names = {0};
	char addr[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < origin->nhosts; i++)
		decide_append(&names, "%s%s", i > 0 ? ", " : "", origin->hosts[i]);
	decide_tell(telling, "client %s at listener %s", addr_format(&origin->source, addr),
		policy->listeners[origin->listener].name.text);
	if (origin->nhosts > 0)
		decide_tell(telling, "name: %s%s", names.text,
			origin->hosts_open ? ", and maybe others, which DNS does not say" : "");
	else if (!decide_wants_host(policy, origin->listener))
		return;
	else if (!origin->hosts_open)
		decide_tell(telling, "name: none that leads to it and back");
	else if (decide_hangs_on_host(telling->world, origin, telling->now_ms))
		decide_tell(telling, "name: not known, DNS does not say it");
	else
		decide_tell(telling, "name: not looked up, nothing hangs on it");
}

static void append_source(struct decide_line *line, const struct session *session)
{
	char source[SESSION_SOURCE_TEXT_SIZE];

	if (session->kind != SESSION_PORTAL)
		return;
	decide_append(line, " by %s", session_format_source(session, source));
}

static void tell_identity(const struct decide_telling *telling, const struct decision *decision)
{
	const struct policy_zone *zone = &telling->world->policy->zones[telling->origin->zone];
	static const char *const identities[] = {
		[POLICY_IDENTITY_MAC] = "MAC",
		[POLICY_IDENTITY_ADDRESS] = "address",
		[POLICY_IDENTITY_MAC_ADDRESS] = "MAC and address",
	};
	char addr[ADDR_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	bool has_mac = mac_is_set(&telling->origin->mac);
	struct decide_line line = {0};
	uint64_t until_ms = 0;

	decide_tell(telling, "client %s%s%s in zone %s, which goes by %s",
		addr_format(&telling->origin->source, addr),
		has_mac ? " with MAC " : ", no MAC seen",
		has_mac ? mac_format(&telling->origin->mac, mac) : "", zone->name.text,
		identities[zone->identity]);
	const struct session *session = session_table_identify_at(telling->world->sessions,
		zone->name.text, zone->identity, &telling->origin->mac, &telling->origin->source,
		telling->now_ms, &until_ms);
	if (!session) {
		decide_tell(telling, "session: none");
		return;
	}
	if (session->kind == SESSION_DEVICE)
		decide_append(&line, "session: device of user \"%s\"", session->user.text);
	else
		decide_append(&line, "session: %llu of user \"%s\"",
			(unsigned long long)session->id, session->user.text);
	append_source(&line, session);
	for (size_t i = 0; i < session->ngroups; i++)
		decide_append(&line, "%s\"%s\"", i ? ", " : ", groups ", session->groups[i].text);
	if (session->lease_end_ms) {
		decide_append(&line,
			decision->session ? ", lease until " : ", but its lease was over at ");
		decide_append_time(&line, telling, session->lease_end_ms);
	}
	if (session->hard_end_ms && session->hard_end_ms > session->lease_end_ms) {
		decide_append(&line, ", to log in anew at ");
		decide_append_time(&line, telling, session->hard_end_ms);
	} else if (session->hard_end_ms) {
		decide_append(&line, ", when the user has to log in anew");
	}
	decide_tell(telling, "%s", line.text);
}

static void tell_block(const struct decide_telling *telling, const struct block *block)
{
	char subject[BLOCK_SUBJECT_SIZE];
	struct decide_line line = {0};

	decide_append(&line, "block: %s is blocked", block_format_subject(block, subject));
	if (block->until_ms) {
		decide_append(&line, " until ");
		decide_append_time(&line, telling, block->until_ms);
	}
	if (*block->limit)
		decide_append(&line, ", over %s", block->limit);
	decide_tell(telling, "%s", line.text);
}

static void tell_rules(const struct decide_telling *telling, const struct decision *decision)
{
	const struct policy *policy = telling->world->policy;
	struct decide_question question;

	decide_question_init(&question, telling->world, telling->origin, telling->now_ms);
	question.session = decision->session;
	question.destination = &telling->original->addr;
	question.port = telling->original->port;
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		struct decide_match match = decide_rule(&question, rule);
		struct decide_line line = {0};
		if (match.answer == DECIDE_RULE_YES && decision->cause.word != LEVEL_NO_WORD) {
			decide_tell(telling,
				"rule %s: the connection meets it; its messages are read",
				rule->name.text);
			return;
		}
		if (match.answer == DECIDE_RULE_YES) {
			decide_tell(telling, "rule %s: yes", rule->name.text);
			return;
		}
		decide_append_failed(&line, telling, rule, decision->session, match.failed);
		decide_tell(telling, "rule %s: no, %s", rule->name.text, line.text);
	}
	decide_tell(telling, "no rule takes it");
}

static void tell_outcome(const struct decide_telling *telling, const struct decision *decision)
{
	const struct policy *policy = telling->world->policy;
	const struct decide_origin *origin = telling->origin;
	const char *zone = origin->of_listener ? "" : policy->zones[origin->zone].name.text;
	struct decide_line line = {0};
	char cause[LEVEL_CAUSE_SIZE];

	switch (decision->reason) {
	case DECIDE_RULE:
		decide_append(&line, "verdict: ");
		break;
	case DECIDE_UNAUTHENTICATED:
		decide_append(
			&line, "verdict: as zone %s says for unauthenticated clients, ", zone);
		break;
	case DECIDE_UNMATCHED:
		decide_append(&line, "verdict: as zone %s says when no rule matches, ", zone);
		break;
	case DECIDE_BLOCKED:
	case DECIDE_NO_RECIPIENT: /* these never of a connection */
	case DECIDE_TLS:
		decide_append(&line, "verdict: ");
		break;
	case DECIDE_NOT_ACCEPTED:
		decide_append(&line, "verdict: listener %s does not accept it, ",
			policy->listeners[origin->listener].name.text);
		break;
	case DECIDE_NEEDS_NAME:
		decide_append(&line, "verdict: whether listener %s accepts it hangs on its name, ",
			policy->listeners[origin->listener].name.text);
		break;
	case DECIDE_NEEDS_ENVELOPE:
		decide_append(&line,
			"verdict: redirect at message level, by %s: it needs the envelope",
			level_format_cause(policy, &decision->cause, cause));
		break;
	}
	if (decision->block)
		decide_append(
			&line, "answer %u \"%s\"", decision->block->code, decision->block->text);
	else if (decision->act)
		decide_append_act(&line, decision->act);
	else if (decision->reason == DECIDE_NEEDS_ENVELOPE)
		; /* said */
	else if (decision->to_original)
		decide_append(&line, "redirect to server original, the client's own destination");
	else
		decide_append(&line, "redirect to server %s",
			policy->servers[decision->server].name.text);
	if (decision->until_ms) {
		decide_append(&line, "; holds until ");
		decide_append_time(&line, telling, decision->until_ms);
	}
	decide_tell(telling, "%s", line.text);
}

void decide_explain(const struct decide_world *world, const struct decide_origin *origin,
	const struct endpoint *original, uint64_t now_ms, struct decision *decision,
	decide_step *step, void *context)
{
	const struct decide_telling telling = {
		world, origin, original, NULL, now_ms, step, context};

	decide_connection(world, origin, original, now_ms, decision);
	if (origin->of_listener)
		tell_listener(&telling);
	else
		tell_identity(&telling, decision);
	if (decision->block)
		tell_block(&telling, decision->block);
	else if (!origin->of_listener &&
		 (decision->session || decision->reason == DECIDE_NEEDS_ENVELOPE))
		tell_rules(&telling, decision);
	tell_outcome(&telling, decision);
}
