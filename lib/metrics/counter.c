/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/metrics/counter.h"

#include <assert.h>
#include <stdio.h>

#define COUNTER_ROW(id, name, kind, help) [COUNTER_##id] = {name, help, COUNTER_KIND_##kind},
#define ENDING_ROW(id, name, class, meaning) \
	[COUNTER_ENDING + ENDING_##id] = {   \
		"ended-" name, "flows that ended: " meaning, COUNTER_KIND_TOTAL},

#define MESSAGE_ROW(id, name, outcome, meaning)     \
	[COUNTER_MESSAGE_ENDING + MESSAGE_##id] = { \
		"message-" name, "messages of flows that are read: " meaning, COUNTER_KIND_TOTAL},

#define RECIPIENT_ROW(id, name, meaning)             \
	[COUNTER_RECIPIENT_BY + MESSAGE_BY_##id] = { \
		"recipient-by-" name, "recipients refused: " meaning, COUNTER_KIND_TOTAL},

static const struct {
	const char *name, *help;
	enum counter_kind kind;
} table[] = {COUNTER_TABLE(COUNTER_ROW) ENDING_TABLE(ENDING_ROW) MESSAGE_ENDING_TABLE(MESSAGE_ROW)
		MESSAGE_BY_TABLE(RECIPIENT_ROW)};
static_assert(sizeof(table) / sizeof(table[0]) == COUNTERS, "a row for each");

const char *counter_name(unsigned counter)
{
	assert(counter < COUNTERS);
	return table[counter].name;
}

const char *counter_help(unsigned counter)
{
	assert(counter < COUNTERS);
	return table[counter].help;
}

enum counter_kind counter_kind_of(unsigned counter)
{
	assert(counter < COUNTERS);
	return table[counter].kind;
}

static const char *former_name(unsigned counter)
{
	switch (counter) {
	case COUNTER_IPC_SENT:
		return "messages-sent";
	case COUNTER_IPC_RECEIVED:
		return "messages-received";
	case COUNTER_IPC_BAD:
		return "messages-bad";
	case COUNTER_IPC_LOST:
		return "messages-lost";
	default:
		return NULL;
	}
}

const char *counter_former(unsigned counter, char help[static COUNTER_FORMER_SIZE])
{
	const char *name = former_name(counter);

	if (name)
		snprintf(help, COUNTER_FORMER_SIZE,
			"deprecated: %s in its former name, until the next version",
			counter_name(counter));
	return name;
}

unsigned counter_of_verdict(enum policy_verdict verdict)
{
	switch (verdict) {
	case POLICY_VERDICT_REDIRECT:
		return COUNTER_VERDICT_REDIRECT;
	case POLICY_VERDICT_ANSWER:
		return COUNTER_VERDICT_ANSWER;
	case POLICY_VERDICT_PASS:
		return COUNTER_VERDICT_PASS;
	case POLICY_VERDICT_REJECT:
		return COUNTER_VERDICT_REJECT;
	case POLICY_VERDICT_DROP:
		return COUNTER_VERDICT_DROP;
	}
	assert(!"a verdict");
	return COUNTER_VERDICT_DROP;
}

void counter_sum(uint64_t sum[static COUNTERS], const uint64_t part[static COUNTERS])
{
	for (unsigned i = 0; i < COUNTERS; i++)
		sum[i] += part[i];
}
