/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the one table of the processes that the keeper starts: what each is given, may do, may ask
 * for and is told, how many there are, and when it is wanted. A kind of process is one line here
 * and a folder of its own. */
#ifndef POSTERN_DAEMON_PROCESS_ROLES_H
#define POSTERN_DAEMON_PROCESS_ROLES_H

#include "daemon/base/privilege.h"
#include "lib/policy/policy.h"

#include <stdbool.h>

struct process_start;

/* Descriptors at its start, beside the channel to the keeper. */
enum role_given {
	GIVEN_CONTROL = 1 << 0,       /* a channel to control */
	GIVEN_LIMIT = 1 << 1,         /* the memory of the shared limits */
	GIVEN_LISTENERS = 1 << 2,     /* sockets that TPROXY steers to */
	GIVEN_SOCKETS = 1 << 3,       /* control.sock and its like */
	GIVEN_MESSAGE_LIMIT = 1 << 4, /* the memory of the limits of messages */
	GIVEN_ENDPOINTS = 1 << 5,     /* sockets of the policy's listeners, whenever one opens */
	GIVEN_DATAGRAMS = 1 << 6,     /* those of its radiuses */
	GIVEN_PORTALS = 1 << 7,       /* and of its portals */
	GIVEN_TAKERS = GIVEN_ENDPOINTS | GIVEN_DATAGRAMS | GIVEN_PORTALS,
};

/* What it may ask the keeper for; all may answer a heartbeat. */
enum role_asks {
	ASKS_SOCKETS = 1 << 0, /* transparent ones, to connect from clients' addresses */
	ASKS_KERNEL = 1 << 1,  /* table, queue, connections, facts: the authority's */
};

enum role_told {
	TOLD_LINKS = 1 << 0,  /* the interfaces, by the keeper; all else is control's to tell */
	TOLD_POLICY = 1 << 1, /* policies: prepared, then in force or dropped */
	TOLD_SESSIONS = 1 << 2,
	TOLD_LISTS = 1 << 3,   /* dynamic lists, blocks */
	TOLD_TARGETS = 1 << 4, /* servers' hosts as health sees them */
	/* certificates with their keys, and whom to trust: */
	TOLD_CLIENTS_TLS = 1 << 5, /* towards clients */
	TOLD_SERVERS_TLS = 1 << 6, /* towards servers */
	TOLD_SECRETS = 1 << 7,     /* of accounts */
	TOLD_AUTHS = 1 << 8,       /* what checking passwords needs: users, secrets, trust */
	TOLD_RADIUSES = 1 << 9,    /* secrets of who sends accounting */
	TOLD_PORTALS = 1 << 10,    /* what login pages show: certificates with keys, texts */
};

/* What becomes of it in an upgrade in place. */
enum role_upgrade {
	ROLE_ENDS,     /* before the new program is executed */
	ROLE_REPLACED, /* when the new processes are up */
	ROLE_DRAINS,   /* then, too, but it has flows and ends with the last: it counts them in a
			  column of the limits, and a stop waits for it */
};

/*   role     name     given  privileges  asks  told  upgrade  silent_s  slack_s  many  pairs wanted
 */
