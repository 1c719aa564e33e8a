#include "lib/decide.h"

#include "lib/decide_rule.h"

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

static void take_rule(struct decide_reply *reply, const struct policy *policy, size_t index)
{
	const struct policy_rule *rule = &policy->rules[index];

	reply->rule = (ptrdiff_t)index;
	reply->reason = DECIDE_RULE;
	if (!rule->to_server) {
		act_on(reply, DECIDE_RULE, &rule->act);
		return;
	}
	reply->permitted = true;
	reply->to_original = rule->to_original;
	reply->server = rule->to_original ? -1 : (ptrdiff_t)rule->server;
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
	*reply = (struct decide_reply){.rule = -1, .server = -1};
	reply->block = decide_find_block(world, origin, &origin->mac, session, now_ms);
	if (reply->block)
		refuse_as(reply, DECIDE_BLOCKED, reply->block->code, reply->block->text);
	return reply->block;
}

void decide_sender(const struct decide_world *world, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, struct decide_reply *reply)
{
	const struct session *session = session_of(envelope, now_ms);

	if (is_blocked(world, origin, session, now_ms, reply))
		return;
	/* in a zone every rule asks for a session */
	if (!session)
		refuse(reply, DECIDE_UNAUTHENTICATED, 530, "5.7.0", "log in first");
	else
		reply->permitted = true;
}

static void ask_about(struct decide_question *question, const struct decide_world *world,
	const struct decide_origin *origin, const struct decide_envelope *envelope, uint64_t now_ms)
{
	decide_question_init(question, world, origin, now_ms);
	question->destination = &envelope->original->addr;
	question->port = envelope->original->port;
}

void decide_recipient(const struct decide_world *world, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, struct decide_reply *reply)
{
	const struct policy *policy = world->policy;
	const struct policy_zone *zone = &policy->zones[origin->zone];
	const struct session *session = session_of(envelope, now_ms);
	char sender[MAILSET_KEY_SIZE], recipient[MAILSET_KEY_SIZE];
	const struct decide_mails mails = {sender, recipient};
	struct decide_question question;

	if (is_blocked(world, origin, session, now_ms, reply))
		return;
	if (!session) {
		act_on(reply, DECIDE_UNAUTHENTICATED, &zone->unauthenticated);
		return;
	}
	mailset_key_of(envelope->sender, sender);
	mailset_key_of(envelope->recipient, recipient);
	ask_about(&question, world, origin, envelope, now_ms);
	question.session = session;
	struct decide_key key = decide_key_of(origin->zone, session, &origin->source);
	for (size_t i = 0; i < policy->nrules; i++) {
		struct decide_match match = decide_ask_rule(&question, &key, i);
		match = decide_mails(&question, &policy->rules[i], &mails, match);
		if (match.answer == DECIDE_RULE_YES) {
			take_rule(reply, policy, i);
			return;
		}
	}
	act_on(reply, DECIDE_UNMATCHED, &zone->unmatched);
}

void decide_reach(const struct decide_world *world, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, decide_reached *reached,
	void *context)
{
	const struct policy *policy = world->policy;
	const struct session *session = session_of(envelope, now_ms);
	const struct decide_mails unknown = {NULL, NULL};
	struct decide_question question;

	if (!session)
		return;
	ask_about(&question, world, origin, envelope, now_ms);
	question.session = session;
	struct decide_key key = decide_key_of(origin->zone, session, &origin->source);
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		struct decide_match match = decide_ask_rule(&question, &key, i);
		match = decide_mails(&question, rule, &unknown, match);
		if (match.answer != DECIDE_RULE_NO && rule->to_server)
			reached(context, rule);
		if (match.answer == DECIDE_RULE_YES)
			return;
	}
}
