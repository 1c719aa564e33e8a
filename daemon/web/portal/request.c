/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/request.h"

#include "daemon/flow/identify.h"
#include "daemon/web/portal/say.h"
#include "daemon/web/portal/steps.h"
#include "daemon/web/web.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- who it is, by the policy of now ---- */

static bool has_zone(const struct policy_portal *portal, size_t zone)
{
	for (size_t i = 0; i < portal->zone_names.n; i++)
		if (portal->zones[i] == zone)
			return true;
	return false;
}

static void identify(struct visit *visit)
{
	const struct web *web = visit->service->portal->web;
	const struct policy *policy = web_policy(web);
	struct identified who;

	memset(&visit->client, 0, sizeof(visit->client));
	visit->client.address = visit->origin.client.addr;
	visit->unknown = identify_client(
		policy, link_find(&web->links, visit->origin.ifindex), &visit->origin, &who);
	visit->client.mac = who.mac;
	if (who.zone >= 0 && !has_zone(visit->service->portal->policy, (size_t)who.zone))
		visit->unknown = ENDING_NO_ZONE;
	if (visit->unknown == ENDING_NONE || visit->unknown == ENDING_NO_MAC)
		strcpy(visit->client.zone, policy->zones[who.zone].name.text);
	visit->device = who.zone < 0
				? visit->client
				: portal_device(&visit->client, policy->zones[who.zone].identity);
}

/* ---- the request ---- */

struct fields {
	struct portal_request request;
	const char *length, *encoding;
};

static enum MHD_Result on_field(
	void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct fields *fields = context;
	const struct {
		const char *name;
		const char **value;
	} known[] = {
		{MHD_HTTP_HEADER_HOST, &fields->request.host},
		{MHD_HTTP_HEADER_ORIGIN, &fields->request.origin},
		{"Sec-Fetch-Site", &fields->request.fetch_site},
		{MHD_HTTP_HEADER_REFERER, &fields->request.referer},
		{MHD_HTTP_HEADER_CONTENT_TYPE, &fields->request.content_type},
		{MHD_HTTP_HEADER_CONTENT_LENGTH, &fields->length},
		{MHD_HTTP_HEADER_TRANSFER_ENCODING, &fields->encoding},
	};

	(void)kind;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcasecmp(name, known[i].name) != 0)
			continue;
		fields->request.twice |= *known[i].value != NULL;
		*known[i].value = value ? value : "";
	}
	return MHD_YES;
}

static enum MHD_Result queue(struct visit *visit)
{
	enum MHD_Result queued =
		visit->response ? MHD_queue_response(visit->mhd, visit->status, visit->response)
				: MHD_NO;

	visit_forget_request(visit);
	if (queued == MHD_YES)
		visit->state = VISIT_SENDS;
	return queued;
}

/* Its first line and fields are there. */
static enum MHD_Result begin(struct visit *visit, const char *url, const char *method)
{
	struct portal *portal = visit->service->portal;
	struct fields fields = {.request = {.method = method, .path = url}};

	visit_forget_request(visit);
	portal->state.counts.requests++;
	portal->changed = true;
	MHD_get_connection_values(visit->mhd, MHD_HEADER_KIND, on_field, &fields);
	identify(visit);
	visit->route = portal_route(&fields.request, &portal->policy->names, portal->policy->port);
	if (portal_route_status(visit->route))
		say_route(visit, url);
	else if (visit->unknown == ENDING_NO_MAC)
		say_refusal(visit, PORTAL_NOTICE_NO_DEVICE);
	else if (visit->unknown != ENDING_NONE)
		say_refusal(visit, PORTAL_NOTICE_NO_ZONE);
	else if (fields.length && strtoull(fields.length, NULL, 10) > PORTAL_BODY_MAX)
		say_refusal(visit, PORTAL_NOTICE_TOO_LONG);
	else
		return MHD_YES;
	portal->state.counts.refused_requests++;
	return queue(visit);
}

static void take(struct visit *visit, const char *data, size_t len)
{
	visit->too_long |= len > PORTAL_BODY_MAX - visit->body_len;
	if (visit->too_long)
		return;
	memcpy(visit->body + visit->body_len, data, len);
	visit->body_len += len;
}

/* It is whole, or what it waited for has come. */
static enum MHD_Result go_on(struct visit *visit)
{
	if (visit->state == VISIT_READS) {
		visit->asked_ms = loop_now_ms(visit->service->portal->web->loop);
		steps_wait(visit);
	}
	if (visit->state == VISIT_SAYS)
		return queue(visit);
	visit->suspended = true;
	MHD_suspend_connection(visit->mhd);
	return MHD_YES;
}

enum MHD_Result request_on(void *context, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *bytes, void **request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct visit *visit = info ? info->socket_context : NULL;

	(void)context;
	(void)version;
	if (!visit || !web_policy(visit->service->portal->web))
		return MHD_NO;
	if (*request != visit) {
		*request = visit;
		return begin(visit, url, method);
	}
	if (*bytes == 0)
		return go_on(visit);
	take(visit, data, *bytes);
	*bytes = 0;
	return MHD_YES;
}

void request_over(void *context, struct MHD_Connection *mhd, void **request,
	enum MHD_RequestTerminationCode code)
{
	struct visit *visit = *request;

	(void)context;
	(void)mhd;
	(void)code;
	if (visit && visit->state == VISIT_SENDS)
		visit->state = VISIT_READS;
}
