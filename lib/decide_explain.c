#include "lib/decide.h"

#include "lib/decide_rule.h"
#include "lib/element.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STEP_BYTES 1024

struct telling {
	const struct decide_world *world;
	const struct decide_origin *origin;
	const struct endpoint *original;
	uint64_t now_ms;
	decide_step *step;
	void *context;
};

static void __attribute__((format(printf, 2, 3)))
tell(const struct telling *telling, const char *format, ...)
{
	char text[STEP_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	telling->step(telling->context, text);
}

/* Words joined into a line; what does not fit is cut. */
struct line {
	char text[STEP_BYTES / 2];
	size_t len;
};

static void __attribute__((format(printf, 2, 3))) append(struct line *line, const char *format, ...)
{
	va_list args;

	if (line->len >= sizeof(line->text) - 1)
		return;
	va_start(args, format);
	int n = vsnprintf(line->text + line->len, sizeof(line->text) - line->len, format, args);
	va_end(args);
	if (n > 0)
		line->len += (size_t)n;
}

static void append_names(struct line *line, const struct policy_strings *names)
{
	for (size_t i = 0; i < names->n; i++)
		append(line, "%s\"%s\"", i ? ", " : "", names->v[i].text);
}

static void append_ports(struct line *line, const struct policy_ports *ports)
{
	for (size_t i = 0; i < ports->n; i++)
		append(line, "%s%u", i ? ", " : "", ports->v[i]);
}

static void append_elem(struct line *line, const struct policy_elem *elem)
{
	char text[ELEMENT_TEXT_SIZE];

	append(line, "%s", element_format(elem, text));
}

static void append_where(struct line *line, const struct policy_where *where)
{
	size_t n = where->list_names.n;

	if (where->any)
		append(line, "any");
	for (size_t i = 0; i < n; i++)
		append(line, "%slist %s", i ? ", " : "", where->list_names.v[i].text);
	for (size_t i = 0; i < where->elems.n; i++) {
		append(line, "%s", i || n ? ", " : "");
		append_elem(line, &where->elems.v[i]);
	}
}

static void append_minute(struct line *line, unsigned minute)
{
	append(line, "%02u:%02u", minute / 60, minute % 60);
}

static void append_schedule(struct line *line, const struct policy_schedule *schedule)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

	for (size_t i = 0; i < schedule->n; i++) {
		const struct policy_range *range = &schedule->v[i];
		append(line, "%s", i ? ", " : "");
		if (range->days_given && range->first_day < 7 && range->last_day < 7) {
			append(line, "%s", days[range->first_day]);
			if (range->last_day != range->first_day)
				append(line, "-%s", days[range->last_day]);
			append(line, "%s", range->hours_given ? " " : "");
		}
		if (range->hours_given) {
			append_minute(line, range->from);
			append(line, "-");
			append_minute(line, range->to);
		}
	}
}

static void append_time(struct line *line, const struct telling *telling, uint64_t at_ms)
{
	time_t at = (time_t)((at_ms + (uint64_t)telling->world->calendar_ahead_ms) / 1000);
	struct tm tm;
	char text[40];

	if (telling->world->local(&at, &tm) && strftime(text, sizeof(text), "%a %F %T", &tm))
		append(line, "%s", text);
}

static void append_act(struct line *line, const struct policy_act *act)
{
	append(line, "%s", policy_verdict_names[act->verdict]);
	if (act->verdict == POLICY_VERDICT_ANSWER)
		append(line, " %u \"%s\"", act->code, act->text.text);
}

/* "source 192.0.2.7 is not in list office" or, under `not`, "source 192.0.2.7 is in ..." */
static void append_outside(
	struct line *line, const char *what, const char *value, const struct policy_where *where)
{
	append(line, "%s %s is %s ", what, value, where->negated ? "in" : "not in");
	append_where(line, where);
}

static void append_failed(struct line *line, const struct telling *telling,
	const struct policy_rule *rule, const struct session *session, enum decide_condition failed)
{
	char addr[ADDR_TEXT_SIZE];

	switch (failed) {
	case DECIDE_RULE_ENABLED:
		append(line, "it is disabled");
		break;
	case DECIDE_RULE_ZONE:
		append(line, "zone %s is not among ",
			telling->world->policy->zones[telling->origin->zone].name.text);
		append_names(line, &rule->zone_names);
		break;
	case DECIDE_RULE_USER:
		append(line, "user \"%s\" is %s ", session->user.text,
			rule->user_negated ? "among" : "not among");
		if (rule->user_any)
			append(line, "any");
		append_names(line, &rule->users);
		break;
	case DECIDE_RULE_GROUP:
		append(line, "user \"%s\" is in %s ", session->user.text,
			rule->group_negated ? "one of the groups" : "none of the groups");
		append_names(line, &rule->groups);
		break;
	case DECIDE_RULE_PORT:
		append(line, "port %u is not among ", telling->original->port);
		append_ports(line, &rule->ports);
		break;
	case DECIDE_RULE_SOURCE:
		append_outside(
			line, "source", addr_format(&telling->origin->source, addr), &rule->source);
		break;
	case DECIDE_RULE_SCHEDULE:
		append_time(line, telling, telling->now_ms);
		append(line, " is outside of ");
		append_schedule(line, &rule->schedule);
		break;
	case DECIDE_RULE_DESTINATION:
		append_outside(line, "destination", addr_format(&telling->original->addr, addr),
			&rule->destination);
		break;
	case DECIDE_RULE_ALL:
		break;
	}
}

