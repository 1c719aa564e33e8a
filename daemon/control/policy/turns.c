/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/turns.h"

#include <stdlib.h>

struct waiter {
	struct waiter *next;
	void (*run)(void *context);
	void *context;
};

struct turns {
	bool taken;
	struct waiter *waiters, **last_waiter;
};

struct turns *turns_new(void)
{
	struct turns *turns = calloc(1, sizeof(*turns));

	if (turns)
		turns->last_waiter = &turns->waiters;
	return turns;
}

void turns_free(struct turns *turns)
{
	while (turns && turns->waiters) {
		struct waiter *waiter = turns->waiters;
		turns->waiters = waiter->next;
		free(waiter);
	}
	free(turns);
}

void turns_when_free(struct turns *turns, void (*run)(void *context), void *context)
{
	if (!turns->taken && !turns->waiters) {
		run(context);
		return;
	}
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	if (!waiter) {
		run(context);
		return;
	}
	waiter->run = run;
	waiter->context = context;
	*turns->last_waiter = waiter;
	turns->last_waiter = &waiter->next;
}

void turns_take(struct turns *turns)
{
	turns->taken = true;
}

void turns_leave(struct turns *turns)
{
	turns->taken = false;
}

void turns_go_on(struct turns *turns)
{
	while (!turns->taken && turns->waiters) {
		struct waiter *waiter = turns->waiters;
		turns->waiters = waiter->next;
		if (!turns->waiters)
			turns->last_waiter = &turns->waiters;
		waiter->run(waiter->context);
		free(waiter);
	}
}
