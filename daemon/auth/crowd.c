/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/auth/crowd.h"

#include "daemon/auth/auth.h"

#include <string.h>

/* A no is counted when it comes: those who are being asked for count as if theirs were there. */
static struct guess_asked asked_with(const struct attempt *attempt, unsigned *all)
{
	const struct attempt *other = attempt->auth->attempts.first;
	struct guess_asked asked = {0};

	for (*all = 0; other; other = other->next) {
		if (other == attempt || !other->asker || other->state != ATTEMPT_ASKS)
			continue;
		++*all;
		if ((other->known && other->proof) ||
			!guess_same_place(&other->place, &attempt->place))
			continue;
		asked.place++;
		asked.pair += attempt->name[0] && strcmp(other->name, attempt->name) == 0;
	}
	return asked;
}

bool crowd_may_ask(struct attempt *attempt, uint64_t now_us)
{
	struct guess *guess = attempt->auth->guess;
	const struct addr *place = &attempt->place;
	unsigned all;
	const struct guess_asked asked = asked_with(attempt, &all);

	attempt->known = guess_is_known(guess, attempt->name, place, attempt->proof, now_us);
	return attempt->known ||
	       (all < CROWD_STRANGERS && guess_may(guess, attempt->name, place, attempt->proof,
						 &asked, now_us) == GUESS_ASK);
}

struct attempt *crowd_who_goes(const struct attempts *attempts)
{
	struct attempt *talks = NULL, *held = NULL;

	for (struct attempt *attempt = attempts->first; attempt; attempt = attempt->next) {
		if (attempt->state == ATTEMPT_TALKS)
			talks = attempt;
		if (attempt->state == ATTEMPT_HOLDS &&
			(!held || attempt->timer.at_ms <= held->timer.at_ms))
			held = attempt;
	}
	return talks ? talks : held;
}
