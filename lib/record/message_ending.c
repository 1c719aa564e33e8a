/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/record/message_ending.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define MESSAGE_ENDING_ROW(id, name, outcome, meaning) [MESSAGE_##id] = {name, MESSAGE_##outcome},

static const struct {
	const char *name;
	enum message_outcome outcome;
} table[] = {MESSAGE_ENDING_TABLE(MESSAGE_ENDING_ROW)};
static_assert(sizeof(table) / sizeof(*table) == MESSAGE_ENDINGS, "a row for each");

static const char *const outcome_names[] = {
	[MESSAGE_STORED] = "stored",
	[MESSAGE_DOUBT] = "doubt",
	[MESSAGE_REFUSED] = "refused",
	[MESSAGE_ABORTED] = "aborted",
};
static_assert(
	sizeof(outcome_names) / sizeof(*outcome_names) == MESSAGE_OUTCOMES, "a name for each");

const char *message_ending_name(unsigned ending)
{
	return ending < MESSAGE_ENDINGS ? table[ending].name : "?";
}

int message_ending_parse(const char *name, enum message_ending *ending)
{
	for (unsigned i = 0; i < MESSAGE_ENDINGS; i++)
		if (strcmp(name, table[i].name) == 0) {
			*ending = i;
			return 0;
		}
	return -EINVAL;
}

const char *message_outcome_name(enum message_outcome outcome)
{
	return outcome_names[outcome];
}

enum message_outcome message_outcome_of(enum message_ending ending)
{
	return table[ending].outcome;
}

#define MESSAGE_BY_NAME(id, name, meaning) [MESSAGE_BY_##id] = name,
static const char *const by_names[] = {MESSAGE_BY_TABLE(MESSAGE_BY_NAME)};
static_assert(sizeof(by_names) / sizeof(*by_names) == MESSAGE_BYS, "a name for each");

const char *message_by_name(unsigned by)
{
	return by < MESSAGE_BYS ? by_names[by] : "?";
}
