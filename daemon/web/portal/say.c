/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/say.h"

#include "daemon/web/web.h"
#include "lib/portal/headers.h"
#include "lib/portal/page.h"
#include "lib/portal/style.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_STYLE "text/css; charset=utf-8"

/* Browsers are told to come by HTTPS alone where they take what stands there. */
static void add_headers(struct MHD_Response *response, enum portal_content content, bool strict)
{
	struct portal_header headers[PORTAL_HEADERS_MAX];
	size_t n = portal_headers(content, strict, headers);

	for (size_t i = 0; i < n; i++)
		MHD_add_response_header(response, headers[i].name, headers[i].value);
}

static bool is_strict(const struct policy_portal *policy)
{
	return policy->certificate_names.n > 0;
}

/* ---- pages ---- */

static uint64_t wall_ms(const struct visit *visit)
{
	return loop_wall_ms(visit->service->portal->web->loop);
}

/* All that is the same on every page. */
static void begin_view(const struct visit *visit, enum portal_page page, struct portal_view *view)
{
	const struct portal *portal = visit->service->portal;

	*view = (struct portal_view){.page = page,
		.texts = &portal->texts,
		.logo = portal->logo != NULL,
		.terms = portal->terms,
		.terms_len = portal->terms_len,
		.terms_version = portal->terms_version,
		.passwords = portal->policy->auth_names.n > 0,
		.client = visit->client,
		.now_ms = wall_ms(visit)};
}

static struct MHD_Response *make_page(const struct portal *portal, const struct portal_view *view)
{
	size_t len = portal_page_write(view, NULL, 0);
	char *bytes = malloc(len ? len : 1);

	if (!bytes)
		return NULL;
	portal_page_write(view, bytes, len);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(bytes);
		return NULL;
	}
	add_headers(response, PORTAL_CONTENT_PAGE, is_strict(portal->policy));
	return response;
}

static void make_token(
	const struct visit *visit, enum portal_form_kind kind, char token[static PORTAL_TOKEN_SIZE])
{
	const struct web *web = visit->service->portal->web;

	portal_token_make(web->portals.key, &visit->device, kind, loop_now_ms(web->loop), token);
}

static void say(struct visit *visit, const struct portal_view *view)
{
	struct MHD_Response *response = make_page(visit->service->portal, view);

	visit_say(visit, portal_notice_status(view->notice), response);
}

static void add_retry(struct MHD_Response *response, uint32_t seconds)
{
	char text[16];

	if (!response || !seconds)
		return;
	snprintf(text, sizeof(text), "%" PRIu32, seconds);
	MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text);
}

void say_login(struct visit *visit, enum portal_notice notice, uint64_t wait_ms)
{
	struct portal_view view;
	char token[PORTAL_TOKEN_SIZE];

	begin_view(visit, PORTAL_PAGE_LOGIN, &view);
	make_token(visit, PORTAL_FORM_LOGIN, token);
	view.login_token = token;
	view.notice = notice;
	view.wait_s = (uint32_t)((wait_ms + 999) / 1000);
	view.user = visit->user[0] ? visit->user : NULL;
	struct MHD_Response *response = make_page(visit->service->portal, &view);
	add_retry(response, view.wait_s);
	visit_say(visit, portal_notice_status(notice), response);
}

void say_status(
	struct visit *visit, enum portal_notice notice, const struct ipc_portal_shown *shown)
{
	struct portal_view view;
	char renew[PORTAL_TOKEN_SIZE], logout[PORTAL_TOKEN_SIZE];

	begin_view(visit, PORTAL_PAGE_STATUS, &view);
	make_token(visit, PORTAL_FORM_RENEW, renew);
	make_token(visit, PORTAL_FORM_LOGOUT, logout);
	view.notice = notice;
	view.user = shown->user;
	view.ends_ms = shown->ends_ms;
	view.hard_end_ms = shown->hard_end_ms;
	view.messages = shown->messages;
	view.unrecorded = shown->unrecorded;
	view.more = shown->more;
	view.sent = shown->sent;
	view.refused = shown->refused;
	view.mails = shown->mails;
	view.nmails = shown->nmails;
	if (!shown->device) {
		view.renew_token = shown->ends_ms ? renew : NULL;
		view.logout_token = logout;
	}
	say(visit, &view);
}

void say_logged_out(struct visit *visit)
{
	struct portal_view view;

	begin_view(visit, PORTAL_PAGE_LOGGED_OUT, &view);
	view.notice = PORTAL_NOTICE_LOGGED_OUT;
	say(visit, &view);
}

void say_refusal(struct visit *visit, enum portal_notice notice)
{
	struct portal_view view;

	begin_view(visit, PORTAL_PAGE_REFUSAL, &view);
	view.notice = notice;
	say(visit, &view);
}

void say_route(struct visit *visit, const char *path)
{
	struct portal_view view;

	begin_view(visit, PORTAL_PAGE_REFUSAL, &view);
	view.notice = portal_notice_of_route(visit->route);
	struct MHD_Response *response = make_page(visit->service->portal, &view);
	const char *allow = visit->route == PORTAL_BAD_METHOD ? portal_route_allow(path) : NULL;
	if (response && allow)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
	visit_say(visit, portal_route_status(visit->route), response);
}

/* ---- the rest ---- */

static struct MHD_Response *make_empty(const char *location, bool strict)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);

	if (!response)
		return NULL;
	add_headers(response, PORTAL_CONTENT_PAGE, strict);
	MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, location);
	return response;
}

void say_done(struct visit *visit)
{
	visit_say(visit, MHD_HTTP_SEE_OTHER,
		make_empty(portal_done(visit->route), is_strict(visit->service->portal->policy)));
}

void say_style(struct visit *visit)
{
	visit_say_shared(visit, visit->service->portal->style);
}

void say_logo(struct visit *visit)
{
	if (visit->service->portal->logo)
		visit_say_shared(visit, visit->service->portal->logo);
	else
		say_refusal(visit, PORTAL_NOTICE_NOT_FOUND);
}

struct MHD_Response *say_make_style(void)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(portal_style), (void *)(uintptr_t)portal_style, MHD_RESPMEM_PERSISTENT);

	if (!response)
		return NULL;
	add_headers(response, PORTAL_CONTENT_STYLE, false);
	return response;
}

struct MHD_Response *say_make_logo(const void *bytes, size_t len)
{
	const char *type = portal_logo_type(bytes, len);
	struct MHD_Response *response =
		type ? MHD_create_response_from_buffer(
			       len, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY)
		     : NULL;

	if (!response)
		return NULL;
	add_headers(response, PORTAL_CONTENT_LOGO, false);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	return response;
}
