/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/auth/auth.h"

#include "daemon/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- told ---- */

static void offer(struct asker *asker, const struct policy_listener *listener)
{
	struct ipc_auth_offer ipc;

	ipc_init(&ipc, IPC_AUTH_OFFER, sizeof(ipc));
	snprintf(ipc.listener, sizeof(ipc.listener), "%s", listener->name.text);
	ipc.whole = backends_offer(asker->auth, listener, ipc.mechanisms, ipc.clear);
	channel_send(asker->channel, &ipc, -1);
}

static void offer_all(struct asker *asker)
{
	const struct policy *policy = auth_policy(asker->auth);

	for (size_t i = 0; policy && i < policy->nlisteners; i++)
		if (policy->listeners[i].auth_names.n > 0)
			offer(asker, &policy->listeners[i]);
}

void askers_offer(struct auth *auth)
{
	for (struct asker *asker = auth->askers.first; asker; asker = asker->next)
		offer_all(asker);
}

void asker_challenge(struct asker *asker, uint64_t id, const void *bytes, size_t len)
{
	union {
		struct ipc_auth_challenge ipc;
		uint8_t room[sizeof(struct ipc_auth_challenge) + AUTH_BYTES_MAX];
	} out;

	ipc_init(&out.ipc, IPC_AUTH_CHALLENGE, sizeof(out.ipc));
	out.ipc.header.bytes += (uint32_t)len;
	out.ipc.id = id;
	out.ipc.bytes = (uint32_t)len;
	if (len > 0)
		memcpy(out.ipc.challenge, bytes, len);
	channel_send(asker->channel, &out.ipc, -1);
}

void asker_verdict(struct asker *asker, uint64_t id, enum auth_verdict verdict, const char *auth,
	const char *text, const uint8_t *session, size_t len, const struct affirm *affirm)
{
	union {
		struct ipc_auth_verdict ipc;
		uint8_t room[sizeof(struct ipc_auth_verdict) + SESSION_ENCODED_MAX];
	} out;

	ipc_init(&out.ipc, IPC_AUTH_VERDICT, sizeof(out.ipc));
	out.ipc.header.bytes += (uint32_t)len;
	out.ipc.id = id;
	out.ipc.verdict = verdict;
	out.ipc.session_bytes = (uint32_t)len;
	snprintf(out.ipc.auth, sizeof(out.ipc.auth), "%s", auth);
	snprintf(out.ipc.text, sizeof(out.ipc.text), "%s", text ? text : "");
	if (affirm)
		out.ipc.affirm = *affirm;
	if (len > 0)
		memcpy(out.ipc.session, session, len);
	channel_send(asker->channel, &out.ipc, -1);
}

/* ---- heard ---- */

static void on_ipc(void *context, const struct ipc_header *ipc, int fd)
{
	struct asker *asker = context;
	struct auth *auth = asker->auth;
	const void *m = ipc;

	child_count(&auth->child, COUNTER_IPC_RECEIVED);
	if (fd >= 0)
		close(fd);
	switch (ipc->type) {
	case IPC_AUTH_ASK:
		auth->face->on_ask(auth, asker, m);
		return;
	case IPC_AUTH_RESPONSE:
		auth->face->on_response(auth, asker, m);
		return;
	case IPC_AUTH_CANCEL:
		auth->face->on_cancel(auth, asker, ((const struct ipc_auth_cancel *)m)->id);
		return;
	default:
		child_count(&auth->child, COUNTER_IPC_BAD);
		log_warning(
			"smtp or web sent %s, which it may not send: ignored", ipc_name(ipc->type));
	}
}

static void close_one(struct asker *asker)
{
	asker->auth->face->on_gone(asker->auth, asker);
	channel_free(asker->channel);
	free(asker);
}

static void on_gone(void *context)
{
	struct asker *asker = context;

	for (struct asker **at = &asker->auth->askers.first; *at; at = &(*at)->next)
		if (*at == asker) {
			*at = asker->next;
			break;
		}
	close_one(asker);
}

void asker_open(struct auth *auth, int fd)
{
	static const struct channel_handler handler = {on_ipc, on_gone};
	struct asker *asker = calloc(1, sizeof(*asker));

	if (!asker) {
		log_error("no memory for the channel of who asks");
		close(fd);
		return;
	}
	asker->auth = auth;
	asker->channel = channel_open(auth->loop, fd, &handler, asker);
	if (!asker->channel) {
		log_error("no memory for the channel of who asks");
		free(asker);
		return;
	}
	asker->next = auth->askers.first;
	auth->askers.first = asker;
	offer_all(asker);
}

void askers_close(struct auth *auth)
{
	while (auth->askers.first) {
		struct asker *asker = auth->askers.first;
		auth->askers.first = asker->next;
		close_one(asker);
	}
}
