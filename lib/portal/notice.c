/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/page_parts.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	enum portal_text text;
	unsigned status;
} notices[PORTAL_NOTICES] = {
	[PORTAL_NOTICE_NONE] = {PORTAL_TEXT_FAILED, 200},
	[PORTAL_NOTICE_WRONG] = {PORTAL_TEXT_WRONG, 403},
	[PORTAL_NOTICE_NOT_ACCEPTED] = {PORTAL_TEXT_NOT_ACCEPTED, 403},
	[PORTAL_NOTICE_TERMS_CHANGED] = {PORTAL_TEXT_TERMS_CHANGED, 403},
	[PORTAL_NOTICE_WAIT] = {PORTAL_TEXT_WAIT, 429},
	[PORTAL_NOTICE_BUSY] = {PORTAL_TEXT_BUSY, 503},
	[PORTAL_NOTICE_STALE] = {PORTAL_TEXT_STALE, 403},
	[PORTAL_NOTICE_LIMIT] = {PORTAL_TEXT_LIMIT, 403},
	[PORTAL_NOTICE_TAKEN] = {PORTAL_TEXT_TAKEN, 403},
	[PORTAL_NOTICE_NO_DEVICE] = {PORTAL_TEXT_NO_DEVICE, 403},
	[PORTAL_NOTICE_NO_ZONE] = {PORTAL_TEXT_NO_ZONE, 403},
	[PORTAL_NOTICE_AGAIN] = {PORTAL_TEXT_AGAIN, 403},
	[PORTAL_NOTICE_FAILED] = {PORTAL_TEXT_FAILED, 500},
	[PORTAL_NOTICE_TOO_LONG] = {PORTAL_TEXT_TOO_LONG, 413},
	[PORTAL_NOTICE_BAD_FORM] = {PORTAL_TEXT_BAD_FORM, 400},
	[PORTAL_NOTICE_NOT_FOUND] = {PORTAL_TEXT_NOT_FOUND, 404},
	[PORTAL_NOTICE_BAD_METHOD] = {PORTAL_TEXT_BAD_METHOD, 405},
	[PORTAL_NOTICE_BAD_HOST] = {PORTAL_TEXT_BAD_HOST, 421},
	[PORTAL_NOTICE_FOREIGN] = {PORTAL_TEXT_FOREIGN, 403},
	[PORTAL_NOTICE_LOGGED_IN] = {PORTAL_TEXT_LOGGED_IN, 200},
	[PORTAL_NOTICE_RENEWED] = {PORTAL_TEXT_RENEWED, 200},
	[PORTAL_NOTICE_LOGGED_OUT] = {PORTAL_TEXT_LOGGED_OUT, 200},
};

unsigned portal_notice_status(enum portal_notice notice)
{
	return notices[notice].status;
}

bool notice_is_good(enum portal_notice notice)
{
	return notice >= PORTAL_NOTICE_LOGGED_IN;
}

enum portal_text notice_text(enum portal_notice notice)
{
	return notices[notice].text;
}

enum portal_notice portal_notice_of_route(enum portal_route route)
{
	switch (route) {
	case PORTAL_HOME:
	case PORTAL_LOGIN:
	case PORTAL_RENEW:
	case PORTAL_LOGOUT:
	case PORTAL_STYLE:
	case PORTAL_LOGO:
		return PORTAL_NOTICE_NONE;
	case PORTAL_BAD_FIELDS:
	case PORTAL_BAD_TYPE:
		return PORTAL_NOTICE_BAD_FORM;
	case PORTAL_NOT_FOUND:
		return PORTAL_NOTICE_NOT_FOUND;
	case PORTAL_BAD_METHOD:
		return PORTAL_NOTICE_BAD_METHOD;
	case PORTAL_BAD_HOST:
		return PORTAL_NOTICE_BAD_HOST;
	case PORTAL_FOREIGN:
		return PORTAL_NOTICE_FOREIGN;
	}
	abort();
}

static const struct {
	enum portal_route route;
	const char *url;
	bool logged_in;
	enum portal_notice notice;
} done[] = {
	{PORTAL_LOGIN, "/?done=in", true, PORTAL_NOTICE_LOGGED_IN},
	{PORTAL_RENEW, "/?done=renewed", true, PORTAL_NOTICE_RENEWED},
	{PORTAL_LOGOUT, "/?done=out", false, PORTAL_NOTICE_LOGGED_OUT},
};
#define DONE (sizeof(done) / sizeof(*done))

const char *portal_done(enum portal_route route)
{
	for (size_t i = 0; i < DONE; i++)
		if (done[i].route == route)
			return done[i].url;
	return "/";
}

enum portal_notice portal_notice_of_query(const char *query, bool logged_in)
{
	for (size_t i = 0; query && i < DONE; i++)
		if (strcmp(done[i].url + 2, query) == 0 && done[i].logged_in == logged_in)
			return done[i].notice;
	return PORTAL_NOTICE_NONE;
}
