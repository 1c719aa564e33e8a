/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/headers.h"

/* Of ours alone, and no script at all; nobody frames it. */
#define POLICY_OF_CONTENT                                                            \
	"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; " \
	"frame-ancestors 'none'; base-uri 'none'"

static const struct portal_header always[] = {
	{"Content-Security-Policy", POLICY_OF_CONTENT},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	/* not no-referrer: with that browsers say "Origin: null" with our own posts (Fetch, "append
	 * a request Origin header"), and it could not be seen where those come from */
	{"Referrer-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};
#define ALWAYS (sizeof(always) / sizeof(*always))

size_t portal_headers(
	enum portal_content content, bool strict, struct portal_header v[static PORTAL_HEADERS_MAX])
{
	size_t n = 0;

	for (; n < ALWAYS; n++)
		v[n] = always[n];
	v[n++] = (struct portal_header){"Cache-Control",
		content == PORTAL_CONTENT_PAGE ? "no-store" : "private, max-age=300"};
	if (content != PORTAL_CONTENT_LOGO)
		v[n++] = (struct portal_header){
			"Content-Type", content == PORTAL_CONTENT_PAGE ? "text/html; charset=utf-8"
								       : "text/css; charset=utf-8"};
	if (strict)
		v[n++] = (struct portal_header){"Strict-Transport-Security", "max-age=2592000"};
	return n;
}
