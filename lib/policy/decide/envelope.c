/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/decide/decide.h"

#include "lib/policy/decide/domain.h"
#include "lib/policy/decide/rule.h"

#include <assert.h>

const char *const decide_direction_names[] = {
	[DECIDE_OUTGOING] = "outgoing",
	[DECIDE_INCOMING] = "incoming",
};
static_assert(
	sizeof(decide_direction_names) / sizeof(decide_direction_names[0]) == DECIDE_DIRECTIONS,
	"a name for each");

static void refuse(struct decide_reply *reply, enum decide_reason reason, unsigned code,
	const char *status, const char *text)
{
	reply->reason = reason;
	reply->permitted = false;
	reply->code = (uint16_t)code;
	reply->status = status;
	reply->text = text;
}

/* A refusal of one recipient never ends the connection: 421 is temporary, 554 is not. */
static void refuse_as(
	struct decide_reply *reply, enum decide_reason reason, unsigned greeting, const char *text)
{
	bool lasting = greeting == 554;

	refuse(reply, reason, lasting ? 550 : 450, lasting ? "5.7.1" : "4.7.1", text);
}

static void act_on(
	struct decide_reply *reply, enum decide_reason reason, const struct policy_act *act)
{
	if (act->verdict == POLICY_VERDICT_ANSWER)
		refuse_as(reply, reason, act->code, act->text.text);
	else if (act->verdict == POLICY_VERDICT_PASS || reason == DECIDE_RULE)
		refuse_as(reply, reason, 421, "the policy has changed, try again");
	else /* `unmatched reject` and `drop` */
		refuse_as(reply, reason, 554, "no rule takes this recipient");
}

/* Where it leads; -1: to the original. */
static ptrdiff_t server_of(
	const struct policy *policy, const struct policy_rule *rule, ptrdiff_t domain)
{
	if (rule->to_original)
		return -1;
	return (ptrdiff_t)(rule->to_protected ? policy->domains[domain].server : rule->server);
}

static void take_rule(struct decide_reply *reply, const struct policy *policy, size_t index,
	const struct decide_domain *domain)
{
	const struct policy_rule *rule = &policy->rules[index];

	reply->rule = (ptrdiff_t)index;
	reply->reason = DECIDE_RULE;
	if (!rule->to_server) {
		act_on(reply, DECIDE_RULE, &rule->act);
		return;
	}
	if (!domain->takes) {
		refuse(reply, DECIDE_NO_RECIPIENT, 550, "5.1.1", "no such recipient here");
		return;
	}
	/* only a lenient start has such a rule without a condition on the domain */
	if (rule->to_protected && domain->index < 0) {
		refuse_as(reply, DECIDE_RULE, 554, "relaying denied");
		return;
	}
	reply->permitted = true;
	reply->to_original = rule->to_original;
	reply->server = server_of(policy, rule, domain->index);
	reply->scans = policy_rule_scans(rule);
}

/* NULL: its lease is over. */
static const struct session *session_of(const struct decide_envelope *envelope, uint64_t now_ms)
{
	const struct session *session = envelope->session;

	return session && session->lease_end_ms && session->lease_end_ms <= now_ms ? NULL : session;
}

static bool is_blocked(const struct decide_world *world, const struct decide_origin *origin,
	const struct session *session, uint64_t now_ms, struct decide_reply *reply)
{
	const struct mac *mac = origin->of_listener ? NULL : &origin->mac;

	*reply = (struct decide_reply){
		.rule = -1, .server = -1, .domain = -1, .submission = session};
	reply->block = decide_find_block(world, origin, mac, session, now_ms);
	if (reply->block)
		refuse_as(reply, DECIDE_BLOCKED, reply->block->code, reply->block->text);
	return reply->block;
}

/* With the answer of each rule to what is known of the transaction, in order. */
struct walk {
	struct decide_question question;
	struct decide_mails mails;
	struct decide_key key;
	char sender[MAILSET_KEY_SIZE], recipient[MAILSET_KEY_SIZE];
};

static void begin(struct walk *walk, const struct decide_world *world,
	const struct decide_origin *origin, const struct decide_envelope *envelope,
	const struct session *session, uint64_t now_ms)
{
	decide_question_init(&walk->question, world, origin, now_ms);
	walk->question.destination = &envelope->original->addr;
	walk->question.port = envelope->original->port;
	walk->question.session = session;
	walk->key = decide_key_of(origin, session);
	walk->mails = (struct decide_mails){0};
}

static void know_sender(struct walk *walk, const struct smtp_path *sender)
{
	if (!sender)
		return;
	mailset_key_of(sender, walk->sender);
	walk->mails.sender = walk->sender;
}

static enum decide_answer ask(struct walk *walk, size_t i)
{
	struct decide_match match = decide_ask_rule(&walk->question, &walk->key, i);

	return decide_mails(
		&walk->question, &walk->question.world->policy->rules[i], &walk->mails, match)
		.answer;
}

