/* Owns whether one rule takes a connection: its conditions one by one, cheap ones first, the
 * destination last. */
#ifndef POSTERN_MATCH_H
#define POSTERN_MATCH_H

#include "lib/decide.h"

/* What is asked about each rule. Destination and port may be unknown: then the question is about
 * every connection of the client. */
struct match_question {
	const struct decide_world *world;
	const struct session *session;
	size_t zone;
	const struct mac *mac;
	const struct addr *source;
	const struct addr *destination; /* NULL: unknown */
	uint16_t port;                  /* 0: unknown, but one of the zone's */
	uint64_t now_ms;
	struct tm local;    /* of now_ms */
	unsigned schedules; /* whose next change was worked out */
};

enum match_answer {
	MATCH_NO,
	MATCH_MAYBE, /* destination or port decide, and are unknown */
	MATCH_YES,
};

/* In the order in which they are looked at. */
enum match_condition {
	MATCH_ENABLED,
	MATCH_ZONE,
	MATCH_USER,
	MATCH_GROUP,
	MATCH_PORT,
	MATCH_SOURCE,
	MATCH_SCHEDULE,
	MATCH_DESTINATION,
	MATCH_ALL, /* none failed */
};

struct match {
	enum match_answer answer;
	enum match_condition failed; /* the first that did not hold; MATCH_ALL */
	unsigned fields;             /* of enum decide_field: what was looked at */
	uint64_t until_ms;           /* the answer holds until then; 0: no end */
};

void match_init(struct match_question *question, const struct decide_world *world,
	const struct decide_origin *origin, uint64_t now_ms);
struct match match_rule(struct match_question *question, const struct policy_rule *rule);
/* until 0 is no end. */
void match_lower(uint64_t *until_ms, uint64_t end_ms);

#endif
