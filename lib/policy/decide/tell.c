/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/decide/tell.h"

#include "lib/policy/element.h"

#include <stdarg.h>
#include <stdio.h>

void decide_tell(const struct decide_telling *telling, const char *format, ...)
{
	char text[DECIDE_STEP_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	telling->step(telling->context, text);
}

void decide_append(struct decide_line *line, const char *format, ...)
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

static void append_names(struct decide_line *line, const struct policy_strings *names)
{
	for (size_t i = 0; i < names->n; i++)
		decide_append(line, "%s\"%s\"", i ? ", " : "", names->v[i].text);
}

static void append_ports(struct decide_line *line, const struct policy_ports *ports)
{
	for (size_t i = 0; i < ports->n; i++)
		decide_append(line, "%s%u", i ? ", " : "", ports->v[i]);
}

static void append_elem(struct decide_line *line, const struct policy_elem *elem)
{
	char text[ELEMENT_TEXT_SIZE];

	decide_append(line, "%s", element_format(elem, text));
}

static void append_where(struct decide_line *line, const struct policy_where *where)
{
	size_t n = where->list_names.n;

	if (where->any)
		decide_append(line, "any");
	if (where->protected)
		decide_append(line, "protected");
	for (size_t i = 0; i < n; i++)
		decide_append(line, "%slist %s", i ? ", " : "", where->list_names.v[i].text);
	for (size_t i = 0; i < where->elems.n; i++) {
		decide_append(line, "%s", i || n ? ", " : "");
		append_elem(line, &where->elems.v[i]);
	}
}

static void append_minute(struct decide_line *line, unsigned minute)
{
	decide_append(line, "%02u:%02u", minute / 60, minute % 60);
}

static void append_schedule(struct decide_line *line, const struct policy_schedule *schedule)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

	for (size_t i = 0; i < schedule->n; i++) {
		const struct policy_range *range = &schedule->v[i];
		decide_append(line, "%s", i ? ", " : "");
		if (range->days_given && range->first_day < 7 && range->last_day < 7) {
			decide_append(line, "%s", days[range->first_day]);
			if (range->last_day != range->first_day)
				decide_append(line, "-%s", days[range->last_day]);
			decide_append(line, "%s", range->hours_given ? " " : "");
		}
		if (range->hours_given) {
			append_minute(line, range->from);
			decide_append(line, "-");
			append_minute(line, range->to);
		}
	}
}

void decide_append_time(
	struct decide_line *line, const struct decide_telling *telling, uint64_t at_ms)
{
	time_t at = (time_t)((at_ms + (uint64_t)telling->world->calendar_ahead_ms) / 1000);
	struct tm tm;
	char text[40];

	if (telling->world->local(&at, &tm) && strftime(text, sizeof(text), "%a %F %T", &tm))
		decide_append(line, "%s", text);
}

void decide_append_act(struct decide_line *line, const struct policy_act *act)
{
	decide_append(line, "%s", policy_verdict_names[act->verdict]);
	if (act->verdict == POLICY_VERDICT_ANSWER)
		decide_append(line, " %u \"%s\"", act->code, act->text.text);
}

/* "source 192.0.2.7 is not in list office" or, under `not`, "source 192.0.2.7 is in ..." */
static void append_outside(struct decide_line *line, const char *what, const char *value,
	const struct policy_where *where)
{
	decide_append(line, "%s %s is %s ", what, value, where->negated ? "in" : "not in");
	append_where(line, where);
}

void decide_append_mails(struct decide_line *line, const struct policy_mails *mails)
{
	const char *link = "";

	if (mails->own) {
		decide_append(line, "his own");
		link = ", ";
	}
	if (mails->none) {
		decide_append(line, "%s<>", link);
		link = ", ";
	}
	if (mails->protected) {
		decide_append(line, "%sprotected", link);
		link = ", ";
	}
	for (size_t i = 0; i < mails->list_names.n; i++, link = ", ")
		decide_append(line, "%slist %s", link, mails->list_names.v[i].text);
	for (size_t i = 0; i < mails->elems.n; i++, link = ", ") {
		decide_append(line, "%s", link);
		append_elem(line, &mails->elems.v[i]);
	}
}

void decide_append_tls(struct decide_line *line, const struct policy_tls_condition *condition)
{
	decide_append(line, condition->verified ? "verified" : "any");
	decide_append(line, condition->names.n > 0 ? " " : "");
	append_names(line, &condition->names);
}

