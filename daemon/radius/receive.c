/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/radius/receive.h"

#include "daemon/radius/radius.h"
#include "daemon/tls/credentials.h"
#include "lib/ipc/radius.h"
#include "lib/radius/who.h"

#include <stdio.h>
#include <string.h>

/* One packet on its way. */
struct arrival {
	struct radius *radius;
	const struct way_back *back;
	const struct endpoint *peer;
	const struct policy_radius *of;
	struct tally *tally;
	struct radius_octets secret;
	struct radius_packet packet;
};

/* The radius of the policy that has this socket. */
static ptrdiff_t radius_at(const struct policy *policy, const struct endpoint *at)
{
	for (size_t i = 0; i < policy->nradiuses; i++) {
		const struct policy_radius *radius = &policy->radiuses[i];
		for (size_t a = 0; radius->port == at->port && a < radius->naddresses; a++)
			if (addr_equal(&radius->addresses[a], &at->addr))
				return (ptrdiff_t)i;
	}
	return -1;
}

static struct radius_octets secret_of(
	const struct radius *radius, const struct policy_radius_source *source)
{
	struct credential wanted;

	if (!credential_of_radius(source, &wanted))
		return (struct radius_octets){NULL, 0};
	const struct tls_credential *found =
		tls_credentials_find(&radius->replica.credentials, &wanted);
	return found ? (struct radius_octets){found->bytes, found->len}
		     : (struct radius_octets){NULL, 0};
}

/* ---- answered ---- */

static void answer(struct radius *radius, const struct way_back *back,
	const struct radius_question *question, const struct radius_octets *secret)
{
	const struct radius_digest digest = md5_digest(radius->md5);
	uint8_t bytes[RADIUS_PACKET_MAX];
	size_t len = radius_packet_answer(question, secret, &digest, bytes);

	if (len > 0)
		sockets_send(radius, back, bytes, len);
}

static void answer_now(struct arrival *arrival)
{
	uint8_t states[RADIUS_PACKET_MAX];
	struct radius_question question = {
		.code = arrival->packet.code, .id = arrival->packet.id, .proxy_states = states};

	memcpy(question.authenticator, arrival->packet.authenticator,
		sizeof(question.authenticator));
	question.proxy_len = radius_proxy_states(&arrival->packet, states, sizeof(states));
	answer(arrival->radius, arrival->back, &question, &arrival->secret);
	arrival->tally->told.counts.answered++;
}

static void answer_waiting(struct radius *radius, const struct waiting_packet *packet)
{
	const struct policy *policy = radius_policy(radius);
	ptrdiff_t index = policy_find_radius(policy, packet->radius);
	const struct policy_radius_source *source =
		index < 0 ? NULL : radius_source_of(&policy->radiuses[index], &packet->source);

	if (!source)
		return; /* another policy came between */
	const struct radius_question question = waiting_question(packet);
	const struct radius_octets secret = secret_of(radius, source);
	if (!secret.len)
		return;
	answer(radius, &packet->back, &question, &secret);
	struct tally *tally = tallies_at(&radius->tallies, (size_t)index);
	if (tally) {
		tally->told.counts.answered++;
		tally->changed = true;
	}
}

void receive_done(struct radius *radius, const struct ipc_radius_done *done)
{
	for (uint32_t i = 0; i < done->n; i++) {
		struct waiting_packet *packet = waiting_find(&radius->waiting, done->ids[i]);
		if (!packet)
			continue;
		if (!done->failed)
			answer_waiting(radius, packet);
		waiting_del(&radius->waiting, packet, !done->failed);
	}
}

/* ---- told ---- */

static void put_groups(struct ipc_radius_event *event, const struct radius_who *who)
{
	char *at = event->groups;

	for (size_t i = 0; i < who->ngroups; i++) {
		size_t size = strlen(who->groups[i]) + 1;
		memcpy(at, who->groups[i], size);
		at += size;
	}
	event->ngroups = (uint32_t)who->ngroups;
	event->groups_bytes = (uint32_t)(at - event->groups);
	event->header.bytes += event->groups_bytes;
}

static void fill_event(const struct arrival *arrival, const struct radius_account *account,
	const struct radius_who *who, struct ipc_radius_event *event)
{
	const struct policy *policy = radius_policy(arrival->radius);

	ipc_init(event, IPC_RADIUS_EVENT, sizeof(*event));
	event->event_ms = who->event_ms;
	event->begin_ms = who->begin_ms;
	snprintf(event->radius, sizeof(event->radius), "%s", arrival->of->name.text);
	memcpy(event->nas, who->nas, sizeof(who->nas));
	memcpy(event->user, who->user, sizeof(event->user));
	if (who->zone != RADIUS_NO_ZONE)
		snprintf(
			event->zone, sizeof(event->zone), "%s", policy->zones[who->zone].name.text);
	event->source = arrival->peer->addr;
	event->mac = who->mac;
	event->status = (uint8_t)account->status;
	event->whole = who->whole;
	if (account->session.len <= sizeof(event->session)) {
		event->session_len = (uint8_t)account->session.len;
		if (account->session.len)
			memcpy(event->session, account->session.bytes, account->session.len);
	}
	event->naddresses = (uint32_t)who->naddresses;
	memcpy(event->addresses, who->addresses, who->naddresses * sizeof(*who->addresses));
	event->timeout_s = account->timeout_s;
	event->interval_s = account->interval_s;
	put_groups(event, who);
}

