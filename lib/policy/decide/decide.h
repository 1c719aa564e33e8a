/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the decision: which rule takes a client's connection, or each recipient of a message, and
 * what of it may be cached. Pure; used alike by admission, relay, smtp and `explain`.
 *
 * A connection is decided by decide_connection(). Where that says DECIDE_NEEDS_ENVELOPE, whoever
 * reads the flow asks decide_sender() at each MAIL and decide_recipient() at each RCPT. */
#ifndef POSTERN_LIB_POLICY_DECIDE_DECIDE_H
#define POSTERN_LIB_POLICY_DECIDE_DECIDE_H

#include "lib/policy/block.h"
#include "lib/policy/level.h"
#include "lib/policy/lists.h"
#include "lib/policy/mark.h"
#include "lib/policy/policy.h"
#include "lib/policy/schedule.h"
#include "lib/policy/session.h"
#include "lib/smtp/path.h"

/* What the decision rests on. */
struct decide_world {
	const struct policy *policy;
	const struct lists *lists;
	const struct session_table *sessions;
	schedule_local *local;
	const struct blocks *blocks; /* NULL: none */
	/* All times are of one clock, and schedules are of the calendar: how far that is ahead. */
	int64_t calendar_ahead_ms;
	/* Is this address that of a host of the server (index)? Only asked where the policy itself
	 * does not say. NULL: no names are known. */
	bool (*is_host)(void *context, size_t server, const struct addr *addr);
	void *is_host_context;
};

/* Where a connection comes from: a zone, which it was redirected in, or a listener, which it was
 * addressed to. */
struct decide_origin {
	bool of_listener;
	size_t zone;     /* index into policy->zones; not looked at where it is of a listener */
	size_t listener; /* index into policy->listeners */
	struct mac mac;
	struct addr source;
	/* Of a listener: the client's own names by reverse and forward DNS (lib/dns/client_name.h),
	 * without a dot at their end; each counts alike. */
	const char *const *hosts;
	size_t nhosts;
	/* It may have others, which DNS was not asked for or has not said: what hangs on them is
	 * decided neither way (DECIDE_NEEDS_NAME). */
	bool hosts_open;
};

enum decide_field {
	DECIDE_SOURCE = 1 << 0,
	DECIDE_DESTINATION = 1 << 1,
	DECIDE_PORT = 1 << 2,
	DECIDE_TIME = 1 << 3,
	DECIDE_SESSION = 1 << 4,
	DECIDE_ENVELOPE = 1 << 5, /* sender or recipient, or that they are needed */
};

enum decide_reason {
	DECIDE_RULE,            /* a rule matched */
	DECIDE_UNAUTHENTICATED, /* no session, or its lease is over: the zone's `unauthenticated` */
	DECIDE_UNMATCHED,       /* a session, no rule: the zone's `unmatched` */
	DECIDE_BLOCKED,         /* whatever the rules say */
	/* The flow is to be read at message level: it is redirected, and which rule, server or
	 * refusal it meets is decided for each recipient. Never of decide_recipient(). */
	DECIDE_NEEDS_ENVELOPE,
	DECIDE_NOT_ACCEPTED, /* the listener does not accept this client */
	DECIDE_NO_RECIPIENT, /* its domain has no such recipient */
	DECIDE_TLS,          /* what `tls` demands is not there; of decide_explain_recipient() */
	DECIDE_NEEDS_NAME,   /* it hangs on names of the client that are not known (hosts_open) */
};
#define DECIDE_REASONS 9
extern const char *const decide_reason_names[DECIDE_REASONS];

struct decision {
	enum policy_verdict verdict;
	enum decide_reason reason;
	ptrdiff_t rule; /* index, -1 unless DECIDE_RULE */
	/* index; -1 for `server original`, for no redirect and with DECIDE_NEEDS_ENVELOPE */
	ptrdiff_t server;
	bool to_original;
	struct level_cause cause;      /* with DECIDE_NEEDS_ENVELOPE: by whose word */
	const struct policy_act *act;  /* for the other verdicts; borrowed from the policy */
	const struct block *block;     /* with DECIDE_BLOCKED, whose answer it has; borrowed */
	const struct session *session; /* borrowed; NULL: none, or its lease is over */
	unsigned fields;               /* of enum decide_field: what was looked at */
	uint64_t until_ms;             /* not true after this; 0: no end (lease, schedule, list) */
};

/* The decision for one connection: of the first rule whose conditions of the connection hold. If
 * that has a word of the message, or leads to a server in a zone that has one, the verdict is
 * POLICY_VERDICT_REDIRECT by DECIDE_NEEDS_ENVELOPE, with neither rule nor server. */
void decide_connection(const struct decide_world *world, const struct decide_origin *origin,
	const struct endpoint *original, uint64_t now_ms, struct decision *decision);

/* How a client is greeted by a decision with POLICY_VERDICT_ANSWER. The text is borrowed as the
 * decision's act and block are. */
struct decide_greeting {
	uint16_t code; /* 421 or 554 */
	const char *status, *text;
};
struct decide_greeting decide_greeting_of(const struct decision *decision);

/* Are there names among those that the listener accepts, or from whom its rules take? */
bool decide_wants_host(const struct policy *policy, size_t listener);
/* Could a name of the client that is not among origin's change what is decided about it? Of a
 * listener. Not of a client whom it does not accept whatever its name, nor where its address, or a
 * name that is known, says the same as any other name would. What hosts_open says is not looked
 * at. */
bool decide_hangs_on_host(
	const struct decide_world *world, const struct decide_origin *origin, uint64_t now_ms);

/* What the kernel does with a client's packets; the relay carries out both redirect and answer. */
enum mark decide_mark_of(enum policy_verdict verdict);

