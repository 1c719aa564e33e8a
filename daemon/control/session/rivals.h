/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which sessions are in the way of one that is to be put in force, and taking them out of it:
 * those of the same client, those that have an address given to it, and the oldest of a user who
 * has as many as his zone allows. */
#ifndef POSTERN_RIVALS_H
#define POSTERN_RIVALS_H

#include "daemon/control/peers/question.h"
#include "lib/policy/session.h"
#include "lib/record/ending.h"

struct control;

/* One that is in the way, as it was. */
struct rival {
	struct session *was;
	bool ends; /* else it only loses the addresses that are given here */
	enum ending why;
};

/* Opens zeroed. */
struct rivals {
	struct session *same; /* of the same user and client, which is renewed; NULL: none */
	struct rival *v;
	size_t n;
};

/* Who is in the way of wanted, by its zone, user, MAC and given addresses. Copies, as the table
 * changes later. 0 or -ENOMEM. */
int rivals_find(const struct control *control, const struct policy_zone *zone,
	const struct session *wanted, struct rivals *rivals);
/* Behind rivals_find(), as whoever ends makes room: what `limit sessions` says of one more of this
 * user. Where it replaces, his oldest are in the way, too. 0; -EDQUOT: no more are allowed, and
 * *most is how many are; -ENOMEM. */
int rivals_limit(const struct control *control, const struct policy_zone *zone,
	const struct session *wanted, struct rivals *rivals, uint32_t *most);
/* Does any of them end? */
bool rivals_end(const struct rivals *rivals);
/* They end, or lose their addresses. Parts of the gather. 0 or -ENOMEM. */
int rivals_move(struct control *control, const struct session *wanted, const struct rivals *rivals,
	struct gather *gather);
/* Once that is for good: the flows of those that have ended. */
void rivals_kill_flows(struct control *control, const struct rivals *rivals);
/* It was not: they are as they were. Parts of the gather. */
void rivals_put_back(struct control *control, const struct rivals *rivals, struct gather *gather);
void rivals_fini(struct rivals *rivals);

#endif
