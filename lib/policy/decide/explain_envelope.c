/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/decide/decide.h"

#include "lib/policy/decide/domain.h"
#include "lib/policy/decide/tell.h"

struct walk {
	const struct decide_telling *telling;
	struct decide_question question;
	struct decide_mails mails;
	char sender[MAILSET_KEY_SIZE], recipient[MAILSET_KEY_SIZE];
};

static void begin(struct walk *walk, const struct decide_telling *telling)
{
	const struct decide_envelope *envelope = telling->envelope;

	walk->telling = telling;
	decide_question_init(&walk->question, telling->world, telling->origin, telling->now_ms);
	walk->question.session = envelope->session;
	walk->question.destination = &telling->original->addr;
	walk->question.port = telling->original->port;
	walk->mails = (struct decide_mails){0};
	if (envelope->sender) {
		mailset_key_of(envelope->sender, walk->sender);
		walk->mails.sender = walk->sender;
	}
	if (envelope->recipient) {
		struct decide_domain domain;
		decide_domain_of(telling->world, envelope->recipient, telling->now_ms, &domain);
		mailset_key_of(envelope->recipient, walk->recipient);
		walk->mails.recipient = walk->recipient;
		walk->mails.protected = domain.index >= 0;
	}
	walk->mails.tls = envelope->tls;
}

static struct decide_match ask(struct walk *walk, const struct policy_rule *rule)
{
	return decide_mails(
		&walk->question, rule, &walk->mails, decide_rule(&walk->question, rule));
}

/* "sender <> and recipient not list partners", as far as it is open. */
static void append_open(
	struct decide_line *line, const struct walk *walk, const struct policy_rule *rule)
{
	const struct decide_envelope *envelope = walk->telling->envelope;
	const char *link = "";

	if (walk->question.of_listener && decide_hangs(&walk->question, &rule->source)) {
		decide_append(line, "its name is %samong those of source",
			rule->source.negated ? "not " : "");
		link = " and ";
	}
	if (rule->sender.given && !envelope->sender) {
		decide_append(line, "%ssender %s", link, rule->sender.negated ? "not " : "");
		decide_append_mails(line, &rule->sender);
		link = " and ";
	}
	if (rule->recipient.given && !envelope->recipient) {
		decide_append(line, "%srecipient %s", link, rule->recipient.negated ? "not " : "");
		decide_append_mails(line, &rule->recipient);
		link = " and ";
	}
	if (decide_tls_is_open(&rule->tls, envelope->tls)) {
		decide_append(line, "%stls %s", link, rule->tls.negated ? "not " : "");
		decide_append_tls(line, &rule->tls);
	}
}

static void append_action(
	struct decide_line *line, const struct walk *walk, const struct policy_rule *rule)
{
	decide_append_action(line, rule);
	decide_append_scans(line, walk->telling->world->policy, policy_rule_scans(rule));
}

/* Nothing is open that a rule asks for. */
static bool is_whole(const struct decide_telling *telling)
{
	const struct policy *policy = telling->world->policy;
	const struct decide_envelope *envelope = telling->envelope;
	bool open = false;

	for (size_t i = 0; i < policy->nrules; i++)
		open |= !policy->rules[i].disabled &&
			decide_tls_is_open(&policy->rules[i].tls, envelope->tls);
	return envelope->sender && envelope->recipient && !open;
}

/* true: nothing comes to the rules behind. */
static bool tell_rule(struct walk *walk, const struct policy_rule *rule)
{
	const struct decide_telling *telling = walk->telling;
	struct decide_match match = ask(walk, rule);
	struct decide_line line = {0};

	switch (match.answer) {
	case DECIDE_RULE_NO:
		decide_append_failed(&line, telling, rule, walk->question.session, match.failed);
		decide_tell(telling, "rule %s: no, %s", rule->name.text, line.text);
		return false;
	case DECIDE_RULE_MAYBE:
		append_open(&line, walk, rule);
		decide_append(&line, ": ");
		append_action(&line, walk, rule);
		decide_tell(telling, "rule %s: if %s", rule->name.text, line.text);
		return false;
	case DECIDE_RULE_YES:
		break;
	}
	append_action(&line, walk, rule);
	decide_tell(telling, "rule %s: %s, %s", rule->name.text,
		is_whole(telling) ? "yes" : "every other", line.text);
	return true;
}

static void tell_reply(const struct decide_telling *telling, const struct decide_reply *reply)
{
	const struct policy *policy = telling->world->policy;
	struct decide_line line = {0};

	decide_append(&line, "recipient ");
	decide_append_path(&line, telling->envelope->recipient);
	if (!reply->permitted)
		decide_append(&line, ": %u %s %s", reply->code, reply->status, reply->text);
	else
		decide_append(&line, ": to server %s",
			reply->server < 0 ? "original" : policy->servers[reply->server].name.text);
	decide_append_scans(&line, policy, reply->scans);
	if (reply->permitted && !reply->scans && policy->nscans > 0)
		decide_append(&line, ", not scanned");
	decide_tell(telling, "%s", line.text);
}