static void tell(struct arrival *arrival, const struct radius_account *account,
	const struct radius_who *who, uint64_t now_ms)
{
	static union {
		struct ipc_radius_event event;
		uint8_t room[sizeof(struct ipc_radius_event) + IPC_RADIUS_GROUPS_BYTES];
	} ipc;
	struct radius *radius = arrival->radius;
	struct waiting_packet *packet =
		waiting_add(&radius->waiting, arrival->peer, &arrival->packet, now_ms);

	if (!packet) {
		arrival->tally->told.counts.crowded++;
		return;
	}
	packet->back = *arrival->back;
	packet->source = arrival->peer->addr;
	snprintf(packet->radius, sizeof(packet->radius), "%s", arrival->of->name.text);
	fill_event(arrival, account, who, &ipc.event);
	ipc.event.id = packet->id;
	if (child_send(&radius->child, &ipc) < 0)
		waiting_del(&radius->waiting, packet, false);
}

static void read_account(struct arrival *arrival, struct sender *sender, uint64_t now_ms)
{
	struct radius *radius = arrival->radius;
	struct radius_counts *counts = &arrival->tally->told.counts;
	struct radius_account account;
	static struct radius_who who;

	radius_account_read(&arrival->packet, &account);
	counts->statuses[account.status]++;
	enum radius_unused unused = radius_who_read(radius_policy(radius), arrival->of, &account,
		&arrival->peer->addr, loop_wall_ms(radius->loop), &who);
	counts->bad += account.bad + who.bad_groups;
	if (account.status != RADIUS_STATUS_OTHER)
		sender->told.skew_ms = who.skew_ms;
	if (unused == RADIUS_UNUSED_NOTHING) {
		tell(arrival, &account, &who, now_ms);
		return;
	}
	/* else it would be sent again for ever, and what is behind it not at all */
	counts->unused[unused]++;
	waiting_answered(&radius->waiting, arrival->peer, &arrival->packet, now_ms);
	answer_now(arrival);
}

/* ---- believed ---- */

static enum radius_verdict prove(struct arrival *arrival, const uint8_t *bytes, size_t len)
{
	struct radius *radius = arrival->radius;
	enum radius_verdict verdict = radius_packet_read(bytes, len, &arrival->packet);

	if (verdict != RADIUS_VERDICT_GOOD)
		return verdict;
	if (!radius->md5)
		return RADIUS_VERDICT_NO_MD5;
	if (!arrival->secret.len)
		return RADIUS_VERDICT_AUTHENTICATOR;
	const struct radius_digest digest = md5_digest(radius->md5);
	return radius_packet_prove(&arrival->packet, &arrival->secret, &digest);
}

/* Status-Server tells of nothing that could be heard a second time. */
static enum waiting_heard look(const struct arrival *arrival, uint64_t now_ms)
{
	return arrival->packet.code == RADIUS_STATUS_SERVER
		       ? WAITING_NEW
		       : waiting_look(&arrival->radius->waiting, arrival->peer, &arrival->packet,
				 now_ms);
}

static void take_good(struct arrival *arrival, struct sender *sender)
{
	struct radius *radius = arrival->radius;
	struct radius_counts *counts = &arrival->tally->told.counts;
	const uint64_t now_ms = loop_now_ms(radius->loop);
	const enum waiting_heard heard = look(arrival, now_ms);

	sender->told.packets++;
	sender->told.heard_ms = loop_wall_ms(radius->loop);
	if (!sender_take(sender, heard, now_ms)) {
		sender->told.limited++;
		counts->limited++;
		return;
	}
	counts->duplicates += heard != WAITING_NEW;
	switch (heard) {
	case WAITING_WAITS:
		break;
	case WAITING_AGAIN:
		answer_now(arrival);
		break;
	case WAITING_NEW:
		if (arrival->packet.code == RADIUS_STATUS_SERVER)
			answer_now(arrival);
		else
			read_account(arrival, sender, now_ms);
		break;
	}
}

void receive_packet(struct radius *radius, const struct way_back *back, const struct endpoint *peer,
	const uint8_t *bytes, size_t len)
{
	const struct policy *policy = radius_policy(radius);
	ptrdiff_t index = radius_at(policy, &back->at);
	struct tally *tally = index < 0 ? NULL : tallies_at(&radius->tallies, (size_t)index);

	if (!tally)
		return;
	struct arrival arrival = {.radius = radius,
		.back = back,
		.peer = peer,
		.of = &policy->radiuses[index],
		.tally = tally};
	const struct policy_radius_source *source = radius_source_of(arrival.of, &peer->addr);
	tally->changed = true;
	if (!source) {
		tally->told.counts.unlisted++;
		tally->told.unlisted_from = peer->addr;
		tally->told.unlisted_ms = loop_wall_ms(radius->loop);
		return;
	}
	struct sender *sender = senders_find(
		&radius->senders, arrival.of->name.text, &peer->addr, loop_now_ms(radius->loop));
	sender->changed = true;
	tally->told.counts.packets++;
	arrival.secret = secret_of(radius, source);
	enum radius_verdict verdict = prove(&arrival, bytes, len);
	tally->told.counts.verdicts[verdict]++;
	if (verdict == RADIUS_VERDICT_GOOD) {
		take_good(&arrival, sender);
		return;
	}
	sender->told.refused++;
	sender->told.refused_ms = loop_wall_ms(radius->loop);
	sender->told.verdict = verdict;
}
