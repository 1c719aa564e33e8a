/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/level.h"

#include "lib/language/shadow.h"

#include <assert.h>
#include <stdio.h>

const char *const level_words[] = {
	[LEVEL_NO_WORD] = "",
	[LEVEL_LISTENER] = "listener",
	[LEVEL_LEVEL] = "level message",
	[LEVEL_NEWLINE] = "newline",
	[LEVEL_ZONE_TLS] = "tls",
	[LEVEL_SENDER] = "sender",
	[LEVEL_RECIPIENT] = "recipient",
	[LEVEL_TLS] = "tls",
	[LEVEL_SCAN] = "scan",
	[LEVEL_SERVER_TLS] = "tls",
	[LEVEL_ACCOUNT] = "account",
	[LEVEL_LIMIT_MESSAGES] = "limit messages",
	[LEVEL_LIMIT_RECIPIENTS] = "limit recipients",
	[LEVEL_LIMIT_SIZE] = "limit size",
};
static_assert(sizeof(level_words) / sizeof(*level_words) == LEVEL_WORDS, "a text for each word");

static enum level_word word_of_limit(const struct policy_limit *limit)
{
	if (limit->implied)
		return LEVEL_NO_WORD;
	switch (limit->kind) {
	case POLICY_LIMIT_FLOWS:
	case POLICY_LIMIT_RATE:
	case POLICY_LIMIT_SESSIONS:
		break;
	case POLICY_LIMIT_MESSAGES:
		return LEVEL_LIMIT_MESSAGES;
	case POLICY_LIMIT_RECIPIENTS:
		return LEVEL_LIMIT_RECIPIENTS;
	case POLICY_LIMIT_SIZE:
		return LEVEL_LIMIT_SIZE;
	}
	return LEVEL_NO_WORD;
}

static enum level_word word_of_limits(const struct policy_limits *limits)
{
	enum level_word word = LEVEL_NO_WORD;

	for (size_t i = 0; word == LEVEL_NO_WORD && i < limits->n; i++)
		word = word_of_limit(&limits->v[i]);
	return word;
}

enum level_word level_of_zone(const struct policy_zone *zone)
{
	if (zone->level == POLICY_LEVEL_MESSAGE)
		return LEVEL_LEVEL;
	if (zone->newline != POLICY_NEWLINE_DEFAULT)
		return LEVEL_NEWLINE;
	if (zone->tls.mode != POLICY_TLS_NONE)
		return LEVEL_ZONE_TLS;
	return word_of_limits(&zone->limits);
}

enum level_word level_of_rule(const struct policy_rule *rule)
{
	if (rule->sender.given)
		return LEVEL_SENDER;
	if (rule->recipient.given)
		return LEVEL_RECIPIENT;
	if (rule->tls.given)
		return LEVEL_TLS;
	if (rule->scan_names.n > 0)
		return LEVEL_SCAN;
	return word_of_limits(&rule->limits);
}

static bool is_spoken(const struct policy_server_tls *tls)
{
	return tls->given && tls->mode != POLICY_SERVER_TLS_NONE;
}

static enum level_word level_of_server(const struct policy_server *server)
{
	bool tls = is_spoken(&server->tls);

	for (size_t i = 0; !tls && i < server->nhosts; i++)
		tls = is_spoken(&server->hosts[i].tls);
	return tls ? LEVEL_SERVER_TLS : server->account.given ? LEVEL_ACCOUNT : LEVEL_NO_WORD;
}

enum level_word level_by_rule(const struct policy *policy, const struct policy_rule *rule)
{
	enum level_word word = level_of_rule(rule);

	if (word == LEVEL_NO_WORD && rule->to_server && !rule->to_original && !rule->to_protected)
		word = level_of_server(&policy->servers[rule->server]);
	return word;
}

/* Does a flow of this zone come to the rule, or does one before it take all that it could take? */
static bool is_reached(
	const struct policy *policy, size_t zone, size_t index, struct language_effort *effort)
{
	for (size_t i = 0; i < index; i++) {
		struct policy_rule before = policy->rules[i];
		if (!policy_rule_in_zone(&before, zone))
			continue;
		before.zone_names.n = 0; /* of this zone alone */
		if (language_implied(&before, &policy->rules[index], effort))
			return false;
	}
	return true;
}

struct level_cause level_cause_of_zone(const struct policy *policy, size_t zone)
{
	struct level_cause cause = {level_of_zone(&policy->zones[zone]), (ptrdiff_t)zone, -1};
	struct language_effort effort = {LANGUAGE_SHADOW_EFFORT};

	for (size_t i = 0; cause.word == LEVEL_NO_WORD && i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		if (rule->disabled || !policy_rule_in_zone(rule, zone))
			continue;
		enum level_word word = level_by_rule(policy, rule);
		if (word != LEVEL_NO_WORD && is_reached(policy, zone, i, &effort))
			cause = (struct level_cause){word, -1, (ptrdiff_t)i};
	}
	return cause;
}

/* until: behind it no enabled rule has a word. */
static struct level_cause cause_of_rule(
	const struct policy *policy, size_t index, size_t until, struct language_effort *effort)
{
	const struct policy_rule *rule = &policy->rules[index];
	struct level_cause cause = {level_by_rule(policy, rule), -1, (ptrdiff_t)index};

	if (cause.word == LEVEL_NO_WORD && rule->listens)
		cause.word = LEVEL_LISTENER;

	for (size_t i = 0; cause.word == LEVEL_NO_WORD && i < policy->nzones; i++)
		if (policy_rule_in_zone(rule, i))
			cause = (struct level_cause){
				level_of_zone(&policy->zones[i]), (ptrdiff_t)i, -1};
	for (size_t i = 0; cause.word == LEVEL_NO_WORD && i < index && i < until; i++) {
		const struct policy_rule *before = &policy->rules[i];
		enum level_word word = level_of_rule(before);
		if (word != LEVEL_NO_WORD && !before->disabled &&
			!language_apart(before, rule, effort))
			cause = (struct level_cause){word, -1, (ptrdiff_t)i};
	}
	return cause;
}