static void tell_rules(const struct decide_telling *telling)
{
	const struct policy *policy = telling->world->policy;
	const struct decide_origin *origin = telling->origin;
	bool known = telling->envelope->session;
	const struct policy_act *act = origin->of_listener
					       ? &policy->listeners[origin->listener].unmatched
				       : known ? &policy->zones[origin->zone].unmatched
					       : &policy->zones[origin->zone].unauthenticated;
	struct decide_line line = {0};
	struct walk walk;

	begin(&walk, telling);
	for (size_t i = 0; i < policy->nrules; i++)
		if (tell_rule(&walk, &policy->rules[i]))
			return;
	decide_append_act(&line, act);
	decide_tell(telling, "%s: as %s %s says %s, %s",
		is_whole(telling) ? "no rule takes it" : "every other",
		origin->of_listener ? "listener" : "zone",
		origin->of_listener ? policy->listeners[origin->listener].name.text
				    : policy->zones[origin->zone].name.text,
		known || origin->of_listener ? "when no rule matches"
					     : "for unauthenticated clients",
		line.text);
}

static void tell_direction(const struct decide_telling *telling)
{
	const struct policy *policy = telling->world->policy;
	struct decide_domain domain;
	struct decide_line line = {0};

	decide_domain_of(telling->world, telling->envelope->recipient, telling->now_ms, &domain);
	decide_append_path(&line, telling->envelope->recipient);
	if (domain.index < 0)
		decide_tell(telling, "direction: outgoing, %s is of no domain", line.text);
	else
		decide_tell(telling, "direction: incoming, %s is of domain %s%s", line.text,
			policy->domains[domain.index].name.text,
			domain.takes ? "" : ", which has no such recipient");
}

static bool refuse_tls(const struct decide_telling *telling, struct decide_reply *reply,
	const char *word, const char *text)
{
	*reply = (struct decide_reply){.reason = DECIDE_TLS,
		.rule = -1,
		.server = -1,
		.domain = -1,
		.code = 530,
		.status = "5.7.0",
		.text = text};
	decide_tell(telling, "%s: 530 5.7.0 %s, at MAIL", word, text);
	return false;
}

/* What is demanded of the client's side stands before all else. False: it is not there. */
static bool tell_demand(const struct decide_telling *telling, struct decide_reply *reply)
{
	const struct policy *policy = telling->world->policy;
	const struct decide_origin *origin = telling->origin;
	const struct decide_tls *known = telling->envelope->tls;
	const struct policy_client_tls *tls = origin->of_listener
						      ? &policy->listeners[origin->listener].tls
						      : &policy->zones[origin->zone].tls;
	bool in_tls = tls->mode == POLICY_TLS_REQUIRE,
	     shown = tls->client >= POLICY_TLS_CLIENT_CHECK,
	     needed = tls->client == POLICY_TLS_CLIENT_REQUIRE;

	if (tls->mode == POLICY_TLS_NONE || (known && known->verified))
		return true;
	if (known && !known->on && in_tls)
		return refuse_tls(telling, reply, "tls require", "say STARTTLS first");
	if (known && needed)
		return refuse_tls(
			telling, reply, "client require", "your certificate was not shown");
	if (!known && in_tls)
		decide_tell(telling, "tls require: who stays in clear hears 530 5.7.0 at MAIL");
	if (!known && needed)
		decide_tell(telling,
			"client require: who shows no certificate hears 530 5.7.0 at MAIL");
	if (shown && (!known || known->on))
		decide_tell(telling,
			"client %s: who shows a certificate that is not valid hears 550 5.7.0 at "
			"MAIL",
			policy_tls_client_names[tls->client]);
	return true;
}

void decide_explain_recipient(const struct decide_world *world, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, struct decide_reply *reply,
	decide_step *step, void *context)
{
	const struct decide_telling telling = {
		world, origin, envelope->original, envelope, now_ms, step, context};

	if (!tell_demand(&telling, reply))
		return;
	if (envelope->recipient && world->policy->ndomains > 0)
		tell_direction(&telling);
	decide_sender(world, origin, envelope, now_ms, reply);
	if (!reply->permitted && reply->reason == DECIDE_UNAUTHENTICATED) {
		decide_tell(&telling, "nobody is logged in: 530 5.7.0 at MAIL");
		return;
	}
	tell_rules(&telling);
	*reply = (struct decide_reply){.rule = -1, .server = -1, .domain = -1};
	if (!is_whole(&telling))
		return;
	decide_recipient(world, origin, envelope, now_ms, reply);
	tell_reply(&telling, reply);
}
