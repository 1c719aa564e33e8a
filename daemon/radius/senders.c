/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/radius/senders.h"

#include "daemon/radius/radius.h"
#include "lib/base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLD_A_TICK 64 /* the others come with the next */

int senders_init(struct senders *senders)
{
	senders->v = calloc((size_t)SENDERS_SETS * SENDERS_WAYS, sizeof(*senders->v));
	return senders->v ? 0 : -ENOMEM;
}

void senders_fini(struct senders *senders)
{
	free(senders->v);
	senders->v = NULL;
}

static uint64_t last_of(const struct sender *sender)
{
	return sender->told.heard_ms > sender->told.refused_ms ? sender->told.heard_ms
							       : sender->told.refused_ms;
}

/* A free one is older than all. */
static bool is_older(const struct sender *a, const struct sender *b)
{
	bool free_a = !a->told.radius[0], free_b = !b->told.radius[0];

	return free_a != free_b ? free_a : last_of(a) < last_of(b);
}

static void begin(
	struct sender *sender, const char *radius, const struct addr *source, uint64_t now_ms)
{
	const struct sender_budget all = {.tokens_m = SENDER_AT_ONCE * 1000ull, .at_ms = now_ms};

	*sender = (struct sender){.news = all, .again = all};
	ipc_init(&sender->told, IPC_RADIUS_SENDER, sizeof(sender->told));
	snprintf(sender->told.radius, sizeof(sender->told.radius), "%s", radius);
	sender->told.source = *source;
}

struct sender *senders_find(
	struct senders *senders, const char *radius, const struct addr *source, uint64_t now_ms)
{
	const uint32_t hash = hash_bytes(source->bytes, sizeof(source->bytes));
	struct sender *set = &senders->v[hash % SENDERS_SETS * SENDERS_WAYS];
	struct sender *oldest = set;

	for (size_t i = 0; i < SENDERS_WAYS; i++) {
		if (strcmp(set[i].told.radius, radius) == 0 &&
			addr_equal(&set[i].told.source, source))
			return &set[i];
		if (is_older(&set[i], oldest))
			oldest = &set[i];
	}
	begin(oldest, radius, source, now_ms);
	return oldest;
}

static bool take(struct sender_budget *budget, uint64_t now_ms)
{
	const uint64_t most = SENDER_AT_ONCE * 1000ull;
	uint64_t passed_ms = now_ms - budget->at_ms;

	/* a thousandth of a packet a millisecond is one a second */
	uint64_t more = passed_ms < most / SENDER_A_SECOND ? passed_ms * SENDER_A_SECOND : most;
	budget->tokens_m = budget->tokens_m + more < most ? budget->tokens_m + more : most;
	budget->at_ms = now_ms;
	if (budget->tokens_m < 1000)
		return false;
	budget->tokens_m -= 1000;
	return true;
}

bool sender_take(struct sender *sender, enum waiting_heard heard, uint64_t now_ms)
{
	switch (heard) {
	case WAITING_NEW:
		return take(&sender->news, now_ms);
	case WAITING_AGAIN:
		return take(&sender->again, now_ms);
	case WAITING_WAITS:
		break;
	}
	return true;
}

struct sender *senders_next(struct senders *senders)
{
	const size_t all = (size_t)SENDERS_SETS * SENDERS_WAYS;

	for (size_t i = 0; i < all; i++) {
		struct sender *sender = &senders->v[(senders->next + i) % all];
		if (!sender->changed)
			continue;
		senders->next = (senders->next + i + 1) % all;
		return sender;
	}
	return NULL;
}

void senders_tell(struct radius *radius)
{
	struct sender *sender;

	for (size_t n = 0; n < TOLD_A_TICK && child_hears(&radius->child); n++) {
		if (!(sender = senders_next(&radius->senders)) ||
			child_send(&radius->child, &sender->told) < 0)
			return;
		sender->changed = false;
	}
}

void senders_tell_again(struct senders *senders)
{
	for (size_t i = 0; i < SENDERS_SETS * SENDERS_WAYS; i++)
		senders->v[i].changed = senders->v[i].told.radius[0] != '\0';
}
