#include "lib/level.h"

#include "lib/language_shadow.h"

#include <assert.h>
#include <stdio.h>

const char *const level_words[] = {
	[LEVEL_NO_WORD] = "",
	[LEVEL_LISTENER] = "listener",
	[LEVEL_LEVEL] = "level message",
	[LEVEL_NEWLINE] = "newline",
	[LEVEL_SENDER] = "sender",
	[LEVEL_RECIPIENT] = "recipient",
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
	return word_of_limits(&zone->limits);
}

enum level_word level_of_rule(const struct policy_rule *rule)
{
	if (rule->sender.given)
		return LEVEL_SENDER;
	if (rule->recipient.given)
		return LEVEL_RECIPIENT;
	return word_of_limits(&rule->limits);
}

struct level_cause level_cause_of_zone(const struct policy *policy, size_t zone)
{
	struct level_cause cause = {level_of_zone(&policy->zones[zone]), (ptrdiff_t)zone, -1};

	for (size_t i = 0; cause.word == LEVEL_NO_WORD && i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		enum level_word word = level_of_rule(rule);
		if (word != LEVEL_NO_WORD && !rule->disabled && policy_rule_in_zone(rule, zone))
			cause = (struct level_cause){word, -1, (ptrdiff_t)i};
	}
	return cause;
}

struct level_cause level_cause_of_rule(const struct policy *policy, size_t index)
{
	const struct policy_rule *rule = &policy->rules[index];
	struct level_cause cause = {level_of_rule(rule), -1, (ptrdiff_t)index};
	struct language_effort effort = {LANGUAGE_SHADOW_EFFORT};

	if (cause.word == LEVEL_NO_WORD && rule->listens)
		cause.word = LEVEL_LISTENER;

	for (size_t i = 0; cause.word == LEVEL_NO_WORD && i < policy->nzones; i++)
		if (policy_rule_in_zone(rule, i))
			cause = (struct level_cause){
				level_of_zone(&policy->zones[i]), (ptrdiff_t)i, -1};
	for (size_t i = 0; cause.word == LEVEL_NO_WORD && i < index; i++) {
		const struct policy_rule *before = &policy->rules[i];
		enum level_word word = level_of_rule(before);
		if (word != LEVEL_NO_WORD && !before->disabled &&
			!language_apart(before, rule, &effort))
			cause = (struct level_cause){word, -1, (ptrdiff_t)i};
	}
	return cause;
}

const char *level_format_cause(const struct policy *policy, const struct level_cause *cause,
	char buf[static LEVEL_CAUSE_SIZE])
{
	buf[0] = '\0';
	if (cause->word == LEVEL_LISTENER)
		snprintf(buf, LEVEL_CAUSE_SIZE, "its listener");
	else if (cause->word != LEVEL_NO_WORD)
		snprintf(buf, LEVEL_CAUSE_SIZE, "%s %s: %s", cause->rule >= 0 ? "rule" : "zone",
			cause->rule >= 0 ? policy->rules[cause->rule].name.text
					 : policy->zones[cause->zone].name.text,
			level_words[cause->word]);
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
				"STARTTLS, AUTH and CHUNKING",
				level_format_cause(coming, &after, by));
		else
			snprintf(text, sizeof(text),
				"level connection, no longer message by %s: its clients talk to "
				"the server itself",
				level_format_cause(running, &before, by));
		say(context, zone, text);
	}
}
