/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/wire/server_tls.h"

#include "daemon/flow/choose.h"
#include "daemon/smtp/smtp.h"
#include "daemon/tls/contexts.h"
#include "daemon/tls/session.h"
#include "lib/tls/terms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The line of the policy that the host at hand is of; NULL: `server original`. */
static const struct policy_host *host_of(const struct smtp_flow *flow)
{
	const struct policy_server *server = way_server(&flow->way);

	return server && flow->host < server->nhosts ? &server->hosts[flow->host] : NULL;
}

static const struct policy_server_tls *terms_of(const struct smtp_flow *flow)
{
	const struct policy_host *host = host_of(flow);

	return host ? policy_host_tls(way_server(&flow->way), host) : NULL;
}

/* Of `server original`, too, TLS is taken where it is offered. */
enum engine_tls server_tls_wanted(const struct smtp_flow *flow)
{
	const struct policy_server_tls *tls = terms_of(flow);

	return tls ? tls_terms_wanted(tls) : ENGINE_TLS_OFFER;
}

static const char *name_of(const struct smtp_flow *flow)
{
	const struct policy_host *host = host_of(flow);

	return host ? tls_terms_name(host, terms_of(flow)) : NULL;
}

static struct tls_context *context_of(const struct smtp_flow *flow)
{
	return host_of(flow)
		       ? tls_contexts_host(flow->contexts, (size_t)flow->way.server, flow->host)
		       : flow->smtp->tls_to_anybody;
}

bool server_tls_is_sure(const struct smtp_flow *flow)
{
	const struct policy_server_tls *tls = terms_of(flow);

	return flow->server_secured && tls &&
	       (tls->mode == POLICY_SERVER_TLS_VERIFY || tls->mode == POLICY_SERVER_TLS_PIN);
}

/* ---- what is known of it ---- */

static void note_words(struct smtp_flow *flow)
{
	const struct policy_server_tls *tls = terms_of(flow);
	bool pinned = tls && tls->mode == POLICY_SERVER_TLS_PIN;
	char words[SERVER_TLS_WORDS_MAX];
	struct tls_facts facts;

	tls_facts(flow->server_tls, &facts);
	snprintf(words, sizeof(words), "%s\n%s\n%s\n%s", tls_version_names[facts.version],
		facts.cipher,
		!server_tls_is_sure(flow) ? TLS_CHECK_UNCHECKED
		: pinned                  ? TLS_CHECK_PINNED
					  : TLS_CHECK_VERIFIED,
		facts.name);
	/* mostly much less than it may be, and kept as long as the session */
	flow->server_words = strdup(words);
}

const char *server_tls_words(const struct smtp_flow *flow)
{
	return flow->server_words ? flow->server_words : "";
}

void server_tls_forget(struct smtp_flow *flow)
{
	free(flow->server_words);
	flow->server_words = NULL;
}

/* ---- the handshake ---- */

/* NULL: it began. */
static const char *begin(struct smtp_flow *flow)
{
	struct tls_context *context = context_of(flow);

	if (!context)
		return "there is no certificate, key or trust store for it: certificate show";
	flow->server_tls = tls_connect(context, flow->server.fd, name_of(flow));
	flow->server_wants = TLS_WANTS_WRITE;
	return flow->server_tls ? NULL : "no memory";
}

static bool give_up(struct smtp_flow *flow, const char *words)
{
	smtp_count(flow->smtp, COUNTER_SERVER_TLS_FAILED);
	engine_server_unfit(&flow->engine, words, way_now_ms(&flow->way), smtp_out(flow));
	smtp_act(flow);
	return true;
}

static bool succeed(struct smtp_flow *flow)
{
	smtp_count(flow->smtp, COUNTER_SERVER_TLS);
	flow->server_secured = true;
	note_words(flow);
	tls_forget_key(flow->server_tls);
	/* until a call says otherwise */
	flow->server_readable = flow->server_hangup || !tls_drained(flow->server_tls);
	flow->server_writable = true;
	engine_server_secured(&flow->engine, way_now_ms(&flow->way), smtp_out(flow));
	smtp_act(flow);
	return true;
}

bool server_tls_run(struct smtp_flow *flow)
{
	const char *words = NULL;

	if (flow->to_server.piece) /* STARTTLS itself, still */
		return false;
	if (!flow->server_tls && (words = begin(flow)))
		return give_up(flow, words);
	if ((flow->server_wants == TLS_WANTS_READ && !flow->server_readable) ||
		(flow->server_wants == TLS_WANTS_WRITE && !flow->server_writable))
		return false;
	enum tls_step step = tls_handshake(flow->server_tls);
	flow->server_wants = (uint8_t)step;
	switch (step) {
	case TLS_DONE:
		return succeed(flow);
	case TLS_FAILED:
		return give_up(flow, tls_why(flow->server_tls));
	case TLS_WANTS_READ:
		flow->server_readable = false;
		break;
	case TLS_WANTS_WRITE:
		flow->server_writable = false;
		break;
	}
	return false;
}

void server_tls_on_event(struct smtp_flow *flow)
{
	if (flow->server_secured)
		flow->server_readable = flow->server_writable = true;
}

ssize_t server_tls_read(struct smtp_flow *flow, void *bytes, size_t len)
{
	ssize_t n = tls_read(flow->server_tls, bytes, len);

	if (n > 0 && tls_drained(flow->server_tls) && !flow->server_hangup)
		flow->server_readable = false;
	return n;
}

ssize_t server_tls_write(struct smtp_flow *flow, const void *bytes, size_t len, bool last)
{
	if (last)
		tls_write_last(flow->server_tls);
	ssize_t n = tls_write(flow->server_tls, bytes, len);

	return n == -EAGAIN ? 0 : n;
}

void server_tls_end(struct smtp_flow *flow)
{
	if (!flow->server_tls)
		return;
	if (flow->server_secured)
		tls_close(flow->server_tls);
	tls_free(flow->server_tls);
	flow->server_tls = NULL;
	flow->server_secured = false;
}
