/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns questions to other processes that wait for their answer, and the waiting for several. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_QUESTION_H
#define POSTERN_DAEMON_CONTROL_PEERS_QUESTION_H

#include "daemon/base/channel.h"

/* One question. Whoever asks embeds it and learns the answer by on_answer. */
struct question {
	struct question *next;
	struct questions *asks; /* where it waits; NULL: nowhere */
	uint32_t seq;
	bool late; /* the other end was there and has not answered in time */
	struct loop_timer timer;
	/* Called for each ipc with the question's seq: rows, then the last one, behind which
	 * the ask is free again. NULL instead of the last: the other end is gone or too slow. */
	void (*on_answer)(struct question *ask, const struct ipc_header *ipc);
};

/* What the other end has not begun by then shall not be done: the asker gives up later, and what it
 * then says of it holds. */
#define QUESTION_BEGIN_MS 10000

/* The questions that wait at one channel. */
struct questions {
	struct loop *loop;
	struct channel *channel; /* NULL: closed */
	struct question *first;
};

void questions_init(struct questions *asks, struct loop *loop, struct channel *channel);
/* Answers every waiting question with NULL. The channel is the caller's to free. */
void questions_fini(struct questions *asks);
/* Sets the ipc's seq and sends it. If that fails, on_answer(NULL) comes before the return. */
void question_send(struct questions *asks, struct question *ask, void *ipc, int fd);
/* Forgets a question: its answer, if one comes, is dropped. */
void question_cancel(struct question *ask);
/* Hands a received ipc to its question. false: it answers none. */
bool questions_on_ipc(struct questions *asks, const struct ipc_header *ipc);
/* Is it the last ipc of an answer? */
bool question_is_last(const struct ipc_header *ipc);

/* A gather's error: nobody looked at the question, or not in time? Then it is no refusal. */
bool question_is_unanswered(int status);

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
void gather_send(struct gather *gather, struct questions *asks, void *ipc, int fd);
/* The same, but a process that ends over it is no error: at its next start it gets everything. One
 * that is too slow is. */
void gather_try(struct gather *gather, struct questions *asks, void *ipc, int fd);

#endif
