#include "lib/outcome.h"

#define OUTCOME_WORD(id, word, status)   word,
#define OUTCOME_STATUS(id, word, status) status,

static const char *const words[] = {OUTCOME_TABLE(OUTCOME_WORD)};
static const unsigned char statuses[] = {OUTCOME_TABLE(OUTCOME_STATUS)};

const char *outcome_word(enum outcome outcome)
{
	return words[outcome];
}

int outcome_status(enum outcome outcome)
{
	return statuses[outcome];
}
