/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what `explain` tells: each step that leads to the verdict, and what the client would hear.
 * What is asked is filled in by commands/explain.c from its words and by explain_client.c from who
 * the client is. */
#ifndef POSTERN_DAEMON_CONTROL_EXPLAIN_EXPLAIN_H
#define POSTERN_DAEMON_CONTROL_EXPLAIN_EXPLAIN_H

#include "daemon/control/explain/outlook.h"
#include "daemon/control/peers/flow_reports.h"
#include "lib/policy/decide/decide.h"
#include "lib/policy/policy.h"
#include "lib/smtp/path.h"

#include <jansson.h>

struct command;
struct ipc_looked_up;

/* What is asked, filled in step by step: by words, by a flow, by a session, by the neighbours. */
struct explaining {
	struct flow_gather flows; /* first */
	struct outlook outlook;
	struct command *command;
	const char *zone_word, *user; /* user: without its source */
	unsigned sources;             /* 1 << enum policy_source: where the user may be from */
	const char *listener;         /* NULL: of a zone */
	/* As if this user had logged in there; user NULL: nobody. */
	struct session login;
	struct policy_string login_groups[SESSION_GROUPS_MAX];
	char *group_texts;
	uint64_t flow, session;
	bool flow_found;
	char zone[POLICY_NAME_SIZE];
	struct mac mac;
	bool mac_given; /* not taken from a session */
	struct addr addr;
	struct endpoint destination;
	bool destination_given;
	struct smtp_path sender, recipient;
	bool sender_given, recipient_given;
	struct decide_tls tls;
	bool tls_given;
	const char *certificate;         /* its name, that the client shows; NULL: none is given */
	char names[IPC_FLOW_NAMES_SIZE]; /* by blanks: of the flow's, which is valid */
	uint64_t at_ms;                  /* 0: now */
	bool read;                       /* at message level: then also the following counts */
	struct decide_reply reply;       /* of the recipient; code 0: it is not refused */
	bool needs_tls;                  /* and is in clear: it hears of nothing else */
	struct outlook_reach reach;
	struct outlook_allowance recipients, messages; /* of what is permitted */
	struct question asking; /* health for the names of a listener's client */
	/* that came; NULL: they were not asked for, or none did */
	struct ipc_looked_up *names_found;
	json_t *steps, *row;
};

/* One more step, in words. context is the explaining: a decide_step. */
void explain_step(void *context, const char *text);
/* Ends the command, perhaps later: the relays are asked. All of the client is known. */
void explain_tell(struct explaining *explaining);

/* The same of a client of a listener, of which the address is known. Its names are looked up where
 * something hangs on them. */
void explain_listener(struct explaining *explaining);

/* explain_client.c: fills in what sessions know of the client, then what the neighbour table knows,
 * and goes on with explain_tell(); else ends the command. */
void explain_client(struct explaining *explaining);

#endif