static void tell_identity(const struct telling *telling, const struct decision *decision)
{
	const struct policy_zone *zone = &telling->world->policy->zones[telling->origin->zone];
	static const char *const identities[] = {
		[POLICY_IDENTITY_MAC] = "MAC",
		[POLICY_IDENTITY_ADDRESS] = "address",
		[POLICY_IDENTITY_MAC_ADDRESS] = "MAC and address",
	};
	char addr[ADDR_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	bool has_mac = mac_is_set(&telling->origin->mac);
	struct line line = {0};
	uint64_t until_ms = 0;

	tell(telling, "client %s%s%s in zone %s, which goes by %s",
		addr_format(&telling->origin->source, addr),
		has_mac ? " with MAC " : ", no MAC seen",
		has_mac ? mac_format(&telling->origin->mac, mac) : "", zone->name.text,
		identities[zone->identity]);
	const struct session *session = session_table_identify_at(telling->world->sessions,
		zone->name.text, zone->identity, &telling->origin->mac, &telling->origin->source,
		telling->now_ms, &until_ms);
	if (!session) {
		tell(telling, "session: none");
		return;
	}
	if (session->kind == SESSION_DEVICE)
		append(&line, "session: device of user \"%s\"", session->user.text);
	else
		append(&line, "session: %llu of user \"%s\"", (unsigned long long)session->id,
			session->user.text);
	for (size_t i = 0; i < session->ngroups; i++)
		append(&line, "%s\"%s\"", i ? ", " : ", groups ", session->groups[i].text);
	if (session->lease_end_ms) {
		append(&line,
			decision->session ? ", lease until " : ", but its lease was over at ");
		append_time(&line, telling, session->lease_end_ms);
	}
	tell(telling, "%s", line.text);
}

static void tell_block(const struct telling *telling, const struct block *block)
{
	char subject[BLOCK_SUBJECT_SIZE];
	struct line line = {0};

	append(&line, "block: %s is blocked", block_format_subject(block, subject));
	if (block->until_ms) {
		append(&line, " until ");
		append_time(&line, telling, block->until_ms);
	}
	if (*block->limit)
		append(&line, ", over %s", block->limit);
	tell(telling, "%s", line.text);
}

static void tell_rules(const struct telling *telling, const struct decision *decision)
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
		struct line line = {0};
		if (match.answer == DECIDE_RULE_YES) {
			tell(telling, "rule %s: yes", rule->name.text);
			return;
		}
		append_failed(&line, telling, rule, decision->session, match.failed);
		tell(telling, "rule %s: no, %s", rule->name.text, line.text);
	}
	tell(telling, "no rule takes it");
}

static void tell_outcome(const struct telling *telling, const struct decision *decision)
{
	const struct policy *policy = telling->world->policy;
	const char *zone = policy->zones[telling->origin->zone].name.text;
	struct line line = {0};

	switch (decision->reason) {
	case DECIDE_RULE:
		append(&line, "verdict: ");
		break;
	case DECIDE_UNAUTHENTICATED:
		append(&line, "verdict: as zone %s says for unauthenticated clients, ", zone);
		break;
	case DECIDE_UNMATCHED:
		append(&line, "verdict: as zone %s says when no rule matches, ", zone);
		break;
	case DECIDE_BLOCKED:
		append(&line, "verdict: ");
		break;
	}
	if (decision->block)
		append(&line, "answer %u \"%s\"", decision->block->code, decision->block->text);
	else if (decision->act)
		append_act(&line, decision->act);
	else if (decision->to_original)
		append(&line, "redirect to server original, the client's own destination");
	else
		append(&line, "redirect to server %s", policy->servers[decision->server].name.text);
	if (decision->until_ms) {
		append(&line, "; holds until ");
		append_time(&line, telling, decision->until_ms);
	}
	tell(telling, "%s", line.text);
}

void decide_explain(const struct decide_world *world, const struct decide_origin *origin,
	const struct endpoint *original, uint64_t now_ms, struct decision *decision,
	decide_step *step, void *context)
{
	const struct telling telling = {world, origin, original, now_ms, step, context};

	decide_connection(world, origin, original, now_ms, decision);
	tell_identity(&telling, decision);
	if (decision->block)
		tell_block(&telling, decision->block);
	else if (decision->session)
		tell_rules(&telling, decision);
	tell_outcome(&telling, decision);
}
