/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/wire/client.h"

#include "daemon/base/log.h"
#include "daemon/smtp/smtp.h"
#include "daemon/tls/contexts.h"
#include "daemon/tls/session.h"
#include "lib/policy/decide/decide.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const struct policy_client_tls *wanted(const struct smtp_flow *flow)
{
	const struct way *way = &flow->way;

	if (way->listener >= 0)
		return &way->policy->listeners[way->listener].tls;
	return way->zone < 0 ? NULL : &way->policy->zones[way->zone].tls;
}

/* Without one there is no TLS, and no mail where the policy demands it. */
static struct tls_context *context_of(const struct smtp_flow *flow)
{
	const struct way *way = &flow->way;

	if (!flow->contexts)
		return NULL;
	return way->listener >= 0 ? tls_contexts_listener(flow->contexts, (size_t)way->listener)
				  : tls_contexts_zone(flow->contexts, (size_t)way->zone);
}

void client_set_up(struct smtp_flow *flow, struct engine_setup *setup)
{
	const struct policy_client_tls *tls = wanted(flow);

	if (!tls || tls->mode == POLICY_TLS_NONE)
		return;
	if (tls->mode == POLICY_TLS_IMMEDIATE || flow->way.original.port == 465) {
		setup->flags |= ENGINE_CLIENT_AT_ONCE | ENGINE_CLIENT_SECURE;
		return;
	}
	setup->flags |= ENGINE_CLIENT_STARTTLS;
	if (tls->mode == POLICY_TLS_REQUIRE)
		setup->flags |= ENGINE_CLIENT_SECURE;
	if (!context_of(flow))
		setup->flags |= ENGINE_CLIENT_LACKS;
}

/* ---- the handshake ---- */

static const unsigned counters[TLS_FAILURES] = {
	[TLS_FAILURE_NONE] = COUNTER_TLS_CLIENTS_FAILED_INTERNAL,
	[TLS_FAILURE_CLOSED] = COUNTER_TLS_CLIENTS_FAILED_CLOSED,
	[TLS_FAILURE_VERSION] = COUNTER_TLS_CLIENTS_FAILED_VERSION,
	[TLS_FAILURE_CIPHER] = COUNTER_TLS_CLIENTS_FAILED_CIPHER,
	[TLS_FAILURE_DISTRUST] = COUNTER_TLS_CLIENTS_FAILED_DISTRUST,
	[TLS_FAILURE_CERTIFICATE] = COUNTER_TLS_CLIENTS_FAILED_INTERNAL,
	[TLS_FAILURE_PROTOCOL] = COUNTER_TLS_CLIENTS_FAILED_PROTOCOL,
	[TLS_FAILURE_INTERNAL] = COUNTER_TLS_CLIENTS_FAILED_INTERNAL,
};

static bool fail(struct smtp_flow *flow, enum tls_failure failure)
{
	bool left = failure == TLS_FAILURE_CLOSED || failure == TLS_FAILURE_DISTRUST;

	smtp_count(flow->smtp, counters[failure]);
	engine_client_unfit(&flow->engine,
		left ? ENDING_LEFT_AFTER_STARTTLS : ENDING_HANDSHAKE_FAILED,
		loop_now_ms(flow->smtp->loop), smtp_out(flow));
	smtp_act(flow);
	return true;
}

static bool succeed(struct smtp_flow *flow)
{
	struct tls_facts facts;

	smtp_count(flow->smtp, COUNTER_TLS_CLIENTS);
	flow->client_secured = true;
	client_tls_facts(flow, &facts);
	if (facts.asked && facts.reason != TLS_REASON_NONE && facts.reason != TLS_REASON_ABSENT)
		smtp_count(flow->smtp, COUNTER_TLS_INVALID_CLIENT_CERTIFICATE);
	/* what came behind its last record lies inside, and no event will tell of it */
	flow->client_readable = flow->client_hangup || !tls_drained(flow->client_tls);
	engine_client_secured(&flow->engine, loop_now_ms(flow->smtp->loop), smtp_out(flow));
	smtp_act(flow);
	return true;
}

static bool begin(struct smtp_flow *flow)
{
	struct tls_context *context = context_of(flow);

	if (context)
		flow->client_tls = tls_accept(context, flow->client.fd);
	return flow->client_tls;
}

bool client_handshake(struct smtp_flow *flow)
{
	struct smtp_flow_table *table = &flow->smtp->table;

	if (!flow->client_tls && !begin(flow))
		return fail(flow, TLS_FAILURE_INTERNAL);
	if (tls_wants(flow->client_tls) == TLS_WANTS_WRITE ? !flow->client_writable
							   : !flow->client_readable)
		return false;
	if (table->handshakes >= CLIENT_HANDSHAKES_MAX) {
		smtp_flow_run_again(flow);
		return false;
	}
	table->handshakes++;
	switch (tls_handshake(flow->client_tls)) {
	case TLS_DONE:
		return succeed(flow);
	case TLS_WANTS_READ:
		return flow->client_readable = false;
	case TLS_WANTS_WRITE:
		return flow->client_writable = false;
	case TLS_FAILED:
		break;
	}
	return fail(flow, tls_failure(flow->client_tls));
}

void client_late(struct smtp_flow *flow)
{
	smtp_count(flow->smtp, COUNTER_TLS_CLIENTS_FAILED_SLOW);
}

/* ---- bytes ---- */

/* Nothing more goes now; bytes inside may wait for the socket to take some first. */
static void wait(struct smtp_flow *flow)
{
	if (tls_wants(flow->client_tls) == TLS_WANTS_WRITE)
		flow->client_writable = false;
	else
		flow->client_readable = false;
}

