/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/connect/announce.h"

#include "daemon/flow/header.h"
#include "daemon/relay/connect/connect.h"
#include "daemon/relay/connect/greeting.h"
#include "daemon/relay/relay.h"
#include "lib/smtp/probe/dialogue.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static_assert(sizeof(struct announce_talk) <= COPY_PIECE_BYTES, "fits in a piece");

static bool say(struct flow *flow, const void *bytes, size_t len)
{
	/* a socket that was just connected takes a few hundred bytes whole */
	return len > 0 &&
	       send(flow->server.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

static void say_header(struct flow *flow)
{
	uint8_t header[PROXY_V2_SIZE];
	if (say(flow, header, header_encode(&flow->way, header)))
		flow_set(flow, FLOW_GREETING);
	else
		connect_failed(flow, ENDING_GREETING_CLOSED, "the PROXY header could not be sent");
}

struct announce_talk *announce_new_talk(const struct flow *flow, bool hand_over)
{
	struct relay *relay = flow->relay;
	struct announce_talk *talk = pool_take(&relay->tools.stuck);
	if (!talk)
		return NULL;
	snprintf(talk->hostname, sizeof(talk->hostname), "%s", relay_name(relay));
	talk->setup = (struct dialogue_setup){.hostname = talk->hostname,
		.announce = way_server(&flow->way)->announce,
		.client = flow->way.client,
		.original = flow->way.original,
		.login = header_login(&flow->way, talk->login),
		.hand_over = hand_over};
	return talk;
}

/* The talk stands in the direction's piece until the last command is sent. */
static void begin_talk(struct flow *flow)
{
	struct announce_talk *talk = announce_new_talk(flow, true);
	if (!talk) {
		connect_failed(flow, ENDING_NO_MEMORY, "");
		return;
	}
	flow->down.piece = (uint8_t *)talk;
	flow->down.held = flow->down.at = 0;
	dialogue_begin(&talk->dialogue, &talk->setup);
	flow_set(flow, FLOW_ANNOUNCE);
}

void announce_begin(struct flow *flow)
{
	const struct policy_server *server = way_server(&flow->way);
	switch (server ? server->announce : POLICY_ANNOUNCE_NONE) {
	case POLICY_ANNOUNCE_NONE:
		flow_set(flow, FLOW_GREETING);
		break;
	case POLICY_ANNOUNCE_PROXY_V1:
	case POLICY_ANNOUNCE_PROXY_V2:
		say_header(flow);
		break;
	case POLICY_ANNOUNCE_XCLIENT:
		begin_talk(flow);
		break;
	}
}

enum ending announce_ending(const struct dialogue *dialogue)
{
	const unsigned forges = SMTP_OFFER_XCLIENT | SMTP_OFFER_XFORWARD;
	if (dialogue->outcome == TARGET_REFUSED)
		return dialogue->reply.offers & forges &&
				       dialogue->setup->announce != POLICY_ANNOUNCE_XCLIENT
			       ? ENDING_OFFERS_XCLIENT
			       : ENDING_IDENTITY_REFUSED;
	return dialogue->reply.status == SMTP_REPLY_DONE ? ENDING_GREETING_REFUSED
							 : ENDING_GREETING_MALFORMED;
}

static void fail(struct flow *flow, enum ending ending, const struct dialogue *dialogue)
{
	char text[TARGET_TEXT_SIZE]; /* the piece goes with the attempt */
	memcpy(text, dialogue->text, sizeof(text));
	connect_failed(flow, ending, text);
}

/* All commands are said; the reply to the last one is the client's greeting. */
static void hand_over(struct flow *flow)
{
	copy_fini(&flow->relay->tools, &flow->down);
	flow_set(flow, FLOW_GREETING);
}

/* False: the talk is over. */
static bool on_bytes(struct flow *flow, const uint8_t *bytes, size_t len)
{
	struct dialogue *dialogue = &((struct announce_talk *)(void *)flow->down.piece)->dialogue;

	dialogue_feed(dialogue, bytes, len, loop_now_ms(flow->relay->loop) - flow->way.attempt_ms);
	if (dialogue->step == DIALOGUE_OVER) {
		fail(flow, announce_ending(dialogue), dialogue);
		return false;
	}
	if (dialogue->out_len > 0 && !say(flow, dialogue->out, dialogue->out_len)) {
		connect_failed(flow, ENDING_GREETING_CLOSED, "");
		return false;
	}
	if (dialogue->step != DIALOGUE_HANDED)
		return true;
	hand_over(flow);
	return false;
}

void announce_run(struct flow *flow)
{
	uint8_t *bytes = flow->relay->tools.shared;
	while (flow->state == FLOW_ANNOUNCE && flow->down.readable) {
		ssize_t n = recv(flow->server.fd, bytes, COPY_PIECE_BYTES, MSG_DONTWAIT);
		if (n > 0) {
			if (!on_bytes(flow, bytes, (size_t)n))
				break;
		} else if (n < 0 && errno == EAGAIN) {
			flow->down.readable = false;
		} else if (n == 0 || errno != EINTR) {
			connect_failed(flow, ENDING_GREETING_CLOSED, n < 0 ? strerror(errno) : "");
			return;
		}
	}
	if (flow->state == FLOW_GREETING && flow->down.readable)
		greeting_run(flow);
}

void announce_on_deadline(struct flow *flow)
{
	struct dialogue *dialogue = &((struct announce_talk *)(void *)flow->down.piece)->dialogue;
	dialogue_late(dialogue);
	fail(flow, ENDING_GREETING_TIMEOUT, dialogue);
}