struct level_cause level_cause_of_rule(const struct policy *policy, size_t index)
{
	struct language_effort effort = {LANGUAGE_SHADOW_EFFORT};

	return cause_of_rule(policy, index, index, &effort);
}

static bool leads_to(const struct policy *policy, const struct policy_rule *rule, size_t server)
{
	bool found = rule->to_original;

	if (rule->disabled || !rule->to_server)
		return false;
	for (size_t i = 0; rule->to_protected && !found && i < policy->ndomains; i++)
		found = policy->domains[i].server == server;
	return found || (!rule->to_original && !rule->to_protected && rule->server == server);
}

/* Each connection that a rule could take meets the conditions of one before it, whose flows are
 * read. */
static bool is_behind_read(
	const struct policy *policy, size_t index, size_t until, struct language_effort *effort)
{
	for (size_t i = 0; i < index && i < until; i++) {
		if (level_by_rule(policy, &policy->rules[i]) == LEVEL_NO_WORD)
			continue;
		struct policy_rule before = policy->rules[i];
		before.sender.given = before.recipient.given = before.tls.given = false;
		if (language_implied(&before, &policy->rules[index], effort))
			return true;
	}
	return false;
}

static bool takes_plain(
	const struct policy *policy, size_t index, size_t until, struct language_effort *effort)
{
	const struct policy_rule *rule = &policy->rules[index];
	bool has_zone = false;

	if (rule->listens || level_by_rule(policy, rule) != LEVEL_NO_WORD)
		return false;
	for (size_t i = 0; !has_zone && i < policy->nzones; i++)
		has_zone = policy_rule_in_zone(rule, i) &&
			   level_of_zone(&policy->zones[i]) == LEVEL_NO_WORD;
	return has_zone && !is_behind_read(policy, index, until, effort);
}

/* Behind it no enabled rule has a word, of its own or its server's. */
static size_t end_of_words(const struct policy *policy)
{
	size_t end = policy->nrules;

	while (end > 0 && (policy->rules[end - 1].disabled ||
				  level_by_rule(policy, &policy->rules[end - 1]) == LEVEL_NO_WORD))
		end--;
	return end;
}

unsigned level_flows_to(const struct policy *policy, size_t server)
{
	struct language_effort effort = {LANGUAGE_SHADOW_EFFORT};
	size_t until = end_of_words(policy);
	unsigned flows = 0;

	for (size_t i = 0; flows != LEVEL_FLOWS_ALL && i < policy->nrules; i++) {
		if (!leads_to(policy, &policy->rules[i], server))
			continue;
		if (!(flows & LEVEL_FLOWS_PLAIN) && takes_plain(policy, i, until, &effort))
			flows |= LEVEL_FLOWS_PLAIN;
		if (!(flows & LEVEL_FLOWS_READ) &&
			cause_of_rule(policy, i, until, &effort).word != LEVEL_NO_WORD)
			flows |= LEVEL_FLOWS_READ;
	}
	return flows;
}

const char *level_format_cause(const struct policy *policy, const struct level_cause *cause,
	char buf[static LEVEL_CAUSE_SIZE])
{
	bool of_server = cause->word == LEVEL_SERVER_TLS || cause->word == LEVEL_ACCOUNT;
	const struct policy_rule *rule = cause->rule >= 0 ? &policy->rules[cause->rule] : NULL;

	buf[0] = '\0';
	if (cause->word == LEVEL_LISTENER)
		snprintf(buf, LEVEL_CAUSE_SIZE, "its listener");
	else if (cause->word != LEVEL_NO_WORD)
		snprintf(buf, LEVEL_CAUSE_SIZE, "%s %s: %s%s%s", rule ? "rule" : "zone",
			rule ? rule->name.text : policy->zones[cause->zone].name.text,
			level_words[cause->word], rule && of_server ? " of server " : "",
			rule && of_server ? rule->server_name.text : "");
	return buf;
}

void level_changes(
	const struct policy *running, const struct policy *coming, level_say *say, void *context)
{
	for (size_t i = 0; i < coming->nzones; i++) {
		const char *zone = coming->zones[i].name.text;
		ptrdiff_t at = running ? policy_find_zone(running, zone) : -1;
		struct level_cause before = {LEVEL_NO_WORD, -1, -1};
		struct level_cause after = level_cause_of_zone(coming, i);
		char by[LEVEL_CAUSE_SIZE], text[LEVEL_CHANGE_SIZE];
		if (at >= 0)
			before = level_cause_of_zone(running, (size_t)at);
		if (!before.word == !after.word)
			continue;
		if (after.word)
			snprintf(text, sizeof(text),
				"level message by %s: its clients no longer have the server's "
				"STARTTLS, AUTH and CHUNKING%s",
				level_format_cause(coming, &after, by),
				coming->zones[i].tls.mode == POLICY_TLS_NONE
					? ""
					: ", but the gateway's own TLS");
		else
			snprintf(text, sizeof(text),
				"level connection, no longer message by %s: its clients talk to "
				"the server itself",
				level_format_cause(running, &before, by));
		say(context, zone, text);
	}
}
