/* Owns questions to other processes that wait for their answer, and the waiting for several. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_ASK_H
#define POSTERN_DAEMON_CONTROL_PEERS_ASK_H

#include "daemon/base/channel.h"

/* One question. Whoever asks embeds it and learns the answer by on_answer. */
struct ask {
	struct ask *next;
	struct asks *asks; /* where it waits; NULL: nowhere */
	uint32_t seq;
	bool late; /* the other end was there and has not answered in time */
	struct loop_timer timer;
	/* Called for each ipc with the question's seq: rows, then the last one, behind which
	 * the ask is free again. NULL instead of the last: the other end is gone or too slow. */
	void (*on_answer)(struct ask *ask, const struct ipc_header *ipc);
};

/* What the other end has not begun by then shall not be done: the asker gives up later, and what it
 * then says of it holds. */
#define ASK_BEGIN_MS 10000

/* The questions that wait at one channel. */
struct asks {
	struct loop *loop;
	struct channel *channel; /* NULL: closed */
	struct ask *first;
};

void asks_init(struct asks *asks, struct loop *loop, struct channel *channel);
/* Answers every waiting question with NULL. The channel is the caller's to free. */
void asks_fini(struct asks *asks);
/* Sets the ipc's seq and sends it. If that fails, on_answer(NULL) comes before the return. */
void ask_send(struct asks *asks, struct ask *ask, void *ipc, int fd);
/* Forgets a question: its answer, if one comes, is dropped. */
void ask_cancel(struct ask *ask);
/* Hands a received ipc to its question. false: it answers none. */
bool asks_on_ipc(struct asks *asks, const struct ipc_header *ipc);
/* Is it the last ipc of an answer? */
bool ask_is_last(const struct ipc_header *ipc);

/* A gather's error: nobody looked at the question, or not in time? Then it is no refusal. */
bool ask_is_unanswered(int status);

/* Waits until several questions are answered. Keeps the first error. */
struct gather {
	unsigned missing;
	int status;
	char text[IPC_TEXT_SIZE];
	void (*done)(struct gather *gather);
};

/* Opens with one part missing, which the caller ends by gather_end() once all others are begun. */
void gather_init(struct gather *gather, void (*done)(struct gather *gather));
void gather_add(struct gather *gather);
/* A part is over. With the last one done() is called, which may free the gather. */
void gather_end(struct gather *gather, int status, const char *text);
/* Sends an ipc whose IPC_REPLY is a part of the gather. */
void gather_send(struct gather *gather, struct asks *asks, void *ipc, int fd);
/* The same, but a process that ends over it is no error: at its next start it gets everything. One
 * that is too slow is. */
void gather_try(struct gather *gather, struct asks *asks, void *ipc, int fd);

#endif
