/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/answer.h"

#include "daemon/base/log.h"
#include "daemon/web/portal/steps.h"
#include "daemon/web/web.h"
#include "lib/ipc/auth.h"

#include <errno.h>
#include <unistd.h>

static struct visit *find_id(const struct portals *portals, uint64_t id)
{
	struct visit *visit = portals->visits;

	while (visit && visit->id != id)
		visit = visit->next;
	return visit;
}

static void on_auth(void *context, const struct ipc_header *ipc, int fd)
{
	struct web *web = context;
	const struct ipc_auth_verdict *verdict = (const void *)ipc;

	child_count(&web->child, COUNTER_IPC_RECEIVED);
	if (fd >= 0)
		close(fd);
	if (ipc->type == IPC_AUTH_OFFER) /* what a listener shows */
		return;
	if (ipc->type != IPC_AUTH_VERDICT) {
		child_count(&web->child, COUNTER_IPC_BAD);
		log_warning("auth sent %s, which it may not send: ignored", ipc_name(ipc->type));
		return;
	}
	struct visit *visit = verdict->id ? find_id(&web->portals, verdict->id) : NULL;
	if (!visit)
		return;
	visit->id = 0;
	steps_verdict(visit, verdict);
}

static void on_auth_gone(void *context)
{
	struct web *web = context;

	channel_free(web->portals.auth);
	web->portals.auth = NULL;
	for (struct visit *visit = web->portals.visits; visit; visit = visit->next) {
		if (!visit->id)
			continue;
		visit->id = 0;
		steps_verdict(visit, NULL);
	}
}

void answer_open_auth(struct web *web, int fd)
{
	static const struct channel_handler handler = {on_auth, on_auth_gone};

	answer_close_auth(web);
	web->portals.auth = channel_open(web->loop, fd, &handler, web);
	if (!web->portals.auth)
		log_error("no memory for the channel to auth");
}

void answer_close_auth(struct web *web)
{
	if (web->portals.auth)
		on_auth_gone(web);
}

static struct visit *find_seq(const struct portals *portals, uint32_t seq)
{
	struct visit *visit = portals->visits;

	while (visit && visit->seq != seq)
		visit = visit->next;
	return visit;
}

bool answer_take(struct web *web, const struct ipc_header *ipc)
{
	if (ipc->type != IPC_PORTAL_SHOWN && ipc->type != IPC_REPLY)
		return false;
	struct visit *visit = ipc->seq ? find_seq(&web->portals, ipc->seq) : NULL;
	if (!visit) /* of one that is over */
		return true;
	visit->seq = 0;
	if (ipc->type == IPC_PORTAL_SHOWN)
		steps_shown(visit, (const struct ipc_portal_shown *)ipc);
	else
		steps_done(visit, ((const struct ipc_reply *)ipc)->status);
	return true;
}

void answer_control_gone(struct web *web)
{
	for (struct visit *visit = web->portals.visits; visit; visit = visit->next) {
		if (!visit->seq)
			continue;
		visit->seq = 0;
		steps_done(visit, -ENOTCONN);
	}
}