/* "the client is in TLS with a valid certificate, not tls verified "mx.partner.example"" */
static void append_tls(struct decide_line *line, const struct decide_tls *tls,
	const struct policy_tls_condition *condition)
{
	decide_append(line, "the client's side is %s, and that is %stls ",
		!tls || !tls->on ? "in clear"
		: tls->verified  ? "in TLS with a valid certificate"
				 : "in TLS without a valid certificate",
		condition->negated ? "" : "not ");
	decide_append_tls(line, condition);
}

void decide_append_path(struct decide_line *line, const struct smtp_path *path)
{
	char text[SMTP_PATH_TEXT_MAX];
	size_t n = smtp_path_format(path, text);

	decide_append(line, "%.*s", (int)n, text);
}

void decide_append_action(struct decide_line *line, const struct policy_rule *rule)
{
	if (!rule->to_server)
		decide_append_act(line, &rule->act);
	else
		decide_append(line, "server %s",
			rule->to_original    ? "original"
			: rule->to_protected ? "protected"
					     : rule->server_name.text);
}

void decide_append_scans(struct decide_line *line, const struct policy *policy, unsigned scans)
{
	const char *link = ", scanned by ";

	for (size_t i = 0; i < policy->nscans; i++)
		if (scans & 1u << i) {
			decide_append(line, "%s%s", link, policy->scans[i].name.text);
			link = ", ";
		}
}

static void append_stranger(struct decide_line *line, const char *what,
	const struct smtp_path *path, const struct policy_mails *mails)
{
	decide_append(line, "%s ", what);
	decide_append_path(line, path);
	decide_append(line, " is %s ", mails->negated ? "among" : "not among");
	decide_append_mails(line, mails);
}

/* A rule is for zones or for listeners. */
static void append_origin(struct decide_line *line, const struct decide_telling *telling,
	const struct policy_rule *rule)
{
	const struct decide_origin *origin = telling->origin;
	const struct policy *policy = telling->world->policy;

	if (rule->listens != origin->of_listener)
		decide_append(line, "it is for %s", rule->listens ? "listeners" : "zones");
	else if (origin->of_listener)
		decide_append(line, "listener %s is %s ",
			policy->listeners[origin->listener].name.text,
			rule->listener_negated ? "among" : "not among");
	else
		decide_append(line, "zone %s is not among ", policy->zones[origin->zone].name.text);
	if (rule->listens == origin->of_listener)
		append_names(line, rule->listens ? &rule->listener_names : &rule->zone_names);
}

void decide_append_failed(struct decide_line *line, const struct decide_telling *telling,
	const struct policy_rule *rule, const struct session *session, enum decide_condition failed)
{
	char addr[ADDR_TEXT_SIZE];

	switch (failed) {
	case DECIDE_RULE_ENABLED:
		decide_append(line, "it is disabled");
		break;
	case DECIDE_RULE_ZONE:
		append_origin(line, telling, rule);
		break;
	case DECIDE_RULE_USER:
		if (!session || rule->user_none) {
			decide_append(
				line, session ? "somebody is logged in" : "nobody is logged in");
			break;
		}
		decide_append(line, "user \"%s\" is %s ", session->user.text,
			rule->user_negated ? "among" : "not among");
		if (rule->user_any)
			decide_append(line, "any");
		append_names(line, &rule->users);
		break;
	case DECIDE_RULE_GROUP:
		if (!session) {
			decide_append(line, "nobody is logged in");
			break;
		}
		decide_append(line, "user \"%s\" is in %s ", session->user.text,
			rule->group_negated ? "one of the groups" : "none of the groups");
		append_names(line, &rule->groups);
		break;
	case DECIDE_RULE_PORT:
		decide_append(line, "port %u is not among ", telling->original->port);
		append_ports(line, &rule->ports);
		break;
	case DECIDE_RULE_SOURCE:
		append_outside(
			line, "source", addr_format(&telling->origin->source, addr), &rule->source);
		break;
	case DECIDE_RULE_SCHEDULE:
		decide_append_time(line, telling, telling->now_ms);
		decide_append(line, " is outside of ");
		append_schedule(line, &rule->schedule);
		break;
	case DECIDE_RULE_DESTINATION:
		append_outside(line, "destination", addr_format(&telling->original->addr, addr),
			&rule->destination);
		break;
	case DECIDE_RULE_SENDER:
		append_stranger(line, "sender", telling->envelope->sender, &rule->sender);
		break;
	case DECIDE_RULE_RECIPIENT:
		append_stranger(line, "recipient", telling->envelope->recipient, &rule->recipient);
		break;
	case DECIDE_RULE_TLS:
		append_tls(line, telling->envelope->tls, &rule->tls);
		break;
	case DECIDE_RULE_ALL:
		break;
	}
}
