/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/service.h"

#include "daemon/base/log.h"
#include "daemon/web/portal/gate.h"
#include "daemon/web/portal/plain.h"
#include "daemon/web/portal/request.h"
#include "daemon/web/portal/say.h"
#include "daemon/web/portal/shown.h"
#include "daemon/web/web.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEMORY_BYTES 32768 /* of a connection, without TLS */

/* TLS 1.2 and later, of what GnuTLS's NORMAL has. */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

static void cut(struct visit *visit)
{
	shutdown(visit->fd, SHUT_RDWR);
	visit->end_ms += VISIT_LIFE_MS;
}

/* Whoever dribbles a request, or does not read the answer, is cut: libmicrohttpd sees the end of
 * the connection and clears it up. One that waits for others has a deadline of its own. */
static bool cut_old(void *context)
{
	struct service *service = context;
	struct web *web = service->portal->web;

	for (struct visit *visit = web->portals.visits; visit; visit = visit->next)
		if (visit->service == service && !visit->suspended &&
			loop_now_ms(web->loop) >= visit->end_ms)
			cut(visit);
	return service->nvisits > 0;
}

static struct visit *find(const struct service *service, int fd)
{
	struct visit *visit = service->portal->web->portals.visits;

	while (visit && (visit->mhd || visit->service != service || visit->fd != fd))
		visit = visit->next;
	return visit;
}

/* Begin and end of a connection; the visit of one that begins is there already. */
static void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*socket_context)
			visit_free(*socket_context);
		*socket_context = NULL;
		return;
	}
	struct visit *visit = info ? find(context, info->connect_fd) : NULL;
	if (!visit)
		return;
	visit->mhd = mhd;
	*socket_context = visit;
	gate_put(visit);
}

#define FLAGS (MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME)
#define BOUNDS                                                                            \
	MHD_OPTION_CONNECTION_LIMIT, (unsigned)VISITS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, \
		(unsigned)VISIT_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES

static struct MHD_Daemon *start(struct service *service)
{
	return MHD_start_daemon(FLAGS | MHD_USE_TLS, 0, NULL, NULL, request_on, service, BOUNDS,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, service, MHD_OPTION_NOTIFY_COMPLETED,
		request_over, NULL, MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES,
		MHD_OPTION_HTTPS_CERT_CALLBACK, &shown_choose, MHD_OPTION_END);
}

struct service *service_new(struct portal *portal, struct shown *shown)
{
	struct service *service = calloc(1, sizeof(*service));

	if (service) {
		service->portal = portal;
		service->shown = shown;
	}
	if (service && !shown)
		return service;
	if (service && drive_open(&service->drive, portal->web->loop, start(service), cut_old,
			       service) == 0)
		return service;
	shown_free(shown);
	free(service);
	return NULL;
}

void service_free(struct service *service)
{
	struct visit *visit = service->portal->web->portals.visits;

	while (visit) {
		struct visit *next = visit->next;
		if (visit->service == service && visit_is_ours(visit))
			visit_close(visit);
		else if (visit->service == service && visit->suspended) /* none may be */
			say_login(visit, PORTAL_NOTICE_BUSY, 0);
		visit = next;
	}
	drive_close(&service->drive);
	shown_free(service->shown);
	free(service);
}

void service_take(struct visit *visit)
{
	struct service *service = visit->service;

	if (!service->shown) {
		plain_take(visit);
		return;
	}
	const int fd = visit->fd;
	struct sockaddr_storage peer;
	size_t len = endpoint_encode(&visit->origin.client, &peer);

	visit->state = VISIT_READS;
	enum MHD_Result taken = MHD_add_connection(
		service->drive.mhd, fd, (const struct sockaddr *)&peer, (socklen_t)len);

	if (taken != MHD_YES && (visit = find(service, fd))) /* else it is over already */
		visit_free(visit);
	drive_wake(&service->drive);
}
