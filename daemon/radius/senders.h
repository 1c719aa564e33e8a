/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is known of each that sends: what it may still send, what came of it, how its clock
 * stands. Of bounded size; who was not heard for longest gives way. */
#ifndef POSTERN_DAEMON_RADIUS_SENDERS_H
#define POSTERN_DAEMON_RADIUS_SENDERS_H

#include "daemon/radius/waiting.h"
#include "lib/ipc/radius.h"

struct radius;

#define SENDERS_SETS 128
#define SENDERS_WAYS 8
/* A controller that comes up again sends of all its clients at once. */
#define SENDER_A_SECOND 2000u
#define SENDER_AT_ONCE  20000u

/* What it may still send. */
struct sender_budget {
	uint64_t tokens_m; /* thousandths */
	uint64_t at_ms;    /* when they were so many */
};

struct sender {
	struct ipc_radius_sender told; /* as it is told next; radius empty: free */
	bool changed;
	/* Who sends all again has not less for what is new. */
	struct sender_budget news, again;
};

struct senders {
	struct sender *v;
	size_t next; /* where the next that changed is looked for */
};

/* 0 or -ENOMEM. */
int senders_init(struct senders *senders);
void senders_fini(struct senders *senders);
/* Never NULL. */
struct sender *senders_find(
	struct senders *senders, const char *radius, const struct addr *source, uint64_t now_ms);
/* May one more of its packets be read, or answered again? One that waits costs nothing. */
bool sender_take(struct sender *sender, enum waiting_heard heard, uint64_t now_ms);
/* One that changed, of all in turn, so that none is kept waiting by those that always do; NULL:
 * none did. */
struct sender *senders_next(struct senders *senders);
/* Those that changed, to control. */
void senders_tell(struct radius *radius);
void senders_tell_again(struct senders *senders);

#endif