#define PROCESS_TABLE(ROLE)                                                                        \
	ROLE(CONTROL, control, GIVEN_MESSAGE_LIMIT | GIVEN_SOCKETS,                                \
		PRIVILEGE_FLOWS | PRIVILEGE_FILES, ASKS_KERNEL, TOLD_LINKS, ROLE_ENDS, 60, 0,      \
		false, 0, NULL)                                                                    \
	ROLE(RELAY, relay, GIVEN_CONTROL | GIVEN_LIMIT | GIVEN_LISTENERS, PRIVILEGE_FLOWS,         \
		ASKS_SOCKETS,                                                                      \
		TOLD_LINKS | TOLD_POLICY | TOLD_SESSIONS | TOLD_LISTS | TOLD_TARGETS, ROLE_DRAINS, \
		10, 3, true, 0, NULL)                                                              \
	ROLE(SMTP, smtp, GIVEN_CONTROL | GIVEN_LIMIT | GIVEN_MESSAGE_LIMIT | GIVEN_ENDPOINTS,      \
		PRIVILEGE_ACCEPT | PRIVILEGE_SPOOL, ASKS_SOCKETS,                                  \
		TOLD_POLICY | TOLD_LISTS | TOLD_TARGETS | TOLD_CLIENTS_TLS | TOLD_SERVERS_TLS |    \
			TOLD_SECRETS,                                                              \
		ROLE_DRAINS, 10, 615, true, 1 << PROCESS_RELAY, wants_smtp)                        \
	ROLE(HEALTH, health, GIVEN_CONTROL, 0, ASKS_SOCKETS, TOLD_POLICY | TOLD_SERVERS_TLS,       \
		ROLE_REPLACED, 10, 0, false, 0, NULL)                                              \
	ROLE(AUTH, auth, GIVEN_CONTROL, 0, 0,                                                      \
		TOLD_POLICY | TOLD_TARGETS | TOLD_SERVERS_TLS | TOLD_AUTHS, ROLE_REPLACED, 10, 0,  \
		false, 1 << PROCESS_SMTP, wants_auth)                                              \
	ROLE(RADIUS, radius, GIVEN_CONTROL | GIVEN_DATAGRAMS, 0, 0, TOLD_POLICY | TOLD_RADIUSES,   \
		ROLE_REPLACED, 10, 0, false, 0, wants_radius)                                      \
	ROLE(WEB, web, GIVEN_CONTROL | GIVEN_PORTALS, PRIVILEGE_LISTEN, 0,                         \
		TOLD_LINKS | TOLD_POLICY | TOLD_PORTALS, ROLE_ENDS, 10, 0, false,                  \
		1 << PROCESS_AUTH, wants_web)

#define ROLE_ENUM(role, ...) PROCESS_##role,
enum process_role { PROCESS_TABLE(ROLE_ENUM) PROCESS_ROLES };
#undef ROLE_ENUM

#define ROLE_NAME_SIZE 12

struct role {
	char name[ROLE_NAME_SIZE];
	/* The exit status: 0 when the keeper asked it to end. */
	int (*main)(const struct process_start *start);
	unsigned given;      /* enum role_given */
	unsigned privileges; /* enum privilege */
	unsigned asks;       /* enum role_asks */
	unsigned told;       /* enum role_told */
	enum role_upgrade upgrade;
	unsigned silent_s; /* so long it may be without an answer when it was just started */
	unsigned slack_s;  /* with flows: so long it may be over its time to drain. A flow whose
			      last dot was said waits for the server's reply, whatever comes */
	bool many;         /* as many as relays; else one */
	unsigned pairs;    /* 1 << role of each whose process of the same place, or each process of
			      it where one of the two is not many, it shares a socket pair with;
			      stands with one of the two */
	bool (*wanted)(const struct policy *policy); /* NULL: always */
};

extern const struct role roles[PROCESS_ROLES];

#define ROLE_MAIN(role, name, ...) int name##_main(const struct process_start *start);
PROCESS_TABLE(ROLE_MAIN)
#undef ROLE_MAIN

/* The role of this name, or PROCESS_ROLES. */
enum process_role roles_find(const char *name);
/* "relay 3" where there are many, else "health". */
const char *roles_title(enum process_role role, unsigned number, char buf[static 16]);
/* Of those that are not always wanted, what the policy wants: 1 << role each. */
unsigned roles_wanted(const struct policy *policy);
/* Those that have flows: 1 << role each. */
unsigned roles_with_flows(void);
/* What a process is given that serves one of these; and whom a process serves that is given such.
 */
unsigned roles_given_for(enum policy_taker taker);
enum policy_taker roles_taker(enum process_role role);
/* How many processes of all that have flows, with so many relays. */
unsigned roles_columns(unsigned relays);

#endif
