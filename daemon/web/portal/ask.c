/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/ask.h"

#include "daemon/web/web.h"
#include "lib/auth/sasl.h"
#include "lib/base/copy.h"
#include "lib/ipc/auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Longer than auth takes to find out that a backend says nothing, and that control takes to see
 * that its disk does. */
#define AUTH_WAITS_MS    (AUTH_ANSWER_MS + 5000)
#define CONTROL_WAITS_MS 15000
/* Logins that a backend is asked for at once. Whoever comes then hears that he is to come again. */
#define LOGINS_MAX 64

static struct web *web_of(const struct visit *visit)
{
	return visit->service->portal->web;
}

static void wait(struct visit *visit, enum visit_state state, uint64_t ms)
{
	struct web *web = web_of(visit);

	visit->state = state;
	loop_timer_set(web->loop, &visit->timer, loop_now_ms(web->loop) + ms);
}

/* ---- auth ---- */

static unsigned count_logins(const struct portals *portals)
{
	unsigned n = 0;

	for (const struct visit *visit = portals->visits; visit; visit = visit->next)
		n += visit->id != 0;
	return n;
}

/* RFC 4616: nobody else to act for, who, and what he knows. */
int ask_password(struct visit *visit, const char *user, const char *password)
{
	struct portals *portals = &web_of(visit)->portals;
	size_t user_len = strlen(user), password_len = strlen(password);
	size_t len = user_len + password_len + 2;
	union {
		struct ipc_auth_ask ipc;
		uint8_t room[sizeof(struct ipc_auth_ask) + 2 * (PORTAL_FIELD_MAX + 1)];
	} out;

	_Static_assert(PORTAL_FIELD_MAX <= SASL_USER_MAX && PORTAL_FIELD_MAX <= SASL_PASSWORD_MAX,
		"auth takes what a form may hold");
	if (!portals->auth)
		return -ENOTCONN;
	if (count_logins(portals) >= LOGINS_MAX)
		return -EBUSY;
	ipc_init(&out.ipc, IPC_AUTH_ASK, sizeof(out.ipc));
	out.ipc.header.bytes += (uint32_t)len;
	out.ipc.id = visit->id = ++portals->last_id;
	out.ipc.client = visit->origin.client;
	out.ipc.server = visit->origin.original;
	out.ipc.place = portal_place(&visit->device);
	strcpy(out.ipc.listener, visit->service->portal->name);
	strcpy(out.ipc.mechanism, "PLAIN");
	out.ipc.secured = out.ipc.given = out.ipc.portal = 1;
	out.ipc.bytes = (uint16_t)len;
	out.ipc.response[0] = '\0';
	memcpy(out.ipc.response + 1, user, user_len + 1);
	memcpy(out.ipc.response + 2 + user_len, password, password_len);
	int error = channel_send(portals->auth, &out, -1);
	explicit_bzero(&out, sizeof(out));
	if (error)
		visit->id = 0;
	else
		wait(visit, VISIT_CHECKS, AUTH_WAITS_MS);
	return error;
}

/* ---- control ---- */

static int tell_control(struct visit *visit, struct ipc_header *ipc, enum visit_state state)
{
	struct child *child = &web_of(visit)->child;

	if (!child_hears(child))
		return -ENOTCONN;
	ipc->seq = channel_next_seq(child->control);
	int error = child_send(child, ipc);
	if (error)
		return error;
	visit->seq = ipc->seq;
	wait(visit, state, CONTROL_WAITS_MS);
	return 0;
}

int ask_login(struct visit *visit, const struct ipc_auth_verdict *verdict)
{
	const struct portal *portal = visit->service->portal;
	const size_t bytes = verdict ? verdict->session_bytes : 0;
	struct ipc_portal_login *ipc = malloc(sizeof(*ipc) + bytes);

	if (!ipc)
		return -ENOMEM;
	ipc_init(ipc, IPC_PORTAL_LOGIN, sizeof(*ipc));
	ipc->header.bytes += (uint32_t)bytes;
	strcpy(ipc->portal, portal->name);
	ipc->client = visit->client;
	memcpy(ipc->terms, visit->terms, sizeof(ipc->terms));
	ipc->session_bytes = (uint32_t)bytes;
	if (bytes) {
		ipc->affirm = verdict->affirm;
		memcpy(ipc->session, verdict->session, bytes);
	}
	int error = tell_control(visit, &ipc->header, VISIT_ACTS);
	free(ipc);
	return error;
}

static int ask_of_client(struct visit *visit, unsigned type, enum visit_state state)
{
	struct ipc_portal_client ipc;

	ipc_init(&ipc, type, sizeof(ipc));
	strcpy(ipc.portal, visit->service->portal->name);
	ipc.client = visit->client;
	return tell_control(visit, &ipc.header, state);
}

int ask_renew(struct visit *visit)
{
	return ask_of_client(visit, IPC_PORTAL_RENEW, VISIT_ACTS);
}

int ask_logout(struct visit *visit)
{
	return ask_of_client(visit, IPC_PORTAL_LOGOUT, VISIT_ACTS);
}

int ask_show(struct visit *visit)
{
	return ask_of_client(visit, IPC_PORTAL_SHOW, VISIT_SHOWS);
}

void tell_wrong(struct visit *visit)
{
	struct ipc_portal_wrong ipc;

	ipc_init(&ipc, IPC_PORTAL_WRONG, sizeof(ipc));
	strcpy(ipc.portal, visit->service->portal->name);
	ipc.client = visit->client;
	copy_text(ipc.user, sizeof(ipc.user), visit->user);
	child_send(&web_of(visit)->child, &ipc);
}
