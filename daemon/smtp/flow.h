/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a flow at message level is: its place in the table, its two sockets, its end.
 *
 * What it says and waits for is the engine's (lib/smtp/engine/engine.h), whose states it has while
 * it talks. Handlers move a flow on or mark it as done; the sweep behind each batch of events
 * frees, so that no event of a batch meets a freed flow or a descriptor that was used again. Both
 * sockets are watched edge-triggered from their first moment to their last. */
#ifndef POSTERN_DAEMON_SMTP_FLOW_H
#define POSTERN_DAEMON_SMTP_FLOW_H

#include "daemon/base/loop.h"
#include "daemon/base/pool.h"
#include "daemon/flow/way.h"
#include "lib/ipc/flow.h"
#include "lib/smtp/engine/engine.h"

struct smtp;
struct client_name_wait;
struct message_recipient;
struct scans;
struct spool_text;
struct tls_contexts;
struct tls_session;

/* state  holds                                       moved on by
 * -----  ------------------------------------------  -------------------------------------------
 * FREE   nothing                                     smtp_flow_new()
 * TALK   the client; maybe a server, or a host that  talk.c: what the engine says
 *        is being connected to
 * LAST   the client, which is to take the last       its end, or a short time: talk.c
 *        words
 * DONE   all it held before                          the sweep */
enum smtp_flow_state {
	SMTP_FLOW_FREE,
	SMTP_FLOW_TALK,
	SMTP_FLOW_LAST,
	SMTP_FLOW_DONE,
};

/* What there is of a server while the engine waits for a connection. */
enum smtp_flow_step {
	SMTP_FLOW_QUIET,    /* nothing that is not connected */
	SMTP_FLOW_BINDS,    /* a socket from the keeper is waited for */
	SMTP_FLOW_CONNECTS, /* the host's answer to a SYN */
};

/* Bytes that found no room where they were to go. */
struct smtp_hold {
	uint32_t piece; /* 1 + its number in the table's pool; 0: none */
	uint32_t at, len;
};

struct smtp_flow {
	struct way way; /* first */
	struct loop_watch client;
	struct loop_watch server; /* fd -1: none yet */
	struct loop_timer deadline;
	struct smtp *smtp;
	/* in the list of done flows, or of those whose round was cut short */
	struct smtp_flow *next;
	struct smtp_hold from_client, to_client, to_server;
	uint32_t note; /* 1 + the number of its piece (note.h); 0: no message is under way */
	struct tls_contexts *contexts;  /* held: of the way's policy; NULL: none */
	struct tls_session *client_tls; /* NULL: no handshake was begun */
	struct tls_session *server_tls; /* NULL: in clear */
	char *server_words; /* what is known of the latter (server_tls.h); NULL: nothing */
	uint64_t from_client_bytes, from_server_bytes;
	uint8_t *session;  /* session_encode(), which says its length first; NULL: none */
	uint64_t start_ms; /* monotonic: when the relay accepted it */
	uint32_t said; /* by a server last, to a text: 1 + the number of its piece; 0: nothing */
	uint32_t messages;   /* that were let through at DATA */
	uint32_t connect_ms; /* of the attempt at hand: when the host is given up */
	int32_t rule;        /* of the last recipient that was decided; -1: none */

	uint8_t logins_refused, logins_later; /* as the record has them; 255: or more */
	uint8_t state;                        /* enum smtp_flow_state */
	uint8_t step;                         /* enum smtp_flow_step */
	uint8_t ending;                       /* enum ending */
	uint8_t greeted;      /* enum ending: why the greeting refuses; NONE: it does not */
	uint8_t offers;       /* enum smtp_offer: of all servers that it may meet */
	uint8_t identified;   /* XCLIENT commands said */
	uint8_t login_lines;  /* of AUTH, said */
	uint8_t server_wants; /* enum tls_step: what the server's handshake waits for */
	uint16_t host;        /* the line of the server's policy that the host at hand is of */
	bool client_readable : 1;
	bool client_writable : 1;
	bool client_hangup : 1; /* its end is known to be there: a short read is not the last */
	bool client_ended : 1;  /* and was read */
	bool client_reset : 1;  /* it is gone, whatever is still to be read of it */
	bool server_readable : 1;
	bool server_writable : 1;
	bool server_hangup : 1;
	bool server_lent : 1;    /* another process had the socket first */
	bool server_secured : 1; /* what goes to it and comes from it goes through TLS */
	bool server_deaf : 1;    /* it takes nothing: what it still says is read */
	bool client_secured : 1; /* likewise of the client */
	bool client_lost : 1;    /* it cannot be written to */
	bool client_shut : 1;    /* our end is said */
	bool server_header : 1;  /* to_server is a header line, which goes with the text's begin */
	bool more : 1;           /* the engine has something to do */
	bool drains : 1;         /* it is to end when nothing is under way */
	bool is_again : 1;
	bool served : 1; /* the server has answered a recipient */
	bool hangs : 1;  /* at its greeting: whether its listener accepts it is its names' to say */
	bool named : 1;  /* its names will be wanted */
	bool asked : 1;  /* they are asked for */
	bool scanned : 1; /* it has something in the table of scans */
	bool late : 1;    /* for the call at hand: it is of the time that is over */
	bool reset : 1;   /* with DONE: RST instead of an orderly close */

	struct engine engine;
};

_Static_assert(sizeof(struct smtp_flow) <= 3360,
	"kept for every flow, with a note: 4 KiB in all (doc/design.md)");

