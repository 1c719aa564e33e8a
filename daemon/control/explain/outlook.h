/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a connection would meet besides the decision of the policy: a bypass before it; what
 * the kernel remembers of it, limits and the state of the servers' hosts behind it. For `explain`;
 * changes nothing. */
#ifndef POSTERN_DAEMON_CONTROL_EXPLAIN_OUTLOOK_H
#define POSTERN_DAEMON_CONTROL_EXPLAIN_OUTLOOK_H

#include "daemon/control/peers/question.h"
#include "lib/ipc/flow.h"
#include "lib/policy/decide/decide.h"
#include "lib/smtp/refusal.h"

struct control;

/* The bypass that lets the zone's connections pass at this time (wall clock). NULL: none. */
const struct bypass_line *outlook_bypass(struct control *control, const char *zone, uint64_t at_ms);

/* Calls step with what it does. */
void outlook_tell_bypass(
	struct control *control, const struct bypass_line *line, decide_step *step, void *context);

/* Calls step for each host of the server, in the order in which flows try them; read: those that
 * are read. */
void outlook_hosts(struct control *control, size_t server, enum addr_family client, bool read,
	decide_step *step, void *context);

/* The servers that a flow which is read may be sent to, as control knows them. */
struct outlook_reach {
	bool down;      /* all hosts of all of them: it hears ENDING_NO_SERVER at its greeting */
	uint8_t offers; /* SMTP_OFFER_*: what all that are up showed last, and its EHLO shows */
};

void outlook_reach(struct control *control, const struct decide_origin *origin,
	const struct decide_envelope *envelope, uint64_t now_ms, struct outlook_reach *reach);

/* A flow that is read is greeted before it meets this, if anything. */
bool outlook_is_of_server(enum ending ending);

/* Calls step with what the kernel may remember of the client. */
void outlook_kernel(struct control *control, const struct decide_origin *origin, uint64_t now_ms,
	decide_step *step, void *context);

/* The memory in which smtp counts messages and recipients. 0 or -errno. */
int outlook_attach(struct control *control);

/* Who says MAIL, in a message of which a rule takes a recipient. */
struct outlook_sender {
	const struct decide_origin *origin;
	const struct session *session; /* NULL: none */
	const struct smtp_path *path;
	int32_t rule;
};

/* What limits say to it. */
struct outlook_allowance {
	struct smtp_refusal refusal;         /* code 0: none is reached */
	char text[256];                      /* else which */
	char block[BLOCK_SUBJECT_SIZE + 40]; /* who would be blocked for it, and how long; or "" */
};

/* Takes nothing. kind: MESSAGES (at DATA) or RECIPIENTS (at RCPT). */
void outlook_allow(const struct control *control, const struct outlook_sender *sender,
	enum policy_limit_kind kind, struct outlook_allowance *allowance);

/* A question to the relays, which know the limits. */
struct outlook {
	struct question ask;      /* first */
	enum ending ending;       /* ENDING_NONE: it would go to a host */
	char text[IPC_TEXT_SIZE]; /* else why not; of no relay: "" with ENDING_NO_POLICY */
	void (*done)(struct outlook *outlook);
};

/* done is called once, perhaps before the return. */
void outlook_ask(struct control *control, struct outlook *outlook, struct ipc_foresee *question);

#endif