/* Where the kernel itself takes a client's connections, with MARK_KERNEL. */
struct decide_path {
	ptrdiff_t server; /* index */
	uint32_t flows;   /* at most so many of the client at once; 0: any number */
};

/* The decision for every connection of a client at once, for the kernel's cache: destination and
 * (in a zone of several ports) port are taken as unknown, in a zone with identity address the MAC
 * too; each rule that could match counts. True and *mark, *until_ms (0: no end) when every
 * connection of the client has the same kernel verdict until then, so that a cache keyed by
 * (interface, MAC, address), with identity address by (interface, address), cannot be wrong; false
 * when what is unknown decides and nothing may be cached. MARK_KERNEL, and *path, where all of them
 * go to one server of `path kernel`, and by rules that count alike; path NULL: the relay takes
 * those, too. */
bool decide_client(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, enum mark *mark, uint64_t *until_ms, struct decide_path *path);

/* Why the relay carries what of this client may go to a server of `path kernel`: "rule office asks
 * for the destination". "": the kernel carries it, or no rule that could take it leads to one.
 * Returns buf. */
#define DECIDE_WHY_SIZE 384
const char *decide_why_relay(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, char buf[static DECIDE_WHY_SIZE]);

/* The client's side of a flow. */
struct decide_tls {
	bool on;
	bool verified; /* with a certificate of its own that is valid */
	/* Is this, as decide_same_name() compares, among the certificate's names? Asked where
	 * verified alone. */
	bool (*has_name)(void *context, const char *name);
	void *context;
	bool names_open; /* it may have others than has_name() knows */
};
/* Names in certificates, of hosts and of mail addresses: whatever the case of their letters. */
bool decide_same_name(const char *a, const char *b);

/* What of a transaction is known, beside the origin of its flow. Paths are as they were parsed:
 * their keys are compared. */
struct decide_envelope {
	const struct session *session; /* user and groups as they came with the flow; NULL: none */
	const struct endpoint *original;
	const struct smtp_path *sender;    /* flag SMTP_PATH_NULL: <>; NULL: not known yet */
	const struct smtp_path *recipient; /* NULL with decide_sender() */
	const struct decide_tls *tls;      /* NULL: in clear; where it is told, unknown */
};

enum decide_direction {
	DECIDE_OUTGOING,
	DECIDE_INCOMING, /* the recipient is of a protected domain */
};
#define DECIDE_DIRECTIONS 2
extern const char *const decide_direction_names[DECIDE_DIRECTIONS];

/* What a sender or recipient meets. Refused: the reply is "CODE STATUS TEXT". */
struct decide_reply {
	enum decide_reason reason;
	bool permitted;
	ptrdiff_t rule;   /* index, -1 unless DECIDE_RULE; also of one that refuses */
	ptrdiff_t server; /* index, where permitted; -1 for `server original` */
	bool to_original;
	unsigned scans;                  /* of the rule, where permitted: policy_rule_scans() */
	bool submission;                 /* there is a user; else it is transfer */
	enum decide_direction direction; /* of decide_recipient() */
	ptrdiff_t domain;                /* index of the recipient's; -1: outgoing */
	uint16_t code;                   /* 450, 451, 530 or 550; 0 where permitted */
	const char *status;              /* "4.4.3", "4.7.1", "5.1.1", "5.7.0" or "5.7.1" */
	const char *text;                /* borrowed from the policy or the block, or constant */
	const struct block *block;       /* with DECIDE_BLOCKED; borrowed */
};

/* At MAIL: permitted, or 530 5.7.0 where no rule without a user could apply and there is none, or a
 * block's answer: 450 4.7.1 with a time, else 550 5.7.1. No rule is named. world->sessions is not
 * looked at, and may be NULL. */
void decide_sender(const struct decide_world *world, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, struct decide_reply *reply);
/* At RCPT: the first rule all of whose conditions hold, or the `unmatched` of zone or listener; of
 * a zone's client without a session, its `unauthenticated`. A recipient that its protected domain
 * does not have is 550 5.1.1 instead of being sent to a server. `answer 554 T`
 * is 550 5.7.1 T, `answer 421 T` 450 4.7.1 T. What would pass, be reset or dropped, as only a
 * change of the policy or of the time can bring here, is 450 4.7.1. Where a name of the client that
 * is not known decides, 451 4.4.3. For one origin, user and sender
 * all permitted recipients have one server, unless policy, lists or time change in between; without
 * a user they may have several, and whoever asks tells all but the first's to come again. */
void decide_recipient(const struct decide_world *world, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, struct decide_reply *reply);

/* Each server that a recipient of this flow may be sent to, whatever sender, recipient and TLS are
 * (those of the envelope are not looked at), by rule in order; one may come more than once.
 * server: index, -1 for `server original`. */
typedef void decide_reached(void *context, const struct policy_rule *rule, ptrdiff_t server);
void decide_reach(const struct decide_world *world, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, decide_reached *reached,
	void *context);

/* The same walk as decide_connection(), told step by step, for `explain`: step is called for the
 * identity, for each rule ("rule office: no, source 192.0.2.7 is not in list office") and for the
 * outcome. Text is one line without newline, borrowed. */
typedef void decide_step(void *context, const char *text);
void decide_explain(const struct decide_world *world, const struct decide_origin *origin,
	const struct endpoint *original, uint64_t now_ms, struct decision *decision,
	decide_step *step, void *context);
/* And as decide_recipient(); only the rules and the outcome. Where sender, recipient or TLS is
 * NULL: which rules could take such a one, and what follows of each; *reply then says nothing,
 * unless it is the TLS and no rule asks for it. */
void decide_explain_recipient(const struct decide_world *world, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, struct decide_reply *reply,
	decide_step *step, void *context);

#endif
