/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/command/outcome.h"

#include <stddef.h>
#include <string.h>

#define OUTCOME_WORD(id, word, status)   word,
#define OUTCOME_STATUS(id, word, status) status,

static const char *const words[] = {OUTCOME_TABLE(OUTCOME_WORD)};
static const unsigned char statuses[] = {OUTCOME_TABLE(OUTCOME_STATUS)};

const char *outcome_word(enum outcome outcome)
{
	return words[outcome];
}

enum outcome outcome_find(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i], word) == 0)
			return (enum outcome)i;
	return OUTCOME_REFUSED;
}

int outcome_status(enum outcome outcome)
{
	return statuses[outcome];
}
