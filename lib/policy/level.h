/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns at which level flows are read, and by which word: the connection's, whose bytes pass unseen,
 * or the message's. */
#ifndef POSTERN_LIB_POLICY_LEVEL_H
#define POSTERN_LIB_POLICY_LEVEL_H

#include "lib/policy/policy.h"

/* Words that have flows read at message level. Defaults, `limit none` and
 * `scan none` are none. */
enum level_word {
	LEVEL_NO_WORD,
	LEVEL_LISTENER, /* what is addressed to the gateway is always read */
	/* of a zone: all its flows that a rule redirects */
	LEVEL_LEVEL, /* level message */
	LEVEL_NEWLINE,
	LEVEL_ZONE_TLS,
	/* of a rule: the flows whose first rule it is, by the conditions of the connection */
	LEVEL_SENDER,
	LEVEL_RECIPIENT,
	LEVEL_TLS,
	LEVEL_SCAN, /* one of its own; no condition */
	/* of the server that a rule leads to */
	LEVEL_SERVER_TLS,
	LEVEL_ACCOUNT,
	/* of either */
	LEVEL_LIMIT_MESSAGES,
	LEVEL_LIMIT_RECIPIENTS,
	LEVEL_LIMIT_SIZE,
};
#define LEVEL_WORDS 14
/* As it is written: "level message", "limit size"; "" for none. */
extern const char *const level_words[LEVEL_WORDS];

/* The first such word that the zone or the rule itself has, disabled or not. With one of a rule
 * messages decide whether it takes them, so that what it does not take comes to later rules. */
enum level_word level_of_zone(const struct policy_zone *zone);
enum level_word level_of_rule(const struct policy_rule *rule);
/* And that of the server that it leads to. */
enum level_word level_by_rule(const struct policy *policy, const struct policy_rule *rule);

/* Why. LEVEL_NO_WORD: it is the level of the connection. */
struct level_cause {
	enum level_word word;
	ptrdiff_t zone, rule; /* whose word it is: the other is -1 */
};
/* Of the flows of a zone: its own word, else that of the first enabled rule that flows of it can
 * come to and that has one. Flows that rules before that one take are not read. */
struct level_cause level_cause_of_zone(const struct policy *policy, size_t zone);
/* Of what a rule takes: its own or its server's word, else that of a zone it is for, else that of
 * an enabled rule before it that could take the same flows: it then decides on messages. */
struct level_cause level_cause_of_rule(const struct policy *policy, size_t rule);
/* "rule mail: recipient", "zone guest: level message", "rule out: account of server isp"; "" for
 * none. Returns buf. */
#define LEVEL_CAUSE_SIZE (2 * POLICY_NAME_SIZE + 32)
const char *level_format_cause(const struct policy *policy, const struct level_cause *cause,
	char buf[static LEVEL_CAUSE_SIZE]);

/* Flows that rules may send to a server. Those of a listener are read. */
enum level_flows {
	LEVEL_FLOWS_PLAIN = 1 << 0, /* at the level of the connection: their bytes pass unseen */
	LEVEL_FLOWS_READ = 1 << 1,  /* at message level */
};
#define LEVEL_FLOWS_ALL (LEVEL_FLOWS_PLAIN | LEVEL_FLOWS_READ)
/* 0: none. Where it is not sure, they may; `server original` may be a host of any server. */
unsigned level_flows_to(const struct policy *policy, size_t server);

/* One zone whose level is another in the coming policy, in a line: by which rule and word, and what
 * its clients lose. */
typedef void level_say(void *context, const char *zone, const char *text);
#define LEVEL_CHANGE_SIZE (2 * LEVEL_CAUSE_SIZE + 192)
/* Every zone of the coming policy that changes, and is in the running one; NULL: no policy runs,
 * and every zone that is read is said. */
void level_changes(
	const struct policy *running, const struct policy *coming, level_say *say, void *context);

#endif