/* Could a rule send a message to a server of somebody who is not known? */
static bool may_send(struct walk *walk)
{
	const struct policy *policy = walk->question.world->policy;

	for (size_t i = 0; i < policy->nrules; i++) {
		enum decide_answer answer = ask(walk, i);
		if (answer != DECIDE_RULE_NO && policy->rules[i].to_server)
			return true;
		if (answer == DECIDE_RULE_YES)
			return false;
	}
	return false;
}

/* Could it, of somebody who logs in? Else there is nothing to log in for, and the recipient's own
 * reply tells more. */
static bool may_send_known(struct walk *walk)
{
	const struct policy *policy = walk->question.world->policy;

	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		struct decide_match match = decide_mails(
			&walk->question, rule, &walk->mails, decide_rule(&walk->question, rule));
		if (match.answer == DECIDE_RULE_YES)
			return false;
		if (match.answer == DECIDE_RULE_NO && rule->to_server &&
			(match.failed == DECIDE_RULE_USER || match.failed == DECIDE_RULE_GROUP))
			return true;
	}
	return false;
}

void decide_sender(const struct decide_world *world, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, struct decide_reply *reply)
{
	const struct session *session = session_of(envelope, now_ms);
	struct walk walk;

	if (is_blocked(world, origin, session, now_ms, reply))
		return;
	reply->permitted = session;
	if (!session) {
		begin(&walk, world, origin, envelope, NULL, now_ms);
		know_sender(&walk, envelope->sender);
		reply->permitted = may_send(&walk) || !may_send_known(&walk);
	}
	if (!reply->permitted)
		refuse(reply, DECIDE_UNAUTHENTICATED, 530, "5.7.0", "log in first");
}

/* No rule takes it. */
static void take_none(const struct decide_world *world, const struct decide_origin *origin,
	struct decide_reply *reply)
{
	const struct policy *policy = world->policy;

	if (origin->of_listener)
		act_on(reply, DECIDE_UNMATCHED, &policy->listeners[origin->listener].unmatched);
	else if (reply->submission)
		act_on(reply, DECIDE_UNMATCHED, &policy->zones[origin->zone].unmatched);
	else
		act_on(reply, DECIDE_UNAUTHENTICATED, &policy->zones[origin->zone].unauthenticated);
}

/* Nothing else is open at a recipient. */
static bool hangs_on_host(const struct walk *walk, size_t i, enum decide_answer answer)
{
	const struct policy_rule *rule = &walk->question.world->policy->rules[i];

	return answer == DECIDE_RULE_MAYBE && walk->question.of_listener &&
	       decide_hangs(&walk->question, &rule->source);
}

void decide_recipient(const struct decide_world *world, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, struct decide_reply *reply)
{
	const struct policy *policy = world->policy;
	const struct session *session = session_of(envelope, now_ms);
	static const struct decide_tls in_clear;
	struct decide_domain domain;
	struct walk walk;

	if (is_blocked(world, origin, session, now_ms, reply))
		return;
	decide_domain_of(world, envelope->recipient, now_ms, &domain);
	reply->domain = domain.index;
	reply->direction = domain.index < 0 ? DECIDE_OUTGOING : DECIDE_INCOMING;
	begin(&walk, world, origin, envelope, session, now_ms);
	know_sender(&walk, envelope->sender);
	mailset_key_of(envelope->recipient, walk.recipient);
	walk.mails.recipient = walk.recipient;
	walk.mails.protected = domain.index >= 0;
	walk.mails.tls = envelope->tls ? envelope->tls : &in_clear;
	for (size_t i = 0; i < policy->nrules; i++) {
		enum decide_answer answer = ask(&walk, i);
		if (answer == DECIDE_RULE_YES) {
			take_rule(reply, policy, i, &domain);
			return;
		}
		if (hangs_on_host(&walk, i, answer)) {
			refuse(reply, DECIDE_NEEDS_NAME, 451, "4.4.3",
				"your host name cannot be found now");
			return;
		}
	}
	take_none(world, origin, reply);
}

static void tell_servers(const struct policy *policy, const struct policy_rule *rule,
	decide_reached *reached, void *context)
{
	if (!rule->to_protected)
		reached(context, rule, server_of(policy, rule, -1));
	for (size_t i = 0; rule->to_protected && i < policy->ndomains; i++)
		reached(context, rule, (ptrdiff_t)policy->domains[i].server);
}

void decide_reach(const struct decide_world *world, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, decide_reached *reached,
	void *context)
{
	const struct policy *policy = world->policy;
	struct walk walk;

	begin(&walk, world, origin, envelope, session_of(envelope, now_ms), now_ms);
	for (size_t i = 0; i < policy->nrules; i++) {
		enum decide_answer answer = ask(&walk, i);
		if (answer != DECIDE_RULE_NO && policy->rules[i].to_server)
			tell_servers(policy, &policy->rules[i], reached, context);
		if (answer == DECIDE_RULE_YES)
			return;
	}
}
