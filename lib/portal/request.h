/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a request to the login page is, before anything is done: which page it wants, and
 * whether it comes from where it may.
 *
 * Host must be a name of ours, or another site's name could be made to lead here (DNS rebinding). A
 * post must come from a page of ours, by what the browser says of itself, beside its token. What a
 * proxy would say (X-Forwarded-For, Forwarded) is not looked at: nobody stands between. */
#ifndef POSTERN_LIB_PORTAL_REQUEST_H
#define POSTERN_LIB_PORTAL_REQUEST_H

#include "lib/policy/policy.h"

#include <stdbool.h>
#include <stdint.h>

/* Header fields; NULL: not there. */
struct portal_request {
	const char *method, *path; /* without what follows '?' */
	const char *host, *origin, *fetch_site, *referer, *content_type;
	bool twice; /* one of the fields stands there more than once */
};

enum portal_route {
	PORTAL_HOME,  /* GET /: the form, or who is logged in */
	PORTAL_LOGIN, /* POST, as the next two */
	PORTAL_RENEW,
	PORTAL_LOGOUT,
	PORTAL_STYLE, /* GET, as the next */
	PORTAL_LOGO,
	/* refusals */
	PORTAL_BAD_FIELDS, /* 400 */
	PORTAL_NOT_FOUND,  /* 404 */
	PORTAL_BAD_METHOD, /* 405 */
	PORTAL_BAD_HOST,   /* 421 */
	PORTAL_FOREIGN,    /* 403 */
	PORTAL_BAD_TYPE,   /* 415 */
};

/* names: the portal's, addresses among them as text; port: its own for HTTPS. */
enum portal_route portal_route(
	const struct portal_request *request, const struct policy_strings *names, uint16_t port);
/* Of HTTP; 0: it is no refusal. */
unsigned portal_route_status(enum portal_route route);
/* What field Allow says beside 405. */
const char *portal_route_allow(const char *path);

#endif
