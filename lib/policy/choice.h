/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which of a server's targets a new flow tries next. */
#ifndef POSTERN_LIB_POLICY_CHOICE_H
#define POSTERN_LIB_POLICY_CHOICE_H

#include "lib/ipc/replica.h"
#include "lib/policy/balance.h"

/* Targets that were tried: bit i stands for the one of index i. */
_Static_assert(TARGETS_MAX <= 64, "each target has its bit");

/* May a flow of a client of that family ever try it? Not one that is drained or has no weight, that
 * must not be used, has no address, or takes no identity of that family. */
bool choice_may(const struct ipc_target *target, enum addr_family client);
/* And is it up, as far as is known? Of a name that was not looked up yet nothing is. */
bool choice_may_serve(const struct ipc_target *target, enum addr_family client);
/* Why it may not be tried, for the audit record: the target's own text or a word of ours. */
const char *choice_refusal(const struct ipc_target *target, enum addr_family client);

/* The next one beside those tried: what is not down before what is, ascending preference, then
 * depth; between equals the turn decides, which is kept in turns. Index, or -1: none is left. */
ptrdiff_t choice_pick(const struct ipc_target *targets, size_t n, uint64_t tried,
	enum addr_family client, struct balance_item *turns);

/* How many addresses all that are left have together. */
size_t choice_left(
	const struct ipc_target *targets, size_t n, uint64_t tried, enum addr_family client);

/* The part of a budget that one attempt may use to connect when others may still have to be tried:
 * an equal share of what is left, but enough to be an attempt. */
uint32_t choice_connect_ms(uint64_t left_ms, size_t others, uint32_t connect_ms);
/* And the part that it may use to greet, or for all that comes before a message is told of: the
 * others keep a third of what is left. */
uint32_t choice_greeting_ms(uint64_t left_ms, size_t others, uint32_t greeting_ms);

#endif
