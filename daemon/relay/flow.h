/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a flow is: its states, its place in the table, and its end.
 *
 * A state exists only where a flow can wait. Handlers move a flow on or mark it as done; the sweep
 * behind each batch of events frees, so that no event of a batch meets a freed flow or a descriptor
 * that was used again. Both sockets are watched edge-triggered from their first moment to their
 * last: one epoll_ctl a side. What an edge means is the state's affair. */
#ifndef POSTERN_DAEMON_RELAY_FLOW_H
#define POSTERN_DAEMON_RELAY_FLOW_H

#include "daemon/base/loop.h"
#include "daemon/flow/way.h"
#include "daemon/relay/carry/copy.h"
#include "lib/policy/decide/decide.h"
#include "lib/record/ending.h"
#include "lib/smtp/smtp.h"

struct relay;
struct host;

/* state      holds                              moved on by
 * ---------  ---------------------------------  -----------------------------------------------
 * FREE       nothing                            flow_new()
 * HAND       the client                         its turn, the smtp process's word or end, a
 *                                               deadline: hand.c. Nothing is done to one that
 *                                               was sent
 * ASK        the client; a host that is being   the host's answer: connect.c
 *            asked for XCLIENT
 * BIND       the client                         a socket from the keeper: connect.c
 * CONNECT    the client, a connecting server    EPOLLOUT or an error of the server: connect.c
 * ANNOUNCE   both; the gateway's talk with the  the last XCLIENT command: announce.c
 *            server
 * GREETING   both; maybe part of the greeting   the greeting's last line: greeting.c
 * RELAY      both; bytes only while stuck       bytes, FIN, RST of either side: carry.c
 * ANSWER     the client                         what the client says: answer.c
 * DONE       all it held before                 the sweep
 *
 * Before RELAY nothing is read from the client: early bytes stay in its socket. */
enum flow_state {
	FLOW_FREE,
	FLOW_HAND,
	FLOW_ASK,
	FLOW_BIND,
	FLOW_CONNECT,
	FLOW_ANNOUNCE,
	FLOW_GREETING,
	FLOW_RELAY,
	FLOW_ANSWER,
	FLOW_DONE,
};
#define FLOW_STATES 10
extern const char *const flow_state_names[FLOW_STATES];

/* One flow. Kept small: an idle one costs this and nothing else (at most 1 KiB: doc/design.md). */
struct flow {
	struct loop_watch client;
	struct loop_watch server; /* fd -1: none yet */
	struct loop_timer deadline;
	struct relay *relay;
	struct flow *next;       /* in the list of done flows, or of those that wait in HAND */
	struct flow *again;      /* in the list of flows whose round was cut short */
	struct smtp_said *said;  /* NULL: no text was sent in clear */
	struct host *host_asked; /* with ASK */
	struct copy up, down;    /* client to server, server to client */
	struct smtp_watch watch;
	/* times are monotonic */
	uint64_t start_ms;
	uint64_t active_ms; /* the last byte; in HAND: since when it waits */
	struct way way;

	uint8_t state;         /* enum flow_state; written by flow_set() and flow_end() alone */
	uint8_t ending;        /* enum ending; of ANSWER too */
	uint8_t verdict;       /* enum policy_verdict */
	uint8_t reason;        /* enum decide_reason */
	bool client_first : 1; /* the client's FIN came before the server's */
	bool reset : 1;        /* with DONE: RST instead of an orderly close */
	bool is_again : 1;
	bool watched : 1;          /* the client's side, by the loop */
	bool waits : 1;            /* HAND: it was not sent */
	bool returned : 1;         /* HAND: it was once, and nobody took it */
	bool taken : 1;            /* with DONE: it lives on in another process */
	bool kept_alive : 1;       /* the server's side has keepalive set */
	bool flushing : 1;         /* ANSWER: all was said, waiting for the client's end */
	struct smtp_answer answer; /* ANSWER */
};

_Static_assert(sizeof(struct flow) <= 640, "an idle flow costs at most 1 KiB with all about it");

/* Whose affair a flow is in which state, made by whoever starts the process (dispatch.h). */
struct flow_face {
	/* The handlers of its watches and of its deadline, which is set for the state it enters. */
	void (*on_client)(struct loop_watch *watch, uint32_t events);
	void (*on_server)(struct loop_watch *watch, uint32_t events);
	void (*on_deadline)(struct loop_timer *timer, uint64_t now_ms);
	uint64_t (*deadline_of)(const struct flow *flow, enum flow_state state);
	/* The round of flow_run_again(). */
	void (*on_again)(struct flow *flow);
	/* It ends: its state is still the one it ends in. */
	void (*on_end)(struct flow *flow);
	/* The sweep frees it, whose client was not taken by another process. */
	void (*on_free)(struct flow *flow);
	/* The sweep has freed some. */
	void (*on_freed)(struct relay *relay);
};

/* The table, sized at start. */
struct flow_table {
	const struct flow_face *face;
	struct pool flows;
	struct pool said; /* struct smtp_said */
	struct flow *done;
	struct flow *again, **again_last;
	struct loop_timer again_timer;
	uint32_t states[FLOW_STATES]; /* how many flows are in each */
};

/* 0 or -ENOMEM. */
int flow_table_init(struct flow_table *table, uint32_t flows, const struct flow_face *face);
void flow_table_fini(struct flow_table *table);
/* A flow for an accepted client, which is taken over unless NULL is returned: the table is full. */
struct flow *flow_new(struct relay *relay, int client);
/* How many flows there are, those marked as done included. */
uint32_t flow_count(const struct flow_table *table);
/* Calls visit for every flow that is not done; how many times it returned true. */
typedef bool flow_visit(struct flow *flow, void *context);
uint32_t flow_each(struct flow_table *table, flow_visit *visit, void *context);

/* Is it on its way to another process, whose it may be at any moment? */
static inline bool flow_is_sent(const struct flow *flow)
{
	return flow->state == FLOW_HAND && !flow->waits;
}

/* The one writer of the state, but for the end: it also sets the deadline that belongs to it. */
void flow_set(struct flow *flow, enum flow_state state);
/* Watches the client's, after it was sent elsewhere and came to nothing. 0 or -errno. */
int flow_watch_client(struct flow *flow);
/* Watches the server's socket, which is taken over. 0 or -errno; the flow owns fd in both cases. */
int flow_watch_server(struct flow *flow, int fd);
/* Closes the server's side of an attempt that failed. */
void flow_drop_server(struct flow *flow);
/* The flow is over; freed by the sweep. reset: both sides get RST instead of an orderly close. */
void flow_end(struct flow *flow, enum ending ending, bool reset);
/* Its round was cut short: it goes on in the next batch. */
void flow_run_again(struct flow *flow);
/* Frees what is done: the loop's sweep. */
void flow_sweep(struct relay *relay);

#endif