ssize_t client_send(struct smtp_flow *flow, const void *bytes, size_t len)
{
	/* the last words go in one packet with our end, which follows at once */
	const int last = flow->engine.state == ENGINE_END ? MSG_MORE : 0;
	ssize_t n;

	if (flow->client_secured) {
		if (last)
			tls_write_last(flow->client_tls);
		n = tls_write(flow->client_tls, bytes, len);
		return n == -EAGAIN ? 0 : n;
	}
	do
		n = send(flow->client.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL | last);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}

static ssize_t recv_secured(struct smtp_flow *flow, void *bytes, size_t len)
{
	/* it could not read on before what it has to say itself was written */
	if (tls_wants(flow->client_tls) == TLS_WANTS_WRITE && !flow->client_writable)
		return -EAGAIN;
	ssize_t n = tls_read(flow->client_tls, bytes, len);
	if (n == -EAGAIN)
		wait(flow);
	/* as in the clear: a read that got all there was need not be made once more to hear so */
	else if (n > 0 && tls_drained(flow->client_tls) && !flow->client_hangup)
		flow->client_readable = false;
	return n;
}

ssize_t client_recv(struct smtp_flow *flow, void *bytes, size_t len)
{
	ssize_t n;

	if (flow->client_secured)
		return recv_secured(flow, bytes, len);
	do
		n = recv(flow->client.fd, bytes, len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		flow->client_readable = false;
	/* of an end that is known to be there an event does not tell again */
	else if (n > 0 && (size_t)n < len && !flow->client_hangup)
		flow->client_readable = false;
	return n < 0 ? -errno : n;
}

void client_shut(struct smtp_flow *flow)
{
	if (flow->client_secured)
		tls_close(flow->client_tls);
	shutdown(flow->client.fd, SHUT_WR);
}

void client_end(struct smtp_flow *flow)
{
	if (flow->client_secured && !flow->reset)
		tls_close(flow->client_tls);
	tls_free(flow->client_tls);
	flow->client_tls = NULL;
}

/* ---- what is known of it ---- */

/* What is wrong with the client's certificate where that matters; NONE: nothing. */
static enum tls_reason fault_of(const struct smtp_flow *flow)
{
	const struct policy_client_tls *tls = wanted(flow);
	struct tls_facts facts;

	if (!tls || tls->client < POLICY_TLS_CLIENT_CHECK)
		return TLS_REASON_NONE;
	/* who is in clear, or was not asked, has shown none */
	if (!client_tls_facts(flow, &facts) || !facts.asked)
		facts.reason = TLS_REASON_ABSENT;
	if (facts.reason == TLS_REASON_ABSENT && tls->client != POLICY_TLS_CLIENT_REQUIRE)
		return TLS_REASON_NONE;
	return (enum tls_reason)facts.reason;
}

bool client_certificate_fits(const struct smtp_flow *flow, struct decide_reply *reply)
{
	enum tls_reason fault = fault_of(flow);

	if (fault == TLS_REASON_NONE)
		return true;
	*reply = (struct decide_reply){
		.code = fault == TLS_REASON_ABSENT ? 530 : 550, .status = "5.7.0"};
	snprintf(flow->smtp->words, sizeof(flow->smtp->words), "your certificate %s",
		tls_reason_words[fault]);
	reply->text = flow->smtp->words;
	return false;
}

const char *client_tls_lacks(const struct smtp_flow *flow)
{
	const struct policy_client_tls *tls = wanted(flow);
	enum tls_reason fault = fault_of(flow);

	if (tls && tls->mode == POLICY_TLS_REQUIRE && !flow->client_secured)
		return "the client stayed in clear, where no mail is taken without TLS";
	if (fault == TLS_REASON_NONE)
		return NULL;
	snprintf(flow->smtp->words, sizeof(flow->smtp->words),
		"the client's certificate %s, and no mail is taken so", tls_reason_words[fault]);
	return flow->smtp->words;
}

struct sought {
	const char *name;
	bool found;
};

static bool is_sought(const char *name, void *argument)
{
	struct sought *sought = argument;

	sought->found = decide_same_name(name, sought->name);
	return !sought->found;
}

static bool has_name(void *context, const char *name)
{
	struct sought sought = {.name = name};

	tls_names(context, is_sought, &sought);
	return sought.found;
}

void client_tls_side(const struct smtp_flow *flow, struct decide_tls *side)
{
	struct tls_facts facts;

	*side = (struct decide_tls){.on = client_tls_facts(flow, &facts)};
	/* of who was not asked nothing is wrong, and nothing is known */
	side->verified = side->on && facts.asked && facts.reason == TLS_REASON_NONE;
	side->has_name = has_name;
	side->context = flow->client_tls;
}

struct listing {
	char *names;
	size_t len, size;
	bool cut;
};

static bool list_name(const char *name, void *argument)
{
	struct listing *listing = argument;
	size_t len = strlen(name), blank = listing->len > 0;

	if (blank + len >= listing->size - listing->len) {
		listing->cut = true;
		return false;
	}
	if (blank)
		listing->names[listing->len++] = ' ';
	memcpy(listing->names + listing->len, name, len + 1);
	listing->len += len;
	return true;
}

bool client_tls_names(const struct smtp_flow *flow, char *names, size_t size)
{
	struct listing listing = {.names = names, .size = size};
	struct decide_tls side;

	client_tls_side(flow, &side);
	*names = '\0';
	if (side.verified)
		tls_names(flow->client_tls, list_name, &listing);
	return !listing.cut;
}

const char *client_tls_why(const struct smtp_flow *flow)
{
	return flow->client_tls ? tls_why(flow->client_tls) : "";
}

bool client_tls_facts(const struct smtp_flow *flow, struct tls_facts *facts)
{
	if (flow->client_secured)
		tls_facts(flow->client_tls, facts);
	return flow->client_secured;
}
