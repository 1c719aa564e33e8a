/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/radius/waiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int waiting_init(struct waiting *waiting)
{
	waiting->v = calloc(WAITING_MAX, sizeof(*waiting->v));
	waiting->heard = calloc(HEARD_MAX, sizeof(*waiting->heard));
	waiting->chains = calloc(HEARD_MAX, sizeof(*waiting->chains));
	if (!waiting->v || !waiting->heard || !waiting->chains)
		return -ENOMEM;
	for (uint32_t i = WAITING_MAX; i > 0; i--) {
		waiting->v[i - 1].next_free = waiting->free;
		waiting->free = i;
	}
	/* control may still answer a process before: no id of its is one here */
	uint32_t first;
	if (getrandom(waiting->secret, sizeof(waiting->secret), 0) !=
			(ssize_t)sizeof(waiting->secret) ||
		getrandom(&first, sizeof(first), 0) != (ssize_t)sizeof(first))
		return -errno;
	waiting->ids = first;
	return 0;
}

void waiting_fini(struct waiting *waiting)
{
	for (size_t i = 0; waiting->v && i < WAITING_MAX; i++)
		free(waiting->v[i].more);
	free(waiting->v);
	free(waiting->heard);
	free(waiting->chains);
	*waiting = (struct waiting){0};
}

/* ---- heard ---- */

/* RFC 2866: a retry with another Acct-Delay-Time is another packet, and has another
 * authenticator. */
static uint64_t what_of(const struct waiting *waiting, const struct endpoint *peer,
	const struct radius_packet *packet)
{
	struct siphash hash;

	siphash_begin(&hash, waiting->secret);
	siphash_bytes(&hash, peer->addr.bytes, sizeof(peer->addr.bytes));
	siphash_number(&hash, (uint32_t)peer->addr.family << 16 | peer->port);
	siphash_number(&hash, packet->id);
	siphash_bytes(&hash, packet->authenticator, RADIUS_MD5_SIZE);
	return siphash_end(&hash) | 1;
}

static uint32_t *chain_of(const struct waiting *waiting, uint64_t what)
{
	return &waiting->chains[(what >> 1) % HEARD_MAX];
}

static void unlink_heard(struct waiting *waiting, uint32_t index)
{
	struct heard_packet *heard = &waiting->heard[index];

	if (!heard->what)
		return;
	uint32_t *at = chain_of(waiting, heard->what);
	while (*at != index + 1)
		at = &waiting->heard[*at - 1].next;
	*at = heard->next;
	heard->what = 0;
}

static struct heard_packet *find_heard(
	const struct waiting *waiting, uint64_t what, uint64_t now_ms)
{
	for (uint32_t i = *chain_of(waiting, what); i; i = waiting->heard[i - 1].next) {
		struct heard_packet *heard = &waiting->heard[i - 1];
		if (heard->what == what && now_ms - heard->at_ms < HEARD_MS)
			return heard;
	}
	return NULL;
}

static uint32_t note(struct waiting *waiting, uint64_t what, uint64_t waits, uint64_t now_ms)
{
	const uint32_t index = waiting->newest++ % HEARD_MAX;
	uint32_t *chain = chain_of(waiting, what);

	unlink_heard(waiting, index);
	waiting->heard[index] = (struct heard_packet){
		.what = what, .at_ms = now_ms, .waits = waits, .next = *chain};
	*chain = index + 1;
	return index;
}

enum waiting_heard waiting_look(const struct waiting *waiting, const struct endpoint *peer,
	const struct radius_packet *packet, uint64_t now_ms)
{
	const struct heard_packet *heard =
		find_heard(waiting, what_of(waiting, peer, packet), now_ms);

	return !heard ? WAITING_NEW : heard->waits ? WAITING_WAITS : WAITING_AGAIN;
}

void waiting_answered(struct waiting *waiting, const struct endpoint *peer,
	const struct radius_packet *packet, uint64_t now_ms)
{
	note(waiting, what_of(waiting, peer, packet), 0, now_ms);
}

/* ---- waiting ---- */

struct waiting_packet *waiting_add(struct waiting *waiting, const struct endpoint *peer,
	const struct radius_packet *packet, uint64_t now_ms)
{
	const size_t states = radius_proxy_states(packet, NULL, 0);
	uint8_t *more = NULL;

	if (!waiting->free)
		return NULL;
	if (states > WAITING_STATES && !(more = malloc(states)))
		return NULL;
	const uint32_t index = waiting->free - 1;
	struct waiting_packet *slot = &waiting->v[index];
	waiting->free = slot->next_free;
	*slot = (struct waiting_packet){.id = ++waiting->ids << 32 | (index + 1),
		.at_ms = now_ms,
		.packet_id = packet->id,
		.code = packet->code,
		.proxy_len = states,
		.more = more};
	memcpy(slot->authenticator, packet->authenticator, RADIUS_MD5_SIZE);
	radius_proxy_states(packet, more ? more : slot->states, states);
	slot->heard = note(waiting, what_of(waiting, peer, packet), slot->id, now_ms);
	return slot;
}

struct waiting_packet *waiting_find(const struct waiting *waiting, uint64_t id)
{
	const uint32_t index = (uint32_t)id;

	if (index == 0 || index > WAITING_MAX || waiting->v[index - 1].id != id)
		return NULL;
	return &waiting->v[index - 1];
}

struct radius_question waiting_question(const struct waiting_packet *packet)
{
	struct radius_question question = {.code = packet->code,
		.id = packet->packet_id,
		.proxy_states = packet->more ? packet->more : packet->states,
		.proxy_len = packet->proxy_len};

	memcpy(question.authenticator, packet->authenticator, sizeof(question.authenticator));
	return question;
}

void waiting_del(struct waiting *waiting, struct waiting_packet *packet, bool answered)
{
	struct heard_packet *heard = &waiting->heard[packet->heard];

	if (heard->what && heard->waits == packet->id) {
		if (answered)
			heard->waits = 0;
		else
			unlink_heard(waiting, packet->heard);
	}
	free(packet->more);
	packet->more = NULL;
	packet->id = 0;
	packet->next_free = waiting->free;
	waiting->free = (uint32_t)(packet - waiting->v) + 1;
}

void waiting_forget_all(struct waiting *waiting)
{
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (waiting->v[i].id)
			waiting_del(waiting, &waiting->v[i], false);
}

void waiting_sweep(struct waiting *waiting, uint64_t now_ms)
{
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (waiting->v[i].id && now_ms - waiting->v[i].at_ms >= WAITING_MS)
			waiting_del(waiting, &waiting->v[i], false);
}
