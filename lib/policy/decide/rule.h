/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns whether one rule takes a connection, or a recipient: its conditions one by one, cheap ones
 * first, the destination last, then sender and recipient. Private to lib/policy/decide/ and
 * lib/policy/proof/. */
#ifndef POSTERN_LIB_POLICY_DECIDE_RULE_H
#define POSTERN_LIB_POLICY_DECIDE_RULE_H

#include "lib/policy/decide/decide.h"
#include "lib/policy/decide/summary.h"
#include "lib/policy/mailset.h"

/* What is asked about each rule. Destination and port may be unknown: then the question is about
 * every connection of the client. */
struct decide_question {
	const struct decide_world *world;
	const struct session *session; /* NULL: no user */
	bool of_listener;
	size_t zone, listener;
	const char *const *hosts; /* the client's names */
	size_t nhosts;
	bool hosts_open; /* it may have others */
	const struct mac *mac;
	bool any_mac; /* the MAC is unknown, too */
	const struct addr *source;
	const struct addr *destination; /* NULL: unknown */
	uint16_t port;                  /* 0: unknown, but one of the zone's */
	uint64_t now_ms;
	time_t calendar;    /* now */
	struct tm local;    /* now */
	unsigned schedules; /* whose next change was worked out */
};

enum decide_answer {
	DECIDE_RULE_NO,
	DECIDE_RULE_MAYBE, /* destination, port, MAC or a name decide, and are unknown */
	DECIDE_RULE_YES,
};

/* In the order in which they are looked at. */
enum decide_condition {
	DECIDE_RULE_ENABLED,
	DECIDE_RULE_ZONE, /* or listener */
	DECIDE_RULE_USER,
	DECIDE_RULE_GROUP,
	DECIDE_RULE_PORT,
	DECIDE_RULE_SOURCE,
	DECIDE_RULE_SCHEDULE,
	DECIDE_RULE_DESTINATION,
	DECIDE_RULE_SENDER,
	DECIDE_RULE_RECIPIENT,
	DECIDE_RULE_TLS,
	DECIDE_RULE_ALL, /* none failed */
};

struct decide_match {
	enum decide_answer answer;
	enum decide_condition failed; /* the first that did not hold; DECIDE_RULE_ALL */
	unsigned fields;              /* of enum decide_field: what was looked at */
	uint64_t until_ms;            /* the answer holds until then; 0: no end */
};

void decide_question_init(struct decide_question *question, const struct decide_world *world,
	const struct decide_origin *origin, uint64_t now_ms);
/* The conditions of the connection. */
struct decide_match decide_rule(struct decide_question *question, const struct policy_rule *rule);
/* The same by its place, past those that the summaries leave out. */
struct decide_match decide_ask_rule(
	struct decide_question *question, const struct decide_key *key, size_t index);
/* Does the listener accept the client, and when does that change by itself (0: never)? */
struct decide_held {
	bool yes;
	bool open; /* a name that is not known decides */
	uint64_t change_ms;
};
struct decide_held decide_accept(const struct decide_question *question);
/* Are there names in it, or in a list of it? */
bool decide_has_hosts(const struct policy *policy, const struct policy_where *where);
/* Of a listener's `accept` or a `source` with names: is the client in it by none of what is known
 * of it, so that another name may put it there? */
bool decide_is_open(const struct decide_question *question, const struct policy_where *where);
/* And may it have others? */
bool decide_hangs(const struct decide_question *question, const struct policy_where *where);
/* The keys (mailset.h) of sender and recipient, and the client's TLS. NULL: unknown, and all could
 * hold (MAYBE). */
struct decide_mails {
	const char *sender, *recipient;
	bool protected; /* the recipient is of a protected domain */
	const struct decide_tls *tls;
};
/* Is an address one of them, by its key? *change_ms: when that changes by itself; 0: never. */
bool decide_is_among(const struct decide_question *question, const struct policy_mails *mails,
	const char *key, uint64_t *change_ms);
/* Is what is known of the client's TLS too little for the condition, if there is one? */
bool decide_tls_is_open(const struct policy_tls_condition *condition, const struct decide_tls *tls);
/* The conditions on them, of a rule whose others hold: match is decide_rule()'s. */
struct decide_match decide_mails(const struct decide_question *question,
	const struct policy_rule *rule, const struct decide_mails *mails,
	struct decide_match match);
const struct block *decide_find_block(const struct decide_world *world,
	const struct decide_origin *origin, const struct mac *mac, const struct session *session,
	uint64_t now_ms);
/* The session of a client of a zone, mac NULL: whatever its MAC; NULL: none. *until_ms is lowered.
 */
const struct session *decide_identify(const struct decide_world *world,
	const struct decide_origin *origin, const struct mac *mac, uint64_t now_ms,
	uint64_t *until_ms);
/* False: the client is blocked, or has no session whose lease holds, and the decision is made.
 * mac may be NULL. */
bool decide_take_session(const struct decide_world *world, const struct decide_origin *origin,
	const struct mac *mac, const struct session *session, uint64_t now_ms,
	struct decision *decision);
/* What the envelope decides is redirected. */
enum policy_verdict decide_verdict_of(const struct policy_rule *rule);
/* until 0 is no end. */
void decide_lower(uint64_t *until_ms, uint64_t end_ms);

#endif