#define SMTP_FLOW_READ_BYTES  (64u << 10)
#define SMTP_FLOW_PIECE_BYTES (136u << 10)
#define SMTP_FLOW_SAID_BYTES  sizeof(((struct ipc_flow *)NULL)->reply)
_Static_assert(SMTP_FLOW_PIECE_BYTES >= 2 * SMTP_FLOW_READ_BYTES + ENGINE_SERVER_ROOM,
	"what comes of one read fits, and commands of ours with it");

/* A text that is kept whole (body.h), and how much of it was given back. */
struct smtp_body_given {
	struct spool_text *text; /* NULL: none is kept */
	size_t front;            /* bytes of scan_front() that were given */
	bool behind;             /* all of them were */
};

struct engine_out;

/* What low files call of high ones, made by whoever starts the process (dispatch.h). */
struct smtp_flow_face {
	/* The handlers of its watches and of its deadline. */
	void (*on_client)(struct loop_watch *watch, uint32_t events);
	void (*on_server)(struct loop_watch *watch, uint32_t events);
	void (*on_deadline)(struct loop_timer *timer, uint64_t now_ms);
	/* talk_run(), talk_out(), talk_act(). */
	void (*run)(struct smtp_flow *flow);
	struct engine_out *(*out)(struct smtp_flow *flow);
	void (*act)(struct smtp_flow *flow);
	/* The server's side goes; the flow, in this order: what rests on its way, its server, its
	 * note. */
	void (*on_server_dropped)(struct smtp_flow *flow);
	void (*on_free)(struct smtp_flow *flow);
	void (*on_server_forgotten)(struct smtp_flow *flow);
	void (*on_note_over)(struct smtp_flow *flow);
	/* The sweep has freed some. */
	void (*on_freed)(struct smtp *smtp);
};

/* The table, sized at start. */
struct smtp_flow_table {
	const struct smtp_flow_face *face;
	struct pool flows;
	struct pool pieces;  /* SMTP_FLOW_PIECE_BYTES each */
	struct pool notes;   /* SMTP_NOTE_PIECE_BYTES each */
	struct pool said;    /* SMTP_FLOW_SAID_BYTES each, of flows with a message that was told */
	uint32_t binds;      /* flows that wait for a socket from the keeper */
	uint32_t handshakes; /* steps of them in this round */
	uint32_t most;       /* flows at once, since the heap was trimmed */
	struct smtp_login **logins;      /* one for each flow, by its number; NULL: none */
	struct smtp_body_given *bodies;  /* one for each flow, by its number */
	struct scans **scans;            /* likewise; NULL: it has none (scan.h) */
	struct client_name_wait **names; /* one for each flow, by its number; NULL: not asked for */
	struct smtp_flow *done;
	struct smtp_flow *again, **again_last;
	uint32_t nagain;
	struct loop_timer again_timer;
	/* for the call at hand */
	struct message_recipient *recipients; /* SMTP_NOTE_RECIPIENTS_MAX */
	uint8_t *record;                      /* MESSAGE_RECORD_BYTES_MAX */
	uint8_t *read;                        /* SMTP_FLOW_READ_BYTES */
	char *for_client, *for_server;        /* SMTP_FLOW_PIECE_BYTES */
	char *for_text;                       /* SMTP_FLOW_READ_BYTES */
	size_t round_given;                   /* of kept texts, in this round of a flow */
	size_t server_kept;    /* of for_server: what is to go with the bytes that come next */
	struct engine_out out; /* of the last input */
};

int smtp_flow_table_init(
	struct smtp_flow_table *table, uint32_t flows, const struct smtp_flow_face *face);
void smtp_flow_table_fini(struct smtp_flow_table *table);
/* A flow for a client that was taken; fd is taken over unless NULL is returned: the table is full,
 * or no memory is left. */
struct smtp_flow *smtp_flow_new(struct smtp *smtp, int fd);
/* How many flows there are, those marked as done included. */
uint32_t smtp_flow_count(const struct smtp_flow_table *table);
/* Calls visit for every flow that is not done; how many times it returned true. */
typedef bool smtp_flow_visit(struct smtp_flow *flow, void *context);
uint32_t smtp_flow_each(struct smtp_flow_table *table, smtp_flow_visit *visit, void *context);

/* Watches the server's socket, which is taken over. 0 or -errno; the flow owns fd in both cases. */
int smtp_flow_watch_server(struct smtp_flow *flow, int fd);
/* Closes the server's side, and forgets what was to go there. */
void smtp_flow_drop_server(struct smtp_flow *flow);
/* What is held. */
uint8_t *smtp_flow_held(const struct smtp_flow *flow, const struct smtp_hold *hold);
/* Behind what is held already. False: there is no room. */
bool smtp_flow_hold(struct smtp_flow *flow, struct smtp_hold *hold, const void *bytes, size_t len);
/* So many of the first of them went. */
void smtp_flow_release(struct smtp_flow *flow, struct smtp_hold *hold, size_t len);
/* The flow is over; freed by the sweep. reset: the client gets RST instead of an orderly close. */
void smtp_flow_end(struct smtp_flow *flow, enum ending ending, bool reset);
/* Its round was cut short: it goes on in the next batch. */
void smtp_flow_run_again(struct smtp_flow *flow);
/* Frees what is done: the loop's sweep. */
void smtp_flow_sweep(struct smtp *smtp);

#endif
