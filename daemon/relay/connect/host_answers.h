/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a relay found out itself about the hosts of the servers.
 *
 * A host that offers XCLIENT or XFORWARD to the gateway lets any client assume any identity, so
 * each is asked before its first flow, and again in each inquiry: what it answered to a question
 * that was begun in one before counts no more, whenever the answer came. Health asks, too
 * (choose_was_asked()); where it has not yet, or cannot, the relay does (question.h). */
#ifndef POSTERN_DAEMON_RELAY_CONNECT_HOST_ANSWERS_H
#define POSTERN_DAEMON_RELAY_CONNECT_HOST_ANSWERS_H

#include "daemon/base/loop.h"
#include "lib/base/addr.h"
#include "lib/policy/policy.h"
#include "lib/policy/target.h"

struct announce_talk;
struct relay;

#define HOSTS_MAX 256
/* An answer holds so long; a busy host is asked anew at half of it, so that no flow waits. */
#define HOST_GOOD_MS    (10u * 60 * 1000)
#define HOST_REFUSED_MS (60u * 1000)

enum host_answer {
	HOST_UNKNOWN,
	HOST_GOOD,
	HOST_REFUSED, /* offers what it must not, or does not take the PROXY header */
};

enum host_step { /* of the question at hand */
	HOST_QUIET,
	HOST_CONNECTING,
	HOST_TALKING,
	HOST_QUIT, /* all is known; its 221 */
};

struct host {
	struct endpoint end;
	uint8_t announce; /* enum policy_announce: how it is asked */
	uint8_t bind;     /* enum policy_bind: and from where */
	struct addr bind_addr;
	uint8_t answer;    /* enum host_answer */
	uint8_t refusal;   /* enum ending: when it is HOST_REFUSED */
	uint8_t step;      /* enum host_step */
	bool asking;       /* the answer is not there yet */
	uint64_t inquiry;  /* in which the question was begun */
	uint64_t asked_ms; /* when the answer came; monotonic */
	uint64_t said_ms;  /* that it cannot be asked: logged once a minute */
	char text[TARGET_TEXT_SIZE];
	/* the question at hand */
	struct relay *relay;
	struct loop_watch watch;
	struct loop_timer deadline;
	struct announce_talk *talk;
	uint64_t connected_ms;
	uint32_t greeting_ms;
	int error; /* why there is no socket to ask with */
	char server[POLICY_NAME_SIZE];
};

struct host_answers {
	struct host *v; /* HOSTS_MAX of them */
	size_t n;
};

/* 0 or -ENOMEM. */
int host_answers_init(struct host_answers *table);
void host_answers_fini(struct host_answers *table);
/* The host of that address and port, as this server talks to it, made if need be. NULL: too many
 * are being asked now. */
struct host *host_answers_of(
	struct host_answers *table, const struct policy_server *server, const struct endpoint *end);
enum host_answers_standing {
	HOST_USE,
	HOST_ASK_FIRST,
	HOST_NEVER,
};
/* In this inquiry. */
enum host_answers_standing host_answers_standing(
	const struct host *host, uint64_t inquiry, uint64_t now_ms);
/* Good, and in use for so long that it is to be asked anew beside the flows. */
bool host_answers_due(const struct host *host, uint64_t now_ms);

#endif
