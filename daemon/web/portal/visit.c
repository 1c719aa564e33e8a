/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/visit.h"

#include "daemon/web/web.h"
#include "lib/ipc/auth.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct visit *visit_new(struct service *service, struct guest *guest, int fd,
	const struct origin *origin, void (*on_time)(struct loop_timer *timer, uint64_t now_ms))
{
	struct web *web = service->portal->web;
	struct portals *portals = &web->portals;
	struct visit *visit = calloc(1, sizeof(*visit));

	if (!visit)
		return NULL;
	visit->service = service;
	visit->guest = guest;
	visit->fd = fd;
	visit->watch.fd = -1;
	visit->state = VISIT_COMES;
	visit->origin = *origin;
	visit->begun_ms = loop_now_ms(web->loop);
	visit->end_ms = visit->begun_ms + VISIT_LIFE_MS;
	visit->timer.on_time = on_time;
	visit->next = portals->visits;
	if (visit->next)
		visit->next->before = visit;
	portals->visits = visit;
	portals->nvisits++;
	guest->open++;
	service->nvisits++;
	service->portal->state.open++;
	service->portal->changed = true;
	return visit;
}

/* Nothing that was asked of others is waited for any more. */
static void cancel(struct visit *visit)
{
	struct portals *portals = &visit->service->portal->web->portals;
	struct ipc_auth_cancel ipc;

	visit->seq = 0;
	if (!visit->id)
		return;
	ipc_init(&ipc, IPC_AUTH_CANCEL, sizeof(ipc));
	ipc.id = visit->id;
	visit->id = 0;
	if (portals->auth)
		channel_send(portals->auth, &ipc, -1);
}

static void drop_response(struct visit *visit)
{
	if (visit->response && !visit->shared)
		MHD_destroy_response(visit->response);
	visit->response = NULL;
	visit->shared = false;
}

void visit_forget_request(struct visit *visit)
{
	struct web *web = visit->service->portal->web;

	cancel(visit);
	loop_timer_clear(web->loop, &visit->timer);
	drop_response(visit);
	explicit_bzero(visit->body, sizeof(visit->body));
	visit->body_len = 0;
	visit->too_long = false;
	visit->user[0] = '\0';
	memset(visit->terms, 0, sizeof(visit->terms));
	visit->state = VISIT_READS;
}

void visit_free(struct visit *visit)
{
	struct portals *portals = &visit->service->portal->web->portals;

	visit_forget_request(visit);
	*(visit->before ? &visit->before->next : &portals->visits) = visit->next;
	if (visit->next)
		visit->next->before = visit->before;
	portals->nvisits--;
	visit->guest->open--;
	visit->service->nvisits--;
	visit->service->portal->state.open--;
	visit->service->portal->changed = true;
	free(visit);
}

bool visit_is_ours(const struct visit *visit)
{
	return visit->state == VISIT_COMES || !visit->service->shown;
}

void visit_close(struct visit *visit)
{
	if (visit->watch.fd >= 0)
		loop_del(visit->service->portal->web->loop, &visit->watch);
	close(visit->fd);
	visit_free(visit);
}

/* ---- answers ---- */

void visit_say(struct visit *visit, unsigned status, struct MHD_Response *response)
{
	struct web *web = visit->service->portal->web;

	cancel(visit);
	loop_timer_clear(web->loop, &visit->timer);
	drop_response(visit);
	visit->state = VISIT_SAYS;
	visit->status = status;
	visit->response = response;
	if (!visit->suspended)
		return;
	visit->suspended = false;
	MHD_resume_connection(visit->mhd);
	drive_wake(&visit->service->drive);
}

void visit_say_shared(struct visit *visit, struct MHD_Response *response)
{
	visit_say(visit, MHD_HTTP_OK, response);
	visit->shared = true;
}
